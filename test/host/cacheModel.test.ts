import { expect, test } from 'vitest';
import {
  packetMissShare,
  buffersInUse,
  linesAtLeast,
  linesBeyond,
} from '../../src/host/cacheModel.ts';

test.each([
  // by hand: both of two coins; at least one of two, one of three; half of the sets have two coins, half three
  [2, 1, 2, 0.25],
  [1, 1, 2, 0.75],
  [1, 1, 3, 1 - (2 / 3) ** 3],
  [1, 1.25, 2, (0.75 + 0.875) / 2],
  [0, 5, 6, 1],
  [20, 0, 6, 0],
  // one slice: all sets alike
  [3, 3, 1, 1],
  [4, 3, 1, 0],
  // very many slices, by hand as for a Poisson distribution: 1 - 2e^-1
  [2, 1, 1e6, 0.2642411177],
])('P(X >= %i) with mean %d in %d slices is %d', (n, lambda, slices, p) => {
  expect(linesAtLeast(n, lambda, slices)).toBeCloseTo(p, 6);
});

/** 15 MiB in 20 ways: 192 sets hold first lines. */
const E5 = {
  ...{
    llcBytes: 15 * 2 ** 20,
    llcWays: 20,
    llcSlices: 6,
    ddioWays: 2,
    bufferAlignment: 4096,
    buffersPerQueue: 256,
    missNs: 78,
  },
  otherMissPct: 0,
};

test('twenty ways of 192 sets hold the first lines of some 3,000 packets and no more', () => {
  const share = (queues: number, ring: number): number =>
    packetMissShare(E5, buffersInUse(E5, queues, ring));
  expect(share(1, 1024)).toBeLessThan(1e-4);
  expect(share(5, 512)).toBeCloseTo(linesAtLeast(20, 20, 6), 9);
  expect(share(5, 1024)).toBeGreaterThan(0.99);
});

test.each([
  // by hand: the mean; one of two coins is beyond one in a quarter of the sets; of three: 3/8 * 1 + 1/8 * 2; e^-1
  [0, 5, 6, 5],
  [1, 1, 2, 0.25],
  [1, 1.5, 2, 0.625],
  [1, 1, 1e6, 0.3678794412],
  [2, 3, 1, 1],
  [2, 0, 6, 0],
])('E[(X - %i)+] with mean %d in %d slices is %d', (n, lambda, slices, beyond) => {
  expect(linesBeyond(n, lambda, slices)).toBeCloseTo(beyond, 6);
});

test('a cache that is flooded misses everything, without overflow', () => {
  expect(linesAtLeast(20, 1e6, 6)).toBe(1);
  expect(linesBeyond(19, 1e6, 6)).toBeCloseTo(1e6 - 19, 3);
});
