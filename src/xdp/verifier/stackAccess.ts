/**
 * Loads from and stores to the stack by instructions: registers are spilled and filled whole, and the
 * rest is told apart byte by byte.
 *
 * "invalid read from stack off %d+%d size %d", "attempt to corrupt spilled pointer on stack", "invalid
 * size of register spill", "invalid size of register fill", "cannot spill pointers to stack into stack
 * frame of the caller".
 *
 * @linux check_stack_read, check_stack_write; kernel/bpf/verifier.c
 */
import { EACCES, EFAULT, EINVAL } from '../../host/errno.ts';
import type { Insn } from '../isa/insn.ts';
import { BPF_MEM, BPF_ST, MAX_BPF_STACK } from '../isa/insn.ts';
import { knownBounds } from './bounds.ts';
import { checkFastcallStackContract } from './callSummary.ts';
import { destroyDynptrAt } from './dynptrSlots.ts';
import type { Env } from './env.ts';
import { recordStackAccess } from './history.ts';
import { classOf, modeOf } from './insnKind.ts';
import { assignScalarId } from './linkedRegs.ts';
import { printLine } from './logState.ts';
import { markChainPrecision } from './precision.ts';
import type { Reg } from './reg.ts';
import { NOT_INIT_REG, registerIsNull, scalarReg } from './reg.ts';
import { PTR_TO_STACK, SCALAR_VALUE, isSpillableRegtype } from './regTypes.ts';
import type { Access } from './regionAccess.ts';
import { BPF_MAX_VAR_OFF } from './resolve.ts';
import { checkStackRange } from './stackRange.ts';
import type { FuncState, Slot } from './state.ts';
import {
  EMPTY_SLOT,
  SLOT_BYTES,
  STACK_INVALID,
  STACK_MISC,
  STACK_SPILL,
  STACK_ZERO,
  byteType,
  isSpilledReg,
  isSpilledScalarReg,
  isStackSlotSpecial,
  withByteType,
} from './state.ts';
import { fls64, tnumIsConst, tnumText } from './tnum.ts';

export const regWidth = (reg: Reg): number => fls64(reg.bounds.umax);

const MAX_VAR_OFF = BigInt(BPF_MAX_VAR_OFF);

/** Make the stack at least `bytes` deep. @linux grow_stack_state */
function growStack(env: Env, func: FuncState, bytes: number): void {
  const slots = Math.ceil(bytes / SLOT_BYTES);
  if (func.stack.length >= slots) return;
  while (func.stack.length < slots) func.stack.push(EMPTY_SLOT);
  const subprog = env.subprogs[func.subprogno]!;
  subprog.stackDepth = Math.max(subprog.stackDepth, slots * SLOT_BYTES);
}

/** @linux check_stack_access_within_bounds */
export function checkStackBounds(
  env: Env,
  regno: number,
  off: number,
  size: number,
  access: Access,
): void {
  const reg = env.regs[regno]!;
  const func = env.frameOf(reg);
  const { bounds } = reg;
  const fixed = tnumIsConst(bounds);
  const how = access === 'read' ? ' read from' : ' write to';
  if (!fixed && (bounds.smax >= MAX_VAR_OFF || bounds.smin <= -MAX_VAR_OFF))
    env.deny(`invalid unbounded variable-offset${how} stack R${regno}`);
  const min = Number(bounds.smin) + off;
  const max = Number(bounds.smax) + off + size;
  const lowest = access === 'write' || env.allowUninitStack ? -MAX_BPF_STACK : -func.allocatedStack;
  const errno = min < lowest || min > -1 ? EACCES : max > 0 ? EINVAL : size < 0 ? EFAULT : 0;
  if (errno !== 0) {
    const at = `off=${off} size=${size}`;
    if (fixed) env.refuse(errno, `invalid${how} stack R${regno} ${at}`);
    env.refuse(
      errno,
      `invalid variable-offset${how} stack R${regno} var_off=${tnumText(bounds)} ${at}`,
    );
  }
  growStack(env, func, -min);
}

