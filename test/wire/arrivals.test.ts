import { describe, expect, test } from 'vitest';
import { Rng } from '../../src/host/rng.ts';
import {
  ConstantStarts,
  LineStarts,
  PoissonStarts,
  type StartTimes,
} from '../../src/wire/arrivals.ts';

const average = (values: readonly number[]): number =>
  values.reduce((a, b) => a + b, 0) / values.length;

const NEVER = 2 ** 53;
const MILLION = 1_000_000;

function times(starts: StartTimes, count: number): Float64Array {
  const at = new Float64Array(count);
  return at.subarray(0, starts.starts(at, count));
}

describe('constant arrivals', () => {
  test.each([14_880_000, 148_809_523.8, 1_000_000_000, 3, 0.001])(
    'at %d frames a second, start n is n periods rounded down, with no drift',
    (pps) => {
      const at = times(new ConstantStarts(pps, 1, NEVER), MILLION);
      const milli = BigInt(Math.round(pps * 1000));
      const wrong = at.findIndex((t, n) => t !== Number((BigInt(n) * 10n ** 15n) / milli));
      expect(wrong).toBe(-1);
    },
  );

  test('14.88 Mpps is 14.88 million starts in the first second', () => {
    const at = times(new ConstantStarts(14_880_000, 1, NEVER), 14_880_001);
    expect(at[14_880_000]).toBe(1e12);
  });

  test('a burst of 32 wants to start at once, and 32 periods pass before the next', () => {
    const at = times(new ConstantStarts(3_000_000, 32, NEVER), 96);
    expect(new Set(at.subarray(0, 32))).toEqual(new Set([0]));
    expect(new Set(at.subarray(32, 64))).toEqual(new Set([10_666_666])); // 32 / 3 us
    expect(new Set(at.subarray(64, 96))).toEqual(new Set([21_333_333]));
  });

  test('how starts are asked for makes no difference to them', () => {
    const whole = times(new ConstantStarts(14_880_000, 5, NEVER), 1000);
    const parts = new ConstantStarts(14_880_000, 5, NEVER);
    expect([...times(parts, 7), ...times(parts, 256), ...times(parts, 737)]).toEqual([...whole]);
  });

  test('no start is at the end or later, even inside a burst', () => {
    const starts = new ConstantStarts(1_000_000, 1, 5_000_000);
    expect([...times(starts, 100)]).toEqual([0, 1e6, 2e6, 3e6, 4e6]);
    expect(times(starts, 100)).toHaveLength(0);
    expect(times(new ConstantStarts(1_000_000, 4, 4_000_000), 100)).toHaveLength(4);
  });

  test('a burst so long that the next one is beyond the end of time is the last', () => {
    expect(times(new ConstantStarts(0.001, 1_000_000, NEVER), 1_000_001)).toHaveLength(1_000_000);
  });
});

describe('Poisson arrivals', () => {
  const MEAN = 1e12 / 14_880_000;
  const at = times(new PoissonStarts(14_880_000, 1, NEVER, new Rng(2)), MILLION + 1);
  const gaps = Array.from({ length: MILLION }, (_, i) => (at[i + 1]! - at[i]!) / MEAN);

  // Tolerances are four standard deviations of the estimate at 10^6 gaps, in units of the mean.
  test('gaps have the mean of the rate (4 standard deviations are 0.4 %)', () => {
    expect(Math.abs(average(gaps) - 1)).toBeLessThan(0.004);
  });

  test('gaps have the variance of an exponential (4 standard deviations are 1.13 %)', () => {
    const mean = average(gaps);
    const variance = average(gaps.map((g) => (g - mean) ** 2));
    expect(Math.abs(variance - 1)).toBeLessThan(4 * Math.sqrt(8 / MILLION));
  });

  test.each([0.01, 0.1, 0.5, 1, 2, 4, 7, 10])('P(gap > %d means) is e to the minus that', (k) => {
    const p = Math.exp(-k);
    const seen = gaps.filter((g) => g > k).length / MILLION;
    expect(Math.abs(seen - p)).toBeLessThan(4 * Math.sqrt((p * (1 - p)) / MILLION));
  });

  test('neighbouring gaps are independent', () => {
    const products = gaps.slice(1).map((g, i) => (g - 1) * (gaps[i]! - 1));
    expect(Math.abs(average(products))).toBeLessThan(0.004);
  });

  test('bursts start together, and their distances have a mean of that many periods', () => {
    const bursts = times(new PoissonStarts(1_000_000, 8, NEVER, new Rng(3)), 800_000);
    const heads = bursts.filter((_, i) => i % 8 === 0);
    expect(bursts.every((t, i) => t === heads[i >> 3])).toBe(true);
    // 10^5 bursts of mean 8 us: one standard deviation of the sum is 1 / sqrt(10^5).
    expect(Math.abs(heads.at(-1)! / (100_000 * 8e6) - 1)).toBeLessThan(4 / Math.sqrt(100_000));
  });

  test('no start is at the end or later', () => {
    const some = times(new PoissonStarts(1_000_000, 1, 1e9, new Rng(4)), 5_000);
    expect(some.length).toBeGreaterThan(800);
    expect(some.length).toBeLessThan(1_200);
    expect(Math.max(...some)).toBeLessThan(1e9);
  });
});

test('at line rate every frame wants to start at once', () => {
  expect([...times(new LineStarts(), 3)]).toEqual([0, 0, 0]);
});
