/**
 * `npm run bench -- ebpf`: four programs on our engines, next to the kernel's `BPF_PROG_TEST_RUN` and
 * the same C as native code, and what compiling costs.
 *
 *   nop    returns            drop   compares the packet's ends
 *   parse  Ethernet, VLAN, IPv4, UDP: a verdict by port
 *   hash   the same, then a hash of the flow, written into the packet, and a server by it
 *
 * All four columns of a program alternate, round by round; each figure is the least of its rounds,
 * because whatever else a machine does only adds. `kernelNs` holds some 20 ns of the kernel's own
 * loop. `nativeNs` is called through a pointer, as a program is.
 */
import { fileURLToPath } from 'node:url';
import { build } from '../scripts/bundle.mjs';
import type { Insn } from '../src/xdp/isa/insn.ts';
import { compile } from '../src/xdp/jit/compile.ts';
import { parseElf } from '../src/xdp/loader/parseElf.ts';
import { standaloneBpf } from '../src/xdp/standalone.ts';
import type { EngineRound } from './ebpfWorker.ts';
import type { JudgeReply } from './kernel/programs.ts';
import { openPrograms } from './kernel/programs.ts';
import type { LineServer } from './lineServer.ts';
import { startLineServer } from './lineServer.ts';
import { readFileSync } from 'node:fs';

const ROOT: string = fileURLToPath(new URL('..', import.meta.url));
const OBJECT = fileURLToPath(new URL('./bpf/programs.o', import.meta.url));
const WORKER = `${ROOT}node_modules/.cache/ringscope/ebpfWorker.mjs`;
const PROGRAMS = ['nop', 'drop', 'parse', 'hash'] as const;
/** One VLAN tag, UDP over IPv4, 10.0.0.2:1000 to 10.0.0.1:53. */
const PACKET =
  '0200000000010200000000028100000508004500002e00010000401100000a0000020a00000103e80035001a0000' +
  '00'.repeat(22);
const KERNEL_RUNS = 100_000;
const NATIVE_RUNS = 200_000;
const SIZES = [1000, 9000];
const COMPILE_ROUNDS = 15;

interface Row {
  readonly insns: number;
  readonly jitNs: number;
  readonly jitBatchNs: number;
  readonly interpNs: number;
  readonly kernelNs: number | null;
  readonly nativeNs: number | null;
}

const insnsOf = (name: string): readonly Insn[] =>
  parseElf(new Uint8Array(readFileSync(OBJECT)), { file: OBJECT }).programs[name]!.insns;

const least = (values: readonly number[]): number => Math.round(Math.min(...values) * 100) / 100;

async function measure(
  name: string,
  ours: LineServer,
  theirs: LineServer | null,
  rounds: number,
): Promise<Row> {
  const mine: EngineRound[] = [];
  const kernel: JudgeReply[] = [];
  const native: JudgeReply[] = [];
  for (let i = 0; i < rounds; i++) {
    mine.push(await ours.ask<EngineRound>('round'));
    if (theirs === null) continue;
    kernel.push(await theirs.ask<JudgeReply>(`kernel ${name} ${KERNEL_RUNS}`));
    native.push(await theirs.ask<JudgeReply>(`native ${name} ${NATIVE_RUNS}`));
  }
  const verdicts = new Set([...mine, ...kernel, ...native].map(({ retval }) => retval));
  if (verdicts.size > 1) throw new Error(`${name}: verdicts differ: ${[...verdicts].join(', ')}`);
  return {
    insns: insnsOf(name).length,
    jitNs: least(mine.map(({ jitNs }) => jitNs)),
    jitBatchNs: least(mine.map(({ jitBatchNs }) => jitBatchNs)),
    interpNs: least(mine.map(({ interpNs }) => interpNs)),
    kernelNs: theirs === null ? null : least(kernel.map(({ ns }) => ns)),
    nativeNs: theirs === null ? null : least(native.map(({ ns }) => ns)),
  };
}

