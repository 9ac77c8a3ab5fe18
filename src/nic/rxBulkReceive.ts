/** `rxBulk.ts` on frames that have arrived. */
import { LOST_NO_BUFFER } from '../host/fates.ts';
import { F64, I32 } from '../host/wasm.ts';
import { copyApart, copyShort } from '../host/wasmCopy.ts';
import type { Value } from '../host/wasmFunction.ts';
import {
  WasmFunction,
  add,
  and,
  double,
  eq,
  fadd,
  fgt,
  fmax,
  gt,
  load32,
  loadF64,
  ne,
  shl,
  shr,
  sub,
} from '../host/wasmFunction.ts';
import { VLAN_HLEN, VLAN_OFFSET } from '../wire/vlan.ts';
import {
  REC_CAST,
  REC_FROM,
  REC_KNOWN,
  REC_LEN,
  REC_PLAIN,
  REC_SHIFT,
  REC_STRIP,
} from './frameRecord.ts';
import { DESC_SHIFT } from './hsi/ring.ts';
import { LANE_FRAME, LANE_HEAD, LANE_LOST, LANE_ROOM, LANE_STATS, LANE_TAIL } from './lane.ts';
import {
  BULK_BLOCK,
  DMA_FREE_AT,
  DMA_LATENCY,
  DMA_SLOT,
  LANE,
  PENDING_BYTES,
  PENDING_FRAME,
  PENDING_OPAQUE,
  PENDING_SHIFT,
  PENDING_TAIL,
  RECORDS,
  RX_BASE,
  RX_CONS,
  RX_MASK,
  RX_PROD,
  RX_STAMPS,
  RX_STAMP_STRIDE,
  stamp,
  stampOf,
  word,
} from './rxBulkBlock.ts';
import { RX_BYTES, RX_DISCARD_PKTS, RX_PKTS } from './stats.ts';

/** Within a descriptor, see `hsi/rxBd.ts`. */
const OPAQUE = 4;
const HADDR = 8;
const LEN_SHIFT = 16;

const bufferAt = (q: Value, cons: Value): Value => add(load32(q, RX_BASE), shl(cons, DESC_SHIFT));
const pendingAt = (q: Value, tail: Value): Value =>
  add(q, shl(and(tail, load32(q, RX_MASK)), PENDING_SHIFT));

/**
 * Every plain frame that has arrived by `until` takes a buffer and is copied into it, and every frame
 * for which there is no buffer is lost, up to the first that is not plain or too long for its buffer.
 * The inner loop takes as many as come before any of the arrays begins anew.
 *
 * @returns whether there is such a frame
 */
export function plainLoop(): WasmFunction {
  const f = new WasmFunction();
  const q = f.param(I32);
  const until = f.param(F64);
  const lane = f.i32At(q, LANE);
  const head = f.i32At(lane, LANE_HEAD);
  const cons = f.i32At(q, RX_CONS);
  const pendingTail = f.i32At(q, PENDING_TAIL);
  const records = f.i32At(q, RECORDS);
  const stamps = f.i32At(q, RX_STAMPS);
  const dmaFreeAt = f.f64At(q, DMA_FREE_AT);
  const [at, arrival, number, bd, pending, run, most, n, rec, haddr, len, bytes, isOdd] = [
    ...[f.f64(), f.i32(), f.i32(), f.i32(), f.i32(), f.i32(), f.i32()],
    ...[f.i32(), f.i32(), f.i32(), f.i32(), f.i32(), f.i32()],
  ] as const;
  const mask = load32(q, RX_MASK);
  const free = and(sub(load32(q, RX_PROD), cons), mask);

  f.repeat(() => {
    f.leaveIf(isOdd);
    f.leaveIf(eq(head, load32(lane, LANE_TAIL)));
    f.set(n, and(head, LANE_ROOM - 1));
    f.set(arrival, stamp(lane, n));
    f.set(number, word(lane, n));
    f.set(at, loadF64(arrival));
    f.leaveIf(fgt(at, until));
    f.if(eq(free, 0), () => {
      f.count(lane, LANE_LOST + LOST_NO_BUFFER * 8);
      f.count(lane, LANE_STATS + RX_DISCARD_PKTS * 8);
      f.set(head, add(head, 1));
      f.again();
    });
    f.set(most, sub(LANE_ROOM, n));
    f.atMost(most, sub(load32(lane, LANE_TAIL), head));
    f.atMost(most, free);
    f.atMost(most, sub(add(mask, 1), cons));
    f.atMost(most, sub(add(mask, 1), and(pendingTail, mask)));
    f.set(bd, bufferAt(q, cons));
    f.set(pending, pendingAt(q, pendingTail));
    f.set(run, most);
    f.repeat(() => {
      f.set(n, load32(number, LANE_FRAME));
      f.set(rec, add(records, shl(n, REC_SHIFT)));
      f.set(len, load32(rec, REC_LEN));
      f.set(isOdd, 1);
      f.leaveIf(ne(load32(rec, REC_KNOWN), REC_PLAIN));
      f.leaveIf(gt(len, shr(load32(bd), LEN_SHIFT)));
      f.set(isOdd, 0);
      f.set(haddr, load32(bd, HADDR));
      f.storeF64(stampOf(stamps, load32(q, RX_STAMP_STRIDE), haddr), 0, at);
      f.if(fgt(dmaFreeAt, at), () => f.set(at, dmaFreeAt));
      f.set(dmaFreeAt, fadd(at, loadF64(q, DMA_SLOT)));
      f.storeF64(pending, BULK_BLOCK, fadd(dmaFreeAt, loadF64(q, DMA_LATENCY)));
      f.store32(pending, BULK_BLOCK + PENDING_FRAME, n);
      f.store32(pending, BULK_BLOCK + PENDING_OPAQUE, load32(bd, OPAQUE));
      f.set(bytes, add(bytes, len));
      copyShort(f, haddr, load32(rec, REC_FROM), len);
      f.set(run, sub(run, 1));
      f.leaveIf(eq(run, 0));
      f.set(arrival, add(arrival, 8));
      f.set(number, add(number, 4));
      f.set(pending, add(pending, PENDING_BYTES));
      f.set(bd, add(bd, 1 << DESC_SHIFT));
      f.set(at, loadF64(arrival));
      f.leaveIf(fgt(at, until));
    });
    f.set(most, sub(most, run));
    f.set(head, add(head, most));
    f.set(cons, and(add(cons, most), mask));
    f.set(pendingTail, add(pendingTail, most));
  });
  f.count(lane, LANE_STATS + RX_PKTS * 8, double(sub(pendingTail, load32(q, PENDING_TAIL))));
  f.count(lane, LANE_STATS + RX_BYTES * 8, double(bytes));
  f.store32(q, PENDING_TAIL, pendingTail);
  f.store32(q, RX_CONS, cons);
  f.storeF64(q, DMA_FREE_AT, dmaFreeAt);
  f.store32(lane, LANE_HEAD, head);
  f.returns(isOdd, I32);
  return f;
}

