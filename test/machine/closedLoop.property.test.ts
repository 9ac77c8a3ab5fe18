/**
 * Closed loops: what the clients ask follows from what the machine answered, so one look that
 * depends on the pace changes all that comes after it. RINGSCOPE_RUNS multiplies the random runs,
 * RINGSCOPE_SEED chooses others.
 */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { run } from '../../src/lab/given.ts';
import type { RunReport } from '../../src/lab/report.ts';
import { PATIENCE, runs } from './fuzzRig.ts';

type Given = Readonly<Record<string, unknown>>;

const SEED = Number(process.env['RINGSCOPE_SEED'] ?? 2026);

async function reportOf(given: Given, eager: boolean): Promise<Omit<RunReport, 'run' | 'wallMs'>> {
  const { run: _run, wallMs: _wallMs, ...figures } = (await run({ ...given, eager })).report;
  return figures;
}

async function bothAgree(given: Given): Promise<RunReport['clients']> {
  const [lazy, eager] = [await reportOf(given, false), await reportOf(given, true)];
  expect(eager).toEqual(lazy);
  return lazy.clients;
}

test.each<Given>([
  { clients: 100, count: 50, rxUsecs: 1, think: '1ms' },
  { clients: 2, count: 300, rxUsecs: 10, think: '1us', xdp: 'none', apps: 'server:9', seed: 13 },
  { clients: 1000, count: 300, rxUsecs: 0, think: '1ms', seed: 18 },
])('%j: lazy and eager agree', async (given) => {
  await bothAgree({ queues: 1, ...given });
});

const some = <T>(...of: T[]): fc.Arbitrary<T> => fc.constantFrom(...of);

const closedLoop: fc.Arbitrary<Given> = fc
  .record({
    clients: some(1, 2, 10, 100),
    think: some('1us', '50us', '1ms'),
    cable: some('10ns', '1us', '5us', '30us'),
    queues: some(1, 2, 4),
    rxUsecs: some(0, 1, 3, 10, 50),
    rxFrames: some(1, 6, 15),
    chip: some('p4', 'p5'),
    rxFramesIrq: some(1, 2, 5, 32),
    rxUsecsIrq: some(1, 4, 20),
    txFramesIrq: some(1, 2, 10),
    adaptiveRx: some(false, true),
    cpus: some(1, 2, 4),
    clientUpdates: some(0, 30),
    clientDelay: some('1ps', '3us'),
    budget: some(4, 64),
    seed: fc.nat(1000),
    answers: some('echo', 'echo:9', 'server:9', 'memcached:9', 'memcached:9,sink:10'),
  })
  .map(({ answers, ...given }) =>
    answers === 'echo'
      ? { ...given, xdp: 'echo' }
      : {
          ...{ ...given, xdp: 'none', apps: answers },
          ...(answers.includes('sink') ? { clientAck: 10 } : {}),
        },
  );

test('lazy and eager agree, whoever asks and whoever answers', PATIENCE, async () => {
  let answered = 0;
  await fc.assert(
    fc.asyncProperty(closedLoop, async (given) => {
      answered += (await bothAgree({ ...given, count: 100 }))!.transactions;
    }),
    { numRuns: runs(24), seed: SEED },
  );
  expect(answered).toBeGreaterThan(runs(24) * 80);
});
