/**
 * Numbers that a program reads or writes byte by byte, since its compiler knew of no alignment (an
 * Ethernet header has none), are read and written as a whole: WebAssembly asks for no alignment.
 *
 *   r2 = [r9+12]; r1 = [r9+13]; w1 <<= 8; w1 |= w2        r1 = 16 bits at [r9+12]
 *   [r1+2] = r3; w3 >>= 8; [r1+3] = r3                    16 bits at [r1+2] = r3
 *   [r1+0] = 2; [r1+1] = 0                                16 bits at [r1+0] = 2
 *
 * Within a block, where nothing else touches memory between the parts. What nobody needs then goes.
 */
import {
  BPF_ALU,
  BPF_ALU64,
  BPF_B,
  BPF_H,
  BPF_JA,
  BPF_JMP,
  BPF_LDX,
  BPF_LSH,
  BPF_MEM,
  BPF_MOV,
  BPF_OR,
  BPF_RSH,
  BPF_ST,
  BPF_STX,
  BPF_W,
  BPF_X,
  isLdImm64,
  MAX_BPF_REG,
} from '../isa/insn.ts';
import type { Insn } from '../isa/insn.ts';
import { bytesOf, definedBy, liveAtStart, usedBy } from './dataflow.ts';
import type { Graph } from './graph.ts';

const NOTHING: Insn = { code: BPF_JMP | BPF_JA, dst: 0, src: 0, off: 0, imm: 0 };
/** That are looked at together: so many neighbours are compared for each. */
const MOST_STORES = 64;
const CODE_OF: Readonly<Record<number, number>> = { 1: BPF_B, 2: BPF_H, 4: BPF_W };

/** What a register holds: `bytes` of memory at `offset` from a base, that many bits to the left. */
interface Loaded {
  readonly base: number;
  readonly baseValue: number;
  readonly offset: number;
  readonly bytes: number;
  readonly shift: number;
  readonly memory: number;
}

/** The low word of a value, so many bits to the right; a constant is a value of its own. */
interface Part {
  readonly value: number;
  readonly shift: number;
  readonly constant: number | null;
}

/** A store that may be joined with others. */
interface Store {
  readonly slot: number;
  readonly offset: number;
  readonly bytes: number;
  readonly part: Part;
  /** A register that holds the whole value there; -1: none does. */
  readonly holder: number;
}

/** @returns `insns` with joined accesses in the place of their parts; itself when there are none */
export function withWholeNumbers(insns: readonly Insn[], graph: Graph): readonly Insn[] {
  const changed = insns.slice();
  let joined = 0;
  for (const { start, end } of graph.blocks)
    if (hasParts(insns, start, end)) joined += new Joiner(changed, start, end).joined;
  if (joined === 0) return insns;
  dropUnused(changed, graph);
  return changed;
}

/** Is any byte or half of a word loaded or stored? */
function hasParts(insns: readonly Insn[], start: number, end: number): boolean {
  for (let slot = start; slot < end; slot++) {
    const insn = insns[slot]!;
    const cls = insn.code & 7;
    if ((cls === BPF_LDX || cls === BPF_ST || cls === BPF_STX) && bytesOf(insn) <= 2) return true;
  }
  return false;
}

class Joiner {
  joined = 0;
  private readonly insns: Insn[];
  private values = 0;
  /** Counts stores and calls. */
  private memory = 0;
  private readonly held: number[] = Array.from({ length: MAX_BPF_REG }, () => this.values++);
  private readonly loaded: (Loaded | undefined)[] = [];
  private readonly part: (Part | undefined)[] = [];
  /** Stores behind one another, all from one value of one base. */
  private stores: Store[] = [];
  private base = -1;

  constructor(insns: Insn[], start: number, end: number) {
    this.insns = insns;
    for (let slot = start; slot < end; slot++) {
      const insn = insns[slot]!;
      const cls = insn.code & 7;
      if (cls === BPF_STX || cls === BPF_ST) this.store(insn, slot);
      else if (cls === BPF_LDX || cls === BPF_JMP) this.joinStores();
      if (cls === BPF_JMP) this.memory++;
      this.follow(insn, slot);
      if (isLdImm64(insn)) slot++;
    }
    this.joinStores();
  }

  private follow(insn: Insn, slot: number): void {
    const to = definedBy(insn);
    if (to < 0) return;
    const { code, src, imm } = insn;
    const cls = code & 7;
    const [wasLoaded, wasPart] = [this.loaded[to], this.partOf(to)];
    let loaded: Loaded | undefined;
    let part: Part | undefined;
    let held = this.values++;
    const isArithmetic = cls === BPF_ALU || cls === BPF_ALU64;
    const bits = cls === BPF_ALU ? 32 : 64;
    const byRegister = (code & BPF_X) !== 0;
    const isShort = !byRegister && imm >= 0 && imm < 32;
    if (cls === BPF_LDX && (code & 0xe0) === BPF_MEM) loaded = this.load(insn);
    else if (!isArithmetic) held = this.values++;
    else if ((code & 0xf0) === BPF_MOV && insn.off === 0) {
      if (byRegister) {
        part = this.partOf(src);
        held = this.held[src]!;
        if (bits === 64) loaded = this.loaded[src];
      } else part = { value: held, shift: 0, constant: imm };
    } else if ((code & 0xf0) === BPF_LSH && isShort && wasLoaded !== undefined) {
      const shift = wasLoaded.shift + imm;
      if (imm % 8 === 0 && 8 * wasLoaded.bytes + shift <= bits) loaded = { ...wasLoaded, shift };
    } else if ((code & 0xf0) === BPF_RSH && isShort && bits === 32) {
      if (wasPart.constant === null) part = { ...wasPart, shift: wasPart.shift + imm };
    } else if ((code & 0xf0) === BPF_OR && byRegister) {
      loaded = this.joinLoads(insn, slot, bits);
    }
    this.loaded[to] = loaded;
    this.part[to] = part;
    this.held[to] = held;
  }

