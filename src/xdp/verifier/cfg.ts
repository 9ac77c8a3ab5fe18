/**
 * The program's graph: every instruction can be reached, no jump leads outside, and where states are
 * worth remembering.
 *
 * "unreachable insn %d", "jump into the middle of ldimm64 insn %d".
 *
 * @linux check_cfg, visit_insn, compute_postorder; kernel/bpf/verifier.c
 */
import { BPF_CALL, BPF_EXIT, BPF_JA, BPF_JMP, BPF_JMP32, LD_IMM64 } from '../isa/insn.ts';
import { kfuncByImm } from '../helpers/kfuncProtos.ts';
import { helperProto } from '../helpers/protos.ts';
import type { Env } from './env.ts';
import {
  callsBackLater,
  callsBackNow,
  classOf,
  isHelperCall,
  isKfuncCall,
  isIterNext,
  isMayGoto,
  isPseudoFunc,
  isSubprogCall,
  jumpOffset,
  opOf,
  slotsOf,
  successors,
} from './insnKind.ts';
import { containingSubprog } from './subprogs.ts';

const DISCOVERED = 0x10;
const EXPLORED = 0x20;
const FALLTHROUGH = 1;
const BRANCH = 2;

/** A walk in depth: instructions are done once all they lead to is done. */
class Walk {
  readonly env: Env;
  readonly state: Uint8Array;
  readonly stack: number[] = [];

  constructor(env: Env) {
    this.env = env;
    this.state = new Uint8Array(env.insns.length);
    this.begin(0);
  }

  begin(at: number): void {
    this.state[at] = DISCOVERED;
    this.stack.push(at);
  }

  run(): void {
    while (this.stack.length > 0) {
      const t = this.stack[this.stack.length - 1]!;
      if (this.visit(t)) continue;
      this.state[t] = EXPLORED;
      this.stack.pop();
    }
  }

  /** Follow an edge. @returns true when its end has to be explored first @linux push_insn */
  push(from: number, to: number, edge: number): boolean {
    const { state, env } = this;
    if (state[from]! >= (DISCOVERED | edge)) return false;
    if (to < 0 || to >= state.length) env.invalid(`jump out of range from insn ${from} to ${to}`);
    if (edge === BRANCH) markTarget(env, to);
    if (state[to] === 0) {
      state[from] = DISCOVERED | edge;
      state[to] = DISCOVERED;
      this.stack.push(to);
      return true;
    }
    if (state[to] === EXPLORED) state[from] = DISCOVERED | edge;
    return false;
  }

  /** @returns true while something below is to be explored @linux visit_insn */
  visit(t: number): boolean {
    const { env } = this;
    const insn = env.insns[t]!;
    const kind = classOf(insn);
    if (isPseudoFunc(insn)) return this.visitCall(t, true);
    if (kind !== BPF_JMP && kind !== BPF_JMP32) return this.push(t, t + slotsOf(insn), FALLTHROUGH);
    switch (opOf(insn)) {
      case BPF_EXIT:
        return false;
      case BPF_CALL:
        markCall(env, t);
        return this.visitCall(t, isSubprogCall(insn));
      case BPF_JA: {
        const target = t + jumpOffset(insn) + 1;
        if (this.push(t, target, FALLTHROUGH)) return true;
        markTarget(env, target);
        return false;
      }
      default:
        env.aux[t]!.prunePoint = true;
        if (isMayGoto(insn)) env.aux[t]!.forceCheckpoint = true;
        return this.push(t, t + 1, FALLTHROUGH) || this.push(t, t + insn.off + 1, BRANCH);
    }
  }

  /** @linux visit_func_call_insn */
  private visitCall(t: number, callee: boolean): boolean {
    const { env } = this;
    const insn = env.insns[t]!;
    const next = t + slotsOf(insn);
    if (this.push(t, next, FALLTHROUGH)) return true;
    markTarget(env, next);
    if (!callee) return false;
    const start = t + insn.imm + 1;
    env.aux[t]!.prunePoint = true;
    mergeCalleeEffects(env, t, start);
    return this.push(t, start, BRANCH);
  }
}

function markTarget(env: Env, idx: number): void {
  const aux = env.aux[idx];
  if (aux === undefined) return;
  aux.prunePoint = true;
  aux.jmpPoint = true;
}

function markCall(env: Env, t: number): void {
  const insn = env.insns[t]!;
  const aux = env.aux[t]!;
  if (callsBackLater(insn)) aux.prunePoint = true;
  if (callsBackNow(insn)) {
    aux.callsCallback = true;
    aux.forceCheckpoint = true;
    aux.prunePoint = true;
    aux.jmpPoint = true;
  }
  if (isIterNext(insn)) {
    aux.prunePoint = true;
    aux.forceCheckpoint = true;
  }
  const callee = isKfuncCall(insn)
    ? kfuncByImm(insn.imm)
    : isHelperCall(insn)
      ? helperProto(insn.imm)
      : undefined;
  if (callee?.changesPktData === true)
    env.subprogs[containingSubprog(env, t)]!.changesPktData = true;
}

/** What a callee does, its caller does. @linux merge_callee_effects */
function mergeCalleeEffects(env: Env, call: number, start: number): void {
  const caller = env.subprogs[containingSubprog(env, call)]!;
  const callee = env.subprogs[containingSubprog(env, start)]!;
  caller.changesPktData ||= callee.changesPktData;
  caller.mightSleep ||= callee.mightSleep;
}

export function checkCfg(env: Env): void {
  const walk = new Walk(env);
  walk.run();
  if (env.exceptionCallback !== 0) {
    walk.begin(env.subprogs[env.exceptionCallback]!.start);
    walk.run();
  }
  for (let i = 0; i < env.insns.length; i++) {
    if (walk.state[i] !== EXPLORED) env.invalid(`unreachable insn ${i}`);
    if (env.insns[i]!.code !== LD_IMM64) continue;
    if (walk.state[i + 1] !== 0) env.invalid(`jump into the middle of ldimm64 insn ${i}`);
    i++;
  }
}

/** Order of each subprogram's instructions for analyses that run against the flow. @linux compute_postorder */
export function computePostorder(env: Env): void {
  env.next = env.insns.map((insn, i) => (insn.code === 0 ? [] : successors(env.insns, i)));
  const order: number[] = [];
  const state = new Uint8Array(env.insns.length);
  for (let i = 0; i < env.subprogCount; i++) {
    env.subprogs[i]!.postorderStart = order.length;
    const stack = [env.subprogs[i]!.start];
    while (stack.length > 0) {
      const top = stack[stack.length - 1]!;
      if ((state[top]! & EXPLORED) !== 0) {
        order.push(top);
        stack.pop();
        continue;
      }
      for (const next of env.next[top]!) {
        if (state[next] !== 0) continue;
        stack.push(next);
        state[next] |= DISCOVERED;
      }
      state[top] = DISCOVERED | EXPLORED;
    }
  }
  env.subprogs[env.subprogCount]!.postorderStart = order.length;
  env.postorder = order;
}
