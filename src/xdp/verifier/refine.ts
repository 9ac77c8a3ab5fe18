/**
 * What the outcome of a comparison says of the numbers compared.
 *
 * @linux reg_set_min_max, regs_refine_cond_op; kernel/bpf/verifier.c
 */
import {
  BPF_JEQ,
  BPF_JGE,
  BPF_JGT,
  BPF_JLE,
  BPF_JLT,
  BPF_JNE,
  BPF_JSET,
  BPF_JSGE,
  BPF_JSGT,
  BPF_JSLE,
  BPF_JSLT,
} from '../isa/insn.ts';
import type { Bounds, BoundsDraft } from './bounds.ts';
import { draftBounds, forget32, forget64, setTnum, sync } from './bounds.ts';
import { flipOp } from './branchTaken.ts';
import {
  U32_MAX_BIG,
  U64_MAX,
  s64,
  tnumAnd,
  tnumConst,
  tnumIntersect,
  tnumIsConst,
  tnumOr,
  tnumSubreg,
  tnumSubregIsConst,
  tnumWithSubreg,
  u64,
} from './tnum.ts';

/** `BPF_JSET` has no opposite among the codes. */
const NOT_JSET: number = BPF_JSET | 8;

const OPPOSITE: ReadonlyMap<number, number> = new Map([
  [BPF_JEQ, BPF_JNE],
  [BPF_JNE, BPF_JEQ],
  [BPF_JSET, NOT_JSET],
  [BPF_JGE, BPF_JLT],
  [BPF_JGT, BPF_JLE],
  [BPF_JLE, BPF_JGT],
  [BPF_JLT, BPF_JGE],
  [BPF_JSGE, BPF_JSLT],
  [BPF_JSGT, BPF_JSLE],
  [BPF_JSLE, BPF_JSGT],
  [BPF_JSLT, BPF_JSGE],
]);

/** @linux rev_opcode */
export const oppositeOp = (op: number): number => OPPOSITE.get(op)!;

const max = (a: bigint, b: bigint): bigint => (a > b ? a : b);
const min = (a: bigint, b: bigint): bigint => (a < b ? a : b);
const isConst = (b: Bounds, half: boolean): boolean =>
  half ? tnumSubregIsConst(b) : tnumIsConst(b);

function meet(a: BoundsDraft, b: BoundsDraft): void {
  a.umin = b.umin = max(a.umin, b.umin);
  a.umax = b.umax = min(a.umax, b.umax);
  a.smin = b.smin = max(a.smin, b.smin);
  a.smax = b.smax = min(a.smax, b.smax);
  const bits = tnumIntersect(a, b);
  setTnum(a, bits);
  setTnum(b, bits);
}

function meet32(a: BoundsDraft, b: BoundsDraft): void {
  a.u32Min = b.u32Min = Math.max(a.u32Min, b.u32Min);
  a.u32Max = b.u32Max = Math.min(a.u32Max, b.u32Max);
  a.s32Min = b.s32Min = Math.max(a.s32Min, b.s32Min);
  a.s32Max = b.s32Max = Math.min(a.s32Max, b.s32Max);
  const bits = tnumIntersect(tnumSubreg(a), tnumSubreg(b));
  setTnum(a, tnumWithSubreg(a, bits));
  setTnum(b, tnumWithSubreg(b, bits));
}

/** A number that is not the one at the range's edge. */
function exclude(a: BoundsDraft, value: bigint, half: boolean): void {
  if (half) {
    const u = Number(value);
    const s = u | 0;
    if (a.u32Min === u) a.u32Min = (u + 1) >>> 0;
    if (a.u32Max === u) a.u32Max = (u - 1) >>> 0;
    if (a.s32Min === s) a.s32Min = (s + 1) | 0;
    if (a.s32Max === s) a.s32Max = (s - 1) | 0;
    return;
  }
  const s = s64(value);
  if (a.umin === value) a.umin = u64(value + 1n);
  if (a.umax === value) a.umax = u64(value - 1n);
  if (a.smin === s) a.smin = s64(s + 1n);
  if (a.smax === s) a.smax = s64(s - 1n);
}

/** Of the two, the one that is compared with a constant, and that constant. */
function withConst(
  a: BoundsDraft,
  b: BoundsDraft,
  half: boolean,
): { readonly other: BoundsDraft; readonly value: bigint } | null {
  const swap = !isConst(b, half);
  const known = swap ? a : b;
  if (!isConst(known, half)) return null;
  return { other: swap ? b : a, value: half ? known.value & U32_MAX_BIG : known.value };
}

function setBit(a: BoundsDraft, value: bigint, half: boolean): void {
  if (value === 0n || (value & (value - 1n)) !== 0n) return;
  const bit = tnumConst(value);
  setTnum(a, half ? tnumWithSubreg(a, tnumOr(tnumSubreg(a), bit)) : tnumOr(a, bit));
}

function clearBits(a: BoundsDraft, value: bigint, half: boolean): void {
  forget64(a);
  forget32(a);
  const rest = tnumConst(value ^ U64_MAX);
  setTnum(a, half ? tnumWithSubreg(a, tnumAnd(tnumSubreg(a), rest)) : tnumAnd(a, rest));
}

/** `a op b` holds. */
function refineOp(a: BoundsDraft, b: BoundsDraft, op: number, half: boolean): void {
  switch (op) {
    case BPF_JGE:
    case BPF_JGT:
    case BPF_JSGE:
    case BPF_JSGT:
      refineOp(b, a, flipOp(op), half);
      return;
    case BPF_JEQ:
      if (half) meet32(a, b);
      else meet(a, b);
      return;
    case BPF_JNE:
    case BPF_JSET:
    case NOT_JSET: {
      const found = withConst(a, b, half);
      if (found === null) return;
      if (op === BPF_JNE) exclude(found.other, found.value, half);
      else if (op === BPF_JSET) setBit(found.other, found.value, half);
      else clearBits(found.other, found.value, half);
      return;
    }
    default:
      refineOrder(a, b, op, half);
  }
}

/** `a` is below `b`, or not above it. */
function refineOrder(a: BoundsDraft, b: BoundsDraft, op: number, half: boolean): void {
  const strict = op === BPF_JLT || op === BPF_JSLT;
  const signed = op === BPF_JSLT || op === BPF_JSLE;
  if (half) {
    const step = strict ? 1 : 0;
    if (signed) {
      a.s32Max = Math.min(a.s32Max, (b.s32Max - step) | 0);
      b.s32Min = Math.max((a.s32Min + step) | 0, b.s32Min);
    } else {
      a.u32Max = Math.min(a.u32Max, (b.u32Max - step) >>> 0);
      b.u32Min = Math.max((a.u32Min + step) >>> 0, b.u32Min);
    }
    return;
  }
  const step = strict ? 1n : 0n;
  if (signed) {
    a.smax = min(a.smax, s64(b.smax - step));
    b.smin = max(s64(a.smin + step), b.smin);
  } else {
    a.umax = min(a.umax, u64(b.umax - step));
    b.umin = max(u64(a.umin + step), b.umin);
  }
}

/** Both numbers, when `a op b` holds. @param b null when one register is compared with itself */
export function refined(
  a: Bounds,
  b: Bounds | null,
  op: number,
  half: boolean,
): { readonly a: Bounds; readonly b: Bounds } {
  const x = draftBounds(a);
  const y = b === null ? x : draftBounds(b);
  refineOp(x, y, op, half);
  return { a: sync(x), b: sync(y) };
}
