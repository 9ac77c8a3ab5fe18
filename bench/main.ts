/**
 * `npm run bench -- [path|budget|scale|load|socket|objects|ebpf|maps|verifier] [--json] [--rounds n]`
 *
 *   path     drop, tx, redirect, pass: ours and, as root with libbpf, the kernel's own, in turn
 *   budget   drop at NAPI weights 1 to 256
 *   scale    drop with 8191 descriptors, 16 queues, 65,536 flows against 511, 1, 1
 *   load     drop of generated traffic below and beyond capacity, with and without --stages
 *   socket   pass to a UDP socket that an application on another CPU reads: ours and the kernel's
 *   objects  eBPF objects in the driver, a counting drop and a load balancer: ours and the kernel's
 *   ebpf     programs on our engines, in the kernel and as native code (`ebpf.ts`); only when asked for
 *   maps     look-ups and updates of large maps, next to the kernel's (`maps.ts`); likewise
 *   verifier how long programs take to verify, next to the kernel's time (`verifier.ts`); likewise
 *
 * Each subject has a process of its own; rounds of all of them alternate, so that a machine that
 * changes its speed changes it for all. The bare loop (`bare.ts`) is measured beside them.
 */
import { parseArgs } from 'node:util';
import { ebpf } from './ebpf.ts';
import { maps } from './maps.ts';
import { verifier } from './verifier.ts';
import type { KernelPath } from './kernel/kernelPath.ts';
import { openKernelPath } from './kernel/kernelPath.ts';
import type { ObjectScenario } from './objects.ts';
import { OBJECT_SCENARIOS, OBJECTS } from './objects.ts';
import type { Scenario } from './pathRig.ts';
import { SCENARIOS } from './pathRig.ts';
import type { Figure } from './statistics.ts';
import { figureOf } from './statistics.ts';
import type { WorkerOptions } from './worker.ts';
import { startWorker } from './workerProcess.ts';

const KERNEL_PACKETS = 300_000;
const WEIGHTS = [1, 2, 4, 8, 16, 32, 64, 128, 256];
const SCALE: Record<string, Omit<WorkerOptions, 'scenario'>> = {
  'ring 511, 1 queue, 1 flow': {},
  'ring 8191': { rxRing: 8191 },
  '16 queues': { queues: 16, flows: 4096 },
  '65,536 flows': { flows: 65_536 },
};

/** The plain path stands beside them: they are to reach half of its packet rate. */
const loads = (): Record<string, WorkerOptions> => ({
  'plain path': { scenario: 'drop' },
  ...Object.fromEntries(
    [0.1, 0.9, 1.2].flatMap((share) =>
      (['constant', 'poisson'] as const).flatMap((arrivals) =>
        [false, true].map((stages) => [
          `${share} ${arrivals}${stages ? ', stages' : ''}`,
          { scenario: 'load' as const, load: { share, arrivals, stages } },
        ]),
      ),
    ),
  ),
});

/** One thing to measure: a name, and how to get one round's ns a packet. */
interface Subject {
  readonly name: string;
  round(): Promise<number>;
  close(): void;
}

const ours = async (name: string, options: WorkerOptions): Promise<Subject> => ({
  name,
  ...(await startWorker(options)),
});

const theirs = (kernel: KernelPath, scenario: Scenario): Subject => ({
  name: `kernel ${scenario}`,
  round: async () => (await kernel.round(scenario, KERNEL_PACKETS)).nsPerPacket,
  close: () => {},
});

/** All subjects in turn, `rounds` times. */
async function measure(subjects: readonly Subject[], rounds: number): Promise<Map<string, Figure>> {
  const values = new Map<string, number[]>(subjects.map(({ name }) => [name, []]));
  for (let i = 0; i < rounds; i++) {
    for (const subject of subjects) {
      values.get(subject.name)!.push(await subject.round());
      if (process.stderr.isTTY)
        process.stderr.write(`\rround ${i + 1} of ${rounds}: ${subject.name.padEnd(30)}`);
    }
  }
  if (process.stderr.isTTY) process.stderr.write('\r'.padEnd(60) + '\r');
  for (const subject of subjects) subject.close();
  return new Map([...values].map(([name, list]) => [name, figureOf(list)]));
}

const row = (name: string, figure: Figure, bare: Figure, more = ''): string =>
  `${name.padEnd(28)}${figure.nsPerPacket.toFixed(1).padStart(9)}${figure.min.toFixed(1).padStart(9)}` +
  `${figure.max.toFixed(1).padStart(9)}${figure.spreadPct.toFixed(1).padStart(8)} %` +
  `${(1000 / figure.nsPerPacket).toFixed(2).padStart(9)}` +
  `${(figure.nsPerPacket / bare.nsPerPacket).toFixed(2).padStart(9)}${more}`;

