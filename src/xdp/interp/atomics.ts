/**
 * Atomic operations: a read, a write, and with FETCH the old value handed back.
 *
 * One CPU runs at a time and no program is interrupted, so each is atomic as it stands. The
 * compare-and-write keeps its expected value, and then the old one, in r0.
 *
 * @linux include/uapi/linux/bpf.h: BPF_ATOMIC
 * @spec RFC 9669, section 5.3
 */
import type { HostAddr } from '../../host/memory.ts';

const FETCH = 0x01;
const ADD = 0x00;
const OR = 0x40;
const AND = 0x50;
const XOR = 0xa0;
const XCHG = 0xe1;

/** @param imm the operation, of those that exist @param s index of the source register */
export function atomic32(
  view: DataView,
  p: HostAddr,
  regs: Int32Array,
  s: number,
  imm: number,
): void {
  const old = view.getInt32(p, true);
  const given = regs[s]!;
  switch (imm & ~FETCH) {
    case ADD:
      view.setInt32(p, old + given, true);
      break;
    case OR:
      view.setInt32(p, old | given, true);
      break;
    case AND:
      view.setInt32(p, old & given, true);
      break;
    case XOR:
      view.setInt32(p, old ^ given, true);
      break;
    case XCHG & ~FETCH:
      view.setInt32(p, given, true);
      break;
    default: // compare and write
      if (old === regs[0]) view.setInt32(p, given, true);
      regs[0] = old;
      regs[1] = 0;
      return;
  }
  if ((imm & FETCH) !== 0) {
    regs[s] = old;
    regs[s + 1] = 0;
  }
}

/** @param imm the operation, of those that exist @param s index of the source register */
export function atomic64(
  view: DataView,
  p: HostAddr,
  regs: Int32Array,
  s: number,
  imm: number,
): void {
  const oldLo = view.getInt32(p, true);
  const oldHi = view.getInt32(p + 4, true);
  let lo = regs[s]!;
  let hi = regs[s + 1]!;
  switch (imm & ~FETCH) {
    case ADD:
      lo = (oldLo + lo) | 0;
      hi = oldHi + hi + (lo >>> 0 < oldLo >>> 0 ? 1 : 0);
      break;
    case OR:
      lo |= oldLo;
      hi |= oldHi;
      break;
    case AND:
      lo &= oldLo;
      hi &= oldHi;
      break;
    case XOR:
      lo ^= oldLo;
      hi ^= oldHi;
      break;
    case XCHG & ~FETCH:
      break;
    default: // compare and write
      if (oldLo === regs[0] && oldHi === regs[1]) store64(view, p, lo, hi);
      regs[0] = oldLo;
      regs[1] = oldHi;
      return;
  }
  store64(view, p, lo, hi);
  if ((imm & FETCH) !== 0) {
    regs[s] = oldLo;
    regs[s + 1] = oldHi;
  }
}

function store64(view: DataView, p: HostAddr, lo: number, hi: number): void {
  view.setInt32(p, lo, true);
  view.setInt32(p + 4, hi, true);
}
