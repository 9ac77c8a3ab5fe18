/**
 * Bounds of sign extension: `r1 = (s8)r2` and sign-extending loads.
 *
 * @linux coerce_reg_to_size_sx, coerce_subreg_to_size_sx; kernel/bpf/verifier.c
 */
import type { Bounds } from './bounds.ts';
import { U32_MAX, UNBOUNDED, draftBounds, knownBounds, setTnum } from './bounds.ts';
import { U32_MAX_BIG, U64_MAX, tnumIsConst, tnumRange, tnumSubreg, u64 } from './tnum.ts';

/** @param size 1, 2 or 4 bytes @linux coerce_reg_to_size_sx */
export function signExtended(b: Bounds, size: number): Bounds {
  const bits = size * 8;
  const extend = (x: bigint): bigint => BigInt.asIntN(bits, x);
  if (tnumIsConst(b)) return knownBounds(extend(b.value));
  const top = BigInt(bits);
  if (u64(b.smax) >> top === u64(b.smin) >> top) {
    const x = extend(b.smax);
    const y = extend(b.smin);
    const max = x > y ? x : y;
    const min = x > y ? y : x;
    if (max >= 0n === min >= 0n) {
      const d = draftBounds(b);
      d.smin = min;
      d.smax = max;
      d.umin = u64(min);
      d.umax = u64(max);
      d.s32Min = Number(BigInt.asIntN(32, min));
      d.s32Max = Number(BigInt.asIntN(32, max));
      d.u32Min = d.s32Min >>> 0;
      d.u32Max = d.s32Max >>> 0;
      setTnum(d, tnumRange(u64(min), u64(max)));
      return d;
    }
  }
  const half = 1n << BigInt(bits - 1);
  return {
    ...UNBOUNDED,
    umax: U64_MAX,
    smin: -half,
    smax: half - 1n,
    s32Min: Number(-half),
    s32Max: Number(half - 1n),
  };
}

/** Of the low half alone; the caller clears the high one. @param size 1 or 2 @linux coerce_subreg_to_size_sx */
export function signExtended32(b: Bounds, size: number): Bounds {
  const d = draftBounds(b);
  const shift = 32 - size * 8;
  const extend = (x: number): number => (x << shift) >> shift;
  if (tnumIsConst(b)) {
    const known = BigInt.asIntN(size * 8, b.value);
    d.value = u64(known);
    d.s32Min = d.s32Max = Number(known);
    d.u32Min = d.u32Max = d.s32Min >>> 0;
    return d;
  }
  const top = size * 8;
  if (b.s32Max >>> top === b.s32Min >>> top) {
    const x = extend(b.s32Max);
    const y = extend(b.s32Min);
    const max = Math.max(x, y);
    const min = Math.min(x, y);
    if (min >= 0 === max >= 0) {
      d.s32Min = min;
      d.s32Max = max;
      d.u32Min = min >>> 0;
      d.u32Max = max >>> 0;
      setTnum(d, tnumSubreg(tnumRange(u64(BigInt(min)), u64(BigInt(max)))));
      return d;
    }
  }
  const half = 2 ** (size * 8 - 1);
  d.s32Min = -half;
  d.s32Max = half - 1;
  d.u32Min = 0;
  d.u32Max = U32_MAX;
  d.value = 0n;
  d.mask = U32_MAX_BIG;
  return d;
}
