/**
 * Registers that hold the same number, or numbers at a known distance, learn together: a comparison
 * of one bounds all that share its id.
 *
 * @linux assign_scalar_id_before_mov, collect_linked_regs, sync_linked_regs; kernel/bpf/verifier.c
 */
import { BPF_REG_10 } from '../isa/insn.ts';
import { draftBounds, knownBounds, setTnum, sync, zeroExtend32 } from './bounds.ts';
import type { Env } from './env.ts';
import type { Reg } from './reg.ts';
import { ADD_CONST32, baseId, isAddConst, mixedLink } from './reg.ts';
import { SCALAR_VALUE } from './regTypes.ts';
import { addRanges } from './scalarAlu.ts';
import type { LinkedReg, VerifierState } from './state.ts';
import { isSpilledReg } from './state.ts';
import { tnumAdd, tnumIsConst } from './tnum.ts';

/** More share no bounds. */
const LINKED_REGS_MAX = 6;

/** A register that is about to be copied gets an id that the copy will share. */
export function assignScalarId(env: Env, regno: number): void {
  let reg = env.regs[regno]!;
  if (reg.type !== SCALAR_VALUE) return;
  if (isAddConst(reg.id)) reg = { ...reg, id: 0, off: 0 };
  if (reg.id === 0 && !tnumIsConst(reg.bounds)) reg = { ...reg, id: env.newId() };
  env.regs[regno] = reg;
}

const shares = (reg: Reg, id: number): boolean =>
  reg.type === SCALAR_VALUE && baseId(reg.id) === id;

/** Add all that share `id` to `found`; those beyond its limit lose their id. */
export function collectLinkedRegs(
  env: Env,
  state: VerifierState,
  idWithMark: number,
  found: LinkedReg[],
): void {
  const id = baseId(idWithMark);
  const add = (reg: Reg, frameno: number, index: number, isReg: boolean): Reg => {
    if (!shares(reg, id)) return reg;
    if (found.length >= LINKED_REGS_MAX) return { ...reg, id: 0 };
    found.push({ frameno, index, isReg });
    return reg;
  };
  for (let frameno = state.curframe; frameno >= 0; frameno--) {
    const { regs, stack } = state.frames[frameno]!;
    const { liveRegs } = env.aux[state.frameInsnIdx(frameno)]!;
    for (let i = 0; i < BPF_REG_10; i++)
      if ((liveRegs & (1 << i)) !== 0) regs[i] = add(regs[i]!, frameno, i, true);
    for (let spi = 0; spi < stack.length; spi++) {
      const slot = stack[spi]!;
      if (!isSpilledReg(slot)) continue;
      const reg = add(slot.reg, frameno, spi, false);
      if (reg !== slot.reg) stack[spi] = { types: slot.types, reg };
    }
  }
}

/** What `reg` is, now that `known` is known of the register it is linked to. */
function linkedTo(known: Reg, reg: Reg): Reg {
  const plain = !isAddConst(reg.id) && !isAddConst(known.id);
  if (plain || reg.off === known.off) return known;
  const distance = knownBounds(BigInt(reg.off - known.off));
  const d = draftBounds(known.bounds);
  addRanges(d, distance);
  setTnum(d, tnumAdd(known.bounds, distance));
  if (((reg.id | known.id) & ADD_CONST32) !== 0) zeroExtend32(d);
  return { ...known, bounds: sync(d), off: reg.off, id: reg.id };
}

/** @param knownReg the register that learned, of the running function of `state` */
export function syncLinkedRegs(
  state: VerifierState,
  knownReg: number,
  linked: readonly LinkedReg[],
): void {
  const { curframe } = state;
  const known = state.top.regs[knownReg]!;
  for (const { frameno, index, isReg } of linked) {
    if (isReg && frameno === curframe && index === knownReg) continue;
    const { regs, stack } = state.frames[frameno]!;
    const reg = isReg ? regs[index]! : stack[index]!.reg;
    if (!shares(reg, baseId(known.id)) || mixedLink(reg.id, known.id)) continue;
    const now = linkedTo(known, reg);
    if (isReg) regs[index] = now;
    else stack[index] = { types: stack[index]!.types, reg: now };
  }
}
