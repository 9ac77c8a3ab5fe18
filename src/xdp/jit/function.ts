/**
 * One function of a program as one WebAssembly function: its graph, what is known where, and every
 * instruction handed to the file that knows how to write it.
 */
import { I32, WasmCode } from '../../host/wasm.ts';
import type { InlinedProgram } from '../engine.ts';
import type { Insn } from '../isa/insn.ts';
import {
  BPF_ALU,
  BPF_ALU64,
  BPF_CALL,
  BPF_EXIT,
  BPF_JCOND,
  BPF_JMP,
  BPF_JMP32,
  BPF_LD,
  BPF_MAX_LOOPS,
  BPF_REG_1,
  isLdImm64,
} from '../isa/insn.ts';
import { writeAccess } from './access.ts';
import type { AddressWriter } from './access.ts';
import { writeAlu } from './alu.ts';
import { withWholeNumbers } from './bytes.ts';
import { mostOfCall, writeCall, writeReturn } from './call.ts';
import { checkedAddress, writeBudget, writeLegacyLoad } from './checked.ts';
import { writeCondition, writeMayGoto } from './condition.ts';
import { definedBy } from './dataflow.ts';
import { Facts, findFacts } from './facts.ts';
import type { ResultMost } from './facts.ts';
import { buildGraph } from './graph.ts';
import type { Block, Graph } from './graph.ts';
import * as op from './opcodes.ts';
import { Registers } from './registers.ts';
import { withoutSpills } from './spills.ts';
import { writeDispatched, writeStructured } from './structure.ts';
import type { BlockWriter } from './structure.ts';
import type { Unit } from './unit.ts';
import { findWebs } from './webs.ts';
import type { Webs } from './webs.ts';

const JUMP_OPERATION = 0xf0;
/** r1 to r5, as bits. */
const ARGUMENTS = 0b111110;

/**
 * The function a run begins with. Its parameter is the word of r1; in checked mode the word of r2 and
 * the context to test accesses against follow, and the run's budget starts here.
 */
export function writeEntry(unit: Unit): number {
  const own = unit.module.declare();
  const out = new WasmCode(4096);
  const params = unit.checked ? [I32, I32, I32] : [I32];
  const regs = Registers.ofEntry(out, new Facts(), params.length, unit.firstFrame);
  if (unit.checked) {
    out.get(2).globalSet(unit.context);
    out.i32(unit.options.maxInsns).globalSet(unit.budget);
  }
  new FunctionWriter(unit, regs, 0).write(own, unit.checked ? [0, 1] : [0]);
  unit.module.define(own, unit.module.type(params, [I32]), regs.locals, out);
  return own;
}

/** The same within a function of somebody else, in plain mode; see `InlinedProgram`. */
export function inlinedEntry(unit: Unit): InlinedProgram {
  return (f, ctx) => (out) => {
    const result = f.i32().index;
    const within = { f, result, end: out.block() };
    const regs = Registers.ofPart(out, new Facts(), within, unit.firstFrame);
    new FunctionWriter(unit, regs, 0).write(-1, [ctx.index]);
    out.end();
    out.get(result);
  };
}

/** The function that begins at `slot`, for whoever calls it. */
export function writeCallee(unit: Unit, slot: number): void {
  const out = new WasmCode(1024);
  const regs = Registers.ofCallee(out, new Facts());
  const own = unit.callee(slot);
  new FunctionWriter(unit, regs, slot).write(own, []);
  unit.module.define(own, unit.calleeType, regs.locals, out);
}

class FunctionWriter implements BlockWriter {
  private readonly unit: Unit;
  private readonly insns: readonly Insn[];
  private readonly regs: Registers;
  private readonly graph: Graph;
  private readonly known: readonly Facts[];
  private readonly webs: Webs;
  private readonly resultMost: ResultMost;
  /** Local with the budget of `may_goto`, in functions that have one. */
  private readonly mayGoto: number;
  private readonly first: number;
  /** Kept when somebody wants to know. */
  private readonly starts: { at: number; slot: number }[] | null;

