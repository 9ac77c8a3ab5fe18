/**
 * Slots of the stack become registers: those of 4 or 8 bytes that the function itself reads and
 * writes, always the whole slot, and nobody else can reach. They are where a compiler keeps what
 * finds no register.
 *
 * A helper that gets the address of something on the stack may go from there upwards: what lies at
 * or above the lowest of them stays in memory, and everything does when an address is stored,
 * reckoned with, or given to another function of the program. Whatever may be read before it is
 * written stays in memory too.
 *
 * The function's loads and stores of such slots become moves, from and to registers behind r10.
 */
import {
  BPF_ADD,
  BPF_ALU,
  BPF_ALU64,
  BPF_CALL,
  BPF_JMP,
  BPF_LDX,
  BPF_MEM,
  BPF_MOV,
  BPF_PSEUDO_CALL,
  BPF_REG_1,
  BPF_REG_10,
  BPF_ST,
  BPF_STX,
  BPF_X,
  isLdImm64,
  MAX_BPF_REG,
  MAX_BPF_STACK,
} from '../isa/insn.ts';
import type { Insn } from '../isa/insn.ts';
import { bytesOf, definedBy, liveAtStart, untilSettled } from './dataflow.ts';
import { MOST_REGISTERS } from './facts.ts';
import type { Graph } from './graph.ts';
import { ARGS } from './registers.ts';

/** What a register holds besides a distance from r10 within the frame, which is never positive. */
const NO_ADDRESS = 1;
const SOME_ADDRESS = 2;

interface Slot {
  readonly offset: number;
  readonly bytes: number;
  readonly accesses: number[];
}

/** @returns `insns` with moves in the place of such loads and stores; itself when there are none */
export function withoutSpills(insns: readonly Insn[], graph: Graph): readonly Insn[] {
  const found = new StackUse(insns, graph).slots();
  if (found.length === 0) return insns;
  const all = rewrite(insns, found);
  const early = liveAtStart(all, graph)[0]!;
  const kept = found.filter((_, i) => ((early >> (MAX_BPF_REG + i)) & 1) === 0);
  return kept.length === found.length ? all : rewrite(insns, kept);
}

function rewrite(insns: readonly Insn[], slots: readonly Slot[]): Insn[] {
  const changed = insns.slice();
  slots.forEach(({ accesses, bytes }, i) => {
    const register = MAX_BPF_REG + i;
    const move = BPF_MOV | (bytes === 8 ? BPF_ALU64 : BPF_ALU);
    for (const at of accesses) {
      const { code, dst, src, imm } = insns[at]!;
      if ((code & 7) === BPF_LDX)
        changed[at] = { code: move | BPF_X, dst, src: register, off: 0, imm: 0 };
      else if ((code & 7) === BPF_STX)
        changed[at] = { code: move | BPF_X, dst: register, src, off: 0, imm: 0 };
      else changed[at] = { code: move, dst: register, src: 0, off: 0, imm };
    }
  });
  return changed;
}

/** Who touches which bytes of a function's frame. */
class StackUse {
  private readonly insns: readonly Insn[];
  private readonly graph: Graph;
  private readonly found: Map<number, Slot> = new Map();
  /** By byte: the offset of the slot it belongs to; 0 when none does yet, 1 when it stays in memory. */
  private readonly owner: Int32Array = new Int32Array(MAX_BPF_STACK);
  /** Helpers may reach from here on; above 0 nothing, below the frame everything. */
  private reached = 0;

  constructor(insns: readonly Insn[], graph: Graph) {
    this.insns = insns;
    this.graph = graph;
    this.walk();
  }

  slots(): Slot[] {
    const whole = [...this.found.values()].filter(
      ({ offset, bytes }) =>
        offset + bytes <= this.reached &&
        this.owner
          .subarray(offset + MAX_BPF_STACK, offset + MAX_BPF_STACK + bytes)
          .every((o) => o === offset),
    );
    whole.sort((a, b) => b.accesses.length - a.accesses.length);
    return whole.slice(0, MOST_REGISTERS - MAX_BPF_REG);
  }

