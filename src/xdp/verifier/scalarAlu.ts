/**
 * Arithmetic on what is known of two numbers.
 *
 * Both widths are worked out side by side where an operation allows it, so that 32-bit comparisons
 * after 64-bit arithmetic keep what they learned; shifts work out one and take the other from the
 * bits.
 *
 * @linux adjust_scalar_min_max_vals, scalar_min_max_add and its sisters; kernel/bpf/verifier.c
 */
import {
  BPF_ADD,
  BPF_AND,
  BPF_ARSH,
  BPF_LSH,
  BPF_MUL,
  BPF_NEG,
  BPF_OR,
  BPF_RSH,
  BPF_SUB,
  BPF_XOR,
} from '../isa/insn.ts';
import type { Bounds, BoundsDraft } from './bounds.ts';
import {
  S32_MAX,
  S32_MIN,
  S64_MAX,
  S64_MIN,
  U32_MAX,
  UNBOUNDED,
  UNBOUNDED_HALF,
  ZERO,
  contradiction,
  draftBounds,
  forget32,
  forget64,
  knownBounds,
  setKnown32,
  setTnum,
  sync,
  update32,
  updateBounds,
  zeroExtend32,
} from './bounds.ts';
import type { Tnum } from './tnum.ts';
import {
  U64_MAX,
  s64,
  tnumAdd,
  tnumAnd,
  tnumArshift,
  tnumIsConst,
  tnumLshift,
  tnumMul,
  tnumNeg,
  tnumOr,
  tnumRshift,
  tnumSub,
  tnumSubreg,
  tnumSubregIsConst,
  tnumXor,
  u64,
} from './tnum.ts';

const outsideS64 = (x: bigint): boolean => x < S64_MIN || x > S64_MAX;
const outsideS32 = (x: number): boolean => x < S32_MIN || x > S32_MAX;

function setSigned(d: BoundsDraft, min: bigint, max: bigint): void {
  const lost = outsideS64(min) || outsideS64(max);
  d.smin = lost ? S64_MIN : min;
  d.smax = lost ? S64_MAX : max;
}

function setSigned32(d: BoundsDraft, min: number, max: number): void {
  const lost = outsideS32(min) || outsideS32(max);
  d.s32Min = lost ? S32_MIN : min;
  d.s32Max = lost ? S32_MAX : max;
}

/** Sums that wrap all or not at all stay a range. */
export function addRanges(d: BoundsDraft, b: Bounds): void {
  setSigned32(d, d.s32Min + b.s32Min, d.s32Max + b.s32Max);
  const min32 = d.u32Min + b.u32Min;
  const max32 = d.u32Max + b.u32Max;
  const split32 = min32 <= U32_MAX && max32 > U32_MAX;
  d.u32Min = split32 ? 0 : min32 >>> 0;
  d.u32Max = split32 ? U32_MAX : max32 >>> 0;
  setSigned(d, d.smin + b.smin, d.smax + b.smax);
  const min = d.umin + b.umin;
  const max = d.umax + b.umax;
  const split = min <= U64_MAX && max > U64_MAX;
  d.umin = split ? 0n : u64(min);
  d.umax = split ? U64_MAX : u64(max);
}

function subRanges(d: BoundsDraft, b: Bounds): void {
  setSigned32(d, d.s32Min - b.s32Max, d.s32Max - b.s32Min);
  const min32 = d.u32Min - b.u32Max;
  const max32 = d.u32Max - b.u32Min;
  const split32 = min32 < 0 && max32 >= 0;
  d.u32Min = split32 ? 0 : min32 >>> 0;
  d.u32Max = split32 ? U32_MAX : max32 >>> 0;
  setSigned(d, d.smin - b.smax, d.smax - b.smin);
  const min = d.umin - b.umax;
  const max = d.umax - b.umin;
  const split = min < 0n && max >= 0n;
  d.umin = split ? 0n : u64(min);
  d.umax = split ? U64_MAX : u64(max);
}

function mulRanges(d: BoundsDraft, b: Bounds): void {
  const umax32 = d.u32Max * b.u32Max;
  d.u32Min = umax32 > U32_MAX ? 0 : d.u32Min * b.u32Min;
  d.u32Max = umax32 > U32_MAX ? U32_MAX : umax32;
  const corners32 = [
    d.s32Min * b.s32Min,
    d.s32Min * b.s32Max,
    d.s32Max * b.s32Min,
    d.s32Max * b.s32Max,
  ];
  const lost32 = corners32.some(outsideS32);
  // adding 0 turns a negative zero into the plain one
  d.s32Min = lost32 ? S32_MIN : Math.min(...corners32) + 0;
  d.s32Max = lost32 ? S32_MAX : Math.max(...corners32) + 0;
  const umax = d.umax * b.umax;
  d.umin = umax > U64_MAX ? 0n : d.umin * b.umin;
  d.umax = umax > U64_MAX ? U64_MAX : umax;
  const corners = [d.smin * b.smin, d.smin * b.smax, d.smax * b.smin, d.smax * b.smax];
  const lost = corners.some(outsideS64);
  d.smin = lost ? S64_MIN : corners.reduce((x, y) => (x < y ? x : y));
  d.smax = lost ? S64_MAX : corners.reduce((x, y) => (x > y ? x : y));
}

