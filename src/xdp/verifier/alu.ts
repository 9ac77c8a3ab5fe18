/**
 * Arithmetic and moves.
 *
 * "BPF_ALU uses reserved fields", "div by zero", "invalid shift %d", "R%d pointer %s pointer
 * prohibited", "R%d partial copy of pointer".
 *
 * @linux check_alu_op, adjust_reg_min_max_vals; kernel/bpf/verifier.c
 */
import type { Insn } from '../isa/insn.ts';
import {
  BPF_ADD,
  BPF_ALU,
  BPF_ALU64,
  BPF_ARSH,
  BPF_DIV,
  BPF_END,
  BPF_LSH,
  BPF_MOD,
  BPF_MOV,
  BPF_NEG,
  BPF_RSH,
  BPF_SUB,
} from '../isa/insn.ts';
import { draftBounds, knownBounds, sync, zeroExtend32 } from './bounds.ts';
import type { Bounds } from './bounds.ts';
import type { Env } from './env.ts';
import { classOf, opOf, usesReg } from './insnKind.ts';
import { assignScalarId } from './linkedRegs.ts';
import { saneBounds } from './memAccess.ts';
import { aluName, pointerAlu } from './pointerAlu.ts';
import { markChainPrecision } from './precision.ts';
import type { Reg } from './reg.ts';
import { ADD_CONST, isAddConst, isRegConst, scalarReg, withReg } from './reg.ts';
import { isPointerValue, overwriteReg, readReg, writableReg } from './regArg.ts';
import { SCALAR_VALUE } from './regTypes.ts';
import { scalarOp } from './scalarAlu.ts';
import { signExtended, signExtended32 } from './signExtend.ts';
import { regWidth } from './stackAccess.ts';
import { sanitizeNeeded, sanitizeValue } from './speculation.ts';

export function checkAlu(env: Env, insn: Insn): void {
  const op = opOf(insn);
  if (op === BPF_END || op === BPF_NEG) checkUnary(env, insn);
  else if (op === BPF_MOV) checkMov(env, insn);
  else checkBinary(env, insn);
  env.regs[insn.dst] = saneBounds(env, env.regs[insn.dst]!, 'alu');
}

function checkUnary(env: Env, insn: Insn): void {
  const op = opOf(insn);
  if (op === BPF_NEG) {
    if (usesReg(insn) || insn.src !== 0 || insn.off !== 0 || insn.imm !== 0)
      env.invalid('BPF_NEG uses reserved fields');
  } else {
    const width = insn.imm === 16 || insn.imm === 32 || insn.imm === 64;
    const bswap = classOf(insn) === BPF_ALU64;
    if (insn.src !== 0 || insn.off !== 0 || !width || (bswap && usesReg(insn)))
      env.invalid('BPF_END uses reserved fields');
  }
  const reg = readReg(env, insn.dst);
  if (isPointerValue(env, reg)) env.deny(`R${insn.dst} pointer arithmetic prohibited`);
  if (op !== BPF_NEG || reg.type !== SCALAR_VALUE) {
    overwriteReg(env, insn.dst);
    return;
  }
  writableReg(env, insn.dst);
  const bounds = scalarOp(op, classOf(insn) !== BPF_ALU64, reg.bounds, reg.bounds);
  env.regs[insn.dst] = withReg(reg, { bounds: bounds! });
}

const ALU_WIDTHS = [0, 8, 16];
const ALU64_WIDTHS = [0, 8, 16, 32];

function checkMov(env: Env, insn: Insn): void {
  const alu32 = classOf(insn) === BPF_ALU;
  if (usesReg(insn)) {
    const widths = alu32 ? ALU_WIDTHS : ALU64_WIDTHS;
    if (insn.off === 1 && !alu32) refuseAddrSpaceCast(env, insn);
    if (!widths.includes(insn.off) || insn.imm !== 0) env.invalid('BPF_MOV uses reserved fields');
    readReg(env, insn.src);
  } else if (insn.src !== 0 || insn.off !== 0) {
    env.invalid('BPF_MOV uses reserved fields');
  }
  writableReg(env, insn.dst);
  if (!usesReg(insn)) {
    const value = alu32 ? BigInt(insn.imm >>> 0) : BigInt(insn.imm);
    env.regs[insn.dst] = scalarReg(knownBounds(value), !env.bpfCapable);
  } else if (alu32) {
    move32(env, insn);
  } else {
    move64(env, insn);
  }
}

/** There are no arenas here. */
function refuseAddrSpaceCast(env: Env, insn: Insn): never {
  if (insn.imm !== 1 && insn.imm !== 1 << 16)
    env.invalid('addr_space_cast insn can only convert between address space 1 and 0');
  return env.invalid(
    'addr_space_cast insn can only be used in a program that has an associated arena',
  );
}

/** The copy shares the id where it holds the very same number. */
function linkedCopy(env: Env, src: number, same: boolean): Reg {
  if (!same) return withReg(env.regs[src]!, { id: 0 });
  assignScalarId(env, src);
  return env.regs[src]!;
}

