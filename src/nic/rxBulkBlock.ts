/**
 * An RX ring's block of host memory: where `rxBulk.ts` and its loops have their state, and `RxRing`
 * has its own. In bytes:
 *
 *   RX ring    0 base | 4 mask | 8 cons | 12 prod
 *   pending   16 head | 20 tail
 *   blocks    24 lane | 28 completion ring | 32 frame records
 *   stamps    36 RX stamps | 40 bytes from those of one part of all pages to those of the next
 *   f64       48 DMA free at | 56 DMA slot | 64 DMA latency
 *   pending frames, 72 + 16 each: f64 when their completion is due | 8 number | 12 opaque of the buffer
 */
import { PAGE_SHIFT } from '../host/memory.ts';
import { STAMP_MASK, STAMP_SHIFT } from '../host/stamps.ts';
import type { Value } from '../host/wasmFunction.ts';
import { add, and, mul, shl, shr } from '../host/wasmFunction.ts';

export const RX_BASE = 0;
export const RX_MASK = 4;
export const RX_CONS = 8;
export const RX_PROD = 12;
export const PENDING_HEAD = 16;
export const PENDING_TAIL = 20;
export const LANE = 24;
export const CP = 28;
export const RECORDS = 32;
export const RX_STAMPS = 36;
export const RX_STAMP_STRIDE = 40;
export const DMA_FREE_AT = 48;
export const DMA_SLOT = 56;
export const DMA_LATENCY = 64;
/** Bytes of a ring's block, but for the pending frames, which begin there. */
export const BULK_BLOCK = 72;

export const PENDING_SHIFT = 4;
export const PENDING_BYTES: number = 1 << PENDING_SHIFT;
export const PENDING_FRAME = 8;
export const PENDING_OPAQUE = 12;

export const word = (base: Value, index: Value): Value => add(base, shl(index, 2));
export const stamp = (base: Value, index: Value): Value => add(base, shl(index, 3));

/** Where the stamp of the frame at `haddr` lies, see `host/stamps.ts`. @param stamps of all frames, `stride` bytes a part */
export const stampOf = (stamps: Value, stride: Value, haddr: Value): Value => {
  const part = and(shr(haddr, STAMP_SHIFT), STAMP_MASK);
  return add(stamp(stamps, shr(haddr, PAGE_SHIFT)), mul(part, stride));
};