/** Signed bounds of a bitwise result: those of the unsigned range where it keeps to one sign. */
function signFromUnsigned32(d: BoundsDraft): void {
  const one = (d.u32Min | 0) <= (d.u32Max | 0);
  d.s32Min = one ? d.u32Min | 0 : S32_MIN;
  d.s32Max = one ? d.u32Max | 0 : S32_MAX;
}

function signFromUnsigned(d: BoundsDraft): void {
  const one = s64(d.umin) <= s64(d.umax);
  d.smin = one ? s64(d.umin) : S64_MIN;
  d.smax = one ? s64(d.umax) : S64_MAX;
}

/**
 * AND, OR and XOR, once `d` has the result's bits: constants give a constant, else `range32` and
 * `range` set the unsigned bounds.
 */
function bitwise(
  d: BoundsDraft,
  b: Bounds,
  dstKnown32: boolean,
  dstKnown: boolean,
  range32: (low: Tnum) => void,
  range: () => void,
): void {
  const low = tnumSubreg(d);
  if (dstKnown32 && tnumSubregIsConst(b)) {
    setKnown32(d, low.value);
  } else {
    range32(low);
    signFromUnsigned32(d);
  }
  if (dstKnown && tnumIsConst(b)) {
    Object.assign(d, knownBounds(d.value));
    return;
  }
  range();
  signFromUnsigned(d);
  updateBounds(d);
}

const numberOf = (x: bigint): number => Number(x);

function andBits(d: BoundsDraft, b: Bounds): void {
  setTnum(d, tnumAnd(d, b));
  bitwise(
    d,
    b,
    tnumSubregIsConst(d),
    tnumIsConst(d),
    (low) => {
      d.u32Min = numberOf(low.value);
      d.u32Max = Math.min(d.u32Max, b.u32Max);
    },
    () => {
      d.umin = d.value;
      if (b.umax < d.umax) d.umax = b.umax;
    },
  );
}

function orBits(d: BoundsDraft, b: Bounds): void {
  setTnum(d, tnumOr(d, b));
  bitwise(
    d,
    b,
    tnumSubregIsConst(d),
    tnumIsConst(d),
    (low) => {
      d.u32Min = Math.max(d.u32Min, b.u32Min);
      d.u32Max = numberOf(low.value | low.mask);
    },
    () => {
      if (b.umin > d.umin) d.umin = b.umin;
      d.umax = d.value | d.mask;
    },
  );
}

function xorBits(d: BoundsDraft, b: Bounds): void {
  setTnum(d, tnumXor(d, b));
  bitwise(
    d,
    b,
    tnumSubregIsConst(d),
    tnumIsConst(d),
    (low) => {
      d.u32Min = numberOf(low.value);
      d.u32Max = numberOf(low.value | low.mask);
    },
    () => {
      d.umin = d.value;
      d.umax = d.value | d.mask;
    },
  );
}

/** @param shift below 32 for alu32, below 64 else */
function lshRange32(d: BoundsDraft, shift: number): void {
  d.s32Min = S32_MIN;
  d.s32Max = S32_MAX;
  const lost = shift > 31 || d.u32Max > 2 ** (31 - shift);
  d.u32Min = lost ? 0 : (d.u32Min << shift) >>> 0;
  d.u32Max = lost ? U32_MAX : (d.u32Max << shift) >>> 0;
}

function lsh32(d: BoundsDraft, shift: number): void {
  const low = tnumSubreg(d);
  lshRange32(d, shift);
  setTnum(d, tnumSubreg(tnumLshift(low, BigInt(shift))));
  forget64(d);
  update32(d);
}

function lsh64(d: BoundsDraft, shift: number): void {
  const by = BigInt(shift);
  // clang extends signs by shifting 32 to the left and back
  d.smin = shift === 32 ? BigInt(d.s32Min) << 32n : S64_MIN;
  d.smax = shift === 32 ? BigInt(d.s32Max) << 32n : S64_MAX;
  const lost = d.umax > 1n << BigInt(63 - shift);
  d.umin = lost ? 0n : u64(d.umin << by);
  d.umax = lost ? U64_MAX : u64(d.umax << by);
  lshRange32(d, shift);
  setTnum(d, tnumLshift(d, by));
  updateBounds(d);
}