/** `hash` over and over, each time going on where it would return, to `size` instructions. */
function ofSize(size: number, seed: number): Insn[] {
  const once = insnsOf('hash');
  const out: Insn[] = [];
  while (out.length + once.length < size) {
    once.forEach((insn, slot) => {
      const isLast = slot === once.length - 1;
      if (insn.code === 0x95 && !isLast) {
        out.push({ code: 0x05, dst: 0, src: 0, off: once.length - slot - 1, imm: 0 });
      } else if (isLast) out.push({ code: 0xb7, dst: 0, src: 0, off: 0, imm: seed });
      else if (slot === 0) out.push({ code: 0xbf, dst: 6, src: 1, off: 0, imm: 0 }, insn);
      else out.push(insn);
    });
    out.push({ code: 0xbf, dst: 1, src: 6, off: 0, imm: 0 });
  }
  return [...out, { code: 0x95, dst: 0, src: 0, off: 0, imm: 0 }];
}

/**
 * Milliseconds to compile, the first run included, by size. A driver that links the program into its
 * own loop compiles it once more, at the first packet there.
 */
function compileMs(): Record<string, number> {
  const bpf = standaloneBpf({ moreBytes: 8192 });
  const md = bpf.mem.region('context', 4096).at;
  const data = bpf.mem.region('packet', 4096).at;
  bpf.mem.u8.set(Buffer.from(PACKET, 'hex'), data);
  bpf.mem.words.set([data, data + PACKET.length / 2, data], md >> 2);
  const of = (size: number): number =>
    least(
      Array.from({ length: COMPILE_ROUNDS }, (_, seed) => {
        const insns = ofSize(size, seed);
        const start = process.hrtime.bigint();
        compile({ name: `size ${size}`, insns }, bpf).run(md);
        return Number(process.hrtime.bigint() - start) / 1e6;
      }),
    );
  return Object.fromEntries(SIZES.map((size) => [`${size}`, of(size)]));
}

export async function ebpf(rounds: number, json: boolean): Promise<void> {
  await build({
    ...{ absWorkingDir: ROOT, entryPoints: ['bench/ebpfWorker.ts'], outfile: WORKER, bundle: true },
    ...{ format: 'esm', platform: 'node', target: 'node20', packages: 'external' },
  });
  const judge = await openPrograms(OBJECT);
  const theirs = 'server' in judge ? judge.server : null;
  const rows: Record<string, Row> = {};
  try {
    await theirs?.ask(`packet ${PACKET}`);
    for (const name of PROGRAMS) {
      const ours = await startLineServer(process.execPath, [WORKER, OBJECT, name, PACKET]);
      try {
        rows[name] = await measure(name, ours, theirs, rounds);
      } finally {
        ours.close();
      }
    }
  } finally {
    theirs?.close();
  }
  const compiling = compileMs();
  if (json) {
    const compiler = 'compiler' in judge ? judge.compiler : null;
    console.log(JSON.stringify({ ebpf: { ...rows, compileMs: compiling }, nativeBy: compiler }));
    return;
  }
  console.log(`ns a run, least of ${rounds} alternating rounds, Node ${process.version}\n`);
  console.log(
    ['program', 'insns', 'jit', 'jit batch', 'interp', 'kernel', 'native', 'jit/native']
      .map((text, i) => (i === 0 ? text.padEnd(8) : text.padStart(11)))
      .join(''),
  );
  const cell = (n: number | null): string => (n === null ? '-' : `${n}`).padStart(11);
  for (const [name, row] of Object.entries(rows)) {
    const { insns, jitNs, jitBatchNs, interpNs, kernelNs, nativeNs } = row;
    const ratio = nativeNs === null ? null : Math.round((jitNs / nativeNs) * 100) / 100;
    console.log(
      name.padEnd(8) +
        [insns, jitNs, jitBatchNs, interpNs, kernelNs, nativeNs, ratio].map(cell).join(''),
    );
  }
  if ('unavailable' in judge)
    console.log(`\nKernel and native code were not measured: ${judge.unavailable}`);
  console.log();
  for (const [size, ms] of Object.entries(compiling))
    console.log(`compiling ${size} instructions: ${ms} ms`);
}
