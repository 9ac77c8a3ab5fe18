/**
 * What the verifier knows at one point of one path: registers and stack of every frame, references
 * held, locks taken.
 *
 * Stacks are arrays of 8-byte slots from the frame pointer down: slot 0 is fp-8. What each byte of a
 * slot holds is a nibble of `types`; byte 7 is the one at the lowest address, so a spilled register
 * of n bytes is in nibbles 7 down to 8 - n.
 *
 * @linux struct bpf_verifier_state, struct bpf_func_state; include/linux/bpf_verifier.h
 */
import { BPF_REG_10, MAX_BPF_REG } from '../isa/insn.ts';
import type { Reg } from './reg.ts';
import { NOT_INIT_REG, pointerReg } from './reg.ts';
import { PTR_TO_STACK, SCALAR_VALUE } from './regTypes.ts';
import type { VerifierMap } from './verifierMap.ts';

/** Kinds of stack bytes. @linux enum bpf_stack_slot_type */
export const STACK_INVALID = 0;
export const STACK_SPILL = 1;
export const STACK_MISC = 2;
export const STACK_ZERO = 3;
export const STACK_DYNPTR = 4;
export const STACK_ITER = 5;
export const STACK_IRQ_FLAG = 6;

/** Bytes of one slot. @linux BPF_REG_SIZE */
export const SLOT_BYTES = 8;

export interface Slot {
  readonly types: number;
  /** The spilled register, or the state of a dynptr or an iterator. */
  readonly reg: Reg;
}

/** One nibble eight times. */
export const allBytes = (kind: number): number => (kind * 0x11111111) | 0;

export const EMPTY_SLOT: Slot = { types: 0, reg: NOT_INIT_REG };

/** Kind of byte `index` of a slot, 0 to 7. */
export const byteType = (types: number, index: number): number => (types >>> (index * 4)) & 15;

export const withByteType = (types: number, index: number, kind: number): number =>
  (types & ~(15 << (index * 4))) | (kind << (index * 4));

export const isSpilledReg = (slot: Slot): boolean => byteType(slot.types, 7) === STACK_SPILL;

export const isSpilledScalarReg = (slot: Slot): boolean =>
  isSpilledReg(slot) && slot.reg.type === SCALAR_VALUE;

/** @linux is_spilled_scalar_reg64 */
export const isSpilledScalarReg64 = (slot: Slot): boolean =>
  byteType(slot.types, 0) === STACK_SPILL && slot.reg.type === SCALAR_VALUE;

/** Does the slot's `reg` say something? @linux is_stack_slot_special */
export function isStackSlotSpecial(slot: Slot): boolean {
  const kind = byteType(slot.types, 7);
  return kind === STACK_SPILL || kind >= STACK_DYNPTR;
}

/** `lock`: of those that wait for ever; the others may fail, and may turn interrupts off. */
export type LockKind = 'lock' | 'resLock' | 'resLockIrq';

/** A resource that the program holds. @linux struct bpf_reference_state */
export interface Ref {
  /** `irqOfLock`: flags that a lock saved, which its release restores. */
  readonly kind: 'ptr' | 'irq' | 'irqOfLock' | LockKind;
  readonly id: number;
  readonly insnIdx: number;
  /** Locks: the map in whose value it lies. */
  readonly map: VerifierMap | null;
}

export const isLock = (ref: Ref): ref is Ref & { readonly kind: LockKind } =>
  ref.kind === 'lock' || ref.kind === 'resLock' || ref.kind === 'resLockIrq';

export interface ReturnRange {
  readonly min: number;
  readonly max: number;
}

const NO_RANGE: ReturnRange = { min: 0, max: 0 };

function freshRegs(frameno: number): Reg[] {
  const regs = Array.from({ length: MAX_BPF_REG }, () => NOT_INIT_REG);
  regs[BPF_REG_10] = pointerReg(PTR_TO_STACK, { frameno });
  return regs;
}

/** One function on the call stack. */
export class FuncState {
  regs: Reg[];
  stack: Slot[];
  /** The call instruction; -1 in the outermost frame. */
  readonly callsite: number;
  readonly frameno: number;
  readonly subprogno: number;
  asyncEntryCnt = 0;
  callbackRetRange: ReturnRange = NO_RANGE;
  inCallbackFn = false;
  inAsyncCallbackFn = false;
  /** How often `bpf_loop` was simulated at this depth. */
  callbackDepth = 0;

  /** @param regs of the frame that this one begins as a copy of */
  constructor(callsite: number, frameno: number, subprogno: number, regs?: readonly Reg[]) {
    this.callsite = callsite;
    this.frameno = frameno;
    this.subprogno = subprogno;
    this.regs = regs?.slice() ?? freshRegs(frameno);
    this.stack = [];
  }

