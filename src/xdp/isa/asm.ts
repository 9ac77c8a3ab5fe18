/**
 * An assembler without a syntax: one call an instruction, labels by name.
 *
 *   assemble([
 *     asm.mov(R0, XDP_PASS),
 *     asm.load('u32', R2, R1, 4),
 *     asm.jeq(R2, 0, 'out'),
 *     asm.store('u64', R10, -8, R2),
 *     asm.label('out'),
 *     asm.exit(),
 *   ]);
 *
 * Operands that are numbers are constants. 32-bit forms end in 32. A jump goes to a label, or over a
 * number of slots.
 */
import { RangeRefused } from '../../host/errors.ts';
import type { Insn } from './insn.ts';
import {
  BPF_ADD,
  BPF_ADDR_SPACE_CAST,
  BPF_ALU,
  BPF_ALU64,
  BPF_AND,
  BPF_ARSH,
  BPF_ATOMIC,
  BPF_B,
  BPF_CALL,
  BPF_CMPXCHG,
  BPF_DIV,
  BPF_DW,
  BPF_END,
  BPF_EXIT,
  BPF_FETCH,
  BPF_H,
  BPF_JA,
  BPF_JCOND,
  BPF_JEQ,
  BPF_JGE,
  BPF_JGT,
  BPF_JLE,
  BPF_JLT,
  BPF_JMP,
  BPF_JMP32,
  BPF_JNE,
  BPF_JSET,
  BPF_JSGE,
  BPF_JSGT,
  BPF_JSLE,
  BPF_JSLT,
  BPF_LDX,
  BPF_LOAD_ACQ,
  BPF_LSH,
  BPF_MEM,
  BPF_MEMSX,
  BPF_MOD,
  BPF_MOV,
  BPF_MUL,
  BPF_NEG,
  BPF_OR,
  BPF_PSEUDO_CALL,
  BPF_PSEUDO_FUNC,
  BPF_PSEUDO_KFUNC_CALL,
  BPF_PSEUDO_MAP_FD,
  BPF_PSEUDO_MAP_VALUE,
  BPF_RSH,
  BPF_ST,
  BPF_STORE_REL,
  BPF_STX,
  BPF_SUB,
  BPF_TO_BE,
  BPF_TO_LE,
  BPF_W,
  BPF_X,
  BPF_XCHG,
  BPF_XOR,
  LD_IMM64,
} from './insn.ts';

export interface Reg {
  readonly reg: number;
}
export const REGS: readonly Reg[] = Array.from({ length: 11 }, (_, reg) => ({ reg }));

export type Operand = Reg | number;
/** A label, or slots to skip; negative ones go back. */
export type Target = string | number;
export type Size = 'u8' | 'u16' | 'u32' | 'u64';
export type SignedSize = 's8' | 's16' | 's32';
export type AtomicOp = 'add' | 'or' | 'and' | 'xor';

/** One slot, or a name for the next. */
export type AsmLine =
  | { readonly label: string }
  | { readonly insn: Insn; readonly to?: string | undefined; readonly field?: 'off' | 'imm' };

const SIZES: Readonly<Record<Size | SignedSize, number>> = {
  ...{ u8: BPF_B, u16: BPF_H, u32: BPF_W, u64: BPF_DW },
  ...{ s8: BPF_B, s16: BPF_H, s32: BPF_W },
};
type AluName =
  | ('add' | 'sub' | 'mul' | 'div' | 'mod' | 'or' | 'and' | 'xor' | 'mov')
  | ('lsh' | 'rsh' | 'arsh' | 'sdiv' | 'smod');
type JumpName =
  ('jeq' | 'jne' | 'jgt' | 'jge' | 'jlt' | 'jle') | ('jset' | 'jsgt' | 'jsge' | 'jslt' | 'jsle');

