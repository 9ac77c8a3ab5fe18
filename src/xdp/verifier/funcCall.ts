/**
 * Calls of the program's own functions, callbacks, and returns from both.
 *
 * "the call stack of %d frames is too deep", "global function calls are not allowed while holding a
 * lock", "cannot return stack pointer to the caller", "At callback return the register R0 has …".
 *
 * @linux check_func_call, push_callback_call, prepare_func_exit; kernel/bpf/verifier.c
 */
import { E2BIG, EACCES, EINVAL } from '../../host/errno.ts';
import type { Insn } from '../isa/insn.ts';
import { MAX_CALL_FRAMES } from '../isa/insn.ts';
import type { Env } from './env.ts';
import { S64_MAX, S64_MIN } from './bounds.ts';
import { kernelType } from './btfRef.ts';
import type { GraphTarget } from '../maps/mapDef.ts';
import { nodeReg, unowned } from './graph.ts';
import { clearPktPointers } from './packetRange.ts';
import { markAllScratched, printVerifierState } from './logState.ts';
import { pushAsyncPath, pushPath } from './paths.ts';
import { markChainPrecision } from './precision.ts';
import type { Reg } from './reg.ts';
import { NOT_INIT_REG, UNKNOWN_REG, dynptrReg, pointerReg } from './reg.ts';
import { clearCallerSaved } from './regArg.ts';
import {
  BPF_DYNPTR_TYPE_LOCAL,
  CONST_PTR_TO_MAP,
  PTR_TO_BTF_ID,
  PTR_TO_MAP_KEY,
  PTR_TO_MAP_VALUE,
  PTR_TO_STACK,
  SCALAR_VALUE,
} from './regTypes.ts';
import type { ReturnRange, VerifierState } from './state.ts';
import { FuncState } from './state.ts';
import { checkSubprogArgs } from './subprogArgs.ts';
import { findSubprog } from './subprogs.ts';
import { findPrevEntry, widenImpreciseScalars } from './widen.ts';

/** A new frame on top of `state`. @linux setup_func_entry */
function enter(env: Env, state: VerifierState, subprog: number, callsite: number): FuncState {
  if (state.curframe + 1 >= MAX_CALL_FRAMES)
    env.refuse(E2BIG, `the call stack of ${state.curframe + 2} frames is too deep`);
  const callee = new FuncState(callsite, state.curframe + 1, subprog);
  markAllScratched(env);
  state.frames.push(callee);
  return callee;
}

export function checkFuncCall(env: Env, insn: Insn): void {
  const number = findSubprog(env, env.insnIdx + insn.imm + 1);
  const subprog = env.subprogs[number]!;
  const caller = env.func;
  const err = checkSubprogArgs(env, subprog);
  if (subprog.global) {
    callGlobal(env, number, err);
    return;
  }
  const callee = enter(env, env.cur, number, env.insnIdx);
  for (let i = 1; i <= 5; i++) callee.regs[i] = caller.regs[i]!;
  clearCallerSaved(env, caller.regs);
  env.insnIdx = subprog.start - 1;
  env.liveness.forgetChain();
  if (!env.log.detailed) return;
  env.write('caller:\n');
  printVerifierState(env, env.cur, caller.frameno, true);
  env.write('callee:\n');
  printVerifierState(env, env.cur, env.cur.curframe, true);
}

/** Global functions are verified by themselves; here only the arguments count. */
function callGlobal(env: Env, number: number, err: number): void {
  const subprog = env.subprogs[number]!;
  if (env.cur.activeLocks > 0)
    env.invalid(
      'global function calls are not allowed while holding a lock,\nuse static function instead',
    );
  if (err !== 0)
    env.refuse(err, `Caller passes invalid args into func#${number} ('${subprog.name}')`);
  env.write(`Func#${number} ('${subprog.name}') is global and assumed valid.\n`);
  if (subprog.changesPktData) clearPktPointers(env);
  subprog.called = true;
  clearCallerSaved(env, env.regs);
  env.regs[0] = env.unknown;
}

/** Callbacks of timers and work queues return this alone. */
export const RETURNS_ZERO: ReturnRange = { min: 0, max: 0 };
const BOOLEAN: ReturnRange = { min: 0, max: 1 };

function callbackFrame(callee: FuncState, args: readonly Reg[]): void {
  for (let i = 1; i <= 5; i++) callee.regs[i] = args[i - 1] ?? NOT_INIT_REG;
  callee.inCallbackFn = true;
  callee.callbackRetRange = BOOLEAN;
}

/** Enqueue a visit of a function that the call runs before it returns. */
function pushCallback(
  env: Env,
  subprog: number,
  args: (caller: FuncState) => readonly Reg[],
): void {
  checkSubprogArgs(env, env.subprogs[subprog]!);
  env.subprogs[subprog]!.isCb = true;
  const state = pushPath(env, env.subprogs[subprog]!.start, env.insnIdx);
  const callee = enter(env, state, subprog, env.insnIdx);
  const caller = state.frames[state.curframe - 1]!;
  callbackFrame(callee, args(caller));
  state.callbackUnrollDepth++;
  caller.callbackDepth++;
  env.func.callbackDepth = 0;
}

