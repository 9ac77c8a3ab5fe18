/**
 * What the walk's loop (`rxWalkLoop.ts`) does behind a verdict: the WebAssembly of `bnxtReuseRxData`,
 * `__bnxtXmitXdp` and `bnxtXdpRedirect`, with what that calls as long as it is ordinary.
 */
import { OP_COUNT } from '../../host/cost.ts';
import type { Local, Value, WasmFunction } from '../../host/wasmFunction.ts';
import {
  add,
  and,
  callImport,
  eq,
  fadd,
  fourOf,
  gt,
  load16,
  load32,
  loadF64,
  or,
  shl,
  sub,
} from '../../host/wasmFunction.ts';
import { DESC_SHIFT } from '../../nic/hsi/ring.ts';
import { PP_CACHE, PP_CACHED } from '../../stack/pagePoolBlock.ts';
import {
  BULK_QUEUE_COUNT,
  BULK_QUEUE_FRAMES,
  BULK_QUEUE_LIMIT,
  BULK_QUEUE_ROOM,
} from '../../xdp/bulkQueue.ts';
import { RI_USED_UP, RI_BULK_QUEUE } from '../../xdp/netContext.ts';
import { XDP_TX } from '../../xdp/uapi.ts';
import { XDP_BUFF_SHARED_INFO, XDP_BUFF_FRAME_SZ, XDP_MD_DATA_META } from '../../xdp/xdpBuff.ts';
import {
  XDP_FRAME_BYTES,
  XDP_FRAME_DATA,
  XDP_FRAME_DATA_HIGH,
  XDP_FRAME_FLAGS,
  XDP_FRAME_HEADROOM,
  XDP_FRAME_LEN,
  XDP_FRAME_METASIZE,
  XDP_FRAME_ORIGIN,
} from '../../xdp/xdpFrame.ts';
import {
  BUF_RING,
  DMA_OFFSET,
  HEADROOM,
  ORIGIN,
  POOL,
  REDIRECTED,
  RX_RING,
  SENT,
  TX_BUF_RING,
  TX_MASK,
  TX_OPAQUE,
  TX_RING,
} from './rxWalkBlock.ts';
import { postShortTxBd } from './shortTxBd.ts';
import { SW_RX_BD_DATA_PTR, SW_RX_BD_MAPPING } from './swRxBd.ts';
import { SW_TX_BD_PAGE, SW_TX_BD_RX_PROD, SW_TX_BD_SHIFT } from './swTxBd.ts';

/** Within a descriptor of a buffer, see `nic/hsi/rxBd.ts`. */
const HADDR = 8;

/** The function that is written, and the locals that its parts share. */
export interface Walking {
  readonly f: WasmFunction;
  /** Addresses of the ring's block, the CPU's times and redirect info, and the packet's context. */
  readonly q: Local;
  readonly time: Local;
  readonly ri: Local;
  readonly xdp: Local;
  readonly now: Local;
  readonly prod: Local;
  readonly txProd: Local;
  readonly rxMask: Local;
  /** Of the packet behind its program. */
  readonly page: Local;
  readonly data: Local;
  readonly len: Local;
  /** For what is needed at once. */
  readonly spare: readonly [Local, Local];
}

/** Imports, by their indices. */
export interface RedirectImports {
  /** A page out of the pool's ring, when the cache has none; 0: not from there either. */
  readonly refill: number;
  /** `bqEnqueue` where that is more than a word to write. @returns 0, and nobody asks */
  readonly enqueue: number;
}

/** Time passes elsewhere: who is called finds the clock up to date, and may move it. */
export function withClock({ f, time, now }: Walking, call: () => void): void {
  f.storeF64(time, OP_COUNT * 8, now);
  call();
  f.set(now, loadF64(time, OP_COUNT * 8));
}

/** What operations that follow each other take, found once: nobody sees the clock between them. */
export function costOf({ f, time }: Pick<Walking, 'f' | 'time'>, ...ops: readonly number[]): Local {
  const cost = f.f64();
  f.set(cost, ops.map((op): Value => loadF64(time, op * 8)).reduce(fadd));
  return cost;
}

/** A buffer into the producer slot, whose notes are as long as its descriptor; its time is the caller's. */
export function post(w: Walking, data: Value, dataPtr: Value, mapping: Value): void {
  const { f, q, prod } = w;
  const [slot, notes] = w.spare;
  f.set(slot, shl(and(prod, w.rxMask), DESC_SHIFT));
  f.set(notes, add(load32(q, BUF_RING), slot));
  f.store32(notes, 0, data);
  f.store32(notes, SW_RX_BD_DATA_PTR, dataPtr);
  f.store32(notes, SW_RX_BD_MAPPING, mapping);
  f.store32(add(load32(q, RX_RING), slot), HADDR, mapping);
}

