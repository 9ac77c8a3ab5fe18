/**
 * The assembly of conformance files, as uBPF began it.
 *
 *   mov32 %r0, 5            ldxw %r0, [%r1+4]       lock fetch add32 [%r10-8], %r1
 *   jeq %r0, 5, exit        stw [%r10-4], 7         call local f
 *   lddw %r0, 0x1122334455  stxdw [%r10-8], %r1     call 5
 *
 * `exit` as a jump's target is the first exit. A target with a sign counts slots. From `#` on a line
 * is a comment; a word with a colon at its end is a label.
 */
import type { AsmLine, AtomicOp, Operand, Reg, Size, SignedSize, Target } from './asm.ts';
import { asm, assemble } from './asm.ts';
import type { Insn } from './insn.ts';
import { AsmError } from './asmError.ts';

const LOAD_SIZES: Readonly<Record<string, Size | SignedSize>> = {
  ...{ b: 'u8', h: 'u16', w: 'u32', dw: 'u64', sb: 's8', sh: 's16', sw: 's32' },
};
const ATOMICS: ReadonlySet<string> = new Set(['add', 'or', 'and', 'xor']);

/** @throws AsmError naming the line */
export function assembleConformance(text: string): Insn[] {
  const lines: AsmLine[] = [];
  let exitNamed = false;
  text.split('\n').forEach((raw, index) => {
    const statement = raw.replace(/#.*/, '').trim();
    if (statement === '') return;
    const label = /^(\S+):$/.exec(statement)?.[1];
    if (label !== undefined) {
      lines.push(asm.label(label));
      return;
    }
    if (statement === 'exit' && !exitNamed) {
      exitNamed = true;
      lines.push(asm.label('exit'));
    }
    lines.push(...AsmError.at(index + 1, statement, () => new Statement(statement).lines()));
  });
  return AsmError.at(null, '', () => assemble(lines));
}

class Statement {
  private readonly mnemonic: string;
  private readonly operands: readonly string[];

  constructor(statement: string) {
    const [mnemonic, ...rest] = statement.split(/\s+/);
    this.mnemonic = mnemonic!;
    this.operands = rest.map((operand) => operand.replace(/,$/, ''));
  }

  lines(): AsmLine[] {
    const made = this.one();
    return Array.isArray(made) ? made : [made];
  }

  private one(): AsmLine | AsmLine[] {
    const { mnemonic } = this;
    if (mnemonic === 'exit') return this.takes(0, () => asm.exit());
    if (mnemonic === 'lddw') return this.takes(2, () => asm.imm64(this.reg(0), this.big(1)));
    if (mnemonic === 'ja') return this.takes(1, () => asm.ja(this.target(0)));
    if (mnemonic === 'ja32') return this.takes(1, () => asm.ja32(this.target(0)));
    if (mnemonic === 'call') return this.call();
    if (mnemonic === 'lock') return this.lock();
    return this.access() ?? this.conversion() ?? this.byName();
  }

  private call(): AsmLine {
    const [mode, to] = this.operands;
    if (mode === 'local') return this.takes(2, () => asm.callLocal(this.target(1)));
    if (mode === 'runtime') return this.takes(2, () => asm.callKfunc(this.number(1)));
    if (mode === 'helper' && to !== undefined) return this.takes(2, () => asm.call(this.number(1)));
    if (mode?.startsWith('%') === true) return this.takes(1, () => asm.callx(this.reg(0)));
    return this.takes(1, () => asm.call(this.number(0)));
  }

  /** lock [fetch] op [reg+off], reg */
  private lock(): AsmLine {
    const words = this.operands[0] === 'fetch' ? this.operands.slice(1) : this.operands;
    const fetches = words.length !== this.operands.length;
    const first = this.operands.length - words.length + 1;
    const [, op, narrow] = /^([a-z]+)(32)?$/.exec(words[0] ?? '') ?? [];
    if (words.length !== 3 || op === undefined)
      throw new AsmError('lock takes an operation, an address and a register');
    const size = narrow === undefined ? 'u64' : 'u32';
    const [at, off] = this.address(first);
    const src = this.reg(first + 1);
    if (op === 'xchg') return asm.xchg(size, at, off, src);
    if (op === 'cmpxchg') return asm.cmpxchg(size, at, off, src);
    if (!ATOMICS.has(op)) throw new AsmError(`no atomic operation ${op}`);
    return asm[fetches ? 'fetch' : 'atomic'](op as AtomicOp, size, at, off, src);
  }

  private access(): AsmLine | null {
    const [, kind, suffix] = /^(ldx|stx|st)(s?[bhw]|dw)$/.exec(this.mnemonic) ?? [];
    if (kind === undefined) return null;
    const size = LOAD_SIZES[suffix!]!;
    return this.takes(2, () => {
      if (kind === 'ldx') return asm.load(size, this.reg(0), ...this.address(1));
      if (size.startsWith('s')) throw new AsmError(`no instruction ${this.mnemonic}`);
      const value = kind === 'stx' ? this.reg(1) : this.number(1);
      return asm.store(size as Size, ...this.address(0), value);
    });
  }

  private conversion(): AsmLine | null {
    const [, order, bits] = /^(le|be|swap|bswap)(16|32|64)$/.exec(this.mnemonic) ?? [];
    if (order !== undefined) {
      const make = order === 'le' ? asm.le : order === 'be' ? asm.be : asm.bswap;
      return this.takes(1, () => make(Number(bits) as 16 | 32 | 64, this.reg(0)));
    }
    const [, from, to] = /^movsx(8|16|32)(32|64)$/.exec(this.mnemonic) ?? [];
    if (from === undefined || from === to) return null;
    return this.takes(2, () =>
      to === '64'
        ? asm.movsx(Number(from) as 8 | 16 | 32, this.reg(0), this.reg(1))
        : asm.movsx32(Number(from) as 8 | 16, this.reg(0), this.reg(1)),
    );
  }

  private byName(): AsmLine {
    const { mnemonic } = this;
    if (mnemonic === 'neg') return this.takes(1, () => asm.neg(this.reg(0)));
    if (mnemonic === 'neg32') return this.takes(1, () => asm.neg32(this.reg(0)));
    if (isJump(mnemonic)) {
      return this.takes(3, () => asm[mnemonic](this.reg(0), this.operand(1), this.target(2)));
    }
    if (isAlu(mnemonic)) return this.takes(2, () => asm[mnemonic](this.reg(0), this.operand(1)));
    throw new AsmError(`no instruction ${mnemonic}`);
  }

  private takes<T>(count: number, make: () => T): T {
    if (this.operands.length === count) return make();
    throw new AsmError(`${this.mnemonic} takes ${count} operands, not ${this.operands.length}`);
  }

  private reg(n: number): Reg {
    const text = this.operands[n]!;
    // up to 15, so that a case can name a register which does not exist
    const number = /^%r(\d|1[0-5])$/.exec(text)?.[1];
    if (number === undefined) throw new AsmError(`${text} is no register`);
    return { reg: Number(number) };
  }

  private operand(n: number): Operand {
    return this.operands[n]!.startsWith('%') ? this.reg(n) : this.number(n);
  }

  private big(n: number): bigint {
    const text = this.operands[n]!;
    const [, sign, digits] = /^([+-]?)(0x[0-9a-f]+|\d+)$/i.exec(text) ?? [];
    if (digits === undefined) throw new AsmError(`${text} is no number`);
    return sign === '-' ? -BigInt(digits) : BigInt(digits);
  }

  /** 32 bits, whatever sign they are written with. */
  private number(n: number): number {
    const value = this.big(n);
    const same = BigInt.asIntN(32, value);
    // a constant may be written as the 64 bits it is extended to
    if (
      value !== same &&
      value !== BigInt.asUintN(32, value) &&
      BigInt.asUintN(64, value) !== BigInt.asUintN(64, same)
    ) {
      throw new AsmError(`${this.operands[n]!} does not fit 32 bits`);
    }
    return Number(same);
  }

  private address(n: number): [Reg, number] {
    const [, reg, off] =
      /^\[%r(\d|1[0-5])([+-](?:0x[0-9a-f]+|\d+))?\]$/i.exec(this.operands[n]!) ?? [];
    if (reg === undefined) throw new AsmError(`${this.operands[n]!} is no address`);
    return [
      { reg: Number(reg) },
      off === undefined ? 0 : Math.sign(Number(`${off[0]!}1`)) * Number(off.slice(1)),
    ];
  }

  private target(n: number): Target {
    const text = this.operands[n]!;
    return /^[+-]/.test(text) ? Number(this.big(n)) : text;
  }
}

type JumpName = Extract<
  keyof typeof asm,
  `j${'eq' | 'ne' | 'gt' | 'ge' | 'lt' | 'le' | 'set' | 'sgt' | 'sge' | 'slt' | 'sle'}${'' | '32'}`
>;
type AluName = Extract<
  keyof typeof asm,
  `${'add' | 'sub' | 'mul' | 'div' | 'mod' | 'or' | 'and' | 'xor' | 'mov' | 'lsh' | 'rsh' | 'arsh' | 'sdiv' | 'smod'}${'' | '32'}`
>;
const isJump = (name: string): name is JumpName =>
  /^js?(eq|ne|gt|ge|lt|le|set)(32)?$/.test(name) && name in asm;
const isAlu = (name: string): name is AluName =>
  /^(add|sub|s?mul|s?div|s?mod|x?or|and|mov|lsh|a?rsh)(32)?$/.test(name) && name in asm;
