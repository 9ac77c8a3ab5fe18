/**
 * What a path did that its instructions alone do not tell: where it jumped, which slots registers
 * were spilled to and filled from, and which registers learned bounds together. Precision is traced
 * back along it.
 *
 * @linux push_jmp_history; kernel/bpf/verifier.c
 */
import type { Env } from './env.ts';
import type { HistoryEntry, LinkedReg } from './state.ts';

const NOTHING: Pick<HistoryEntry, 'stack' | 'dstStack' | 'srcStack' | 'linked'> = {
  stack: null,
  dstStack: false,
  srcStack: false,
  linked: [],
};

/** Add to what is recorded of the running instruction. */
function record(env: Env, what: Partial<HistoryEntry>): void {
  const { history } = env.cur;
  if (env.curHistory === null) {
    env.curHistory = { idx: env.insnIdx, prevIdx: env.prevInsnIdx, ...NOTHING, ...what };
    history.push(env.curHistory);
    return;
  }
  // entries are shared with states that branched off: replace, do not change
  env.curHistory = { ...env.curHistory, ...what };
  history[history.length - 1] = env.curHistory;
}

/** The path jumped here, or goes on from here. */
export const recordHistory = (env: Env): void => record(env, {});

/** A register went to or came from this slot whole. */
export const recordStackAccess = (env: Env, frameno: number, spi: number): void =>
  record(env, { stack: { frameno, spi } });

/** Operands of a comparison that are stack pointers. */
export const recordStackOperands = (env: Env, dstStack: boolean, srcStack: boolean): void =>
  record(env, { dstStack, srcStack });

export const recordLinked = (env: Env, linked: readonly LinkedReg[]): void =>
  record(env, { linked });