function rsh32(d: BoundsDraft, shift: number): void {
  d.s32Min = S32_MIN;
  d.s32Max = S32_MAX;
  setTnum(d, tnumRshift(tnumSubreg(d), BigInt(shift)));
  d.u32Min >>>= shift;
  d.u32Max >>>= shift;
  forget64(d);
  update32(d);
}

function rsh64(d: BoundsDraft, shift: number): void {
  const by = BigInt(shift);
  d.smin = S64_MIN;
  d.smax = S64_MAX;
  setTnum(d, tnumRshift(d, by));
  d.umin >>= by;
  d.umax >>= by;
  forget32(d);
  updateBounds(d);
}

function arsh32(d: BoundsDraft, shift: number): void {
  d.s32Min >>= shift;
  d.s32Max >>= shift;
  setTnum(d, tnumArshift(tnumSubreg(d), BigInt(shift), 32));
  d.u32Min = 0;
  d.u32Max = U32_MAX;
  forget64(d);
  update32(d);
}

function arsh64(d: BoundsDraft, shift: number): void {
  const by = BigInt(shift);
  d.smin >>= by;
  d.smax >>= by;
  setTnum(d, tnumArshift(d, by, 64));
  d.umin = 0n;
  d.umax = U64_MAX;
  forget32(d);
  updateBounds(d);
}

/** Are ranges of this operation worked out at all? @linux is_safe_to_compute_dst_reg_range */
function computable(op: number, alu32: boolean, b: Bounds): boolean {
  switch (op) {
    case BPF_ADD:
    case BPF_SUB:
    case BPF_NEG:
    case BPF_AND:
    case BPF_XOR:
    case BPF_OR:
    case BPF_MUL:
      return true;
    case BPF_LSH:
    case BPF_RSH:
    case BPF_ARSH: {
      const known = alu32
        ? tnumSubregIsConst(b) && b.s32Min === b.s32Max && b.u32Min === b.u32Max
        : tnumIsConst(b) && b.smin === b.smax && b.umin === b.umax;
      return known && b.umax < (alu32 ? 32n : 64n);
    }
    default:
      return false;
  }
}

/**
 * `a op b`; for BPF_NEG `b` is not looked at.
 *
 * @param alu32 the operation is one of class ALU: its result's high half is 0
 * @returns null when nothing is known of the result
 * @linux adjust_scalar_min_max_vals
 */
export function scalarOp(op: number, alu32: boolean, a: Bounds, b: Bounds): Bounds | null {
  if (!computable(op, alu32, b)) return null;
  if (a === UNBOUNDED || a === UNBOUNDED_HALF) return unknownOp(op, alu32, a, b);
  return rangesOp(op, alu32, a, b);
}

/** Results for one unknown operand and a small constant, which hashes are made of. */
const REMEMBERED = new Map<number, Bounds>();
const MOST_REMEMBERED = 64n;

function unknownOp(op: number, alu32: boolean, a: Bounds, b: Bounds): Bounds {
  const wide = a === UNBOUNDED;
  const open = op === BPF_ADD || op === BPF_SUB || op === BPF_XOR;
  if (open && (alu32 || wide) && contradiction(b) === null)
    return alu32 ? UNBOUNDED_HALF : UNBOUNDED;
  if (b.mask !== 0n || b.value >= MOST_REMEMBERED || op === BPF_NEG)
    return rangesOp(op, alu32, a, b);
  const key = (Number(b.value) << 10) | (op << 2) | (alu32 ? 2 : 0) | (wide ? 1 : 0);
  let result = REMEMBERED.get(key);
  if (result === undefined) {
    result = rangesOp(op, alu32, a, b);
    REMEMBERED.set(key, result);
  }
  return result;
}

function rangesOp(op: number, alu32: boolean, a: Bounds, b: Bounds): Bounds {
  const d = draftBounds(a);
  const shift = Number(b.umin & 63n);
  switch (op) {
    case BPF_ADD:
      addRanges(d, b);
      setTnum(d, tnumAdd(a, b));
      break;
    case BPF_SUB:
      subRanges(d, b);
      setTnum(d, tnumSub(a, b));
      break;
    case BPF_NEG:
      Object.assign(d, ZERO);
      subRanges(d, a);
      setTnum(d, tnumNeg(a));
      break;
    case BPF_MUL:
      setTnum(d, tnumMul(a, b));
      mulRanges(d, b);
      break;
    case BPF_AND:
      andBits(d, b);
      break;
    case BPF_OR:
      orBits(d, b);
      break;
    case BPF_XOR:
      xorBits(d, b);
      break;
    case BPF_LSH:
      if (alu32) lsh32(d, shift);
      else lsh64(d, shift);
      break;
    case BPF_RSH:
      if (alu32) rsh32(d, shift);
      else rsh64(d, shift);
      break;
    default:
      if (alu32) arsh32(d, shift);
      else arsh64(d, shift);
  }
  if (alu32) zeroExtend32(d);
  return sync(d);
}
