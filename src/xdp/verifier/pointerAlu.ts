/**
 * Arithmetic on pointers: only sums and differences with numbers whose bounds are known.
 *
 * "R%d pointer arithmetic on %s prohibited", "… prohibited, null-check it first", "R%d 32-bit pointer
 * arithmetic prohibited", "R%d bitwise operator %s on pointer prohibited", "math between %s pointer and
 * %lld is not allowed", "math between %s pointer and register with unbounded min value is not allowed",
 * "R%d subtraction from stack pointer prohibited".
 *
 * @linux adjust_ptr_min_max_vals, check_reg_sane_offset; kernel/bpf/verifier.c
 */
import type { Insn } from '../isa/insn.ts';
import { BPF_ADD, BPF_ALU64, BPF_AND, BPF_OR, BPF_SUB, BPF_XOR } from '../isa/insn.ts';
import type { Bounds } from './bounds.ts';
import { S64_MAX, S64_MIN, draftBounds, forget32, setTnum, sync } from './bounds.ts';
import type { Env } from './env.ts';
import { classOf, opOf } from './insnKind.ts';
import type { Reg } from './reg.ts';
import { withReg } from './reg.ts';
import {
  CONST_PTR_TO_DYNPTR,
  CONST_PTR_TO_MAP,
  PTR_TO_BTF_ID,
  PTR_TO_BUF,
  PTR_TO_CTX,
  PTR_TO_FUNC,
  PTR_TO_MAP_KEY,
  PTR_TO_MAP_VALUE,
  PTR_TO_MEM,
  PTR_TO_PACKET,
  PTR_TO_PACKET_META,
  PTR_TO_STACK,
  PTR_UNTRUSTED,
  baseType,
  regTypeStr,
  typeIsPktPointer,
  typeMayBeNull,
} from './regTypes.ts';
import { BPF_MAX_VAR_OFF } from './resolve.ts';
import { beginMask, checkMaskedBounds, commitMask, sanitizeNeeded } from './speculation.ts';
import { U64_MAX, s64, tnumAdd, tnumIsConst, tnumSub } from './tnum.ts';

const MAX_VAR_OFF = BigInt(BPF_MAX_VAR_OFF);

/** Operators as messages write them, by code. @linux bpf_alu_string */
const ALU_NAMES = [
  '+=',
  '-=',
  '*=',
  '/=',
  '|=',
  '&=',
  '<<=',
  '>>=',
  'neg',
  '%=',
  '^=',
  '=',
  's>>=',
  'endian',
];
export const aluName = (op: number): string => ALU_NAMES[op >> 4] ?? '(null)';

const MOVABLE: ReadonlySet<number> = new Set([
  PTR_TO_CTX,
  PTR_TO_MAP_VALUE,
  PTR_TO_MAP_KEY,
  PTR_TO_STACK,
  PTR_TO_PACKET_META,
  PTR_TO_PACKET,
  PTR_TO_BTF_ID,
  PTR_TO_MEM,
  PTR_TO_BUF,
  PTR_TO_FUNC,
  CONST_PTR_TO_DYNPTR,
]);

const large = (x: bigint): boolean => x >= MAX_VAR_OFF || x <= -MAX_VAR_OFF;

/** Offsets stay small enough that no sum of them wraps. @linux check_reg_sane_offset */
function checkSaneOffset(env: Env, { bounds, off }: Reg, type: number): void {
  const name = regTypeStr(type);
  if (tnumIsConst(bounds) && large(s64(bounds.value)))
    env.invalid(`math between ${name} pointer and ${s64(bounds.value)} is not allowed`);
  if (off >= BPF_MAX_VAR_OFF || off <= -BPF_MAX_VAR_OFF)
    env.invalid(`${name} pointer offset ${off} is not allowed`);
  if (bounds.smin === S64_MIN)
    env.invalid(
      `math between ${name} pointer and register with unbounded min value is not allowed`,
    );
  if (large(bounds.smin))
    env.invalid(`value ${bounds.smin} makes ${name} pointer be out of bounds`);
}

const fitsOff = (off: number): boolean => off === (off | 0);

/** The sum of pointer and number. */
function added(ptr: Bounds, num: Bounds): Bounds {
  const d = draftBounds(ptr);
  const smin = ptr.smin + num.smin;
  const smax = ptr.smax + num.smax;
  const signedLost = smin < S64_MIN || smax > S64_MAX || smin > S64_MAX || smax < S64_MIN;
  d.smin = signedLost ? S64_MIN : smin;
  d.smax = signedLost ? S64_MAX : smax;
  const umax = ptr.umax + num.umax;
  d.umin = umax > U64_MAX ? 0n : ptr.umin + num.umin;
  d.umax = umax > U64_MAX ? U64_MAX : umax;
  setTnum(d, tnumAdd(ptr, num));
  forget32(d);
  return sync(d);
}

