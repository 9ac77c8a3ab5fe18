/**
 * Every load and store: which rules hold depends on what the register points to.
 *
 * "R%d invalid mem access '%s'", "R%d leaks addr into %s", "R%d cannot write into %s", "same insn
 * cannot be used with different pointers".
 *
 * @linux check_mem_access, check_load_mem, check_store_reg, check_atomic; kernel/bpf/verifier.c
 */
import type { Insn } from '../isa/insn.ts';
import {
  BPF_ADD,
  BPF_AND,
  BPF_B,
  BPF_CMPXCHG,
  BPF_DW,
  BPF_FETCH,
  BPF_H,
  BPF_LOAD_ACQ,
  BPF_OR,
  BPF_STORE_REL,
  BPF_W,
  BPF_XCHG,
  BPF_XOR,
} from '../isa/insn.ts';
import { BPF_F_RDONLY_PROG } from '../maps/uapi.ts';
import { checkPtrAlignment } from './alignment.ts';
import { UNBOUNDED, contradiction, knownBounds, truncated } from './bounds.ts';
import type { Bounds } from './bounds.ts';
import { ctxFieldType } from './ctxAccess.ts';
import type { Env } from './env.ts';
import { EFAULT } from '../../host/errno.ts';
import { sizeOf } from './insnKind.ts';
import { printLine } from './logState.ts';
import type { Reg } from './reg.ts';
import { pointerReg, scalarReg } from './reg.ts';
import { isPointerValue, overwriteReg, readReg, writableReg } from './regArg.ts';
import {
  CONST_PTR_TO_MAP,
  MEM_RDONLY,
  NOT_INIT,
  PTR_TO_ARENA,
  PTR_TO_BTF_ID,
  PTR_TO_CTX,
  PTR_TO_MAP_KEY,
  PTR_TO_MAP_VALUE,
  PTR_TO_MEM,
  PTR_TO_SOCKET,
  PTR_TO_SOCK_COMMON,
  PTR_TO_STACK,
  PTR_TO_TCP_SOCK,
  PTR_TO_XDP_SOCK,
  PTR_UNTRUSTED,
  SCALAR_VALUE,
  baseType,
  regTypeStr,
  typeIsPktPointer,
  typeIsSkPointer,
  typeMayBeNull,
} from './regTypes.ts';
import type { Access } from './regionAccess.ts';
import { accessKptr, kptrAt } from './kptrs.ts';
import {
  checkMapAccess,
  checkMapAccessType,
  checkMemRegion,
  checkPacketAccess,
  checkPtrOffReg,
  checkSockAccess,
} from './regionAccess.ts';
import { signExtended } from './signExtend.ts';
import { checkStackBounds, readStack, writeStack } from './stackAccess.ts';
import { checkStructAccess } from './structAccess.ts';
import { tnumIsConst } from './tnum.ts';

const BYTES: ReadonlyMap<number, number> = new Map([
  [BPF_B, 1],
  [BPF_H, 2],
  [BPF_W, 4],
  [BPF_DW, 8],
]);

export const accessBytes = (insn: Insn): number => BYTES.get(sizeOf(insn))!;

/** Contradictory bounds: forget them, or stop where the program asks for it. @linux reg_bounds_sanity_check */
export function saneBounds(env: Env, reg: Reg, where: string): Reg {
  const wrong = contradiction(reg.bounds);
  if (wrong === null) return reg;
  env.write(
    `verifier bug: REG INVARIANTS VIOLATION (${where}): ${wrong} ${rangesText(reg.bounds)}\n`,
  );
  if (env.options.testRegInvariants) env.refuse(EFAULT, 'register bounds contradict each other');
  const { value, mask } = reg.bounds;
  return { ...reg, bounds: { ...UNBOUNDED, value, mask } };
}

const wide = (x: bigint): string => `0x${BigInt.asUintN(64, x).toString(16)}`;
const half = (x: number): string => `0x${(x >>> 0).toString(16)}`;

