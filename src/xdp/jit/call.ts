/**
 * Calls, of helpers, of subprograms and of other programs, and returns.
 *
 * A helper is an import that takes as many arguments as its function declares, as words. A look-up
 * in a map that is known here goes straight to that map, and is not a call at all where values can
 * be computed from an index.
 */
import { I32 } from '../../host/wasm.ts';
import type { WasmCode } from '../../host/wasm.ts';
import { EINVAL } from '../../host/errno.ts';
import type { Helper } from '../helpers/helper.ts';
import {
  BPF_PSEUDO_CALL,
  BPF_REG_0,
  BPF_REG_1,
  BPF_REG_2,
  BPF_REG_3,
  BPF_X,
  MAX_BPF_STACK,
} from '../isa/insn.ts';
import type { Insn } from '../isa/insn.ts';
import { XDP_BUFF_HARD_START, XDP_MD_DATA, XDP_MD_DATA_END, XDP_MD_DATA_META } from '../xdpBuff.ts';
import { XDP_FRAME_BYTES } from '../xdpFrame.ts';
import type { AddressWriter } from './access.ts';
import { isTailCall } from './dataflow.ts';
import { MAX_WORD } from './facts.ts';
import type { InlineValues, JitMap } from './jitBpf.ts';
import * as op from './opcodes.ts';
import type { Registers } from './registers.ts';
import { ARGS } from './registers.ts';
import type { Unit } from './unit.ts';

const BPF_FUNC_MAP_LOOKUP_ELEM = 1;
const BPF_FUNC_GET_SMP_PROCESSOR_ID = 8;
const BPF_FUNC_XDP_ADJUST_HEAD = 44;
const ETH_HLEN = 14;

export function writeCall(
  unit: Unit,
  regs: Registers,
  insn: Insn,
  slot: number,
  address: AddressWriter,
): void {
  if ((insn.code & BPF_X) !== 0) return callByNumber(unit, regs, insn, slot);
  if (insn.src === BPF_PSEUDO_CALL) return callLocal(unit, regs, slot + 1 + insn.imm, slot);
  const helper = unit.helper(insn, slot);
  if (isTailCall(insn)) return tailCall(unit, regs);
  if (helper.id === BPF_FUNC_GET_SMP_PROCESSOR_ID) {
    regs.out.i32(unit.bpf.cpuWord).access(op.I64_LOAD32_U, 0);
    return void regs.set(BPF_REG_0);
  }
  if (helper.id === BPF_FUNC_XDP_ADJUST_HEAD && !unit.checked) {
    return adjustHead(regs);
  }
  const map = unit.bpf.maps.get(regs.facts.mapIn(BPF_REG_1));
  if (helper.id !== BPF_FUNC_MAP_LOOKUP_ELEM || map === undefined)
    return callHelper(unit, regs, helper);
  if (map.inline !== null) return lookUpInline(unit, regs, map.inline, address);
  return lookUp(unit, regs, map);
}

/** What a call leaves in r0 at most; see `ResultMost`. @param map whose address r1 holds; 0: not known */
export function mostOfCall(unit: Unit, insn: Insn, map: number): number {
  if ((insn.code & BPF_X) !== 0 || insn.src !== 0) return Infinity;
  if (insn.imm === BPF_FUNC_GET_SMP_PROCESSOR_ID) return MAX_WORD;
  const isLookUp = insn.imm === BPF_FUNC_MAP_LOOKUP_ELEM && unit.bpf.maps.get(map) !== undefined;
  return isLookUp ? MAX_WORD : Infinity;
}

function callHelper(unit: Unit, regs: Registers, helper: Helper): void {
  pushHelper(unit, regs, helper);
  regs.set(BPF_REG_0);
}

/** What the helper returns is the operand on top. */
function pushHelper(unit: Unit, regs: Registers, helper: Helper): void {
  const { out } = regs;
  announceFrame(unit, regs);
  for (let n = 1; n <= ARGS; n++) {
    if (((helper.wideArgs >>> n) & 1) === 0) continue;
    out.i32(unit.bpf.hi + 4 * n);
    regs.get(n).i64(32).op(op.I64_SHR_U).access(op.I64_STORE32, 0);
  }
  // what the function does not declare it does not read
  const arity = arityOf(helper);
  for (let n = 1; n <= arity; n++) regs.get32(n);
  out.callImport(unit.import(helperName(helper), arity, 1, bound(unit, helper)));
  if (helper.wideRet) {
    out.op(op.I64_EXTEND_I32_U);
    out.i32(unit.bpf.hi).access(op.I64_LOAD32_U, 0).i64(32).op(op.I64_SHL).op(op.I64_OR);
  } else out.op(op.I64_EXTEND_I32_S);
}