const ALU_OPS: Readonly<Record<AluName, number>> = {
  ...{ add: BPF_ADD, sub: BPF_SUB, mul: BPF_MUL, div: BPF_DIV, mod: BPF_MOD },
  ...{ or: BPF_OR, and: BPF_AND, xor: BPF_XOR, mov: BPF_MOV },
  ...{ lsh: BPF_LSH, rsh: BPF_RSH, arsh: BPF_ARSH, sdiv: BPF_DIV, smod: BPF_MOD },
};
const JUMP_OPS: Readonly<Record<JumpName, number>> = {
  ...{ jeq: BPF_JEQ, jne: BPF_JNE, jgt: BPF_JGT, jge: BPF_JGE, jlt: BPF_JLT, jle: BPF_JLE },
  ...{ jset: BPF_JSET, jsgt: BPF_JSGT, jsge: BPF_JSGE, jslt: BPF_JSLT, jsle: BPF_JSLE },
};
const ATOMIC_OPS: Readonly<Record<AtomicOp, number>> = {
  ...{ add: BPF_ADD, or: BPF_OR, and: BPF_AND, xor: BPF_XOR },
};

type Alu = (dst: Reg, operand: Operand) => AsmLine;
type Jump = (dst: Reg, operand: Operand, to: Target) => AsmLine;

const line = (code: number, fields: Partial<Omit<Insn, 'code'>>): AsmLine => ({
  insn: { ...{ code, dst: 0, src: 0, off: 0, imm: 0 }, ...fields },
});

/** The source bit, and the field that holds the operand. */
const second = (operand: Operand): { x: number; field: Partial<Insn> } =>
  typeof operand === 'number'
    ? { x: 0, field: { imm: imm32(operand) } }
    : { x: BPF_X, field: { src: operand.reg } };

function imm32(value: number): number {
  if (!Number.isInteger(value) || value < -(2 ** 31) || value >= 2 ** 32) {
    throw new RangeRefused('constant', value, '-2^31 to 2^32 - 1');
  }
  return value | 0;
}

function off16(value: number): number {
  if (!Number.isInteger(value) || value < -32768 || value > 32767) {
    throw new RangeRefused('offset', value, '-32768 to 32767');
  }
  return value;
}

const alu =
  (kind: number, name: AluName): Alu =>
  (dst, operand) => {
    const { x, field } = second(operand);
    const off = name === 'sdiv' || name === 'smod' ? 1 : 0;
    return line(kind | ALU_OPS[name] | x, { dst: dst.reg, off, ...field });
  };

const jump =
  (kind: number, name: JumpName): Jump =>
  (dst, operand, to) => {
    const { x, field } = second(operand);
    return aimed(kind | JUMP_OPS[name] | x, { dst: dst.reg, ...field }, to, 'off');
  };

const aimed = (code: number, fields: Partial<Insn>, to: Target, field: 'off' | 'imm'): AsmLine => {
  const slots = typeof to === 'string' ? 0 : field === 'off' ? off16(to) : imm32(to);
  const { insn } = line(code, { ...fields, [field]: slots }) as { insn: Insn };
  return { insn, to: typeof to === 'string' ? to : undefined, field };
};

const named = <Name extends string, Made>(
  names: readonly Name[],
  make: (name: Name) => Made,
): Record<Name, Made> =>
  Object.fromEntries(names.map((name) => [name, make(name)])) as Record<Name, Made>;
const named32 = <Name extends string, Made>(
  names: readonly Name[],
  make: (name: Name) => Made,
): Record<`${Name}32`, Made> =>
  Object.fromEntries(names.map((name) => [`${name}32`, make(name)])) as Record<`${Name}32`, Made>;

const ALU_NAMES = Object.keys(ALU_OPS) as AluName[];
const JUMP_NAMES = Object.keys(JUMP_OPS) as JumpName[];

const atomic = (size: 'u32' | 'u64', at: Reg, off: number, src: Reg, imm: number): AsmLine =>
  line(BPF_STX | BPF_ATOMIC | SIZES[size], { dst: at.reg, off: off16(off), src: src.reg, imm });

/** Two slots. */
const wide = (dst: Reg, src: number, low: number, high: number): AsmLine[] => [
  line(LD_IMM64, { dst: dst.reg, src, imm: low | 0 }),
  line(0, { imm: high | 0 }),
];