function rangesText(b: Bounds): string {
  return (
    `u64=[${wide(b.umin)}, ${wide(b.umax)}] s64=[${wide(b.smin)}, ${wide(b.smax)}] ` +
    `u32=[${half(b.u32Min)}, ${half(b.u32Max)}] s32=[${half(b.s32Min)}, ${half(b.s32Max)}] ` +
    `var_off=(${wide(b.value)}, ${wide(b.mask)})`
  );
}

/**
 * Check one access, and give the register it loads into what it loads.
 *
 * @param off without the pointer's own fixed offset
 * @param valueReg loaded into, or stored from; -1: none
 * @param strictOnce alignment is needed whatever the program asked for
 * @param signed a sign-extending load
 */
export function checkMemAccess(
  env: Env,
  idx: number,
  regno: number,
  off: number,
  size: number,
  access: Access,
  valueReg: number,
  strictOnce: boolean = false,
  signed: boolean = false,
): void {
  const reg = env.regs[regno]!;
  checkPtrAlignment(env, reg, off, size, strictOnce);
  const at = off + reg.off;
  const loads = access === 'read' && valueReg >= 0;
  if (access === 'write' && valueReg >= 0) refuseLeak(env, reg, valueReg);
  if (reg.type === PTR_TO_STACK) {
    checkStackBounds(env, regno, at, size, access);
    if (access === 'read') readStack(env, regno, at, size, valueReg);
    else writeStack(env, regno, at, size, valueReg, idx);
  } else {
    const loaded = checkPointed(env, idx, regno, at, size, access, signed, valueReg);
    if (loads) env.regs[valueReg] = loaded;
  }
  if (!loads || size === 8) return;
  const value = env.regs[valueReg]!;
  if (value.type !== SCALAR_VALUE) return;
  const bounds = signed ? signExtended(value.bounds, size) : truncated(value.bounds, size);
  env.regs[valueReg] = { ...value, bounds };
}

const LEAKS: ReadonlyMap<number, string> = new Map([
  [PTR_TO_MAP_VALUE, 'map'],
  [PTR_TO_CTX, 'ctx'],
]);

function refuseLeak(env: Env, reg: Reg, valueReg: number): void {
  if (!isPointerValue(env, env.regs[valueReg]!)) return;
  let where = LEAKS.get(reg.type);
  if (typeIsPktPointer(reg.type)) where = 'packet';
  const writable = !typeMayBeNull(reg.type) && (reg.type & MEM_RDONLY) === 0;
  if (baseType(reg.type) === PTR_TO_MEM && writable) where = 'mem';
  if (where !== undefined) env.deny(`R${valueReg} leaks addr into ${where}`);
}

/** Everything but the stack. @returns what a load gives, before its size is looked at */
function checkPointed(
  env: Env,
  idx: number,
  regno: number,
  at: number,
  size: number,
  access: Access,
  signed: boolean,
  valueReg: number,
): Reg {
  const reg = env.regs[regno]!;
  const { type } = reg;
  const write = access === 'write';
  const refuseWrite = (): never => env.deny(`R${regno} cannot write into ${regTypeStr(type)}`);
  if (type === PTR_TO_MAP_KEY) {
    if (write) env.deny(`write to change key R${regno} not allowed`);
    checkMemRegion(env, regno, at, size, reg.map!.keySize, false);
  } else if (type === PTR_TO_MAP_VALUE) {
    checkMapAccessType(env, regno, at, size, access);
    checkMapAccess(env, regno, at, size, false, false);
    const kptr = kptrAt(reg, at);
    if (kptr !== undefined) return accessKptr(env, kptr, access, valueReg);
    if (!write) return mapConstant(env, reg, at, size, signed);
  } else if (baseType(type) === PTR_TO_MEM) {
    if (typeMayBeNull(type)) refuseType(env, regno);
    const readOnly = (type & MEM_RDONLY) !== 0;
    if (write && readOnly) refuseWrite();
    if (!readOnly || (type & PTR_UNTRUSTED) === 0)
      checkMemRegion(env, regno, at, size, reg.memSize, false);
  } else if (type === PTR_TO_CTX) {
    checkPtrOffReg(env, reg, regno);
    return ctxField(env, idx, at, size, write, signed);
  } else if (typeIsPktPointer(type)) {
    checkPacketAccess(env, regno, at, size, false);
  } else if (type === PTR_TO_ARENA) {
    return env.unknown;
  } else if (typeIsSkPointer(type)) {
    if (write) refuseWrite();
    checkSockAccess(env, regno, at, size);
  } else if (
    type === CONST_PTR_TO_MAP ||
    (baseType(type) === PTR_TO_BTF_ID && !typeMayBeNull(type))
  ) {
    return checkStructAccess(env, regno, at, size, write);
  } else {
    refuseType(env, regno);
  }
  return env.unknown;
}

