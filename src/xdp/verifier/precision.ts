/**
 * Which numbers matter: when safety comes to depend on the value of a register, the way back through
 * the path's instructions finds what it was computed from, and marks those registers and slots in
 * the saved states on the way. States that differ only in unmarked numbers are merged.
 *
 * @linux __mark_chain_precision, backtrack_insn; kernel/bpf/verifier.c
 */
import { BPF_FUNC_tail_call } from '../helpers/funcIds.ts';
import type { Insn } from '../isa/insn.ts';
import {
  BPF_ABS,
  BPF_ALU,
  BPF_ALU64,
  BPF_CALL,
  BPF_END,
  BPF_EXIT,
  BPF_IND,
  BPF_JMP,
  BPF_JMP32,
  BPF_LD,
  BPF_LDX,
  BPF_MOV,
  BPF_NEG,
  BPF_REG_0,
  BPF_REG_1,
  BPF_REG_10,
  BPF_ST,
  BPF_STX,
  BPF_PSEUDO_KFUNC_CALL,
  MAX_CALL_FRAMES,
} from '../isa/insn.ts';
import { bugOn } from '../../host/errors.ts';
import type { Env } from './env.ts';
import {
  callsBackNow,
  isHelperCall,
  classOf,
  isAtomicLoad,
  isSubprogCall,
  modeOf,
  opOf,
  usesReg,
} from './insnKind.ts';
import { insnText, printVerifierState } from './logState.ts';
import { SCALAR_VALUE } from './regTypes.ts';
import type { HistoryEntry, VerifierState } from './state.ts';
import { SLOT_BYTES, isSpilledReg, isSpilledScalarReg } from './state.ts';
import { findSubprog } from './subprogs.ts';

const ARGS = 0x3e;

/** Registers and slots, by frame, that still have to be traced. @linux struct backtrack_state */
export class Wanted {
  frame: number;
  private readonly regs = new Uint16Array(MAX_CALL_FRAMES);
  private readonly slots = new Int32Array(MAX_CALL_FRAMES * 2);

  constructor(frame: number) {
    this.frame = frame;
  }

  get empty(): boolean {
    for (let i = 0; i <= this.frame; i++)
      if (this.regs[i] !== 0 || this.slots[i * 2] !== 0 || this.slots[i * 2 + 1] !== 0)
        return false;
    return true;
  }

  setReg(reg: number, frame: number = this.frame): void {
    this.regs[frame]! |= 1 << reg;
  }

  clearReg(reg: number, frame: number = this.frame): void {
    this.regs[frame]! &= ~(1 << reg);
  }

  hasReg(reg: number, frame: number = this.frame): boolean {
    return (this.regs[frame]! & (1 << reg)) !== 0;
  }

  regMask(frame: number = this.frame): number {
    return this.regs[frame]!;
  }

  setSlot(frame: number, spi: number): void {
    this.slots[frame * 2 + (spi >> 5)]! |= 1 << (spi & 31);
  }

  clearSlot(frame: number, spi: number): void {
    this.slots[frame * 2 + (spi >> 5)]! &= ~(1 << (spi & 31));
  }

  hasSlot(frame: number, spi: number): boolean {
    return (this.slots[frame * 2 + (spi >> 5)]! & (1 << (spi & 31))) !== 0;
  }

  noSlots(frame: number = this.frame): boolean {
    return this.slots[frame * 2] === 0 && this.slots[frame * 2 + 1] === 0;
  }

  regsText(frame: number = this.frame): string {
    const names = [];
    for (let i = 0; i < 16; i++) if (this.hasReg(i, frame)) names.push(`r${i}`);
    return names.join(',');
  }

  slotsText(frame: number = this.frame): string {
    const names = [];
    for (let i = 0; i < 64; i++) if (this.hasSlot(frame, i)) names.push(-(i + 1) * SLOT_BYTES);
    return names.join(',');
  }
}

/** Registers that gained bounds together are wanted together. @linux bt_sync_linked_regs */
function syncLinked(wanted: Wanted, entry: HistoryEntry | null): void {
  if (entry === null || entry.linked.length === 0) return;
  const some = entry.linked.some(({ frameno, isReg, index }) =>
    isReg ? wanted.hasReg(index, frameno) : wanted.hasSlot(frameno, index),
  );
  if (!some) return;
  for (const { frameno, isReg, index } of entry.linked) {
    if (isReg) wanted.setReg(index, frameno);
    else wanted.setSlot(frameno, index);
  }
}

