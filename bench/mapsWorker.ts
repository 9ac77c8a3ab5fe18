/**
 * The programs of `bpf/maps.c` on our maps, compiled, in a process of its own.
 *
 *   node mapsWorker.mjs OBJECT
 *
 * The maps are filled first. A line on stdin names a program; the answer is nanoseconds a run and
 * what the last run returned, the least of many short stretches.
 */
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { compile } from '../src/xdp/jit/compile.ts';
import { collectionMapMemory } from '../src/xdp/loader/createMaps.ts';
import { loadCollection } from '../src/xdp/loader/load.ts';
import { parseElf } from '../src/xdp/loader/parseElf.ts';
import { standaloneBpf } from '../src/xdp/standalone.ts';
import type { JudgeReply } from './kernel/programs.ts';

const STRETCHES = 20;
const RUNS = 100;
const FILL_RUNS = 1563;

const [file] = process.argv.slice(2) as [string];
const spec = parseElf(new Uint8Array(readFileSync(file)), { file });
const bpf = standaloneBpf({ mapBytes: collectionMapMemory(spec, 1), moreBytes: 8192 });
const { programs } = loadCollection(spec, bpf, { engine: (image) => compile(image, bpf) });
const md = bpf.mem.region('context', 4096).at;

function round(name: string): JudgeReply {
  const program = programs[name]!.runnable;
  let least = Infinity;
  let retval = 0;
  for (let i = 0; i < STRETCHES; i++) {
    const start = process.hrtime.bigint();
    for (let run = 0; run < RUNS; run++) retval = program.run(md);
    least = Math.min(least, Number(process.hrtime.bigint() - start) / RUNS);
  }
  return { ns: least, retval };
}

for (let i = 0; i < FILL_RUNS; i++) programs['fill']!.run(md);
process.stdout.write('{"ready":true}\n');
for await (const line of createInterface({ input: process.stdin })) {
  process.stdout.write(`${JSON.stringify(round(line))}\n`);
}
