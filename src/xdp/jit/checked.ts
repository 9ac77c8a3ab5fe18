/**
 * Checked mode: every access is tested against what the program may touch, and every block of
 * instructions is taken from a budget. For programs that nobody has verified, and for those who want
 * to know whether the verifier was right.
 */
import { PAGE_SIZE } from '../../host/memory.ts';
import type { HostAddr } from '../../host/memory.ts';
import { I32, I64, WasmCode } from '../../host/wasm.ts';
import { CALL_CHAIN_BYTES } from '../engine.ts';
import { BPF_B, BPF_DW, BPF_H, BPF_IND, BPF_REG_0 } from '../isa/insn.ts';
import type { Insn } from '../isa/insn.ts';
import { XDP_MD_BYTES } from '../xdpBuff.ts';
import { writeReturn } from './call.ts';
import type { Block } from './graph.ts';
import * as op from './opcodes.ts';
import type { Registers } from './registers.ts';
import type { Unit } from './unit.ts';

interface Access {
  readonly register: number;
  readonly offset: number;
  readonly bytes: number;
  readonly isWrite: boolean;
  readonly slot: number;
}

/** Leaves the address on the stack, or ends the run. */
export function checkedAddress(unit: Unit, regs: Registers, access: Access): void {
  regs.get(access.register);
  if (access.offset !== 0) regs.out.i64(access.offset).op(op.I64_ADD);
  regs.out
    .i32(access.bytes)
    .i32(access.isWrite ? 1 : 0)
    .i32(access.slot)
    .call(unit.checker());
}

const AT = 0;
const BYTES = 1;
const IS_WRITE = 2;
const SLOT = 3;
const LENGTH = 4;

type Push = (out: WasmCode) => void;

/**
 * `check(at, bytes, isWrite, slot)`. What programs mostly touch is let pass here: the stack, the
 * packet's data and, to read, the context. `ProgramMemory`, which knows all there is, map memory for
 * one, decides about the rest.
 */
export function writeChecker(unit: Unit): void {
  const refuse = unit.import('access', 5, 0, (lo, hi, bytes, isWrite, slot) =>
    testAccess(unit, lo >>> 0, hi >>> 0, bytes, isWrite !== 0, slot),
  );
  const out = new WasmCode(256);
  const md = (field: number): void =>
    void out.globalGet(unit.context).access(op.I64_LOAD32_U, field);
  const allowed = out.block();
  passIfInside(out, allowed, unit.lastFrame, CALL_CHAIN_BYTES);
  out.globalGet(unit.context).if();
  const data = (): void => md(XDP_MD_DATA);
  md(XDP_MD_DATA_END);
  data();
  out.op(op.I64_SUB).set(LENGTH);
  writeInside(out, data, () => void out.get(LENGTH));
  out.brIf(allowed);
  const context = (): void => void out.globalGet(unit.context).op(op.I64_EXTEND_I32_U);
  writeInside(out, context, () => void out.i64(XDP_MD_BYTES));
  out.get(IS_WRITE).op(op.I32_EQZ).op(op.I32_AND).brIf(allowed);
  out.end();
  out.get(AT).op(op.I32_WRAP_I64);
  out.get(AT).i64(32).op(op.I64_SHR_U).op(op.I32_WRAP_I64);
  out.get(BYTES).get(IS_WRITE).get(SLOT).callImport(refuse);
  out.end();
  out.get(AT).op(op.I32_WRAP_I64);
  unit.module.define(unit.checker(), unit.module.type([I64, I32, I32, I32], [I32]), [I64], out);
}

const XDP_MD_DATA = 0;
const XDP_MD_DATA_END = 4;

function passIfInside(out: WasmCode, allowed: number, base: HostAddr, length: number): void {
  writeInside(
    out,
    () => void out.i64(base),
    () => void out.i64(length),
  );
  out.brIf(allowed);
}

/** Do the bytes lie in the `length` at `base`? No sum is built that could wrap. */
function writeInside(out: WasmCode, base: Push, length: Push): void {
  const bytes = (): WasmCode => out.get(BYTES).op(op.I64_EXTEND_I32_U);
  length(out);
  bytes().op(op.I64_GE_U);
  out.get(AT);
  base(out);
  out.op(op.I64_SUB);
  length(out);
  bytes().op(op.I64_SUB).op(op.I64_LE_U).op(op.I32_AND);
}

function testAccess(
  unit: Unit,
  at: number,
  high: number,
  bytes: number,
  isWrite: boolean,
  slot: number,
): void {
  const isInside = high === 0 && at >= PAGE_SIZE && at + bytes <= unit.bpf.mem.bytes;
  if (isInside && unit.options.reach.allows(at, bytes, isWrite)) return;
  const where = `0x${((BigInt(high) << 32n) | BigInt(at)).toString(16)}`;
  const what = isInside ? 'which is not the program’s' : 'outside host memory';
  throw unit.fault(slot, `${isWrite ? 'writes' : 'reads'} ${bytes} bytes at ${where}, ${what}`);
}

/** Take a block's instructions from what may still run. */
export function writeBudget(unit: Unit, regs: Registers, block: Block): void {
  const { out, spare32: left } = regs;
  out
    .globalGet(unit.budget)
    .i32(block.end - block.start)
    .op(op.I32_SUB)
    .tee(left);
  out.globalSet(unit.budget);
  out.get(left).i32(0).op(op.I32_LT_S);
  unit.writeFaultIf(out, `still running after ${unit.options.maxInsns} instructions`, block.start);
}

const LEGACY_BYTES: Readonly<Record<number, number>> = { [BPF_B]: 1, [BPF_H]: 2 };

/**
 * Loads from the packet in network byte order; outside it they end the function with 0.
 *
 * @linux bpf_load_byte, bpf_load_half, bpf_load_word
 */
export function writeLegacyLoad(unit: Unit, regs: Registers, insn: Insn, slot: number): void {
  if (!unit.checked)
    unit.refuse(slot, 'BPF_LD_[ABS|IND] instructions not allowed for this program type');
  const { out } = regs;
  const bytes = LEGACY_BYTES[insn.code & BPF_DW] ?? 4;
  const { reach } = unit.options;
  const find = unit.import('legacy find', 2, 1, (off, size) => {
    const at = reach.packet + off;
    return off < 0 || at + size > reach.packetEnd ? 0 : at;
  });
  const load = unit.import('legacy load', 2, 1, (at, size) => {
    const { view } = unit.bpf.mem;
    if (size === 4) return view.getInt32(at);
    return size === 2 ? view.getUint16(at) : view.getUint8(at);
  });
  out.i32(insn.imm);
  if ((insn.code & 0xe0) === BPF_IND) regs.get32(insn.src).op(op.I32_ADD);
  out.i32(bytes).callImport(find).tee(regs.spare32).op(op.I32_EQZ).if();
  out.i64(0).set(regs.spare64);
  writeReturn(unit, regs, regs.spare64);
  out.end();
  out.get(regs.spare32).i32(bytes).callImport(load);
  regs.set32(BPF_REG_0);
}
