/**
 * Random XDP programs that sit on the border of what the verifier accepts: accesses of packet, map
 * value, stack and objects that are just inside or just outside what was compared, numbers that are
 * bounded just enough or not quite, spills, loops, functions, helpers, callbacks, references.
 *
 * One seed and one version of this generator, one program. The generator knows roughly what each
 * register holds:
 *
 *   r6 context   r7 packet   r8 packet end   r9 map value   r0 to r5 numbers
 */
import { asm, assemble } from '../../src/xdp/isa/asm.ts';
import type { Insn } from '../../src/xdp/isa/insn.ts';
import { JUMPS, alu, aluName, unary } from './borderAlu.ts';
import {
  BYTES,
  CTX,
  Draft,
  END,
  FP,
  PKT,
  SIZES,
  VAL,
  VALUES,
  VALUE_BYTES,
  r,
} from './borderDraft.ts';
import { callback, dynptr, element, loadIntoValue, record, repeated } from './borderObjects.ts';

/** Ledgers say which version made their programs. 2: hash, ring buffer, dynptr, callbacks, global functions. */
export const GENERATOR = 2;

/** What the loader takes of one seed. */
export interface BorderProgram {
  readonly insns: Insn[];
  /** Where functions begin; `global` ones are verified by themselves. */
  readonly functions: readonly { readonly slot: number; readonly global: boolean }[];
}

class Border extends Draft {
  /** Bytes of the packet that were compared, as far as the generator knows. */
  private range = 0;
  private calls = 0;
  private callbacks = 0;
  private readonly spilled: number[] = [];

  /** Skips a few items when a comparison holds. */
  private branch(depth: number): void {
    const over = this.label();
    const name = this.pick(JUMPS);
    const jump = asm[this.chance(35) ? (`${name}32` as const) : name];
    this.put(jump(this.number(), this.chance(50) ? this.number() : this.edge(), over));
    const range = this.range;
    const spilled = this.spilled.length;
    this.items(1 + this.below(3), depth + 1);
    this.range = Math.min(range, this.range);
    this.spilled.length = Math.min(spilled, this.spilled.length);
    this.put(asm.label(over));
  }

  private comparePacket(): void {
    const need = this.pick([1, 2, 8, 14, 16, 20, 34, 54, 64]);
    this.put(asm.mov(r(1), PKT), asm.add(r(1), need));
    const forms = [
      () => asm.jgt(r(1), END, 'out'),
      () => asm.jlt(END, r(1), 'out'),
      () => asm.jge(r(1), END, 'out'),
      () => asm.jle(END, r(1), 'out'),
    ];
    this.put(this.pick(forms)(), asm.mov(r(1), this.edge()));
    this.range = Math.max(this.range, need);
  }

  private packetAccess(): void {
    const size = this.pick(SIZES);
    const off = this.near(this.range, BYTES[size]);
    if (this.chance(70)) this.put(asm.load(size, this.number(), PKT, off));
    else this.put(asm.store(size, PKT, off, this.chance(50) ? this.number() : this.edge()));
  }

  /** A number of which something is known is added to a pointer, and the sum is used. */
  private variableAccess(): void {
    const [index, at] = [r(1 + this.below(2)), r(3 + this.below(2))];
    const size = this.pick(SIZES);
    const most = this.pick([1, 3, 7, 15, 31]);
    if (this.chance(50)) this.put(asm.load(this.pick(SIZES), index, CTX, this.pick([12, 16])));
    this.bound(index, most);
    if (this.chance(30))
      this.put(this.pick([asm.lsh(index, 1), asm.mul(index, 3), asm.rsh(index, 1)]));
    const kind = this.below(3);
    const base = [PKT, VAL, FP][kind]!;
    this.put(asm.mov(at, base));
    if (kind === 2) this.put(asm.add(at, -32));
    this.put(this.chance(90) ? asm.add(at, index) : asm.sub(at, index));
    if (kind === 0) {
      const need = BYTES[size] + this.pick([0, 0, 4]);
      this.put(asm.mov(r(5), at), asm.add(r(5), need), asm.jgt(r(5), END, 'out'), asm.mov(r(5), 1));
    }
    const limit = kind === 0 ? BYTES[size] : kind === 1 ? VALUE_BYTES - most : 32 - most;
    const off = this.near(limit, BYTES[size]);
    if (this.chance(60)) this.put(asm.load(size, r(0), at, off));
    else this.put(asm.store(size, at, off, this.edge()));
    this.put(asm.mov(at, this.edge()));
  }

  private valueAccess(): void {
    const size = this.pick(SIZES);
    const off = this.near(VALUE_BYTES, BYTES[size]);
    const reg = this.number();
    this.put(
      this.pick([
        () => asm.load(size, reg, VAL, off),
        () => asm.store(size, VAL, off, reg),
        () => asm.store(size, VAL, off, this.edge()),
        () => asm.atomic('add', 'u64', VAL, off & ~7, reg),
        () => asm.fetch('or', 'u32', VAL, off & ~3, reg),
      ])(),
    );
  }

  private spill(): void {
    const slot = -8 * (1 + this.below(6));
    const size = this.chance(60) ? 'u64' : this.pick(SIZES);
    const off = size === 'u64' ? slot : slot + BYTES[size] * this.below(8 / BYTES[size]);
    const what = this.pick([...Array.from({ length: 6 }, (_, n) => r(n)), PKT, VAL]);
    if (what === PKT || what === VAL) {
      this.put(asm.store('u64', FP, slot, what), asm.load('u64', what, FP, slot));
      return;
    }
    this.put(asm.store(size, FP, off, this.chance(85) ? what : this.edge()));
    this.spilled.push(off);
  }

