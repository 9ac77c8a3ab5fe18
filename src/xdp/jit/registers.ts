/**
 * eBPF's registers as WebAssembly locals, for one function.
 *
 *   r0 to r9   each two locals, i32 for values that are held as words and i64 for others; which of
 *              them has the value is known at every place (`webs.ts`)
 *   r10        not a local: the frame's lowest address, a constant in the function that a run
 *              begins with and the last parameter (i32) of all others, plus 512
 *   behind     slots of the stack that are held like registers (`spills.ts`)
 *
 * Slots of the stack then lie at positive offsets from the frame, which WebAssembly's loads and
 * stores have a place for.
 */
import type { HostAddr } from '../../host/memory.ts';
import { I32, I64 } from '../../host/wasm.ts';
import type { WasmCode } from '../../host/wasm.ts';
import type { WasmFunction } from '../../host/wasmFunction.ts';
import { BPF_REG_1, BPF_REG_10, BPF_REG_2, BPF_X, MAX_BPF_STACK } from '../isa/insn.ts';
import type { Insn } from '../isa/insn.ts';
import { Facts, MAX_WORD } from './facts.ts';
import { I32_ADD, I32_WRAP_I64, I64_EXTEND_I32_U } from './opcodes.ts';

/** Registers that hold a call's arguments: r1 to r5. */
export const ARGS = 5;

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
  /** Is what the instruction that is being written puts into its register below 2^32? */
  resultIsNarrow = false;
  /** And is it held as a word? */
  resultIsWord = false;
  /** Registers that are words here, as bits. */
  private words = 0;
  /** By register: its locals, once there is one. */
  private readonly wide: (number | undefined)[] = [];
  private readonly word: (number | undefined)[] = [];
  private readonly temporaries: number[] = [];
  private readonly params: number;

  /** A function that starts a run: it has `params` parameters of type i32. */
  static ofEntry(out: WasmCode, facts: Facts, params: number, frameAt: HostAddr): Registers {
    return new Registers(out, facts, params, { at: frameAt });
  }

  /** A part of a function that starts runs, again and again. */
  static ofPart(out: WasmCode, facts: Facts, within: Within, frameAt: HostAddr): Registers {
    return new Registers(out, facts, 0, { at: frameAt }, within);
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
    if (!this.isEntry) for (let n = 1; n <= ARGS; n++) this.wide[n] = n - 1;
    this.spare64 = this.add(I64);
    this.spare32 = this.add(I32);
  }

  /** What locals hold, parameters first, for people who read the code. */
  get names(): string[] {
    const named: string[] = [];
    if (this.isEntry) named.push('ctx', 'len', 'given');
    if ('local' in this.frame) named[this.frame.local] = 'frame';
    for (let n = this.params; n < this.params + this.locals.length; n++) named[n] = `n${n}`;
    this.wide.forEach((local, register) => (named[local!] = nameOf('r', register)));
    this.word.forEach((local, register) => (named[local!] = nameOf('w', register)));
    named[this.spare64] = 'spare64';
    named[this.spare32] = 'spare32';
    return named;
  }

  /** @returns a new local */
  add(type: number): number {
    if (this.within !== null) return this.within.f.local(type).index;
    return this.params + this.locals.push(type) - 1;
  }

  /** The local (i32) of number `n` for a value within one instruction: all instructions have the same. */
  temporary(n: number): number {
    return (this.temporaries[n] ??= this.add(I32));
  }

  /** What is known where the function begins: arguments of a run are words. */
  factsOnEntry(): Facts {
    const facts = new Facts();
    if (!this.isEntry) return facts;
    facts.write(BPF_REG_1, MAX_WORD);
    facts.write(BPF_REG_2, MAX_WORD);
    return facts;
  }

  /** Of the instruction that is to be written. @param narrow below 2^32 @param word held as a word */
  resultIs(narrow: boolean, word: boolean): void {
    this.resultIsNarrow = narrow;
    this.resultIsWord = word;
  }

  /** A block begins. @param words registers that are words there, as bits */
  begin(words: number): void {
    this.words = words;
  }

  get(register: number): WasmCode {
    if (register === BPF_REG_10 || this.isWord(register))
      return this.get32(register).op(I64_EXTEND_I32_U);
    return this.out.get(this.wideOf(register));
  }

  /** The low word. */
  get32(register: number): WasmCode {
    if (register === BPF_REG_10) return this.pushFrame(MAX_BPF_STACK);
    if (this.isWord(register)) return this.out.get(this.wordOf(register));
    return this.out.get(this.wideOf(register)).op(I32_WRAP_I64);
  }

  /** The instruction's result, 64 bits of it. */
  set(register: number): WasmCode {
    if (!this.resultIsWord) return this.setWide(register);
    this.out.op(I32_WRAP_I64);
    return this.setWord(register);
  }

  /** The instruction's result, a word that is zero-extended. */
  set32(register: number): WasmCode {
    if (this.resultIsWord) return this.setWord(register);
    this.out.op(I64_EXTEND_I32_U);
    return this.setWide(register);
  }

  private isWord(register: number): boolean {
    return ((this.words >> register) & 1) !== 0;
  }

  private setWide(register: number): WasmCode {
    this.words &= ~(1 << register);
    return this.out.set(this.wideOf(register));
  }

  private setWord(register: number): WasmCode {
    this.words |= 1 << register;
    return this.out.set(this.wordOf(register));
  }

  private wideOf(register: number): number {
    return (this.wide[register] ??= this.add(I64));
  }

  private wordOf(register: number): number {
    return (this.word[register] ??= this.add(I32));
  }

  /** The second operand of arithmetic and conditions. */
  operand(insn: Insn): WasmCode {
    return (insn.code & BPF_X) === 0 ? this.out.i64(insn.imm) : this.get(insn.src);
  }

  operand32(insn: Insn): WasmCode {
    return (insn.code & BPF_X) === 0 ? this.out.i32(insn.imm) : this.get32(insn.src);
  }

  /** Is the second operand, sign-extended if it is a constant, below 2^32? */
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

/** `r3` and `w3` as assembly has them; a slot of the stack by its place among those that are held. */
const nameOf = (letter: string, register: number): string =>
  register < BPF_REG_10 ? `${letter}${register}` : `${letter}_spill${register - BPF_REG_10}`;
