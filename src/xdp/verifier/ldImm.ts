/**
 * 64-bit constants: numbers, maps, values of maps, functions; and the packet loads of old, which XDP
 * programs may not use.
 *
 * "invalid BPF_LD_IMM insn", "BPF_LD_IMM64 uses reserved fields", "missing btf func_info", "callback
 * function not static", "BPF_LD_[ABS|IND] instructions not allowed for this program type".
 *
 * @linux check_ld_imm, check_ld_abs; kernel/bpf/verifier.c
 */
import type { Insn } from '../isa/insn.ts';
import {
  BPF_ABS,
  BPF_DW,
  BPF_IMM,
  BPF_IND,
  BPF_PSEUDO_FUNC,
  BPF_PSEUDO_MAP_VALUE,
} from '../isa/insn.ts';
import { BPF_MAP_TYPE_ARENA } from '../maps/uapi.ts';
import type { Env } from './env.ts';
import { modeOf, sizeOf } from './insnKind.ts';
import { constReg, pointerReg } from './reg.ts';
import { overwriteReg } from './regArg.ts';
import { CONST_PTR_TO_MAP, PTR_TO_FUNC, PTR_TO_MAP_VALUE } from './regTypes.ts';
import { findSubprog, subprogIsStatic } from './subprogs.ts';

export function checkLd(env: Env, insn: Insn): void {
  const mode = modeOf(insn);
  if (mode === BPF_ABS || mode === BPF_IND)
    env.invalid('BPF_LD_[ABS|IND] instructions not allowed for this program type');
  if (mode !== BPF_IMM) env.invalid('invalid BPF_LD mode');
  checkLdImm(env, insn);
  env.insnIdx++;
}

function checkLdImm(env: Env, insn: Insn): void {
  if (sizeOf(insn) !== BPF_DW) env.invalid('invalid BPF_LD_IMM insn');
  if (insn.off !== 0) env.invalid('BPF_LD_IMM64 uses reserved fields');
  overwriteReg(env, insn.dst);
  const { regs } = env;
  if (insn.src === 0) {
    const high = BigInt(env.insns[env.insnIdx + 1]!.imm >>> 0);
    regs[insn.dst] = constReg((high << 32n) | BigInt(insn.imm >>> 0), false);
    return;
  }
  if (insn.src === BPF_PSEUDO_FUNC) {
    const subprogno = findSubprog(env, env.insnIdx + insn.imm + 1);
    if (env.image.funcInfo.length === 0) env.invalid('missing btf func_info');
    if (!subprogIsStatic(env, subprogno)) env.invalid('callback function not static');
    regs[insn.dst] = pointerReg(PTR_TO_FUNC, { subprogno });
    return;
  }
  const { map, mapOff } = env.aux[env.insnIdx]!;
  if (insn.src === BPF_PSEUDO_MAP_VALUE && map?.type === BPF_MAP_TYPE_ARENA) {
    regs[insn.dst] = env.unknown; // an address of user space, to be cast
    return;
  }
  regs[insn.dst] =
    insn.src === BPF_PSEUDO_MAP_VALUE
      ? pointerReg(PTR_TO_MAP_VALUE, { map, off: mapOff })
      : pointerReg(CONST_PTR_TO_MAP, { map });
}
