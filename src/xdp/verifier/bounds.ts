/**
 * What is known of a 64-bit number: its bits, its ranges read as signed and unsigned, and those of
 * its low half; and how each of these narrows the others.
 *
 * Bounds never change once made, so registers and states share them. 64-bit values are bigints,
 * unsigned but for `smin` and `smax`; the halves are plain numbers.
 *
 * @linux reg_bounds_sync, reg_bounds_sanity_check; kernel/bpf/verifier.c
 */
import { syncSmall } from './smallBounds.ts';
import type { Tnum } from './tnum.ts';
import {
  U32_MAX_BIG,
  U64_MAX,
  s64,
  tnumCast,
  tnumClearSubreg,
  tnumIntersect,
  tnumOr,
  tnumRange,
  tnumStep,
  tnumSubreg,
  tnumSubregIsConst,
  u64,
} from './tnum.ts';

export interface Bounds extends Tnum {
  readonly smin: bigint;
  readonly smax: bigint;
  readonly umin: bigint;
  readonly umax: bigint;
  readonly s32Min: number;
  readonly s32Max: number;
  readonly u32Min: number;
  readonly u32Max: number;
}

/** Bounds that are being worked out; whoever made the draft owns it. */
export type BoundsDraft = { -readonly [K in keyof Bounds]: Bounds[K] };

export const S64_MIN: bigint = -(2n ** 63n);
export const S64_MAX: bigint = 2n ** 63n - 1n;
export const S32_MIN: number = -(2 ** 31);
export const S32_MAX: number = 2 ** 31 - 1;
export const U32_MAX: number = 2 ** 32 - 1;
const S32_MIN_BIG = BigInt(S32_MIN);
const S32_MAX_BIG = BigInt(S32_MAX);

const lowS32 = (x: bigint): number => Number(BigInt.asIntN(32, x));
const lowU32 = (x: bigint): number => Number(BigInt.asUintN(32, x));

export const UNBOUNDED: Bounds = {
  value: 0n,
  mask: U64_MAX,
  smin: S64_MIN,
  smax: S64_MAX,
  umin: 0n,
  umax: U64_MAX,
  s32Min: S32_MIN,
  s32Max: S32_MAX,
  u32Min: 0,
  u32Max: U32_MAX,
};

/** A half of which nothing is known, zero-extended: what 32-bit operations mostly leave. */
export const UNBOUNDED_HALF: Bounds = {
  ...UNBOUNDED,
  mask: U32_MAX_BIG,
  smin: 0n,
  smax: U32_MAX_BIG,
  umax: U32_MAX_BIG,
};

export const draftBounds = (b: Bounds): BoundsDraft => ({ ...b });

function exactly(value: bigint): Bounds {
  const signed = s64(value);
  const s32 = lowS32(value);
  const u32 = lowU32(value);
  return {
    value,
    mask: 0n,
    smin: signed,
    smax: signed,
    umin: value,
    umax: value,
    s32Min: s32,
    s32Max: s32,
    u32Min: u32,
    u32Max: u32,
  };
}

/** Small constants are met again and again: one object each. */
const SMALL: readonly Bounds[] = Array.from({ length: 1024 }, (_, i) => exactly(BigInt(i)));
const SMALL_COUNT = BigInt(SMALL.length);

/** Exactly `value`, of which the low 64 bits count. */
export function knownBounds(value: bigint): Bounds {
  const x = u64(value);
  return x < SMALL_COUNT ? SMALL[Number(x)]! : exactly(x);
}

export const ZERO: Bounds = SMALL[0]!;

export function setTnum(d: BoundsDraft, t: Tnum): void {
  d.value = t.value;
  d.mask = t.mask;
}

/** @linux ___mark_reg_known */
function setKnown(d: BoundsDraft, value: bigint): void {
  Object.assign(d, knownBounds(value));
}

/** The low half is known; the high half stays as it is. @linux __mark_reg32_known */
export function setKnown32(d: BoundsDraft, low: bigint): void {
  d.value = (d.value & ~U32_MAX_BIG) | (low & U32_MAX_BIG);
  d.mask &= ~U32_MAX_BIG;
  d.s32Min = d.s32Max = lowS32(low);
  d.u32Min = d.u32Max = lowU32(low);
}

