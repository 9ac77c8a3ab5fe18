/**
 * Objects of the kernel that live on the program's stack, in whole slots: dynptrs, iterators,
 * interrupt flags.
 *
 * "%s has to be at a constant offset", "cannot pass in %s at an offset=%d".
 *
 * @linux stack_slot_obj_get_spi; kernel/bpf/verifier.c
 */
import type { Env } from './env.ts';
import type { Reg } from './reg.ts';
import { SLOT_BYTES } from './state.ts';
import { tnumIsConst } from './tnum.ts';

/** It cannot lie there; a message was written. */
export const WRONG = -1;
/** Outside what the stack holds so far; not wrong by itself. */
export const OUTSIDE = -2;

/** The first of `slots` slots the object takes, the one with the higher number. */
export function objectSlot(env: Env, reg: Reg, kind: string, slots: number): number {
  if (!tnumIsConst(reg.bounds)) {
    env.write(`${kind} has to be at a constant offset\n`);
    return WRONG;
  }
  const off = reg.off + Number(reg.bounds.smin);
  const spi = Math.trunc((-off - 1) / SLOT_BYTES); // at offset 0 the first slot, as C divides
  if (off % SLOT_BYTES !== 0 || spi + 1 < slots) {
    env.write(`cannot pass in ${kind} at an offset=${off}\n`);
    return WRONG;
  }
  return spi - slots + 1 >= 0 && spi < env.frameOf(reg).stack.length ? spi : OUTSIDE;
}
