/**
 * The receive engine: takes a buffer, writes the frame, and later its completion.
 *
 * These are the elementary steps. When they happen is decided by `lazy.ts` or `eager.ts`.
 */
import type { Ps } from '../host/clock.ts';
import {
  FAULT_RX_CMP_BUFFER,
  FAULT_RX_CMP_CRC,
  FAULT_RX_CMP_LOST_HALF,
  FAULT_RX_CMP_OUT_OF_ORDER,
} from '../host/faults.ts';
import {
  LOST_NO_BUFFER,
  LOST_PCIE_BACKPRESSURE,
  LOST_RX_OVERSIZE,
  LOST_RX_RUNT,
} from '../host/fates.ts';
import { RX_RING } from '../host/ledger.ts';
import type { HostAddr } from '../host/memory.ts';
import { TP_NIC_RX_DMA, TP_NIC_RX_DROP } from '../host/trace.ts';
import { VLAN_HLEN, VLAN_OFFSET } from '../wire/vlan.ts';
import type { FrameClasses } from './classes.ts';
import type { CompletionRing } from './completionRing.ts';
import {
  recCast,
  recCause,
  recComplete,
  recCompleteExt,
  recCompleteHalf,
  recFrom,
  recLen,
  recStrip,
} from './frameRecord.ts';
import type { NicParts } from './parts.ts';
import type { PcieLink } from './pcieLink.ts';
import { DESC_SHIFT } from './hsi/ring.ts';
import { rxBdHaddr, rxBdLen, rxBdOpaque } from './hsi/rxBd.ts';
import {
  RX_CMPL_ERRORS_BUFFER_ERROR_BAD_FORMAT,
  RX_CMPL_ERRORS_BUFFER_ERROR_DID_NOT_FIT,
  RX_CMPL_ERRORS_CRC_ERROR,
  RX_CMP_FLAGS_ERROR,
} from './hsi/rxCmp.ts';
import type { Lane } from './lane.ts';
import type { RxRing } from './rxRing.ts';
import type { PortCounters } from './stats.ts';
import { RX_BYTES, RX_DISCARD_PKTS, RX_ERROR_PKTS, RX_PKTS } from './stats.ts';

/** How long the second half of a split completion stays away (fault point `rxCmpHalf`). */
const HALF_DELAY_PS: Ps = 200_000;
const TRACE_NIC = -1;

export class RxEngine {
  private readonly parts: NicParts;
  private readonly classes: FrameClasses;
  private readonly counters: PortCounters;
  readonly dmaPs: Ps;
  /** RX rings there are: each has its share of the PCIe link. */
  rings = 0;
  readonly slotPs: Ps;
  private readonly pcie: PcieLink | null;

  constructor(parts: NicParts, classes: FrameClasses, counters: PortCounters) {
    this.parts = parts;
    this.classes = classes;
    this.counters = counters;
    this.dmaPs = parts.timing.rxDmaPs;
    this.slotPs = parts.timing.rxDmaSlotPs;
    this.pcie = parts.timing.pcie;
  }

  /**
   * Every frame of `lane` that has arrived by `until` takes a buffer and is copied into it, or is
   * lost for want of one. Its completion waits in `pending`.
   */
  receive(lane: Lane, rx: RxRing, until: Ps): void {
    const { watch } = this.parts;
    const { fates, stats } = lane;
    while (lane.headAt() <= until) {
      const at = lane.headAt();
      const n = lane.take();
      fates.offered++;
      if (this.pcie !== null && this.pressedBack(rx, n, at)) {
        this.drop(lane, at, n, LOST_PCIE_BACKPRESSURE);
      } else if (rx.cons === rx.prod) {
        fates.lost[LOST_NO_BUFFER]!++;
        stats.by[RX_DISCARD_PKTS]!++;
        if (watch.on) this.watchDrop(lane, at, n, LOST_NO_BUFFER);
      } else this.accept(lane, rx, at, n);
    }
  }

  /** For how long frame `n` keeps its queue's DMA engine busy. */
  slotOf(n: number): Ps {
    if (this.pcie === null) return this.slotPs;
    const ps = this.pcie.rxPs(recLen(this.classes.rec, n)) * this.rings;
    return ps > this.slotPs ? ps : this.slotPs;
  }

