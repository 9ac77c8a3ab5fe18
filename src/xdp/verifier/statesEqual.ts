/**
 * Is the state at hand covered by one that was walked to its end? If all that can be done in it could
 * be done in the old one, there is no need to walk on.
 *
 * Ids need not be the same, but must tell the same registers apart (`IdMap`).
 *
 * @linux states_equal, regsafe, stacksafe, refsafe; kernel/bpf/verifier.c
 */
import { MAX_BPF_REG } from '../isa/insn.ts';
import { boundsEqual, rangeWithin } from './bounds.ts';
import type { Env } from './env.ts';
import type { Reg } from './reg.ts';
import { UNKNOWN_REG, addConstMark, baseId, isAddConst, sameKind, sameValue } from './reg.ts';
import {
  NOT_INIT,
  PTR_TO_ARENA,
  PTR_TO_BUF,
  PTR_TO_MAP_KEY,
  PTR_TO_MAP_VALUE,
  PTR_TO_MEM,
  PTR_TO_PACKET,
  PTR_TO_PACKET_META,
  PTR_TO_STACK,
  SCALAR_VALUE,
  baseType,
} from './regTypes.ts';
import type { FuncState, Slot, VerifierState } from './state.ts';
import {
  SLOT_BYTES,
  STACK_DYNPTR,
  STACK_INVALID,
  STACK_IRQ_FLAG,
  STACK_ITER,
  STACK_MISC,
  STACK_SPILL,
  STACK_ZERO,
  byteType,
  isSpilledScalarReg64,
} from './state.ts';
import { tnumIn } from './tnum.ts';

/**
 * How equal? `not` uses that the old state's marks are complete; inside loops they are not yet:
 * `rangeWithin` compares all numbers as if they mattered, `exact` wants the very same.
 */
export type Exactness = 'not' | 'exact' | 'rangeWithin';

/** Which id of the old state stands for which of the current one. @linux struct bpf_idmap */
export class IdMap {
  private readonly old: number[] = [];
  private readonly cur: number[] = [];
  private lastTemporary: number;

  constructor(idGen: number) {
    this.lastTemporary = idGen;
  }

  /** @linux check_ids */
  check(old: number, cur: number): boolean {
    if ((old === 0) !== (cur === 0)) return false;
    if (old === 0) return true;
    for (let i = 0; i < this.old.length; i++) {
      if (this.old[i] === old) return this.cur[i] === cur;
      if (this.cur[i] === cur) return false;
    }
    this.old.push(old);
    this.cur.push(cur);
    return true;
  }

  /** A number without an id is one of its own; links of the old one must be there. @linux check_scalar_ids */
  checkScalar(old: number, cur: number): boolean {
    if (old === 0) return true;
    const now = cur === 0 ? ++this.lastTemporary : cur;
    if (!this.check(old, now)) return false;
    return !isAddConst(old) || this.check(baseId(old), baseId(now));
  }
}

/** @linux regs_exact */
export const regsExact = (old: Reg, cur: Reg, ids: IdMap): boolean =>
  sameValue(old, cur) && ids.check(old.id, cur.id) && ids.check(old.refObjId, cur.refObjId);

function scalarSafe(env: Env, old: Reg, cur: Reg, ids: IdMap, exact: Exactness): boolean {
  if (env.exploreAluLimits)
    return boundsEqual(old.bounds, cur.bounds) && ids.checkScalar(old.id, cur.id);
  if (!old.precise && exact === 'not') return true;
  if (old.id !== 0 && addConstMark(old.id) !== addConstMark(cur.id)) return false;
  if (isAddConst(old.id) && old.off !== cur.off) return false;
  return (
    rangeWithin(old.bounds, cur.bounds) &&
    tnumIn(old.bounds, cur.bounds) &&
    ids.checkScalar(old.id, cur.id)
  );
}

const within = (old: Reg, cur: Reg): boolean =>
  old.bounds === cur.bounds ||
  (rangeWithin(old.bounds, cur.bounds) && tnumIn(old.bounds, cur.bounds));

/** Bytes inside the packet; negative ones say how a comparison with the end comes out. */
const reachesAsFar = (old: number, cur: number): boolean =>
  old < 0 || cur < 0 ? old === cur : old <= cur;

/** @linux regsafe */
function regSafe(env: Env, old: Reg, cur: Reg, ids: IdMap, exact: Exactness): boolean {
  if (exact === 'exact') return regsExact(old, cur, ids);
  if (old.type === NOT_INIT && (exact === 'not' || cur.type === NOT_INIT)) return true;
  if (old.type !== cur.type) return false;
  switch (baseType(old.type)) {
    case SCALAR_VALUE:
      return scalarSafe(env, old, cur, ids, exact);
    case PTR_TO_MAP_KEY:
    case PTR_TO_MAP_VALUE:
    case PTR_TO_MEM:
    case PTR_TO_BUF:
      return (
        sameKind(old, cur) &&
        within(old, cur) &&
        ids.check(old.id, cur.id) &&
        ids.check(old.refObjId, cur.refObjId)
      );
    case PTR_TO_PACKET_META:
    case PTR_TO_PACKET:
      if (!reachesAsFar(old.range, cur.range) || old.off !== cur.off) return false;
      return ids.check(old.id, cur.id) && within(old, cur);
    case PTR_TO_ARENA:
      return true;
    case PTR_TO_STACK:
      return regsExact(old, cur, ids) && old.frameno === cur.frameno;
    default:
      return regsExact(old, cur, ids);
  }
}

