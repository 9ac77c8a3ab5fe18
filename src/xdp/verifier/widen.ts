/**
 * Loops whose number of turns is not known: when a path comes round, numbers that changed since the
 * last turn and do not matter are forgotten, so that turns become equal.
 *
 * @linux find_prev_entry, widen_imprecise_scalars; kernel/bpf/verifier.c
 */
import { MAX_BPF_REG } from '../isa/insn.ts';
import type { Env } from './env.ts';
import { exploredStates } from './prune.ts';
import type { Reg } from './reg.ts';
import { SCALAR_VALUE } from './regTypes.ts';
import type { VerifierState } from './state.ts';
import { isSpilledReg } from './state.ts';
import { IdMap, regsExact } from './statesEqual.ts';

/** The saved state of the turn before at `idx`, of the same calls. */
export function findPrevEntry(
  env: Env,
  cur: VerifierState | null,
  idx: number,
): VerifierState | null {
  if (cur === null) return null;
  const states = exploredStates(env, idx);
  for (let i = states.length - 1; i >= 0; i--) {
    const state = states[i]!;
    if (state.insnIdx !== idx || state.branches === 0 || state.dfsDepth >= cur.dfsDepth) continue;
    if (state.sameCallsites(cur)) return state;
  }
  return null;
}

export function widenImpreciseScalars(env: Env, old: VerifierState, cur: VerifierState): void {
  const ids = new IdMap(env.idGen);
  const widened = (before: Reg, now: Reg): Reg => {
    if (before.type !== SCALAR_VALUE || now.type !== SCALAR_VALUE) return now;
    if (before.precise || now.precise || regsExact(before, now, ids)) return now;
    return env.unknown;
  };
  for (let fr = old.curframe; fr >= 0; fr--) {
    const before = old.frames[fr]!;
    const now = cur.frames[fr]!;
    for (let i = 0; i < MAX_BPF_REG; i++) now.regs[i] = widened(before.regs[i]!, now.regs[i]!);
    const slots = Math.min(before.stack.length, now.stack.length);
    for (let spi = 0; spi < slots; spi++) {
      const slot = now.stack[spi]!;
      if (!isSpilledReg(before.stack[spi]!) || !isSpilledReg(slot)) continue;
      const reg = widened(before.stack[spi]!.reg, slot.reg);
      if (reg !== slot.reg) now.stack[spi] = { types: slot.types, reg };
    }
  }
}
