/**
 * Iterators live on the stack between `bpf_iter_*_new` and `_destroy`; `_next` splits the path: there
 * is one more element, or there is none.
 *
 * "arg#%d expected pointer to an iterator on stack", "expected uninitialized iter_%s as arg #%d",
 * "expected an initialized iter_%s as arg #%d".
 *
 * @linux process_iter_arg, process_iter_next_call; kernel/bpf/verifier.c
 */
import { ENOMEM } from '../../host/errno.ts';
import type { KfuncProto } from '../helpers/kfuncProtos.ts';
import type { Env } from './env.ts';
import { checkMemAccess } from './memAccess.ts';
import { markPtrNotNull } from './nullness.ts';
import { pushPath } from './paths.ts';
import { acquireReference, releaseReference } from './references.ts';
import type { Reg } from './reg.ts';
import { pointerReg, withReg } from './reg.ts';
import { PTR_TO_STACK } from './regTypes.ts';
import { OUTSIDE, WRONG, objectSlot } from './stackObject.ts';
import type { FuncState, VerifierState } from './state.ts';
import { EMPTY_SLOT, SLOT_BYTES, STACK_ITER, allBytes, byteType } from './state.ts';
import { findPrevEntry, widenImpreciseScalars } from './widen.ts';

const ALL_ITER = allBytes(STACK_ITER);

/** Where the iterator of a call lies. */
export interface IterPlace {
  readonly frameno: number;
  readonly spi: number;
  readonly refObjId: number;
}

const NEW_ITER: IterPlace = { frameno: 0, spi: 0, refObjId: 0 };

const slotRange = (spi: number, slots: number): number[] =>
  Array.from({ length: slots }, (_, i) => spi - i);

function isFree(func: FuncState, spi: number, slots: number): boolean {
  if (spi === OUTSIDE) return true;
  if (spi === WRONG) return false;
  return slotRange(spi, slots).every((at) => {
    const { types } = func.stack[at]!;
    return [0, 1, 2, 3, 4, 5, 6, 7].every((byte) => byteType(types, byte) !== STACK_ITER);
  });
}

/** @linux is_iter_reg_valid_init */
const isMade = (func: FuncState, spi: number, slots: number, name: string): boolean =>
  spi >= 0 &&
  slotRange(spi, slots).every((at, i) => {
    const { types, reg } = func.stack[at]!;
    return types === ALL_ITER && reg.iterName === name && (reg.refObjId !== 0) === (i === 0);
  });

/** @linux mark_stack_slots_iter */
function make(env: Env, func: FuncState, spi: number, slots: number, name: string): void {
  const id = acquireReference(env, env.insnIdx);
  slotRange(spi, slots).forEach((at, i) => {
    const reg = pointerReg(PTR_TO_STACK, {
      refObjId: i === 0 ? id : 0,
      iterName: name,
      iterState: 'active',
    });
    func.stack[at] = { types: ALL_ITER, reg };
    env.liveness.markWrite(func.frameno, at);
    env.scratchSlot(at);
  });
}

/** @linux unmark_stack_slots_iter */
function destroy(env: Env, func: FuncState, spi: number, slots: number): void {
  releaseReference(env, func.stack[spi]!.reg.refObjId);
  for (const at of slotRange(spi, slots)) {
    func.stack[at] = EMPTY_SLOT;
    env.liveness.markWrite(func.frameno, at);
    env.scratchSlot(at);
  }
}

/** The iterator argument of `kfunc`. */
export function processIter(env: Env, regno: number, kfunc: KfuncProto): IterPlace {
  const reg = env.regs[regno]!;
  const name = kfunc.iterName!;
  const slots = kfunc.iterBytes! / SLOT_BYTES;
  if (reg.type !== PTR_TO_STACK)
    env.invalid(`arg#${regno - 1} expected pointer to an iterator on stack`);
  const func = env.frameOf(reg);
  if (kfunc.iter === 'new') {
    if (!isFree(func, objectSlot(env, reg, 'iter', slots), slots))
      env.invalid(`expected uninitialized iter_${name} as arg #${regno - 1}`);
    for (let i = 0; i < slots * SLOT_BYTES; i += SLOT_BYTES)
      checkMemAccess(env, env.insnIdx, regno, i, SLOT_BYTES, 'write', -1);
    make(env, func, objectSlot(env, reg, 'iter', slots), slots, name);
    return NEW_ITER;
  }
  const spi = objectSlot(env, reg, 'iter', slots);
  if (!isMade(func, spi, slots, name))
    env.invalid(`expected an initialized iter_${name} as arg #${regno - 1}`);
  for (const at of slotRange(spi, slots)) {
    env.liveness.markRead(reg.frameno, at);
    env.scratchSlot(at);
  }
  const { refObjId } = func.stack[spi]!.reg;
  if (kfunc.iter === 'destroy') destroy(env, func, spi, slots);
  return { frameno: reg.frameno, spi, refObjId };
}

function changeIter(state: VerifierState, { frameno, spi }: IterPlace, change: Partial<Reg>): void {
  const { stack } = state.frames[frameno]!;
  const { types, reg } = stack[spi]!;
  stack[spi] = { types, reg: withReg(reg, change) };
}

/** After `_next`: one path with an element, and this one with none. */
export function splitAtNext(env: Env, place: IterPlace): void {
  const { cur, insnIdx } = env;
  const { iterState, iterDepth } = cur.frames[place.frameno]!.stack[place.spi]!.reg;
  if (iterState === 'active') {
    const before = findPrevEntry(env, cur.parent, insnIdx);
    const queued = pushPath(env, insnIdx + 1, insnIdx, false, ENOMEM);
    changeIter(queued, place, { iterDepth: iterDepth + 1 });
    if (before !== null) widenImpreciseScalars(env, before, queued);
    const { regs } = queued.top;
    regs[0] = markPtrNotNull(regs[0]!);
  }
  changeIter(cur, place, { iterState: 'drained' });
  env.regs[0] = env.zero;
}
