/**
 * Conditional jumps: the path splits, and each side learns what the comparison says.
 *
 * "invalid BPF_JMP opcode %x", "BPF_JMP/JMP32 uses reserved fields", "R%d pointer comparison prohibited",
 * "invalid may_goto imm %d".
 *
 * @linux check_cond_jmp_op; kernel/bpf/verifier.c
 */
import { ENOMEM } from '../../host/errno.ts';
import type { Insn } from '../isa/insn.ts';
import {
  BPF_JA,
  BPF_JCOND,
  BPF_JEQ,
  BPF_JMP,
  BPF_JMP32,
  BPF_JNE,
  BPF_MAY_GOTO,
} from '../isa/insn.ts';
import { branchTaken } from './branchTaken.ts';
import { knownBounds } from './bounds.ts';
import type { Env } from './env.ts';
import { recordLinked, recordStackOperands } from './history.ts';
import { classOf, opOf, usesReg } from './insnKind.ts';
import { collectLinkedRegs, syncLinkedRegs } from './linkedRegs.ts';
import { printInsnState } from './logState.ts';
import { saneBounds } from './memAccess.ts';
import { markPtrNotNull, markPtrOrNullRegs } from './nullness.ts';
import { tryMatchPktPointers } from './packetRange.ts';
import { pushPath } from './paths.ts';
import { markChainPrecision } from './precision.ts';
import { oppositeOp, refined } from './refine.ts';
import type { Reg } from './reg.ts';
import { regIsPktPointerAny, scalarReg } from './reg.ts';
import { isPointerValue, readReg } from './regArg.ts';
import { PTR_TO_BTF_ID, PTR_TO_STACK, SCALAR_VALUE, baseType, typeMayBeNull } from './regTypes.ts';
import { pushUntakenPath } from './speculation.ts';
import type { LinkedReg, VerifierState } from './state.ts';
import { findPrevEntry, widenImpreciseScalars } from './widen.ts';

/** The loop's end: jump, unless its turns are used up. */
function checkMayGoto(env: Env, insn: Insn): void {
  const idx = env.insnIdx;
  if (
    insn.code !== (BPF_JMP | BPF_JCOND) ||
    insn.src !== BPF_MAY_GOTO ||
    insn.dst !== 0 ||
    insn.imm !== 0
  )
    env.invalid(`invalid may_goto imm ${insn.imm}`);
  const before = findPrevEntry(env, env.cur.parent, idx);
  const queued = pushPath(env, idx + 1, idx, false, ENOMEM);
  queued.mayGotoDepth++;
  if (before !== null) widenImpreciseScalars(env, before, queued);
  env.insnIdx += insn.off;
}

const RESERVED = 'BPF_JMP/JMP32 uses reserved fields';

/** The second operand. */
function operand(env: Env, insn: Insn, dst: Reg): Reg {
  if (!usesReg(insn)) {
    if (insn.src !== 0) env.invalid(RESERVED);
    return scalarReg(knownBounds(BigInt(insn.imm)), false);
  }
  if (insn.imm !== 0) env.invalid(RESERVED);
  const src = readReg(env, insn.src);
  if (!(regIsPktPointerAny(dst) && regIsPktPointerAny(src)) && isPointerValue(env, src))
    env.deny(`R${insn.src} pointer comparison prohibited`);
  return src;
}

const printState = (env: Env): void => {
  if (env.log.detailed) printInsnState(env, env.cur, env.cur.curframe);
};

/** Only one way is possible: safety now depends on the numbers that say so. */
function goKnownWay(env: Env, insn: Insn, dst: Reg, src: Reg, taken: boolean): void {
  const target = env.insnIdx + insn.off + 1;
  if (dst.type === SCALAR_VALUE) markChainPrecision(env, insn.dst);
  if (usesReg(insn) && src.type === SCALAR_VALUE) markChainPrecision(env, insn.src);
  pushUntakenPath(env, insn, taken ? env.insnIdx + 1 : target);
  printState(env);
  if (taken) env.insnIdx += insn.off;
}

export function checkCondJump(env: Env, insn: Insn): void {
  const op = opOf(insn);
  const half = classOf(insn) === BPF_JMP32;
  if (op === BPF_JA || op > BPF_JCOND)
    env.invalid(`invalid BPF_JMP/JMP32 opcode ${op.toString(16)}`);
  if (op === BPF_JCOND) {
    checkMayGoto(env, insn);
    return;
  }
  const first = readReg(env, insn.dst);
  const src = operand(env, insn, first);
  const dst = env.regs[insn.dst]!;
  const dstStack = dst.type === PTR_TO_STACK;
  const srcStack = usesReg(insn) && src.type === PTR_TO_STACK;
  if (dstStack || srcStack) recordStackOperands(env, dstStack, srcStack);
  const taken = branchTaken(dst, src, op, half);
  if (taken === null) split(env, insn, op, half);
  else goKnownWay(env, insn, dst, src, taken);
}

