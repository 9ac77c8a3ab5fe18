import { describe, expect, test } from 'vitest';
import { Rng } from '../../src/host/rng.ts';

const draw = (rng: Rng, n: number): number[] => Array.from({ length: n }, () => rng.uint32());

/** A stream from a state, as published vectors give it. */
const fromState = (a: number, b: number, c: number, d: number): Rng =>
  Object.assign(new Rng(0), { a, b, c, d } as object);

describe('xoshiro128**', () => {
  test('state 1, 2, 3, 4 draws the numbers of the authors’ C code', () => {
    expect(draw(fromState(1, 2, 3, 4), 10)).toEqual([
      11520, 0, 5927040, 70819200, 2031721883, 1637235492, 1287239034, 3734860849, 3729100597,
      4258142804,
    ]);
  });

  // splitmix32 into xoshiro128**, computed with whole numbers in Python
  test.each([
    [0, [1789933344, 44971166, 2521392804, 3836935353, 2740083721, 1685820610]],
    [1, [393288148, 2174103013, 3814759091, 2092745082, 1865176206, 2179171167]],
    [12345, [1093274547, 203003357, 3741353573, 3803725158, 4178738660, 810247443]],
    [-7, [38332731, 2143513836, 14003729, 1824042811, 871506056, 952021836]],
  ])('seed %i fills the state by splitmix32', (seed, expected) => {
    expect(draw(new Rng(seed), 6)).toEqual(expected);
  });

  test('int32 and uint32 are the same 32 bits', () => {
    const [a, b] = [new Rng(9), new Rng(9)];
    for (let i = 0; i < 50; i++) expect(a.int32() >>> 0).toBe(b.uint32());
  });
});

describe('streams', () => {
  test('a fork does not move when its parent draws on', () => {
    const [a, b] = [new Rng(3), new Rng(3)];
    const [forkA, forkB] = [a.fork(), b.fork()];
    draw(a, 100);
    expect(draw(forkA, 5)).toEqual(draw(forkB, 5));
  });

  test('neighbouring seeds have nothing in common', () => {
    const seen = new Set(Array.from({ length: 1000 }, (_, seed) => draw(new Rng(seed), 4)).flat());
    expect(seen.size).toBeGreaterThan(3995);
  });
});

describe('below', () => {
  test.each([1, 2, 3, 10, 1000, 2 ** 21])('%i: all of the range and nothing else', (n) => {
    const rng = new Rng(n);
    let max = 0;
    for (let i = 0; i < 5000; i++) {
      const value = rng.below(n);
      expect(Number.isInteger(value) && value >= 0 && value < n).toBe(true);
      max = Math.max(max, value);
    }
    expect(max).toBeGreaterThan(0.99 * (n - 1) - 1);
  });

  test('no value of ten is favoured: chi-squared of 100,000 draws stays below its 99.9 % bound', () => {
    const rng = new Rng(77);
    const seen = new Float64Array(10);
    for (let i = 0; i < 100_000; i++) seen[rng.below(10)]!++;
    const chi = seen.reduce((sum, n) => sum + (n - 10_000) ** 2 / 10_000, 0);
    expect(chi).toBeLessThan(27.88);
  });

  test('every bit is set half of the time', () => {
    const rng = new Rng(1);
    const ones = new Float64Array(32);
    for (let i = 0; i < 40_000; i++) {
      const bits = rng.int32();
      for (let b = 0; b < 32; b++) ones[b]! += (bits >>> b) & 1;
    }
    for (const n of ones) expect(Math.abs(n - 20_000)).toBeLessThan(450); // 4.5 sigma
  });
});