  /** The link is busy for `ps`, all of it, with the reads of frames that are to be sent. */
  delay(rx: RxRing, ps: Ps, now: Ps): void {
    rx.dmaFreeAt = (now > rx.dmaFreeAt ? now : rx.dmaFreeAt) + ps * this.rings;
  }

  private pressedBack(rx: RxRing, n: number, at: Ps): boolean {
    const empty = rx.cons === rx.prod;
    return this.backPressed(n, at, rx.dmaFreeAt, empty ? (rx.mask + 1) >> 1 : Infinity);
  }

  /**
   * Frame `n`, arrived at `at`, finds the link behind, with DMA going on until `dmaFreeAt`: the
   * NIC's buffer is full. Buffers in memory are taken on arrival here, so `most` frames under way
   * may also be why none is left: then it is the link that wants, and not the driver.
   */
  backPressed(n: number, at: Ps, dmaFreeAt: Ps, most: number): boolean {
    const wait = dmaFreeAt - at;
    return wait > this.pcie!.bufferPs(recLen(this.classes.rec, n)) || wait > most * this.slotOf(n);
  }

  /** Frame `n`, arrived at `at`, takes the next buffer. */
  private accept(lane: Lane, rx: RxRing, at: Ps, n: number): void {
    const { mem, watch, stamps } = this.parts;
    const { words } = mem;
    const { rec } = this.classes;
    const bd = rx.base + (rx.cons << DESC_SHIFT);
    const haddr = rxBdHaddr(words, bd);
    const len = recLen(rec, n);
    const room = rxBdLen(words, bd);
    rx.cons = (rx.cons + 1) & rx.mask;
    if (watch.on) this.watchDma(lane, at, haddr, len);
    this.dma(haddr, n, len <= room ? len : room);
    const cast = recCast(rec, n);
    lane.stats.by[RX_PKTS + cast]!++;
    lane.stats.by[RX_BYTES + cast]! += len;
    stamps.set(haddr, at);
    rx.dmaFreeAt = (at > rx.dmaFreeAt ? at : rx.dmaFreeAt) + this.slotOf(n);
    rx.pend(rx.dmaFreeAt + this.dmaPs, len <= room ? n : ~n, rxBdOpaque(words, bd));
  }

  /** The first `len` bytes of frame `n`, without a tag that is stripped. */
  private dma(haddr: HostAddr, n: number, len: number): void {
    const { rec } = this.classes;
    const { ops } = this.parts.mem;
    const from = recFrom(rec, n);
    if (recStrip(rec, n)) {
      ops.copy(haddr, from, VLAN_OFFSET);
      ops.copy(haddr + VLAN_OFFSET, from + VLAN_OFFSET + VLAN_HLEN, len - VLAN_OFFSET);
    } else ops.copy(haddr, from, len);
  }

  /**
   * Every pending completion of `rx` that is due by `until` and has room becomes visible. There
   * are no other completions due on this ring before them.
   */
  write(cp: CompletionRing, lane: Lane, rx: RxRing, until: Ps): void {
    const { words } = this.parts.mem;
    const { rec } = this.classes;
    const { pendingTail } = rx;
    const { base, slots, stamps } = cp;
    const slotMask = cp.mask;
    let room = slots - cp.unread;
    const odd = this.parts.faults.armed;
    let raw = cp.prod;
    let { pendingHead } = rx;
    while (pendingHead !== pendingTail && room >= 2) {
      const stamp = rx.pendingAt(pendingHead);
      if (stamp > until) break;
      const n = rx.pendingFrame(pendingHead);
      const opaque = rx.pendingOpaque(pendingHead);
      pendingHead = (pendingHead + 1) | 0;
      const slot = raw & slotMask;
      const extSlot = (raw + 1) & slotMask;
      stamps[slot] = stamp;
      stamps[extSlot] = stamp;
      if (odd || n < 0) this.writeOdd(cp, lane, n, raw, opaque, stamp);
      else {
        const v = (raw & slots) === 0 ? 1 : 0;
        const vExt = ((raw + 1) & slots) === 0 ? 1 : 0;
        const at = base + (slot << DESC_SHIFT);
        recComplete(words, rec, n, at, base + (extSlot << DESC_SHIFT), opaque, v, vExt);
      }
      raw = (raw + 2) | 0;
      room -= 2;
      if (cp.halfAt !== Infinity) break;
    }
    lane.fates.received += (pendingHead - rx.pendingHead) | 0;
    rx.pendingHead = pendingHead;
    cp.prod = raw;
  }

