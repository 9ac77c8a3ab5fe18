/**
 * The way a path took to where it was refused, read back from its history: the branches it went, and
 * where what a register holds came from.
 *
 * The history holds jumps and stack accesses only; what lies between two entries was walked in order.
 */
import {
  BPF_ALU,
  BPF_ALU64,
  BPF_CALL,
  BPF_EXIT,
  BPF_JA,
  BPF_JMP,
  BPF_JMP32,
  BPF_LD,
  BPF_LDX,
  BPF_MOV,
  BPF_W,
} from '../isa/insn.ts';
import { helperProto } from '../helpers/protos.ts';
import type { Insn } from '../isa/insn.ts';
import type { Env } from './env.ts';
import {
  EXIT,
  callsBackNow,
  classOf,
  isHelperCall,
  isSubprogCall,
  opOf,
  sizeOf,
  usesReg,
} from './insnKind.ts';
import { findLine, insnText } from './logState.ts';
import { historyEnd, stepBack } from './precision.ts';
import type { VerifierState } from './state.ts';
import { findSubprog } from './subprogs.ts';

export interface SourceLine {
  readonly file: string;
  readonly line: number;
  readonly text: string;
}

/** A conditional jump on the way. */
export interface BranchStep {
  readonly slot: number;
  /** `if r3 > r1 goto pc+12` */
  readonly insn: string;
  readonly taken: boolean;
  /** Line of the condition, where the object has lines. */
  readonly source: SourceLine | null;
  /** Line at which the path goes on. */
  readonly next: SourceLine | null;
}

/** Where a register got what it holds. */
export interface Origin {
  readonly register: number;
  readonly slot: number;
  readonly insn: string;
  readonly source: SourceLine | null;
  /** It held something else, which calls do not keep. */
  readonly lost: boolean;
  /** It pointed into the packet until this call, which may move the packet. */
  readonly movedAt: SourceLine | null;
}

/** Enough to tell a path by; loops go round more often. */
const MAX_WALK = 100_000;

export function sourceOf(env: Env, slot: number): SourceLine | null {
  let found = findLine(env, slot);
  if (found === null || found.slot > slot) return null;
  // clang's line 0 is none: what it merged belongs to several; the next one is where one gets to
  if (found.line === 0) {
    const { lineInfo } = env.image;
    found = lineInfo.find((info) => info.slot > slot && info.line !== 0) ?? found;
    if (found.line === 0) return null;
  }
  return { file: found.file, line: found.line, text: found.text.trim() };
}

/** Instructions of the path, the refused one first. */
export function walkedBack(env: Env): number[] {
  const walked: number[] = [];
  let idx = env.cur.insnIdx;
  for (let state: VerifierState | null = env.cur; state !== null; state = state.parent) {
    if (idx < 0) break;
    const at = historyEnd(state, idx);
    do walked.push(at.idx);
    while (walked.length < MAX_WALK && stepBack(state, at) && at.idx >= 0);
    idx = state.parent?.lastInsnIdx ?? -1;
  }
  return walked;
}

const isCondJump = (insn: Insn): boolean =>
  (classOf(insn) === BPF_JMP || classOf(insn) === BPF_JMP32) &&
  opOf(insn) !== BPF_JA &&
  opOf(insn) !== BPF_CALL &&
  opOf(insn) !== BPF_EXIT;

/** The conditional jumps of a path, in order. */
export function branchesOf(env: Env, walked: readonly number[]): BranchStep[] {
  const steps: BranchStep[] = [];
  for (let i = walked.length - 1; i > 0; i--) {
    const slot = walked[i]!;
    const insn = env.insns[slot]!;
    if (!isCondJump(insn)) continue;
    const to = walked[i - 1]!;
    steps.push({
      slot,
      insn: insnText(env, slot).replace(/^\([0-9a-f]+\) /, ''),
      taken: to !== slot + 1,
      source: sourceOf(env, slot),
      next: sourceOf(env, to),
    });
  }
  return steps;
}

/** Does the instruction write the register? Calls are the caller's concern. */
function writes(insn: Insn, regno: number): boolean {
  switch (classOf(insn)) {
    case BPF_ALU:
    case BPF_ALU64:
    case BPF_LDX:
    case BPF_LD:
      return insn.dst === regno;
    default:
      return false;
  }
}

const isPlainCopy = (insn: Insn): boolean =>
  classOf(insn) === BPF_ALU64 && opOf(insn) === BPF_MOV && usesReg(insn) && insn.off === 0;

const isCall = (insn: Insn): boolean => classOf(insn) === BPF_JMP && opOf(insn) === BPF_CALL;

/** Global functions are verified by themselves; the path does not go through them. */
const entersFunction = (env: Env, slot: number): boolean => {
  const insn = env.insns[slot]!;
  return isSubprogCall(insn) && !env.subprogs[findSubprog(env, slot + insn.imm + 1)]!.global;
};

/** The instruction that made what the register holds; copies are followed. */
export function originOf(env: Env, walked: readonly number[], register: number): Origin | null {
  let regno = register;
  // calls that returned before the refused instruction lie deeper than it
  let depth = 0;
  let moved = -1;
  for (const slot of walked.slice(1)) {
    const insn = env.insns[slot]!;
    if (insn.code === EXIT) depth++;
    if (insn.code === EXIT || insn.code === 0) continue;
    if (movesPacket(insn)) moved = slot;
    if (isCall(insn)) {
      const entered = entersFunction(env, slot) || (callsBackNow(insn) && depth > 0);
      // not left yet: arguments are the caller's registers
      if (entered && depth === 0 && (regno < 1 || regno > 5)) return null;
      if (entered && depth === 0) continue;
      if (entered) depth--;
      if (depth === 0 && regno <= 5) return { ...found(env, register, slot), lost: regno > 0 };
    } else if (depth === 0 && writes(insn, regno)) {
      if (!isPlainCopy(insn)) {
        const movedAt = moved >= 0 && loadsPacketPointer(insn) ? sourceOf(env, moved) : null;
        return { ...found(env, register, slot), movedAt };
      }
      regno = insn.src;
    }
  }
  return null;
}

const movesPacket = (insn: Insn): boolean =>
  isHelperCall(insn) && helperProto(insn.imm)?.changesPktData === true;

/** `ctx->data` or `ctx->data_meta`, as far as the instruction alone tells. */
const loadsPacketPointer = (insn: Insn): boolean =>
  classOf(insn) === BPF_LDX && sizeOf(insn) === BPF_W && (insn.off === 0 || insn.off === 8);

const found = (env: Env, register: number, slot: number): Origin => ({
  register,
  slot,
  insn: insnText(env, slot).replace(/^\([0-9a-f]+\) /, ''),
  source: sourceOf(env, slot),
  lost: false,
  movedAt: null,
});
