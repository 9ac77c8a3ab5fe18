/**
 * Tracked numbers: what is known of a 64-bit value bit by bit.
 *
 * A bit of `mask` that is set is unknown; the others are those of `value`, which is 0 where the mask
 * is 1. Both are unsigned 64-bit integers.
 *
 * @linux struct tnum; include/linux/tnum.h, kernel/bpf/tnum.c
 * @spec Vishwanathan et al., "Sound, Precise, and Fast Abstract Interpretation with Tristate Numbers"
 */
export interface Tnum {
  readonly value: bigint;
  readonly mask: bigint;
}

export const U64_MAX = 0xffff_ffff_ffff_ffffn;
export const U32_MAX_BIG = 0xffff_ffffn;
const HIGH_HALF = 0xffff_ffff_0000_0000n;

export const u64 = (x: bigint): bigint => BigInt.asUintN(64, x);
export const s64 = (x: bigint): bigint => BigInt.asIntN(64, x);
const not = (x: bigint): bigint => x ^ U64_MAX;

const tnum = (value: bigint, mask: bigint): Tnum => ({ value, mask });

export const TNUM_UNKNOWN: Tnum = tnum(0n, U64_MAX);

/** @param value any integer; its low 64 bits count */
export const tnumConst = (value: bigint): Tnum => tnum(u64(value), 0n);

export const tnumIsConst = (a: Tnum): boolean => a.mask === 0n;

export const tnumEqualsConst = (a: Tnum, value: bigint): boolean =>
  a.mask === 0n && a.value === value;

/** Bits needed to write `x`. @linux fls64 */
export function fls64(x: bigint): number {
  const high = Number(x >> 32n);
  return high === 0 ? 32 - Math.clz32(Number(x & U32_MAX_BIG)) : 64 - Math.clz32(high);
}

/** The smallest tracked number that holds all of [min, max]. */
export function tnumRange(min: bigint, max: bigint): Tnum {
  const bits = fls64(min ^ max);
  if (bits > 63) return TNUM_UNKNOWN;
  const delta = (1n << BigInt(bits)) - 1n;
  return tnum(min & not(delta), delta);
}

export const tnumLshift = (a: Tnum, shift: bigint): Tnum =>
  tnum(u64(a.value << shift), u64(a.mask << shift));

export const tnumRshift = (a: Tnum, shift: bigint): Tnum => tnum(a.value >> shift, a.mask >> shift);

/** @param bits 32: of the low half alone, and the high half becomes 0 */
export function tnumArshift(a: Tnum, shift: bigint, bits: 32 | 64): Tnum {
  if (bits === 32) {
    return tnum(
      BigInt.asUintN(32, BigInt.asIntN(32, a.value) >> shift),
      BigInt.asUintN(32, BigInt.asIntN(32, a.mask) >> shift),
    );
  }
  return tnum(u64(s64(a.value) >> shift), u64(s64(a.mask) >> shift));
}

export function tnumAdd(a: Tnum, b: Tnum): Tnum {
  const values = u64(a.value + b.value);
  const masks = u64(a.mask + b.mask);
  const most = u64(values + masks);
  const unknown = (most ^ values) | a.mask | b.mask;
  return tnum(values & not(unknown), unknown);
}

export function tnumSub(a: Tnum, b: Tnum): Tnum {
  const diff = u64(a.value - b.value);
  const most = u64(diff + a.mask);
  const least = u64(diff - b.mask);
  const unknown = (most ^ least) | a.mask | b.mask;
  return tnum(diff & not(unknown), unknown);
}

const TNUM_ZERO: Tnum = tnum(0n, 0n);

export const tnumNeg = (a: Tnum): Tnum => tnumSub(TNUM_ZERO, a);

export function tnumAnd(a: Tnum, b: Tnum): Tnum {
  const known = a.value & b.value;
  return tnum(known, (a.value | a.mask) & (b.value | b.mask) & not(known));
}

export function tnumOr(a: Tnum, b: Tnum): Tnum {
  const known = a.value | b.value;
  return tnum(known, (a.mask | b.mask) & not(known));
}

export function tnumXor(a: Tnum, b: Tnum): Tnum {
  const unknown = a.mask | b.mask;
  return tnum((a.value ^ b.value) & not(unknown), unknown);
}

/** The smallest that holds what either holds. */
function tnumUnion(a: Tnum, b: Tnum): Tnum {
  const unknown = (a.value ^ b.value) | a.mask | b.mask;
  return tnum(a.value & b.value & not(unknown), unknown);
}

