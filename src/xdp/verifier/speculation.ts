/**
 * Programs without CAP_PERFMON may not read out of bounds even where a processor only guesses that
 * they would get there: pointer arithmetic has to be of a form that can be masked, and paths that
 * would not be taken are walked as well.
 *
 * "R%d has unknown scalar with mixed signed bounds, pointer arithmetic with it prohibited for !root",
 * "R%d tried to %s from different maps, paths or scalars, …", "R%d stack pointer arithmetic goes out of
 * range, prohibited for !root; off=%d".
 *
 * @linux sanitize_ptr_alu, sanitize_check_bounds, sanitize_speculative_path; kernel/bpf/verifier.c
 */
import type { Insn } from '../isa/insn.ts';
import { BPF_ADD, BPF_SUB, MAX_BPF_STACK } from '../isa/insn.ts';
import type { Bounds } from './bounds.ts';
import { draftBounds, forget32 } from './bounds.ts';
import type { Env } from './env.ts';
import { Refused } from './env.ts';
import { opOf, usesReg } from './insnKind.ts';
import { pushPath } from './paths.ts';
import type { Reg } from './reg.ts';
import { withReg } from './reg.ts';
import { PTR_TO_MAP_VALUE, PTR_TO_STACK } from './regTypes.ts';
import { checkMapAccess } from './regionAccess.ts';
import { tnumIsConst, tnumText } from './tnum.ts';

const NEG_VALUE = 1;
const SANITIZE_SRC = 2;
const SANITIZE_DST = 4;
const IMMEDIATE = 8;
const NON_POINTER = 16;

/** How a pointer's arithmetic is to be masked; made before the operation, committed after it. */
export interface Mask {
  state: number;
  limit: number;
  toLeft: boolean;
}

/** @linux can_skip_alu_sanitation */
const canSkip = (env: Env, insn: Insn): boolean =>
  env.bypassSpecV1 || !usesReg(insn) || env.aux[env.insnIdx]!.nospec;

const PROHIBITED = 'pointer arithmetic with it prohibited for !root';
const verb = (insn: Insn): string => (opOf(insn) === BPF_ADD ? 'add' : 'sub');

/** @linux sanitize_needed */
export const sanitizeNeeded = (op: number): boolean => op === BPF_ADD || op === BPF_SUB;

function storeMask(env: Env, insn: Insn, state: number, limit: number): void {
  const aux = env.aux[env.insnIdx]!;
  if (aux.aluState !== 0 && (aux.aluState !== state || aux.aluLimit !== limit))
    env.deny(
      `R${insn.dst} tried to ${verb(insn)} from different maps, paths or scalars, ${PROHIBITED}`,
    );
  aux.aluState = state;
  aux.aluLimit = limit;
}

/** @linux sanitize_val_alu */
export function sanitizeValue(env: Env, insn: Insn): void {
  if (!canSkip(env, insn)) storeMask(env, insn, NON_POINTER, 0);
}

/** @linux retrieve_ptr_limit */
function limitOf(env: Env, insn: Insn, ptr: Reg, toLeft: boolean, ptrIsDst: boolean): number {
  let max: number;
  let limit: number;
  if (ptr.type === PTR_TO_STACK) {
    max = MAX_BPF_STACK + (toLeft ? 1 : 0);
    limit = -(Number(ptr.bounds.smin) + ptr.off);
  } else if (ptr.type === PTR_TO_MAP_VALUE) {
    max = ptr.map!.valueSize;
    limit = Number(toLeft ? ptr.bounds.smin : ptr.bounds.umax) + ptr.off;
  } else {
    const regno = ptrIsDst ? insn.dst : insn.src;
    return env.deny(`R${regno} has pointer with unsupported alu operation, ${PROHIBITED}`);
  }
  if (limit >>> 0 >= max)
    env.deny(`R${insn.dst} tried to ${verb(insn)} beyond pointer bounds, ${PROHIBITED}`);
  return limit;
}

/** Of the destination Linux has forgotten these by then. */
function without32(bounds: Bounds): Bounds {
  const d = draftBounds(bounds);
  forget32(d);
  return d;
}

/** Before the operation: what to mask with, and the path on which the mask made the offset 0. */
export function beginMask(env: Env, insn: Insn, ptr: Reg, off: Reg, ptrIsDst: boolean): Mask {
  const mask: Mask = { state: 0, limit: 0, toLeft: false };
  if (canSkip(env, insn)) return mask;
  const known = tnumIsConst(off.bounds);
  const negative = off.bounds.smin < 0n;
  if (!env.cur.speculative) {
    if (!known && negative !== off.bounds.smax < 0n)
      env.deny(
        `R${ptrIsDst ? insn.src : insn.dst} has unknown scalar with mixed signed bounds, ${PROHIBITED}`,
      );
    mask.toLeft = (opOf(insn) === BPF_ADD) === negative;
    mask.limit = limitOf(env, insn, ptr, mask.toLeft, ptrIsDst);
    mask.state =
      (negative ? NEG_VALUE : 0) |
      (known ? IMMEDIATE : 0) |
      (ptrIsDst ? SANITIZE_SRC : SANITIZE_DST);
    if (!known) env.exploreAluLimits = true;
  }
  if (known) return mask;
  const { regs } = pushPath(env, env.insnIdx + 1, env.insnIdx, true).top;
  regs[insn.dst] = ptrIsDst ? withReg(ptr, { bounds: without32(ptr.bounds) }) : ptr;
  return mask;
}

/** After it: the window that the pointer moved in. */
export function commitMask(env: Env, insn: Insn, mask: Mask, dst: Reg, ptrIsDst: boolean): void {
  if (canSkip(env, insn) || env.cur.speculative) return;
  const limit = limitOf(env, insn, dst, mask.toLeft, ptrIsDst);
  storeMask(env, insn, mask.state, Math.abs(mask.limit - limit));
}

/** The pointer must stay inside what it points to even before it is used. @linux sanitize_check_bounds */
export function checkMaskedBounds(env: Env, insn: Insn, reg: Reg): void {
  if (env.bypassSpecV1) return;
  if (reg.type === PTR_TO_STACK) {
    const off = (reg.off + Number(BigInt.asIntN(32, reg.bounds.value))) | 0;
    if (!tnumIsConst(reg.bounds))
      env.deny(
        `R${insn.dst} variable stack access prohibited for !root, var_off=${tnumText(reg.bounds)} off=${off}`,
      );
    if (off >= 0 || off < -MAX_BPF_STACK)
      env.deny(
        `R${insn.dst} stack pointer arithmetic goes out of range, prohibited for !root; off=${off}`,
      );
  } else if (reg.type === PTR_TO_MAP_VALUE) {
    try {
      checkMapAccess(env, insn.dst, reg.off, 1, false, true);
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      env.deny(
        `R${insn.dst} pointer arithmetic of map value goes out of range, prohibited for !root`,
      );
    }
  }
}

/** The way that will not be taken, walked because a processor may guess it. @linux sanitize_speculative_path */
export function pushUntakenPath(env: Env, insn: Insn, next: number): void {
  if (env.bypassSpecV1) return;
  const { regs } = pushPath(env, next, env.insnIdx, true).top;
  regs[insn.dst] = env.unknown;
  if (usesReg(insn)) regs[insn.src] = env.unknown;
}