const refuseType = (env: Env, regno: number): never =>
  env.deny(`R${regno} invalid mem access '${regTypeStr(env.regs[regno]!.type)}'`);

function ctxField(
  env: Env,
  idx: number,
  at: number,
  size: number,
  write: boolean,
  signed: boolean,
): Reg {
  const type = ctxFieldType(env, at, size, write, signed);
  if (type === null) {
    env.write(`invalid bpf_context access off=${at} size=${size}\n`);
    printLine(env, idx, '; ');
    return env.silent(`invalid bpf_context access off=${at} size=${size}`);
  }
  return type === SCALAR_VALUE ? env.unknown : pointerReg(type);
}

/** Maps that nobody can write any more hold constants. @linux bpf_map_direct_read */
function mapConstant(env: Env, reg: Reg, at: number, size: number, signed: boolean): Reg {
  const map = reg.map!;
  const fixed = (map.flags & BPF_F_RDONLY_PROG) !== 0 && map.frozen === true;
  if (!fixed || !tnumIsConst(reg.bounds)) return env.unknown;
  const value = env.options.readMap(map, at + Number(reg.bounds.smin), size);
  if (value === null) return env.unknown;
  const whole = signed ? BigInt.asIntN(size * 8, value) : value;
  return scalarReg(knownBounds(whole), false);
}

const MISMATCH_REFUSED: ReadonlySet<number> = new Set([
  PTR_TO_CTX,
  PTR_TO_SOCKET,
  PTR_TO_SOCK_COMMON,
  PTR_TO_TCP_SOCK,
  PTR_TO_XDP_SOCK,
  PTR_TO_BTF_ID,
  PTR_TO_ARENA,
]);

const isMemory = (t: number): boolean =>
  baseType(t) === PTR_TO_MEM || baseType(t) === PTR_TO_BTF_ID;

/** One instruction is compiled one way: all paths must use the same sort of pointer. @linux save_aux_ptr_type */
function savePtrType(env: Env, type: number, trustMayDiffer: boolean): void {
  const aux = env.aux[env.insnIdx]!;
  if (aux.ptrType === NOT_INIT) {
    aux.ptrType = type;
    return;
  }
  if (type === aux.ptrType) return;
  const strict =
    MISMATCH_REFUSED.has(baseType(type)) || MISMATCH_REFUSED.has(baseType(aux.ptrType));
  if (!strict) return;
  if (!trustMayDiffer || !isMemory(type) || !isMemory(aux.ptrType))
    env.invalid('same insn cannot be used with different pointers');
  const merged =
    baseType(type) === PTR_TO_MEM || baseType(aux.ptrType) === PTR_TO_MEM
      ? PTR_TO_MEM
      : PTR_TO_BTF_ID;
  aux.ptrType = merged | ((type | aux.ptrType) & (PTR_UNTRUSTED | MEM_RDONLY));
}

/** `dst = *(src + off)`. @linux check_load_mem */
export function checkLoad(
  env: Env,
  insn: Insn,
  strictOnce: boolean,
  signed: boolean,
  trustMayDiffer: boolean,
  where: string,
): void {
  const { type } = readReg(env, insn.src);
  writableReg(env, insn.dst);
  const size = accessBytes(insn);
  checkMemAccess(env, env.insnIdx, insn.src, insn.off, size, 'read', insn.dst, strictOnce, signed);
  savePtrType(env, type, trustMayDiffer);
  env.regs[insn.dst] = saneBounds(env, env.regs[insn.dst]!, where);
}

