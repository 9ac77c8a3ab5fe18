/**
 * May this register be read or written at all?
 *
 * "R%d !read_ok", "R%d is invalid", "frame pointer is read only".
 *
 * @linux check_reg_arg; kernel/bpf/verifier.c
 */
import { BPF_REG_0, BPF_REG_10, MAX_BPF_REG } from '../isa/insn.ts';
import type { Env } from './env.ts';
import type { Reg } from './reg.ts';
import { NOT_INIT_REG } from './reg.ts';
import { NOT_INIT, SCALAR_VALUE } from './regTypes.ts';

/** Registers that calls overwrite: r0 to r5. */
export const CALLER_SAVED_REGS = 6;

function touch(env: Env, regno: number): void {
  if (regno >= MAX_BPF_REG) env.invalid(`R${regno} is invalid`);
  env.scratchReg(regno);
}

/** A source operand. */
export function readReg(env: Env, regno: number): Reg {
  touch(env, regno);
  const reg = env.regs[regno]!;
  if (reg.type === NOT_INIT) env.deny(`R${regno} !read_ok`);
  return reg;
}

/** A destination, whose old value the instruction may still need. */
export function writableReg(env: Env, regno: number): void {
  touch(env, regno);
  if (regno === BPF_REG_10) env.deny('frame pointer is read only');
}

/** A destination of which nothing is known afterwards, until the caller says more. */
export function overwriteReg(env: Env, regno: number): void {
  writableReg(env, regno);
  env.regs[regno] = env.unknown;
}

/** Keeping an address as a number would show it to whoever may not know it. @linux is_pointer_value */
export const isPointerValue = (env: Env, reg: Reg): boolean =>
  !env.allowPtrLeaks && reg.type !== SCALAR_VALUE;

/** After a call. @linux clear_caller_saved_regs */
export function clearCallerSaved(env: Env, regs: Reg[]): void {
  for (let i = BPF_REG_0; i < CALLER_SAVED_REGS; i++) {
    regs[i] = NOT_INIT_REG;
    env.scratchReg(i);
  }
}
