/**
 * Arguments of helpers: the register's type has to fit the parameter's, and what it points to has to
 * be large enough and set.
 *
 * "R%d type=%s expected=%s", "R%d leaks addr into helper function", "helper access to the packet is
 * not allowed", "R%d must be referenced when passed to release function", "R%d is not a known
 * constant'", "R%d does not point to a readonly map'", "string is not zero-terminated".
 *
 * @linux check_func_arg, check_reg_type, check_func_arg_reg_off; kernel/bpf/verifier.c
 */
import { EACCES } from '../../host/errno.ts';
import {
  BPF_FUNC_kptr_xchg,
  BPF_FUNC_map_peek_elem,
  BPF_FUNC_spin_lock,
} from '../helpers/funcIds.ts';
import type { HelperProto } from '../helpers/protos.ts';
import {
  ARG_ANYTHING,
  ARG_CONST_ALLOC_SIZE_OR_ZERO,
  ARG_CONST_MAP_PTR,
  ARG_CONST_SIZE,
  ARG_CONST_SIZE_OR_ZERO,
  ARG_KPTR_XCHG_DEST,
  ARG_PTR_TO_BTF_ID,
  ARG_PTR_TO_BTF_ID_SOCK_COMMON,
  ARG_PTR_TO_CONST_STR,
  ARG_PTR_TO_CTX,
  ARG_PTR_TO_DYNPTR,
  ARG_PTR_TO_FUNC,
  ARG_PTR_TO_MAP_KEY,
  ARG_PTR_TO_MAP_VALUE,
  ARG_PTR_TO_MEM,
  ARG_PTR_TO_PERCPU_BTF_ID,
  ARG_PTR_TO_RINGBUF_MEM,
  ARG_PTR_TO_SOCK_COMMON,
  ARG_PTR_TO_SPIN_LOCK,
  ARG_PTR_TO_STACK,
  ARG_PTR_TO_TIMER,
} from '../helpers/protos.ts';
import {
  BPF_F_RDONLY_PROG,
  BPF_MAP_TYPE_ARRAY,
  BPF_MAP_TYPE_BLOOM_FILTER,
  BPF_MAP_TYPE_PERCPU_ARRAY,
  BPF_MAP_TYPE_SOCKHASH,
  BPF_MAP_TYPE_SOCKMAP,
} from '../maps/uapi.ts';
import { checkPtrAlignment } from './alignment.ts';
import type { CallMeta } from './callMeta.ts';
import { dynptrIsReferenced, processDynptr } from './dynptrSlots.ts';
import type { Env, SubprogArg } from './env.ts';
import { Refused } from './env.ts';
import { checkHelperMem, checkMemSize } from './helperMem.ts';
import { checkKptrValue, processKptr } from './kptrs.ts';
import { processMapField, processSpinLock } from './mapFields.ts';
import { markChainPrecision, markSlotPrecision } from './precision.ts';
import type { Reg } from './reg.ts';
import { registerIsNull } from './reg.ts';
import { isPointerValue, readReg } from './regArg.ts';
import {
  CONST_PTR_TO_DYNPTR,
  CONST_PTR_TO_MAP,
  DYNPTR_TYPE_FLAG_MASK,
  MEM_ALIGNED,
  MEM_ALLOC,
  MEM_FIXED_SIZE,
  MEM_PERCPU,
  MEM_RCU,
  MEM_RDONLY,
  MEM_RINGBUF,
  MEM_UNINIT,
  MEM_WRITE,
  NON_OWN_REF,
  OBJ_RELEASE,
  PTR_MAYBE_NULL,
  PTR_TO_BTF_ID,
  PTR_TO_BUF,
  PTR_TO_CTX,
  PTR_TO_FUNC,
  PTR_TO_MAP_KEY,
  PTR_TO_MAP_VALUE,
  PTR_TO_MEM,
  PTR_TO_PACKET,
  PTR_TO_PACKET_META,
  PTR_TO_SOCKET,
  PTR_TO_SOCK_COMMON,
  PTR_TO_STACK,
  PTR_TO_TCP_SOCK,
  PTR_TO_XDP_SOCK,
  PTR_TRUSTED,
  SCALAR_VALUE,
  baseType,
  regTypeStr,
  typeIsPktPointer,
  typeMayBeNull,
} from './regTypes.ts';
import { checkMapAccess, checkPtrOffReg } from './regionAccess.ts';
import { requireStruct } from './structMatch.ts';
import { STACK_SPILL, STACK_ZERO, byteType, isSpilledScalarReg } from './state.ts';
import { tnumIsConst } from './tnum.ts';
import type { VerifierMap } from './verifierMap.ts';

