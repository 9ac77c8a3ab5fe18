/**
 * What `rx-frames-irq` and `rx-usecs-irq` do to a run: frames that come while an interrupt is served
 * wait in the NIC for each other.
 */
import { expect, test } from 'vitest';
import { run as runOn } from '../../src/lab/given.ts';
import type { RunReport } from '../../src/lab/report.ts';

const run = async (given: Readonly<Record<string, unknown>>): Promise<RunReport> =>
  (await runOn(given)).report;

const ONE = { xdp: 'drop', queues: 1, cpus: 1 } as const;
const POISSON = 'udp size=64 flows=64 arrivals=poisson rate=3Mpps';
/** 1 us apart, and a timer looks every 10 us: after the first interrupt the ring is never armed. */
const DEFERRED = {
  ...{ traffic: 'udp size=64 rate=1Mpps', count: 20_000 },
  ...{ napiDeferHardIrqs: 100, groFlushTimeout: 10_000 },
};

/** How many packets there were in a poll, of those numbers that more than one poll had. */
const sizes = ({ napi }: RunReport): number[] =>
  Object.entries(napi.pollsByPackets).flatMap(([n, polls]) => (polls > 1 ? [Number(n)] : []));

test('interrupts: polls end sooner, packets wait for the next interrupt instead', async () => {
  const by = [];
  for (const rxFramesIrq of [1, 8, 32]) {
    by.push(await run({ ...ONE, traffic: POISSON, count: 40_000, rxFramesIrq, rxUsecsIrq: 50 }));
  }
  const [none, some, many] = by as [RunReport, RunReport, RunReport];
  expect(none.napi.packetsPerPoll).toBeGreaterThan(18);
  // 15 frames interrupt; the poll finds those, and eights that have gathered meanwhile
  expect(sizes(some).every((n) => n % 8 === 7)).toBe(true);
  expect(many.napi.packetsPerPoll).toBeCloseTo(15, 1);
  expect(some.latencyNs.mean).toBeGreaterThan(none.latencyNs.mean + 400);
  expect(many.latencyNs.mean).toBeGreaterThan(some.latencyNs.mean);
  expect(many.napi.irqs).toBeGreaterThan(some.napi.irqs);
});

test('a ring that stays unarmed: frames appear sixteen at a time, on average 7.5 us later', async () => {
  const each = await run({ ...ONE, ...DEFERRED });
  const sixteen = await run({ ...ONE, ...DEFERRED, rxFramesIrq: 16, rxUsecsIrq: 50 });
  expect(sizes(sixteen)).toEqual([0, 16]);
  expect(sixteen.latencyNs.mean - each.latencyNs.mean).toBeGreaterThan(7000);
  expect(sixteen.latencyNs.mean - each.latencyNs.mean).toBeLessThan(8000);
});

test('the timer limits the wait: what comes within 5 us is written together', async () => {
  // 62 ticks of 80 ns are 4.96 us: the sixth frame would come 5 us after the first, and is too late
  const each = await run({ ...ONE, ...DEFERRED });
  const five = await run({ ...ONE, ...DEFERRED, rxFramesIrq: 16, rxUsecsIrq: 5 });
  expect(sizes(five).every((n) => n % 5 === 0)).toBe(true);
  // the first of five waits 4.96 us, the last 0.96 us
  const more = five.latencyNs.mean - each.latencyNs.mean;
  expect(more).toBeGreaterThan(2500);
  expect(more).toBeLessThan(3500);
});

test('hardware gathers 63 records: the 32nd frame is the last that is waited for', async () => {
  const most = await run({ ...ONE, ...DEFERRED, rxFramesIrq: 64, rxUsecsIrq: 100 });
  expect(sizes(most)).toEqual([0, 32]);
});

test('a NIC that is no bnxt gathers nothing, and says so', async () => {
  await expect(run({ ...ONE, profile: 'xdp-paper-2018', rxFramesIrq: 4 })).rejects.toThrow(
    '--rx-frames-irq: 4 is out of range (1 with --profile xdp-paper-2018, whose NIC gathers no completions)',
  );
});