const HEAD = `${'ns a packet'.padEnd(28)}${'median'.padStart(9)}${'min'.padStart(9)}${'max'.padStart(9)}${'spread'.padStart(10)}${'Mpps'.padStart(9)}${'x bare'.padStart(9)}`;

async function path(scenarios: readonly Scenario[], rounds: number, json: boolean): Promise<void> {
  const kernel = await openKernelPath();
  const live = 'unavailable' in kernel ? null : kernel;
  try {
    const subjects = [await ours('bare loop', { scenario: 'bare' })];
    for (const scenario of scenarios) {
      const object = Object.hasOwn(OBJECTS, scenario) ? OBJECTS[scenario as ObjectScenario] : null;
      subjects.push(await ours(scenario, { scenario, ...(object === null ? {} : { object }) }));
      if (live !== null) subjects.push(theirs(live, scenario));
    }
    const figures = await measure(subjects, rounds);
    const bare = figures.get('bare loop')!;
    const pick = <T>(of: (scenario: Scenario) => T): Record<Scenario, T> =>
      Object.fromEntries(scenarios.map((s) => [s, of(s)])) as Record<Scenario, T>;
    const ratio = (s: Scenario): number =>
      Math.round((figures.get(`kernel ${s}`)!.nsPerPacket / figures.get(s)!.nsPerPacket) * 100) /
      100;
    if (json) {
      const report = {
        path: pick((s) => figures.get(s)!),
        kernel: live === null ? null : pick((s) => figures.get(`kernel ${s}`)!),
        ratio: live === null ? null : pick(ratio),
        bare,
        kernelRelease: live === null ? null : live.release,
        node: process.version,
      };
      console.log(JSON.stringify(report));
      return;
    }
    console.log(
      `The whole path, 64-byte frames, Node ${process.version}, ${rounds} alternating rounds\n`,
    );
    console.log(`${HEAD}${'kernel/ours'.padStart(14)}`);
    console.log(row('bare loop', bare, bare));
    for (const s of scenarios) {
      const times = live === null ? '' : ratio(s).toFixed(2).padStart(14);
      console.log(row(s, figures.get(s)!, bare, times));
      if (live !== null)
        console.log(
          row(`  kernel ${live.release.slice(0, 12)}`, figures.get(`kernel ${s}`)!, bare),
        );
    }
    if ('unavailable' in kernel)
      console.log(`\nThe kernel's own path was not measured: ${kernel.unavailable}`);
  } finally {
    live?.close();
  }
}

async function table(
  name: string,
  title: string,
  of: Record<string, WorkerOptions>,
  rounds: number,
  json: boolean,
): Promise<void> {
  const subjects = [await ours('bare loop', { scenario: 'bare' })];
  for (const [label, options] of Object.entries(of)) subjects.push(await ours(label, options));
  const figures = await measure(subjects, rounds);
  if (json) return console.log(JSON.stringify({ [name]: Object.fromEntries(figures) }));
  console.log(`${title}, Node ${process.version}, ${rounds} alternating rounds\n\n${HEAD}`);
  for (const [label, figure] of figures) console.log(row(label, figure, figures.get('bare loop')!));
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { json: { type: 'boolean', default: false }, rounds: { type: 'string', default: '9' } },
});
const rounds = Number(values.rounds);
const suites = positionals.length === 0 ? ['path', 'budget', 'scale'] : positionals;
const withScenario = (
  of: Record<string, Omit<WorkerOptions, 'scenario'>>,
): Record<string, WorkerOptions> =>
  Object.fromEntries(
    Object.entries(of).map(([label, options]) => [label, { ...options, scenario: 'drop' }]),
  );

if (!Number.isInteger(rounds) || rounds < 1 || rounds > 1000) {
  console.error(`--rounds: ${values.rounds} is out of range (1 to 1000)`);
  process.exit(2);
}
for (const suite of suites) {
  if (suite === 'path') await path(SCENARIOS, rounds, values.json);
  else if (suite === 'socket') await path(['socket'], rounds, values.json);
  else if (suite === 'objects') await path(OBJECT_SCENARIOS, rounds, values.json);
  else if (suite === 'budget') {
    const weights = Object.fromEntries(WEIGHTS.map((weight) => [`weight ${weight}`, { weight }]));
    await table('budget', 'drop by NAPI weight', withScenario(weights), rounds, values.json);
  } else if (suite === 'load')
    await table('load', 'drop by load, of capacity', loads(), rounds, values.json);
  else if (suite === 'scale')
    await table('scale', 'drop by size', withScenario(SCALE), rounds, values.json);
  else if (suite === 'ebpf') await ebpf(rounds, values.json);
  else if (suite === 'maps') await maps(rounds, values.json);
  else if (suite === 'verifier') verifier(rounds, values.json);
  else {
    console.error(
      `unknown suite ${suite} (path, budget, scale, load, socket, objects, ebpf, maps, verifier)`,
    );
    process.exit(2);
  }
}