/** Slot and byte of an offset below the frame pointer. */
const slotOf = (off: number): number => (-off - 1) >> 3;
const byteOf = (off: number): number => (-off - 1) & 7;

/** @linux mark_stack_slot_misc */
function miscUnlessKnown(types: number, index: number): number {
  const kind = byteType(types, index);
  return kind === STACK_ZERO || kind === STACK_INVALID
    ? types
    : withByteType(types, index, STACK_MISC);
}

/** A slot whose low `size` bytes hold `reg`. @linux save_register_state */
function spilled(slot: Slot, reg: Reg, size: number): Slot {
  let { types } = slot;
  for (let i = SLOT_BYTES - 1; i >= 0; i--)
    types =
      i >= SLOT_BYTES - size ? withByteType(types, i, STACK_SPILL) : miscUnlessKnown(types, i);
  return { types, reg };
}

/** What was spilled or kept in the slot is gone; bytes that were set hold data. @linux scrub_spilled_slot */
export function scrubbed(slot: Slot): Slot {
  let { types } = slot;
  for (let i = 0; i < SLOT_BYTES; i++)
    if (byteType(types, i) !== STACK_INVALID) types = withByteType(types, i, STACK_MISC);
  return { types, reg: { ...slot.reg, type: NOT_INIT_REG.type } };
}

/** `*(u64 *)(r10 - 8) = 5`: a constant without a register. */
const storesConst = (insn: Insn): boolean => classOf(insn) === BPF_ST && modeOf(insn) === BPF_MEM;

/**
 * A store at a known offset.
 *
 * @param func whose stack it is; not always the running function
 * @param valueReg -1: no register's value
 * @linux check_stack_write_fixed_off
 */
function writeFixed(
  env: Env,
  func: FuncState,
  off: number,
  size: number,
  valueReg: number,
  idx: number,
): void {
  const spi = slotOf(off);
  const insn = env.insns[idx]!;
  let slot = func.stack[spi]!;
  if (!env.allowPtrLeaks && isSpilledReg(slot) && !isSpilledScalarReg(slot) && size !== SLOT_BYTES)
    env.deny('attempt to corrupt spilled pointer on stack');
  const reg = valueReg < 0 ? null : env.regs[valueReg]!;
  if (!env.bypassSpecV4 && needsGuard(slot, reg, size)) env.aux[idx]!.nospecResult = true;
  destroyDynptrAt(env, func, spi);
  slot = func.stack[spi]!;
  const aligned = off % SLOT_BYTES === 0;
  if (aligned && size === SLOT_BYTES) env.liveness.markWrite(func.frameno, spi);
  checkFastcallStackContract(env, func.subprogno, idx, off);
  env.scratchSlot(spi);
  if (reg !== null && aligned && reg.type === SCALAR_VALUE && env.bpfCapable) {
    const fits = regWidth(reg) <= 8 * size;
    if (fits) assignScalarId(env, valueReg);
    const value = env.regs[valueReg]!;
    func.stack[spi] = spilled(slot, fits ? value : { ...value, id: 0 }, size);
  } else if (reg === null && aligned && storesConst(insn) && env.bpfCapable) {
    func.stack[spi] = spilled(slot, scalarReg(knownBounds(BigInt(insn.imm)), false), size);
  } else if (reg !== null && isSpillableRegtype(reg.type)) {
    if (size !== SLOT_BYTES) {
      printLine(env, idx, '; ');
      env.deny('invalid size of register spill');
    }
    if (func !== env.func && reg.type === PTR_TO_STACK)
      env.invalid('cannot spill pointers to stack into stack frame of the caller');
    func.stack[spi] = spilled(slot, reg, size);
  } else {
    writeData(env, func, off, size, valueReg, insn);
    return;
  }
  recordStackAccess(env, func.frameno, spi);
}