const MEM_TYPES: readonly number[] = [
  PTR_TO_STACK,
  PTR_TO_PACKET,
  PTR_TO_PACKET_META,
  PTR_TO_MAP_KEY,
  PTR_TO_MAP_VALUE,
  PTR_TO_MEM,
  PTR_TO_MEM | MEM_RINGBUF,
  PTR_TO_BUF,
  PTR_TO_BTF_ID | PTR_TRUSTED,
];
const SOCK_TYPES: readonly number[] = [
  PTR_TO_SOCK_COMMON,
  PTR_TO_SOCKET,
  PTR_TO_TCP_SOCK,
  PTR_TO_XDP_SOCK,
];
const SCALAR_TYPES: readonly number[] = [SCALAR_VALUE];
const VALUE_TYPES: readonly number[] = [PTR_TO_MAP_VALUE];
const VALUE_OR_OBJECT: readonly number[] = [PTR_TO_MAP_VALUE, PTR_TO_BTF_ID | MEM_ALLOC];
const STRUCT_TYPES: readonly number[] = [
  PTR_TO_BTF_ID,
  PTR_TO_BTF_ID | PTR_TRUSTED,
  PTR_TO_BTF_ID | MEM_RCU,
];
const PERCPU_TYPES: readonly number[] = [
  PTR_TO_BTF_ID | MEM_PERCPU,
  PTR_TO_BTF_ID | MEM_PERCPU | MEM_RCU,
  PTR_TO_BTF_ID | MEM_PERCPU | PTR_TRUSTED,
];

/** Register types that each parameter takes, in the order messages list them. @linux compatible_reg_types */
const COMPATIBLE: ReadonlyMap<number, readonly number[]> = new Map([
  [ARG_PTR_TO_MAP_KEY, MEM_TYPES],
  [ARG_PTR_TO_MAP_VALUE, MEM_TYPES],
  [ARG_CONST_SIZE, SCALAR_TYPES],
  [ARG_CONST_SIZE_OR_ZERO, SCALAR_TYPES],
  [ARG_CONST_ALLOC_SIZE_OR_ZERO, SCALAR_TYPES],
  [ARG_CONST_MAP_PTR, [CONST_PTR_TO_MAP]],
  [ARG_PTR_TO_CTX, [PTR_TO_CTX]],
  [ARG_PTR_TO_SOCK_COMMON, SOCK_TYPES],
  [ARG_PTR_TO_BTF_ID_SOCK_COMMON, [...SOCK_TYPES, PTR_TO_BTF_ID, PTR_TO_BTF_ID | PTR_TRUSTED]],
  [ARG_PTR_TO_BTF_ID, STRUCT_TYPES],
  [ARG_PTR_TO_SPIN_LOCK, VALUE_OR_OBJECT],
  [ARG_PTR_TO_MEM, MEM_TYPES],
  [ARG_PTR_TO_RINGBUF_MEM, [PTR_TO_MEM | MEM_RINGBUF]],
  [ARG_PTR_TO_PERCPU_BTF_ID, PERCPU_TYPES],
  [ARG_PTR_TO_FUNC, [PTR_TO_FUNC]],
  [ARG_PTR_TO_STACK, [PTR_TO_STACK]],
  [ARG_PTR_TO_CONST_STR, VALUE_TYPES],
  [ARG_PTR_TO_TIMER, VALUE_TYPES],
  [ARG_KPTR_XCHG_DEST, VALUE_OR_OBJECT],
  [ARG_PTR_TO_DYNPTR, [PTR_TO_STACK, CONST_PTR_TO_DYNPTR]],
]);

