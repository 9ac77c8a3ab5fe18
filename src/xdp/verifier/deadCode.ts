/**
 * Code that no path reaches: branches into it become plain jumps, and it stands still, so that nobody
 * trips over what was never meant to run here. Slots stay where they are.
 *
 * Linux cuts it out instead, and then may not find a function whose address live code still takes.
 * "verifier bug: No program to jit at insn %d (subprog < 0)", "invalid kernel function call not eliminated
 * in verifier pass".
 *
 * @linux opt_hard_wire_dead_code_branches, sanitize_dead_code, jit_subprogs; kernel/bpf/verifier.c
 */
import { EFAULT } from '../../host/errno.ts';
import type { Insn } from '../isa/insn.ts';
import { BPF_CALL, BPF_EXIT, BPF_JA, BPF_JMP, BPF_JMP32, LD_IMM64 } from '../isa/insn.ts';
import type { Env } from './env.ts';
import { GOTO, classOf, isKfuncCall, isPseudoFunc, opOf } from './insnKind.ts';

const goto = (off: number): Insn => ({ code: GOTO, dst: 0, src: 0, off, imm: 0 });
const STAND_STILL: Insn = goto(-1);

function isConditional(insn: Insn): boolean {
  const op = opOf(insn);
  if (classOf(insn) === BPF_JMP32) return op !== BPF_JA;
  return classOf(insn) === BPF_JMP && op !== BPF_JA && op !== BPF_EXIT && op !== BPF_CALL;
}

/** @param seen by slot; the second of a 64-bit constant goes with its first */
export function withoutDeadCode(
  insns: readonly Insn[],
  seen: (slot: number) => boolean,
): readonly Insn[] {
  let secondOf = false;
  return insns.map((insn, i) => {
    if (secondOf) {
      secondOf = false;
      return insn;
    }
    if (!seen(i)) return STAND_STILL;
    if (insn.code === LD_IMM64) secondOf = true;
    if (!isConditional(insn)) return insn;
    if (!seen(i + 1)) return goto(insn.off);
    return seen(i + 1 + insn.off) ? insn : goto(0);
  });
}

/** Calls of no kernel function are let stand where nobody comes by. @linux fixup_kfunc_call */
export function refuseNamelessCalls(env: Env): void {
  const left = env.insns.some((insn, i) => isKfuncCall(insn) && insn.imm === 0 && env.aux[i]!.seen);
  if (left) env.invalid('invalid kernel function call not eliminated in verifier pass');
}

/**
 * Callbacks that no path reaches though live code takes their address: Linux cuts each run of dead code
 * out, and an address where such a run began is then that of the function behind it, if there is one.
 * With one function left nobody looks. Linux counts the instructions that it put in, too.
 *
 * @linux opt_remove_dead_code, adjust_subprog_starts_after_remove, jit_subprogs
 */
export function refuseDeadCallbacks(env: Env): void {
  const seen = (slot: number): boolean => env.aux[slot]!.seen;
  const live = env.subprogs.slice(0, -1).filter(({ start }) => seen(start));
  if (live.length <= 1) return;
  const lastLive = live.at(-1)!.start;
  env.insns.forEach((insn, i) => {
    if (!isPseudoFunc(insn) || !seen(i)) return;
    const callback = i + 1 + insn.imm;
    if (seen(callback) || (seen(callback - 1) && callback < lastLive)) return;
    env.refuse(EFAULT, `verifier bug: No program to jit at insn ${i} (subprog < 0)`);
  });
}