/** @linux __mark_reg64_unbounded */
export function forget64(d: BoundsDraft): void {
  d.smin = S64_MIN;
  d.smax = S64_MAX;
  d.umin = 0n;
  d.umax = U64_MAX;
}

/** @linux __mark_reg32_unbounded */
export function forget32(d: BoundsDraft): void {
  d.s32Min = S32_MIN;
  d.s32Max = S32_MAX;
  d.u32Min = 0;
  d.u32Max = U32_MAX;
}

/** @linux __update_reg32_bounds */
export function update32(d: BoundsDraft): void {
  const value = lowU32(d.value);
  const mask = lowU32(d.mask);
  d.s32Min = Math.max(d.s32Min, value | (mask & S32_MIN));
  d.s32Max = Math.min(d.s32Max, value | (mask & S32_MAX));
  d.u32Min = Math.max(d.u32Min, value);
  d.u32Max = Math.min(d.u32Max, (value | mask) >>> 0);
}

const SIGN_BIT = 2n ** 63n;

/** @linux __update_reg64_bounds */
function update64(d: BoundsDraft): void {
  const least = s64(d.value | (d.mask & SIGN_BIT));
  const most = s64(d.value | (d.mask & S64_MAX));
  if (least > d.smin) d.smin = least;
  if (most < d.smax) d.smax = most;
  if (d.value > d.umin) d.umin = d.value;
  const highest = d.value | d.mask;
  if (highest < d.umax) d.umax = highest;

  // does the range hold just one of the numbers that the bits allow?
  const allowed = (d.umin & (d.mask ^ U64_MAX)) === d.value;
  const next = tnumStep(d, d.umin);
  if (allowed) {
    if (next > d.umax) setKnown(d, d.umin);
  } else if (next === highest) {
    setKnown(d, highest);
  } else if (next <= d.umax && tnumStep(d, next) > d.umax) {
    setKnown(d, next);
  }
}

/** @linux __update_reg_bounds */
export function updateBounds(d: BoundsDraft): void {
  update32(d);
  update64(d);
}

function narrowS32(d: BoundsDraft, min: number, max: number): void {
  d.s32Min = Math.max(d.s32Min, min);
  d.s32Max = Math.min(d.s32Max, max);
}

function narrowU32(d: BoundsDraft, min: number, max: number): void {
  d.u32Min = Math.max(d.u32Min, min);
  d.u32Max = Math.min(d.u32Max, max);
}

/** From 64-bit ranges to those of the low half, and between its two readings. @linux __reg32_deduce_bounds */
function deduce32(d: BoundsDraft): void {
  const uminHigh = d.umin >> 32n;
  const umaxHigh = d.umax >> 32n;
  if (uminHigh === umaxHigh) {
    narrowU32(d, lowU32(d.umin), lowU32(d.umax));
    if (lowS32(d.umin) <= lowS32(d.umax)) narrowS32(d, lowS32(d.umin), lowS32(d.umax));
  }
  const sminHigh = d.smin >> 32n;
  const smaxHigh = d.smax >> 32n;
  if (sminHigh === smaxHigh) {
    if (lowU32(d.smin) <= lowU32(d.smax)) narrowU32(d, lowU32(d.smin), lowU32(d.smax));
    if (lowS32(d.smin) <= lowS32(d.smax)) narrowS32(d, lowS32(d.smin), lowS32(d.smax));
  }
  // ranges whose low half runs from negative to positive while the high half counts up by one
  if (lowU32(uminHigh + 1n) === Number(umaxHigh) && lowS32(d.umin) < 0 && lowS32(d.umax) >= 0)
    narrowS32(d, lowS32(d.umin), lowS32(d.umax));
  if (lowU32(sminHigh + 1n) === lowU32(smaxHigh) && lowS32(d.smin) < 0 && lowS32(d.smax) >= 0)
    narrowS32(d, lowS32(d.smin), lowS32(d.smax));
  if ((d.u32Min | 0) <= (d.u32Max | 0)) narrowS32(d, d.u32Min | 0, d.u32Max | 0);
  if (d.s32Min >>> 0 <= d.s32Max >>> 0) {
    narrowU32(d, d.s32Min >>> 0, d.s32Max >>> 0);
  } else if (d.u32Max < d.s32Min >>> 0) {
    // the unsigned range meets only the signed one's positive end
    d.s32Min = d.u32Min | 0;
    d.u32Max = Math.min(d.u32Max, d.s32Max >>> 0);
  } else if (d.s32Max >>> 0 < d.u32Min) {
    // or only its negative end
    d.s32Max = d.u32Max | 0;
    d.u32Min = Math.max(d.u32Min, d.s32Min >>> 0);
  }
}

