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
 * The loops find a queue's state in a block of host memory, at `q`; `Bulk.settle` fills in what
 * may have changed and takes back what the loops have moved. Words, at 4 bytes:
 *
 *   lane         0 times | 1 frames | 2 mask | 3 head | 4 tail
 *   RX ring      5 base | 6 mask | 7 cons | 8 prod
 *   pending      9 times | 10 frames | 11 opaques | 12 head | 13 tail
 *   completions  14 base | 15 slots | 16 prod | 17 cons | 18 stamps
 *   TX pending   19 times | 20 opaques | 22 head | 23 tail
 *   NIC          24 frame records | 25 RX stamps | 26 lost for want of a buffer
 *   counted      27..29 frames, 30..32 bytes, each by `CAST_*`
 *   f64          34 DMA free at | 36 DMA slot | 38 DMA latency
 */
import type { Ps } from '../host/clock.ts';
import { LOST_NO_BUFFER } from '../host/fates.ts';
import type { HostAddr, HostMemory, HostWords } from '../host/memory.ts';
import { F64, I32, WasmModule } from '../host/wasm.ts';
import { STAMP_SHIFT } from '../host/stamps.ts';
import type { Value } from '../host/wasmFunction.ts';
import {
  INFINITY,
  WasmFunction,
  add,
  and,
  eq,
  fadd,
  fgt,
  fmax,
  gt,
  load32,
  loadF64,
  ne,
  or,
  shl,
  shr,
  sub,
} from '../host/wasmFunction.ts';
import type { CompletionRing } from './completionRing.ts';
import {
  CAST_BCAST,
  CAST_MCAST,
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
import { VLAN_HLEN, VLAN_OFFSET } from '../wire/vlan.ts';
import type { Lane } from './lane.ts';
import type { NicParts } from './parts.ts';
import type { RxRing } from './rxRing.ts';

const LANE_AT = 0;
const LANE_FRAME = 4;
const LANE_MASK = 8;
const LANE_HEAD = 12;
const LANE_TAIL = 16;
const RX_BASE = 20;
const RX_MASK = 24;
const RX_CONS = 28;
const RX_PROD = 32;
const PENDING_AT = 36;
const PENDING_FRAME = 40;
const PENDING_OPAQUE = 44;
const PENDING_HEAD = 48;
const PENDING_TAIL = 52;
const CP_BASE = 56;
const CP_SLOTS = 60;
const CP_PROD = 64;
const CP_CONS = 68;
const CP_STAMPS = 72;
const TX_AT = 76;
const TX_OPAQUE = 80;
const TX_HEAD = 88;
const TX_TAIL = 92;
const RECORDS = 96;
const RX_STAMPS = 100;
const NO_BUFFER = 104;
const FRAMES_BY_CAST = 108;
const BYTES_BY_CAST = 120;
/** End of what is counted anew each time. */
const COUNTED_END = 132;
const DMA_FREE_AT = 136;
const DMA_SLOT = 144;
const DMA_LATENCY = 152;

/** Bytes of a queue's block. */
export const BULK_BLOCK = 160;

/** Frames that did not fit their buffer are pending as negative numbers. */
const MAX_FRAME = 0x7fff_ffff;
/** Within descriptors, see `hsi/`: of a buffer and of both slots of a completion. */
const HADDR = 8;
const OPAQUE = 4;
const V = 8;
const SQ_CONS_IDX = 12;
const LEN_SHIFT = 16;

const word = (base: Value, index: Value): Value => add(base, shl(index, 2));
const stamp = (base: Value, index: Value): Value => add(base, shl(index, 3));

/** Every frame that has arrived by `until` takes a buffer and is copied into it, or is lost for want of one. */
function receiveLoop(): WasmFunction {
  const f = new WasmFunction();
  const q = f.param(I32);
  const until = f.param(F64);
  const arrivals = f.i32At(q, LANE_AT);
  const frames = f.i32At(q, LANE_FRAME);
  const laneMask = f.i32At(q, LANE_MASK);
  const head = f.i32At(q, LANE_HEAD);
  const tail = f.i32At(q, LANE_TAIL);
  const base = f.i32At(q, RX_BASE);
  const mask = f.i32At(q, RX_MASK);
  const cons = f.i32At(q, RX_CONS);
  const prod = f.i32At(q, RX_PROD);
  const pendingAt = f.i32At(q, PENDING_AT);
  const pendingFrame = f.i32At(q, PENDING_FRAME);
  const pendingOpaque = f.i32At(q, PENDING_OPAQUE);
  const pendingTail = f.i32At(q, PENDING_TAIL);
  const records = f.i32At(q, RECORDS);
  const stamps = f.i32At(q, RX_STAMPS);
  const dmaFreeAt = f.f64At(q, DMA_FREE_AT);
  const dmaSlot = f.f64At(q, DMA_SLOT);
  const dmaLatency = f.f64At(q, DMA_LATENCY);
  const [at, i, n, rec, bd, haddr, from, len, counted] = [
    ...[f.f64(), f.i32(), f.i32(), f.i32(), f.i32()],
    ...[f.i32(), f.i32(), f.i32(), f.i32()],
  ] as const;

  f.repeat(() => {
    f.leaveIf(eq(head, tail));
    f.set(i, and(head, laneMask));
    f.set(at, loadF64(stamp(arrivals, i)));
    f.leaveIf(fgt(at, until));
    f.if(eq(cons, prod), () => {
      f.store32(q, NO_BUFFER, add(load32(q, NO_BUFFER), 1));
      f.set(head, add(head, 1));
      f.again();
    });
    f.set(n, load32(word(frames, i)));
    f.set(rec, add(records, shl(n, REC_SHIFT)));
    f.set(bd, add(base, shl(cons, DESC_SHIFT)));
    f.set(len, load32(rec, REC_LEN));
    f.leaveIf(gt(len, shr(load32(bd), LEN_SHIFT)));

    f.set(haddr, load32(bd, HADDR));
    f.storeF64(stamp(stamps, shr(haddr, STAMP_SHIFT)), 0, at);
    f.set(i, and(pendingTail, mask));
    f.store32(word(pendingFrame, i), 0, n);
    f.store32(word(pendingOpaque, i), 0, load32(bd, OPAQUE));
    f.set(dmaFreeAt, fadd(fmax(at, dmaFreeAt), dmaSlot));
    f.storeF64(stamp(pendingAt, i), 0, fadd(dmaFreeAt, dmaLatency));
    f.set(counted, word(q, load32(rec, REC_CAST)));
    f.store32(counted, FRAMES_BY_CAST, add(load32(counted, FRAMES_BY_CAST), 1));
    f.store32(counted, BYTES_BY_CAST, add(load32(counted, BYTES_BY_CAST), len));
    f.set(pendingTail, add(pendingTail, 1));
    f.set(cons, and(add(cons, 1), mask));
    f.set(head, add(head, 1));

    f.set(from, load32(rec, REC_FROM));
    f.if(load32(rec, REC_STRIP), () => {
      f.copy(haddr, from, VLAN_OFFSET);
      f.set(haddr, add(haddr, VLAN_OFFSET));
      f.set(from, add(from, VLAN_OFFSET + VLAN_HLEN));
      f.set(len, sub(len, VLAN_OFFSET));
    });
    f.copyApart(haddr, from, len);
  });
  f.store32(q, LANE_HEAD, head);
  f.store32(q, RX_CONS, cons);
  f.store32(q, PENDING_TAIL, pendingTail);
  f.storeF64(q, DMA_FREE_AT, dmaFreeAt);
  return f;
}

/** Every completion due by `until` for which there is room becomes visible, in the order of time, RX before TX. */
function completeLoop(): WasmFunction {
  const f = new WasmFunction();
  const q = f.param(I32);
  const until = f.param(F64);
  const mask = f.i32At(q, RX_MASK);
  const pendingAt = f.i32At(q, PENDING_AT);
  const pendingFrame = f.i32At(q, PENDING_FRAME);
  const pendingOpaque = f.i32At(q, PENDING_OPAQUE);
  const pendingHead = f.i32At(q, PENDING_HEAD);
  const pendingTail = f.i32At(q, PENDING_TAIL);
  const base = f.i32At(q, CP_BASE);
  const slots = f.i32At(q, CP_SLOTS);
  const prod = f.i32At(q, CP_PROD);
  const cons = f.i32At(q, CP_CONS);
  const stamps = f.i32At(q, CP_STAMPS);
  const txAts = f.i32At(q, TX_AT);
  const txOpaque = f.i32At(q, TX_OPAQUE);
  const txHead = f.i32At(q, TX_HEAD);
  const txTail = f.i32At(q, TX_TAIL);
  const records = f.i32At(q, RECORDS);
  const [rxAt, txAt, i, n, rec, slot, cmp] = [
    ...[f.f64(), f.f64()],
    ...[f.i32(), f.i32(), f.i32(), f.i32(), f.i32()],
  ] as const;

  /** Takes the ring's next slot, visible from `at` on, and leaves its address in `cmp`. */
  const takeSlot = (at: Value): void => {
    f.set(slot, and(prod, sub(slots, 1)));
    f.set(cmp, add(base, shl(slot, DESC_SHIFT)));
    f.storeF64(stamp(stamps, slot), 0, at);
  };
  /** Its valid bit: 1 on even laps. */
  const valid = eq(and(prod, slots), 0);
  const leaveUnlessRoom = (wanted: number): void =>
    f.leaveIf(gt(add(sub(prod, cons), wanted), slots));

  f.repeat(() => {
    f.set(rxAt, INFINITY);
    f.if(ne(pendingHead, pendingTail), () =>
      f.set(rxAt, loadF64(stamp(pendingAt, and(pendingHead, mask)))),
    );
    f.set(txAt, INFINITY);
    f.if(ne(txHead, txTail), () => f.set(txAt, loadF64(stamp(txAts, and(txHead, sub(slots, 1))))));
    f.if(fgt(rxAt, txAt), () => {
      f.leaveIf(fgt(txAt, until));
      leaveUnlessRoom(1);
      takeSlot(txAt);
      f.store32(cmp, 0, CMP_TYPE_TX_L2_CMP);
      f.store32(cmp, OPAQUE, load32(word(txOpaque, and(txHead, sub(slots, 1)))));
      f.store32(cmp, SQ_CONS_IDX, 0);
      f.store32(cmp, V, valid);
      f.set(prod, add(prod, 1));
      f.set(txHead, add(txHead, 1));
      f.again();
    });
    f.leaveIf(fgt(rxAt, until));
    leaveUnlessRoom(2);
    f.set(i, and(pendingHead, mask));
    f.set(n, load32(word(pendingFrame, i)));
    f.leaveIf(gt(n, MAX_FRAME));
    f.set(rec, add(records, shl(n, REC_SHIFT)));
    takeSlot(rxAt);
    f.copy16(cmp, add(rec, REC_COMPLETION));
    f.store32(cmp, OPAQUE, load32(word(pendingOpaque, i)));
    f.store32(cmp, V, or(load32(rec, REC_COMPLETION + V), valid));
    f.set(prod, add(prod, 1));
    takeSlot(rxAt);
    f.copy16(cmp, add(rec, REC_EXT));
    f.store32(cmp, V, or(load32(rec, REC_EXT + V), valid));
    f.set(prod, add(prod, 1));
    f.set(pendingHead, add(pendingHead, 1));
  });
  f.store32(q, PENDING_HEAD, pendingHead);
  f.store32(q, CP_PROD, prod);
  f.store32(q, TX_HEAD, txHead);
  return f;
}

function encodeLoops(): Uint8Array<ArrayBuffer> {
  const module = new WasmModule();
  module.importMemory('host', 'memory');
  receiveLoop().exportTo(module, 'receive');
  completeLoop().exportTo(module, 'complete');
  return module.encode();
}

interface Loops {
  receive(q: HostAddr, until: Ps): void;
  complete(q: HostAddr, until: Ps): void;
}

/** Compiled at the first use; every memory has an instance of its own. */
let compiled: WebAssembly.Module | null = null;

export class RxBulk {
  private readonly loops: Loops;
  private readonly words: HostWords;
  private readonly doubles: Float64Array;

  constructor(mem: HostMemory) {
    compiled ??= new WebAssembly.Module(encodeLoops());
    const instance = new WebAssembly.Instance(compiled, { host: { memory: mem.memory } });
    this.loops = instance.exports as unknown as Loops;
    this.words = mem.words;
    this.doubles = mem.doubles;
  }

  /** What stays as it is while `rx` exists. */
  initBlock(rx: RxRing, { stamps, timing }: NicParts): void {
    const { words, doubles } = this;
    const q = rx.block;
    const { cp } = rx;
    words[(q + RX_BASE) >> 2] = rx.base;
    words[(q + RX_MASK) >> 2] = rx.mask;
    words[(q + PENDING_AT) >> 2] = rx.pendingAt.byteOffset;
    words[(q + PENDING_FRAME) >> 2] = rx.pendingFrame.byteOffset;
    words[(q + PENDING_OPAQUE) >> 2] = rx.pendingOpaque.byteOffset;
    words[(q + CP_BASE) >> 2] = cp.base;
    words[(q + CP_SLOTS) >> 2] = cp.slots;
    words[(q + CP_STAMPS) >> 2] = cp.stamps.byteOffset;
    words[(q + TX_AT) >> 2] = cp.txAt.byteOffset;
    words[(q + TX_OPAQUE) >> 2] = cp.txOpaque.byteOffset;
    words[(q + RX_STAMPS) >> 2] = stamps.at.byteOffset;
    doubles[(q + DMA_SLOT) >> 3] = timing.rxDmaSlotPs;
    doubles[(q + DMA_LATENCY) >> 3] = timing.rxDmaPs;
  }

  /** As `RxEngine.receive`, up to the first frame that does not fit its buffer. */
  receive(lane: Lane, rx: RxRing, records: Int32Array, until: Ps): void {
    const { words, doubles } = this;
    const q = rx.block;
    const { head } = lane;
    const { pendingTail } = rx;
    words[(q + LANE_AT) >> 2] = lane.at.byteOffset;
    words[(q + LANE_FRAME) >> 2] = lane.frame.byteOffset;
    words[(q + LANE_MASK) >> 2] = lane.mask;
    words[(q + LANE_HEAD) >> 2] = head;
    words[(q + LANE_TAIL) >> 2] = lane.tail;
    words[(q + RX_CONS) >> 2] = rx.cons;
    words[(q + RX_PROD) >> 2] = rx.prod;
    words[(q + PENDING_TAIL) >> 2] = pendingTail;
    words[(q + RECORDS) >> 2] = records.byteOffset;
    doubles[(q + DMA_FREE_AT) >> 3] = rx.dmaFreeAt;
    for (let at = NO_BUFFER; at < COUNTED_END; at += 4) words[(q + at) >> 2] = 0;
    this.loops.receive(q, until);
    const taken = (words[(q + LANE_HEAD) >> 2]! - head) | 0;
    const lost = words[(q + NO_BUFFER) >> 2]!;
    lane.head = head + taken;
    rx.cons = words[(q + RX_CONS) >> 2]!;
    rx.pendingTail = pendingTail + taken - lost;
    rx.dmaFreeAt = doubles[(q + DMA_FREE_AT) >> 3]!;
    this.count(lane, q, taken, lost);
  }

  private count({ fates, stats }: Lane, q: HostAddr, taken: number, lost: number): void {
    const { words } = this;
    fates.offered += taken;
    fates.lost[LOST_NO_BUFFER]! += lost;
    stats.rxDiscardPkts += lost;
    stats.rxUcastPkts += words[(q + FRAMES_BY_CAST) >> 2]!;
    stats.rxUcastBytes += words[(q + BYTES_BY_CAST) >> 2]!;
    stats.rxMcastPkts += words[(q + FRAMES_BY_CAST + 4 * CAST_MCAST) >> 2]!;
    stats.rxMcastBytes += words[(q + BYTES_BY_CAST + 4 * CAST_MCAST) >> 2]!;
    stats.rxBcastPkts += words[(q + FRAMES_BY_CAST + 4 * CAST_BCAST) >> 2]!;
    stats.rxBcastBytes += words[(q + BYTES_BY_CAST + 4 * CAST_BCAST) >> 2]!;
  }

  /** As `Nic.writeDue`, up to the first frame that did not fit its buffer. */
  complete(cp: CompletionRing, lane: Lane, rx: RxRing, records: Int32Array, until: Ps): void {
    const { words } = this;
    const q = rx.block;
    const { pendingHead } = rx;
    const { prod, txHead } = cp;
    words[(q + PENDING_HEAD) >> 2] = pendingHead;
    words[(q + PENDING_TAIL) >> 2] = rx.pendingTail;
    words[(q + CP_PROD) >> 2] = prod;
    words[(q + CP_CONS) >> 2] = cp.cons;
    words[(q + TX_HEAD) >> 2] = txHead;
    words[(q + TX_TAIL) >> 2] = cp.txTail;
    words[(q + RECORDS) >> 2] = records.byteOffset;
    this.loops.complete(q, until);
    const received = (words[(q + PENDING_HEAD) >> 2]! - pendingHead) | 0;
    lane.fates.received += received;
    rx.pendingHead = pendingHead + received;
    cp.prod = prod + ((words[(q + CP_PROD) >> 2]! - prod) | 0);
    cp.txHead = txHead + ((words[(q + TX_HEAD) >> 2]! - txHead) | 0);
  }
}
