/**
 * Arithmetic: 64-bit operations as they are, 32-bit ones on the low words with the result
 * zero-extended, unless what is known of the operands makes both the same.
 *
 * Division by zero gives 0, modulo by zero leaves the destination (its low word in the 32-bit
 * form); WebAssembly's own would trap. Shifts count modulo the width in both.
 *
 * @spec RFC 9669 §4.1, §4.2
 */
import { I32, I64 } from '../../host/wasm.ts';
import {
  BPF_ADD,
  BPF_ALU,
  BPF_ALU64,
  BPF_AND,
  BPF_ARSH,
  BPF_DIV,
  BPF_END,
  BPF_LSH,
  BPF_MOD,
  BPF_MOV,
  BPF_MUL,
  BPF_NEG,
  BPF_OR,
  BPF_RSH,
  BPF_SUB,
  BPF_TO_BE,
  BPF_X,
  BPF_XOR,
} from '../isa/insn.ts';
import type { Insn } from '../isa/insn.ts';
import * as op from './opcodes.ts';
import type { Registers } from './registers.ts';

interface Form {
  readonly wide: number;
  readonly word: number;
}

/** Operations that both sides have. */
const SIMPLE: ReadonlyMap<number, Form> = new Map([
  [BPF_ADD, { wide: op.I64_ADD, word: op.I32_ADD }],
  [BPF_SUB, { wide: op.I64_SUB, word: op.I32_SUB }],
  [BPF_MUL, { wide: op.I64_MUL, word: op.I32_MUL }],
  [BPF_OR, { wide: op.I64_OR, word: op.I32_OR }],
  [BPF_AND, { wide: op.I64_AND, word: op.I32_AND }],
  [BPF_XOR, { wide: op.I64_XOR, word: op.I32_XOR }],
  [BPF_LSH, { wide: op.I64_SHL, word: op.I32_SHL }],
  [BPF_RSH, { wide: op.I64_SHR_U, word: op.I32_SHR_U }],
  [BPF_ARSH, { wide: op.I64_SHR_S, word: op.I32_SHR_S }],
]);

export function writeAlu(regs: Registers, insn: Insn): void {
  const wide = (insn.code & 7) === BPF_ALU64;
  switch (insn.code & 0xf0) {
    case BPF_MOV:
      return wide ? move(regs, insn) : moveWord(regs, insn);
    case BPF_NEG:
      return negate(regs, insn.dst, wide);
    case BPF_END:
      return byteOrder(regs, insn);
    case BPF_DIV:
    case BPF_MOD:
      return divide(regs, insn, wide);
    default:
      return simple(regs, insn, wide);
  }
}

function simple(regs: Registers, insn: Insn, wide: boolean): void {
  const form = SIMPLE.get(insn.code & 0xf0)!;
  if (wide && !isSameInWords(regs, insn)) {
    regs.get(insn.dst);
    regs.operand(insn).op(form.wide);
    regs.set(insn.dst);
    return;
  }
  regs.get32(insn.dst);
  regs.operand32(insn).op(form.word);
  regs.set32(insn.dst);
}

/** Would the 32-bit form of a 64-bit operation give the same? */
function isSameInWords(regs: Registers, insn: Insn): boolean {
  if (!regs.resultIsNarrow) return false;
  const isShort = (insn.code & BPF_X) === 0 && insn.imm >= 0 && insn.imm < 32;
  switch (insn.code & 0xf0) {
    case BPF_LSH:
      return isShort;
    case BPF_RSH:
      return isShort && regs.facts.isNarrow(insn.dst);
    case BPF_ARSH:
      return false;
    default:
      return true;
  }
}

const SIGN_EXTEND: Readonly<Record<number, number>> = {
  8: op.I64_EXTEND8_S,
  16: op.I64_EXTEND16_S,
  32: op.I64_EXTEND32_S,
};

function move(regs: Registers, insn: Insn): void {
  if (regs.resultIsNarrow && insn.off === 0) return moveWord(regs, insn);
  regs.operand(insn);
  if (insn.off !== 0) regs.out.op(SIGN_EXTEND[insn.off]!);
  regs.set(insn.dst);
}

function moveWord(regs: Registers, insn: Insn): void {
  regs.operand32(insn);
  if (insn.off === 8) regs.out.op(op.I32_EXTEND8_S);
  if (insn.off === 16) regs.out.op(op.I32_EXTEND16_S);
  regs.set32(insn.dst);
}

function negate(regs: Registers, dst: number, wide: boolean): void {
  if (wide) {
    regs.out.i64(0);
    regs.get(dst).op(op.I64_SUB);
    regs.set(dst);
  } else {
    regs.out.i32(0);
    regs.get32(dst).op(op.I32_SUB);
    regs.set32(dst);
  }
}