/** Between the signed and the unsigned reading. @linux __reg64_deduce_bounds */
function deduce64(d: BoundsDraft): void {
  if (s64(d.umin) <= s64(d.umax)) {
    const min = s64(d.umin);
    const max = s64(d.umax);
    if (min > d.smin) d.smin = min;
    if (max < d.smax) d.smax = max;
  }
  const min = u64(d.smin);
  const max = u64(d.smax);
  if (min <= max) {
    if (min > d.umin) d.umin = min;
    if (max < d.umax) d.umax = max;
  } else if (d.umax < min) {
    d.smin = s64(d.umin);
    if (max < d.umax) d.umax = max;
  } else if (max < d.umin) {
    d.smax = s64(d.umax);
    if (min > d.umin) d.umin = min;
  }
}

const HIGH_HALF = 0xffff_ffff_0000_0000n;

/** From the low half's ranges to 64-bit ones. @linux __reg_deduce_mixed_bounds */
function deduceMixed(d: BoundsDraft): void {
  const low = BigInt(d.u32Min);
  const high = BigInt(d.u32Max);
  const umin = (d.umin & HIGH_HALF) | low;
  const umax = (d.umax & HIGH_HALF) | high;
  if (umin > d.umin) d.umin = umin;
  if (umax < d.umax) d.umax = umax;
  const smin = s64((u64(d.smin) & HIGH_HALF) | low);
  const smax = s64((u64(d.smax) & HIGH_HALF) | high);
  if (smin > d.smin) d.smin = smin;
  if (smax < d.smax) d.smax = smax;
  // a sign-extended half whose sign is known to be positive
  if (d.s32Min >= 0 && d.smin >= S32_MIN_BIG && d.smax <= S32_MAX_BIG) {
    d.smin = d.umin = BigInt(d.s32Min);
    d.smax = d.umax = BigInt(d.s32Max);
    // contradictory halves may leave a negative upper end, which is a large unsigned number
    d.umax = u64(d.umax);
    setTnum(d, tnumIntersect(d, tnumRange(u64(d.smin), u64(d.smax))));
  }
}

function deduceAll(d: BoundsDraft): void {
  deduce32(d);
  deduce64(d);
  deduceMixed(d);
}

/** From the unsigned ranges to bits. @linux __reg_bound_offset */
function boundBits(d: BoundsDraft): void {
  const whole = tnumIntersect(d, tnumRange(d.umin, d.umax));
  const low = tnumIntersect(tnumSubreg(whole), tnumRange(BigInt(d.u32Min), BigInt(d.u32Max)));
  setTnum(d, tnumOr(tnumClearSubreg(whole), low));
}

const holds = (d: Bounds, x: Bounds): boolean =>
  d.umin <= x.umin &&
  x.umin <= d.umax &&
  d.smin <= x.smin &&
  x.smin <= d.smax &&
  d.u32Min <= x.u32Min &&
  x.u32Min <= d.u32Max &&
  d.s32Min <= x.s32Min &&
  x.s32Min <= d.s32Max;

/** Nothing is known of the low half. */
const openHalf = (d: Bounds): boolean =>
  d.u32Min === 0 && d.u32Max === U32_MAX && d.s32Min === S32_MIN && d.s32Max === S32_MAX;

/** The shared object for a number of which nothing, or only its width, is known. */
function unknownOf(d: Bounds): Bounds | null {
  if (d.umin !== 0n || d.value !== 0n || !openHalf(d)) return null;
  if (d.mask === U32_MAX_BIG)
    return d.umax === U32_MAX_BIG && d.smin === 0n && d.smax === U32_MAX_BIG
      ? UNBOUNDED_HALF
      : null;
  const nothing =
    d.mask === U64_MAX && d.umax === U64_MAX && d.smin === S64_MIN && d.smax === S64_MAX;
  return nothing ? UNBOUNDED : null;
}

