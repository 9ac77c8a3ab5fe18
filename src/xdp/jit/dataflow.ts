/**
 * Which registers an instruction reads and writes, and which values are still needed where a block
 * begins. Registers are bits of a word: r0 to r10, and behind them what `spills.ts` adds.
 */
import {
  BPF_ALU,
  BPF_ALU64,
  BPF_ATOMIC,
  BPF_CALL,
  BPF_CMPXCHG,
  BPF_END,
  BPF_EXIT,
  BPF_FETCH,
  BPF_JA,
  BPF_JCOND,
  BPF_JMP,
  BPF_LD,
  BPF_LDX,
  BPF_LOAD_ACQ,
  BPF_MOV,
  BPF_NEG,
  BPF_REG_0,
  BPF_ST,
  BPF_STX,
  BPF_X,
  isLdImm64,
} from '../isa/insn.ts';
import type { Insn } from '../isa/insn.ts';
import type { Graph } from './graph.ts';

/** r1 to r5. */
const ARGUMENTS = 0b111110;

/** The register that an instruction writes, or -1; none writes two. */
export function definedBy(insn: Insn): number {
  switch (insn.code & 7) {
    case BPF_ALU:
    case BPF_ALU64:
    case BPF_LDX:
      return insn.dst;
    case BPF_LD:
      return isLdImm64(insn) ? insn.dst : BPF_REG_0;
    case BPF_STX:
      return definedByAtomic(insn);
    case BPF_JMP:
      return (insn.code & 0xf0) === BPF_CALL ? BPF_REG_0 : -1;
    default:
      return -1;
  }
}

function definedByAtomic({ code, dst, src, imm }: Insn): number {
  if ((code & 0xe0) !== BPF_ATOMIC) return -1;
  if (imm === BPF_LOAD_ACQ) return dst;
  if (imm === BPF_CMPXCHG) return BPF_REG_0;
  return (imm & BPF_FETCH) === 0 ? -1 : src;
}

/** Registers that an instruction may read, as bits. */
export function usedBy(insn: Insn): number {
  const { code, dst, src } = insn;
  const other = (code & BPF_X) === 0 ? 0 : 1 << src;
  switch (code & 7) {
    case BPF_ALU:
    case BPF_ALU64:
      if ((code & 0xf0) === BPF_MOV) return other;
      return (code & 0xf0) === BPF_END || (code & 0xf0) === BPF_NEG ? 1 << dst : (1 << dst) | other;
    case BPF_LD:
      return isLdImm64(insn) ? 0 : 1 << src;
    case BPF_LDX:
      return 1 << src;
    case BPF_ST:
      return 1 << dst;
    case BPF_STX:
      return (1 << dst) | (1 << src) | (1 << BPF_REG_0);
    default:
      return usedByJump(insn, other);
  }
}

function usedByJump({ code, dst }: Insn, other: number): number {
  switch (code & 0xf0) {
    case BPF_JA:
    case BPF_JCOND:
      return 0;
    case BPF_EXIT:
      return 1 << BPF_REG_0;
    case BPF_CALL:
      return ARGUMENTS | (1 << dst);
    default:
      return (1 << dst) | other;
  }
}

/** @returns by block: registers whose value at its beginning may be read, as bits */
export function liveAtStart(insns: readonly Insn[], { blocks }: Graph): Int32Array {
  const live = new Int32Array(blocks.length);
  for (let changed = true; changed;) {
    changed = false;
    for (let i = blocks.length - 1; i >= 0; i--) {
      const { start, end, next } = blocks[i]!;
      let needed = next.reduce((all, to) => all | live[to]!, 0);
      for (let slot = end - 1; slot >= start; slot--) {
        const insn = insns[slot]!;
        if (isSecondSlot(insns, slot, start)) continue;
        const defined = definedBy(insn);
        if (defined >= 0) needed &= ~(1 << defined);
        needed |= usedBy(insn);
      }
      if (needed !== live[i]) changed = true;
      live[i] = needed;
    }
  }
  return live;
}

const isSecondSlot = (insns: readonly Insn[], slot: number, start: number): boolean =>
  slot > start && isLdImm64(insns[slot - 1]!);
