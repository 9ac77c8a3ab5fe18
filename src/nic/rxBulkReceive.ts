/** The loop of `rxBulk.ts` over frames that have arrived. */
import { LOST_NO_BUFFER } from '../host/fates.ts';
import { STAMP_SHIFT } from '../host/stamps.ts';
import type { Value } from '../host/wasmFunction.ts';
import {
  add,
  and,
  double,
  eq,
  fadd,
  fgt,
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
import type { BulkLoop } from './rxBulkBlock.ts';
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
  stamp,
  word,
} from './rxBulkBlock.ts';
import { RX_BYTES, RX_DISCARD_PKTS, RX_PKTS } from './stats.ts';

/** Within a descriptor, see `hsi/rxBd.ts`. */
const OPAQUE = 4;
const HADDR = 8;
const LEN_SHIFT = 16;

/**
 * Every frame that has arrived by `until` takes a buffer and is copied into it, or is lost for want
 * of one. Plain frames go through a loop of their own, without calls and counted together.
 *
 * @returns how many were taken
 */
export function receiveLoop(f: BulkLoop): Value {
  const { q, until, odd } = f;
  const lane = f.i32At(q, LANE);
  const head = f.i32At(lane, LANE_HEAD);
  const tail = f.i32At(lane, LANE_TAIL);
  const records = f.i32At(q, RECORDS);
  const stamps = f.i32At(q, RX_STAMPS);
  const base = f.i32At(q, RX_BASE);
  const dmaFreeAt = f.f64At(q, DMA_FREE_AT);
  const slotPs = f.f64At(q, DMA_SLOT);
  const latency = f.f64At(q, DMA_LATENCY);
  const [bd, bdEnd, prod, pending, pendingEnd] = [
    ...[f.i32(), f.i32(), f.i32(), f.i32(), f.i32()],
  ] as const;
  const [at, i, n, rec, haddr, from, len, counted, packets, bytes] = [
    ...[f.f64(), f.i32(), f.i32(), f.i32(), f.i32()],
    ...[f.i32(), f.i32(), f.i32(), f.i32(), f.i32()],
  ] as const;

  /** Leaves where none has arrived; else with the first frame's `at`, `n`, `rec` and `len`. */
  const look = (): void => {
    f.leaveIf(eq(head, tail));
    f.set(i, and(head, LANE_ROOM - 1));
    f.set(at, loadF64(stamp(lane, i)));
    f.leaveIf(fgt(at, until));
    f.set(n, load32(word(lane, i), LANE_FRAME));
    f.set(rec, add(records, shl(n, REC_SHIFT)));
    f.set(len, load32(rec, REC_LEN));
  };
  const isTooLong = gt(len, shr(load32(bd), LEN_SHIFT));
  /** It takes the buffer, and its completion is pending; it is to be copied from `from` to `haddr`. */
  const accept = (): void => {
    f.set(haddr, load32(bd, HADDR));
    f.storeF64(stamp(stamps, shr(haddr, STAMP_SHIFT)), 0, at);
    f.if(fgt(dmaFreeAt, at), () => f.set(at, dmaFreeAt));
    f.set(dmaFreeAt, fadd(at, slotPs));
    f.storeF64(pending, BULK_BLOCK, fadd(dmaFreeAt, latency));
    f.store32(pending, BULK_BLOCK + PENDING_FRAME, n);
    f.store32(pending, BULK_BLOCK + PENDING_OPAQUE, load32(bd, OPAQUE));
    f.set(pending, add(pending, PENDING_BYTES));
    f.if(eq(pending, pendingEnd), () => f.set(pending, q));
    f.set(bd, add(bd, 1 << DESC_SHIFT));
    f.if(eq(bd, bdEnd), () => f.set(bd, base));
    f.set(head, add(head, 1));
    f.set(from, load32(rec, REC_FROM));
  };

  const slots = add(load32(q, RX_MASK), 1);
  f.set(bd, add(base, shl(load32(q, RX_CONS), DESC_SHIFT)));
  f.set(prod, add(base, shl(load32(q, RX_PROD), DESC_SHIFT)));
  f.set(bdEnd, add(base, shl(slots, DESC_SHIFT)));
  f.set(i, and(load32(q, PENDING_TAIL), load32(q, RX_MASK)));
  f.set(pending, add(q, shl(i, PENDING_SHIFT)));
  f.set(pendingEnd, add(q, shl(slots, PENDING_SHIFT)));
  f.repeat(() => {
    f.set(packets, 0);
    f.set(bytes, 0);
    f.repeat(() => {
      look();
      f.leaveIf(eq(bd, prod));
      f.leaveIf(ne(load32(rec, REC_KNOWN), REC_PLAIN));
      f.leaveIf(isTooLong);
      accept();
      f.copyShort(haddr, from, len);
      f.set(packets, add(packets, 1));
      f.set(bytes, add(bytes, len));
    });
    f.count(lane, LANE_STATS + RX_PKTS * 8, double(packets));
    f.count(lane, LANE_STATS + RX_BYTES * 8, double(bytes));
    look();
    f.if(eq(bd, prod), () => {
      f.count(lane, LANE_LOST + LOST_NO_BUFFER * 8);
      f.count(lane, LANE_STATS + RX_DISCARD_PKTS * 8);
      f.set(head, add(head, 1));
      f.again();
    });
    f.set(odd, isTooLong);
    f.leaveIf(odd);
    accept();
    f.set(counted, stamp(lane, load32(rec, REC_CAST)));
    f.count(counted, LANE_STATS + RX_PKTS * 8);
    f.count(counted, LANE_STATS + RX_BYTES * 8, double(len));
    f.if(load32(rec, REC_STRIP), () => {
      f.copy(haddr, from, VLAN_OFFSET);
      f.set(haddr, add(haddr, VLAN_OFFSET));
      f.set(from, add(from, VLAN_OFFSET + VLAN_HLEN));
      f.set(len, sub(len, VLAN_OFFSET));
    });
    f.copyApart(haddr, from, len);
  });
  const accepted = and(sub(shr(sub(bd, base), DESC_SHIFT), load32(q, RX_CONS)), load32(q, RX_MASK));
  f.store32(q, PENDING_TAIL, add(load32(q, PENDING_TAIL), accepted));
  f.store32(q, RX_CONS, shr(sub(bd, base), DESC_SHIFT));
  f.storeF64(q, DMA_FREE_AT, dmaFreeAt);
  f.set(n, sub(head, load32(lane, LANE_HEAD)));
  f.store32(lane, LANE_HEAD, head);
  return n;
}
