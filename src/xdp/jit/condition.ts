/**
 * Conditions of jumps: what they leave on WebAssembly's stack is not 0 when the jump is taken.
 *
 * @spec RFC 9669 §4.3
 */
import {
  BPF_JEQ,
  BPF_JGE,
  BPF_JGT,
  BPF_JLE,
  BPF_JLT,
  BPF_JMP32,
  BPF_JNE,
  BPF_JSET,
  BPF_JSGE,
  BPF_JSGT,
  BPF_JSLE,
  BPF_JSLT,
} from '../isa/insn.ts';
import type { Insn } from '../isa/insn.ts';
import * as op from './opcodes.ts';
import type { Registers } from './registers.ts';

interface Comparison {
  readonly wide: number;
  readonly word: number;
  /** Of words that are numbers of 64 bits, which are never negative; `word` unless given. */
  readonly narrow?: number;
}

const COMPARISONS: ReadonlyMap<number, Comparison> = new Map([
  [BPF_JEQ, { wide: op.I64_EQ, word: op.I32_EQ }],
  [BPF_JNE, { wide: op.I64_NE, word: op.I32_NE }],
  [BPF_JGT, { wide: op.I64_GT_U, word: op.I32_GT_U }],
  [BPF_JGE, { wide: op.I64_GE_U, word: op.I32_GE_U }],
  [BPF_JLT, { wide: op.I64_LT_U, word: op.I32_LT_U }],
  [BPF_JLE, { wide: op.I64_LE_U, word: op.I32_LE_U }],
  [BPF_JSGT, { wide: op.I64_GT_S, word: op.I32_GT_S, narrow: op.I32_GT_U }],
  [BPF_JSGE, { wide: op.I64_GE_S, word: op.I32_GE_S, narrow: op.I32_GE_U }],
  [BPF_JSLT, { wide: op.I64_LT_S, word: op.I32_LT_S, narrow: op.I32_LT_U }],
  [BPF_JSLE, { wide: op.I64_LE_S, word: op.I32_LE_S, narrow: op.I32_LE_U }],
]);

export function writeCondition(regs: Registers, insn: Insn): void {
  const isOfWords = (insn.code & 7) === BPF_JMP32;
  const inWords = isOfWords || (regs.facts.isNarrow(insn.dst) && regs.isOperandNarrow(insn));
  if (inWords) {
    regs.get32(insn.dst);
    regs.operand32(insn);
  } else {
    regs.get(insn.dst);
    regs.operand(insn);
  }
  const operation = insn.code & 0xf0;
  if (operation === BPF_JSET) {
    if (inWords) regs.out.op(op.I32_AND);
    else regs.out.op(op.I64_AND).i64(0).op(op.I64_NE);
    return;
  }
  const { wide, word, narrow = word } = COMPARISONS.get(operation)!;
  if (!inWords) regs.out.op(wide);
  else regs.out.op(isOfWords ? word : narrow);
}

/**
 * `may_goto`: jumps when the function's budget is used up, and takes one from it otherwise.
 *
 * @param budget a local (i32)
 * @linux do_misc_fixups
 */
export function writeMayGoto(regs: Registers, budget: number): void {
  const { out } = regs;
  out.get(budget).op(op.I32_EQZ);
  out.get(budget).get(budget).i32(0).op(op.I32_NE).op(op.I32_SUB).set(budget);
}