/** @returns false when nothing can be said, so that everything has to be marked */
function backtrackInsn(
  env: Env,
  idx: number,
  subseqIdx: number,
  entry: HistoryEntry | null,
  wanted: Wanted,
): boolean {
  const insn = env.insns[idx]!;
  if (insn.code === 0) return true;
  if (env.log.full)
    env.write(
      `mark_precise: frame${wanted.frame}: regs=${wanted.regsText()} stack=${wanted.slotsText()} before ${idx}: ${insnText(env, idx)}\n`,
    );
  syncLinked(wanted, entry);
  const kind = classOf(insn);
  let known = true;
  if (kind === BPF_ALU || kind === BPF_ALU64) {
    if (!wanted.hasReg(insn.dst)) return true;
    if (opOf(insn) === BPF_END || opOf(insn) === BPF_NEG) return true;
    if (opOf(insn) === BPF_MOV) wanted.clearReg(insn.dst);
    if (usesReg(insn) && insn.src !== BPF_REG_10) wanted.setReg(insn.src);
  } else if (kind === BPF_LDX || isAtomicLoad(insn)) {
    if (!wanted.hasReg(insn.dst)) return true;
    wanted.clearReg(insn.dst);
    if (entry === null || entry.stack === null) return true;
    wanted.setSlot(entry.stack.frameno, entry.stack.spi);
  } else if (kind === BPF_STX || kind === BPF_ST) {
    if (wanted.hasReg(insn.dst)) return false;
    if (entry === null || entry.stack === null) return true;
    const { frameno, spi } = entry.stack;
    if (!wanted.hasSlot(frameno, spi)) return true;
    wanted.clearSlot(frameno, spi);
    if (kind === BPF_STX) wanted.setReg(insn.src);
  } else if (kind === BPF_JMP || kind === BPF_JMP32) {
    const done = backtrackJump(env, insn, idx, subseqIdx, entry, wanted);
    if (done !== null) return done;
  } else if (kind === BPF_LD) {
    if (!wanted.hasReg(insn.dst)) return true;
    wanted.clearReg(insn.dst);
    known = modeOf(insn) !== BPF_IND && modeOf(insn) !== BPF_ABS;
  }
  if (known) syncLinked(wanted, entry);
  return known;
}

/** @returns null to go on as after any instruction */
function backtrackJump(
  env: Env,
  insn: Insn,
  idx: number,
  subseqIdx: number,
  entry: HistoryEntry | null,
  wanted: Wanted,
): boolean | null {
  if (isSubprogCall(insn)) {
    leaveToCaller(env, insn, idx, wanted);
    return true;
  }
  // a subprogram was left by a tail call: what follows is its caller
  if (isHelperCall(insn) && insn.imm === BPF_FUNC_tail_call && subseqIdx - idx !== 1)
    wanted.frame++;
  if (callsBackNow(insn) && idx !== subseqIdx - 1) {
    // from a callback back to the call that runs it; its arguments came from nowhere
    bugOn((wanted.regMask() & ~ARGS) !== 0, 'backtracking: a callback depends on unset registers');
    bugOn(!wanted.noSlots(), 'backtracking: a callback depends on unset stack');
    for (let i = BPF_REG_1; i <= 5; i++) wanted.clearReg(i);
    wanted.frame--;
    return true;
  }
  const op = opOf(insn);
  if (op === BPF_CALL) {
    if (insn.src === BPF_PSEUDO_KFUNC_CALL && insn.imm === 0) return false;
    wanted.clearReg(BPF_REG_0);
    bugOn((wanted.regMask() & ARGS) !== 0, 'backtracking: arguments of a call are wanted after it');
    return null;
  }
  if (op === BPF_EXIT) {
    if (subseqIdx >= 0 && env.aux[subseqIdx]!.callsCallback)
      for (let i = BPF_REG_1; i <= 5; i++) wanted.clearReg(i);
    bugOn((wanted.regMask() & ARGS) !== 0, 'backtracking: arguments of a call are wanted after it');
    const returned =
      subseqIdx >= 1 && isSubprogCall(env.insns[subseqIdx - 1]!) && wanted.hasReg(BPF_REG_0);
    wanted.clearReg(BPF_REG_0);
    wanted.frame++;
    if (returned) wanted.setReg(BPF_REG_0);
    return true;
  }
  if (usesReg(insn)) {
    if (!wanted.hasReg(insn.dst) && !wanted.hasReg(insn.src)) return true;
    if (entry === null || !entry.srcStack) wanted.setReg(insn.src);
    if (entry === null || !entry.dstStack) wanted.setReg(insn.dst);
  }
  return null;
}