/** The packet becomes the next descriptor of the XDP TX ring; its time is the caller's. */
export function xmit(w: Walking): void {
  const { f, q, prod, txProd, page, data, len } = w;
  const [slot, at] = w.spare;
  f.set(slot, and(txProd, load32(q, TX_MASK)));
  const to = add(load32(q, TX_RING), shl(slot, DESC_SHIFT));
  postShortTxBd(f, to, or(load32(q, TX_OPAQUE), slot), data, len);
  f.set(at, add(load32(q, TX_BUF_RING), shl(slot, SW_TX_BD_SHIFT)));
  f.store32(at, 0, XDP_TX);
  f.store32(at, SW_TX_BD_RX_PROD, and(add(prod, 1), 0xffff));
  f.store32(at, SW_TX_BD_PAGE, page);
  f.set(txProd, and(add(txProd, 1), 0xffff));
  f.store32(q, SENT, add(load32(q, SENT), 1));
}

/**
 * A new page takes the slot, and the packet goes as a frame to the bulk queue of its device. The loop
 * is left before anything is done, when that is not a device's alone, would not take the frame, or
 * the frame or a page is not to be had. A packet here has no fragments, and its context room for
 * metadata.
 *
 * @param cost of what is done before the frame is queued
 */
export function redirect(w: Walking, cost: Local, imports: RedirectImports): void {
  const { f, q, ri, xdp, now, page, data, len } = w;
  const [bq, meta, fresh, mapping] = [f.i32(), f.i32(), f.i32(), f.i32()] as const;
  f.set(bq, load32(ri, RI_BULK_QUEUE));
  f.leaveIf(eq(bq, 0));
  f.leaveIf(gt(len, load32(bq, BULK_QUEUE_ROOM)));
  f.set(meta, load32(xdp, XDP_MD_DATA_META));
  f.leaveIf(gt(add(page, XDP_FRAME_BYTES), meta));
  const room = sub(load32(xdp, XDP_BUFF_FRAME_SZ), XDP_BUFF_SHARED_INFO);
  f.leaveIf(gt(sub(add(data, len), page), room));
  takePage(w, fresh, imports);
  f.set(mapping, add(fresh, load32(q, DMA_OFFSET)));
  post(w, fresh, add(fresh, load32(q, HEADROOM)), mapping);
  // xdp_convert_buff_to_frame
  f.store32(page, XDP_FRAME_DATA, data);
  f.store32(page, XDP_FRAME_DATA_HIGH, 0);
  f.store32(page, XDP_FRAME_LEN, len);
  f.store32(page, XDP_FRAME_HEADROOM, sub(sub(data, page), XDP_FRAME_BYTES));
  f.store32(page, XDP_FRAME_METASIZE, sub(data, meta));
  f.store16(page, XDP_FRAME_ORIGIN, load16(q, ORIGIN));
  f.store32(page, XDP_FRAME_FLAGS, 0);
  f.set(now, fadd(now, cost));
  enqueue(w, bq, imports);
  f.store16(ri, RI_USED_UP, fourOf(0));
  f.store32(q, REDIRECTED, add(load32(q, REDIRECTED), 1));
}

/** @linux page_pool_alloc_pages */
function takePage(w: Walking, to: Local, imports: RedirectImports): void {
  const { f, q } = w;
  const [pool, cached] = w.spare;
  f.set(pool, load32(q, POOL));
  f.set(cached, load32(pool, PP_CACHED));
  f.if(
    cached,
    () => {
      f.set(cached, sub(cached, 1));
      f.store32(pool, PP_CACHED, cached);
      f.set(to, load32(add(pool, shl(cached, 2)), PP_CACHE));
    },
    () => {
      f.set(to, callImport(imports.refill));
      f.leaveIf(eq(to, 0));
    },
  );
}

/** @linux bq_enqueue */
function enqueue(w: Walking, bq: Local, imports: RedirectImports): void {
  const { f, page } = w;
  const [count] = w.spare;
  f.set(count, load32(bq, BULK_QUEUE_COUNT));
  f.if(
    gt(load32(bq, BULK_QUEUE_LIMIT), count),
    () => {
      f.store32(add(bq, shl(count, 2)), BULK_QUEUE_FRAMES, page);
      f.store32(bq, BULK_QUEUE_COUNT, add(count, 1));
    },
    () => withClock(w, () => f.set(count, callImport(imports.enqueue, bq, page))),
  );
}