/** Data, or a register that does not sit on a slot's boundary. */
function writeData(
  env: Env,
  func: FuncState,
  off: number,
  size: number,
  valueReg: number,
  insn: Insn,
): void {
  const spi = slotOf(off);
  const old = func.stack[spi]!;
  const reg = valueReg < 0 ? null : env.regs[valueReg]!;
  let { types } = isStackSlotSpecial(old) ? scrubbed(old) : old;
  const zero = reg === null ? storesConst(insn) && insn.imm === 0 : registerIsNull(reg);
  // zeroes are remembered as such, so the register's being zero matters
  if (zero && reg !== null) markChainPrecision(env, valueReg);
  for (let i = 0; i < size; i++)
    types = withByteType(
      types,
      (byteOf(off) - i + SLOT_BYTES) % SLOT_BYTES,
      zero ? STACK_ZERO : STACK_MISC,
    );
  func.stack[spi] = { types, reg: { ...old.reg, type: NOT_INIT_REG.type } };
}

/** Would speculation past this store see what it overwrites? */
function needsGuard(slot: Slot, reg: Reg | null, size: number): boolean {
  if (reg !== null && isSpillableRegtype(reg.type)) return true;
  for (let i = 0; i < size; i++) {
    const kind = byteType(slot.types, i);
    if (kind !== STACK_MISC && kind !== STACK_ZERO) return true;
  }
  return false;
}

/** A store somewhere in a range: every byte of it may have changed. @linux check_stack_write_var_off */
function writeVariable(
  env: Env,
  func: FuncState,
  ptrReg: number,
  off: number,
  size: number,
  valueReg: number,
  idx: number,
): void {
  const { bounds } = env.regs[ptrReg]!;
  const insn = env.insns[idx]!;
  const min = Number(bounds.smin) + off;
  const max = Number(bounds.smax) + off + size;
  const value = valueReg < 0 ? null : env.regs[valueReg]!;
  const zero = value === null ? storesConst(insn) && insn.imm === 0 : registerIsNull(value);
  let zeroUsed = false;
  for (let at = min; at < max; at++) destroyDynptrAt(env, func, slotOf(at));
  checkFastcallStackContract(env, func.subprogno, idx, min);
  for (let at = min; at < max; at++) {
    const spi = slotOf(at);
    const slot = func.stack[spi]!;
    const kind = byteType(slot.types, byteOf(at));
    env.scratchSlot(spi);
    if (!env.allowPtrLeaks && kind !== STACK_MISC && kind !== STACK_ZERO)
      env.invalid(`spilled ptr in range of var-offset stack write; insn ${idx}, ptr off: ${at}`);
    if (zero && kind === STACK_SPILL && isSpilledScalarReg(slot) && registerIsNull(slot.reg)) {
      zeroUsed = true;
      continue;
    }
    if (kind === STACK_INVALID && !env.allowUninitStack)
      env.invalid(
        `uninit stack in range of var-offset write prohibited for !root; insn ${idx}, off: ${at}`,
      );
    // what is left of a spilled register is data, or no later load of the slot would be understood
    const types = isStackSlotSpecial(slot) ? scrubbed(slot).types : slot.types;
    const keeps = zero && byteType(types, byteOf(at)) === STACK_ZERO;
    zeroUsed ||= keeps;
    func.stack[spi] = {
      types: withByteType(types, byteOf(at), keeps ? STACK_ZERO : STACK_MISC),
      reg: { ...slot.reg, type: NOT_INIT_REG.type },
    };
  }
  if (zeroUsed && valueReg >= 0) markChainPrecision(env, valueReg);
}

/** @linux check_stack_write */
export function writeStack(
  env: Env,
  ptrReg: number,
  off: number,
  size: number,
  valueReg: number,
  idx: number,
): void {
  const reg = env.regs[ptrReg]!;
  const func = env.frameOf(reg);
  if (tnumIsConst(reg.bounds))
    writeFixed(env, func, off + Number(reg.bounds.smin), size, valueReg, idx);
  else writeVariable(env, func, ptrReg, off, size, valueReg, idx);
}

/** What a load of several bytes gives: zero when all are, else a number. @linux mark_reg_stack_read */
function readBytes(env: Env, func: FuncState, min: number, max: number, dst: number): void {
  let zeros = true;
  for (let at = min; at < max && zeros; at++) {
    env.scratchSlot(slotOf(at));
    zeros = byteType(func.stack[slotOf(at)]!.types, byteOf(at)) === STACK_ZERO;
  }
  env.regs[dst] = zeros ? env.zero : env.unknown;
}

