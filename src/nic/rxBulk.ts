/**
 * The receive engine's two loops as WebAssembly: what `rxEngine.ts` does frame by frame, for all
 * frames of a queue that have come by now.
 *
 * Most of what a loop over arrays does in JavaScript is to check that they are what they were;
 * without that a frame takes 15 ns less. The history is the same: the lazy pace settles through
 * these loops, the eager pace through `rxEngine.ts`, and a property test holds the two equal. What
 * is rare (a frame longer than its buffer, fault points, a watched machine) stays with
 * `rxEngine.ts`; a loop stops in front of it.
 *
 * The loops keep their state where `Lane`, `RxRing` and `CompletionRing` have theirs, in blocks of
 * host memory, so that nothing is carried to and fro. Words of a ring's block, at 4 bytes:
 *
 *   RX ring   0 base | 1 mask | 2 cons | 3 prod
 *   pending   4 times | 5 frames | 6 opaques | 7 head | 8 tail
 *   blocks    9 lane | 10 completion ring | 11 frame records | 12 RX stamps
 *   f64       14 DMA free at | 16 DMA slot | 18 DMA latency
 */
import type { Ps } from '../host/clock.ts';
import { LOST_NO_BUFFER } from '../host/fates.ts';
import type { HostAddr, HostMemory, HostWords } from '../host/memory.ts';
import { STAMP_SHIFT } from '../host/stamps.ts';
import { F64, I32 } from '../host/wasm.ts';
import type { Local, Value } from '../host/wasmFunction.ts';
import { wasmLoops } from '../host/wasmLoops.ts';
import {
  INFINITY,
  ONE,
  WasmFunction,
  add,
  and,
  double,
  eq,
  fadd,
  fgt,
  fmax,
  ge,
  gt,
  load32,
  loadF64,
  ne,
  or,
  shl,
  shr,
  sub,
  xor,
} from '../host/wasmFunction.ts';
import { VLAN_HLEN, VLAN_OFFSET } from '../wire/vlan.ts';
import {
  CP_BASE,
  CP_CONS,
  CP_GATHER_RECORDS,
  CP_GATHER_TIMER,
  CP_PROD,
  CP_RELEASED_TO,
  CP_SLOTS,
  CP_STAMPS,
  CP_TX_AT,
  CP_TX_HEAD,
  CP_TX_OPAQUE,
  CP_TX_TAIL,
} from './completionRing.ts';
import {
  REC_CAST,
  REC_COMPLETION,
  REC_EXT,
  REC_FROM,
  REC_LEN,
  REC_SHIFT,
  REC_STRIP,
} from './frameRecord.ts';
import { DESC_SHIFT } from './hsi/ring.ts';
import { CMP_TYPE_TX_L2_CMP } from './hsi/txCmp.ts';
import type { Lane } from './lane.ts';
import { LANE_FRAME, LANE_HEAD, LANE_LOST, LANE_ROOM, LANE_STATS, LANE_TAIL } from './lane.ts';
import type { NicParts } from './parts.ts';
import type { RxRing } from './rxRing.ts';
import { RX_BYTES, RX_DISCARD_PKTS, RX_PKTS } from './stats.ts';

const RX_BASE = 0;
const RX_MASK = 4;
export const RX_CONS = 8;
export const RX_PROD = 12;
const PENDING_AT = 16;
const PENDING_FRAME = 20;
const PENDING_OPAQUE = 24;
export const PENDING_HEAD = 28;
export const PENDING_TAIL = 32;
const LANE = 36;
const CP = 40;
const RECORDS = 44;
const RX_STAMPS = 48;
export const DMA_FREE_AT = 56;
const DMA_SLOT = 64;
const DMA_LATENCY = 72;

/** Bytes of a ring's block. */
export const BULK_BLOCK = 80;

/** Frames that did not fit their buffer are pending as negative numbers. */
const MAX_FRAME = 0x7fff_ffff;
/** Within descriptors, see `hsi/`: of a buffer and of both slots of a completion. */
const HADDR = 8;
const OPAQUE = 4;
const V = 8;
const SQ_CONS_IDX = 12;
const LEN_SHIFT = 16;

/** How `settle` tells what it has moved: frames taken, and above them frames completed. */
const TAKEN_BITS = 12;
const TAKEN_MASK: number = (1 << TAKEN_BITS) - 1;

