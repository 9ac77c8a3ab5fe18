/** What generators do to the times they take is the same when each arrival is an event of its own. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { run } from '../../src/lab/given.ts';
import type { RunReport } from '../../src/lab/report.ts';

type Options = Parameters<typeof run>[0];

const RUNS = Number(process.env['RINGSCOPE_RUNS'] ?? 1);
const SEED = Number(process.env['RINGSCOPE_SEED'] ?? 2026);

const size = fc.constantFrom('64', '1500', 'imix', '64-300');
const full = fc
  .tuple(size, fc.constantFrom(1, 9, 300, 1280))
  .map(([bytes, queue]) => `size=${bytes} rate=line queue=${queue}`);

const stall = fc
  .tuple(fc.constantFrom('', 'rx:'), fc.constantFrom('20us/100us', '7.5us/33us', '175us/1ms'))
  .map(([half, times]) => `stall=${half}${times}`);
const stalled = fc
  .tuple(fc.constantFrom('500kpps', '2Mpps'), fc.constantFrom('burst=1', 'burst=30'), stall)
  .chain(([rate, burst, stops]) =>
    fc
      .constantFrom('constant', 'poisson')
      .map((at) => `rate=${rate} ${burst} arrivals=${at} ${stops}`),
  );
const fullAndStalled = full.map((words) => `${words} stall=rx:20us/100us`);

const machine: fc.Arbitrary<Options> = fc.record({
  xdp: fc.constantFrom('echo', 'redirect', 'none'),
  link: fc.constantFrom(10, 25, 100),
  queues: fc.constantFrom(1, 2),
  cpus: fc.constantFrom(1, 2),
  rxRing: fc.constantFrom(31, 511),
  rxUsecs: fc.constantFrom(0, 10),
  rxFrames: fc.constantFrom(1, 32),
  seed: fc.integer({ min: 1, max: 1000 }),
});

const FORWARDS = { ipForward: true, route: '10.2.0.0/16 via 10.0.1.254' };

const said = async (options: Options): Promise<RunReport> => {
  const { report } = await run({ ...FORWARDS, ...options, stages: true, count: 2500 });
  return { ...report, wallMs: 0 };
};

test('lazy and eager take the same times', async () => {
  let measured = 0;
  await fc.assert(
    fc.asyncProperty(
      fc.oneof(full, stalled, stalled, fullAndStalled),
      machine,
      async (words, options) => {
        const traffic = `udp flows=8 dst=10.2.0.1 ${words}`;
        const lazy = await said({ ...options, traffic });
        expect(await said({ ...options, traffic, eager: true })).toEqual(lazy);
        expect(lazy.conserved).toBe(true);
        measured += lazy.stagesNs['wire']?.count ?? 0;
      },
    ),
    { numRuns: 16 * RUNS, seed: SEED },
  );
  expect(measured).toBeGreaterThan(1000 * RUNS);
}, 60_000);