/** Nothing but data in the slot? @linux is_stack_all_misc */
function allMisc(env: Env, types: number): boolean {
  for (let j = 0; j < SLOT_BYTES; j++) {
    const kind = byteType(types, j);
    if (kind !== STACK_MISC && !(kind === STACK_INVALID && env.allowUninitStack)) return false;
  }
  return true;
}

/** What reading all of the slot gives, where that is a number. @linux scalar_reg_for_stack */
function scalarOf(env: Env, slot: Slot): Reg | null {
  if (isSpilledScalarReg64(slot)) return slot.reg;
  return allMisc(env, slot.types) ? UNKNOWN_REG : null;
}

function specialSafe(
  env: Env,
  kind: number,
  old: Reg,
  cur: Reg,
  ids: IdMap,
  exact: Exactness,
): boolean {
  switch (kind) {
    case STACK_SPILL:
      return regSafe(env, old, cur, ids, exact);
    case STACK_DYNPTR:
      return (
        old.dynptrType === cur.dynptrType &&
        old.firstSlot === cur.firstSlot &&
        ids.check(old.refObjId, cur.refObjId)
      );
    case STACK_ITER:
      // the depth only tells loops from endless ones
      return (
        old.iterName === cur.iterName &&
        old.iterState === cur.iterState &&
        ids.check(old.refObjId, cur.refObjId)
      );
    case STACK_IRQ_FLAG:
      return ids.check(old.refObjId, cur.refObjId);
    default:
      return true;
  }
}

/** @linux stacksafe */
function slotSafe(
  env: Env,
  old: Slot,
  cur: Slot | undefined,
  ids: IdMap,
  exact: Exactness,
): boolean {
  if (exact !== 'not' && (cur === undefined || old.types !== cur.types)) return false;
  let compared = false;
  for (let j = 0; j < SLOT_BYTES; j++) {
    const kind = byteType(old.types, j);
    if (kind === STACK_INVALID || (kind === STACK_MISC && env.allowUninitStack)) continue;
    if (cur === undefined) return false;
    if (!compared) {
      compared = true;
      const oldScalar = scalarOf(env, old);
      const curScalar = oldScalar === null ? null : scalarOf(env, cur);
      if (oldScalar !== null && curScalar !== null)
        return regSafe(env, oldScalar, curScalar, ids, exact);
    }
    const now = byteType(cur.types, j);
    if (kind === STACK_MISC && now === STACK_ZERO) continue;
    if (kind !== now) return false;
    if (j === SLOT_BYTES - 1) return specialSafe(env, kind, old.reg, cur.reg, ids, exact);
  }
  return true;
}

function funcStatesEqual(
  env: Env,
  old: FuncState,
  cur: FuncState,
  liveRegs: number,
  ids: IdMap,
  exact: Exactness,
): boolean {
  if (old.callbackDepth > cur.callbackDepth) return false;
  for (let i = 0; i < MAX_BPF_REG; i++) {
    if ((liveRegs & (1 << i)) === 0) continue;
    if (!regSafe(env, old.regs[i]!, cur.regs[i]!, ids, exact)) return false;
  }
  return old.stack.every((slot, spi) => slotSafe(env, slot, cur.stack[spi], ids, exact));
}

function refsSafe(old: VerifierState, cur: VerifierState, ids: IdMap): boolean {
  if (old.refs.length !== cur.refs.length) return false;
  if (old.activeLocks !== cur.activeLocks) return false;
  if (old.activePreemptLocks !== cur.activePreemptLocks) return false;
  if (old.activeRcuLock !== cur.activeRcuLock) return false;
  if (!ids.check(old.activeIrqId, cur.activeIrqId)) return false;
  if (!ids.check(old.activeLockId, cur.activeLockId)) return false;
  if (old.activeLockMap !== cur.activeLockMap) return false;
  return old.refs.every((ref, i) => {
    const other = cur.refs[i]!;
    return ids.check(ref.id, other.id) && ref.kind === other.kind && ref.map === other.map;
  });
}

export function statesEqual(
  env: Env,
  old: VerifierState,
  cur: VerifierState,
  exact: Exactness,
): boolean {
  if (old.frames.length !== cur.frames.length) return false;
  if (old.speculative && !cur.speculative) return false;
  if (old.inSleepable !== cur.inSleepable) return false;
  const ids = new IdMap(env.idGen);
  if (!refsSafe(old, cur, ids)) return false;
  return old.frames.every((frame, i) => {
    if (frame.callsite !== cur.frames[i]!.callsite) return false;
    const { liveRegs } = env.aux[old.frameInsnIdx(i)]!;
    return funcStatesEqual(env, frame, cur.frames[i]!, liveRegs, ids, exact);
  });
}

/** A quick look before the exact one. @linux states_maybe_looping */
export function statesMaybeLooping(old: VerifierState, cur: VerifierState): boolean {
  if (old.frames.length !== cur.frames.length) return false;
  const a = old.top.regs;
  const b = cur.top.regs;
  return a.every(
    (reg, i) =>
      reg === b[i] ||
      (sameValue(reg, b[i]!) && reg.id === b[i]!.id && reg.refObjId === b[i]!.refObjId),
  );
}
