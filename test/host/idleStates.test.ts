import { describe, expect, test } from 'vitest';
import type { Ps } from '../../src/host/clock.ts';
import { PS_PER_MS, PS_PER_US } from '../../src/host/clock.ts';
import { IdleStates } from '../../src/host/idleStates.ts';

/** Broadwell's C1E, C3 and C6. */
const STATES = [
  { exitNs: 10_000, residencyNs: 20_000 },
  { exitNs: 40_000, residencyNs: 100_000 },
  { exitNs: 133_000, residencyNs: 400_000 },
];
const TICK = 4 * PS_PER_MS;

/** What waking takes after each of these periods, all in microseconds. */
function wakes(periods: readonly number[]): number[] {
  const states = new IdleStates(STATES, TICK);
  return periods.map((us): Ps => states.wake(us * PS_PER_US) / PS_PER_US);
}

const times = (n: number, ...us: readonly number[]): number[] =>
  Array.from({ length: n }, () => us).flat();
const lastOf = (periods: readonly number[]): number => wakes(periods).at(-1)!;

describe('which state', () => {
  test('at first none, since eight periods of nothing are all that is known', () => {
    expect(wakes([5000])).toEqual([0]);
  });

  test.each([
    [19, 0],
    [20, 10],
    [99, 10],
    [100, 40],
    [399, 40],
    [400, 133],
    [3000, 133],
  ])('periods of %i us again and again: waking takes %i us', (us, exit) => {
    expect(lastOf(times(60, us))).toBe(exit);
  });

  test('periods within 20 us of each other are alike: their mean decides', () => {
    expect(lastOf(times(9, 4, 40))).toBe(10); // deviation 18, mean 22
    expect(lastOf(times(9, 4, 30))).toBe(0); // mean 17
  });

  test('two periods in eight that are longer are left out, three are not', () => {
    expect(lastOf([...times(60, 50), 3000, 3000, 50])).toBe(10);
    // neither the six shortest of 50, 50, 50, 50, 50, 3000, 3000, 3000 nor more are alike; the mean
    // goes 50, 418.75, 741.4, 1023.7: C6
    expect(lastOf([...times(60, 50), 3000, 3000, 3000, 50])).toBe(133);
  });

  test('long periods are alike within a sixth', () => {
    // 100 and 130: mean 115, deviation 15, which is below 20 us
    expect(lastOf(times(30, 100, 130))).toBe(40);
    // 300 and 420: mean 360, deviation 60, 360 > 6 x 60 does not hold; nor for the shortest seven
    // (mean 351.4, 59.4) or six (340, 56.6 with 340 > 339.4): 340 us
    expect(lastOf(times(30, 300, 420))).toBe(40);
  });

  test('where nothing is alike, the mean of all, of which the last counts an eighth', () => {
    // 10 and 1000 in turns: the mean swings between 472 (after 10) and 538 (after 1000)
    expect(wakes(times(40, 10, 1000)).slice(-2)).toEqual([133, 133]);
    // 10 and 500: between 238.7 and 271.3
    expect(wakes(times(40, 10, 500)).slice(-2)).toEqual([40, 40]);
  });

  test('a period counts no more than a tick', () => {
    const states = new IdleStates([{ exitNs: 7, residencyNs: 4_000_001 }], TICK);
    for (let i = 0; i < 60; i++) expect(states.wake(1000 * PS_PER_MS)).toBe(0);
  });
});