/**
 * @param objects of programs do, too
 * @linux check_reg_type
 */
function checkRegType(env: Env, regno: number, argType: number, objects: boolean = false): void {
  const reg = env.regs[regno]!;
  const types = COMPATIBLE.get(baseType(argType))!;
  let { type } = reg;
  if ((argType & MEM_RDONLY) !== 0) type &= ~MEM_RDONLY;
  if ((argType & PTR_MAYBE_NULL) !== 0) type &= ~PTR_MAYBE_NULL;
  if (objects && regno === 2) type &= ~(MEM_ALLOC | MEM_PERCPU);
  if (baseType(argType) === ARG_PTR_TO_MEM) type &= ~DYNPTR_TYPE_FLAG_MASK;
  if (types.includes(type)) return;
  const expected = types.map(regTypeStr).join(', ');
  env.deny(`R${regno} type=${regTypeStr(reg.type)} expected=${expected}`);
}

/** A pointer to the struct that a global function names. @linux check_reg_type */
export function checkStructReg(env: Env, regno: number, arg: SubprogArg): void {
  checkRegType(env, regno, arg.type);
  requireStruct(env, regno, env.regs[regno]!, arg.btf!.name);
}

/** What a pointer to a struct of the kernel points to. @linux check_reg_type */
function checkStruct(env: Env, regno: number, argType: number, proto: HelperProto): void {
  const reg = env.regs[regno]!;
  if (baseType(reg.type) !== PTR_TO_BTF_ID) return;
  if (COMPATIBLE.get(baseType(argType)) === MEM_TYPES) {
    if ((argType & MEM_RDONLY) === 0)
      env.deny(
        `bpf_${proto.name}() may write into memory pointed by R${regno} type=${regTypeStr(reg.type)}`,
      );
    return;
  }
  const wanted =
    baseType(argType) === ARG_PTR_TO_BTF_ID_SOCK_COMMON ? 'sock_common' : proto.argStruct;
  if (wanted !== '') requireStruct(env, regno, reg, wanted);
}

/** Pointers that may be handed on with an offset. */
const ANY_OFFSET: ReadonlySet<number> = new Set([
  PTR_TO_STACK,
  PTR_TO_PACKET,
  PTR_TO_PACKET_META,
  PTR_TO_MAP_KEY,
  PTR_TO_MAP_VALUE,
  PTR_TO_MEM,
  PTR_TO_MEM | MEM_RDONLY,
  PTR_TO_MEM | MEM_RINGBUF,
  PTR_TO_BUF,
  PTR_TO_BUF | MEM_RDONLY,
  SCALAR_VALUE,
]);
/** And those with a known one. */
const FIXED_OFFSET: ReadonlySet<number> = new Set([
  ...STRUCT_TYPES,
  PTR_TO_BTF_ID | MEM_ALLOC,
  PTR_TO_BTF_ID | MEM_ALLOC | NON_OWN_REF,
  PTR_TO_BTF_ID | MEM_ALLOC | NON_OWN_REF | MEM_RCU,
]);

/** @linux check_func_arg_reg_off */
export function checkArgOffset(env: Env, regno: number, argType: number): void {
  const reg = env.regs[regno]!;
  if ((argType & OBJ_RELEASE) !== 0) {
    if (baseType(argType) === ARG_PTR_TO_DYNPTR && reg.type === PTR_TO_STACK) return;
    if (reg.off !== 0)
      env.invalid(
        `R${regno} must have zero offset when passed to release func or trusted arg to kfunc`,
      );
    checkPtrOffReg(env, reg, regno);
    return;
  }
  if (ANY_OFFSET.has(reg.type)) return;
  checkPtrOffReg(env, reg, regno, FIXED_OFFSET.has(reg.type));
}

/** Kinds of map whose look-up cannot fail for a key that is known. @linux can_elide_value_nullness */
export const lookupNeverFails = (map: VerifierMap): boolean =>
  map.type === BPF_MAP_TYPE_ARRAY || map.type === BPF_MAP_TYPE_PERCPU_ARRAY;

