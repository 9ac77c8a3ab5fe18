/**
 * The walk: one function from its start, along every path until each has ended or has met a state that
 * was walked already.
 *
 * "BPF program is too large. Processed %d insn".
 *
 * @linux do_check, do_check_insn; kernel/bpf/verifier.c
 */
import { E2BIG, EACCES, EINVAL, EPERM } from '../../host/errno.ts';
import {
  BPF_ALU,
  BPF_ALU64,
  BPF_ATOMIC,
  BPF_CALL,
  BPF_EXIT,
  BPF_JA,
  BPF_JMP,
  BPF_JMP32,
  BPF_LD,
  BPF_LDX,
  BPF_MEM,
  BPF_MEMSX,
  BPF_PSEUDO_CALL,
  BPF_PSEUDO_KFUNC_CALL,
  BPF_ST,
  BPF_STX,
} from '../isa/insn.ts';
import type { Insn } from '../isa/insn.ts';
import { BPF_FUNC_spin_unlock } from '../helpers/funcIds.ts';
import { kfuncByImm } from '../helpers/kfuncProtos.ts';
import { checkAlu } from './alu.ts';
import { checkCondJump } from './branch.ts';
import type { Env } from './env.ts';
import { Refused } from './env.ts';
import { checkExit } from './exit.ts';
import { checkFuncCall } from './funcCall.ts';
import { checkHelperCall } from './helperCall.ts';
import { recordHistory } from './history.ts';
import { CALL, classOf, jumpOffset, modeOf, opOf, usesReg } from './insnKind.ts';
import { checkKfuncCall } from './kfuncCall.ts';
import { checkResourceLeak } from './references.ts';
import { checkLd } from './ldImm.ts';
import {
  markAllScratched,
  printInsn,
  printInsnState,
  printLine,
  printVerifierState,
  stateScratched,
} from './logState.ts';
import { checkAtomic, checkLoad, checkStore, checkStoreConst } from './memAccess.ts';
import { isStateVisited, updateBranchCounts } from './prune.ts';

/** @linux BPF_COMPLEXITY_LIMIT_INSNS */
export const COMPLEXITY_LIMIT = 1_000_000;

/** How the walk goes on after an instruction. */
type Step = 'next' | 'left' | 'ends';

function checkCall(env: Env, insn: Insn): Step {
  const { src, off, dst, code, imm } = insn;
  const kfunc = src === BPF_PSEUDO_KFUNC_CALL;
  const known = src === 0 || src === BPF_PSEUDO_CALL || kfunc;
  if (code !== CALL || !known || (!kfunc && off !== 0) || dst !== 0)
    env.invalid('BPF_CALL uses reserved fields');
  const helper = src === 0 && imm !== BPF_FUNC_spin_unlock;
  const outside = kfunc && kfuncByImm(imm)?.underLock !== true;
  if (env.cur.activeLocks > 0 && (helper || outside))
    env.invalid('function calls are not allowed while holding a lock');
  if (src === BPF_PSEUDO_CALL) checkFuncCall(env, insn);
  else if (kfunc) checkKfuncCall(env, insn);
  else checkHelperCall(env, insn);
  env.scratchReg(0);
  if (!kfunc || kfuncByImm(imm)?.name !== 'bpf_throw') return 'next';
  checkResourceLeak(env, true, true, 'bpf_throw');
  return 'ends';
}

function checkGoto(env: Env, insn: Insn): void {
  const long = classOf(insn) === BPF_JMP32;
  const unused = long ? insn.off : insn.imm;
  if (usesReg(insn) || insn.src !== 0 || insn.dst !== 0 || unused !== 0)
    env.invalid('BPF_JA uses reserved fields');
  env.insnIdx += jumpOffset(insn);
}

function checkJump(env: Env, insn: Insn): Step {
  env.jmpsProcessed++;
  switch (opOf(insn)) {
    case BPF_CALL:
      return checkCall(env, insn);
    case BPF_JA:
      checkGoto(env, insn);
      return 'next';
    case BPF_EXIT:
      return checkExit(env, insn) ? 'ends' : 'left';
    default:
      checkCondJump(env, insn);
      return 'next';
  }
}

function checkStoreInsn(env: Env, insn: Insn): void {
  if (modeOf(insn) === BPF_ATOMIC) {
    checkAtomic(env, insn);
    return;
  }
  if (modeOf(insn) !== BPF_MEM || insn.imm !== 0) env.invalid('BPF_STX uses reserved fields');
  checkStore(env, insn, false);
}

