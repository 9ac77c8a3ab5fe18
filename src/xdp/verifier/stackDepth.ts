/**
 * Stack of all functions that can be active at once.
 *
 * "combined stack size of %d calls is %d. Too large", "tail_calls are not allowed when call stack of
 * previous frames is %d bytes. Too large", "the call stack of %d frames is too deep !", "insn %d cannot
 * call exception cb directly", "bpf_throw kfunc (insn %d) cannot be called from callback subprog %d".
 *
 * @linux check_max_stack_depth; kernel/bpf/verifier.c
 */
import { E2BIG, EINVAL } from '../../host/errno.ts';
import { BPF_JCOND, BPF_JMP, MAX_BPF_STACK, MAX_CALL_FRAMES } from '../isa/insn.ts';
import { kfuncByImm } from '../helpers/kfuncProtos.ts';
import type { Env } from './env.ts';
import { Refused } from './env.ts';
import { isKfuncCall, isPseudoFunc, isSubprogCall } from './insnKind.ts';
import { findSubprog } from './subprogs.ts';

/** Compiled code keeps the stack aligned. */
const STACK_ALIGN = 16;
/** Above this much stack no function that tail-calls may run. */
const TAIL_CALL_STACK = 256;

/** @param depth bytes of the functions above @param above which they are */
function walk(env: Env, idx: number, depth: number, above: readonly number[]): void {
  const frame = above.length;
  const chain = [...above, idx];
  const subprog = env.subprogs[idx]!;
  if (idx !== 0 && subprog.hasTailCall && depth >= TAIL_CALL_STACK)
    env.deny(
      `tail_calls are not allowed when call stack of previous frames is ${depth} bytes. Too large`,
    );
  const own = Math.ceil(subprog.stackDepth / STACK_ALIGN) * STACK_ALIGN;
  const total = depth + own;
  if (total > MAX_BPF_STACK) {
    env.stackChain = chain;
    env.deny(`combined stack size of ${frame + 1} calls is ${total}. Too large`);
  }
  for (let i = subprog.start; i < env.subprogs[idx + 1]!.start; i++) {
    const insn = env.insns[i]!;
    if (isKfuncCall(insn) && kfuncByImm(insn.imm)?.name === 'bpf_throw')
      refuseThrowInCallback(env, i, chain);
    if (!isSubprogCall(insn) && !isPseudoFunc(insn)) continue;
    const callee = findSubprog(env, i + insn.imm + 1);
    if (env.subprogs[callee]!.isAsyncCb && !isSubprogCall(insn)) continue;
    if (env.subprogs[callee]!.isExceptionCb) {
      const text = `insn ${i} cannot call exception cb directly`;
      env.write(text); // Linux does not end the line
      throw new Refused(EINVAL, text);
    }
    if (frame + 1 >= MAX_CALL_FRAMES)
      env.refuse(E2BIG, `the call stack of ${frame + 1} frames is too deep !`);
    walk(env, callee, total, chain);
  }
}

/** What is thrown leaves the whole program: the kernel in between would not be wound up. */
function refuseThrowInCallback(env: Env, i: number, chain: readonly number[]): void {
  if (chain.some((idx) => env.subprogs[idx]!.isCb))
    env.invalid(
      `bpf_throw kfunc (insn ${i}) cannot be called from callback subprog ${chain.at(-1)!}`,
    );
}

export function checkMaxStackDepth(env: Env): void {
  for (let i = 0; i < env.subprogCount; i++)
    if (i === 0 || env.subprogs[i]!.isAsyncCb) walk(env, i, 0, []);
}

/** Bytes in which an inlined `bpf_loop` keeps the registers of its function. */
const LOOP_BYTES = 24;
const LOOP_ALIGN = 8;
/** Bytes of `may_goto`: its count and its time. */
const MAY_GOTO_BYTES = 16;

/** What rewriting adds to a function's stack once the program is accepted. @linux optimize_bpf_loop, do_misc_fixups */
export function rewrittenDepth(env: Env, idx: number): number {
  const { start, stackDepth } = env.subprogs[idx]!;
  let depth = stackDepth;
  let loops = false;
  let gotos = false;
  for (let i = start; i < env.subprogs[idx + 1]!.start; i++) {
    if (!env.aux[i]!.seen) continue;
    loops ||= env.aux[i]!.loopInline === true;
    gotos ||= env.insns[i]!.code === (BPF_JMP | BPF_JCOND) && env.insns[i]!.off !== 0;
  }
  if (loops) depth = Math.ceil(depth / LOOP_ALIGN) * LOOP_ALIGN + LOOP_BYTES;
  return gotos ? depth + MAY_GOTO_BYTES : depth;
}
