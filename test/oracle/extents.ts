/**
 * Does an access stay inside its object, by all that the verifier knew of the pointer? Asked about
 * every state of every memory instruction, whether or not some packet leads there, so that a bound
 * that is off by one shows without a number that reaches it.
 */
import type { Insn } from '../../src/xdp/isa/insn.ts';
import { BPF_LDX, BPF_ST, BPF_STX, MAX_BPF_STACK } from '../../src/xdp/isa/insn.ts';
import { classOf } from '../../src/xdp/verifier/insnKind.ts';
import type { Reg } from '../../src/xdp/verifier/reg.ts';
import * as type from '../../src/xdp/verifier/regTypes.ts';

const SIZE = [4, 2, 1, 8] as const;

/** Bytes that an instruction touches, and from where; null when it touches none. */
export function accessOf(insn: Insn): { reg: number; bytes: number } | null {
  const kind = classOf(insn);
  if (kind !== BPF_LDX && kind !== BPF_STX && kind !== BPF_ST) return null;
  return { reg: kind === BPF_LDX ? insn.src : insn.dst, bytes: SIZE[(insn.code & 0x18) >> 3]! };
}

/** First byte and end of what may be touched, from where the pointer's offset counts. */
function objectOf(reg: Reg): [first: number, end: number] | null {
  switch (type.baseType(reg.type)) {
    case type.PTR_TO_MAP_VALUE:
      return [0, reg.map!.valueSize];
    case type.PTR_TO_MEM:
      return [0, reg.memSize];
    case type.PTR_TO_STACK:
      return [-MAX_BPF_STACK, 0];
    default:
      return null;
  }
}

/** @returns what is wrong, or null */
export function outside(insn: Insn, slot: number, regs: readonly Reg[]): string | null {
  const access = accessOf(insn);
  if (access === null) return null;
  const reg = regs[access.reg]!;
  const from = reg.off + insn.off;
  if (reg.type === type.PTR_TO_PACKET) {
    if (from >= 0 && from + access.bytes <= reg.range) return null;
    return `instruction ${slot} may touch bytes ${from} to ${from + access.bytes} of ${reg.range}`;
  }
  const object = objectOf(reg);
  if (object === null) return null;
  const least = reg.bounds.smin + BigInt(from);
  const end = reg.bounds.smax + BigInt(from + access.bytes);
  if (least >= object[0] && end <= object[1]) return null;
  return `instruction ${slot} may touch bytes ${least} to ${end} of ${object.join(' to ')}`;
}
