/** Integers at any bit. */
import { expect, test } from 'vitest';
import { readBits } from '../../../src/xdp/btf/bits.ts';

test('a number of no bits is 0, wherever it lies', () => {
  const bytes = Uint8Array.of(0xff, 0xff);
  expect([0, 3, 8, 16].map((at) => readBits(bytes, at, 0, true))).toEqual([0n, 0n, 0n, 0n]);
  expect([readBits(bytes, 3, 5, false), readBits(bytes, 3, 5, true)]).toEqual([31n, -1n]);
});