/** @linux check_stack_read_fixed_off */
function readFixed(env: Env, func: FuncState, off: number, size: number, dst: number): void {
  const spi = slotOf(off);
  const slot = func.stack[spi]!;
  env.scratchSlot(spi);
  checkFastcallStackContract(env, env.func.subprogno, env.insnIdx, off);
  env.liveness.markRead(func.frameno, spi);
  if (!isSpilledReg(slot)) {
    for (let i = 0; i < size; i++) needReadable(env, slot, off, i, size, false);
    if (dst >= 0) readBytes(env, func, off, off + size, dst);
    return;
  }
  let spillSize = 1;
  while (spillSize < SLOT_BYTES && byteType(slot.types, 7 - spillSize) === STACK_SPILL) spillSize++;
  if (size !== SLOT_BYTES || spillSize !== SLOT_BYTES) {
    if (!readPart(env, slot, off, size, spillSize, dst)) return;
  } else if (dst >= 0) {
    env.regs[dst] = slot.reg;
  } else if (!env.allowPtrLeaks && slot.reg.type !== SCALAR_VALUE) {
    env.deny(`leaking pointer from stack off ${off}`);
  }
  recordStackAccess(env, func.frameno, spi);
}

function needReadable(
  env: Env,
  slot: Slot,
  off: number,
  i: number,
  size: number,
  spillOk: boolean,
): number {
  const kind = byteType(slot.types, (byteOf(off) - i + SLOT_BYTES) % SLOT_BYTES);
  const readable =
    kind === STACK_MISC ||
    kind === STACK_ZERO ||
    (kind === STACK_INVALID && env.allowUninitStack) ||
    (kind === STACK_SPILL && spillOk);
  if (!readable) env.deny(`invalid read from stack off ${off}+${i} size ${size}`);
  return kind;
}

/** Part of a spilled number. @returns true when the register was filled */
function readPart(
  env: Env,
  slot: Slot,
  off: number,
  size: number,
  spillSize: number,
  dst: number,
): boolean {
  const { reg } = slot;
  if (reg.type !== SCALAR_VALUE) {
    printLine(env, env.insnIdx, '; ');
    env.deny('invalid size of register fill');
  }
  if (dst < 0) return false;
  // the lowest bytes lie at the slot's boundary: little-endian
  if (size <= spillSize && off % SLOT_BYTES === 0) {
    // the caller truncates; a truncated value is not linked to the whole
    env.regs[dst] = regWidth(reg) > size * 8 ? { ...reg, id: 0 } : reg;
    return true;
  }
  let spills = 0;
  let zeros = 0;
  for (let i = 0; i < size; i++) {
    const kind = needReadable(env, slot, off, i, size, true);
    if (kind === STACK_SPILL) spills++;
    if (kind === STACK_ZERO) zeros++;
  }
  if (spills === size && registerIsNull(reg)) {
    env.regs[dst] = env.zero;
    return true;
  }
  env.regs[dst] = zeros === size ? env.zero : env.unknown;
  return false;
}

/** @param dst -1: the value goes nowhere @linux check_stack_read */
export function readStack(env: Env, ptrReg: number, off: number, size: number, dst: number): void {
  const reg = env.regs[ptrReg]!;
  const func = env.frameOf(reg);
  if (tnumIsConst(reg.bounds)) {
    readFixed(env, func, off + Number(reg.bounds.smin), size, dst);
    return;
  }
  if (dst < 0)
    env.deny(
      `variable offset stack pointer cannot be passed into helper function; var_off=${tnumText(reg.bounds)} off=${off} size=${size}`,
    );
  checkStackRange(env, ptrReg, off, size, false, 'read', null);
  const min = Number(reg.bounds.smin) + off;
  readBytes(env, func, min, Number(reg.bounds.smax) + off + size, dst);
  checkFastcallStackContract(env, func.subprogno, env.insnIdx, min);
}
