/**
 * Instructions that RFC 9669 allows and Linux 6.18's verifier refuses in an XDP program, whatever
 * stands around them. Texts are Linux's. What depends on values or paths is the verifier's to say.
 */
import type { Insn } from '../src/xdp/isa/insn.ts';

const ALU = 0x04;
const ALU64 = 0x07;
const SHIFTS = new Set([0x60, 0x70, 0xc0]);
const DIVISIONS = new Set([0x30, 0x90]);
const CALLX = 0x8d;
const LEGACY_LOADS = new Set([0x20, 0x28, 0x30, 0x40, 0x48, 0x50]);

/** @returns why Linux refuses the program, or null */
export function kernelRefusal(insns: readonly Insn[]): string | null {
  for (const insn of insns) {
    const reason = refusalOf(insn);
    if (reason !== null) return reason;
  }
  return null;
}

function refusalOf({ code, imm }: Insn): string | null {
  const kind = code & 7;
  if (code === CALLX) return 'unknown opcode 8d';
  if (LEGACY_LOADS.has(code))
    return 'BPF_LD_[ABS|IND] instructions not allowed for this program type';
  if ((kind !== ALU && kind !== ALU64) || (code & 8) !== 0) return null;
  if (DIVISIONS.has(code & 0xf0) && imm === 0) return 'div by zero';
  const width = kind === ALU64 ? 64 : 32;
  if (SHIFTS.has(code & 0xf0) && (imm < 0 || imm >= width)) return `invalid shift ${imm}`;
  return null;
}
