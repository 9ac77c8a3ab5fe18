/**
 * Remembered states: where to keep one, which to forget, and when a path may end because an equal one
 * was walked already; also how an endless loop is noticed.
 *
 * "infinite loop detected at insn %d".
 *
 * @linux is_state_visited, clean_live_states, update_branch_counts; kernel/bpf/verifier.c
 */
import { BPF_REG_1, BPF_REG_10 } from '../isa/insn.ts';
import { EINVAL } from '../../host/errno.ts';
import type { Env } from './env.ts';
import { Refused } from './env.ts';
import { isMayGoto } from './insnKind.ts';
import { printLine, printVerifierState } from './logState.ts';
import { markAllScalarsImprecise, propagatePrecision } from './precision.ts';
import { recordHistory } from './history.ts';
import { NOT_INIT_REG, fixedOffset } from './reg.ts';
import {
  addBackedge,
  incompleteMarks,
  maybeEnterScc,
  maybeExitScc,
  updatePeakStates,
} from './sccVisit.ts';
import type { VerifierState } from './state.ts';
import { EMPTY_SLOT, STACK_ITER, byteType } from './state.ts';
import { statesEqual, statesMaybeLooping } from './statesEqual.ts';

/** Longer histories make a state be remembered. */
const LONG_HISTORY = 40;

/** @linux explored_state */
export function exploredStates(env: Env, idx: number): VerifierState[] {
  const bucket = ((idx ^ env.cur.top.callsite) >>> 0) % env.insns.length;
  return (env.explored[bucket] ??= []);
}

/** Forget what nobody reads any more; it would only keep states apart. @linux clean_verifier_state */
function cleanState(env: Env, state: VerifierState): void {
  state.cleaned = true;
  const alive = env.liveness.query(state);
  state.frames.forEach((func, frame) => {
    const { liveRegs } = env.aux[state.frameInsnIdx(frame)]!;
    for (let i = 0; i < BPF_REG_10; i++)
      if ((liveRegs & (1 << i)) === 0) func.regs[i] = NOT_INIT_REG;
    for (let spi = 0; spi < func.stack.length; spi++)
      if (!alive(frame, spi)) func.stack[spi] = EMPTY_SLOT;
  });
}

function cleanStates(env: Env, idx: number, states: readonly VerifierState[]): void {
  for (let i = states.length - 1; i >= 0; i--) {
    const state = states[i]!;
    if (state.branches > 0 || state.insnIdx !== idx || state.cleaned) continue;
    if (!state.sameCallsites(env.cur) || incompleteMarks(env, state)) continue;
    cleanState(env, state);
  }
}

/** Another turn of an iterator's loop is no endless loop. @linux iter_active_depths_differ */
const iterDepthsDiffer = (old: VerifierState, cur: VerifierState): boolean =>
  old.frames.some((func, fr) =>
    func.stack.some(
      (slot, spi) =>
        byteType(slot.types, 0) === STACK_ITER &&
        slot.reg.iterState === 'active' &&
        cur.frames[fr]!.stack[spi]!.reg.iterDepth !== slot.reg.iterDepth,
    ),
  );

/** Is the iterator that this `next` call names still running? */
function iterActive(env: Env): boolean {
  const reg = env.regs[BPF_REG_1]!;
  const spi = (-fixedOffset(reg) - 1) >> 3;
  return env.frameOf(reg).stack[spi]?.reg.iterState === 'active';
}

type Match = 'hit' | 'loop' | 'miss';

/** A state that is still being walked below: has the path come round to it? */
function matchOpen(env: Env, old: VerifierState, idx: number): Match {
  const { cur } = env;
  const frame = old.top;
  if (frame.inAsyncCallbackFn && frame.asyncEntryCnt !== cur.top.asyncEntryCnt) return 'miss';
  if (env.aux[idx]!.isIterNext)
    return statesEqual(env, old, cur, 'rangeWithin') && iterActive(env) ? 'loop' : 'miss';
  if (
    isMayGoto(env.insns[idx]!) &&
    old.mayGotoDepth !== cur.mayGotoDepth &&
    statesEqual(env, old, cur, 'rangeWithin')
  )
    return 'loop';
  if (env.aux[idx]!.callsCallback)
    return statesEqual(env, old, cur, 'rangeWithin') ? 'loop' : 'miss';
  if (
    statesMaybeLooping(old, cur) &&
    statesEqual(env, old, cur, 'exact') &&
    !iterDepthsDiffer(old, cur) &&
    old.mayGotoDepth === cur.mayGotoDepth &&
    old.callbackUnrollDepth === cur.callbackUnrollDepth
  )
    refuseLoop(env, old, idx);
  return 'miss';
}