export interface Asm extends Readonly<
  Record<AluName | `${AluName}32`, Alu> & Record<JumpName | `${JumpName}32`, Jump>
> {
  neg(dst: Reg): AsmLine;
  neg32(dst: Reg): AsmLine;
  /** Sign-extend the lowest `bits` of `src`. */
  movsx(bits: 8 | 16 | 32, dst: Reg, src: Reg): AsmLine;
  movsx32(bits: 8 | 16, dst: Reg, src: Reg): AsmLine;
  /** Between the address spaces of programs (0) and of arenas (1). */
  addrSpaceCast(dst: Reg, src: Reg, to: number, from: number): AsmLine;
  le(bits: 16 | 32 | 64, dst: Reg): AsmLine;
  be(bits: 16 | 32 | 64, dst: Reg): AsmLine;
  bswap(bits: 16 | 32 | 64, dst: Reg): AsmLine;
  load(size: Size | SignedSize, dst: Reg, at: Reg, off: number): AsmLine;
  store(size: Size, at: Reg, off: number, value: Operand): AsmLine;
  atomic(op: AtomicOp, size: 'u32' | 'u64', at: Reg, off: number, src: Reg): AsmLine;
  fetch(op: AtomicOp, size: 'u32' | 'u64', at: Reg, off: number, src: Reg): AsmLine;
  xchg(size: 'u32' | 'u64', at: Reg, off: number, src: Reg): AsmLine;
  cmpxchg(size: 'u32' | 'u64', at: Reg, off: number, src: Reg): AsmLine;
  loadAcquire(size: Size, dst: Reg, at: Reg, off: number): AsmLine;
  storeRelease(size: Size, at: Reg, off: number, src: Reg): AsmLine;
  /** Two slots, as the next three. */
  imm64(dst: Reg, value: bigint): AsmLine[];
  mapPtr(dst: Reg, id: number): AsmLine[];
  mapValue(dst: Reg, id: number, off: number): AsmLine[];
  /** The address of a function, for a callback. */
  func(dst: Reg, to: Target): AsmLine[];
  ja(to: Target): AsmLine;
  /** The jump with 32 bits of distance (`gotol`). */
  ja32(to: Target): AsmLine;
  mayGoto(to: Target): AsmLine;
  call(helper: number): AsmLine;
  callLocal(to: Target): AsmLine;
  callKfunc(btfId: number): AsmLine;
  callx(target: Reg): AsmLine;
  exit(): AsmLine;
  label(name: string): AsmLine;
}