/** The lane's first frame, of any kind, takes the next buffer. @returns whether it is too long for that: nothing happens */
export function acceptOne(): WasmFunction {
  const f = new WasmFunction();
  const q = f.param(I32);
  const lane = f.i32At(q, LANE);
  const head = f.i32At(lane, LANE_HEAD);
  const cons = f.i32At(q, RX_CONS);
  const [at, i, n, rec, bd, haddr, from, len, pending, counted, isTooLong] = [
    ...[f.f64(), f.i32(), f.i32(), f.i32(), f.i32()],
    ...[f.i32(), f.i32(), f.i32(), f.i32(), f.i32(), f.i32()],
  ] as const;
  f.set(i, and(head, LANE_ROOM - 1));
  f.set(n, load32(word(lane, i), LANE_FRAME));
  f.set(rec, add(load32(q, RECORDS), shl(n, REC_SHIFT)));
  f.set(len, load32(rec, REC_LEN));
  f.set(bd, bufferAt(q, cons));
  f.set(isTooLong, gt(len, shr(load32(bd), LEN_SHIFT)));
  f.if(eq(isTooLong, 0), () => {
    f.set(at, loadF64(stamp(lane, i)));
    f.set(haddr, load32(bd, HADDR));
    f.storeF64(stampOf(load32(q, RX_STAMPS), load32(q, RX_STAMP_STRIDE), haddr), 0, at);
    f.set(at, fadd(fmax(at, loadF64(q, DMA_FREE_AT)), loadF64(q, DMA_SLOT)));
    f.storeF64(q, DMA_FREE_AT, at);
    f.set(pending, pendingAt(q, load32(q, PENDING_TAIL)));
    f.storeF64(pending, BULK_BLOCK, fadd(at, loadF64(q, DMA_LATENCY)));
    f.store32(pending, BULK_BLOCK + PENDING_FRAME, n);
    f.store32(pending, BULK_BLOCK + PENDING_OPAQUE, load32(bd, OPAQUE));
    f.set(counted, stamp(lane, load32(rec, REC_CAST)));
    f.count(counted, LANE_STATS + RX_PKTS * 8);
    f.count(counted, LANE_STATS + RX_BYTES * 8, double(len));
    f.store32(q, PENDING_TAIL, add(load32(q, PENDING_TAIL), 1));
    f.store32(q, RX_CONS, and(add(cons, 1), load32(q, RX_MASK)));
    f.store32(lane, LANE_HEAD, add(head, 1));

    f.set(from, load32(rec, REC_FROM));
    f.if(load32(rec, REC_STRIP), () => {
      f.copy(haddr, from, VLAN_OFFSET);
      f.set(haddr, add(haddr, VLAN_OFFSET));
      f.set(from, add(from, VLAN_OFFSET + VLAN_HLEN));
      f.set(len, sub(len, VLAN_OFFSET));
    });
    copyApart(f, haddr, from, len);
  });
  f.returns(isTooLong, I32);
  return f;
}