  /** The late second half of a split completion becomes visible. */
  writeHalf(cp: CompletionRing): void {
    const raw = cp.prod - 1;
    const { words } = this.parts.mem;
    recCompleteExt(
      words,
      this.classes.rec,
      cp.halfFrame,
      cp.slotAt(raw),
      cp.halfErrors,
      cp.lapV(raw),
    );
    cp.stamps[raw & cp.mask] = cp.halfAt;
    cp.halfAt = Infinity;
  }

  /** Frame `n` ends at the MAC, or its device is closed. */
  refuse(lane: Lane, at: Ps, n: number): void {
    lane.fates.offered++;
    this.drop(lane, at, n, recCause(this.classes.rec, n));
  }

  private drop(lane: Lane, at: Ps, n: number, cause: number): void {
    lane.fates.lost[cause]!++;
    if (cause === LOST_RX_OVERSIZE) this.counters.rxOversizeFrames++;
    else if (cause === LOST_RX_RUNT) this.counters.rxUndrszFrames++;
    else if (cause === LOST_PCIE_BACKPRESSURE) this.counters.rxStatDiscard++;
    if (this.parts.watch.on) this.watchDrop(lane, at, n, cause);
  }

  private watchDrop(lane: Lane, at: Ps, n: number, cause: number): void {
    const { trace } = this.parts.watch;
    trace.record(TP_NIC_RX_DROP, at, TRACE_NIC, lane.index, recLen(this.classes.rec, n), cause);
  }

  private watchDma(lane: Lane, at: Ps, haddr: HostAddr, len: number): void {
    const { watch } = this.parts;
    watch.ledger.holds(haddr, RX_RING, 'RX DMA');
    watch.trace.record(TP_NIC_RX_DMA, at, TRACE_NIC, lane.index, len, haddr);
  }

  /** A completion with an error that the frame itself did not bring: a full buffer, or a fault point. */
  private writeOdd(
    cp: CompletionRing,
    lane: Lane,
    n: number,
    raw: number,
    opaque: number,
    stamp: Ps,
  ): void {
    const { faults, mem } = this.parts;
    const frame = n < 0 ? ~n : n;
    let errors = n < 0 ? RX_CMPL_ERRORS_BUFFER_ERROR_DID_NOT_FIT : 0;
    let slot = opaque;
    let split = false;
    if (faults.armed) {
      if (faults.fires(FAULT_RX_CMP_CRC)) errors |= RX_CMPL_ERRORS_CRC_ERROR;
      if (faults.fires(FAULT_RX_CMP_BUFFER)) errors |= RX_CMPL_ERRORS_BUFFER_ERROR_BAD_FORMAT;
      if (faults.fires(FAULT_RX_CMP_OUT_OF_ORDER)) slot ^= 1;
      split = faults.fires(FAULT_RX_CMP_LOST_HALF);
    }
    if (errors !== 0) lane.stats.by[RX_ERROR_PKTS]!++;
    if ((errors & RX_CMPL_ERRORS_CRC_ERROR) !== 0) this.counters.rxFcsErrFrames++;
    if (split) {
      cp.halfFrame = frame;
      cp.halfErrors = errors;
      cp.halfAt = stamp + HALF_DELAY_PS;
      cp.forgetIrq();
    } else {
      const ext = cp.slotAt(raw + 1);
      recCompleteExt(mem.words, this.classes.rec, frame, ext, errors, cp.lapV(raw + 1));
    }
    const flags = errors === 0 ? 0 : RX_CMP_FLAGS_ERROR;
    recCompleteHalf(mem.words, this.classes.rec, frame, cp.slotAt(raw), slot, flags, cp.lapV(raw));
  }
}
