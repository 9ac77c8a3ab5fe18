/**
 * Stack handed to a function as memory: is every byte of it set?
 *
 * "invalid read from stack R%d off %d+%d size %d", "invalid read from stack R%d var_off %s+%d size %d",
 * "invalid zero-sized read", "potential write to dynptr at off=%d disallowed".
 *
 * @linux check_stack_range_initialized; kernel/bpf/verifier.c
 */
import type { CallMeta } from './callMeta.ts';
import type { Env } from './env.ts';
import type { Reg } from './reg.ts';
import { SCALAR_VALUE } from './regTypes.ts';
import type { Access } from './regionAccess.ts';
import { checkStackBounds, scrubbed } from './stackAccess.ts';
import type { FuncState } from './state.ts';
import {
  STACK_DYNPTR,
  STACK_INVALID,
  STACK_MISC,
  STACK_ZERO,
  byteType,
  isSpilledReg,
  withByteType,
} from './state.ts';
import { tnumIsConst, tnumText } from './tnum.ts';

const slotOf = (at: number): number => (-at - 1) >> 3;
const byteOf = (at: number): number => (-at - 1) & 7;

/**
 * @param off with the register's fixed part
 * @param meta null: bytes that are not set are refused whatever the function does with them
 */
export function checkStackRange(
  env: Env,
  regno: number,
  off: number,
  size: number,
  zeroOk: boolean,
  access: Access,
  meta: CallMeta | null,
): void {
  const reg = env.regs[regno]!;
  if (size === 0 && !zeroOk) env.deny('invalid zero-sized read');
  checkStackBounds(env, regno, off, size, access);
  const func = env.frameOf(reg);
  const fixed = tnumIsConst(reg.bounds);
  if (!fixed && !env.bypassSpecV1)
    env.deny(
      `R${regno} variable offset stack access prohibited for !root, var_off=${tnumText(reg.bounds)}`,
    );
  const min = Number(reg.bounds.smin) + off;
  const max = Number(reg.bounds.smax) + off + size;
  if (fixed && meta !== null && meta.rawMode) {
    refuseDynptrs(env, func, min, max);
    meta.rawBytes = size;
    meta.rawReg = regno;
    return;
  }
  for (let at = min; at < max; at++) {
    if (!takeByte(env, func, at, access === 'write')) refuseByte(env, reg, regno, min, at, size);
    env.liveness.markRead(reg.frameno, slotOf(at));
  }
}

function refuseDynptrs(env: Env, func: FuncState, min: number, max: number): void {
  for (let at = min; at < max; at++) {
    const slot = func.stack[slotOf(at)];
    if (slot !== undefined && byteType(slot.types, byteOf(at)) === STACK_DYNPTR)
      env.deny(`potential write to dynptr at off=${at} disallowed`);
  }
}

/** @returns false when the byte may not be read */
function takeByte(env: Env, func: FuncState, at: number, clobber: boolean): boolean {
  const spi = slotOf(at);
  const slot = func.stack[spi]!;
  const kind = byteType(slot.types, byteOf(at));
  if (kind === STACK_MISC) return true;
  if (kind === STACK_ZERO || (kind === STACK_INVALID && env.allowUninitStack)) {
    if (clobber)
      func.stack[spi] = {
        types: withByteType(slot.types, byteOf(at), STACK_MISC),
        reg: slot.reg,
      };
    return true;
  }
  if (!isSpilledReg(slot) || !(slot.reg.type === SCALAR_VALUE || env.allowPtrLeaks)) return false;
  if (clobber) func.stack[spi] = { types: scrubbed(slot).types, reg: env.unknown };
  return true;
}

function refuseByte(
  env: Env,
  reg: Reg,
  regno: number,
  min: number,
  at: number,
  size: number,
): never {
  if (tnumIsConst(reg.bounds))
    env.deny(`invalid read from stack R${regno} off ${min}+${at - min} size ${size}`);
  env.deny(
    `invalid read from stack R${regno} var_off ${tnumText(reg.bounds)}+${at - min} size ${size}`,
  );
}
