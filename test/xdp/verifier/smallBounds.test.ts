/** The short way gives what Linux's steps give, one after the other. */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { Bounds } from '../../../src/xdp/verifier/bounds.ts';
import {
  S32_MIN,
  S64_MAX,
  S64_MIN,
  UNBOUNDED,
  draftBounds,
  syncStepwise,
} from '../../../src/xdp/verifier/bounds.ts';
import { syncSmall } from '../../../src/xdp/verifier/smallBounds.ts';

const RUNS = Number(process.env.RINGSCOPE_RUNS ?? 1);
const MAX = 0x7fff_ffff;
const word = fc.oneof(
  fc.integer({ min: 0, max: MAX }),
  fc.integer({ min: 0, max: 40 }),
  fc.constantFrom(0, 1, 7, 8, 255, 256, 0xffff, 0x40000000, MAX - 1, MAX),
);

const drafts = fc
  .record({
    bits: fc.tuple(word, fc.oneof(word, fc.constant(MAX))),
    u: fc.tuple(word, word),
    s: fc.option(fc.tuple(word, word)),
    u32: fc.option(fc.tuple(word, word)),
    s32: fc.option(fc.tuple(fc.oneof(word, fc.integer({ min: S32_MIN, max: -1 })), word)),
  })
  .map(({ bits: [value, mask], u: [umin, umax], s, u32, s32 }): Bounds => {
    const sorted = (pair: readonly [number, number]): [number, number] =>
      pair[0] <= pair[1] ? [...pair] : [pair[1], pair[0]];
    const [low, high] = sorted([umin, umax]);
    const signed = s === null ? [S64_MIN, S64_MAX] : sorted(s).map(BigInt);
    const half = u32 === null ? [0, UNBOUNDED.u32Max] : sorted(u32);
    const signedHalf = s32 === null ? [S32_MIN, MAX] : sorted(s32);
    return {
      value: BigInt(value & ~mask),
      mask: BigInt(mask),
      umin: BigInt(low),
      umax: BigInt(high),
      smin: signed[0]!,
      smax: signed[1]!,
      u32Min: half[0]!,
      u32Max: half[1]!,
      s32Min: signedHalf[0]!,
      s32Max: signedHalf[1]!,
    };
  });

it('numbers below 2^31', () => {
  let taken = 0;
  fc.assert(
    fc.property(drafts, (bounds) => {
      const short = syncSmall(bounds);
      if (short === null) return;
      taken++;
      expect(short).toEqual({ ...syncStepwise(draftBounds(bounds)) });
    }),
    { numRuns: 20_000 * RUNS },
  );
  expect(taken).toBeGreaterThan(500);
});