function leaveToCaller(env: Env, insn: Insn, idx: number, wanted: Wanted): void {
  const subprog = findSubprog(env, idx + insn.imm + 1);
  if (env.subprogs[subprog]!.global) {
    bugOn((wanted.regMask() & ARGS) !== 0, 'backtracking: arguments of a call are wanted after it');
    wanted.clearReg(BPF_REG_0);
    return;
  }
  bugOn((wanted.regMask() & ~ARGS) !== 0, 'backtracking: a callee depends on unset registers');
  bugOn(!wanted.noSlots(), 'backtracking: a callee depends on unset stack');
  for (let i = BPF_REG_1; i <= 5; i++) {
    if (!wanted.hasReg(i)) continue;
    wanted.clearReg(i);
    wanted.setReg(i, wanted.frame - 1);
  }
  wanted.frame--;
}

/** Entry recorded for the instruction, when it is the last of the first `end`. @linux get_jmp_hist_entry */
function entryAt(state: VerifierState, end: number, idx: number): HistoryEntry | null {
  const entry = end > 0 ? state.history[end - 1]! : null;
  return entry !== null && entry.idx === idx ? entry : null;
}

/** Where a walk back through one state stands. */
interface Cursor {
  idx: number;
  end: number;
}

/** One instruction back. @returns false at the state's first @linux get_prev_insn_idx */
export function stepBack(state: VerifierState, at: Cursor): boolean {
  if (at.idx === state.firstInsnIdx) {
    if (at.end === 0) return false;
    if (at.end === 1 && state.history[0]!.idx === at.idx) return false;
  }
  const entry = entryAt(state, at.end, at.idx);
  if (entry === null) {
    at.idx--;
  } else {
    at.idx = entry.prevIdx;
    at.end--;
  }
  return true;
}

/** Where a walk back from `idx` begins. */
export const historyEnd = (state: VerifierState, idx: number): Cursor => ({
  idx,
  end: state.history.length,
});

/** Mark what is wanted in a saved state; what needs no further tracing is no longer wanted. */
function markIn(env: Env, state: VerifierState, wanted: Wanted): boolean {
  let changed = false;
  for (let fr = wanted.frame; fr >= 0; fr--) {
    const func = state.frames[fr]!;
    for (let i = 0; i < BPF_REG_10; i++) {
      if (!wanted.hasReg(i, fr)) continue;
      const reg = func.regs[i]!;
      if (reg.type !== SCALAR_VALUE || reg.precise) {
        wanted.clearReg(i, fr);
      } else {
        func.regs[i] = { ...reg, precise: true };
        changed = true;
      }
    }
    for (let spi = 0; !wanted.noSlots(fr) && spi < 64; spi++) {
      if (!wanted.hasSlot(fr, spi)) continue;
      const slot = func.stack[spi];
      bugOn(slot === undefined, `backtracking: slot ${spi} of ${func.stack.length} is wanted`);
      if (slot === undefined || !isSpilledScalarReg(slot) || slot.reg.precise) {
        wanted.clearSlot(fr, spi);
      } else {
        func.stack[spi] = { types: slot.types, reg: { ...slot.reg, precise: true } };
        changed = true;
      }
    }
    if (!env.log.full) continue;
    env.write(
      `mark_precise: frame${fr}: parent state regs=${wanted.regsText(fr)} stack=${wanted.slotsText(fr)}: `,
    );
    printVerifierState(env, state, fr, true);
  }
  return changed;
}

/** Arguments of a global function that is verified by itself come from no instruction. */
function atGlobalEntry(state: VerifierState, wanted: Wanted): boolean {
  const func = state.frames[0]!;
  const entry = state.curframe === 0 && func.subprogno > 0 && func.callsite === -1;
  bugOn(
    !entry || !wanted.noSlots() || (wanted.regMask() & ~ARGS) !== 0,
    'backtracking: reached the entry with something unset wanted',
  );
  let changed = false;
  for (let i = BPF_REG_1; i <= 5; i++) {
    if (!wanted.hasReg(i)) continue;
    wanted.clearReg(i);
    const reg = func.regs[i]!;
    if (reg.type !== SCALAR_VALUE) continue;
    func.regs[i] = { ...reg, precise: true };
    changed = true;
  }
  return changed;
}

/**
 * Trace what is wanted from the end of `from` backwards, through all states that lead to it.
 *
 * @returns whether a state gained a mark
 * @linux __mark_chain_precision
 */