/** Long multiplication; an unknown digit of `a` makes the sum either the one with or without `b`. */
export function tnumMul(a: Tnum, b: Tnum): Tnum {
  let sum = TNUM_ZERO;
  let left = a;
  let right = b;
  while (left.value !== 0n || left.mask !== 0n) {
    if ((left.value & 1n) !== 0n) sum = tnumAdd(sum, right);
    else if ((left.mask & 1n) !== 0n) sum = tnumUnion(sum, tnumAdd(sum, right));
    left = tnumRshift(left, 1n);
    right = tnumLshift(right, 1n);
  }
  return sum;
}

/** What both allow; the known bits must not contradict each other. */
export function tnumIntersect(a: Tnum, b: Tnum): Tnum {
  const unknown = a.mask & b.mask;
  return tnum((a.value | b.value) & not(unknown), unknown);
}

/** Is there a number that both allow? */
export const tnumOverlap = (a: Tnum, b: Tnum): boolean => {
  const known = not(a.mask) & not(b.mask);
  return (a.value & known) === (b.value & known);
};

/** Is everything that `b` allows allowed by `a`? */
export const tnumIn = (a: Tnum, b: Tnum): boolean =>
  (b.mask & not(a.mask)) === 0n && a.value === (b.value & not(a.mask));

/** The low `size` bytes. */
export const tnumCast = (a: Tnum, size: number): Tnum =>
  tnum(BigInt.asUintN(size * 8, a.value), BigInt.asUintN(size * 8, a.mask));

export const tnumSubreg = (a: Tnum): Tnum => tnum(a.value & U32_MAX_BIG, a.mask & U32_MAX_BIG);

export const tnumClearSubreg = (a: Tnum): Tnum => tnum(a.value & HIGH_HALF, a.mask & HIGH_HALF);

export const tnumWithSubreg = (a: Tnum, low: Tnum): Tnum =>
  tnum((a.value & HIGH_HALF) | low.value, (a.mask & HIGH_HALF) | low.mask);

export const tnumSubregIsConst = (a: Tnum): boolean => (a.mask & U32_MAX_BIG) === 0n;

/** Is the number surely a multiple of `size`, a power of two? */
export const tnumIsAligned = (a: Tnum, size: number): boolean =>
  ((a.value | a.mask) & BigInt(size - 1)) === 0n;

/** The smallest allowed number above `z`; the largest allowed one when there is none. */
export function tnumStep(a: Tnum, z: bigint): bigint {
  const most = a.value | a.mask;
  if (z >= most) return most;
  if (z < a.value) return a.value;
  const above = z - a.value;
  const carry = (1n << BigInt(fls64(above & not(a.mask)))) - 1n;
  const filled = above | carry | not(a.mask);
  return a.value | (u64(filled + 1n) & a.mask);
}

const UNSIGNED_DECIMAL_MAX = 0xffffn;
const SIGNED_DECIMAL_MIN = -0x8000n;
const SIGNED_DECIMAL_MAX = 0x7fffn;

/** As the log writes unsigned numbers: decimal up to 65535, hexadecimal beyond. */
export const unsignedText = (x: bigint): string =>
  x <= UNSIGNED_DECIMAL_MAX ? x.toString() : `0x${x.toString(16)}`;

/** As the log writes signed numbers. @param x signed */
export const signedText = (x: bigint): string =>
  x >= SIGNED_DECIMAL_MIN && x <= SIGNED_DECIMAL_MAX ? x.toString() : `0x${u64(x).toString(16)}`;

/** The kernel's `%#llx` writes zero with its prefix, too. */
const hex = (x: bigint): string => `0x${x.toString(16)}`;

function swapBytes(x: bigint, bytes: number): bigint {
  let y = 0n;
  for (let i = 0; i < bytes; i++) y = (y << 8n) | ((x >> BigInt(i * 8)) & 0xffn);
  return y;
}

/** The low `bytes` bytes turned round, the others 0. @linux tnum_bswap16, tnum_bswap32, tnum_bswap64 */
export const tnumSwap = (a: Tnum, bytes: number): Tnum => ({
  value: swapBytes(a.value, bytes),
  mask: swapBytes(a.mask, bytes),
});

/** @linux tnum_strn */
export function tnumText(a: Tnum): string {
  if (a.mask !== 0n) return `(${hex(a.value)}; ${hex(a.mask)})`;
  return a.value <= UNSIGNED_DECIMAL_MAX ? a.value.toString() : signedText(s64(a.value));
}
