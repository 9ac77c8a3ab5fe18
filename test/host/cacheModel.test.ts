import { expect, test } from 'vitest';
import {
  packetMissShare,
  buffersInUse,
  poissonAtLeast,
  poissonBeyond,
} from '../../src/host/cacheModel.ts';

test.each([
  // by hand: 1 - e^-1, 1 - 2e^-1, 1 - e^-2 (1 + 2 + 2)
  [1, 1, 0.6321205588],
  [2, 1, 0.2642411177],
  [3, 2, 0.3233235838],
  [0, 5, 1],
  [20, 0, 0],
  // tables of the Poisson distribution: 1 - F(19; 20)
  [20, 20, 0.5297427331],
])('P(X >= %i) with mean %d is %d', (n, lambda, p) => {
  expect(poissonAtLeast(n, lambda)).toBeCloseTo(p, 9);
});

/** 15 MiB in 20 ways: 192 sets hold first lines. */
const E5 = {
  ...{
    llcBytes: 15 * 2 ** 20,
    llcWays: 20,
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
  expect(share(5, 512)).toBeCloseTo(poissonAtLeast(20, 20), 9);
  expect(share(5, 1024)).toBeGreaterThan(0.99);
});

test.each([
  // by hand: the mean; e^-1; 0 - 2 + 2 e^-2 + 2 e^-2
  [0, 5, 5],
  [1, 1, 0.3678794412],
  [2, 2, 0.5413411329],
])('E[(X - %i)+] with mean %d is %d', (n, lambda, beyond) => {
  expect(poissonBeyond(n, lambda)).toBeCloseTo(beyond, 9);
});
