/**
 * What is known about registers where a block begins: which hold a number below 2^32, and which
 * hold the address of a map.
 *
 * The first saves widening: the 32-bit form of an operation on such registers is the 64-bit one.
 * The second finds the map of a look-up, which is then compiled into the program.
 *
 * Facts only shrink where ways meet, so passes in reverse postorder come to an end.
 */
import {
  BPF_ALU,
  BPF_ALU64,
  BPF_AND,
  BPF_ATOMIC,
  BPF_CALL,
  BPF_CMPXCHG,
  BPF_DIV,
  BPF_DW,
  BPF_END,
  BPF_FETCH,
  BPF_JMP,
  BPF_LDX,
  BPF_LOAD_ACQ,
  BPF_MEM,
  BPF_MOD,
  BPF_MOV,
  BPF_OR,
  BPF_PSEUDO_MAP_FD,
  BPF_REG_0,
  BPF_REG_10,
  BPF_RSH,
  BPF_STX,
  BPF_X,
  BPF_XOR,
  isLdImm64,
  MAX_BPF_REG,
} from '../isa/insn.ts';
import type { Insn } from '../isa/insn.ts';
import type { Graph } from './graph.ts';

const NO_MAP = 0;

export class Facts {
  /** Bit r: register r holds a number below 2^32. */
  narrow: number = 1 << BPF_REG_10;
  /** By register: the id of the map whose address it holds; 0 when none is known. */
  readonly map: Int32Array = new Int32Array(MAX_BPF_REG);

  isNarrow(register: number): boolean {
    return ((this.narrow >> register) & 1) !== 0;
  }

  copyFrom(other: Facts): void {
    this.narrow = other.narrow;
    this.map.set(other.map);
  }

  /** What holds here and there. @returns whether that is less than held here */
  meet(other: Facts): boolean {
    const narrow = this.narrow & other.narrow;
    let less = narrow !== this.narrow;
    this.narrow = narrow;
    for (let r = 0; r < MAX_BPF_REG; r++) {
      if (this.map[r] === NO_MAP || this.map[r] === other.map[r]) continue;
      this.map[r] = NO_MAP;
      less = true;
    }
    return less;
  }

  /** The instruction at `slot` has been executed. */
  after(insns: readonly Insn[], slot: number): void {
    const insn = insns[slot]!;
    switch (insn.code & 7) {
      case BPF_ALU:
        // be64 and le64 are of this class and leave 64 bits
        this.write(insn.dst, (insn.code & 0xf0) !== BPF_END || insn.imm !== 64);
        break;
      case BPF_ALU64:
        this.afterAlu64(insn);
        break;
      case BPF_LDX:
        this.write(insn.dst, isNarrowLoad(insn.code));
        break;
      case BPF_STX:
        this.afterAtomic(insn);
        break;
      case BPF_JMP:
        if ((insn.code & 0xf0) === BPF_CALL) this.afterCall();
        break;
      default:
        if (!isLdImm64(insn)) return;
        this.write(insn.dst, insn.src !== 0 || insns[slot + 1]!.imm === 0);
        if (insn.src === BPF_PSEUDO_MAP_FD) this.map[insn.dst] = insn.imm;
    }
  }

  write(register: number, narrow: boolean): void {
    this.narrow = narrow ? this.narrow | (1 << register) : this.narrow & ~(1 << register);
    this.map[register] = NO_MAP;
  }

  private afterAlu64(insn: Insn): void {
    const { dst, src } = insn;
    const byRegister = (insn.code & BPF_X) !== 0;
    const map = this.map[src]!;
    this.write(dst, this.isNarrowAlu64(insn, this.isNarrow(dst), byRegister));
    if (byRegister && (insn.code & 0xf0) === BPF_MOV && insn.off === 0) this.map[dst] = map;
  }

  /** @param was whether the destination was narrow before */
  private isNarrowAlu64({ code, src, off, imm }: Insn, was: boolean, byRegister: boolean): boolean {
    const other = byRegister ? this.isNarrow(src) : imm >= 0;
    switch (code & 0xf0) {
      case BPF_MOV:
        return off === 0 && other;
      case BPF_AND:
        return was || other;
      case BPF_OR:
      case BPF_XOR:
        return was && other;
      case BPF_RSH:
        return was || (!byRegister && (imm & 63) >= 32);
      case BPF_DIV:
      case BPF_MOD:
        return was && off === 0;
      case BPF_END:
        return imm !== 64;
      default:
        return false;
    }
  }

  private afterAtomic({ code, src, imm, dst }: Insn): void {
    if ((code & 0xe0) !== BPF_ATOMIC) return;
    const narrow = (code & 0x18) !== BPF_DW;
    if (imm === BPF_LOAD_ACQ) this.write(dst, narrow);
    else if (imm === BPF_CMPXCHG) this.write(BPF_REG_0, narrow);
    else if ((imm & BPF_FETCH) !== 0) this.write(src, narrow);
  }

  private afterCall(): void {
    for (let r = BPF_REG_0; r <= 5; r++) this.write(r, false);
  }
}

const isNarrowLoad = (code: number): boolean =>
  (code & 0xe0) === BPF_MEM && (code & 0x18) !== BPF_DW;

/** Passes over a function: one more than its loops are nested deep, in programs that people write. */
const MOST_PASSES = 64;

/** @param narrow registers that are known narrow on entry, as bits @returns facts by block */
export function findFacts(insns: readonly Insn[], graph: Graph, narrow: number): Facts[] {
  const { blocks } = graph;
  const known: (Facts | undefined)[] = blocks.map(() => undefined);
  const first = new Facts();
  first.narrow |= narrow;
  known[0] = first;
  const now = new Facts();
  let passes = 0;
  for (let changed = true; changed;) {
    if (++passes > MOST_PASSES) return blocks.map(() => new Facts());
    changed = false;
    blocks.forEach((block, i) => {
      now.copyFrom(known[i]!);
      for (let slot = block.start; slot < block.end; slot++) {
        now.after(insns, slot);
        if (isLdImm64(insns[slot]!)) slot++;
      }
      for (const to of block.next) {
        const there = known[to];
        if (there === undefined) (known[to] = new Facts()).copyFrom(now);
        else if (there.meet(now) && to <= i) changed = true;
      }
    });
  }
  return known as Facts[];
}