function refuseLoop(env: Env, old: VerifierState, idx: number): never {
  const { cur } = env;
  printLine(env, idx, '; ');
  env.write(`infinite loop detected at insn ${idx}\ncur state:`);
  printVerifierState(env, cur, cur.curframe, true);
  env.write('old state:');
  printVerifierState(env, old, cur.curframe, true);
  throw new Refused(EINVAL, `infinite loop detected at insn ${idx}`);
}

/** The path ends here; what mattered to `old` matters to it. */
function takeHit(env: Env, old: VerifierState, idx: number, loop: boolean): void {
  old.hitCnt++;
  if (env.aux[env.insnIdx]!.jmpPoint) recordHistory(env);
  propagatePrecision(env, old, env.cur);
  if (!loop) return;
  const backedge = env.cur.clone();
  backedge.equalState = old;
  backedge.insnIdx = idx;
  addBackedge(env, old, backedge);
}

/** @linux maybe_free_verifier_state */
function maybeFree(env: Env, state: VerifierState): void {
  if (!state.inFreeList || state.branches !== 0 || incompleteMarks(env, state)) return;
  state.inFreeList = false;
  env.freeListSize--;
}

function forget(env: Env, states: VerifierState[], i: number): void {
  const state = states[i]!;
  states.splice(i, 1);
  state.inFreeList = true;
  env.freeListSize++;
  env.exploredStatesSize--;
  maybeFree(env, state);
}

/**
 * The path reached a point where states are compared.
 *
 * @returns true when it may end: an equal state was found
 */
export function isStateVisited(env: Env, idx: number): boolean {
  const { cur } = env;
  const aux = env.aux[idx]!;
  const force =
    env.options.testStateFreq || aux.forceCheckpoint || cur.history.length > LONG_HISTORY;
  const jumps = env.jmpsProcessed - env.prevJmpsProcessed;
  const insns = env.insnProcessed - env.prevInsnProcessed;
  let add = force || (jumps >= 2 && insns >= 8);

  const states = exploredStates(env, idx);
  cleanStates(env, idx, states);
  let count = 0;
  for (let i = states.length - 1; i >= 0; i--) {
    const old = states[i]!;
    count++;
    if (old.insnIdx !== idx) continue;
    let match: Match;
    if (old.branches > 0) {
      match = matchOpen(env, old, idx);
      // turns of a loop differ; do not keep every one
      if (match === 'miss' && !force && jumps < 20 && insns < 100) add = false;
    } else {
      const loop = incompleteMarks(env, old);
      const equal = statesEqual(env, old, cur, loop ? 'rangeWithin' : 'not');
      match = equal ? (loop ? 'loop' : 'hit') : 'miss';
    }
    if (match === 'hit' || match === 'loop') {
      takeHit(env, old, idx, match === 'loop');
      return true;
    }
    if (add) old.missCnt++;
    const patience = aux.forceCheckpoint && old.branches > 0 ? 64 : 3;
    if (old.missCnt > old.hitCnt * patience + patience) forget(env, states, i);
  }
  env.maxStatesPerInsn = Math.max(env.maxStatesPerInsn, count);
  if (add) remember(env, idx, states);
  return false;
}

function remember(env: Env, idx: number, states: VerifierState[]): void {
  const { cur } = env;
  env.totalStates++;
  env.exploredStatesSize++;
  updatePeakStates(env);
  env.prevJmpsProcessed = env.jmpsProcessed;
  env.prevInsnProcessed = env.insnProcessed;
  markAllScalarsImprecise(cur);
  const saved = cur.clone();
  saved.insnIdx = idx;
  maybeEnterScc(env, saved);
  cur.parent = saved;
  cur.firstInsnIdx = idx;
  cur.dfsDepth = saved.dfsDepth + 1;
  cur.history = [];
  states.push(saved);
}

/** A path ended: states with no path left below them are done. */
export function updateBranchCounts(env: Env, from: VerifierState): void {
  for (let state: VerifierState | null = from; state !== null; state = state.parent) {
    if (--state.branches > 0) return;
    maybeExitScc(env, state);
    if (state !== from) maybeFree(env, state);
  }
}