const keyOf = (reg: Reg): Reg => pointerReg(PTR_TO_MAP_KEY, { map: reg.map });
const valueOf = (reg: Reg): Reg => pointerReg(PTR_TO_MAP_VALUE, { map: reg.map });

/** `callback(map, key, value, ctx)` @linux set_map_elem_callback_state */
export function pushMapElemCallback(env: Env, subprog: number): void {
  pushCallback(env, subprog, ({ regs }) => [
    regs[1]!,
    keyOf(regs[1]!),
    valueOf(regs[1]!),
    regs[3]!,
  ]);
}

/** `callback(index, ctx)` @linux set_loop_callback_state */
export function pushLoopCallback(env: Env, subprog: number): void {
  pushCallback(env, subprog, ({ regs }) => [UNKNOWN_REG, regs[3]!]);
}

/** `callback(task, vma, ctx)` @linux set_find_vma_callback_state */
export function pushVmaCallback(env: Env, subprog: number): void {
  const vma = pointerReg(PTR_TO_BTF_ID, { btf: kernelType('vm_area_struct') });
  pushCallback(env, subprog, ({ regs }) => [regs[1]!, vma, regs[4]!]);
}

/** `callback(node, node)`, the tree locked. @linux set_rbtree_add_callback_state */
export function pushLessCallback(env: Env, subprog: number, root: GraphTarget): void {
  const node = unowned(env, nodeReg(root));
  pushCallback(env, subprog, () => [node, node]);
}

/** `callback(sample, ctx)` @linux set_user_ringbuf_callback_state */
export function pushDrainCallback(env: Env, subprog: number): void {
  const id = env.newId();
  pushCallback(env, subprog, ({ regs }) => [dynptrReg(BPF_DYNPTR_TYPE_LOCAL, true, id), regs[3]!]);
}

/**
 * `callback(map, key, value)`, some time later.
 *
 * @param regno of the pointer into the value
 * @param range what it may return; `sleepable`: it runs where it may sleep
 * @linux set_timer_callback_state, set_task_work_schedule_callback_state
 */
export function pushAsyncCallback(
  env: Env,
  subprog: number,
  regno: number,
  range: ReturnRange,
  sleepable: boolean,
): void {
  checkSubprogArgs(env, env.subprogs[subprog]!);
  env.subprogs[subprog]!.isCb = true;
  env.subprogs[subprog]!.isAsyncCb = true;
  const callee = pushAsyncPath(env, subprog, env.insnIdx, sleepable);
  const timer = env.regs[regno]!;
  callee.asyncEntryCnt = env.func.asyncEntryCnt + 1;
  callee.regs[1] = pointerReg(CONST_PTR_TO_MAP, { map: timer.map });
  callee.regs[2] = keyOf(timer);
  callee.regs[3] = valueOf(timer);
  callee.inAsyncCallbackFn = true;
  callee.callbackRetRange = range;
}

/** "At program exit the register R0 has smin=… should have been in [%d, %d]" @linux verbose_invalid_scalar */
export function refuseReturn(env: Env, reg: Reg, range: ReturnRange, where: string): never {
  const { smin, smax } = reg.bounds;
  let has = smin > S64_MIN ? ` smin=${smin}` : '';
  if (smax < S64_MAX) has += ` smax=${smax}`;
  if (has === '') has = ' unknown scalar value';
  return env.refuse(
    EINVAL,
    `${where} the register R0 has${has} should have been in [${range.min}, ${range.max}]`,
  );
}

export const inRange = ({ min, max }: ReturnRange, reg: Reg): boolean =>
  BigInt(min) <= reg.bounds.smin && reg.bounds.smax <= BigInt(max);

/** Leave a function; the analysis goes on behind its call, or at the call that ran a callback. */
export function prepareFuncExit(env: Env): void {
  const { cur } = env;
  const callee = cur.top;
  const caller = cur.frames[cur.curframe - 1]!;
  if (callee.regs[0]!.type === PTR_TO_STACK)
    env.invalid('cannot return stack pointer to the caller');
  if (callee.inCallbackFn) {
    if (callee.regs[0]!.type !== SCALAR_VALUE) env.refuse(EACCES, 'R0 not a scalar value');
    markChainPrecision(env, 0);
    const r0 = callee.regs[0]!;
    if (!inRange(callee.callbackRetRange, r0))
      refuseReturn(env, r0, callee.callbackRetRange, 'At callback return');
  } else {
    caller.regs[0] = callee.regs[0]!;
  }
  env.insnIdx = callee.inCallbackFn ? callee.callsite : callee.callsite + 1;
  if (env.log.detailed) {
    env.write('returning from callee:\n');
    printVerifierState(env, cur, callee.frameno, true);
    env.write(`to caller at ${env.insnIdx}:\n`);
    printVerifierState(env, cur, caller.frameno, true);
  }
  cur.frames.pop();
  if (!callee.inCallbackFn) return;
  const before = findPrevEntry(env, cur, env.insnIdx);
  if (before !== null) widenImpreciseScalars(env, before, cur);
}
