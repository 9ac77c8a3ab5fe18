/**
 * Would Linux load this program? All functions along all paths, as Linux 6.18 walks them: the verdict,
 * the log with its words, and the counters.
 *
 * Not modelled, and refused by name: program types other than XDP, kernel variables, structs of the
 * kernel whose types are not known, per-CPU objects, pointers and locks inside objects.
 *
 * @linux bpf_check; kernel/bpf/verifier.c
 */
import { E2BIG, EOPNOTSUPP } from '../../host/errno.ts';
import { kfuncImm } from '../helpers/kfuncProtos.ts';
import {
  ARG_ANYTHING,
  ARG_PTR_TO_ARENA,
  ARG_PTR_TO_BTF_ID,
  ARG_PTR_TO_CTX,
  ARG_PTR_TO_DYNPTR,
} from '../helpers/protos.ts';
import type { Insn } from '../isa/insn.ts';
import type { Explanation } from './explain.ts';
import { explain } from './explain.ts';
import { markFastcallPatterns, removeFastcallSpills } from './callSummary.ts';
import { checkCfg, computePostorder } from './cfg.ts';
import { refuseDeadCallbacks, refuseNamelessCalls } from './deadCode.ts';
import { COMPLEXITY_LIMIT, doCheck } from './doCheck.ts';
import type { Subprog, SubprogArg, VerifiedImage, VerifierOptions } from './env.ts';
import { Env, Refused } from './env.ts';
import { checkExceptionCallback } from './exceptions.ts';
import { isKfuncCall } from './insnKind.ts';
import { computeLiveRegisters } from './liveRegs.ts';
import { BPF_LOG_STATS } from './log.ts';
import { markAllScratched } from './logState.ts';
import { writeLogTail } from './logTail.ts';
import { computeScc } from './loops.ts';
import type { Reg } from './reg.ts';
import { dynptrReg, pointerReg } from './reg.ts';
import {
  BPF_DYNPTR_TYPE_LOCAL,
  MEM_RDONLY,
  PTR_MAYBE_NULL,
  PTR_TO_BTF_ID,
  PTR_TO_CTX,
  PTR_TO_MEM,
  PTR_TRUSTED,
  PTR_UNTRUSTED,
  baseType,
  typeMayBeNull,
} from './regTypes.ts';
import { resolvePseudoLdimm64 } from './resolve.ts';
import { checkMaxStackDepth, rewrittenDepth } from './stackDepth.ts';
import { StackLiveness } from './stackLiveness.ts';
import { FuncState, VerifierState } from './state.ts';
import { prepareFuncArgs } from './subprogArgs.ts';
import { addSubprogs, checkBtfInfo, checkSubprogs } from './subprogs.ts';
import { BPF_PROG_TYPE_XDP } from '../uapi.ts';

export interface VerifierResult {
  readonly accepted: boolean;
  readonly log: string;
  /** Without a log: what the log of a refusal would end with. */
  readonly end: string;
  /** Positive; 0 when accepted. */
  readonly errno: number;
  /** The last line that says why, or ''. */
  readonly message: string;
  /** Slot of the instruction that was refused; -1 when none is to blame. */
  readonly slot: number;
  /** In plain words; null when accepted. */
  readonly explanation: Explanation | null;
  /** Instructions walked, on all paths together. */
  readonly processed: number;
  /** Was the instruction reached on some path? */
  readonly seen: (slot: number) => boolean;
  /** Bytes of stack of each function. */
  readonly stackDepth: readonly number[];
}

/** @linux do_check_common */
function checkFunction(env: Env, number: number): void {
  const { start } = env.subprogs[number]!;
  env.prevLine = null;
  env.explored = [];
  env.pending = [];
  const state = new VerifierState();
  state.branches = 1;
  state.firstInsnIdx = start;
  const frame = new FuncState(-1, 0, number);
  state.frames.push(frame);
  env.cur = state;
  env.insnIdx = start;
  markAllScratched(env);
  if (number === 0) enterMain(env, frame);
  else enterGlobal(env, number, frame);
  env.walking = true;
  doCheck(env);
  env.walking = false;
  if (!env.log.full) env.log.cutTo(0);
}

function enterMain(env: Env, frame: FuncState): void {
  const main = env.subprogs[0]!;
  if (env.image.funcInfo.length > 0) {
    try {
      const args = prepareFuncArgs(env, main);
      main.unreliable = args.length !== 1 || args[0]!.type !== ARG_PTR_TO_CTX;
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      main.unreliable = true;
    }
  }
  frame.regs[1] = pointerReg(PTR_TO_CTX);
}

function enterGlobal(env: Env, number: number, frame: FuncState): void {
  const subprog = env.subprogs[number]!;
  if (env.log.detailed) env.write(`Validating ${subprog.name}() func#${number}...\n`);
  const args = prepareFuncArgs(env, subprog);
  if (subprog.isExceptionCb) checkExceptionCallback(env, args);
  args.forEach((arg, i) => (frame.regs[i + 1] = argReg(env, arg)));
}