/**
 * The packet's first byte moved on the spot, and metadata with it, as `bpfXdpAdjustHead` does. A call
 * of that would have V8 store whatever the program needs later, for every packet.
 */
function adjustHead(regs: Registers): void {
  const { out, spare32: data } = regs;
  const metalen = regs.temporary(0);
  const field = (offset: number): WasmCode => regs.get32(BPF_REG_1).access(op.I32_LOAD, offset);
  const setField = (offset: number): void => {
    regs.get32(BPF_REG_1);
    out.get(data).access(op.I32_STORE, offset);
  };
  const end = out.block();
  const refused = out.block();
  field(XDP_MD_DATA);
  field(XDP_MD_DATA_META).op(op.I32_SUB).set(metalen);
  field(XDP_MD_DATA);
  regs.get32(BPF_REG_2).op(op.I32_ADD).tee(data);
  field(XDP_BUFF_HARD_START).i32(XDP_FRAME_BYTES).op(op.I32_ADD);
  // below 0 where the driver supports none
  out.i32(0).get(metalen).get(metalen).i32(0).op(op.I32_LT_S).op(op.SELECT).op(op.I32_ADD);
  out.op(op.I32_LT_S).brIf(refused);
  out.get(data);
  field(XDP_MD_DATA_END).i32(ETH_HLEN).op(op.I32_SUB).op(op.I32_GT_S).brIf(refused);
  setField(XDP_MD_DATA);
  out.get(metalen).i32(0).op(op.I32_GT_S).if();
  moveMetadata(regs, data, metalen);
  out.end();
  out.get(data).get(metalen).op(op.I32_SUB).set(data);
  setField(XDP_MD_DATA_META);
  out.i64(0);
  regs.set(BPF_REG_0).br(end).end();
  out.i64(-EINVAL);
  regs.set(BPF_REG_0);
  out.end();
}

/**
 * The `bytes` in front of where the packet began come to lie in front of `data`, a word at a time,
 * the end first when they go up: the ranges may overlap.
 */
function moveMetadata(regs: Registers, data: number, bytes: number): void {
  const { out } = regs;
  const [step, at, left] = [regs.temporary(1), regs.temporary(2), regs.temporary(3)];
  // the next word is to come to `at`
  out.i32(4).i32(-4);
  regs.get32(BPF_REG_2).i32(0).op(op.I32_LT_S).op(op.SELECT).set(step);
  out.get(data).get(bytes).op(op.I32_SUB).get(data).i32(4).op(op.I32_SUB);
  out.get(step).i32(0).op(op.I32_GT_S).op(op.SELECT).set(at);
  out.get(bytes).set(left);
  const again = out.loop();
  out.get(at).get(at);
  regs.get32(BPF_REG_2).op(op.I32_SUB).access(op.I32_LOAD, 0).access(op.I32_STORE, 0);
  out.get(at).get(step).op(op.I32_ADD).set(at);
  out.get(left).i32(4).op(op.I32_SUB).tee(left).brIf(again);
  out.end();
}

/** Arguments that the helper's function declares, behind the machine. */
const arityOf = (helper: Helper): number => Math.max(helper.call.length - 1, 0);

/** Kernel functions have no number. */
const helperName = (helper: Helper): string => (helper.id === 0 ? helper.name : `${helper.id}`);

/** The helper as an import of its own arity: V8 adapts what does not match, which costs. */
function bound(unit: Unit, helper: Helper): (...args: number[]) => number {
  const { bpf } = unit;
  switch (arityOf(helper)) {
    case 0:
      return () => helper.call(bpf, 0, 0, 0, 0, 0);
    case 1:
      return (a: number) => helper.call(bpf, a, 0, 0, 0, 0);
    case 2:
      return (a: number, b: number) => helper.call(bpf, a, b, 0, 0, 0);
    case 3:
      return (a: number, b: number, c: number) => helper.call(bpf, a, b, c, 0, 0);
    case 4:
      return (a: number, b: number, c: number, d: number) => helper.call(bpf, a, b, c, d, 0);
    default:
      return (a: number, b: number, c: number, d: number, e: number) =>
        helper.call(bpf, a, b, c, d, e);
  }
}

/** Callbacks of the helper that is about to be called go below this function's frame. */
function announceFrame(unit: Unit, regs: Registers): void {
  if (unit.callbacks.length === 0) return;
  regs.out.i32(unit.frameWord);
  regs.pushFrame(0).access(op.I32_STORE, 0);
}

