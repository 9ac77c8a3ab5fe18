/**
 * The transmit engine: one packet after the other, from all TX rings in turn, onto one wire.
 *
 * A packet is decided on at the first moment when the wire is free and some ring's doorbell has
 * had time to be followed (BD and data fetch); of the rings ready by then the next one in turn
 * sends. A ring is ready for another packet when the one before has been read and its slot is over,
 * so one ring alone may be slower than the wire, and several together reach it. The decision depends
 * on every ring, so it is taken only when no CPU can still write a doorbell before it: the caller
 * bounds `settle` by the smallest of all CPU clocks.
 */
import type { Ps } from '../host/clock.ts';
import { PAGE_MASK } from '../host/memory.ts';
import { Fates } from '../host/fates.ts';
import { FAULT_TX_CMP_LOST } from '../host/faults.ts';
import { TP_NIC_TX_DMA } from '../host/trace.ts';
import type { Link } from '../wire/link.ts';
import { macIsBroadcast, macIsMulticast } from '../wire/eth.ts';
import { CAST_BCAST, CAST_MCAST, CAST_UCAST } from './frameRecord.ts';
import { DESC_SHIFT } from './hsi/ring.ts';
import {
  TX_BD_FLAGS_NO_CMPL,
  TX_BD_TYPE_LONG_TX_BD,
  txBdCount,
  txBdFlags,
  txBdHaddr,
  txBdLen,
  txBdOpaque,
} from './hsi/txBd.ts';
import { txBdExtCfaMeta, txBdExtLflags } from './hsi/txBdExt.ts';
import type { NicParts } from './parts.ts';
import type { PortCounters } from './stats.ts';
import { TX_BYTES, TX_PKTS } from './stats.ts';
import { TxOffload } from './txOffload.ts';
import { TxBulk } from './txBulk.ts';
import type { TxRing } from './txRing.ts';

const TRACE_NIC = -1;

export class TxEngine {
  readonly fates: Fates = new Fates();
  private readonly parts: NicParts;
  private readonly link: Link;
  private readonly portNumber: number;
  private readonly counters: PortCounters;
  private readonly offload: TxOffload;
  private readonly bulk: TxBulk;
  /** Rings with something to send, in the order of their turn; the first goes next. */
  private readonly waiting: TxRing[] = [];
  private wireFreeAt: Ps = 0;
  /** When the next packet is decided on; Infinity when no ring has one. Asked for more often than it changes. */
  nextAt: Ps = Infinity;
  /** How long XDP's frames were under way, each from its doorbell to its completion; 0 unless `booksFrames`. */
  underWayPs: Ps = 0;

  constructor(parts: NicParts, link: Link, portNumber: number, counters: PortCounters) {
    this.parts = parts;
    this.link = link;
    this.portNumber = portNumber;
    this.counters = counters;
    this.offload = new TxOffload(parts.mem);
    this.bulk = new TxBulk(parts.mem);
  }

  initRing(ring: TxRing): void {
    this.bulk.initBlock(ring, this.parts, this.link);
  }

  /** A doorbell written at `now` publishes descriptors up to `prod`. */
  publish(ring: TxRing, prod: number, now: Ps): void {
    const idle = ring.cons === ring.prod;
    ring.publish(prod, now + this.parts.timing.txFetchPs);
    if (!idle || ring.cons === ring.prod) return;
    this.waiting.push(ring);
    this.lookAgain();
  }

  /** How long reading what a doorbell up to `prod` publishes keeps the upward direction busy. */
  requestPs(ring: TxRing, prod: number): Ps {
    const { mem, timing } = this.parts;
    let ps = 0;
    for (let at = ring.prod; at !== prod; at = (at + 1) & ring.mask) {
      ps += timing.pcie!.txRequestPs(txBdLen(mem.words, ring.base + (at << DESC_SHIFT)));
    }
    return ps;
  }

  /** A ring is gone, and with it what it had published and not sent. @returns where the NIC stopped */
  quiesce(ring: TxRing): number {
    const waits = this.waiting.indexOf(ring);
    if (waits >= 0) this.waiting.splice(waits, 1);
    this.lookAgain();
    return ring.cons;
  }

  private lookAgain(): void {
    let ready = Infinity;
    for (const ring of this.waiting) {
      const at = ring.readyAt();
      if (at < ready) ready = at;
    }
    this.nextAt = ready > this.wireFreeAt ? ready : this.wireFreeAt;
  }

  /** Send every packet decided on at or before `until`. */
  settle(until: Ps): void {
    if (this.nextAt > until) return;
    if (this.waiting.length === 1) this.settleAlone(this.waiting[0]!, until);
    while (this.nextAt <= until) this.transmitNext(this.nextAt);
  }

  /** A ring that waits alone, as nearly always, has no turns to take: in bulk, unless somebody watches. */
  private settleAlone(ring: TxRing, until: Ps): void {
    const { watch, faults, sink, stamps, timing, booksFrames } = this.parts;
    if (booksFrames === true) return;
    if (watch.on || faults.armed || sink.watched) return;
    if (stamps.stages !== null || timing.pcie !== null || timing.txQueueSlotPs > 0) return;
    const { cons } = ring;
    this.wireFreeAt = this.bulk.transmit(ring, this.wireFreeAt, until);
    const frames = (ring.cons - cons) & ring.mask; // one descriptor each
    this.fates.onWire += frames;
    this.counters.txGoodFrames += frames;
    if (ring.cons === ring.prod) this.waiting.pop();
    this.lookAgain();
  }

