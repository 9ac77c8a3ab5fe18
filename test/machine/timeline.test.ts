/** Rings and losses over time: samples that add up, and change nothing. */
import { expect, test } from 'vitest';
import { run } from '../../src/lab/given.ts';

const sum = (numbers: readonly number[]): number => numbers.reduce((all, n) => all + n, 0);

/** Bursts of 2000 that a ring of 511 cannot hold, 1 ms apart. */
const BURSTS = {
  xdp: 'drop',
  traffic: 'udp rate=2Mpps burst=2000',
  queues: 1,
  cpus: 1,
  count: 10_000,
};

test('what is lost is lost in the bursts, while no buffer is left', async () => {
  const { report } = await run({ ...BURSTS, sample: '10us' });
  const { timeline, packets } = report;
  const { samples, stepNs, queues } = timeline!;
  expect([stepNs, queues]).toEqual([10_000, ['eth0-0', 'eth1-0']]);
  expect(sum(samples.map(({ offered }) => offered))).toBe(packets.offered);
  expect(sum(samples.map(({ received }) => received))).toBe(packets.received);
  expect(packets.lost['noBuffer']).toBeGreaterThan(1000);
  expect(sum(samples.map(({ lost }) => lost['noBuffer'] ?? 0))).toBe(packets.lost['noBuffer']);
  // a burst of 2000 frames of 64 bytes takes 13.4 µs at 100 Gb/s
  for (const { atNs, lost } of samples) {
    if (lost['noBuffer'] !== undefined) expect(atNs % 1_000_000).toBeLessThanOrEqual(30_000);
  }
  const least = Math.min(...samples.map(({ buffers }) => buffers[0]!));
  expect(least).toBeLessThanOrEqual(64); // they come back after each poll
  expect(samples.find(({ atNs }) => atNs === 900_000)!.buffers[0]).toBe(511);
  expect(samples.every(({ buffers }) => buffers[1] === 511)).toBe(true);
});

test('looking changes nothing, and adds up lazily and eagerly', async () => {
  const given = { count: 10_000, seed: 3 };
  const plain = (await run(given)).report;
  const { timeline, ...seen } = (await run({ ...given, sample: '3us' })).report;
  const { timeline: none, ...same } = plain;
  expect(none).toBeNull();
  expect(seen).toEqual(same);
  expect(sum(timeline!.samples.map(({ received }) => received))).toBe(plain.packets.received);
  const eager = (await run({ ...given, sample: '3us', eager: true })).report;
  expect(eager).toEqual({ ...plain, timeline });
});

test('a sample of the NIC is exact, inside a poll too', async () => {
  // 1 Mpps from 0 on, one a microsecond; polls of 64 that take longer than the distance of samples
  const { report } = await run({
    ...{ xdp: 'drop', traffic: 'udp rate=1Mpps', queues: 1, cpus: 1, count: 2000 },
    ...{ sample: '5us', rxUsecs: 200, rxFrames: 64 },
  });
  const { samples } = report.timeline!;
  const steady = samples.filter(({ atNs }) => atNs > 10_000 && atNs < 1_900_000);
  expect(steady.length).toBeGreaterThan(300);
  for (const { offered } of steady) expect(offered).toBe(5);
});

test('a long run has no more samples than a short one', async () => {
  const { report } = await run({ ...BURSTS, count: 20_000, sample: '1us' });
  const { samples, stepNs, ...rest } = report.timeline!;
  expect(samples.length).toBeLessThan(2048);
  expect(stepNs).toBeGreaterThan(1000);
  expect(sum(samples.map(({ offered }) => offered))).toBe(20_000);
  expect(rest.queues).toHaveLength(2);
});

test('it is refused where it would end too early', async () => {
  await expect(run({ clients: 3, sample: '1us' })).rejects.toThrow('--sample: cannot be had');
});
