/**
 * Which registers may still be read before each instruction: a register that nobody reads again does
 * not tell states apart.
 *
 * @linux compute_live_registers, compute_insn_live_regs; kernel/bpf/verifier.c
 */
import type { Insn } from '../isa/insn.ts';
import {
  BPF_ALU,
  BPF_ALU64,
  BPF_ATOMIC,
  BPF_CALL,
  BPF_CMPXCHG,
  BPF_END,
  BPF_EXIT,
  BPF_FETCH,
  BPF_JA,
  BPF_JCOND,
  BPF_JMP,
  BPF_JMP32,
  BPF_LD,
  BPF_LDX,
  BPF_LOAD_ACQ,
  BPF_MOV,
  BPF_REG_10,
  BPF_ST,
  BPF_STORE_REL,
  LD_IMM64,
} from '../isa/insn.ts';
import { callSummary } from './callSummary.ts';
import type { Env } from './env.ts';
import { classOf, modeOf, opOf, usesReg } from './insnKind.ts';
import { insnText } from './logState.ts';

const ALL = 0xffff;
const CALLER_SAVED = 0x3f;

interface Uses {
  readonly use: number;
  readonly def: number;
}

const bit = (reg: number): number => 1 << reg;

function atomicUses({ imm, dst, src }: Insn): Uses {
  switch (imm) {
    case BPF_CMPXCHG:
      return { use: bit(0) | bit(dst) | bit(src), def: bit(0) };
    case BPF_LOAD_ACQ:
      return { use: bit(src), def: bit(dst) };
    case BPF_STORE_REL:
      return { use: bit(dst) | bit(src), def: 0 };
    default:
      return { use: bit(dst) | bit(src), def: (imm & BPF_FETCH) === 0 ? 0 : bit(src) };
  }
}

function jumpUses(env: Env, insn: Insn): Uses {
  switch (opOf(insn)) {
    case BPF_JA:
    case BPF_JCOND:
      return { use: 0, def: 0 };
    case BPF_EXIT:
      return { use: bit(0), def: 0 };
    case BPF_CALL: {
      const params = callSummary(env, insn)?.params ?? 5;
      return { use: (2 << params) - 2, def: CALLER_SAVED };
    }
    default:
      return { use: bit(insn.dst) | (usesReg(insn) ? bit(insn.src) : 0), def: 0 };
  }
}

function usesOf(env: Env, insn: Insn): Uses {
  const dst = bit(insn.dst);
  const src = bit(insn.src);
  switch (classOf(insn)) {
    case BPF_LD:
      return insn.code === LD_IMM64 ? { use: 0, def: dst } : { use: ALL, def: 0 };
    case BPF_LDX:
      return { use: src, def: dst };
    case BPF_ST:
      return { use: dst, def: 0 };
    case BPF_ALU:
    case BPF_ALU64: {
      const op = opOf(insn);
      if (op === BPF_END) return { use: dst, def: dst };
      const second = usesReg(insn) ? src : 0;
      return { use: op === BPF_MOV ? second : dst | second, def: dst };
    }
    case BPF_JMP:
    case BPF_JMP32:
      return jumpUses(env, insn);
    default:
      return modeOf(insn) === BPF_ATOMIC ? atomicUses(insn) : { use: dst | src, def: 0 };
  }
}

export function computeLiveRegisters(env: Env): void {
  const uses = env.insns.map((insn) => usesOf(env, insn));
  const { next } = env;
  const live = new Uint16Array(env.insns.length);
  let changed = true;
  while (changed) {
    changed = false;
    for (const i of env.postorder) {
      let out = 0;
      for (const s of next[i]!) out |= live[s]!;
      const { use, def } = uses[i]!;
      const before = ((out & ~def) | use) & ALL;
      if (before === live[i]) continue;
      live[i] = before;
      changed = true;
    }
  }
  env.aux.forEach((aux, i) => (aux.liveRegs = live[i]!));
  if (env.log.full) print(env);
}

function print(env: Env): void {
  env.write('Live regs before insn:\n');
  for (let i = 0; i < env.insns.length; i++) {
    const { scc, liveRegs } = env.aux[i]!;
    let regs = '';
    for (let j = 0; j < BPF_REG_10; j++) regs += (liveRegs & bit(j)) === 0 ? '.' : j;
    const loop = scc === 0 ? '    ' : `${String(scc).padStart(3)} `;
    env.write(`${loop}${String(i).padStart(3)}: ${regs} ${insnText(env, i)}\n`);
    if (env.insns[i]!.code === LD_IMM64) i++;
  }
}
