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
  BPF_ADDR_SPACE_CAST,
  BPF_ALU,
  BPF_ALU64,
  BPF_AND,
  BPF_ARSH,
  BPF_DIV,
  BPF_END,
  BPF_LSH,
  BPF_MOD,
  BPF_MOV,
  BPF_NEG,
  BPF_OR,
  BPF_RSH,
  BPF_SUB,
} from '../isa/insn.ts';
import {
  UNBOUNDED,
  draftBounds,
  knownBounds,
  setKnown32,
  sync,
  truncated,
  zeroExtend32,
} from './bounds.ts';
import type { Bounds } from './bounds.ts';
import type { Env } from './env.ts';
import { classOf, opOf, usesReg } from './insnKind.ts';
import { assignScalarId } from './linkedRegs.ts';
import { saneBounds } from './memAccess.ts';
import { pushPath } from './paths.ts';
import { aluName, pointerAlu } from './pointerAlu.ts';
import { markChainPrecision } from './precision.ts';
import type { Reg } from './reg.ts';
import {
  ADD_CONST32,
  ADD_CONST64,
  isAddConst,
  isRegConst,
  pointerReg,
  regConstValue,
  scalarReg,
} from './reg.ts';
import { isPointerValue, overwriteReg, readReg, writableReg } from './regArg.ts';
import { PTR_TO_ARENA, SCALAR_VALUE } from './regTypes.ts';
import { scalarOp } from './scalarAlu.ts';
import { signExtended, signExtended32 } from './signExtend.ts';
import { regWidth } from './stackAccess.ts';
import { sanitizeNeeded, sanitizeValue } from './speculation.ts';
import { U32_MAX_BIG, s64, tnumIsConst, tnumSwap } from './tnum.ts';

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
  if (reg.type !== SCALAR_VALUE) {
    overwriteReg(env, insn.dst);
    return;
  }
  writableReg(env, insn.dst);
  if (op === BPF_NEG) {
    const bounds = scalarOp(op, classOf(insn) !== BPF_ALU64, reg.bounds, reg.bounds);
    env.regs[insn.dst] = { ...reg, bounds: bounds!, id: 0 };
  } else {
    env.regs[insn.dst] = swapped(insn, reg);
  }
}

/** Bytes turned round or, for the order the machine has, only cut off. @linux scalar_byte_swap */
function swapped(insn: Insn, reg: Reg): Reg {
  const turns = classOf(insn) === BPF_ALU64 || usesReg(insn);
  const bytes = insn.imm / 8;
  if (!turns && bytes === 8) return reg;
  const bounds = turns
    ? sync({ ...UNBOUNDED, ...tnumSwap(reg.bounds, bytes) })
    : truncated(reg.bounds, bytes);
  return { ...reg, bounds: bytes === 8 ? bounds : truncated(bounds, bytes), id: 0 };
}

const ALU_WIDTHS = [0, 8, 16];
const ALU64_WIDTHS = [0, 8, 16, 32];

function checkMov(env: Env, insn: Insn): void {
  const alu32 = classOf(insn) === BPF_ALU;
  if (usesReg(insn)) {
    const widths = alu32 ? ALU_WIDTHS : ALU64_WIDTHS;
    const cast = insn.off === BPF_ADDR_SPACE_CAST && !alu32;
    if (cast) checkAddrSpaceCast(env, insn);
    else if (!widths.includes(insn.off) || insn.imm !== 0)
      env.invalid('BPF_MOV uses reserved fields');
    readReg(env, insn.src);
  } else if (insn.src !== 0 || insn.off !== 0) {
    env.invalid('BPF_MOV uses reserved fields');
  }
  writableReg(env, insn.dst);
  if (insn.off === BPF_ADDR_SPACE_CAST) {
    env.regs[insn.dst] = insn.imm === TO_KERNEL ? pointerReg(PTR_TO_ARENA) : env.unknown;
  } else if (!usesReg(insn)) {
    const value = alu32 ? BigInt(insn.imm >>> 0) : BigInt(insn.imm);
    env.regs[insn.dst] = scalarReg(knownBounds(value), !env.bpfCapable);
  } else if (alu32) {
    move32(env, insn);
  } else {
    move64(env, insn);
  }
}

