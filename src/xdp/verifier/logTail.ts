/** How the log of a refusal would end, of a walk that kept none: what is held, the instruction, why. */
import type { Env } from './env.ts';
import { BPF_LOG_LEVEL1, VerifierLog } from './log.ts';
import { markAllScratched, printInsn, printInsnState, printLine } from './logState.ts';

/**
 * To be called once the walk is over: the log of `env` is another afterwards.
 *
 * @param said of the refused instruction
 */
export function writeLogTail(env: Env, said: string): void {
  env.log = new VerifierLog(BPF_LOG_LEVEL1);
  if (env.walking && env.insnIdx < env.insns.length) {
    env.prevLine = null;
    env.prevLogPos = 0;
    markAllScratched(env);
    printInsnState(env, env.cur, env.cur.curframe);
    printLine(env, env.insnIdx, '; ');
    printInsn(env, env.insnIdx);
  }
  env.log.write(said);
}
