import { expect, test } from 'vitest';
import {
  packetMissShare,
  buffersInUse,
  linesAtLeast,
  linesBeyond,
  missBeside,
  writeMissShare,
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
    llcInclusive: 1,
    ddioWays: 2,
    bufferAlignment: 4096,
    buffersPerQueue: 256,
    missNs: 78,
  },
  otherMissPct: 0,
};

test('twenty ways of 192 sets hold the first lines of some 3,000 packets and no more', () => {
  const share = (queues: number, ring: number): number =>
    packetMissShare(E5, buffersInUse(E5, queues, ring, true));
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

test.each([
  // fewer others than ways; one way; by hand: 1 - 2^-1, 1 - 2^-2, 1 - (3/4)^2
  [1, 2, 0],
  [3, 4, 0],
  [1, 1, 1],
  [2, 2, 1 / 2],
  [8 / 3, 2, 3 / 4],
  [32 / 7, 4, 7 / 16],
])('beside %d others in %i ways a line misses %d of its turns', (others, ways, missed) => {
  expect(missBeside(others, ways)).toBeCloseTo(missed, 6);
});

test('two slices, by hand: three lines of one index meet in a set a quarter of the time', () => {
  const spec = { ...E5, llcBytes: 4 * 64 * 2, llcWays: 4, llcSlices: 2, bufferAlignment: 64 };
  // a line and two others: both beside it with 1/4, and then half of its turns are missed
  expect(writeMissShare(spec, 3, 64, 0)).toBeCloseTo(1 / 8, 6);
  // without inclusion the first line of a frame is the core's, and so is the completion
  expect(writeMissShare({ ...spec, llcInclusive: 0 }, 3, 64, 64)).toBe(0);
  expect(writeMissShare({ ...spec, llcInclusive: 0 }, 3, 128, 64)).toBeCloseTo(1 / 24, 6);
});

test('what the NIC writes misses more with every buffer and with every way less, up to always', () => {
  const share = (buffers: number, ways: number): number =>
    writeMissShare({ ...E5, ddioWays: ways, bufferAlignment: 64 }, buffers, 1500, 64);
  expect(share(0, 2)).toBe(0);
  expect(share(100, 2)).toBeLessThan(share(1000, 2));
  expect(share(1000, 4)).toBeLessThan(share(1000, 2));
  expect(share(1e7, 2)).toBeCloseTo(1, 6);
});