const word = (base: Value, index: Value): Value => add(base, shl(index, 2));
const stamp = (base: Value, index: Value): Value => add(base, shl(index, 3));

/** A function over the block at `q`, up to a time; `odd` where it stops in front of what is rare. */
class Loop extends WasmFunction {
  readonly q: Local = this.param(I32);
  readonly until: Local = this.param(F64);
  readonly odd: Local = this.i32();

  /** One more of what is counted there. */
  count(at: Value, offset: number, more: Value = ONE): void {
    this.storeF64(at, offset, fadd(loadF64(at, offset), more));
  }
}

/**
 * Every frame that has arrived by `until` takes a buffer and is copied into it, or is lost for want
 * of one.
 *
 * @returns how many were taken
 */
function receiveLoop(f: Loop): Value {
  const { q, until, odd } = f;
  const lane = f.i32At(q, LANE);
  const head = f.i32At(lane, LANE_HEAD);
  const cons = f.i32At(q, RX_CONS);
  const pendingTail = f.i32At(q, PENDING_TAIL);
  const dmaFreeAt = f.f64At(q, DMA_FREE_AT);
  const [at, i, n, rec, bd, haddr, from, len, counted, taken] = [
    ...[f.f64(), f.i32(), f.i32(), f.i32(), f.i32()],
    ...[f.i32(), f.i32(), f.i32(), f.i32(), f.i32()],
  ] as const;

  f.repeat(() => {
    f.leaveIf(eq(head, load32(lane, LANE_TAIL)));
    f.set(i, and(head, LANE_ROOM - 1));
    f.set(at, loadF64(stamp(lane, i)));
    f.leaveIf(fgt(at, until));
    f.if(eq(cons, load32(q, RX_PROD)), () => {
      f.count(lane, LANE_LOST + LOST_NO_BUFFER * 8);
      f.count(lane, LANE_STATS + RX_DISCARD_PKTS * 8);
      f.set(head, add(head, 1));
      f.set(taken, add(taken, 1));
      f.again();
    });
    f.set(n, load32(word(lane, i), LANE_FRAME));
    f.set(rec, add(load32(q, RECORDS), shl(n, REC_SHIFT)));
    f.set(bd, add(load32(q, RX_BASE), shl(cons, DESC_SHIFT)));
    f.set(len, load32(rec, REC_LEN));
    f.set(odd, gt(len, shr(load32(bd), LEN_SHIFT)));
    f.leaveIf(odd);

    f.set(haddr, load32(bd, HADDR));
    f.storeF64(stamp(load32(q, RX_STAMPS), shr(haddr, STAMP_SHIFT)), 0, at);
    f.set(i, and(pendingTail, load32(q, RX_MASK)));
    f.store32(word(load32(q, PENDING_FRAME), i), 0, n);
    f.store32(word(load32(q, PENDING_OPAQUE), i), 0, load32(bd, OPAQUE));
    f.set(dmaFreeAt, fadd(fmax(at, dmaFreeAt), loadF64(q, DMA_SLOT)));
    f.storeF64(stamp(load32(q, PENDING_AT), i), 0, fadd(dmaFreeAt, loadF64(q, DMA_LATENCY)));
    f.set(counted, stamp(lane, load32(rec, REC_CAST)));
    f.count(counted, LANE_STATS + RX_PKTS * 8);
    f.count(counted, LANE_STATS + RX_BYTES * 8, double(len));
    f.set(pendingTail, add(pendingTail, 1));
    f.set(cons, and(add(cons, 1), load32(q, RX_MASK)));
    f.set(head, add(head, 1));
    f.set(taken, add(taken, 1));

    f.set(from, load32(rec, REC_FROM));
    f.if(load32(rec, REC_STRIP), () => {
      f.copy(haddr, from, VLAN_OFFSET);
      f.set(haddr, add(haddr, VLAN_OFFSET));
      f.set(from, add(from, VLAN_OFFSET + VLAN_HLEN));
      f.set(len, sub(len, VLAN_OFFSET));
    });
    f.copyApart(haddr, from, len);
  });
  f.store32(lane, LANE_HEAD, head);
  f.store32(q, RX_CONS, cons);
  f.store32(q, PENDING_TAIL, pendingTail);
  f.storeF64(q, DMA_FREE_AT, dmaFreeAt);
  return taken;
}