/** Both ways are possible. */
function split(env: Env, insn: Insn, op: number, half: boolean): void {
  const linked: LinkedReg[] = [];
  const ownId = (regno: number): number => {
    const reg = env.regs[regno]!;
    return reg.type === SCALAR_VALUE ? reg.id : 0;
  };
  if (usesReg(insn) && ownId(insn.src) !== 0)
    collectLinkedRegs(env, env.cur, ownId(insn.src), linked);
  if (ownId(insn.dst) !== 0) collectLinkedRegs(env, env.cur, ownId(insn.dst), linked);
  if (linked.length > 1) recordLinked(env, linked);

  const other = pushPath(env, env.insnIdx + insn.off + 1, env.insnIdx);
  const dst = env.regs[insn.dst]!;
  const src = usesReg(insn) ? env.regs[insn.src]! : scalarReg(knownBounds(BigInt(insn.imm)), false);
  refineBoth(env, insn, other, op, half);
  for (const regno of usesReg(insn) ? [insn.src, insn.dst] : [insn.dst]) {
    const reg = env.regs[regno]!;
    if (reg.type !== SCALAR_VALUE || reg.id === 0) continue;
    syncLinkedRegs(env.cur, regno, linked);
    syncLinkedRegs(other, regno, linked);
  }
  if (usesReg(insn)) learnFromOther(env, insn, dst, src, other, op, half);
  learnNullness(env, insn, dst, src, other, op, half);
  printState(env);
}

function refineBoth(env: Env, insn: Insn, other: VerifierState, op: number, half: boolean): void {
  const dst = env.regs[insn.dst]!;
  const src = usesReg(insn) ? env.regs[insn.src]! : scalarReg(knownBounds(BigInt(insn.imm)), false);
  if (dst.type !== SCALAR_VALUE || src.type !== SCALAR_VALUE) return;
  const same = usesReg(insn) && insn.dst === insn.src;
  const put = (state: VerifierState, how: number, where: string): void => {
    const { a, b } = refined(dst.bounds, same ? null : src.bounds, how, half);
    const { regs } = state.top;
    regs[insn.dst] = saneBounds(env, { ...dst, bounds: a }, `${where}_reg1`);
    if (same) return;
    const second = saneBounds(env, { ...src, bounds: b }, `${where}_reg2`);
    if (usesReg(insn)) regs[insn.src] = second;
  };
  put(env.cur, oppositeOp(op), 'false');
  put(other, op, 'true');
}

/** A pointer that may be NULL equals one that is not. */
function learnFromOther(
  env: Env,
  insn: Insn,
  dst: Reg,
  src: Reg,
  other: VerifierState,
  op: number,
  half: boolean,
): void {
  const pointers = dst.type !== SCALAR_VALUE && src.type !== SCALAR_VALUE;
  if (half || !pointers || typeMayBeNull(dst.type) === typeMayBeNull(src.type)) return;
  if (baseType(dst.type) === PTR_TO_BTF_ID || baseType(src.type) === PTR_TO_BTF_ID) return;
  const equal = op === BPF_JEQ ? other : op === BPF_JNE ? env.cur : null;
  if (equal === null) return;
  const regno = typeMayBeNull(dst.type) ? insn.dst : insn.src;
  const { regs } = equal.top;
  regs[regno] = markPtrNotNull(regs[regno]!);
}

/** Compared with NULL; or a comparison with the packet's end; or one that shows an address. */
function learnNullness(
  env: Env,
  insn: Insn,
  dst: Reg,
  src: Reg,
  other: VerifierState,
  op: number,
  half: boolean,
): void {
  const equality = op === BPF_JEQ || op === BPF_JNE;
  const withNull = !usesReg(insn) && insn.imm === 0;
  if (!half && withNull && equality && typeMayBeNull(dst.type)) {
    markPtrOrNullRegs(env.cur, insn.dst, op === BPF_JNE);
    markPtrOrNullRegs(other, insn.dst, op === BPF_JEQ);
  } else if (!tryMatchPktPointers(insn, dst, src, env.cur, other)) {
    if (isPointerValue(env, dst)) env.deny(`R${insn.dst} pointer comparison prohibited`);
  }
}
