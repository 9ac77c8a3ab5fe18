/**
 * Memory handed to a function: pointer and size.
 *
 * "R%d type=%s expected=%s", "R%d min value is negative, either use unsigned or 'var &= const'", "R%d
 * invalid zero-sized read: u64=[%lld,%lld]", "R%d unbounded memory access, use 'var &= const' or 'if
 * (var < const)'".
 *
 * @linux check_helper_mem_access, check_mem_size_reg; kernel/bpf/verifier.c
 */
import type { CallMeta } from './callMeta.ts';
import type { Env } from './env.ts';
import { markPtrNotNull } from './nullness.ts';
import { markChainPrecision } from './precision.ts';
import { registerIsNull } from './reg.ts';
import {
  MEM_RDONLY,
  PTR_TO_BTF_ID,
  PTR_TO_MAP_KEY,
  PTR_TO_MAP_VALUE,
  PTR_TO_MEM,
  PTR_TO_PACKET,
  PTR_TO_PACKET_META,
  PTR_TO_STACK,
  baseType,
  regTypeStr,
  typeMayBeNull,
} from './regTypes.ts';
import type { Access } from './regionAccess.ts';
import {
  checkMapAccess,
  checkMapAccessType,
  checkMemRegion,
  checkPacketAccess,
} from './regionAccess.ts';
import { checkStackRange } from './stackRange.ts';
import { checkStructAccess } from './structAccess.ts';
import { s64, tnumIsConst } from './tnum.ts';

/** Sizes stay below this. @linux BPF_MAX_VAR_SIZ */
const BPF_MAX_VAR_SIZ = 1n << 29n;

export function checkHelperMem(
  env: Env,
  regno: number,
  size: number,
  access: Access,
  zeroOk: boolean,
  meta: CallMeta | null,
): void {
  const reg = env.regs[regno]!;
  const refuseWrite = (): never => env.deny(`R${regno} cannot write into ${regTypeStr(reg.type)}`);
  switch (baseType(reg.type)) {
    case PTR_TO_PACKET:
    case PTR_TO_PACKET_META:
      checkPacketAccess(env, regno, reg.off, size, zeroOk);
      return;
    case PTR_TO_MAP_KEY:
      if (access === 'write') refuseWrite();
      checkMemRegion(env, regno, reg.off, size, reg.map!.keySize, false);
      return;
    case PTR_TO_MAP_VALUE:
      checkMapAccessType(env, regno, reg.off, size, access);
      checkMapAccess(env, regno, reg.off, size, zeroOk, true);
      return;
    case PTR_TO_MEM:
      if ((reg.type & MEM_RDONLY) !== 0 && access === 'write') refuseWrite();
      checkMemRegion(env, regno, reg.off, size, reg.memSize, zeroOk);
      return;
    case PTR_TO_STACK:
      checkStackRange(env, regno, reg.off, size, zeroOk, access, meta);
      return;
    case PTR_TO_BTF_ID:
      checkStructAccess(env, regno, reg.off, size, false);
      return;
    default:
      // no bytes of nothing
      if (zeroOk && size === 0 && registerIsNull(reg)) return;
      env.deny(`R${regno} type=${regTypeStr(reg.type)} expected=${regTypeStr(PTR_TO_STACK)}`);
  }
}

/** @param regno of the size; the pointer is in the register before */
export function checkMemSize(
  env: Env,
  regno: number,
  access: Access,
  zeroOk: boolean,
  meta: CallMeta | null,
): void {
  const { bounds } = env.regs[regno]!;
  if (bounds.smin < 0n)
    env.deny(`R${regno} min value is negative, either use unsigned or 'var &= const'`);
  if (bounds.umin === 0n && !zeroOk)
    env.deny(`R${regno} invalid zero-sized read: u64=[${s64(bounds.umin)},${s64(bounds.umax)}]`);
  if (bounds.umax >= BPF_MAX_VAR_SIZ)
    env.deny(`R${regno} unbounded memory access, use 'var &= const' or 'if (var < const)'`);
  // of a size that varies, no byte is known to be written
  const exact = tnumIsConst(bounds) ? meta : null;
  checkHelperMem(env, regno - 1, Number(bounds.umax), access, zeroOk, exact);
  markChainPrecision(env, regno);
}

/** Check as if the pointer were not NULL. */
function whileNotNull(env: Env, regno: number, check: () => void): void {
  const saved = env.regs[regno]!;
  if (typeMayBeNull(saved.type)) env.regs[regno] = markPtrNotNull(saved);
  check();
  if (typeMayBeNull(saved.type)) env.regs[regno] = saved;
}

/** Memory of a known size that is read and written. @linux check_mem_reg */
export function checkMemReg(env: Env, regno: number, size: number): void {
  if (registerIsNull(env.regs[regno]!)) return;
  whileNotNull(env, regno, () => {
    checkHelperMem(env, regno, size, 'read', true, null);
    checkHelperMem(env, regno, size, 'write', true, null);
  });
}

/** @param regno of the size @linux check_kfunc_mem_size_reg */
export function checkKfuncMemSize(env: Env, regno: number): void {
  whileNotNull(env, regno - 1, () => {
    checkMemSize(env, regno, 'read', true, null);
    checkMemSize(env, regno, 'write', true, null);
  });
}