function move64(env: Env, insn: Insn): void {
  const src = env.regs[insn.src]!;
  if (insn.off === 0) {
    assignScalarId(env, insn.src);
    env.regs[insn.dst] = env.regs[insn.src]!;
    return;
  }
  if (isPointerValue(env, src)) env.deny(`R${insn.src} sign-extension part of pointer`);
  if (src.type !== SCALAR_VALUE) {
    env.regs[insn.dst] = env.unknown;
    return;
  }
  const same = src.bounds.umax < 1n << BigInt(insn.off - 1);
  const copy = linkedCopy(env, insn.src, same);
  env.regs[insn.dst] = withReg(copy, { bounds: signExtended(copy.bounds, insn.off >> 3) });
}

function move32(env: Env, insn: Insn): void {
  const src = env.regs[insn.src]!;
  if (isPointerValue(env, src)) env.deny(`R${insn.src} partial copy of pointer`);
  let copy: Reg;
  if (src.type !== SCALAR_VALUE) {
    copy = env.unknown;
  } else if (insn.off === 0) {
    copy = linkedCopy(env, insn.src, regWidth(src) <= 32);
  } else {
    const same = src.bounds.umax < 1n << BigInt(insn.off - 1);
    copy = linkedCopy(env, insn.src, same);
    copy = withReg(copy, { bounds: signExtended32(copy.bounds, insn.off >> 3) });
  }
  env.regs[insn.dst] = withReg(copy, { bounds: zeroExtended(copy.bounds) });
}

function zeroExtended(b: Bounds): Bounds {
  const d = draftBounds(b);
  zeroExtend32(d);
  return sync(d);
}

function checkBinary(env: Env, insn: Insn): void {
  const op = opOf(insn);
  if (op > BPF_END) env.invalid(`invalid BPF_ALU opcode ${op.toString(16)}`);
  const divides = op === BPF_MOD || op === BPF_DIV;
  const off = insn.off === 0 || (insn.off === 1 && divides);
  const unused = usesReg(insn) ? insn.imm : insn.src;
  if (!off || unused !== 0) env.invalid('BPF_ALU uses reserved fields');
  if (usesReg(insn)) readReg(env, insn.src);
  readReg(env, insn.dst);
  if (!usesReg(insn)) {
    if (divides && insn.imm === 0) env.invalid('div by zero');
    const bits = classOf(insn) === BPF_ALU64 ? 64 : 32;
    const shifts = op === BPF_LSH || op === BPF_RSH || op === BPF_ARSH;
    if (shifts && (insn.imm < 0 || insn.imm >= bits)) env.invalid(`invalid shift ${insn.imm}`);
  }
  writableReg(env, insn.dst);
  adjustRegs(env, insn);
}

/** @linux adjust_reg_min_max_vals */
function adjustRegs(env: Env, insn: Insn): void {
  const op = opOf(insn);
  const dst = env.regs[insn.dst]!;
  const ptr = dst.type !== SCALAR_VALUE;
  if (!usesReg(insn)) {
    const num = scalarReg(knownBounds(BigInt(insn.imm)), false);
    if (ptr) pointerAlu(env, insn, dst, num, true);
    else scalarAlu(env, insn, dst, num);
    return;
  }
  const src = env.regs[insn.src]!;
  if (src.type !== SCALAR_VALUE) {
    if (!ptr) {
      markChainPrecision(env, insn.dst);
      pointerAlu(env, insn, src, dst, false);
      return;
    }
    if (op !== BPF_SUB || !env.allowPtrLeaks)
      env.deny(`R${insn.dst} pointer ${aluName(op)} pointer prohibited`);
    env.regs[insn.dst] = env.unknown;
    return;
  }
  if (ptr || dst.precise) markChainPrecision(env, insn.src);
  if (ptr) pointerAlu(env, insn, dst, src, true);
  else scalarAlu(env, insn, dst, src);
}

function scalarAlu(env: Env, insn: Insn, dst: Reg, src: Reg): void {
  const op = opOf(insn);
  const alu32 = classOf(insn) !== BPF_ALU64;
  const bounds = scalarOp(op, alu32, dst.bounds, src.bounds);
  if (bounds !== null && sanitizeNeeded(op)) sanitizeValue(env, insn);
  let result = bounds === null ? env.unknown : withReg(dst, { bounds });
  // `r1 = r2; r1 += 4`: r1 stays linked to r2, at a distance
  const linked = op === BPF_ADD && !alu32 && result.id !== 0 && isRegConst(src, false);
  const by = src.bounds.value;
  if (linked && !isAddConst(result.id) && by <= 0x7fff_ffffn)
    result = withReg(result, { id: result.id | ADD_CONST, off: Number(by) });
  else if (linked) result = withReg(result, { id: 0, off: 0 });
  else if (result.id !== 0) result = withReg(result, { id: 0 });
  env.regs[insn.dst] = result;
}