  private partOf(register: number): Part {
    return this.part[register] ?? { value: this.held[register]!, shift: 0, constant: null };
  }

  private load(insn: Insn): Loaded | undefined {
    const { dst, src, off } = insn;
    const bytes = bytesOf(insn);
    if (bytes > 2 || dst === src) return undefined;
    const baseValue = this.held[src]!;
    return { base: src, baseValue, offset: off, bytes, shift: 0, memory: this.memory };
  }

  /** `dst |= src`, both from memory and next to each other. */
  private joinLoads({ dst, src }: Insn, slot: number, bits: number): Loaded | undefined {
    const [a, b] = [this.loaded[dst], this.loaded[src]];
    if (a === undefined || b === undefined || a.memory !== this.memory) return undefined;
    const [low, high] = a.shift < b.shift ? [a, b] : [b, a];
    const { base, baseValue } = low;
    if (high.baseValue !== baseValue || high.memory !== low.memory) return undefined;
    if (high.offset !== low.offset + low.bytes) return undefined;
    if (high.shift !== low.shift + 8 * low.bytes) return undefined;
    const bytes = low.bytes + high.bytes;
    if (8 * bytes + low.shift > bits || bytes > 4) return undefined;
    const size = CODE_OF[bytes];
    if (low.shift === 0 && size !== undefined && this.held[base] === baseValue && base !== dst) {
      const code = BPF_LDX | BPF_MEM | size;
      this.insns[slot] = { code, dst, src: base, off: low.offset, imm: 0 };
      this.joined++;
    }
    return { ...low, bytes };
  }

  private store(insn: Insn, slot: number): void {
    const { code, dst, src, off, imm } = insn;
    const bytes = bytesOf(insn);
    this.memory++;
    const isPlain = (code & 0xe0) === BPF_MEM && bytes <= 2;
    const base = this.held[dst]!;
    if (!isPlain || base !== this.base || this.overlaps(off, off + bytes)) this.joinStores();
    if (!isPlain) return;
    if (this.stores.length === MOST_STORES) this.joinStores();
    this.base = base;
    const isConstant = (code & 7) === BPF_ST;
    const part = isConstant ? { value: -1, shift: 0, constant: imm } : this.partOf(src);
    const holder = this.held.indexOf(part.value);
    this.stores.push({ slot, offset: off, bytes, part, holder });
  }

  private overlaps(offset: number, end: number): boolean {
    for (const other of this.stores)
      if (offset < other.offset + other.bytes && other.offset < end) return true;
    return false;
  }

  /** The stores so far, each run of four or two bytes as one. */
  private joinStores(): void {
    const stores = this.stores.toSorted((a, b) => a.offset - b.offset);
    this.stores = [];
    for (let i = 0; i < stores.length;) i += this.joinRun(stores, i);
  }

  /** @returns how many stores from `first` on are done with */
  private joinRun(stores: readonly Store[], first: number): number {
    for (const size of [4, 2]) {
      let bytes = 0;
      let next = first;
      while (bytes < size && next < stores.length && follows(stores[first]!, stores[next]!, bytes))
        bytes += stores[next++]!.bytes;
      const count = next - first;
      if (bytes === size && count > 1 && this.joinAs(size, stores.slice(first, next))) return count;
    }
    return 1;
  }

  private joinAs(size: number, run: readonly Store[]): boolean {
    const { offset, part } = run[0]!;
    const code = CODE_OF[size]! | BPF_MEM;
    const at = part.constant === null ? run.find(({ holder }) => holder >= 0) : run[0];
    if (at === undefined) return false;
    const { dst } = this.insns[at.slot]!;
    for (const { slot } of run) this.insns[slot] = NOTHING;
    const into = { dst, off: offset };
    this.insns[at.slot] =
      part.constant === null
        ? { ...into, code: code | BPF_STX, src: at.holder, imm: 0 }
        : { ...into, code: code | BPF_ST, src: 0, imm: constantOf(run) };
    this.joined++;
    return true;
  }
}

/** Is `next` what comes `bytes` behind `first`, of the same value or a constant like it? */
function follows(first: Store, next: Store, bytes: number): boolean {
  if (next.offset !== first.offset + bytes) return false;
  if (first.part.constant !== null) return next.part.constant !== null;
  const { value, shift, constant } = next.part;
  return constant === null && value === first.part.value && shift === 8 * bytes;
}

const constantOf = (run: readonly Store[]): number =>
  run.reduce((all, { offset, bytes, part }) => {
    const mask = bytes === 1 ? 0xff : 0xffff;
    return all | ((part.constant! & mask) << (8 * (offset - run[0]!.offset)));
  }, 0);

/** Moves, arithmetic and loads whose result nobody reads become nothing. */
function dropUnused(insns: Insn[], graph: Graph): void {
  const live = liveAtStart(insns, graph);
  for (const { start, end, next } of graph.blocks) {
    let needed = next.reduce((all, to) => all | live[to]!, 0);
    for (let slot = end - 1; slot >= start; slot--) {
      if (slot > start && isLdImm64(insns[slot - 1]!)) continue;
      const insn = insns[slot]!;
      const defined = definedBy(insn);
      const cls = insn.code & 7;
      const isPure = cls === BPF_ALU || cls === BPF_ALU64 || cls === BPF_LDX;
      if (isPure && ((needed >> defined) & 1) === 0) insns[slot] = NOTHING;
      else {
        if (defined >= 0) needed &= ~(1 << defined);
        needed |= usedBy(insn);
      }
    }
  }
}