/**
 * Every completion to be written by `until` for which there is room becomes visible, in the order of
 * time, RX before TX. What has to wait for others, and how long, is told in `gathering.ts`; as there,
 * nothing waits where two records are enough and no TX completion is about.
 *
 * @returns how many frames were completed
 */
function completeLoop(f: Loop): Value {
  const { q, until, odd } = f;
  const cp = f.i32At(q, CP);
  const pendingHead = f.i32At(q, PENDING_HEAD);
  const prod = f.i32At(cp, CP_PROD);
  const txHead = f.i32At(cp, CP_TX_HEAD);
  const wanted = f.i32At(cp, CP_GATHER_RECORDS);
  const released = f.f64At(cp, CP_RELEASED_TO);
  const [rxAt, txAt, limit, first, at, i, n, rec, slot, cmp, completed, rx, tx, records] = [
    ...[f.f64(), f.f64(), f.f64(), f.f64(), f.f64()],
    ...[f.i32(), f.i32(), f.i32(), f.i32(), f.i32(), f.i32(), f.i32(), f.i32(), f.i32()],
  ] as const;
  const slots = load32(cp, CP_SLOTS);
  const txIndex = and(txHead, sub(slots, 1));

  /** When the completions at these places are due: Infinity where there is none. */
  const lookAt = (pending: Value, transmitted: Value): void => {
    f.set(rxAt, INFINITY);
    f.set(i, and(pending, load32(q, RX_MASK)));
    f.if(ne(pending, load32(q, PENDING_TAIL)), () =>
      f.set(rxAt, loadF64(stamp(load32(q, PENDING_AT), i))),
    );
    f.set(txAt, INFINITY);
    f.if(ne(transmitted, load32(cp, CP_TX_TAIL)), () =>
      f.set(txAt, loadF64(stamp(load32(cp, CP_TX_AT), and(transmitted, sub(slots, 1))))),
    );
  };
  /** Takes the ring's next slot, visible from `time` on, and leaves its address in `cmp`. */
  const takeSlot = (time: Value): void => {
    f.set(slot, and(prod, sub(slots, 1)));
    f.set(cmp, add(load32(cp, CP_BASE), shl(slot, DESC_SHIFT)));
    f.storeF64(stamp(load32(cp, CP_STAMPS), slot), 0, time);
  };
  /** Its valid bit: 1 on even laps. */
  const valid = eq(and(prod, slots), 0);
  const leaveUnlessRoom = (more: Value | number): void =>
    f.leaveIf(gt(add(sub(prod, load32(cp, CP_CONS)), more), slots));
  /** Leaves in `at` when those are written that gather behind the first, which is due then, a transmission if `n`. */
  const gather = (): void => {
    const over = fadd(first, loadF64(cp, CP_GATHER_TIMER));
    f.set(tx, add(txHead, n));
    f.set(rx, add(pendingHead, sub(1, n)));
    f.set(records, sub(2, n));
    f.repeat(() => {
      f.leaveIf(ge(records, wanted));
      lookAt(rx, tx);
      f.set(n, fgt(rxAt, txAt));
      f.set(at, rxAt);
      f.if(n, () => f.set(at, txAt));
      f.set(tx, add(tx, n));
      f.set(rx, add(rx, sub(1, n)));
      f.set(records, add(records, sub(2, n)));
      f.if(fgt(at, over), () => {
        f.set(at, over);
        f.set(records, wanted);
      });
    });
  };

  f.set(limit, until);
  f.if(gt(add(wanted, ne(txHead, load32(cp, CP_TX_TAIL))), 2), () =>
    f.if(fgt(limit, released), () => f.set(limit, released)),
  );
  f.repeat(() => {
    lookAt(pendingHead, txHead);
    f.if(fgt(rxAt, limit), () =>
      f.if(fgt(txAt, limit), () => {
        f.set(n, fgt(rxAt, txAt));
        f.set(first, rxAt);
        f.if(n, () => f.set(first, txAt));
        f.leaveIf(fgt(first, until));
        leaveUnlessRoom(sub(2, n));
        f.set(at, first);
        gather();
        f.leaveIf(fgt(at, until));
        f.set(released, at);
        f.set(limit, at);
        f.again();
      }),
    );
    f.if(fgt(rxAt, txAt), () => {
      leaveUnlessRoom(1);
      takeSlot(txAt);
      f.store32(cmp, 0, CMP_TYPE_TX_L2_CMP);
      f.store32(cmp, OPAQUE, load32(word(load32(cp, CP_TX_OPAQUE), txIndex)));
      f.store32(cmp, SQ_CONS_IDX, 0);
      f.store32(cmp, V, valid);
      f.set(prod, add(prod, 1));
      f.set(txHead, add(txHead, 1));
      f.again();
    });
    leaveUnlessRoom(2);
    f.set(n, load32(word(load32(q, PENDING_FRAME), i)));
    f.set(odd, or(odd, gt(n, MAX_FRAME)));
    f.leaveIf(gt(n, MAX_FRAME));
    f.set(rec, add(load32(q, RECORDS), shl(n, REC_SHIFT)));
    takeSlot(rxAt);
    f.copy16(cmp, add(rec, REC_COMPLETION));
    f.store32(cmp, OPAQUE, load32(word(load32(q, PENDING_OPAQUE), i)));
    f.store32(cmp, V, or(load32(rec, REC_COMPLETION + V), valid));
    f.set(prod, add(prod, 1));
    takeSlot(rxAt);
    f.copy16(cmp, add(rec, REC_EXT));
    f.store32(cmp, V, or(load32(rec, REC_EXT + V), valid));
    f.set(prod, add(prod, 1));
    f.set(pendingHead, add(pendingHead, 1));
    f.set(completed, add(completed, 1));
  });
  f.if(ne(prod, load32(cp, CP_PROD)), () =>
    f.storeF64(cp, CP_RELEASED_TO, fmax(released, loadF64(stamp(load32(cp, CP_STAMPS), slot)))),
  );
  f.store32(q, PENDING_HEAD, pendingHead);
  f.store32(cp, CP_PROD, prod);
  f.store32(cp, CP_TX_HEAD, txHead);
  return completed;
}