export const asm: Asm = {
  ...named(ALU_NAMES, (name) => alu(BPF_ALU64, name)),
  ...named32(ALU_NAMES, (name) => alu(BPF_ALU, name)),
  ...named(JUMP_NAMES, (name) => jump(BPF_JMP, name)),
  ...named32(JUMP_NAMES, (name) => jump(BPF_JMP32, name)),
  neg: (dst) => line(BPF_ALU64 | BPF_NEG, { dst: dst.reg }),
  neg32: (dst) => line(BPF_ALU | BPF_NEG, { dst: dst.reg }),
  movsx: (bits, dst, src) =>
    line(BPF_ALU64 | BPF_MOV | BPF_X, { dst: dst.reg, src: src.reg, off: bits }),
  movsx32: (bits, dst, src) =>
    line(BPF_ALU | BPF_MOV | BPF_X, { dst: dst.reg, src: src.reg, off: bits }),
  addrSpaceCast: (dst, src, to, from) =>
    line(BPF_ALU64 | BPF_MOV | BPF_X, {
      ...{ dst: dst.reg, src: src.reg, off: BPF_ADDR_SPACE_CAST },
      imm: (to << 16) | from,
    }),
  le: (imm, dst) => line(BPF_ALU | BPF_END | BPF_TO_LE, { dst: dst.reg, imm }),
  be: (imm, dst) => line(BPF_ALU | BPF_END | BPF_TO_BE, { dst: dst.reg, imm }),
  bswap: (imm, dst) => line(BPF_ALU64 | BPF_END, { dst: dst.reg, imm }),
  load: (size, dst, at, off) => {
    const mode = size.startsWith('s') ? BPF_MEMSX : BPF_MEM;
    return line(BPF_LDX | mode | SIZES[size], { dst: dst.reg, src: at.reg, off: off16(off) });
  },
  store: (size, at, off, value) => {
    const { x, field } = second(value);
    const kind = x === 0 ? BPF_ST : BPF_STX;
    return line(kind | BPF_MEM | SIZES[size], { dst: at.reg, off: off16(off), ...field });
  },
  atomic: (op, size, at, off, src) => atomic(size, at, off, src, ATOMIC_OPS[op]),
  fetch: (op, size, at, off, src) => atomic(size, at, off, src, ATOMIC_OPS[op] | BPF_FETCH),
  xchg: (size, at, off, src) => atomic(size, at, off, src, BPF_XCHG),
  cmpxchg: (size, at, off, src) => atomic(size, at, off, src, BPF_CMPXCHG),
  loadAcquire: (size, dst, at, off) =>
    line(BPF_STX | BPF_ATOMIC | SIZES[size], {
      ...{ dst: dst.reg, src: at.reg, off: off16(off), imm: BPF_LOAD_ACQ },
    }),
  storeRelease: (size, at, off, src) =>
    line(BPF_STX | BPF_ATOMIC | SIZES[size], {
      ...{ dst: at.reg, src: src.reg, off: off16(off), imm: BPF_STORE_REL },
    }),
  imm64: (dst, value) =>
    wide(dst, 0, Number(BigInt.asIntN(32, value)), Number(BigInt.asIntN(32, value >> 32n))),
  mapPtr: (dst, id) => wide(dst, BPF_PSEUDO_MAP_FD, id, 0),
  mapValue: (dst, id, off) => wide(dst, BPF_PSEUDO_MAP_VALUE, id, off),
  func: (dst, to) => [
    aimed(LD_IMM64, { dst: dst.reg, src: BPF_PSEUDO_FUNC }, to, 'imm'),
    line(0, {}),
  ],
  ja: (to) => aimed(BPF_JMP | BPF_JA, {}, to, 'off'),
  ja32: (to) => aimed(BPF_JMP32 | BPF_JA, {}, to, 'imm'),
  mayGoto: (to) => aimed(BPF_JMP | BPF_JCOND, {}, to, 'off'),
  call: (helper) => line(BPF_JMP | BPF_CALL, { imm: imm32(helper) }),
  callLocal: (to) => aimed(BPF_JMP | BPF_CALL, { src: BPF_PSEUDO_CALL }, to, 'imm'),
  callKfunc: (btfId) => line(BPF_JMP | BPF_CALL, { src: BPF_PSEUDO_KFUNC_CALL, imm: imm32(btfId) }),
  callx: (target) => line(BPF_JMP | BPF_CALL | BPF_X, { dst: target.reg }),
  exit: () => line(BPF_JMP | BPF_EXIT, {}),
  label: (name) => ({ label: name }),
};

/** A label is missing or stands twice. */
export class LabelError extends Error {
  constructor(reason: string) {
    super(reason);
    this.name = 'LabelError';
  }
}

/**
 * @throws LabelError naming the label that is missing or stands twice
 * @throws RangeRefused when a label is too far away for its jump
 */
export function assemble(lines: readonly (AsmLine | readonly AsmLine[])[]): Insn[] {
  const flat = lines.flat();
  const labels = new Map<string, number>();
  let slots = 0;
  for (const item of flat) {
    if (!('label' in item)) slots++;
    else if (labels.has(item.label)) throw new LabelError(`label ${item.label} stands twice`);
    else labels.set(item.label, slots);
  }
  const insns: Insn[] = [];
  for (const item of flat) {
    if ('label' in item) continue;
    const { insn, to, field = 'off' } = item;
    if (to === undefined) insns.push(insn);
    else {
      const at = labels.get(to);
      if (at === undefined) throw new LabelError(`no label ${to}`);
      const distance = at - insns.length - 1;
      insns.push({ ...insn, [field]: field === 'off' ? off16(distance) : distance });
    }
  }
  return insns;
}
