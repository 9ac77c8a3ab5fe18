/**
 * eBPF's registers as WebAssembly locals, for one function.
 *
 *   r0 to r9   i64
 *   r10        not a local: the frame's lowest address, a constant in the function that a run
 *              begins with and the last parameter (i32) of all others, plus 512
 *
 * Slots of the stack then lie at positive offsets from the frame, which WebAssembly's loads and
 * stores have a place for.
 */
import type { HostAddr } from '../../host/memory.ts';
import { I32, I64 } from '../../host/wasm.ts';
import type { WasmCode } from '../../host/wasm.ts';
import type { WasmFunction } from '../../host/wasmFunction.ts';
import { BPF_REG_10, BPF_X, MAX_BPF_STACK } from '../isa/insn.ts';
import type { Insn } from '../isa/insn.ts';
import type { Facts } from './facts.ts';
import { I32_ADD, I32_WRAP_I64, I64_EXTEND_I32_U } from './opcodes.ts';

/** Registers that hold a call's arguments: r1 to r5. */
export const ARGS = 5;
const SAVED = 4;

/** The function of somebody else that a program is written into. */
interface Within {
  readonly f: WasmFunction;
  /** Where the run ends, and the local its result goes to. */
  readonly end: number;
  readonly result: number;
}

export class Registers {
  readonly out: WasmCode;
  /** What is known at the instruction that is being written. */
  readonly facts: Facts;
  /** Types of the locals behind the parameters. */
  readonly locals: number[] = [];
  /** For a value that is needed twice. */
  readonly spare64: number;
  readonly spare32: number;
  /** Does a run begin with this function? */
  readonly isEntry: boolean;
  /** The function's frame: a constant address, or the local that holds it. */
  private readonly frame: { readonly at: HostAddr } | { readonly local: number };
  /** Whom the function is a part of, and where it leaves; null: it is one by itself. */
  readonly within: Within | null;
  private readonly local: number[];
  private readonly params: number;

  /** A function that starts a run: it has `params` parameters of type i32. */
  static ofEntry(out: WasmCode, facts: Facts, params: number, frameAt: HostAddr): Registers {
    return new Registers(out, facts, params, { at: frameAt });
  }

  /** A part of a function that starts runs, again and again. */
  static ofPart(out: WasmCode, facts: Facts, within: Within, frameAt: HostAddr): Registers {
    const regs = new Registers(out, facts, 0, { at: frameAt }, within);
    // or the last run's would seem to be needed
    for (const local of regs.local) out.i64(0).set(local);
    return regs;
  }

  /** A function that is called with r1 to r5 and its frame. */
  static ofCallee(out: WasmCode, facts: Facts): Registers {
    return new Registers(out, facts, ARGS + 1, { local: ARGS });
  }

  private constructor(
    out: WasmCode,
    facts: Facts,
    params: number,
    frame: { readonly at: HostAddr } | { readonly local: number },
    within: Within | null = null,
  ) {
    this.out = out;
    this.facts = facts;
    this.params = params;
    this.frame = frame;
    this.within = within;
    this.isEntry = 'at' in frame;
    const args = Array.from({ length: ARGS }, (_, i) => (this.isEntry ? this.add(I64) : i));
    const saved = Array.from({ length: SAVED }, () => this.add(I64));
    this.local = [this.add(I64), ...args, ...saved];
    this.spare64 = this.add(I64);
    this.spare32 = this.add(I32);
  }

  /** What locals hold, parameters first, for people who read the code. */
  get names(): string[] {
    const named: string[] = [];
    if (this.isEntry) named.push('ctx', 'len', 'given');
    if ('local' in this.frame) named[this.frame.local] = 'frame';
    for (let n = this.params; n < this.params + this.locals.length; n++) named[n] = `n${n}`;
    this.local.forEach((local, register) => (named[local] = `r${register}`));
    named[this.spare64] = 'spare64';
    named[this.spare32] = 'spare32';
    return named;
  }

  /** @returns a new local */
  add(type: number): number {
    if (this.within !== null) return this.within.f.local(type).index;
    return this.params + this.locals.push(type) - 1;
  }

  get(register: number): WasmCode {
    if (register !== BPF_REG_10) return this.out.get(this.local[register]!);
    return this.pushFrame(MAX_BPF_STACK).op(I64_EXTEND_I32_U);
  }

  /** The low word. */
  get32(register: number): WasmCode {
    if (register === BPF_REG_10) return this.pushFrame(MAX_BPF_STACK);
    return this.get(register).op(I32_WRAP_I64);
  }

  set(register: number): WasmCode {
    return this.out.set(this.local[register]!);
  }

  /** Zero-extend a word into a register. */
  set32(register: number): WasmCode {
    this.out.op(I64_EXTEND_I32_U);
    return this.set(register);
  }

  /** The second operand of arithmetic and conditions. */
  operand(insn: Insn): WasmCode {
    return (insn.code & BPF_X) === 0 ? this.out.i64(insn.imm) : this.get(insn.src);
  }

  operand32(insn: Insn): WasmCode {
    return (insn.code & BPF_X) === 0 ? this.out.i32(insn.imm) : this.get32(insn.src);
  }

  isOperandNarrow(insn: Insn): boolean {
    return (insn.code & BPF_X) === 0 ? insn.imm >= 0 : this.facts.isNarrow(insn.src);
  }

  /** The frame's lowest address plus `distance`, as a word. */
  pushFrame(distance: number): WasmCode {
    if ('at' in this.frame) return this.out.i32(this.frame.at + distance);
    this.out.get(this.frame.local);
    return distance === 0 ? this.out : this.out.i32(distance).op(I32_ADD);
  }

  /**
   * The word `register` + `offset`, or as much of it as does not fit behind a load.
   *
   * @returns the offset that the load or store itself has to add
   */
  pushAddress(register: number, offset: number): number {
    if (register === BPF_REG_10) {
      const distance = MAX_BPF_STACK + offset;
      if ('at' in this.frame || distance < 0) {
        this.pushFrame(distance);
        return 0;
      }
      this.pushFrame(0);
      return distance;
    }
    this.get32(register);
    if (offset >= 0) return offset;
    this.out.i32(offset).op(I32_ADD);
    return 0;
  }
}
