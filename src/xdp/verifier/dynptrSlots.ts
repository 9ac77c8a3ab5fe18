/**
 * Dynptrs live on the stack, in two slots that only helpers write.
 *
 * "cannot overwrite referenced dynptr", "Expected an initialized dynptr as arg #%d", "Expected a
 * dynptr of type %s as arg #%d", "Dynptr has to be an uninitialized dynptr", "dynptr has to be at a
 * constant offset", "cannot pass in dynptr at an offset=%d".
 *
 * @linux process_dynptr_func, mark_stack_slots_dynptr, destroy_if_dynptr_stack_slot; kernel/bpf/verifier.c
 */
import { EINVAL } from '../../host/errno.ts';
import type { Env } from './env.ts';
import type { Reg } from './reg.ts';
import { dynptrReg, withReg } from './reg.ts';
import { acquireReference, releaseReference } from './references.ts';
import {
  BPF_DYNPTR_NR_SLOTS,
  BPF_DYNPTR_TYPE_INVALID,
  BPF_DYNPTR_TYPE_LOCAL,
  BPF_DYNPTR_TYPE_RINGBUF,
  BPF_DYNPTR_TYPE_SKB,
  BPF_DYNPTR_TYPE_XDP,
  CONST_PTR_TO_DYNPTR,
  DYNPTR_TYPE_FLAG_MASK,
  DYNPTR_TYPE_LOCAL,
  DYNPTR_TYPE_RINGBUF,
  DYNPTR_TYPE_SKB,
  DYNPTR_TYPE_XDP,
  MEM_RDONLY,
  MEM_UNINIT,
  PTR_MAYBE_NULL,
  PTR_TO_MEM,
  PTR_TO_STACK,
  dynptrTypeStr,
} from './regTypes.ts';
import { checkMemAccess } from './memAccess.ts';
import { WRONG, objectSlot } from './stackObject.ts';
import type { FuncState, Slot } from './state.ts';
import { EMPTY_SLOT, STACK_DYNPTR, allBytes, byteType } from './state.ts';

const DYNPTR_BYTES = 16;
const ALL_DYNPTR = allBytes(STACK_DYNPTR);

const refcounted = (type: number): boolean => type === BPF_DYNPTR_TYPE_RINGBUF;

/** @linux arg_to_dynptr_type */
function typeOfFlag(argType: number): number {
  switch (argType & DYNPTR_TYPE_FLAG_MASK) {
    case DYNPTR_TYPE_LOCAL:
      return BPF_DYNPTR_TYPE_LOCAL;
    case DYNPTR_TYPE_RINGBUF:
      return BPF_DYNPTR_TYPE_RINGBUF;
    case DYNPTR_TYPE_SKB:
      return BPF_DYNPTR_TYPE_SKB;
    case DYNPTR_TYPE_XDP:
      return BPF_DYNPTR_TYPE_XDP;
    default:
      return BPF_DYNPTR_TYPE_INVALID;
  }
}

/** @linux get_dynptr_type_flag */
export function dynptrFlag(type: number): number {
  const flags = [0, DYNPTR_TYPE_LOCAL, DYNPTR_TYPE_RINGBUF, DYNPTR_TYPE_SKB, DYNPTR_TYPE_XDP];
  return flags[type] ?? 0;
}

const dynptrSlot = (env: Env, reg: Reg): number =>
  objectSlot(env, reg, 'dynptr', BPF_DYNPTR_NR_SLOTS);

/** Something else is written where a dynptr lies: it is gone, and what was sliced from it. @linux destroy_if_dynptr_stack_slot */
export function destroyDynptrAt(env: Env, func: FuncState, at: number): void {
  let spi = at;
  const slot = func.stack[spi];
  if (slot === undefined || byteType(slot.types, 0) !== STACK_DYNPTR) return;
  if (!slot.reg.firstSlot) spi++;
  const { reg } = func.stack[spi]!;
  if (refcounted(reg.dynptrType)) env.invalid('cannot overwrite referenced dynptr');
  env.scratchSlot(spi);
  env.scratchSlot(spi - 1);
  emptySlots(env, func, spi);
  env.cur.mapRegs((other) => {
    const sliced = other.type === PTR_TO_MEM || other.type === (PTR_TO_MEM | PTR_MAYBE_NULL);
    return sliced && other.dynptrId === reg.id ? env.dead : other;
  });
}

function emptySlots(env: Env, func: FuncState, spi: number): void {
  func.stack[spi] = EMPTY_SLOT;
  func.stack[spi - 1] = EMPTY_SLOT;
  env.liveness.markWrite(func.frameno, spi);
  env.liveness.markWrite(func.frameno, spi - 1);
}