  constructor(unit: Unit, regs: Registers, slot: number) {
    this.unit = unit;
    this.regs = regs;
    this.first = slot;
    this.starts = unit.options.origins === undefined ? null : [];
    const { insns } = unit.image;
    this.graph = buildGraph(insns, unit.leaders, slot);
    const length = this.graph.blocks.reduce((sum, { start, end }) => sum + end - start, 0);
    unit.announce(length, slot);
    // a callback may come back to the frame below which it runs
    const keepsSpills = unit.checked || unit.callbacks.length > 0;
    const whole = unit.checked ? insns : withWholeNumbers(insns, this.graph);
    this.insns = keepsSpills ? whole : withoutSpills(whole, this.graph);
    this.resultMost = (insn, map) => mostOfCall(unit, insn, map);
    const facts = regs.factsOnEntry();
    if (slot === 0 && unit.options.takesXdpMd) facts.beginWithContext();
    this.known = findFacts(this.insns, this.graph, facts, this.resultMost);
    const wide = regs.isEntry ? 0 : ARGUMENTS;
    this.webs = findWebs(this.insns, this.graph, this.known, this.resultMost, wide);
    const mayGoto = this.graph.blocks.some((block) => isMayGoto(this.last(block)));
    this.mayGoto = mayGoto ? regs.add(I32) : -1;
  }

  /** @param args locals with the words of r1 and so on, of a function that begins a run */
  write(own: number, args: readonly number[]): void {
    const { out } = this.regs;
    args.forEach((local, i) => {
      const register = BPF_REG_1 + i;
      this.regs.resultIs(true, ((this.webs.atStart[0]! >> register) & 1) !== 0);
      out.get(local);
      this.regs.set32(register);
    });
    if (this.mayGoto >= 0) out.i32(BPF_MAX_LOOPS).set(this.mayGoto);
    if (this.graph.reducible) writeStructured(this.graph, out, this);
    else writeDispatched(this.graph, out, this, this.regs.add(I32));
    out.op(op.UNREACHABLE);
    const { first, starts, regs } = this;
    if (starts === null) return;
    this.unit.options.origins!.push({ own, slot: first, locals: regs.names, starts });
  }

  body(i: number): void {
    const block = this.graph.blocks[i]!;
    const { unit, regs, insns } = this;
    regs.facts.copyFrom(this.known[i]!);
    regs.begin(this.webs.atStart[i]!);
    if (unit.checked) writeBudget(unit, regs, block);
    for (let slot = block.start; slot < block.end; slot++) {
      const insn = insns[slot]!;
      this.starts?.push({ at: regs.out.length, slot });
      if (definedBy(insn) >= 0) regs.resultIs(this.webs.isNarrow(slot), this.webs.isWord(slot));
      this.insn(insn, slot);
      regs.facts.after(insns, slot, this.resultMost);
      if (isLdImm64(insn)) slot++;
    }
  }

  condition(i: number): void {
    const insn = this.last(this.graph.blocks[i]!);
    if (isMayGoto(insn)) writeMayGoto(this.regs, this.mayGoto);
    else writeCondition(this.regs, insn);
  }

  /** The instruction that ends a block whose end is a jump. */
  private last(block: Block): Insn {
    return this.insns[block.end - 1]!;
  }

  private insn(insn: Insn, slot: number): void {
    const { unit, regs } = this;
    switch (insn.code & 7) {
      case BPF_ALU:
      case BPF_ALU64:
        return writeAlu(regs, insn);
      case BPF_LD:
        if (!isLdImm64(insn)) return writeLegacyLoad(unit, regs, insn, slot);
        regs.out.i64(...unit.constant(slot));
        return void regs.set(insn.dst);
      case BPF_JMP:
        if ((insn.code & JUMP_OPERATION) === BPF_CALL)
          return writeCall(unit, regs, insn, slot, this.addressAt(slot));
        if ((insn.code & JUMP_OPERATION) === BPF_EXIT) writeReturn(unit, regs);
        return;
      case BPF_JMP32:
        return;
      default:
        return writeAccess(regs, insn, this.addressAt(slot));
    }
  }

  private addressAt(slot: number): AddressWriter {
    const { unit, regs } = this;
    if (!unit.checked) return (register, offset) => regs.pushAddress(register, offset);
    return (register, offset, bytes, isWrite) => {
      checkedAddress(unit, regs, { register, offset, bytes, isWrite, slot });
      return 0;
    };
  }
}

const isMayGoto = (insn: Insn): boolean => insn.code === (BPF_JMP | BPF_JCOND);