function subtracted(ptr: Bounds, num: Bounds): Bounds {
  const d = draftBounds(ptr);
  const smin = ptr.smin - num.smax;
  const smax = ptr.smax - num.smin;
  const signedLost = smin < S64_MIN || smax > S64_MAX || smin > S64_MAX || smax < S64_MIN;
  d.smin = signedLost ? S64_MIN : smin;
  d.smax = signedLost ? S64_MAX : smax;
  const lost = ptr.umin < num.umax;
  d.umin = lost ? 0n : ptr.umin - num.umax;
  d.umax = lost ? U64_MAX : ptr.umax - num.umin;
  setTnum(d, tnumSub(ptr, num));
  forget32(d);
  return sync(d);
}

function checkMovable(env: Env, insn: Insn, ptr: Reg, num: Reg): void {
  const name = regTypeStr(ptr.type);
  if (typeMayBeNull(ptr.type))
    env.deny(`R${insn.dst} pointer arithmetic on ${name} prohibited, null-check it first`);
  const base = baseType(ptr.type);
  if (MOVABLE.has(base)) return;
  const nothing = tnumIsConst(num.bounds) && num.bounds.smin === 0n && opOf(insn) === BPF_ADD;
  if (base === CONST_PTR_TO_MAP && nothing) return;
  env.deny(`R${insn.dst} pointer arithmetic on ${name} prohibited`);
}

/** Pointer plus number. @returns what the destination becomes */
function plus(env: Env, ptr: Reg, num: Reg): Reg {
  const by = num.bounds.smin;
  const off = ptr.off + Number(by);
  if (tnumIsConst(num.bounds) && fitsOff(off))
    return withReg(ptr, { off, bounds: sync({ ...ptr.bounds }) });
  const bounds = added(ptr.bounds, num.bounds);
  return typeIsPktPointer(ptr.type)
    ? withReg(ptr, { bounds, id: env.newId(), range: 0 })
    : withReg(ptr, { bounds });
}

function minus(env: Env, insn: Insn, ptr: Reg, num: Reg, ptrIsDst: boolean): Reg {
  if (!ptrIsDst) env.deny(`R${insn.dst} tried to subtract pointer from scalar`);
  if (ptr.type === PTR_TO_STACK) env.deny(`R${insn.dst} subtraction from stack pointer prohibited`);
  const off = ptr.off - Number(num.bounds.smin);
  if (tnumIsConst(num.bounds) && fitsOff(off)) return withReg(ptr, { off });
  const bounds = subtracted(ptr.bounds, num.bounds);
  if (!typeIsPktPointer(ptr.type)) return withReg(ptr, { bounds });
  const range = num.bounds.smin < 0n ? 0 : ptr.range;
  return withReg(ptr, { bounds, id: env.newId(), range });
}

/** @param ptrIsDst false: `number += pointer` */
export function pointerAlu(env: Env, insn: Insn, ptr: Reg, num: Reg, ptrIsDst: boolean): void {
  const op = opOf(insn);
  const { bounds } = num;
  const known = tnumIsConst(bounds);
  // bounds of a branch that cannot be taken
  if (
    (known && (bounds.smin !== bounds.smax || bounds.umin !== bounds.umax)) ||
    bounds.smin > bounds.smax ||
    bounds.umin > bounds.umax
  ) {
    env.regs[insn.dst] = env.unknown;
    return;
  }
  if (classOf(insn) !== BPF_ALU64) {
    if (op !== BPF_SUB || !env.allowPtrLeaks)
      env.deny(`R${insn.dst} 32-bit pointer arithmetic prohibited`);
    env.regs[insn.dst] = env.unknown;
    return;
  }
  if (typeMayBeNull(ptr.type)) checkMovable(env, insn, ptr, num);
  if (baseType(ptr.type) === PTR_TO_MEM && (ptr.type & PTR_UNTRUSTED) !== 0) return;
  checkMovable(env, insn, ptr, num);
  checkSaneOffset(env, num, ptr.type);
  checkSaneOffset(env, ptr, ptr.type);
  const mask = sanitizeNeeded(op) ? beginMask(env, insn, ptr, num, ptrIsDst) : null;
  let moved: Reg;
  if (op === BPF_ADD) moved = plus(env, ptr, num);
  else if (op === BPF_SUB) moved = minus(env, insn, ptr, num, ptrIsDst);
  else if (op === BPF_AND || op === BPF_OR || op === BPF_XOR)
    return env.deny(`R${insn.dst} bitwise operator ${aluName(op)} on pointer prohibited`);
  else return env.deny(`R${insn.dst} pointer arithmetic with ${aluName(op)} operator prohibited`);
  env.regs[insn.dst] = moved;
  checkSaneOffset(env, moved, ptr.type);
  checkMaskedBounds(env, insn, moved);
  if (mask !== null) commitMask(env, insn, mask, moved, ptrIsDst);
}
