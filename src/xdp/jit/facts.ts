/**
 * What is known about registers where a block begins: the largest number that each can hold, and
 * which hold the address of a map or of the context.
 *
 * A number below 2^32 is held as a word (`webs.ts`), and operations on such numbers whose result is
 * one, too, are those of words. The map of a look-up is compiled into the program. What the first
 * fields of the context say are addresses of host memory, which ends at 2^31.
 *
 * Facts only shrink where ways meet, and on ways back in few steps, so passes in reverse postorder
 * come to an end.
 */
import {
  BPF_ADD,
  BPF_ALU,
  BPF_ALU64,
  BPF_AND,
  BPF_ATOMIC,
  BPF_B,
  BPF_CALL,
  BPF_CMPXCHG,
  BPF_DIV,
  BPF_DW,
  BPF_END,
  BPF_FETCH,
  BPF_H,
  BPF_JMP,
  BPF_LD,
  BPF_LDX,
  BPF_LOAD_ACQ,
  BPF_LSH,
  BPF_MEM,
  BPF_MOD,
  BPF_MOV,
  BPF_MUL,
  BPF_OR,
  BPF_PSEUDO_MAP_FD,
  BPF_REG_0,
  BPF_REG_1,
  BPF_REG_10,
  BPF_RSH,
  BPF_STX,
  BPF_W,
  BPF_X,
  BPF_XOR,
  isLdImm64,
} from '../isa/insn.ts';
import type { Insn } from '../isa/insn.ts';
import { XDP_MD_DATA_META } from '../xdpBuff.ts';
import { isTailCall } from './dataflow.ts';
import type { Graph } from './graph.ts';

/** Registers, with those that `spills.ts` adds: as many as bits of a word below its sign. */
export const MOST_REGISTERS = 31;

export const MAX_WORD = 0xffffffff;
const MAX_ADDRESS = 0x7fffffff;

const NOTHING = 0;
const CONTEXT = -1;

/** What a call leaves in r0 at most; Infinity when it may be any number. */
export type ResultMost = (insn: Insn, map: number) => number;

export class Facts {
  /** By register: it holds no larger number; Infinity where one of 2^32 or more may be there. */
  readonly most: Float64Array = new Float64Array(MOST_REGISTERS).fill(Infinity);
  /** By register: the id of the map whose address it holds. */
  private readonly holds: Int32Array = new Int32Array(MOST_REGISTERS);

  constructor() {
    this.most[BPF_REG_10] = MAX_ADDRESS;
  }

  isNarrow(register: number): boolean {
    return this.most[register]! <= MAX_WORD;
  }

  /** The id of the map whose address `register` holds; 0 when none is known. */
  mapIn(register: number): number {
    return Math.max(this.holds[register]!, NOTHING);
  }

  /** r1 is the address of a `struct xdp_md`. */
  beginWithContext(): void {
    this.holds[BPF_REG_1] = CONTEXT;
  }

  copyFrom(other: Facts): void {
    this.most.set(other.most);
    this.holds.set(other.holds);
  }

  /** What holds here and there. @param back on a way back @returns whether that is less than held here */
  meet(other: Facts, back: boolean): boolean {
    let less = false;
    for (let r = 0; r < MOST_REGISTERS; r++) {
      const most = other.most[r]!;
      if (most > this.most[r]!) {
        this.most[r] = !back ? most : most <= MAX_WORD ? MAX_WORD : Infinity;
        less = true;
      }
      if (this.holds[r] === NOTHING || this.holds[r] === other.holds[r]) continue;
      this.holds[r] = NOTHING;
      less = true;
    }
    return less;
  }

  /** The instruction at `slot` has been executed. */
  after(insns: readonly Insn[], slot: number, resultMost: ResultMost): void {
    const insn = insns[slot]!;
    switch (insn.code & 7) {
      case BPF_ALU:
        this.write(insn.dst, this.mostOfWords(insn));
        break;
      case BPF_ALU64:
        this.afterAlu64(insn);
        break;
      case BPF_LDX:
        this.write(insn.dst, this.mostOfLoad(insn));
        break;
      case BPF_STX:
        this.afterAtomic(insn);
        break;
      case BPF_JMP:
        if ((insn.code & 0xf0) === BPF_CALL && !isTailCall(insn))
          this.write(BPF_REG_0, resultMost(insn, this.mapIn(BPF_REG_1)));
        break;
      case BPF_LD:
        if (!isLdImm64(insn)) return this.write(BPF_REG_0, MAX_WORD);
        this.write(insn.dst, mostOfConstant(insn, insns[slot + 1]!));
        if (insn.src === BPF_PSEUDO_MAP_FD) this.holds[insn.dst] = insn.imm;
    }
  }

  write(register: number, most: number): void {
    this.most[register] = most <= MAX_WORD ? most : Infinity;
    this.holds[register] = NOTHING;
  }