  private fill(): void {
    if (this.spilled.length === 0) {
      this.spill();
      return;
    }
    const off = this.pick(this.spilled);
    const size = this.chance(60) && off % 8 === 0 ? 'u64' : this.pick(SIZES);
    this.put(asm.load(size, this.number(), FP, off));
  }

  /** Counts a register to a bound, which may not be one. */
  private loop(depth: number): void {
    const top = this.label();
    const at = -56 - 8 * depth;
    const turns = 1 + this.below(6);
    this.put(asm.store('u64', FP, at, 0), asm.label(top));
    this.items(1 + this.below(2), depth + 1);
    this.put(
      asm.load('u64', r(0), FP, at),
      asm.add(r(0), this.pick([1, 1, 1, 2])),
      asm.store('u64', FP, at, r(0)),
      this.pick([
        () => asm.jlt(r(0), turns, top),
        () => asm.jslt(r(0), turns, top),
        () => asm.jle32(r(0), turns, top),
      ])(),
    );
  }

  private helper(): void {
    const KTIME = 5;
    const PRANDOM = 7;
    const CPU = 8;
    const ADJUST_HEAD = 44;
    const LOAD_BYTES = 189;
    switch (this.below(6)) {
      case 0:
        this.put(
          asm.mov(r(1), CTX),
          asm.mov(r(2), this.pick([0, 4, -4, 14])),
          asm.call(ADJUST_HEAD),
        );
        if (this.chance(95)) {
          this.put(asm.load('u32', PKT, CTX, 0), asm.load('u32', END, CTX, 4));
          this.range = 0;
        }
        break;
      case 1: {
        const len = r(4);
        this.put(asm.mov(len, this.number()));
        this.bound(len, this.pick([8, 15, 16]));
        if (this.chance(80)) this.put(asm.jeq(len, 0, 'out'));
        this.put(asm.mov(r(1), CTX), asm.mov(r(2), this.pick([0, 2])), asm.mov(r(3), FP));
        this.put(asm.add(r(3), this.pick([-16, -16, -15, -24])), asm.call(LOAD_BYTES));
        break;
      }
      default:
        this.put(asm.call(this.pick([KTIME, PRANDOM, CPU])));
    }
    this.numbers(1);
  }

  private local(): void {
    const name = `f${this.calls < 2 ? this.calls++ : this.below(2)}`;
    this.put(asm.mov(r(1), this.number()), asm.mov(r(2), this.chance(50) ? VAL : this.edge()));
    this.put(asm.mov(r(2), this.pick([1, 5])), asm.callLocal(name));
    this.numbers(1);
  }

  /** Objects, and what is called. */
  private object(): void {
    const what = this.below(7);
    if (what < 2) element(this);
    else if (what < 3) record(this);
    else if (what < 5) dynptr(this);
    else if (what < 6) loadIntoValue(this);
    else repeated(this, `c${this.callbacks < 2 ? this.callbacks++ : this.below(2)}`);
  }

  private items(count: number, depth: number): void {
    for (let i = 0; i < count; i++) {
      const what = this.below(100);
      if (what < 26) alu(this);
      else if (what < 31) unary(this);
      else if (what < 42 && depth < 3) this.branch(depth);
      else if (what < 50) this.packetAccess();
      else if (what < 55) this.comparePacket();
      else if (what < 66) this.variableAccess();
      else if (what < 73) this.valueAccess();
      else if (what < 79) this.spill();
      else if (what < 84) this.fill();
      else if (what < 87 && depth < 2) this.loop(depth);
      else if (what < 90) this.helper();
      else if (what < 96) this.object();
      else if (depth === 0) this.local();
    }
  }

  /** Static ones are walked where they are called, global ones once and for any argument. */
  private localFunctions(): void {
    for (let f = 0; f < this.calls; f++) {
      this.functions.push({ slot: this.slot, global: this.chance(35) });
      this.put(asm.label(`f${f}`), asm.mov(r(0), r(1)), asm.mov(r(3), r(2)));
      for (let i = this.below(4); i >= 0; i--) {
        const name = aluName(this);
        if (!name.includes('sh'))
          this.put(asm[name](r(this.pick([0, 3])), this.below(2) ? r(2) : 9));
      }
      if (this.chance(50)) this.put(asm.jgt(r(0), this.pick([7, 15, 255]), `g${f}`));
      if (this.chance(50)) this.put(asm.and(r(0), this.pick([7, 15, 31])));
      this.put(asm.label(`g${f}`), asm.exit());
    }
    for (let c = 0; c < this.callbacks; c++) {
      this.functions.push({ slot: this.slot, global: false });
      this.put(asm.label(`c${c}`));
      callback(this);
    }
  }

  build(): BorderProgram {
    this.put(
      asm.mov(CTX, r(1)),
      asm.load('u32', PKT, CTX, 0),
      asm.load('u32', END, CTX, 4),
      asm.store('u32', FP, -4, this.below(VALUES)),
      asm.mov(r(2), FP),
      asm.add(r(2), -4),
      asm.mapPtr(r(1), 0),
      asm.call(1),
    );
    if (this.chance(98)) this.put(asm.jeq(r(0), 0, 'out'));
    this.put(asm.mov(VAL, r(0)));
    this.numbers(0);
    for (const n of [1, 2]) if (this.chance(70)) this.put(asm.load('u32', r(n), CTX, 16));
    this.comparePacket();
    for (const n of [3, 4, 5]) if (this.chance(50)) this.put(asm.load('u8', r(n), PKT, n - 3));
    this.items(4 + this.below(14), 0);
    this.put(asm.label('out'), asm.mov(r(0), 2), asm.exit());
    this.localFunctions();
    return { insns: assemble(this.lines), functions: this.functions };
  }
}

export const borderProgram = (seed: number): BorderProgram => new Border(seed).build();
