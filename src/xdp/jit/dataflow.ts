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
const BPF_FUNC_TAIL_CALL = 12;

/** By size, as it stands in bits 3 and 4: BPF_W, BPF_H, BPF_B, BPF_DW. */
const BYTES = [4, 2, 1, 8] as const;

/** Bytes that a load or store is of. */
export const bytesOf = ({ code }: Insn): number => BYTES[(code >> 3) & 3]!;

/** A call that leaves every register alone when it does not go on elsewhere. */
export const isTailCall = ({ code, src, imm }: Insn): boolean =>
  code === (BPF_JMP | BPF_CALL) && src === 0 && imm === BPF_FUNC_TAIL_CALL;

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
      return (insn.code & 0xf0) === BPF_CALL && !isTailCall(insn) ? BPF_REG_0 : -1;
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
  const used = new Int32Array(blocks.length);
  const defined = new Int32Array(blocks.length);
  blocks.forEach(({ start, end }, i) => {
    for (let slot = start; slot < end; slot++) {
      const insn = insns[slot]!;
      used[i]! |= usedBy(insn) & ~defined[i]!;
      const register = definedBy(insn);
      if (register >= 0) defined[i]! |= 1 << register;
      if (isLdImm64(insn)) slot++;
    }
  });
  const live = used.slice();
  untilSettled(
    blocks.map((_, i) => i),
    (i, again) => {
      const { next, before } = blocks[i]!;
      const after = next.reduce((all, to) => all | live[to]!, 0);
      const needed = used[i]! | (after & ~defined[i]!);
      if (needed === live[i]) return;
      live[i] = needed;
      before.forEach(again);
    },
  );
  return live;
}

/**
 * Visit blocks until no visit asks for another. What visits change can change a few times for each
 * block, so they end, in whatever order; a good one takes little more than one visit a block.
 *
 * @param first all blocks, the first to visit last
 */
export function untilSettled(
  first: readonly number[],
  visit: (block: number, again: (other: number) => void) => void,
): void {
  const waiting = first.slice();
  const waits: boolean[] = first.map(() => true);
  const again = (block: number): void => {
    if (waits[block]) return;
    waits[block] = true;
    waiting.push(block);
  };
  for (let block = waiting.pop(); block !== undefined; block = waiting.pop()) {
    waits[block] = false;
    visit(block, again);
  }
}
