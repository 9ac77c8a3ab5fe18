/**
 * TX completions in the walk's loop (`rxWalkLoop.ts`): the WebAssembly of `bnxtTxCmp` for as many as
 * stand one behind the other. Each takes the time of a `dma_rmb`, and only the last one's consumer
 * index is left.
 */
import { OP_DMA_RMB } from '../../host/cost.ts';
import type { Local, Value } from '../../host/wasmFunction.ts';
import {
  add,
  and,
  double,
  fadd,
  fmul,
  ge,
  load32,
  loadF64,
  ne,
  or,
  shr,
  sub,
} from '../../host/wasmFunction.ts';
import { CMP_TYPE_TX_L2_CMP } from '../../nic/hsi/txCmp.ts';
import { TX_COMPLETIONS, TX_CONS, TX_HW_CONS, TX_MASK, TX_WAKE } from './rxWalkBlock.ts';
import type { Walking } from './rxWalkVerdicts.ts';

/** Within descriptors, see `nic/hsi/`. */
const TYPE = 0x3f;
const OPAQUE = 4;
const OPAQUE_BDS_SHIFT = 16;
const OPAQUE_BDS = 0xff;
const OPAQUE_RING_SHIFT = 24;

/**
 * From the one at `slot` and `raw` on, which goes to the next that is none of them. The loop is left in front of one
 * of another ring, or that frees enough to wake the stack, when it is the first.
 *
 * @param slotIsEmpty as the loop has it
 */
export function txCompletions(
  w: Walking,
  slot: Local,
  raw: Local,
  slotIsEmpty: (slot: Local, index: Value) => Value,
): void {
  const { f, q, time, now } = w;
  const [opaque, free, first] = [f.i32(), f.i32(), f.i32()] as const;
  const mask = f.i32At(q, TX_MASK);
  const cons = f.i32At(q, TX_CONS);
  const wake = f.i32At(q, TX_WAKE);
  /** The new consumer index goes to `free`. @returns whether it is not for the walk */
  const isUnusual = (): Value => {
    f.set(opaque, load32(slot, OPAQUE));
    f.set(free, and(add(opaque, and(shr(opaque, OPAQUE_BDS_SHIFT), OPAQUE_BDS)), mask));
    return or(shr(opaque, OPAQUE_RING_SHIFT), ge(and(sub(free, cons), mask), wake));
  };
  f.leaveIf(isUnusual());
  f.set(first, raw);
  f.repeat(() => {
    f.store32(q, TX_HW_CONS, free);
    f.set(raw, add(raw, 1));
    f.leaveIf(slotIsEmpty(slot, raw));
    f.leaveIf(ne(and(load32(slot), TYPE), CMP_TYPE_TX_L2_CMP));
    f.leaveIf(isUnusual());
  });
  f.set(first, sub(raw, first));
  f.store32(q, TX_COMPLETIONS, add(load32(q, TX_COMPLETIONS), first));
  f.set(now, fadd(now, fmul(loadF64(time, OP_DMA_RMB * 8), double(first))));
}