  clone(): FuncState {
    const copy = new FuncState(this.callsite, this.frameno, this.subprogno, this.regs);
    copy.stack = this.stack.slice();
    copy.asyncEntryCnt = this.asyncEntryCnt;
    copy.callbackRetRange = this.callbackRetRange;
    copy.inCallbackFn = this.inCallbackFn;
    copy.inAsyncCallbackFn = this.inAsyncCallbackFn;
    copy.callbackDepth = this.callbackDepth;
    return copy;
  }

  /** Bytes of stack seen so far. */
  get allocatedStack(): number {
    return this.stack.length * SLOT_BYTES;
  }
}

/** A register or slot that gained bounds together with others. */
export interface LinkedReg {
  readonly frameno: number;
  readonly isReg: boolean;
  /** Register or slot number. */
  readonly index: number;
}

/** What happened at an instruction, for walking back. @linux struct bpf_jmp_history_entry */
export interface HistoryEntry {
  readonly idx: number;
  readonly prevIdx: number;
  /** A register was spilled to or filled from this slot. */
  readonly stack: { readonly frameno: number; readonly spi: number } | null;
  /** The comparison's operand is a stack pointer. */
  readonly dstStack: boolean;
  readonly srcStack: boolean;
  readonly linked: readonly LinkedReg[];
}

export class VerifierState {
  frames: FuncState[] = [];
  refs: Ref[] = [];
  activeLocks = 0;
  activeLockId = 0;
  activeLockMap: VerifierMap | null = null;
  activePreemptLocks = 0;
  activeRcuLock = false;
  activeIrqId = 0;
  /** Work that runs where it may sleep. */
  inSleepable = false;
  speculative = false;
  /** Paths below this state that are not explored yet. */
  branches = 0;
  parent: VerifierState | null = null;
  firstInsnIdx = 0;
  lastInsnIdx = -1;
  insnIdx = 0;
  dfsDepth = 0;
  callbackUnrollDepth = 0;
  mayGotoDepth = 0;
  history: HistoryEntry[] = [];
  /** Backedges: the state this one was found equal to. */
  equalState: VerifierState | null = null;
  /** Dead registers and slots were forgotten. */
  cleaned = false;
  // a remembered state's use for pruning
  missCnt = 0;
  hitCnt = 0;
  inFreeList = false;

  get curframe(): number {
    return this.frames.length - 1;
  }

  /** The running function. */
  get top(): FuncState {
    return this.frames[this.frames.length - 1]!;
  }

  /** @linux copy_verifier_state */
  clone(): VerifierState {
    const copy = new VerifierState();
    copy.frames = this.frames.map((frame) => frame.clone());
    copy.refs = this.refs.slice();
    copy.activeLocks = this.activeLocks;
    copy.activeLockId = this.activeLockId;
    copy.activeLockMap = this.activeLockMap;
    copy.activePreemptLocks = this.activePreemptLocks;
    copy.activeRcuLock = this.activeRcuLock;
    copy.activeIrqId = this.activeIrqId;
    copy.inSleepable = this.inSleepable;
    copy.speculative = this.speculative;
    copy.branches = this.branches;
    copy.parent = this.parent;
    copy.firstInsnIdx = this.firstInsnIdx;
    copy.lastInsnIdx = this.lastInsnIdx;
    copy.insnIdx = this.insnIdx;
    copy.dfsDepth = this.dfsDepth;
    copy.callbackUnrollDepth = this.callbackUnrollDepth;
    copy.mayGotoDepth = this.mayGotoDepth;
    copy.history = this.history.slice();
    copy.equalState = this.equalState;
    copy.cleaned = this.cleaned;
    return copy;
  }

  /** Where a frame stands: the running one at `insnIdx`, the others at their calls. @linux frame_insn_idx */
  frameInsnIdx(frame: number): number {
    return frame === this.curframe ? this.insnIdx : this.frames[frame + 1]!.callsite;
  }

  /** @linux same_callsites */
  sameCallsites(other: VerifierState): boolean {
    if (this.frames.length !== other.frames.length) return false;
    return this.frames.every((frame, i) => frame.callsite === other.frames[i]!.callsite);
  }

  /**
   * Replace registers and spilled registers of all frames; `change` answers the same object to leave
   * one as it is.
   *
   * @linux bpf_for_each_reg_in_vstate
   */
  mapRegs(change: (reg: Reg) => Reg): void {
    for (const { regs, stack } of this.frames) {
      for (let i = 0; i < MAX_BPF_REG; i++) regs[i] = change(regs[i]!);
      for (let spi = 0; spi < stack.length; spi++) {
        const slot = stack[spi]!;
        if (!isSpilledReg(slot)) continue;
        const reg = change(slot.reg);
        if (reg !== slot.reg) stack[spi] = { types: slot.types, reg };
      }
    }
  }
}
