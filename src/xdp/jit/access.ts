/**
 * Loads, stores and atomics, straight into host memory.
 *
 * One program runs at a time, so an atomic is a read, an operation and a write, and the orders of
 * load-acquire and store-release are kept by themselves.
 *
 * @spec RFC 9669 §5
 */
import {
  BPF_ADD,
  BPF_AND,
  BPF_ATOMIC,
  BPF_B,
  BPF_CMPXCHG,
  BPF_DW,
  BPF_FETCH,
  BPF_H,
  BPF_LDX,
  BPF_LOAD_ACQ,
  BPF_MEMSX,
  BPF_OR,
  BPF_REG_0,
  BPF_ST,
  BPF_STORE_REL,
  BPF_W,
  BPF_XCHG,
  BPF_XOR,
} from '../isa/insn.ts';
import type { Insn } from '../isa/insn.ts';
import * as op from './opcodes.ts';
import type { Registers } from './registers.ts';

/**
 * Leaves the address of an access on the stack.
 *
 * @param bytes that will be accessed
 * @returns the offset that the load or store itself has to add
 */
export type AddressWriter = (
  register: number,
  offset: number,
  bytes: number,
  isWrite: boolean,
) => number;

interface Width {
  readonly bytes: number;
  readonly load: number;
  readonly loadSigned: number;
  readonly store: number;
  /** From and to words; 0 where there are more bytes. */
  readonly loadWord: number;
  readonly storeWord: number;
}

const WIDTHS: Readonly<Record<number, Width>> = {
  [BPF_B]: {
    ...{ bytes: 1, load: op.I64_LOAD8_U, loadSigned: op.I64_LOAD8_S, store: op.I64_STORE8 },
    ...{ loadWord: op.I32_LOAD8_U, storeWord: op.I32_STORE8 },
  },
  [BPF_H]: {
    ...{ bytes: 2, load: op.I64_LOAD16_U, loadSigned: op.I64_LOAD16_S, store: op.I64_STORE16 },
    ...{ loadWord: op.I32_LOAD16_U, storeWord: op.I32_STORE16 },
  },
  [BPF_W]: {
    ...{ bytes: 4, load: op.I64_LOAD32_U, loadSigned: op.I64_LOAD32_S, store: op.I64_STORE32 },
    ...{ loadWord: op.I32_LOAD, storeWord: op.I32_STORE },
  },
  [BPF_DW]: {
    ...{ bytes: 8, load: op.I64_LOAD, loadSigned: op.I64_LOAD, store: op.I64_STORE },
    ...{ loadWord: 0, storeWord: 0 },
  },
};
const MODE = 0xe0;

/** Classes LDX, ST and STX. */
export function writeAccess(regs: Registers, insn: Insn, address: AddressWriter): void {
  const width = WIDTHS[insn.code & BPF_DW]!;
  if ((insn.code & 7) === BPF_LDX) {
    load(regs, insn, width, (insn.code & MODE) === BPF_MEMSX, address);
  } else if ((insn.code & 7) === BPF_ST) {
    const offset = address(insn.dst, insn.off, width.bytes, true);
    if (width.storeWord !== 0) regs.out.i32(insn.imm).access(width.storeWord, offset);
    else regs.out.i64(insn.imm).access(width.store, offset);
  } else if ((insn.code & MODE) !== BPF_ATOMIC || insn.imm === BPF_STORE_REL) {
    const offset = address(insn.dst, insn.off, width.bytes, true);
    if (width.storeWord !== 0) regs.get32(insn.src).access(width.storeWord, offset);
    else regs.get(insn.src).access(width.store, offset);
  } else if (insn.imm === BPF_LOAD_ACQ) load(regs, insn, width, false, address);
  else atomic(regs, insn, width, address);
}

function load(
  regs: Registers,
  insn: Insn,
  width: Width,
  isSigned: boolean,
  address: AddressWriter,
): void {
  const offset = address(insn.src, insn.off, width.bytes, false);
  if (width.loadWord !== 0 && !isSigned) {
    regs.out.access(width.loadWord, offset);
    regs.set32(insn.dst);
  } else {
    regs.out.access(isSigned ? width.loadSigned : width.load, offset);
    regs.set(insn.dst);
  }
}

const COMBINE: Readonly<Record<number, number>> = {
  [BPF_ADD]: op.I64_ADD,
  [BPF_OR]: op.I64_OR,
  [BPF_AND]: op.I64_AND,
  [BPF_XOR]: op.I64_XOR,
};

function atomic(regs: Registers, insn: Insn, width: Width, address: AddressWriter): void {
  const { out, spare32: at, spare64: old } = regs;
  const { dst, src, imm } = insn;
  const offset = address(dst, insn.off, width.bytes, true);
  out.tee(at).access(width.load, offset).set(old);
  out.get(at);
  if (imm === BPF_CMPXCHG) return compareAndExchange(regs, insn, width, offset);
  if (imm === BPF_XCHG) regs.get(src);
  else {
    out.get(old);
    regs.get(src).op(COMBINE[imm & ~BPF_FETCH]!);
  }
  out.access(width.store, offset);
  if ((imm & BPF_FETCH) === 0) return;
  out.get(old);
  regs.set(src);
}

/** Stores what was there when it differs from r0; the address lies on the stack. */
function compareAndExchange(regs: Registers, insn: Insn, width: Width, offset: number): void {
  const { out, spare64: old } = regs;
  regs.get(insn.src);
  out.get(old).get(old);
  regs.get(BPF_REG_0);
  if (width.bytes === 4) out.i64(-1, 0).op(op.I64_AND);
  out.op(op.I64_EQ).op(op.SELECT).access(width.store, offset);
  out.get(old);
  regs.set(BPF_REG_0);
}