/** @linux do_check_insn */
function checkInsn(env: Env): Step {
  const insn = env.insns[env.insnIdx]!;
  switch (classOf(insn)) {
    case BPF_ALU:
    case BPF_ALU64:
      checkAlu(env, insn);
      return 'next';
    case BPF_LDX: {
      if (modeOf(insn) !== BPF_MEM && modeOf(insn) !== BPF_MEMSX)
        env.invalid('BPF_LDX uses reserved fields');
      checkLoad(env, insn, false, modeOf(insn) === BPF_MEMSX, true, 'ldx');
      return 'next';
    }
    case BPF_STX:
      checkStoreInsn(env, insn);
      return 'next';
    case BPF_ST:
      if (modeOf(insn) !== BPF_MEM || insn.src !== 0) env.invalid('BPF_ST uses reserved fields');
      checkStoreConst(env, insn);
      return 'next';
    case BPF_JMP:
    case BPF_JMP32:
      return checkJump(env, insn);
    case BPF_LD:
      checkLd(env, insn);
      return 'next';
    default:
      return env.invalid(`unknown insn class ${classOf(insn)}`);
  }
}

const RECOVERABLE: ReadonlySet<number> = new Set([EPERM, EACCES, EINVAL]);

/** One instruction, on the path as it is. */
function step(env: Env): Step {
  const aux = env.aux[env.insnIdx]!;
  const { cur } = env;
  if (cur.speculative && aux.nospec) return 'ends';
  if (!cur.speculative) aux.seen = true;
  env.liveness.beginInsn(env.insnIdx);
  const { liveness } = env;
  let result: Step;
  try {
    result = checkInsn(env);
  } catch (error) {
    if (!(error instanceof Refused && RECOVERABLE.has(error.errno) && cur.speculative)) throw error;
    // a processor must not guess its way to here: it waits
    liveness.commit();
    aux.nospec = true;
    aux.aluState = 0;
    return 'ends';
  }
  liveness.commit();
  if (result === 'ends') return result;
  if (result === 'next') env.insnIdx++;
  return cur.speculative && aux.nospecResult ? 'ends' : result;
}

/** Take up the path that was put aside last. @returns false when none is left */
function popPath(env: Env): boolean {
  const path = env.pending.pop();
  if (path === undefined) return false;
  env.cur = path.state;
  env.insnIdx = path.insnIdx;
  env.prevInsnIdx = path.prevInsnIdx;
  if (!env.log.full) env.log.cutTo(path.logEnd);
  return true;
}

/** @linux process_bpf_exit */
function endPath(env: Env): boolean {
  markAllScratched(env);
  updateBranchCounts(env, env.cur);
  env.liveness.update(env.cur);
  return popPath(env);
}

const pathText = (env: Env): string =>
  `\nfrom ${env.prevInsnIdx} to ${env.insnIdx}${env.cur.speculative ? ' (speculative execution)' : ''}:`;

/** Walk until no path is left. `env.cur` and `env.insnIdx` say where to begin. */
export function doCheck(env: Env): void {
  let prev = -1;
  let printState = false;
  const { log, insns } = env;
  const { onState, exhaustive } = env.options;
  const limit = exhaustive ?? COMPLEXITY_LIMIT;
  for (;;) {
    env.curHistory = null;
    env.prevInsnIdx = prev;
    if (env.insnIdx >= insns.length)
      env.invalid(`invalid insn idx ${env.insnIdx} insn_cnt ${insns.length}`);
    if (++env.insnProcessed > limit)
      env.refuse(E2BIG, `BPF program is too large. Processed ${env.insnProcessed} insn`);
    env.cur.lastInsnIdx = env.prevInsnIdx;
    env.cur.insnIdx = env.insnIdx;
    const aux = env.aux[env.insnIdx]!;
    if (aux.prunePoint && exhaustive === undefined && isStateVisited(env, env.insnIdx)) {
      if (log.detailed)
        env.write(printState ? `${pathText(env)} safe\n` : `${env.insnIdx}: safe\n`);
      if (!endPath(env)) return;
      prev = env.prevInsnIdx;
      printState = true;
      continue;
    }
    if (aux.jmpPoint) recordHistory(env);
    onState?.(env);
    printState = printStep(env, printState);
    prev = env.insnIdx;
    const result = step(env);
    printState ||= result === 'left';
    if (result !== 'ends') continue;
    if (!endPath(env)) return;
    prev = env.prevInsnIdx;
    printState = true;
  }
}

/** @returns whether the state is still to be printed */
function printStep(env: Env, printState: boolean): boolean {
  const { log, cur } = env;
  let left = printState;
  if (log.full && printState) {
    env.write(pathText(env));
    printVerifierState(env, cur, cur.curframe, true);
    left = false;
  }
  if (!log.detailed) return left;
  if (stateScratched(env)) printInsnState(env, cur, cur.curframe);
  printLine(env, env.insnIdx, '; ');
  printInsn(env, env.insnIdx);
  return left;
}