/** The key as a number, where the stack holds a known one; else -1. @linux get_constant_map_key */
function constantKey(env: Env, key: Reg, keySize: number): bigint {
  if (!env.bpfCapable || key.type !== PTR_TO_STACK || !tnumIsConst(key.bounds)) return -1n;
  const at = key.off + Number(key.bounds.smin);
  const spi = (-at - 1) >> 3;
  const first = (-at - 1) & 7;
  const slot = env.frameOf(key).stack[spi]!;
  const run = (kind: number): number => {
    let bytes = 0;
    while (bytes <= first && byteType(slot.types, first - bytes) === kind) bytes++;
    return bytes;
  };
  if (run(STACK_ZERO) >= keySize) return 0n;
  if (!isSpilledScalarReg(slot) || run(STACK_SPILL) !== keySize) return -1n;
  if (!tnumIsConst(slot.reg.bounds)) return -1n;
  markSlotPrecision(env, key.frameno, spi);
  return slot.reg.bounds.smin;
}

/** A text in a map that nobody can change. @linux check_reg_const_str */
export function checkConstStr(env: Env, regno: number): void {
  const reg = env.regs[regno]!;
  const map = reg.map!;
  if ((map.flags & BPF_F_RDONLY_PROG) === 0 || map.frozen !== true)
    env.deny(`R${regno} does not point to a readonly map'`);
  if (!tnumIsConst(reg.bounds)) env.deny(`R${regno} is not a constant address'`);
  if (map.type !== BPF_MAP_TYPE_ARRAY) env.deny('no direct value access support for this map type');
  checkMapAccess(env, regno, reg.off, map.valueSize - reg.off, false, true);
  for (let at = reg.off + Number(reg.bounds.smin); at < map.valueSize; at++)
    if (env.options.readMap(map, at, 1) === 0n) return;
  env.invalid('string is not zero-terminated');
}

/** What the argument gives back must have been taken. */
function checkRelease(env: Env, regno: number, argType: number, meta: CallMeta): void {
  const reg = env.regs[regno]!;
  if (baseType(argType) === ARG_PTR_TO_DYNPTR) {
    if (reg.type !== PTR_TO_STACK) env.invalid('cannot release unowned const bpf_dynptr');
    if (!dynptrIsReferenced(env, reg)) env.invalid(`arg ${regno} is an unacquired reference`);
  } else if (reg.refObjId === 0 && !registerIsNull(reg)) {
    env.invalid(`R${regno} must be referenced when passed to release function`);
  }
  meta.releaseReg = regno;
}

/** Maps of sockets take sockets as values. @linux resolve_map_arg_type */
function resolveValueType(env: Env, argType: number, meta: CallMeta): number {
  const type = meta.map!.type;
  if (type === BPF_MAP_TYPE_SOCKMAP || type === BPF_MAP_TYPE_SOCKHASH) {
    if (argType === ARG_PTR_TO_MAP_VALUE) return ARG_PTR_TO_BTF_ID_SOCK_COMMON;
    env.invalid('invalid arg_type for sockmap/sockhash');
  }
  if (type === BPF_MAP_TYPE_BLOOM_FILTER && meta.funcId === BPF_FUNC_map_peek_elem)
    return ARG_PTR_TO_MAP_VALUE;
  return argType;
}

/** @param arg counted from 0 */
export function checkFuncArg(env: Env, arg: number, proto: HelperProto, meta: CallMeta): void {
  const regno = arg + 1;
  let argType = proto.args[arg]!;
  const reg = readReg(env, regno);
  if (argType === ARG_ANYTHING) {
    if (isPointerValue(env, reg)) env.deny(`R${regno} leaks addr into helper function`);
    return;
  }
  if (typeIsPktPointer(reg.type) && !meta.pktAccess)
    env.deny('helper access to the packet is not allowed');
  if (baseType(argType) === ARG_PTR_TO_MAP_VALUE) argType = resolveValueType(env, argType, meta);
  if (!(registerIsNull(reg) && typeMayBeNull(argType))) {
    checkRegType(env, regno, argType, meta.funcId === BPF_FUNC_kptr_xchg);
    checkStruct(env, regno, argType, proto);
    if (meta.kptr !== null) checkKptrValue(env, meta.kptr, regno);
    checkArgOffset(env, regno, argType);
  }
  if ((argType & OBJ_RELEASE) !== 0) checkRelease(env, regno, argType, meta);
  if (reg.refObjId !== 0 && baseType(argType) !== ARG_KPTR_XCHG_DEST) {
    if (meta.refObjId !== 0) {
      const why = `more than one arg with ref_obj_id R${regno} ${reg.refObjId} ${meta.refObjId}`;
      env.write(why); // Linux ends no line here
      throw new Refused(EACCES, why);
    }
    meta.refObjId = reg.refObjId;
  }
  checkArgValue(env, arg, argType, proto, meta);
}