function argReg(env: Env, arg: SubprogArg): Reg {
  switch (baseType(arg.type)) {
    case ARG_ANYTHING:
      return env.unknown;
    case ARG_PTR_TO_CTX:
      return pointerReg(PTR_TO_CTX);
    case ARG_PTR_TO_DYNPTR:
      return dynptrReg(BPF_DYNPTR_TYPE_LOCAL, true, env.newId());
    case ARG_PTR_TO_ARENA:
      return env.unknown; // also a plain number may be passed
    case ARG_PTR_TO_BTF_ID: {
      const flags = arg.type & (PTR_MAYBE_NULL | PTR_TRUSTED | PTR_UNTRUSTED);
      return pointerReg(PTR_TO_BTF_ID | flags, { btf: arg.btf, id: env.newId() });
    }
    default: {
      const flags = arg.type & (PTR_MAYBE_NULL | MEM_RDONLY | PTR_UNTRUSTED);
      const id = typeMayBeNull(arg.type) ? env.newId() : 0;
      return pointerReg(PTR_TO_MEM | flags, { memSize: arg.memSize, id });
    }
  }
}

const isDue = (subprog: Subprog): boolean => subprog.global && subprog.called && !subprog.verified;

/** Global functions that were called; checking one may call more. @linux do_check_subprogs */
function checkGlobals(env: Env): void {
  if (env.exceptionCallback !== 0) env.subprogs[env.exceptionCallback]!.called = true;
  let found = true;
  while (found) {
    found = false;
    for (let i = 1; i < env.subprogCount; i++) {
      const subprog = env.subprogs[i]!;
      if (!isDue(subprog)) continue;
      checkFunction(env, i);
      if (env.log.detailed)
        env.write(`Func#${i} ('${subprog.name}') is safe for any args that match its prototype\n`);
      subprog.verified = true;
      found = true;
    }
  }
}

function walkAll(env: Env): void {
  addSubprogs(env);
  checkSubprogs(env);
  checkBtfInfo(env);
  resolvePseudoLdimm64(env);
  checkCfg(env);
  computePostorder(env);
  env.liveness = new StackLiveness(env);
  computeScc(env);
  computeLiveRegisters(env);
  markFastcallPatterns(env);
  checkFunction(env, 0);
  if (env.image.funcInfo.length > 0) checkGlobals(env);
  removeFastcallSpills(env);
  checkMaxStackDepth(env);
  refuseNamelessCalls(env);
  refuseDeadCallbacks(env);
}

const depths = (env: Env): number[] => env.subprogs.slice(0, -1).map((sub) => sub.stackDepth);
/** Of functions that some path reaches; dead ones are cut out. */
const rewrittenDepths = (env: Env): number[] =>
  env.subprogs
    .slice(0, -1)
    .flatMap(({ start }, i) => (env.aux[start]!.seen ? [rewrittenDepth(env, i)] : []));

/** @linux print_verification_stats */
function printStats(env: Env, refused: boolean): void {
  if ((env.log.level & BPF_LOG_STATS) !== 0)
    env.write(`stack depth ${(refused ? depths(env) : rewrittenDepths(env)).join('+')}\n`);
  env.write(
    `processed ${env.insnProcessed} insns (limit ${COMPLEXITY_LIMIT}) ` +
      `max_states_per_insn ${env.maxStatesPerInsn} total_states ${env.totalStates} ` +
      `peak_states ${env.peakStates} mark_read 0\n`,
  );
}

function logTail(env: Env, said: string): string {
  writeLogTail(env, said);
  printStats(env, true);
  return env.log.text;
}

/** The function's place in our table; -1 if it is not there, 0 if the program names none. */
function kfuncNumber(image: VerifiedImage, imm: number): number {
  const name = image.kfuncs[imm];
  return name === undefined && imm === 0 ? 0 : kfuncImm(name ?? '') || -1;
}

/** Calls of kernel functions as numbers of our table. */
const withKfuncs = (image: VerifiedImage): Insn[] =>
  image.insns.map((insn) =>
    isKfuncCall(insn) ? { ...insn, imm: kfuncNumber(image, insn.imm) } : insn,
  );

export function analyse(image: VerifiedImage, options: VerifierOptions): VerifierResult {
  const env = new Env({ ...image, insns: withKfuncs(image) }, options);
  let refused: Refused | null = null;
  try {
    if (image.type !== BPF_PROG_TYPE_XDP)
      env.refuse(EOPNOTSUPP, `programs of type ${image.type} are not supported by this verifier`);
    if (image.insns.length === 0 || image.insns.length > COMPLEXITY_LIMIT)
      env.refuse(
        E2BIG,
        `a program has 1 to ${COMPLEXITY_LIMIT} instructions, not ${image.insns.length}`,
      );
    walkAll(env);
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    refused = error;
  }
  const explanation = refused === null ? null : explain(env, refused.message);
  const { said } = env;
  printStats(env, refused !== null);
  const log = env.log.text;
  return {
    accepted: refused === null,
    log,
    end: refused === null || log !== '' ? '' : logTail(env, said),
    errno: refused?.errno ?? 0,
    message: refused?.message ?? '',
    slot: refused !== null && env.walking ? env.insnIdx : -1,
    explanation,
    processed: env.insnProcessed,
    seen: (slot) => env.aux[slot]?.seen ?? false,
    stackDepth: depths(env),
  };
}
