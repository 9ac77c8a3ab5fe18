/**
 * Which values are held as words. All writes that may reach one read are a web; it lives in a local
 * of type i32 when each of them writes a number below 2^32, in one of type i64 otherwise. So nothing
 * is converted where ways meet, and V8 need not ask whether an address has a high half.
 */
import { isLdImm64 } from '../isa/insn.ts';
import type { Insn } from '../isa/insn.ts';
import { definedBy, liveAtStart } from './dataflow.ts';
import type { ResultMost } from './facts.ts';
import { Facts, MOST_REGISTERS } from './facts.ts';
import type { Graph } from './graph.ts';

export interface Webs {
  /** By block: registers that are words where it begins and are needed there, as bits. */
  readonly atStart: Int32Array;
  /** Of an instruction that writes a register: is what it writes below 2^32? */
  isNarrow(slot: number): boolean;
  /** And is it held as a word? */
  isWord(slot: number): boolean;
}

/** What belongs together, by numbers from 0. */
class Sets {
  private readonly parent: Int32Array;
  private readonly wide: Uint8Array;

  constructor(count: number) {
    this.parent = new Int32Array(count).map((_, i) => i);
    this.wide = new Uint8Array(count);
  }

  find(i: number): number {
    let at = i;
    while (this.parent[at] !== at) at = this.parent[at] = this.parent[this.parent[at]!]!;
    return at;
  }

  join(a: number, b: number): void {
    const [x, y] = [this.find(a), this.find(b)];
    this.parent[x] = y;
    this.wide[y]! |= this.wide[x]!;
  }

  markWide(i: number): void {
    this.wide[this.find(i)] = 1;
  }

  isWide(i: number): boolean {
    return this.wide[this.find(i)] === 1;
  }
}

const lowestBit = (bits: number): number => 31 - Math.clz32(bits & -bits);

/** @param known facts by block @param wide registers that are held in 64 bits on entry, as bits */
export function findWebs(
  insns: readonly Insn[],
  graph: Graph,
  known: readonly Facts[],
  resultMost: ResultMost,
  wide: number,
): Webs {
  const { blocks } = graph;
  const live = liveAtStart(insns, graph);
  // registers where blocks begin, and behind them what instructions write
  const writes = new Int32Array(insns.length);
  const narrow = new Uint8Array(insns.length);
  let count = blocks.length * MOST_REGISTERS;
  for (const { start, end } of blocks) {
    for (let slot = start; slot < end; slot++)
      if (definedBy(insns[slot]!) >= 0) writes[slot] = count++;
  }
  const sets = new Sets(count);
  for (let r = 0; r < MOST_REGISTERS; r++) if (((wide >> r) & 1) !== 0) sets.markWide(r);
  const facts = new Facts();
  const now = new Int32Array(MOST_REGISTERS);
  blocks.forEach((block, i) => {
    facts.copyFrom(known[i]!);
    for (let r = 0; r < MOST_REGISTERS; r++) now[r] = i * MOST_REGISTERS + r;
    for (let slot = block.start; slot < block.end; slot++) {
      const register = definedBy(insns[slot]!);
      facts.after(insns, slot, resultMost);
      if (register >= 0) {
        now[register] = writes[slot]!;
        if (facts.isNarrow(register)) narrow[slot] = 1;
        else sets.markWide(now[register]);
      }
      if (isLdImm64(insns[slot]!)) slot++;
    }
    for (const to of block.next) {
      for (let rest = live[to]!; rest !== 0; rest &= rest - 1) {
        const r = lowestBit(rest);
        sets.join(now[r]!, to * MOST_REGISTERS + r);
      }
    }
  });
  const atStart = Int32Array.from(blocks, (_, i) => {
    let words = 0;
    for (let rest = live[i]!; rest !== 0; rest &= rest - 1) {
      const r = lowestBit(rest);
      if (!sets.isWide(i * MOST_REGISTERS + r)) words |= 1 << r;
    }
    return words;
  });
  return {
    atStart,
    isNarrow: (slot) => narrow[slot] === 1,
    isWord: (slot) => !sets.isWide(writes[slot]!),
  };
}