/** One width of division: its instructions and its constants. */
interface Division {
  readonly type: number;
  readonly eqz: number;
  readonly eq: number;
  readonly sub: number;
  readonly divU: number;
  readonly divS: number;
  readonly remU: number;
  readonly remS: number;
}
const DIVISION_64: Division = {
  type: I64,
  eqz: op.I64_EQZ,
  eq: op.I64_EQ,
  sub: op.I64_SUB,
  divU: op.I64_DIV_U,
  divS: op.I64_DIV_S,
  remU: op.I64_REM_U,
  remS: op.I64_REM_S,
};
const DIVISION_32: Division = {
  type: I32,
  eqz: op.I32_EQZ,
  eq: op.I32_EQ,
  sub: op.I32_SUB,
  divU: op.I32_DIV_U,
  divS: op.I32_DIV_S,
  remU: op.I32_REM_U,
  remS: op.I32_REM_S,
};

function divide(regs: Registers, insn: Insn, wide: boolean): void {
  const signed = insn.off === 1;
  const narrow = regs.facts.isNarrow(insn.dst) && regs.isOperandNarrow(insn);
  const inWords = !wide || (narrow && !signed);
  const form = inWords ? DIVISION_32 : DIVISION_64;
  const dividend = (): unknown => (inWords ? regs.get32(insn.dst) : regs.get(insn.dst));
  const divisor = (): unknown => (inWords ? regs.operand32(insn) : regs.operand(insn));
  const constant = (n: number): unknown => (inWords ? regs.out.i32(n) : regs.out.i64(n));
  const isModulo = (insn.code & 0xf0) === BPF_MOD;
  const byZero = (): unknown => (isModulo ? dividend() : constant(0));
  const byOther = (): void => {
    dividend();
    divisor();
    if (isModulo) regs.out.op(signed ? form.remS : form.remU);
    else regs.out.op(signed ? form.divS : form.divU);
  };
  // the lowest number divided by -1 is itself: WebAssembly would trap
  const byMinusOne = (): void => {
    constant(0);
    dividend();
    regs.out.op(form.sub);
  };
  const splits = signed && !isModulo;
  if ((insn.code & BPF_X) === 0) {
    if (insn.imm === 0) byZero();
    else if (insn.imm === -1 && splits) byMinusOne();
    else byOther();
  } else {
    divisor();
    either(regs, form.eqz, form.type, byZero, () => {
      if (!splits) return byOther();
      divisor();
      constant(-1);
      either(regs, form.eq, form.type, byMinusOne, byOther);
    });
  }
  if (inWords) regs.set32(insn.dst);
  else regs.set(insn.dst);
}

/** `test` is applied to what lies on the stack; both arms leave a value of `type`. */
function either(
  regs: Registers,
  test: number,
  type: number,
  then: () => unknown,
  otherwise: () => unknown,
): void {
  regs.out.op(test).if(type);
  then();
  regs.out.else();
  otherwise();
  regs.out.end();
}

/** Host memory is little-endian: to that order only truncates. */
function byteOrder(regs: Registers, insn: Insn): void {
  const swaps = (insn.code & 7) !== BPF_ALU || (insn.code & BPF_X) === BPF_TO_BE;
  const { dst, imm: bits } = insn;
  if (bits === 64 && !swaps) {
    regs.get(dst);
    regs.set(dst);
  } else if (!swaps) {
    regs.get32(dst);
    if (bits === 16) regs.out.i32(0xffff).op(op.I32_AND);
    regs.set32(dst);
  } else if (bits === 16) swap16(regs, dst);
  else if (bits === 32) swap32(regs, dst);
  else swap64(regs, dst);
}

/** The two bytes, twice one after the other: those in the middle are in the other order. */
function swap16(regs: Registers, dst: number): void {
  const { out } = regs;
  regs.get32(dst);
  if (regs.facts.most[dst]! > 0xffff) out.i32(0xffff).op(op.I32_AND);
  out.i32(0x10001).op(op.I32_MUL).i32(8).op(op.I32_SHR_U).i32(0xffff).op(op.I32_AND);
  regs.set32(dst);
}

/** Bytes 0 and 2 go round by 8 bits, 1 and 3 by 24. */
function swap32(regs: Registers, dst: number): void {
  const { out } = regs;
  regs.get32(dst);
  out.i32(8).op(op.I32_ROTL).i32(0x00ff00ff).op(op.I32_AND);
  regs.get32(dst);
  out.i32(24).op(op.I32_ROTL).i32(0xff00ff00).op(op.I32_AND).op(op.I32_OR);
  regs.set32(dst);
}

/** Halves, then the 16-bit parts of each, then the bytes of each part change places. */
function swap64(regs: Registers, dst: number): void {
  const { out, spare64 } = regs;
  regs.get(dst);
  out.i64(32).op(op.I64_ROTL).set(spare64);
  for (const [bits, mask] of [
    [16, 0x0000ffff],
    [8, 0x00ff00ff],
  ] as const) {
    out.get(spare64).i64(mask, mask).op(op.I64_AND).i64(bits).op(op.I64_SHL);
    out.get(spare64).i64(bits).op(op.I64_SHR_U).i64(mask, mask).op(op.I64_AND);
    out.op(op.I64_OR).set(spare64);
  }
  out.get(spare64);
  regs.set(dst);
}