/** Both; what it moved, inverted when it stopped in front of something odd. */
function settleLoops(): WasmFunction {
  const f = new Loop();
  const moved = f.i32();
  f.set(moved, receiveLoop(f));
  f.set(moved, add(moved, shl(completeLoop(f), TAKEN_BITS)));
  f.returns(xor(moved, sub(0, f.odd)), I32);
  return f;
}

interface Loops {
  settle(q: HostAddr, until: Ps): number;
}

const loopsOn = wasmLoops<Loops>({ settle: settleLoops });

export class RxBulk {
  private readonly loops: Loops;
  private readonly words: HostWords;
  private readonly doubles: Float64Array;

  constructor(mem: HostMemory) {
    this.loops = loopsOn(mem.memory);
    this.words = mem.words;
    this.doubles = mem.doubles;
  }

  /** What stays as it is while `rx` exists. */
  initBlock(rx: RxRing, lane: Lane, records: Int32Array, { stamps, timing }: NicParts): void {
    const { words, doubles } = this;
    const q = rx.block;
    words[(q + RX_BASE) >> 2] = rx.base;
    words[(q + RX_MASK) >> 2] = rx.mask;
    words[(q + PENDING_AT) >> 2] = rx.pendingAt.byteOffset;
    words[(q + PENDING_FRAME) >> 2] = rx.pendingFrame.byteOffset;
    words[(q + PENDING_OPAQUE) >> 2] = rx.pendingOpaque.byteOffset;
    words[(q + LANE) >> 2] = lane.block;
    words[(q + CP) >> 2] = rx.cp.block;
    words[(q + RECORDS) >> 2] = records.byteOffset;
    words[(q + RX_STAMPS) >> 2] = stamps.at.byteOffset;
    doubles[(q + DMA_SLOT) >> 3] = timing.rxDmaSlotPs;
    doubles[(q + DMA_LATENCY) >> 3] = timing.rxDmaPs;
  }

  /**
   * As `RxEngine.receive` and then `Nic.writeDue`, while lane and records lie in host memory.
   *
   * @returns false when it stopped in front of a frame that does not fit its buffer
   */
  settle({ fates }: Lane, rx: RxRing, until: Ps): boolean {
    const told = this.loops.settle(rx.block, until);
    const moved = told < 0 ? ~told : told;
    fates.offered += moved & TAKEN_MASK;
    fates.received += moved >> TAKEN_BITS;
    return told >= 0;
  }
}
