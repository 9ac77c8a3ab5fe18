/**
 * An RX ring's block of host memory: where `rxBulk.ts` and its loops have their state, and `RxRing`
 * has its own. In bytes:
 *
 *   RX ring    0 base | 4 mask | 8 cons | 12 prod
 *   pending   16 head | 20 tail
 *   blocks    24 lane | 28 completion ring | 32 frame records | 36 RX stamps
 *   f64       40 DMA free at | 48 DMA slot | 56 DMA latency
 *   pending frames, 64 + 16 each: f64 when their completion is due | 8 number | 12 opaque of the buffer
 */
import type { Value } from '../host/wasmFunction.ts';
import { add, shl } from '../host/wasmFunction.ts';

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
export const DMA_FREE_AT = 40;
export const DMA_SLOT = 48;
export const DMA_LATENCY = 56;
/** Bytes of a ring's block, but for the pending frames, which begin there. */
export const BULK_BLOCK = 64;

export const PENDING_SHIFT = 4;
export const PENDING_BYTES: number = 1 << PENDING_SHIFT;
export const PENDING_FRAME = 8;
export const PENDING_OPAQUE = 12;

export const word = (base: Value, index: Value): Value => add(base, shl(index, 2));
export const stamp = (base: Value, index: Value): Value => add(base, shl(index, 3));