/** `*(dst + off) = src`. @linux check_store_reg */
export function checkStore(env: Env, insn: Insn, strictOnce: boolean): void {
  readReg(env, insn.src);
  const { type } = readReg(env, insn.dst);
  const size = accessBytes(insn);
  checkMemAccess(env, env.insnIdx, insn.dst, insn.off, size, 'write', insn.src, strictOnce);
  savePtrType(env, type, false);
}

/** `*(dst + off) = imm`. */
export function checkStoreConst(env: Env, insn: Insn): void {
  const { type } = readReg(env, insn.dst);
  checkMemAccess(env, env.insnIdx, insn.dst, insn.off, accessBytes(insn), 'write', -1);
  savePtrType(env, type, false);
}

/** @linux atomic_ptr_type_ok */
const atomicAllowed = (type: number): boolean =>
  type !== PTR_TO_CTX && !typeIsPktPointer(type) && !typeIsSkPointer(type);

const ATOMICS: ReadonlySet<number> = new Set([
  ...[BPF_ADD, BPF_AND, BPF_OR, BPF_XOR].flatMap((op) => [op, op | BPF_FETCH]),
  BPF_XCHG,
  BPF_CMPXCHG,
]);

/** @linux check_atomic */
export function checkAtomic(env: Env, insn: Insn): void {
  if (insn.imm === BPF_LOAD_ACQ) {
    checkLoad(env, insn, true, false, false, 'atomic_load');
    refuseAtomic(env, insn.src, 'loads from');
  } else if (insn.imm === BPF_STORE_REL) {
    checkStore(env, insn, true);
    refuseAtomic(env, insn.dst, 'stores into');
  } else if (ATOMICS.has(insn.imm)) {
    checkReadModifyWrite(env, insn);
  } else {
    const op = (insn.imm >>> 0).toString(16).padStart(2, '0');
    env.invalid(`BPF_ATOMIC uses invalid atomic opcode ${op}`);
  }
}

/** Of these x86 has no instruction that could fault softly. @linux bpf_jit_supports_insn */
const NOT_IN_ARENA: ReadonlySet<number> = new Set(
  [BPF_AND, BPF_OR, BPF_XOR].map((op) => op | BPF_FETCH),
);

function refuseAtomic(env: Env, regno: number, how: string, op: number = 0): void {
  const { type } = env.regs[regno]!;
  if (!atomicAllowed(type) || (type === PTR_TO_ARENA && NOT_IN_ARENA.has(op)))
    env.deny(`BPF_ATOMIC ${how} R${regno} ${regTypeStr(type)} is not allowed`);
}

/** @linux check_atomic_rmw */
function checkReadModifyWrite(env: Env, insn: Insn): void {
  const size = accessBytes(insn);
  if (size < 4) env.invalid('invalid atomic operand size');
  readReg(env, insn.src);
  readReg(env, insn.dst);
  const leak = (regno: number): void => {
    if (isPointerValue(env, env.regs[regno]!)) env.deny(`R${regno} leaks addr into mem`);
  };
  if (insn.imm === BPF_CMPXCHG) {
    readReg(env, 0);
    leak(0);
  }
  leak(insn.src);
  refuseAtomic(env, insn.dst, 'stores into', insn.imm);
  let loadReg = -1;
  if ((insn.imm & BPF_FETCH) !== 0) {
    loadReg = insn.imm === BPF_CMPXCHG ? 0 : insn.src;
    overwriteReg(env, loadReg);
  }
  const check = (access: Access, valueReg: number): void =>
    checkMemAccess(env, env.insnIdx, insn.dst, insn.off, size, access, valueReg, true);
  check('read', -1);
  if (loadReg >= 0) check('read', loadReg);
  check('write', -1);
}