  /** Where registers point to, forwards until nothing changes; then what is done with it. */
  private walk(): void {
    const { blocks } = this.graph;
    const known: (Int32Array | undefined)[] = blocks.map(() => undefined);
    known[0] = new Int32Array(MAX_BPF_REG).fill(NO_ADDRESS);
    known[0][BPF_REG_10] = 0;
    const inOrder = blocks.map((_, i) => i);
    untilSettled(inOrder.toReversed(), (i, again) => {
      const now = known[i]!.slice();
      this.block(i, now, false);
      for (const to of blocks[i]!.next) {
        if (known[to] === undefined) known[to] = now.slice();
        else if (meet(known[to], now)) again(to);
      }
    });
    blocks.forEach((_, i) => this.block(i, known[i]!.slice(), true));
  }

  private block(i: number, points: Int32Array, note: boolean): void {
    const { start, end } = this.graph.blocks[i]!;
    for (let slot = start; slot < end; slot++) {
      const insn = this.insns[slot]!;
      if (note) this.note(insn, slot, points);
      follow(insn, points);
      if (isLdImm64(insn)) slot++;
    }
  }

  private note(insn: Insn, slot: number, points: Int32Array): void {
    const { code, dst, src } = insn;
    switch (code & 7) {
      case BPF_LDX:
        return this.access(insn, slot, points[src]!);
      case BPF_STX:
        if (points[src] !== NO_ADDRESS) this.reached = -Infinity;
        return this.access(insn, slot, points[dst]!);
      case BPF_ST:
        return this.access(insn, slot, points[dst]!);
      case BPF_JMP:
        if ((code & 0xf0) === BPF_CALL) this.call(insn, points);
    }
  }

  private access(insn: Insn, slot: number, base: number): void {
    if (base === NO_ADDRESS) return;
    const offset = base + insn.off;
    const bytes = bytesOf(insn);
    if (base === SOME_ADDRESS || offset < -MAX_BPF_STACK || offset + bytes > 0) {
      this.reached = -Infinity;
      return;
    }
    const isPlain = (insn.code & 0xe0) === BPF_MEM && bytes >= 4;
    const known = this.found.get(offset);
    const fits = isPlain && (known === undefined || known.bytes === bytes);
    const first = offset + MAX_BPF_STACK;
    for (let at = first; at < first + bytes; at++)
      this.owner[at] = fits && (this.owner[at] === 0 || this.owner[at] === offset) ? offset : 1;
    if (!fits) return;
    if (known === undefined) this.found.set(offset, { offset, bytes, accesses: [slot] });
    else known.accesses.push(slot);
  }

  private call(insn: Insn, points: Int32Array): void {
    for (let r = BPF_REG_1; r <= ARGS; r++) {
      const at = points[r]!;
      if (at === NO_ADDRESS) continue;
      const isKnown = at !== SOME_ADDRESS && insn.src !== BPF_PSEUDO_CALL;
      this.reached = Math.min(this.reached, isKnown ? at : -Infinity);
    }
  }
}

/** What registers point to after `insn`. */
function follow(insn: Insn, points: Int32Array): void {
  const { code, dst, src, imm, off } = insn;
  const defined = definedBy(insn);
  const isCall = (code & 7) === BPF_JMP && (code & 0xf0) === BPF_CALL;
  // arguments are gone then
  if (isCall) points.fill(NO_ADDRESS, BPF_REG_1, ARGS + 1);
  if (defined < 0) return;
  const isWide = (code & 7) === BPF_ALU64;
  const isArithmetic = isWide || (code & 7) === BPF_ALU;
  const byRegister = (code & BPF_X) !== 0;
  if (!isArithmetic) points[defined] = NO_ADDRESS;
  else if ((code & 0xf0) === BPF_MOV) {
    const moved = byRegister ? points[src]! : NO_ADDRESS;
    points[dst] = moved === NO_ADDRESS || (isWide && off === 0) ? moved : SOME_ADDRESS;
  } else if (isWide && (code & 0xf0) === BPF_ADD && !byRegister && points[dst]! <= 0) {
    const to = points[dst]! + imm;
    points[dst] = to <= 0 && to >= -MAX_BPF_STACK ? to : SOME_ADDRESS;
  } else if (points[dst] !== NO_ADDRESS || (byRegister && points[src] !== NO_ADDRESS)) {
    points[dst] = SOME_ADDRESS;
  }
}

/** @returns whether less is known than before */
function meet(there: Int32Array, here: Int32Array): boolean {
  let less = false;
  for (let r = 0; r < there.length; r++) {
    if (there[r] === here[r] || there[r] === SOME_ADDRESS) continue;
    there[r] = SOME_ADDRESS;
    less = true;
  }
  return less;
}
