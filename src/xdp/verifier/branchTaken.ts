/**
 * Is the outcome of a comparison known?
 *
 * @linux is_branch_taken, is_scalar_branch_taken; kernel/bpf/verifier.c
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
import { regNotNull } from './nullness.ts';
import { pktBranchTaken } from './packetRange.ts';
import type { Reg } from './reg.ts';
import { isRegConst, regConstValue, regIsPktPointerAny } from './reg.ts';
import { SCALAR_VALUE } from './regTypes.ts';
import type { Tnum } from './tnum.ts';
import { tnumIsConst, tnumOverlap, tnumSubreg } from './tnum.ts';

const FLIPPED: ReadonlyMap<number, number> = new Map([
  [BPF_JGE, BPF_JLE],
  [BPF_JGT, BPF_JLT],
  [BPF_JLE, BPF_JGE],
  [BPF_JLT, BPF_JGT],
  [BPF_JSGE, BPF_JSLE],
  [BPF_JSGT, BPF_JSLT],
  [BPF_JSLE, BPF_JSGE],
  [BPF_JSLT, BPF_JSGT],
]);

/** `b op' a` that says the same as `a op b`. @linux flip_opcode */
export const flipOp = (op: number): number => FLIPPED.get(op) ?? op;

/** Ranges that a comparison of either width looks at. */
interface Ranges {
  readonly bits: Tnum;
  readonly umin: bigint;
  readonly umax: bigint;
  readonly smin: bigint;
  readonly smax: bigint;
}

const rangesOf = ({ bounds: b }: Reg, half: boolean): Ranges =>
  half
    ? {
        bits: tnumSubreg(b),
        umin: BigInt(b.u32Min),
        umax: BigInt(b.u32Max),
        smin: BigInt(b.s32Min),
        smax: BigInt(b.s32Max),
      }
    : { bits: b, umin: b.umin, umax: b.umax, smin: b.smin, smax: b.smax };

/** Surely equal, surely not, or unknown. */
function equal(x: Reg, y: Reg, a: Ranges, b: Ranges, half: boolean): boolean | null {
  if (tnumIsConst(a.bits) && tnumIsConst(b.bits)) return a.bits.value === b.bits.value;
  if (!tnumOverlap(a.bits, b.bits)) return false;
  if (a.umin > b.umax || a.umax < b.umin || a.smin > b.smax || a.smax < b.smin) return false;
  if (half) return null;
  const p = x.bounds;
  const q = y.bounds;
  const apart =
    p.u32Min > q.u32Max || p.u32Max < q.u32Min || p.s32Min > q.s32Max || p.s32Max < q.s32Min;
  return apart ? false : null;
}

function bitsSet(x: Reg, y: Reg, a: Ranges, b: Ranges, half: boolean): boolean | null {
  const flip = !isRegConst(y, half);
  if (flip && !isRegConst(x, half)) return null;
  const bits = flip ? b.bits : a.bits;
  const mask = flip ? a.bits.value : b.bits.value;
  if ((bits.value & mask) !== 0n) return true;
  return ((bits.mask | bits.value) & mask) === 0n ? false : null;
}

/** Below, not below, or unknown. */
const below = (max: bigint, min: bigint, least: bigint, most: bigint): boolean | null =>
  max < least ? true : min >= most ? false : null;

const not = (known: boolean | null): boolean | null => (known === null ? null : !known);

function scalarTaken(x: Reg, y: Reg, op: number, half: boolean): boolean | null {
  const a = rangesOf(x, half);
  const b = rangesOf(y, half);
  switch (op) {
    case BPF_JEQ:
      return equal(x, y, a, b, half);
    case BPF_JNE:
      return not(equal(x, y, a, b, half));
    case BPF_JSET:
      return bitsSet(x, y, a, b, half);
    case BPF_JLT:
      return below(a.umax, a.umin, b.umin, b.umax);
    case BPF_JGE:
      return not(below(a.umax, a.umin, b.umin, b.umax));
    case BPF_JGT:
      return below(b.umax, b.umin, a.umin, a.umax);
    case BPF_JLE:
      return not(below(b.umax, b.umin, a.umin, a.umax));
    case BPF_JSLT:
      return below(a.smax, a.smin, b.smin, b.smax);
    case BPF_JSGE:
      return not(below(a.smax, a.smin, b.smin, b.smax));
    case BPF_JSGT:
      return below(b.smax, b.smin, a.smin, a.smax);
    case BPF_JSLE:
      return not(below(b.smax, b.smin, a.smin, a.smax));
    default:
      return null;
  }
}

/** A pointer that is not NULL differs from 0. */
function pointerTaken(x: Reg, y: Reg, op: number, half: boolean): boolean | null {
  const flip = !isRegConst(y, half);
  const ptr = flip ? y : x;
  const num = flip ? x : y;
  if (!isRegConst(num, half) || !regNotNull(ptr) || regConstValue(num, half) !== 0n) return null;
  return op === BPF_JEQ ? false : op === BPF_JNE ? true : null;
}

/** @returns null when both ways are possible */
export function branchTaken(x: Reg, y: Reg, op: number, half: boolean): boolean | null {
  if (regIsPktPointerAny(x) && regIsPktPointerAny(y) && !half) return pktBranchTaken(x, y, op);
  if (x.type !== SCALAR_VALUE || y.type !== SCALAR_VALUE) return pointerTaken(x, y, op, half);
  return scalarTaken(x, y, op, half);
}
