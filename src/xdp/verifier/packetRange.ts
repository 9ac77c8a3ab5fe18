/**
 * How much of the packet a pointer may use: comparisons with the packet's end tell.
 *
 * @linux try_match_pkt_pointers, find_good_pkt_pointers, mark_pkt_end; kernel/bpf/verifier.c
 */
import type { Insn } from '../isa/insn.ts';
import { BPF_JGE, BPF_JGT, BPF_JLE, BPF_JLT, BPF_JMP32 } from '../isa/insn.ts';
import type { Env } from './env.ts';
import { classOf, opOf, usesReg } from './insnKind.ts';
import type { Reg } from './reg.ts';
import { AT_PKT_END, BEYOND_PKT_END, regIsPktPointerAny } from './reg.ts';
import {
  DYNPTR_TYPE_SKB,
  DYNPTR_TYPE_XDP,
  PTR_TO_MEM,
  PTR_TO_PACKET,
  PTR_TO_PACKET_END,
  PTR_TO_PACKET_META,
  baseType,
} from './regTypes.ts';
import type { VerifierState } from './state.ts';
import { tnumEqualsConst } from './tnum.ts';

const MAX_PACKET_OFF = 0xffff;

/** The unmodified pointer from the context. @linux reg_is_init_pkt_pointer */
const isStart = (reg: Reg, type: number): boolean =>
  reg.type === type && reg.id === 0 && reg.off === 0 && tnumEqualsConst(reg.bounds, 0n);

/**
 * `pkt` is at most the end: everything before it is inside.
 *
 * @param open it is surely below the end: one byte more is inside
 * @linux find_good_pkt_pointers
 */
function markGood(state: VerifierState, pkt: Reg, open: boolean): void {
  if (pkt.off < 0 || (pkt.off === 0 && open)) return;
  if (pkt.bounds.umax + BigInt(pkt.off) > BigInt(MAX_PACKET_OFF)) return;
  const range = pkt.off + (open ? 1 : 0);
  state.mapRegs((reg) =>
    reg.type === pkt.type && reg.id === pkt.id && range > reg.range ? { ...reg, range } : reg,
  );
}

/** The pointer is at the end, or beyond it: comparing again gives the same. @linux mark_pkt_end */
function markEnd(state: VerifierState, regno: number, beyond: boolean): void {
  const { regs } = state.top;
  const reg = regs[regno]!;
  if (reg.type !== PTR_TO_PACKET) return;
  regs[regno] = { ...reg, range: beyond ? BEYOND_PKT_END : AT_PKT_END };
}

/** `pkt op end`, or the other way round. */
type Form = 'pktFirst' | 'endFirst' | 'none';

/** Is `end` an end for `pkt`? */
const endOf = (pkt: Reg, end: Reg): boolean =>
  (pkt.type === PTR_TO_PACKET && end.type === PTR_TO_PACKET_END) ||
  (pkt.type === PTR_TO_PACKET_META && isStart(end, PTR_TO_PACKET));

function formOf(dst: Reg, src: Reg): Form {
  if (endOf(dst, src)) return 'pktFirst';
  return endOf(src, dst) ? 'endFirst' : 'none';
}

/**
 * @param thisBranch falls through
 * @param otherBranch jumps
 * @returns false when the comparison is none of a packet pointer with an end
 */
export function tryMatchPktPointers(
  insn: Insn,
  dst: Reg,
  src: Reg,
  thisBranch: VerifierState,
  otherBranch: VerifierState,
): boolean {
  if (!usesReg(insn) || classOf(insn) === BPF_JMP32) return false;
  const op = opOf(insn);
  if (op !== BPF_JGT && op !== BPF_JLT && op !== BPF_JGE && op !== BPF_JLE) return false;
  const form = formOf(dst, src);
  if (form === 'none') return false;
  const first = form === 'pktFirst';
  const pkt = first ? dst : src;
  const regno = first ? insn.dst : insn.src;
  // read as `pkt op end`: does the jump mean that the packet is too short?
  const greater = op === BPF_JGT || op === BPF_JGE;
  const jumpsBeyond = greater === first;
  const orEqual = op === BPF_JGE || op === BPF_JLE;
  const good = jumpsBeyond ? thisBranch : otherBranch;
  const bad = jumpsBeyond ? otherBranch : thisBranch;
  // `pkt > end` leaves `pkt <= end`; `pkt >= end` leaves `pkt < end`
  const open = orEqual === jumpsBeyond;
  markGood(good, pkt, open);
  markEnd(bad, regno, !open);
  return true;
}

/** Does an earlier comparison with the packet's end decide this one? @returns true, false or null @linux is_pkt_ptr_branch_taken */
export function pktBranchTaken(dst: Reg, src: Reg, op: number): boolean | null {
  const first = src.type === PTR_TO_PACKET_END;
  if (!first && dst.type !== PTR_TO_PACKET_END) return null;
  const pkt = first ? dst : src;
  if (pkt.range >= 0) return null;
  const greater = op === BPF_JGT || op === BPF_JGE;
  const less = op === BPF_JLT || op === BPF_JLE;
  if (!greater && !less) return null;
  // as seen from the packet pointer
  const above = greater === first;
  const strict = op === BPF_JGT || op === BPF_JLT;
  const beyond = pkt.range === BEYOND_PKT_END;
  // `pkt > end` and `pkt <= end` need a pointer beyond; `>=` and `<` one at the end as well
  const needsBeyond = above === strict;
  if (!beyond && (needsBeyond || pkt.range !== AT_PKT_END)) return null;
  return above;
}

const isPktSlice = (reg: Reg): boolean =>
  baseType(reg.type) === PTR_TO_MEM && (reg.type & (DYNPTR_TYPE_SKB | DYNPTR_TYPE_XDP)) !== 0;

/** The packet may have moved: pointers into it are numbers from now on. @linux clear_all_pkt_pointers */
export function clearPktPointers(env: Env): void {
  env.cur.mapRegs((reg) => (regIsPktPointerAny(reg) || isPktSlice(reg) ? env.dead : reg));
}
