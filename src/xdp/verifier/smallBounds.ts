/**
 * `sync` for numbers below 2^31, which most are: what its steps come to when all ranges lie there, in
 * plain numbers.
 *
 * Both readings of both widths are then the same range, so the deductions between them are one
 * intersection, and only bits and range have to be brought together. Where the parts contradict each
 * other the steps' order matters, and they are taken one by one.
 */
import type { Bounds } from './bounds.ts';
import { knownBounds } from './bounds.ts';

const MAX = 0x7fff_ffff;
const MAX_BIG = 0x7fff_ffffn;

const bitLength = (x: number): number => 32 - Math.clz32(x);
const ones = (bits: number): number => (bits >= 31 ? MAX : (1 << bits) - 1);

/** The smallest number above `z` that the bits allow, or the largest. @linux tnum_step */
function step(value: number, mask: number, z: number): number {
  const most = value | mask;
  if (z >= most) return most;
  if (z < value) return value;
  const above = z - value;
  const filled = above | ones(bitLength(above & ~mask)) | ~mask;
  return value | ((filled + 1) & mask);
}

/** The one number that both bits and range allow, or -1. */
function onlyOne(value: number, mask: number, low: number, high: number): number {
  const most = value | mask;
  const next = step(value, mask, low);
  if ((low & ~mask) === value) return next > high ? low : -1;
  if (next === most) return most;
  return next <= high && step(value, mask, next) > high ? next : -1;
}

/** @returns null when some range reaches further, or the parts contradict each other */
export function syncSmall(d: Bounds): Bounds | null {
  if (d.umax > MAX_BIG || d.mask > MAX_BIG || d.value > MAX_BIG) return null;
  let value = Number(d.value);
  let mask = Number(d.mask);
  let umin = Math.max(Number(d.umin), value);
  let umax = Math.min(Number(d.umax), value | mask);
  if (umin > umax || d.smin > d.smax || d.s32Min > d.s32Max || d.u32Min > d.u32Max) return null;
  const only = onlyOne(value, mask, umin, umax);
  if (only >= 0) return knownBounds(BigInt(only));
  umin = Math.max(umin, d.u32Min, d.s32Min);
  umax = Math.min(umax, d.u32Max, d.s32Max);
  if (d.smin > BigInt(umin)) umin = d.smin > MAX_BIG ? MAX + 1 : Number(d.smin);
  if (d.smax < BigInt(umax)) umax = d.smax < 0n ? -1 : Number(d.smax);
  if (umin > umax) return null;
  // the bits that all numbers of the range have in common
  const open = ones(bitLength(umin ^ umax));
  const common = umin & ~open;
  const contradicts = (common ^ value) & ~open & ~mask;
  if (contradicts !== 0) return null;
  value |= common;
  mask &= open;
  value &= ~mask;
  umin = Math.max(umin, value);
  umax = Math.min(umax, value | mask);
  if (umin > umax) return null;
  const last = onlyOne(value, mask, umin, umax);
  if (last >= 0) return knownBounds(BigInt(last));
  const low = BigInt(umin);
  const high = BigInt(umax);
  return {
    value: BigInt(value),
    mask: BigInt(mask),
    smin: low,
    smax: high,
    umin: low,
    umax: high,
    s32Min: umin,
    s32Max: umax,
    u32Min: umin,
    u32Max: umax,
  };
}
