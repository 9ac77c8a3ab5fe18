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
import { LOST_NO_BUFFER, LOST_RX_OVERSIZE, LOST_RX_RUNT } from '../host/fates.ts';
import { RX_RING } from '../host/ledger.ts';
import type { HostAddr } from '../host/memory.ts';
import { TP_NIC_RX_DMA, TP_NIC_RX_DROP } from '../host/trace.ts';
import { VLAN_HLEN, VLAN_OFFSET } from '../wire/vlan.ts';
import type { FrameClasses } from './classes.ts';
import type { CompletionRing } from './completionRing.ts';
import {
  CAST_BCAST,
  CAST_UCAST,
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
import type { PortCounters, RingStats } from './stats.ts';

/** How long the second half of a split completion stays away (fault point `rxCmpHalf`). */
const HALF_DELAY_PS: Ps = 200_000;
const TRACE_NIC = -1;

export class RxEngine {
  private readonly parts: NicParts;
  private readonly classes: FrameClasses;
  private readonly counters: PortCounters;
  private readonly dmaPs: Ps;
  private readonly slotPs: Ps;

  constructor(parts: NicParts, classes: FrameClasses, counters: PortCounters) {
    this.parts = parts;
    this.classes = classes;
    this.counters = counters;
    this.dmaPs = parts.timing.rxDmaPs;
    this.slotPs = parts.timing.rxDmaSlotPs;
  }

  /** Frame `n` has arrived at `at` for the ring of `lane`: take a buffer and fill it, or drop. */
  accept(lane: Lane, rx: RxRing, at: Ps, n: number): void {
    lane.fates.offered++;
    const cons = rx.cons;
    if (cons === rx.prod) return this.drop(lane, at, n, LOST_NO_BUFFER);
    const { mem, watch } = this.parts;
    const words = mem.words;
    const rec = this.classes.rec;
    const bd = rx.base + (cons << DESC_SHIFT);
    rx.cons = (cons + 1) & rx.mask;
    const haddr = rxBdHaddr(words, bd);
    const len = recLen(rec, n);
    if (watch.on) this.watchDma(lane, at, haddr, len);
    const fits = len <= rxBdLen(words, bd);
    if (fits && !recStrip(rec, n)) mem.ops.copy(haddr, recFrom(rec, n), len);
    else this.copyOdd(haddr, n, fits ? len : rxBdLen(words, bd));
    this.parts.stamps.set(haddr, at);
    if (recCast(rec, n) === CAST_UCAST) {
      lane.stats.rxUcastPkts++;
      lane.stats.rxUcastBytes += len;
    } else countCast(lane.stats, recCast(rec, n), len);
    const done = (at > rx.dmaFreeAt ? at : rx.dmaFreeAt) + this.slotPs;
    rx.dmaFreeAt = done;
    const i = rx.pendingTail++ & rx.mask;
    rx.pendingAt[i] = done + this.dmaPs;
    rx.pendingFrame[i] = fits ? n : ~n;
    rx.pendingOpaque[i] = rxBdOpaque(words, bd);
  }

  /** Make the oldest pending completion of `rx` visible. The caller has seen that there is room. */
  write(cp: CompletionRing, lane: Lane, rx: RxRing): void {
    const i = rx.pendingHead++ & rx.mask;
    const n = rx.pendingFrame[i]!;
    const raw = cp.prod;
    const stamp = rx.pendingAt[i]!;
    cp.stamps[raw & cp.mask] = stamp;
    cp.stamps[(raw + 1) & cp.mask] = stamp;
    cp.prod = raw + 2;
    lane.fates.received++;
    const opaque = rx.pendingOpaque[i]!;
    if (n < 0 || this.parts.faults.armed) return this.writeOdd(cp, lane, n, raw, opaque, stamp);
    const { words } = this.parts.mem;
    const at = cp.slotAt(raw);
    const ext = cp.slotAt(raw + 1);
    recComplete(words, this.classes.rec, n, at, ext, opaque, cp.lapV(raw), cp.lapV(raw + 1));
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
    const { watch } = this.parts;
    lane.fates.lost[cause]!++;
    if (cause === LOST_NO_BUFFER) lane.stats.rxDiscardPkts++;
    else if (cause === LOST_RX_OVERSIZE) this.counters.rxOversizeFrames++;
    else if (cause === LOST_RX_RUNT) this.counters.rxUndrszFrames++;
    if (watch.on) {
      watch.trace.record(
        TP_NIC_RX_DROP,
        at,
        TRACE_NIC,
        lane.index,
        recLen(this.classes.rec, n),
        cause,
      );
    }
  }

  private watchDma(lane: Lane, at: Ps, haddr: HostAddr, len: number): void {
    const { watch } = this.parts;
    watch.ledger.holds(haddr, RX_RING, 'RX DMA');
    watch.trace.record(TP_NIC_RX_DMA, at, TRACE_NIC, lane.index, len, haddr);
  }

  /** A frame without its outer tag, or one that is longer than its buffer. */
  private copyOdd(haddr: HostAddr, n: number, room: number): void {
    const { ops } = this.parts.mem;
    const from = recFrom(this.classes.rec, n);
    if (!recStrip(this.classes.rec, n)) return ops.copy(haddr, from, room);
    ops.copy(haddr, from, VLAN_OFFSET);
    ops.copy(haddr + VLAN_OFFSET, from + VLAN_OFFSET + VLAN_HLEN, room - VLAN_OFFSET);
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
    if (errors !== 0) lane.stats.rxErrorPkts++;
    if ((errors & RX_CMPL_ERRORS_CRC_ERROR) !== 0) this.counters.rxFcsErrFrames++;
    if (split) {
      cp.halfFrame = frame;
      cp.halfErrors = errors;
      cp.halfAt = stamp + HALF_DELAY_PS;
    } else {
      const ext = cp.slotAt(raw + 1);
      recCompleteExt(mem.words, this.classes.rec, frame, ext, errors, cp.lapV(raw + 1));
    }
    const flags = errors === 0 ? 0 : RX_CMP_FLAGS_ERROR;
    recCompleteHalf(mem.words, this.classes.rec, frame, cp.slotAt(raw), slot, flags, cp.lapV(raw));
  }
}

function countCast(stats: RingStats, cast: number, len: number): void {
  if (cast === CAST_BCAST) {
    stats.rxBcastPkts++;
    stats.rxBcastBytes += len;
  } else {
    stats.rxMcastPkts++;
    stats.rxMcastBytes += len;
  }
}