/** All that the parts say of each other; the draft is done afterwards. @linux reg_bounds_sync */
export function sync(d: BoundsDraft): Bounds {
  if (d.mask === 0n) {
    const known = knownBounds(d.value);
    if (holds(d, known)) return known;
  }
  return unknownOf(d) ?? syncSmall(d) ?? syncStepwise(d);
}

/** Linux deduces three times; a turn that learns nothing is the last that could. */
const DEDUCTIONS = 3;

/** Linux's steps one after the other. */
export function syncStepwise(d: BoundsDraft): Bounds {
  updateBounds(d);
  for (let turn = 0; turn < DEDUCTIONS; turn++) {
    const { value, mask, smin, smax, umin, umax, s32Min, s32Max, u32Min, u32Max } = d;
    deduceAll(d);
    const same32 =
      s32Min === d.s32Min && s32Max === d.s32Max && u32Min === d.u32Min && u32Max === d.u32Max;
    const same64 = smin === d.smin && smax === d.smax && umin === d.umin && umax === d.umax;
    if (same32 && same64 && value === d.value && mask === d.mask) break;
  }
  boundBits(d);
  updateBounds(d);
  return d;
}

/** What is wrong with bounds that contradict themselves, or null. @linux reg_bounds_sanity_check */
export function contradiction(b: Bounds): string | null {
  if (b.umin > b.umax || b.smin > b.smax || b.u32Min > b.u32Max || b.s32Min > b.s32Max)
    return 'range bounds violation';
  if (b.mask === 0n) {
    const value = s64(b.value);
    if (b.umin !== b.value || b.umax !== b.value || b.smin !== value || b.smax !== value)
      return 'const tnum out of sync with range bounds';
  }
  if (tnumSubregIsConst(b)) {
    const low = lowU32(b.value);
    const same = b.u32Min === low && b.u32Max === low;
    if (!same || b.s32Min !== (low | 0) || b.s32Max !== (low | 0))
      return 'const subreg tnum out of sync with range bounds';
  }
  return null;
}

/** The ranges of the low half become those of the whole. @linux __reg_assign_32_into_64 */
function assign32(d: BoundsDraft): void {
  d.umin = BigInt(d.u32Min);
  d.umax = BigInt(d.u32Max);
  const positive = d.s32Min >= 0 && d.s32Max >= 0;
  d.smin = positive ? BigInt(d.s32Min) : 0n;
  d.smax = positive ? BigInt(d.s32Max) : U32_MAX_BIG;
}

/** 32-bit operations clear the high half. @linux zext_32_to_64 */
export function zeroExtend32(d: BoundsDraft): void {
  setTnum(d, tnumSubreg(d));
  assign32(d);
}

/** The low `size` bytes, zero-extended. @linux coerce_reg_to_size */
export function truncated(b: Bounds, size: number): Bounds {
  const d = draftBounds(b);
  setTnum(d, tnumCast(d, size));
  const mask = (1n << BigInt(size * 8)) - 1n;
  if ((d.umin & ~mask) === (d.umax & ~mask)) {
    d.umin &= mask;
    d.umax &= mask;
  } else {
    d.umin = 0n;
    d.umax = mask;
  }
  d.smin = d.umin;
  d.smax = d.umax;
  if (size < 4) forget32(d);
  return sync(d);
}

const sameRanges = (a: Bounds, b: Bounds): boolean =>
  a.smin === b.smin &&
  a.smax === b.smax &&
  a.umin === b.umin &&
  a.umax === b.umax &&
  a.s32Min === b.s32Min &&
  a.s32Max === b.s32Max &&
  a.u32Min === b.u32Min &&
  a.u32Max === b.u32Max;

export const boundsEqual = (a: Bounds, b: Bounds): boolean =>
  a === b || (a.value === b.value && a.mask === b.mask && sameRanges(a, b));

/** Does every range of `cur` lie in that of `old`? @linux range_within */
export const rangeWithin = (old: Bounds, cur: Bounds): boolean =>
  old === cur ||
  (old.umin <= cur.umin &&
    old.umax >= cur.umax &&
    old.smin <= cur.smin &&
    old.smax >= cur.smax &&
    old.u32Min <= cur.u32Min &&
    old.u32Max >= cur.u32Max &&
    old.s32Min <= cur.s32Min &&
    old.s32Max >= cur.s32Max);
