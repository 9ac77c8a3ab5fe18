/**
 * One benchmark in a process of its own: what it measures never shares V8's feedback with another.
 *
 *   node worker.mjs '{"scenario":"drop","rxRing":511}'
 *
 * It runs as a bundle that `workerProcess.ts` makes, and under the flags of the command.
 *
 * Each line on stdin asks for one round; the answer is one line of JSON, `{ "nsPerPacket": n }`,
 * the median of Benchmark.js's samples. `bare` is a scenario too.
 */
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import Benchmark from 'benchmark';
import { inlineWholePath } from '../src/cli/engine.ts';
import { runBare } from './bare.ts';
import type { LoadOptions } from './loadRig.ts';
import { LoadRig } from './loadRig.ts';
import type { PathOptions, Scenario } from './pathRig.ts';
import { PathRig } from './pathRig.ts';

// Benchmark.js would recompile the function's source, and closures would break.
(Benchmark.support as { decompilation: boolean }).decompilation = false;

export interface WorkerOptions extends Omit<PathOptions, 'object'> {
  /** Path of an object file. */
  readonly object?: string;
  readonly scenario: Scenario | 'bare' | 'load';
  /** Of the scenario `load`. */
  readonly load?: LoadOptions;
}

const PACKETS = 1 << 15;
const ROUND_SECONDS = 0.15;
const WARM_UP_ROUNDS = 3;

function subject({
  scenario,
  object,
  load,
  ...options
}: WorkerOptions): (packets: number) => number {
  if (scenario === 'bare') return runBare;
  if (scenario === 'load') {
    const rig = new LoadRig(load!);
    return (packets) => rig.run(packets);
  }
  const read =
    object === undefined ? {} : { object: { file: object, bytes: readFileSync(object) } };
  const rig = new PathRig(scenario, { ...options, ...read });
  return (packets) => rig.run(packets);
}

/** One round: ns a packet, by the median sample. */
function round(name: string, run: (packets: number) => number): number {
  let done = 0;
  let calls = 0;
  let failure: unknown = null;
  const bench = new Benchmark(
    name,
    () => {
      done += run(PACKETS);
      calls++;
    },
    { maxTime: ROUND_SECONDS, minSamples: 3 },
  );
  bench.on('error', (event: Benchmark.Event) => {
    failure = (event.target as unknown as { error: unknown }).error;
  });
  bench.run();
  if (failure !== null) throw failure;
  const samples = [...bench.stats.sample].toSorted((a, b) => a - b);
  return (samples[samples.length >> 1]! * 1e9 * calls) / done;
}

inlineWholePath();
const options = JSON.parse(process.argv[2]!) as WorkerOptions;
const run = subject(options);
for (let i = 0; i < WARM_UP_ROUNDS; i++) round(options.scenario, run);
process.stdout.write('{"ready":true}\n');
for await (const _line of createInterface({ input: process.stdin })) {
  process.stdout.write(`${JSON.stringify({ nsPerPacket: round(options.scenario, run) })}\n`);
}