/** `at + index * stride` when the index is inside, else 0. */
function lookUpInline(
  unit: Unit,
  regs: Registers,
  values: InlineValues,
  address: AddressWriter,
): void {
  const { out, spare32: index } = regs;
  const offset = address(BPF_REG_2, 0, 4, false);
  out.access(op.I32_LOAD, offset).tee(index).i32(values.maxEntries).op(op.I32_LT_U).if(I32);
  out.get(index).i32(values.stride).op(op.I32_MUL).i32(values.at).op(op.I32_ADD);
  if (values.perCpuStride !== 0 && unit.bpf.cpus > 1) {
    out.i32(unit.bpf.cpuWord).access(op.I32_LOAD, 0);
    out.i32(values.perCpuStride).op(op.I32_MUL).op(op.I32_ADD);
  }
  out.else();
  out.i32(0).end();
  regs.set32(BPF_REG_0);
}

function lookUp(unit: Unit, regs: Registers, map: JitMap): void {
  const find = unit.import(`lookup ${map.id}`, 1, 1, (key: number) => map.lookupElem(key));
  regs.get32(BPF_REG_2).callImport(find);
  regs.set32(BPF_REG_0);
}

function callLocal(unit: Unit, regs: Registers, target: number, slot: number): void {
  const { out } = regs;
  const own = unit.callee(target);
  if (unit.checked) {
    regs.pushFrame(-MAX_BPF_STACK).i32(unit.lastFrame).op(op.I32_LT_S);
    unit.writeTooDeepIf(out, slot);
  }
  for (let n = 1; n <= ARGS; n++) regs.get(n);
  regs.pushFrame(-MAX_BPF_STACK).call(own);
  regs.set(BPF_REG_0);
  // whoever the callee went on with has had the helpers' callbacks
  if (unit.callbacks.length > 0 && unit.hasTailCalls)
    out.callImport(unit.import('resume', 0, 0, unit.options.resume));
}

/**
 * Goes on with another program in this frame and returns what it returns, or goes on here: when
 * there is none, or the limit is reached.
 *
 * @linux emit_bpf_tail_call_indirect
 */
function tailCall(unit: Unit, regs: Registers): void {
  const { out, spare32: program, spare64: result } = regs;
  const find = unit.import('tailCall', 2, 1, unit.options.tailTarget);
  regs.get32(BPF_REG_2);
  regs.get32(BPF_REG_3).callImport(find).tee(program).if();
  regs.get(BPF_REG_1);
  for (let n = 2; n <= ARGS; n++) out.i64(0);
  regs.pushFrame(0).get(program).op(op.CALL_INDIRECT).u32(unit.calleeType).u32(0);
  out.set(result);
  writeReturn(unit, regs, result);
  out.end();
}

/** `callx`: the helper whose number a register holds; for programs that nobody has verified. */
function callByNumber(unit: Unit, regs: Registers, insn: Insn, slot: number): void {
  const { out } = regs;
  const { bpf } = unit;
  if (!unit.checked) unit.refuse(slot, 'unknown opcode 8d');
  announceFrame(unit, regs);
  for (let n = 1; n <= ARGS; n++) {
    out.i32(bpf.hi + 4 * n);
    regs.get(n).i64(32).op(op.I64_SHR_U).access(op.I64_STORE32, 0);
  }
  const call = unit.import('callx', 2 + ARGS, 1, (at, number, a, b, c, d, e) => {
    const helper = unit.options.helpers[number];
    if (helper === undefined) throw unit.fault(at, `calls the unknown function ${number}`);
    const low = helper.call(bpf, a, b, c, d, e);
    if (!helper.wideRet) bpf.mem.words[bpf.hi >> 2] = low >> 31;
    return low;
  });
  out.i32(slot);
  regs.get32(insn.dst);
  for (let n = 1; n <= ARGS; n++) regs.get32(n);
  out.callImport(call).op(op.I64_EXTEND_I32_U);
  out.i32(bpf.hi).access(op.I64_LOAD32_U, 0).i64(32).op(op.I64_SHL).op(op.I64_OR);
  regs.set(BPF_REG_0);
}

/**
 * Leave the function with r0. What starts a run returns the low word, and leaves the high one in
 * `bpf.hi`, unless it is part of another function, which takes a verdict and no more.
 *
 * @param result a local (i64) with what is returned instead of r0; -1: r0
 */
export function writeReturn(unit: Unit, regs: Registers, result: number = -1): void {
  const { out, within } = regs;
  const wide = (): WasmCode => (result < 0 ? regs.get(BPF_REG_0) : out.get(result));
  const low = (): WasmCode =>
    result < 0 ? regs.get32(BPF_REG_0) : out.get(result).op(op.I32_WRAP_I64);
  if (within !== null) {
    low().set(within.result).br(within.end);
    return;
  }
  if (regs.isEntry) {
    out.i32(unit.bpf.hi);
    wide().i64(32).op(op.I64_SHR_U).access(op.I64_STORE32, 0);
    low();
  } else wide();
  out.op(op.RETURN);
}