function markChain(env: Env, from: VerifierState, wanted: Wanted): boolean {
  if (!env.bpfCapable || wanted.empty) return false;
  let changed = false;
  let state: VerifierState = from;
  let firstIdx = state.firstInsnIdx;
  let lastIdx = state.insnIdx;
  let subseqIdx = -1;
  let skipFirst = true;
  for (;;) {
    if (env.log.full)
      env.write(
        `mark_precise: frame${wanted.frame}: last_idx ${lastIdx} first_idx ${firstIdx} subseq_idx ${subseqIdx} \n`,
      );
    if (lastIdx < 0) return atGlobalEntry(state, wanted) || changed;
    const at = historyEnd(state, lastIdx);
    do {
      if (skipFirst) {
        skipFirst = false;
      } else if (!backtrackInsn(env, at.idx, subseqIdx, entryAt(state, at.end, at.idx), wanted)) {
        markAllScalarsPrecise(env, from);
        return changed;
      }
      if (wanted.empty) return changed;
      subseqIdx = at.idx;
    } while (stepBack(state, at));
    if (state.parent === null) break;
    state = state.parent;
    if (markIn(env, state, wanted)) changed = true;
    if (wanted.empty) return changed;
    subseqIdx = firstIdx;
    lastIdx = state.lastInsnIdx;
    firstIdx = state.firstInsnIdx;
  }
  markAllScalarsPrecise(env, from);
  return changed;
}

/** Safety depends on the value of this register of the running function. @linux mark_chain_precision */
export function markChainPrecision(env: Env, regno: number): void {
  const wanted = new Wanted(env.cur.curframe);
  bugOn(env.regs[regno]!.type !== SCALAR_VALUE, 'precision of what is no number');
  wanted.setReg(regno);
  markChain(env, env.cur, wanted);
}

/** Or on a number in the stack. */
export function markSlotPrecision(env: Env, frameno: number, spi: number): void {
  const wanted = new Wanted(env.cur.curframe);
  wanted.setSlot(frameno, spi);
  markChain(env, env.cur, wanted);
}

/** The fallback: all numbers of all states on the way matter. @linux mark_all_scalars_precise */
export function markAllScalarsPrecise(env: Env, from: VerifierState): void {
  if (env.log.full)
    env.write(`mark_precise: frame${from.curframe}: falling back to forcing all scalars precise\n`);
  for (let state = from.parent; state !== null; state = state.parent) {
    state.frames.forEach((func, i) => {
      for (let j = 0; j < BPF_REG_10; j++) {
        const reg = func.regs[j]!;
        if (reg.type !== SCALAR_VALUE || reg.precise) continue;
        func.regs[j] = { ...reg, precise: true };
        if (env.log.full) env.write(`force_precise: frame${i}: forcing r${j} to be precise\n`);
      }
      func.stack.forEach((slot, spi) => {
        if (!isSpilledScalarReg(slot) || slot.reg.precise) return;
        func.stack[spi] = { types: slot.types, reg: { ...slot.reg, precise: true } };
        if (env.log.full)
          env.write(`force_precise: frame${i}: forcing fp${-(spi + 1) * 8} to be precise\n`);
      });
    });
  }
}

/** A state that is saved starts without marks; what follows sets those that matter. @linux mark_all_scalars_imprecise */
export function markAllScalarsImprecise(state: VerifierState): void {
  for (const func of state.frames) {
    for (let j = 0; j < BPF_REG_10; j++) {
      const reg = func.regs[j]!;
      if (reg.type === SCALAR_VALUE && reg.precise) func.regs[j] = { ...reg, precise: false };
    }
    func.stack.forEach((slot, spi) => {
      if (isSpilledScalarReg(slot) && slot.reg.precise)
        func.stack[spi] = { types: slot.types, reg: { ...slot.reg, precise: false } };
    });
  }
}

/** `cur` ends in what was found equal to `old`: what matters there matters here. @linux propagate_precision */
export function propagatePrecision(env: Env, old: VerifierState, cur: VerifierState): boolean {
  const wanted = new Wanted(cur.curframe);
  for (let fr = old.curframe; fr >= 0; fr--) {
    const func = old.frames[fr]!;
    const names: string[] = [];
    for (let i = 0; i < BPF_REG_10; i++) {
      const reg = func.regs[i]!;
      if (reg.type !== SCALAR_VALUE || !reg.precise) continue;
      wanted.setReg(i, fr);
      names.push(`r${i}`);
    }
    func.stack.forEach((slot, spi) => {
      if (!isSpilledReg(slot) || slot.reg.type !== SCALAR_VALUE || !slot.reg.precise) return;
      wanted.setSlot(fr, spi);
      names.push(`fp${-(spi + 1) * SLOT_BYTES}`);
    });
    if (names.length === 0) continue;
    // Linux writes the line's end at every level, the line itself only in full
    env.write(env.log.full ? `frame ${fr}: propagating ${names.join(',')}\n` : '\n');
  }
  return markChain(env, cur, wanted);
}