/** What the argument says, beyond its type. */
function checkArgValue(
  env: Env,
  arg: number,
  argType: number,
  proto: HelperProto,
  meta: CallMeta,
): void {
  const regno = arg + 1;
  const reg = env.regs[regno]!;
  const access = (argType & MEM_WRITE) === 0 ? 'read' : 'write';
  switch (baseType(argType)) {
    case ARG_CONST_MAP_PTR:
      if (meta.map !== null && (meta.map !== reg.map || meta.mapUid !== reg.mapUid))
        env.invalid(
          `timer pointer in R1 map_uid=${meta.mapUid} doesn't match map pointer in R2 map_uid=${reg.mapUid}`,
        );
      meta.map = reg.map;
      meta.mapUid = reg.mapUid;
      break;
    case ARG_PTR_TO_MAP_KEY: {
      const map = meta.map!;
      checkHelperMem(env, regno, map.keySize, 'read', false, null);
      if (lookupNeverFails(map)) meta.constMapKey = constantKey(env, reg, map.keySize);
      break;
    }
    case ARG_PTR_TO_MAP_VALUE:
      if (typeMayBeNull(argType) && registerIsNull(reg)) return;
      meta.rawMode = (argType & MEM_UNINIT) !== 0;
      checkHelperMem(env, regno, meta.map!.valueSize, access, false, meta);
      break;
    case ARG_PTR_TO_SPIN_LOCK:
      processSpinLock(env, regno, meta.funcId === BPF_FUNC_spin_lock, 'lock');
      break;
    case ARG_PTR_TO_TIMER:
      processMapField(env, regno, 'timer', meta);
      break;
    case ARG_PTR_TO_FUNC:
      meta.subprogno = reg.subprogno;
      break;
    case ARG_PTR_TO_MEM:
      meta.rawMode = (argType & MEM_UNINIT) !== 0;
      if ((argType & MEM_FIXED_SIZE) === 0) break;
      checkHelperMem(env, regno, proto.sizes[arg]!, access, false, meta);
      if ((argType & MEM_ALIGNED) !== 0)
        checkPtrAlignment(env, env.regs[regno]!, 0, proto.sizes[arg]!, true);
      break;
    case ARG_CONST_SIZE:
    case ARG_CONST_SIZE_OR_ZERO: {
      const written = (proto.args[arg - 1]! & MEM_WRITE) !== 0;
      const zeroOk = baseType(argType) === ARG_CONST_SIZE_OR_ZERO;
      checkMemSize(env, regno, written ? 'write' : 'read', zeroOk, meta);
      meta.largest = reg.bounds.umax;
      break;
    }
    case ARG_PTR_TO_DYNPTR:
      processDynptr(env, regno, argType, env.insnIdx, 0);
      break;
    case ARG_CONST_ALLOC_SIZE_OR_ZERO:
      if (!tnumIsConst(reg.bounds)) env.deny(`R${regno} is not a known constant'`);
      meta.memSize = Number(reg.bounds.value & 0xffff_ffffn) | 0;
      markChainPrecision(env, regno);
      break;
    case ARG_PTR_TO_CONST_STR:
      checkConstStr(env, regno);
      break;
    case ARG_KPTR_XCHG_DEST:
      meta.kptr = processKptr(env, regno);
      meta.map = reg.map;
  }
}