/** `imm` of such a move: from address space 1 to 0, or back. */
const TO_KERNEL = 1;
const TO_USER = 1 << 16;

function checkAddrSpaceCast(env: Env, insn: Insn): void {
  if (insn.imm !== TO_KERNEL && insn.imm !== TO_USER)
    env.invalid('addr_space_cast insn can only convert between address space 1 and 0');
  if (!env.hasArena)
    env.invalid('addr_space_cast insn can only be used in a program that has an associated arena');
}

/** The copy shares the id where it holds the very same number. */
function linkedCopy(env: Env, src: number, same: boolean): Reg {
  if (!same) return { ...env.regs[src]!, id: 0 };
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
  env.regs[insn.dst] = { ...copy, bounds: signExtended(copy.bounds, insn.off >> 3) };
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
    copy = { ...copy, bounds: signExtended32(copy.bounds, insn.off >> 3) };
  }
  env.regs[insn.dst] = { ...copy, bounds: zeroExtended(copy.bounds) };
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
  if (dst.type === PTR_TO_ARENA) return; // it may be moved at will, and by it anything
  if (usesReg(insn) && env.regs[insn.src]!.type === PTR_TO_ARENA) {
    env.regs[insn.dst] = env.regs[insn.src]!;
    return;
  }
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

/**
 * A mask, all ones or zero, is followed apart for either: on a path of its own it is zero.
 *
 * @linux maybe_fork_scalars
 */
function forked(env: Env, insn: Insn, dst: Reg): Reg {
  const { bounds: b } = dst;
  const wide = b.smin === -1n && b.smax === 0n;
  if (!wide && (b.s32Min !== -1 || b.s32Max !== 0)) return dst;
  const { regs } = pushPath(env, env.insnIdx, env.insnIdx).top;
  const known = (value: bigint): Bounds => {
    if (wide) return knownBounds(value);
    const d = draftBounds(b);
    setKnown32(d, value);
    return d;
  };
  regs[insn.dst] = { ...dst, bounds: known(0n) };
  return { ...dst, bounds: known(-1n) };
}

function scalarAlu(env: Env, insn: Insn, dst: Reg, src: Reg): void {
  const op = opOf(insn);
  const alu32 = classOf(insn) !== BPF_ALU64;
  if (sanitizeNeeded(op)) sanitizeValue(env, insn);
  const forks = (op === BPF_AND || op === BPF_OR) && tnumIsConst(src.bounds);
  const start = forks ? forked(env, insn, dst) : dst;
  const bounds = scalarOp(op, alu32, start.bounds, src.bounds);
  env.regs[insn.dst] = relinked(insn, dst, src, bounds === null ? env.unknown : { ...dst, bounds });
}

const S32_MIN = -(2n ** 31n);
const S32_MAX = 2n ** 31n - 1n;

/**
 * `r1 = r2; r1 += 4`: r1 stays linked to r2, at a distance, once. All else that changes a register
 * ends its links.
 */
function relinked(insn: Insn, dst: Reg, src: Reg, result: Reg): Reg {
  if (result.id === 0) return result;
  const op = opOf(insn);
  const alu32 = classOf(insn) !== BPF_ALU64;
  const unlinked = result.id === 0 ? result : { ...result, id: 0 };
  const itself = usesReg(insn) && insn.src === insn.dst;
  if ((op !== BPF_ADD && op !== BPF_SUB) || !isRegConst(src, alu32) || itself) return unlinked;
  const value = s64(regConstValue(src, alu32));
  const fits = alu32 ? dst.bounds.umax <= U32_MAX_BIG : value >= S32_MIN && value <= S32_MAX;
  const by = Number(value) | 0;
  const off = op === BPF_SUB ? -by : by;
  if (!fits || (op === BPF_SUB && by === -(2 ** 31)) || isAddConst(result.id))
    return { ...unlinked, off: 0 };
  return { ...result, id: result.id | (alu32 ? ADD_CONST32 : ADD_CONST64), off };
}
