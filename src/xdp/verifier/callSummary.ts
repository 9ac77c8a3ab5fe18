/**
 * What a call does to registers, and the pairs of spills and fills that compilers put around calls
 * which keep the registers they do not name: those do not count as stack.
 *
 * @linux get_call_summary, mark_fastcall_patterns; kernel/bpf/verifier.c
 */
import { kfuncByImm } from '../helpers/kfuncProtos.ts';
import { BPF_FUNC_get_smp_processor_id } from '../helpers/funcIds.ts';
import { RET_VOID, helperProto } from '../helpers/protos.ts';
import type { Insn } from '../isa/insn.ts';
import { BPF_DW, BPF_LDX, BPF_MEM, BPF_REG_10, BPF_STX } from '../isa/insn.ts';
import type { Env, Subprog } from './env.ts';
import { CALL, isHelperCall, isKfuncCall } from './insnKind.ts';

export interface CallSummary {
  readonly params: number;
  readonly isVoid: boolean;
  readonly fastcall: boolean;
}

/** @returns null when nothing is known of the callee */
export function callSummary(env: Env, insn: Insn): CallSummary | null {
  if (isHelperCall(insn)) {
    const proto = helperProto(insn.imm);
    if (proto === undefined || (proto.perfmon && !env.options.perfmon)) return null;
    return {
      params: proto.args.length,
      isVoid: proto.ret === RET_VOID,
      fastcall: proto.id === BPF_FUNC_get_smp_processor_id,
    };
  }
  if (!isKfuncCall(insn)) return null;
  const kfunc = kfuncByImm(insn.imm);
  if (kfunc === undefined || kfunc.refusal === 'notAllowed') return null;
  return { params: kfunc.args.length, isVoid: kfunc.ret === 'void', fastcall: kfunc.fastcall };
}

const SPILL: number = BPF_STX | BPF_MEM | BPF_DW;
const FILL: number = BPF_LDX | BPF_MEM | BPF_DW;
const ARGUMENT_REGS = 6;

/** @linux mark_fastcall_pattern_for_call */
function markCallPattern(env: Env, subprog: Subprog, idx: number, lowest: number): void {
  const summary = callSummary(env, env.insns[idx]!);
  if (summary === null) return;
  // r0 unless void, and one register per parameter, do not survive the call
  const clobbered = ((2 << summary.params) - 1) & (summary.isVoid ? ~1 : ~0);
  let expected = ~clobbered & 0x3f;
  let off = lowest;
  let pairs = 0;
  for (; pairs < ARGUMENT_REGS; pairs++, off += 8) {
    const stx = env.insns[idx - pairs - 1];
    const ldx = env.insns[idx + pairs + 1];
    if (stx === undefined || ldx === undefined) break;
    if (stx.code !== SPILL || ldx.code !== FILL) break;
    if (stx.dst !== BPF_REG_10 || ldx.src !== BPF_REG_10 || stx.src !== ldx.dst) break;
    if ((expected & (1 << stx.src)) === 0 || stx.off !== off || ldx.off !== off) break;
    expected &= ~(1 << stx.src);
    env.aux[idx - pairs - 1]!.fastcallPattern = true;
    env.aux[idx + pairs + 1]!.fastcallPattern = true;
  }
  if (pairs === 0) return;
  if (summary.fastcall) env.aux[idx]!.fastcallSpills = pairs;
  else subprog.keepFastcallStack = true;
  subprog.fastcallStackOff = Math.min(subprog.fastcallStackOff, off);
}

export function markFastcallPatterns(env: Env): void {
  for (let s = 0; s < env.subprogCount; s++) {
    const subprog = env.subprogs[s]!;
    const end = env.subprogs[s + 1]!.start;
    let lowest = 0;
    for (let i = subprog.start; i < end; i++) {
      const insn = env.insns[i]!;
      if (insn.code === SPILL && insn.dst === BPF_REG_10) lowest = Math.min(lowest, insn.off);
    }
    for (let i = subprog.start; i < end; i++)
      if (env.insns[i]!.code === CALL) markCallPattern(env, subprog, i, lowest);
  }
}

const NEVER = -0x8000;

/** Something else uses the stack of such pairs: they count after all. @linux check_fastcall_stack_contract */
export function checkFastcallStackContract(
  env: Env,
  subprogno: number,
  idx: number,
  off: number,
): void {
  const subprog = env.subprogs[subprogno]!;
  if (subprog.fastcallStackOff <= off || env.aux[idx]!.fastcallPattern) return;
  subprog.fastcallStackOff = NEVER;
  for (let i = subprog.start; i < env.subprogs[subprogno + 1]!.start; i++) {
    env.aux[i]!.fastcallSpills = 0;
    env.aux[i]!.fastcallPattern = false;
  }
}

/** Stack that only such pairs used is given back. @linux remove_fastcall_spills_fills */
export function removeFastcallSpills(env: Env): void {
  for (let s = 0; s < env.subprogCount; s++) {
    const subprog = env.subprogs[s]!;
    let modified = false;
    for (let i = subprog.start; i < env.subprogs[s + 1]!.start; i++)
      modified ||= env.aux[i]!.fastcallSpills > 0;
    if (modified && !subprog.keepFastcallStack) subprog.stackDepth = -subprog.fastcallStackOff;
  }
}