/** @linux mark_stack_slots_dynptr */
function makeDynptr(env: Env, reg: Reg, type: number, cloneRef: number, idx: number): void {
  const func = env.frameOf(reg);
  const spi = dynptrSlot(env, reg);
  destroyDynptrAt(env, func, spi);
  destroyDynptrAt(env, func, spi - 1);
  const id = env.newId();
  const ref = refcounted(type) ? cloneRef || acquireReference(env, idx) : 0;
  const half = (first: boolean): Slot => ({
    types: ALL_DYNPTR,
    reg: withReg(dynptrReg(type, first, id), { refObjId: ref }),
  });
  func.stack[spi] = half(true);
  func.stack[spi - 1] = half(false);
  env.liveness.markWrite(func.frameno, spi);
  env.liveness.markWrite(func.frameno, spi - 1);
}

/** The state of the dynptr that a register points to, or null with a message. */
function dynptrAt(env: Env, reg: Reg): Reg | null {
  if (reg.type === CONST_PTR_TO_DYNPTR) return reg;
  const spi = dynptrSlot(env, reg);
  if (spi < 0) return null;
  const first = env.frameOf(reg).stack[spi]!;
  const second = env.frameOf(reg).stack[spi - 1]!;
  const whole = first.types === ALL_DYNPTR && second.types === ALL_DYNPTR;
  return whole && first.reg.firstSlot ? first.reg : null;
}

/** Id, type and reference of an initialized dynptr argument. */
export const dynptrOf = (env: Env, regno: number): Reg => {
  const reg = env.regs[regno]!;
  return reg.type === CONST_PTR_TO_DYNPTR
    ? reg
    : env.frameOf(reg).stack[(-(reg.off + Number(reg.bounds.smin)) - 1) >> 3]!.reg;
};

/**
 * A dynptr argument.
 *
 * @param argType with MEM_UNINIT: one to be made; with MEM_RDONLY: one that stays as it is
 * @param cloneRef the reference that a clone shares
 */
export function processDynptr(
  env: Env,
  regno: number,
  argType: number,
  idx: number,
  cloneRef: number,
): void {
  const reg = env.regs[regno]!;
  if (reg.type !== PTR_TO_STACK && reg.type !== CONST_PTR_TO_DYNPTR)
    env.invalid(`arg#${regno - 1} expected pointer to stack or const struct bpf_dynptr`);
  if ((argType & MEM_UNINIT) !== 0) {
    const spi = reg.type === CONST_PTR_TO_DYNPTR ? WRONG : dynptrSlot(env, reg);
    if (spi === WRONG) env.invalid('Dynptr has to be an uninitialized dynptr');
    for (let i = 0; i < DYNPTR_BYTES; i += 8) checkMemAccess(env, idx, regno, i, 8, 'write', -1);
    makeDynptr(env, env.regs[regno]!, typeOfFlag(argType), cloneRef, idx);
    return;
  }
  if (reg.type === CONST_PTR_TO_DYNPTR && (argType & MEM_RDONLY) === 0)
    env.invalid('cannot pass pointer to const bpf_dynptr, the helper mutates it');
  const state = dynptrAt(env, reg);
  if (state === null) return env.invalid(`Expected an initialized dynptr as arg #${regno - 1}`);
  const wanted = typeOfFlag(argType);
  if ((argType & DYNPTR_TYPE_FLAG_MASK) !== 0 && state.dynptrType !== wanted)
    env.invalid(`Expected a dynptr of type ${dynptrTypeStr(wanted)} as arg #${regno - 1}`);
  if (reg.type === CONST_PTR_TO_DYNPTR) return;
  const first = dynptrSlot(env, reg);
  for (const spi of [first, first - 1]) {
    env.liveness.markRead(reg.frameno, spi);
    env.scratchSlot(spi);
  }
}

/** Is the dynptr one that holds a reference? */
export function dynptrIsReferenced(env: Env, reg: Reg): boolean {
  const spi = dynptrSlot(env, reg);
  return spi >= 0 && env.frameOf(reg).stack[spi]!.reg.refObjId !== 0;
}

/** The helper took the dynptr and what it holds: all clones and slices die. @linux unmark_stack_slots_dynptr */
export function releaseDynptr(env: Env, reg: Reg): number {
  const func = env.frameOf(reg);
  const spi = dynptrSlot(env, reg);
  if (spi < 0) return -EINVAL;
  const held = func.stack[spi]!.reg;
  if (!refcounted(held.dynptrType)) {
    emptySlots(env, func, spi);
    return 0;
  }
  releaseReference(env, held.refObjId);
  for (let i = 1; i < func.stack.length; i++) {
    const slot = func.stack[i]!;
    if (slot.reg.refObjId === held.refObjId && slot.reg.firstSlot) emptySlots(env, func, i);
  }
  return 0;
}
