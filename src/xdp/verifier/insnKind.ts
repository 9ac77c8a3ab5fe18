/**
 * Which instruction is it? The questions that several parts of the analysis ask.
 *
 * @linux kernel/bpf/verifier.c, include/linux/bpf_verifier.h
 */
import type { Insn } from '../isa/insn.ts';
import {
  BPF_ATOMIC,
  BPF_CALL,
  BPF_EXIT,
  BPF_JA,
  BPF_JCOND,
  BPF_JMP,
  BPF_JMP32,
  BPF_LOAD_ACQ,
  BPF_MAY_GOTO,
  BPF_PSEUDO_CALL,
  BPF_PSEUDO_FUNC,
  BPF_PSEUDO_KFUNC_CALL,
  BPF_STX,
  LD_IMM64,
} from '../isa/insn.ts';
import {
  BPF_FUNC_find_vma,
  BPF_FUNC_for_each_map_elem,
  BPF_FUNC_loop,
  BPF_FUNC_user_ringbuf_drain,
  BPF_FUNC_timer_set_callback,
} from '../helpers/funcIds.ts';
import { kfuncByImm } from '../helpers/kfuncProtos.ts';

export const classOf = (insn: Insn): number => insn.code & 7;
export const opOf = (insn: Insn): number => insn.code & 0xf0;
export const modeOf = (insn: Insn): number => insn.code & 0xe0;
export const sizeOf = (insn: Insn): number => insn.code & 0x18;
/** Is the second operand a register? */
export const usesReg = (insn: Insn): boolean => (insn.code & 8) !== 0;

export const CALL: number = BPF_JMP | BPF_CALL;
export const EXIT: number = BPF_JMP | BPF_EXIT;
export const GOTO: number = BPF_JMP | BPF_JA;
/** Jump by `imm`. */
export const GOTOL: number = BPF_JMP32 | BPF_JA;

/** @linux bpf_helper_call */
export const isHelperCall = (insn: Insn): boolean => insn.code === CALL && insn.src === 0;

/** @linux bpf_pseudo_call */
export const isSubprogCall = (insn: Insn): boolean =>
  insn.code === CALL && insn.src === BPF_PSEUDO_CALL;

/** @linux bpf_pseudo_kfunc_call */
export const isKfuncCall = (insn: Insn): boolean =>
  insn.code === CALL && insn.src === BPF_PSEUDO_KFUNC_CALL;

/** The address of a subprogram. @linux bpf_pseudo_func */
export const isPseudoFunc = (insn: Insn): boolean =>
  insn.code === LD_IMM64 && insn.src === BPF_PSEUDO_FUNC;

/** @linux is_may_goto_insn */
export const isMayGoto = (insn: Insn): boolean =>
  insn.code === (BPF_JMP | BPF_JCOND) && insn.src === BPF_MAY_GOTO;

/** @linux is_atomic_load_insn */
export const isAtomicLoad = (insn: Insn): boolean =>
  classOf(insn) === BPF_STX && modeOf(insn) === BPF_ATOMIC && insn.imm === BPF_LOAD_ACQ;

const CALLS_BACK: readonly number[] = [
  BPF_FUNC_find_vma,
  BPF_FUNC_for_each_map_elem,
  BPF_FUNC_loop,
  BPF_FUNC_user_ringbuf_drain,
];

/** Does the call run a function of the program before it returns? @linux is_sync_callback_calling_insn */
export const callsBackNow = (insn: Insn): boolean =>
  (isHelperCall(insn) && CALLS_BACK.includes(insn.imm)) ||
  (isKfuncCall(insn) && kfuncByImm(insn.imm)?.callsNow === true);

/** Or some time later? @linux is_async_callback_calling_insn */
export const callsBackLater = (insn: Insn): boolean =>
  (isHelperCall(insn) && insn.imm === BPF_FUNC_timer_set_callback) ||
  (isKfuncCall(insn) && kfuncByImm(insn.imm)?.callsLater === true);

/** @linux is_iter_next_kfunc */
export const isIterNext = (insn: Insn): boolean =>
  isKfuncCall(insn) && kfuncByImm(insn.imm)?.iter === 'next';

/** Where a jump goes, in slots from the next instruction. @linux bpf_jmp_offset */
export const jumpOffset = (insn: Insn): number => (insn.code === GOTOL ? insn.imm : insn.off);

/** Slots an instruction takes. */
export const slotsOf = (insn: Insn): number => (insn.code === LD_IMM64 ? 2 : 1);

/** Instructions that may run next within the same function. @linux bpf_insn_successors */
export function successors(insns: readonly Insn[], idx: number): number[] {
  const insn = insns[idx]!;
  const kind = classOf(insn);
  const next = idx + slotsOf(insn);
  if (kind !== BPF_JMP && kind !== BPF_JMP32) return [next];
  switch (opOf(insn)) {
    case BPF_EXIT:
      return [];
    case BPF_JA:
      return [idx + 1 + jumpOffset(insn)];
    case BPF_CALL:
      return [next];
    default:
      return [next, idx + 1 + jumpOffset(insn)];
  }
}