  /** Send the packet whose turn it is at `at`. */
  transmitNext(at: Ps): void {
    const waiting = this.waiting;
    let turn = 0;
    while (waiting[turn]!.readyAt() > at) turn++;
    const ring = waiting[turn]!;
    this.transmit(ring, at);
    if (waiting.length > 1) {
      waiting.splice(turn, 1);
      if (ring.cons !== ring.prod) waiting.push(ring);
    } else if (ring.cons === ring.prod) waiting.pop();
    this.lookAgain();
  }

  private transmit(ring: TxRing, at: Ps): void {
    const { mem, timing, faults, txFifo, booksFrames } = this.parts;
    const rung = ring.followedAt() - timing.txFetchPs;
    const bd = ring.base + (ring.cons << DESC_SHIFT);
    const flags = txBdFlags(mem.words, bd);
    const opaque = txBdOpaque(mem.words, bd);
    const gathered = this.gather(ring, bd, at);
    const long = (flags & TX_BD_TYPE_LONG_TX_BD) !== 0;
    const len = long ? this.offloaded(ring, gathered) : gathered;
    ring.advance((ring.cons + txBdCount(mem.words, bd)) & ring.mask);
    this.fates.onWire++;
    this.counters.txGoodFrames++;
    this.count(ring, len);
    const wire = this.link.wirePs(len);
    const read = timing.pcie === null ? 0 : timing.pcie.txPs(len);
    this.wireFreeAt = at + (read > wire ? read : wire);
    ring.freeAt = at + timing.txQueueSlotPs + read;
    this.parts.sink.frame(this.portNumber, at + wire, txFifo, len);
    this.bookWay(txBdHaddr(mem.words, bd), long, at + wire);
    if (booksFrames === true && !long) this.underWayPs += at + wire + timing.txCompletePs - rung;
    if ((flags & TX_BD_FLAGS_NO_CMPL) !== 0) return;
    if (faults.armed && faults.fires(FAULT_TX_CMP_LOST)) return;
    this.complete(ring, at, at + wire + timing.txCompletePs, opaque);
  }

  /**
   * Short descriptors carry XDP's frames, which lie where they arrived; of what the stack sends the
   * driver has noted where it begins when it arrived, 0 if it never did.
   */
  private bookWay(haddr: number, long: boolean, sent: Ps): void {
    const { stamps } = this.parts;
    if (stamps.stages === null) return;
    const arrived = stamps.get(long ? haddr : haddr & PAGE_MASK);
    if (arrived > 0) stamps.stages.backOnWire(arrived, sent);
  }

  /**
   * The completion becomes visible at `done`. When the packet was decided on after its CPU had
   * last looked (`sharedSeen`), that CPU may already have read past `done`: then it becomes
   * visible where that CPU's last step ended, in both the lazy and the eager mode.
   */
  private complete(ring: TxRing, at: Ps, done: Ps, opaque: number): void {
    const cpu = ring.cp.irq.cpu;
    const late = at > cpu.sharedSeen && done < cpu.stepEnd;
    ring.cp.pendTx(late ? cpu.stepEnd : done, opaque);
  }

  /** Read the packet that begins at `bd` into the FIFO, at `now`. @returns its length */
  private gather(ring: TxRing, bd: number, now: Ps): number {
    const { mem, watch, txFifo } = this.parts;
    const { words, ops } = mem;
    const count = txBdCount(words, bd);
    const long = (txBdFlags(words, bd) & TX_BD_TYPE_LONG_TX_BD) !== 0;
    let len = 0;
    for (let i = 0; i < count; i++) {
      if (long && i === 1) continue; // the ext BD carries no data
      const at = ring.base + (((ring.cons + i) & ring.mask) << DESC_SHIFT);
      if (watch.on) this.watchDma(ring, now, txBdHaddr(words, at), txBdLen(words, at));
      ops.copy(txFifo + len, txBdHaddr(words, at), txBdLen(words, at));
      len += txBdLen(words, at);
    }
    return len;
  }

  /** Carry out what the descriptor behind the first one asks for. @returns the length on the wire */
  private offloaded(ring: TxRing, len: number): number {
    const { mem, txFifo } = this.parts;
    const ext = ring.base + (((ring.cons + 1) & ring.mask) << DESC_SHIFT);
    const lflags = txBdExtLflags(mem.words, ext);
    return this.offload.apply(txFifo, len, lflags, txBdExtCfaMeta(mem.words, ext));
  }

  private watchDma(ring: TxRing, now: Ps, haddr: number, len: number): void {
    const { watch } = this.parts;
    watch.ledger.readable(haddr, 'TX DMA');
    watch.trace.record(TP_NIC_TX_DMA, now, TRACE_NIC, ring.id, len, haddr);
  }

  private count(ring: TxRing, len: number): void {
    const stats = ring.stats;
    const view = this.parts.mem.view;
    const hi = view.getUint16(this.parts.txFifo);
    let cast = CAST_UCAST;
    if (macIsMulticast(hi)) {
      const broadcast = macIsBroadcast(hi, view.getUint32(this.parts.txFifo + 2));
      cast = broadcast ? CAST_BCAST : CAST_MCAST;
    }
    stats.by[TX_PKTS + cast]!++;
    stats.by[TX_BYTES + cast]! += len;
  }
}
