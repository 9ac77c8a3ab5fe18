/** Shapes that measured systems have, whatever a profile's numbers are. */
import { expect, test } from 'vitest';
import { run } from '../../src/lab/given.ts';
import type { RunReport } from '../../src/lab/report.ts';

const at = async (given: Record<string, unknown>): Promise<RunReport> =>
  (await run({ xdp: 'drop', traffic: 'udp', queues: 1, cpus: 1, count: 30_000, ...given })).report;

test('the CPU time that is no work on packets has a hump well below saturation', async () => {
  const saturated = await at({ rate: 'line', count: 100_000 });
  expect(saturated.cpus[0]!.busyPct).toBeGreaterThan(99);
  const capacity = saturated.rates.receivedPps;
  const shares = [0.02, 0.1, 0.2, 0.35, 0.6, 0.9];
  const overheads: number[] = [];
  for (const share of shares) {
    const { cpus, rates } = await at({ rate: `${Math.round(share * capacity)}` });
    overheads.push(cpus[0]!.busyPct - (rates.receivedPps / capacity) * 100);
  }
  const most = overheads.indexOf(Math.max(...overheads));
  expect(shares[most]).toBeGreaterThanOrEqual(0.1);
  expect(shares[most]).toBeLessThanOrEqual(0.6);
  expect(overheads[most]).toBeGreaterThan(overheads[0]! + 5);
  expect(overheads[most]).toBeGreaterThan(overheads.at(-1)! + 5);
});

test.each([1, 7, 64, 200])(
  'saturated, a poll receives its weight of %d, and nothing interrupts',
  async (budget) => {
    const { napi } = await at({ budget, rate: 'line' });
    const { [budget]: full, ...others } = napi.pollsByPackets;
    expect(full).toBe(napi.fullPolls);
    // the first finds what came meanwhile, the last what is left
    expect(Object.values(others).reduce((sum, n) => sum + n, 0)).toBeLessThanOrEqual(2);
    expect(napi.irqs).toBeLessThanOrEqual(2);
    expect(napi.longestFullRun).toBe(napi.fullPolls);
  },
);

test('the larger the weight, the longer a small queue waits for a large one on the same CPU', async () => {
  const smallP99: number[] = [];
  const largePps: number[] = [];
  for (const budget of [4, 16, 64, 256]) {
    const { queues, rates } = await at({
      ...{ xdp: 'pass', queues: 2, rate: '10M', flows: 64, pattern: 'elephant:0.95' },
      ...{ rxUsecs: 0, budget },
    });
    const [large, small] = queues.toSorted((a, b) => b.packets - a.packets);
    expect(small!.sharePct + large!.sharePct).toBeCloseTo(100, 1);
    expect(small!.sharePct).toBeLessThan(10);
    smallP99.push(small!.latencyNs.p99);
    largePps.push((rates.receivedPps * large!.sharePct) / 100);
  }
  expect(smallP99).toEqual(smallP99.toSorted((a, b) => a - b));
  // it waits for one full poll of the other: 256 packets instead of 4
  expect(smallP99[3]).toBeGreaterThan(8 * smallP99[0]!);
  expect(largePps).toEqual(largePps.toSorted((a, b) => a - b));
});