  private afterAlu64(insn: Insn): void {
    const { dst, src, code, off } = insn;
    const isCopy = (code & 0xf0) === BPF_MOV && (code & BPF_X) !== 0 && off === 0;
    const held = this.holds[src]!;
    this.write(dst, this.mostOfWide(insn));
    if (isCopy) this.holds[dst] = held;
  }

  /** Of arithmetic on 64 bits, whose constants are sign-extended. */
  private mostOfWide(insn: Insn): number {
    const { code, dst, src, imm, off } = insn;
    const byRegister = (code & BPF_X) !== 0;
    const a = this.most[dst]!;
    if ((code & 0xf0) === BPF_END) return imm === 64 ? Infinity : 2 ** imm - 1;
    const b = byRegister ? this.most[src]! : imm < 0 ? Infinity : imm;
    if ((code & 0xf0) === BPF_RSH && !byRegister && a > MAX_WORD)
      return (imm & 63) >= 32 ? 2 ** (64 - (imm & 63)) - 1 : Infinity;
    return mostOf(code & 0xf0, a, b, byRegister, off) ?? Infinity;
  }

  /** Of arithmetic on low words. */
  private mostOfWords(insn: Insn): number {
    const { code, dst, src, imm, off } = insn;
    // be64 and le64 are of this class
    if ((code & 0xf0) === BPF_END) return imm === 64 ? Infinity : 2 ** imm - 1;
    const byRegister = (code & BPF_X) !== 0;
    const b = byRegister ? this.most[src]! : imm >>> 0;
    const most = mostOf(
      code & 0xf0,
      Math.min(this.most[dst]!, MAX_WORD),
      Math.min(b, MAX_WORD),
      byRegister,
      off,
    );
    return Math.min(most ?? MAX_WORD, MAX_WORD);
  }

  private mostOfLoad({ code, src, off }: Insn): number {
    if ((code & 0xe0) !== BPF_MEM) return Infinity;
    switch (code & 0x18) {
      case BPF_B:
        return 0xff;
      case BPF_H:
        return 0xffff;
      case BPF_W:
        return this.holds[src] === CONTEXT && off <= XDP_MD_DATA_META ? MAX_ADDRESS : MAX_WORD;
      default:
        return Infinity;
    }
  }

  private afterAtomic({ code, src, imm, dst }: Insn): void {
    if ((code & 0xe0) !== BPF_ATOMIC) return;
    const most = (code & 0x18) === BPF_DW ? Infinity : MAX_WORD;
    if (imm === BPF_LOAD_ACQ) this.write(dst, most);
    else if (imm === BPF_CMPXCHG) this.write(BPF_REG_0, most);
    else if ((imm & BPF_FETCH) !== 0) this.write(src, most);
  }
}

/** Of an operation on numbers up to `a` and `b`, as long as nothing is cut off; undefined: anything. */
function mostOf(
  operation: number,
  a: number,
  b: number,
  byRegister: boolean,
  off: number,
): number | undefined {
  switch (operation) {
    case BPF_MOV:
      return off === 0 ? b : undefined;
    case BPF_ADD:
      return a + b;
    case BPF_MUL:
      return a === 0 || b === 0 ? 0 : a * b;
    case BPF_AND:
      return Math.min(a, b);
    case BPF_OR:
    case BPF_XOR:
      return allBits(Math.max(a, b));
    case BPF_LSH:
      return byRegister || b > 31 ? undefined : a * 2 ** b;
    case BPF_RSH:
      return byRegister || b > 31 ? a : Math.floor(a / 2 ** b);
    case BPF_DIV:
    case BPF_MOD:
      return off === 0 ? a : undefined;
    default:
      return undefined;
  }
}

/** The smallest 2^n - 1 that is not below `n`. */
const allBits = (n: number): number => (n > MAX_WORD ? n : 2 ** (32 - Math.clz32(n)) - 1);

const mostOfConstant = (insn: Insn, second: Insn): number =>
  insn.src !== 0 ? MAX_WORD : second.imm === 0 ? insn.imm >>> 0 : Infinity;

/** Passes over a function: one more than its loops are nested deep, in programs that people write. */
const MOST_PASSES = 64;

/** @param first what is known on entry @returns facts by block */
export function findFacts(
  insns: readonly Insn[],
  graph: Graph,
  first: Facts,
  resultMost: ResultMost,
): Facts[] {
  const { blocks } = graph;
  const known: (Facts | undefined)[] = blocks.map(() => undefined);
  known[0] = first;
  const now = new Facts();
  let passes = 0;
  for (let changed = true; changed;) {
    if (++passes > MOST_PASSES) return blocks.map(() => new Facts());
    changed = false;
    blocks.forEach((block, i) => {
      now.copyFrom(known[i]!);
      for (let slot = block.start; slot < block.end; slot++) {
        now.after(insns, slot, resultMost);
        if (isLdImm64(insns[slot]!)) slot++;
      }
      for (const to of block.next) {
        const there = known[to];
        if (there === undefined) (known[to] = new Facts()).copyFrom(now);
        else if (there.meet(now, to <= i) && to <= i) changed = true;
      }
    });
  }
  return known as Facts[];
}
