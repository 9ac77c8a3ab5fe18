/**
 * One of the benchmark's programs on our engines, in a process of its own: a call site that has seen
 * several compiled programs is slower.
 *
 *   node ebpfWorker.mjs OBJECT PROGRAM PACKET
 *
 * Each line on stdin asks for one round; the answer is one line of JSON: nanoseconds a run compiled,
 * compiled and called once for a batch, and interpreted. Each is the least of many short stretches,
 * taken in turn, so that what else the machine does is left out.
 */
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import type { HostAddr } from '../src/host/memory.ts';
import { Interpreter } from '../src/xdp/interp/interpreter.ts';
import { compile } from '../src/xdp/jit/compile.ts';
import { parseElf } from '../src/xdp/loader/parseElf.ts';
import { standaloneBpf } from '../src/xdp/standalone.ts';

export interface EngineRound {
  readonly jitNs: number;
  readonly jitBatchNs: number;
  readonly interpNs: number;
  readonly retval: number;
}

const STRETCHES = 60;
const RUNS = 2000;
const INTERPRETED_RUNS = 100;
const HEADROOM = 256;

const [file, name, packet] = process.argv.slice(2) as [string, string, string];
const bytes = Buffer.from(packet, 'hex');
const bpf = standaloneBpf({ moreBytes: 1 << 17 });
const { insns } = parseElf(new Uint8Array(readFileSync(file)), { file }).programs[name]!;
const program = compile({ name, insns }, bpf);
const interpreter = new Interpreter({ name, insns }, bpf);

const md: HostAddr = bpf.mem.region('context', 4096).at;
const data: HostAddr = bpf.mem.region('packet', 4096).at + HEADROOM;
const verdicts: HostAddr = bpf.mem.region('verdicts', 4 * RUNS).at;
bpf.mem.u8.set(bytes, data);
bpf.mem.words.set([data, data + bytes.length, data], md >> 2);

const timed = (runs: number, work: () => void): number => {
  const start = process.hrtime.bigint();
  work();
  return Number(process.hrtime.bigint() - start) / runs;
};
let retval = 0;
const compiled = (): void => {
  for (let i = 0; i < RUNS; i++) retval = program.run(md);
};
const batch = (): void => program.runBatch(md, 0, RUNS, verdicts);
const interpreted = (): void => {
  for (let i = 0; i < INTERPRETED_RUNS; i++) interpreter.run(md);
};

function round(): EngineRound {
  const least = { jitNs: Infinity, jitBatchNs: Infinity, interpNs: Infinity };
  for (let i = 0; i < STRETCHES; i++) {
    least.jitNs = Math.min(least.jitNs, timed(RUNS, compiled));
    least.jitBatchNs = Math.min(least.jitBatchNs, timed(RUNS, batch));
    least.interpNs = Math.min(least.interpNs, timed(INTERPRETED_RUNS, interpreted));
  }
  return { ...least, retval };
}

for (let i = 0; i < 10; i++) round();
process.stdout.write('{"ready":true}\n');
for await (const _line of createInterface({ input: process.stdin })) {
  process.stdout.write(`${JSON.stringify(round())}\n`);
}
