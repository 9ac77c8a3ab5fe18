/**
 * `npm run bench -- maps`: look-ups and updates of maps with 100,000 entries, at random keys, next to
 * the kernel's. A program does 64 of them in a run; the loop and the drawing of keys are measured
 * alone and taken off, and the rest is given as nanoseconds an operation.
 *
 * Both sides run the same object, filled the same way, in turn; each figure is the least of its
 * rounds. `bytes` is what an entry takes of map memory here.
 */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { build } from '../scripts/bundle.mjs';
import { collectionMapMemory } from '../src/xdp/loader/createMaps.ts';
import { parseElf } from '../src/xdp/loader/parseElf.ts';
import type { JudgeReply } from './kernel/programs.ts';
import { openPrograms } from './kernel/programs.ts';
import type { LineServer } from './lineServer.ts';
import { startLineServer } from './lineServer.ts';

const ROOT: string = fileURLToPath(new URL('..', import.meta.url));
const OBJECT = fileURLToPath(new URL('./bpf/maps.o', import.meta.url));
const WORKER = `${ROOT}node_modules/.cache/ringscope/mapsWorker.mjs`;
const MAPS = ['hash', 'lru', 'lpm'];
const PROGRAMS = MAPS.flatMap((map) => [`${map}_lookup`, `${map}_update`]);
const OPS = 64;
const ENTRIES = 100_000;
const FILL_RUNS = 1563;
const KERNEL_RUNS = 2000;
const PACKET = '00'.repeat(60);

interface Row {
  readonly ns: number;
  readonly kernelNs: number | null;
  readonly ratio: number | null;
}

const rounded = (value: number): number => Math.round(value * 100) / 100;

/** Bytes of map memory an entry takes, by map. */
function entryBytes(): Record<string, number> {
  const spec = parseElf(new Uint8Array(readFileSync(OBJECT)), { file: OBJECT });
  return Object.fromEntries(
    MAPS.map((name) => {
      const alone = { ...spec, maps: { [name]: spec.maps[name]! } };
      return [name, rounded(collectionMapMemory(alone, 1) / ENTRIES)];
    }),
  );
}

/** The least of the rounds, by program. */
async function measure(
  ours: LineServer,
  theirs: LineServer | null,
  rounds: number,
): Promise<Record<string, { ours: number; theirs: number }>> {
  const least = Object.fromEntries(
    [...PROGRAMS, 'empty'].map((name) => [name, { ours: Infinity, theirs: Infinity }]),
  );
  for (let i = 0; i < rounds; i++) {
    for (const [name, best] of Object.entries(least)) {
      const mine = await ours.ask<JudgeReply>(name);
      const kernel = await theirs?.ask<JudgeReply>(`kernel ${name} ${KERNEL_RUNS}`);
      for (const reply of [mine, ...(kernel === undefined ? [] : [kernel])])
        if (reply.retval !== OPS) throw new Error(`${name}: ${reply.retval} of ${OPS} succeeded`);
      best.ours = Math.min(best.ours, mine.ns);
      best.theirs = Math.min(best.theirs, kernel?.ns ?? Infinity);
    }
  }
  return least;
}

export async function maps(rounds: number, json: boolean): Promise<void> {
  await build({
    ...{ absWorkingDir: ROOT, entryPoints: ['bench/mapsWorker.ts'], outfile: WORKER, bundle: true },
    ...{ format: 'esm', platform: 'node', target: 'node20', packages: 'external' },
  });
  const judge = await openPrograms(OBJECT);
  const theirs = 'server' in judge ? judge.server : null;
  const ours = await startLineServer(process.execPath, [WORKER, OBJECT]);
  const rows: Record<string, Row> = {};
  try {
    await theirs?.ask(`packet ${PACKET}`);
    await theirs?.ask(`kernel fill ${FILL_RUNS}`);
    const least = await measure(ours, theirs, rounds);
    const empty = least['empty']!;
    for (const name of PROGRAMS) {
      const ns = (least[name]!.ours - empty.ours) / OPS;
      const kernelNs = (least[name]!.theirs - empty.theirs) / OPS;
      const judged = theirs !== null;
      rows[name] = {
        ns: rounded(ns),
        kernelNs: judged ? rounded(kernelNs) : null,
        ratio: judged ? rounded(ns / kernelNs) : null,
      };
    }
  } finally {
    ours.close();
    theirs?.close();
  }
  const bytes = entryBytes();
  if (json) return console.log(JSON.stringify({ maps: rows, bytes }));
  console.log(`ns an operation, least of ${rounds} alternating rounds, Node ${process.version}\n`);
  const head = ['ours', 'kernel', 'ratio'].map((text) => text.padStart(10)).join('');
  console.log(`${'100,000 entries'.padEnd(18)}${head}`);
  for (const [name, row] of Object.entries(rows)) {
    const cells = [row.ns, row.kernelNs, row.ratio].map((n) => `${n ?? '-'}`.padStart(10));
    console.log(name.padEnd(18) + cells.join(''));
  }
  if ('unavailable' in judge) console.log(`\nThe kernel was not measured: ${judge.unavailable}`);
  console.log(
    `\nbytes an entry: ${Object.entries(bytes)
      .map(([name, n]) => `${name} ${n}`)
      .join(', ')}`,
  );
}
