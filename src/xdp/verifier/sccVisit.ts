/**
 * Marks of states inside a loop are complete only when all paths that start in the loop were walked.
 *
 * Until then a path that comes round to an equal state leaves a copy of itself, a backedge; when the
 * state that entered the loop is done, precision is carried over the backedges until nothing
 * changes. Visits are told apart by the calls that led to the loop.
 *
 * @linux struct bpf_scc_visit, maybe_enter_scc, maybe_exit_scc, propagate_backedges; kernel/bpf/verifier.c
 */
import type { Env } from './env.ts';
import { markAllScalarsPrecise, propagatePrecision } from './precision.ts';
import type { VerifierState } from './state.ts';

export interface SccVisit {
  readonly callsites: readonly number[];
  entry: VerifierState | null;
  /** The newest first. */
  backedges: VerifierState[];
}

interface Chain {
  readonly scc: number;
  readonly callsites: readonly number[];
}

const MAX_BACKEDGE_ITERS = 64;

/** The outermost loop on the state's call chain. @linux compute_scc_callchain */
function chainOf(env: Env, state: VerifierState): Chain | null {
  const callsites: number[] = [];
  for (let i = 0; i <= state.curframe; i++) {
    const idx = state.frameInsnIdx(i);
    const { scc } = env.aux[idx]!;
    if (scc !== 0) return { scc, callsites };
    callsites.push(idx);
  }
  return null;
}

const text = ({ scc, callsites }: Chain): string => `(${[...callsites, scc].join(',')})`;

const find = (env: Env, chain: Chain): SccVisit | undefined =>
  env.sccVisits[chain.scc]!.find(
    ({ callsites }) =>
      callsites.length === chain.callsites.length &&
      callsites.every((callsite, i) => callsite === chain.callsites[i]),
  );

export function maybeEnterScc(env: Env, state: VerifierState): void {
  const chain = chainOf(env, state);
  if (chain === null) return;
  let visit = find(env, chain);
  if (visit === undefined) {
    visit = { callsites: chain.callsites, entry: null, backedges: [] };
    env.sccVisits[chain.scc]!.push(visit);
  }
  if (visit.entry !== null) return;
  visit.entry = state;
  if (env.log.full) env.write(`SCC enter ${text(chain)}\n`);
}

export function maybeExitScc(env: Env, state: VerifierState): void {
  const chain = chainOf(env, state);
  if (chain === null) return;
  const visit = find(env, chain);
  if (visit === undefined || visit.entry !== state) return;
  if (env.log.full) env.write(`SCC exit ${text(chain)}\n`);
  visit.entry = null;
  env.numBackedges -= visit.backedges.length;
  updatePeakStates(env);
  propagateBackedges(env, visit);
}

function propagateBackedges(env: Env, visit: SccVisit): void {
  let changed = true;
  for (let i = 0; changed; i++) {
    if (i >= MAX_BACKEDGE_ITERS) {
      for (const backedge of visit.backedges) markAllScalarsPrecise(env, backedge);
      break;
    }
    changed = false;
    for (const backedge of visit.backedges)
      if (propagatePrecision(env, backedge.equalState!, backedge)) changed = true;
  }
  visit.backedges = [];
}

/** @linux add_scc_backedge */
export function addBackedge(env: Env, state: VerifierState, backedge: VerifierState): void {
  const chain = chainOf(env, state);
  const visit = chain === null ? undefined : find(env, chain);
  if (chain === null || visit === undefined) return;
  if (env.log.full) env.write(`SCC backedge ${text(chain)}\n`);
  visit.backedges.unshift(backedge);
  env.numBackedges++;
  updatePeakStates(env);
}

/** Are there paths through the state's loop that were not walked to their ends? @linux incomplete_read_marks */
export function incompleteMarks(env: Env, state: VerifierState): boolean {
  const chain = chainOf(env, state);
  if (chain === null) return false;
  const visit = find(env, chain);
  return visit !== undefined && visit.backedges.length > 0;
}

/** @linux update_peak_states */
export function updatePeakStates(env: Env): void {
  const states = env.exploredStatesSize + env.freeListSize + env.numBackedges;
  env.peakStates = Math.max(env.peakStates, states);
}
