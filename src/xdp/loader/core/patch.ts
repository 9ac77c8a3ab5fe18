/**
 * A relocation's number goes into its instruction; what has none becomes a call that no verifier
 * lets pass.
 *
 * @linux bpf_core_patch_insn, bpf_core_poison_insn; tools/lib/bpf/relo_core.c
 */
import type { Insn } from '../../isa/insn.ts';
import {
  BPF_ALU,
  BPF_ALU64,
  BPF_B,
  BPF_CALL,
  BPF_DW,
  BPF_H,
  BPF_JMP,
  BPF_LDX,
  BPF_ST,
  BPF_STX,
  BPF_W,
  BPF_X,
  isLdImm64,
} from '../../isa/insn.ts';
import { CORE_POISON } from '../../helpers/poison.ts';
import type { Value } from './value.ts';
import { sizeMayFollow } from './value.ts';

const CLASS_MASK = 7;
const SIZE_MASK = 0x18;
const MAX_OFF = 32767;
const SIZES: ReadonlyMap<number, number> = new Map([
  [1, BPF_B],
  [2, BPF_H],
  [4, BPF_W],
  [8, BPF_DW],
]);

const poisoned: Insn = { code: BPF_JMP | BPF_CALL, dst: 0, src: 0, off: 0, imm: CORE_POISON };

/** @param refuse makes the error that ends the load */
export function patchInsn(
  insns: Insn[],
  slot: number,
  local: Value | null,
  target: Value | null,
  refuse: (reason: string) => Error,
): void {
  const insn = insns[slot]!;
  if (local === null || target === null) {
    poison(insns, slot);
    return;
  }
  const check = (found: number | bigint): void => {
    if (!local.certain || BigInt(found) === BigInt.asIntN(64, local.value)) return;
    throw refuse(`holds ${found}, but its relocation says ${local.value}`);
  };
  switch (insn.code & CLASS_MASK) {
    case BPF_ALU:
    case BPF_ALU64:
      if ((insn.code & BPF_X) !== 0) throw refuse('has no constant to relocate');
      check(insn.imm);
      insns[slot] = { ...insn, imm: Number(BigInt.asIntN(32, target.value)) };
      return;
    case BPF_LDX:
    case BPF_ST:
    case BPF_STX:
      check(insn.off);
      patchAccess(insns, slot, local, target, refuse);
      return;
    default: {
      const second = insns[slot + 1];
      if (!isLdImm64(insn) || insn.src !== 0 || second === undefined) {
        throw refuse('has no constant to relocate');
      }
      check((BigInt(second.imm) << 32n) | BigInt(insn.imm >>> 0));
      insns[slot] = { ...insn, imm: Number(BigInt.asIntN(32, target.value)) };
      insns[slot + 1] = { ...second, imm: Number(BigInt.asIntN(32, target.value >> 32n)) };
    }
  }
}

function patchAccess(
  insns: Insn[],
  slot: number,
  local: Value,
  target: Value,
  refuse: (reason: string) => Error,
): void {
  const insn = insns[slot]!;
  if (target.value > MAX_OFF) throw refuse(`cannot hold the offset ${target.value}`);
  const off = Number(target.value);
  if (local.size === target.size) {
    insns[slot] = { ...insn, off };
    return;
  }
  if (!sizeMayFollow(local, target)) {
    poison(insns, slot);
    return;
  }
  const size = SIZES.get(target.size);
  if (SIZES.get(local.size) !== (insn.code & SIZE_MASK) || size === undefined) {
    throw refuse(`cannot follow a field of ${local.size} bytes that has become ${target.size}`);
  }
  insns[slot] = { ...insn, off, code: (insn.code & ~SIZE_MASK) | size };
}

function poison(insns: Insn[], slot: number): void {
  if (isLdImm64(insns[slot]!) && slot + 1 < insns.length) insns[slot + 1] = poisoned;
  insns[slot] = poisoned;
}
