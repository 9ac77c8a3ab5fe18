/**
 * Paths that are to be walked later.
 *
 * "The sequence of %d jumps is too complex."
 *
 * @linux push_stack, push_async_cb, pop_stack; kernel/bpf/verifier.c
 */
import { EFAULT } from '../../host/errno.ts';
import type { Env } from './env.ts';
import { markAllScratched } from './logState.ts';
import { FuncState, VerifierState } from './state.ts';

const BPF_COMPLEXITY_LIMIT_JMP_SEQ = 8192;

function push(
  env: Env,
  state: VerifierState,
  insnIdx: number,
  prevInsnIdx: number,
  errno: number,
): void {
  env.pending.push({ state, insnIdx, prevInsnIdx, logEnd: env.log.end });
  if (env.pending.length > BPF_COMPLEXITY_LIMIT_JMP_SEQ)
    env.refuse(errno, `The sequence of ${env.pending.length} jumps is too complex.`);
}

/** Branch off: the copy goes on at `insnIdx`. @param errno what Linux answers there when paths are too many */
export function pushPath(
  env: Env,
  insnIdx: number,
  prevInsnIdx: number,
  speculative: boolean = false,
  errno: number = EFAULT,
): VerifierState {
  const state = env.cur.clone();
  push(env, state, insnIdx, prevInsnIdx, errno);
  state.speculative ||= speculative;
  if (state.parent !== null) state.parent.branches++;
  return state;
}

/** A callback that runs by itself, some time: it begins with an empty stack. */
export function pushAsyncPath(
  env: Env,
  subprog: number,
  prevInsnIdx: number,
  sleepable: boolean,
): FuncState {
  const state = new VerifierState();
  state.inSleepable = sleepable;
  state.branches = 1;
  const frame = new FuncState(-1, 0, subprog);
  state.frames.push(frame);
  markAllScratched(env);
  push(env, state, env.subprogs[subprog]!.start, prevInsnIdx, EFAULT);
  return frame;
}
