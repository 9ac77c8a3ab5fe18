/**
 * The device: its rings, its engines, and the doorbells through which a driver reaches them.
 *
 * A NIC knows what to do (`rxEngine.ts`, `txEngine.ts`), but not when: its pace is handed in, and
 * is either lazy (`lazy.ts`) or eager (`eager.ts`). Both give the same history.
 */
import type { BusDevice } from '../host/bus.ts';
import type { Ps } from '../host/clock.ts';
import type { Cpu } from '../host/cpu.ts';
import { BugError } from '../host/errors.ts';
import { FAULT_IRQ_LOST } from '../host/faults.ts';
import type { Link } from '../wire/link.ts';
import { BELL_CP, BELL_NQ, BELL_RX, BELL_TX } from './bell.ts';
import { RxBulk } from './rxBulk.ts';
import { FrameClasses } from './classes.ts';
import type { CompletionRing } from './completionRing.ts';
import {
  DBR_TYPE_CQ_ARMALL,
  DBR_TYPE_NQ_ARM,
  DB_STRIDE,
  dbArms,
  dbIndex,
  dbrType,
  dbrXid,
} from './hsi/doorbell.ts';
import { gathers, writtenAt } from './gathering.ts';
import type { Lane } from './lane.ts';
import { LookAhead } from './lookAhead.ts';
import type { NotificationQueue } from './notificationQueue.ts';
import type { NicParts } from './parts.ts';
import { Port } from './port.ts';
import { RxEngine } from './rxEngine.ts';
import type { RxRing } from './rxRing.ts';
import { PortCounters } from './stats.ts';
import { TxEngine } from './txEngine.ts';
import type { TxRing } from './txRing.ts';

/** When a NIC's elementary steps happen. */
export interface Pace {
  /** A CPU looks at `cp`, or is about to ring a doorbell of it or of a ring it serves: let its past happen. */
  settle(nic: Nic, cp: CompletionRing, cpu: Cpu): void;
  /** P5: a CPU looks at `nq`, or is about to ring its doorbell. */
  settleNq(nic: Nic, nq: NotificationQueue, cpu: Cpu): void;
  /** A CPU is about to ring a TX doorbell. */
  settleTx(nic: Nic, cpu: Cpu): void;
  /** `cp` has been acknowledged: there may be room for completions that were due already. */
  changed(nic: Nic, cp: CompletionRing): void;
  /**
   * The control path is about to change or to read `nic` at `now`, the latest of all CPU clocks,
   * with no CPU inside a step. A CPU that is behind, by less than one poll, may then find
   * completions of its own future, unless the device closes (`napiDisable` lets it wait); both
   * paces do the same.
   */
  settleAll(nic: Nic, now: Ps): void;
}

export type Bell = CompletionRing | NotificationQueue | RxRing | TxRing | null;

export class Nic implements BusDevice {
  readonly parts: NicParts;
  readonly counters: PortCounters = new PortCounters();
  readonly classes: FrameClasses;
  readonly rx: RxEngine;
  readonly tx: TxEngine;
  readonly port: Port;
  readonly bulk: RxBulk;
  readonly ahead: LookAhead = new LookAhead();
  /** Rings by doorbell number; a freed ring leaves null, and its doorbell rings for nobody. */
  readonly bells: Bell[] = [];
  readonly completionRings: CompletionRing[] = [];
  readonly notificationQueues: NotificationQueue[] = [];
  private readonly pace: Pace;

  /** @param queues most RX queues there can be */
  constructor(number: number, parts: NicParts, link: Link, queues: number, pace: Pace) {
    this.parts = parts;
    this.pace = pace;
    this.bulk = new RxBulk(parts.mem);
    this.classes = new FrameClasses(parts.mem, parts.frames, parts.records);
    this.rx = new RxEngine(parts, this.classes, this.counters);
    this.tx = new TxEngine(parts, link, number, this.counters);
    this.port = new Port(parts, this.classes, this.rx, queues);
  }

  settleAll(now: Ps): void {
    this.pace.settleAll(this, now);
    for (const cp of this.completionRings) cp.forgetAhead();
  }

  /** When something happens in it next; Infinity while it waits for a doorbell or a frame from outside. */
  nextAt(): Ps {
    let at = Math.min(this.port.nextAt(), this.tx.nextAt);
    for (const cp of this.completionRings) at = Math.min(at, this.nextDueAt(cp), cp.fireAt());
    for (const nq of this.notificationQueues) at = Math.min(at, nq.fireAt());
    return at;
  }

  /** Add the number of each frame whose bytes or record are still needed. */
  framesInHand(numbers: Set<number>): void {
    this.port.framesInHand(numbers);
    for (const cp of this.completionRings) if (cp.halfAt !== Infinity) numbers.add(cp.halfFrame);
  }

  /** The ring that a write to the register at `offset` is meant for. */
  bellAt(offset: number, hi: number): Bell | undefined {
    return this.bells[this.parts.p5 === true ? dbrXid(hi) : (offset / DB_STRIDE) | 0];
  }

  settle(offset: number, hi: number, cpu: Cpu): boolean {
    const cp = this.bellAt(offset, hi) ?? null;
    if (cp === null) return false;
    if (cp.bell === BELL_NQ) return this.settleNq(cp, cpu);
    if (cp.bell !== BELL_CP) return false;
    const before = cp.prod;
    const half = cp.halfAt;
    this.pace.settle(this, cp, cpu);
    return cp.prod !== before || cp.halfAt !== half;
  }

  private settleNq(nq: NotificationQueue, cpu: Cpu): boolean {
    const before = nq.prod;
    this.pace.settleNq(this, nq, cpu);
    return nq.prod !== before;
  }

  doorbell(offset: number, lo: number, hi: number, now: Ps, cpu: Cpu): void {
    const bell = this.bellAt(offset, hi);
    const p5 = this.parts.p5 === true;
    if ((hi !== 0) !== p5)
      throw new BugError(`${p5 ? '32' : '64'}-bit doorbell on a ${p5 ? 'P5' : 'P4'} chip`);
    if (bell === undefined)
      throw new BugError(`doorbell at offset 0x${offset.toString(16)} never had a ring`);
    if (bell === null) return;
    if (bell.bell === BELL_CP) {
      const arms = p5 ? dbrType(hi) === DBR_TYPE_CQ_ARMALL : dbArms(lo);
      this.completionDoorbell(bell, dbIndex(lo), arms, now, cpu);
    } else if (bell.bell === BELL_RX) this.rxDoorbell(bell, lo, cpu);
    else if (bell.bell === BELL_TX) this.txDoorbell(bell, lo, now, cpu);
    else this.notificationDoorbell(bell, dbIndex(lo), dbrType(hi) === DBR_TYPE_NQ_ARM, now, cpu);
  }

  /**
   * A ring that was polled while armed has sent its message already, if that was due; so has one of
   * the same notification queue, and notifications keep the order in which they were posted.
   */
  private completionDoorbell(
    cp: CompletionRing,
    index: number,
    arms: boolean,
    now: Ps,
    cpu: Cpu,
  ): void {
    if (cp.nq !== null && cp.nq.awaits()) this.pace.settleNq(this, cp.nq, cpu);
    else this.pace.settle(this, cp, cpu);
    if (cp.nq === null) postIrqIfDue(this, cp, now);
    cp.acknowledge(index);
    if (arms) cp.arm(now);
    this.pace.changed(this, cp);
  }

  private notificationDoorbell(
    nq: NotificationQueue,
    index: number,
    arms: boolean,
    now: Ps,
    cpu: Cpu,
  ): void {
    this.pace.settleNq(this, nq, cpu);
    postIrqIfDue(this, nq, now);
    nq.acknowledge(index);
    if (arms) nq.arm(now);
  }

  private rxDoorbell(ring: RxRing, value: number, cpu: Cpu): void {
    this.pace.settle(this, ring.cp, cpu);
    ring.prod = dbIndex(value) & ring.mask;
    ring.cp.forgetIrq();
  }

  private txDoorbell(ring: TxRing, value: number, now: Ps, cpu: Cpu): void {
    this.pace.settleTx(this, cpu);
    if (this.parts.timing.pcie !== null) this.readForTx(ring, dbIndex(value) & ring.mask, now, cpu);
    this.tx.publish(ring, dbIndex(value) & ring.mask, now);
  }

  /**
   * What `ring` is about to send will be asked for over the link on which frames come in; that
   * delays those of the queue beside it, when this CPU owns both.
   */
  private readForTx(ring: TxRing, prod: number, now: Ps, cpu: Cpu): void {
    const { cp } = ring;
    const rx = cp.lane?.ring;
    if (rx === null || rx === undefined || cp.irq.cpu !== cpu) return;
    this.pace.settle(this, cp, cpu);
    this.rx.delay(rx, this.tx.requestPs(ring, prod), now);
    cp.forgetIrq();
  }

  /**
   * Accept every arrival up to `now`, then write every completion due by then: in bulk as far as
   * that goes, the rest one by one.
   *
   * @returns false when no frame has moved, for certain
   */
  settleRx(cp: CompletionRing, lane: Lane, ring: RxRing, now: Ps): boolean {
    const { watch, faults, timing } = this.parts;
    if (
      !watch.on &&
      !faults.armed &&
      cp.halfAt === Infinity &&
      !(cp.armed && gathers(cp)) &&
      this.classes.inHostMemory &&
      lane.inHostMemory &&
      timing.pcie === null
    ) {
      const told = this.bulk.settle(lane, ring, now);
      if (told >= 0) return told > 0;
    }
    this.rx.receive(lane, ring, now);
    this.writeDue(cp, now);
    return true;
  }

  /** Make every completion of `cp` visible that is to be by `now`, in the order of time, RX before TX. */
  writeDue(cp: CompletionRing, now: Ps): void {
    const lane = cp.lane;
    const ring = lane === null ? null : lane.ring;
    for (;;) {
      if (cp.halfAt !== Infinity) {
        if (cp.halfAt > now) return;
        cp.release(cp.halfAt);
        this.rx.writeHalf(cp);
      }
      const rxAt = ring === null ? Infinity : ring.pendingHeadAt();
      const txAt = cp.txHeadAt();
      const isRx = rxAt <= txAt;
      const due = isRx ? rxAt : txAt;
      if (due > now || !cp.room(isRx ? 2 : 1)) return; // no room for it, so none behind it either
      let to = now;
      if (gathers(cp)) {
        const at = writtenAt(cp, due);
        if (at > now) return;
        cp.release(at);
        to = cp.armed ? due : Math.min(now, cp.releasedTo); // each may bring the message
      }
      if (isRx) this.rx.write(cp, lane!, ring!, to < txAt ? to : txAt);
      else cp.writeTx(this.parts.mem.words);
      cp.release(cp.stamps[(cp.prod - 1) & cp.mask]!);
    }
  }

  /** Write every notification that is due by `now`, in the order of time. */
  notifyDue(nq: NotificationQueue, now: Ps): void {
    for (let cp = nq.nextRing(now); cp !== null; cp = nq.nextRing(now))
      nq.notify(this.parts.mem.words, cp);
  }

  /** When the next completion of `cp` is written; Infinity when none is known or none has room. */
  nextDueAt(cp: CompletionRing): Ps {
    if (cp.halfAt !== Infinity) return cp.halfAt;
    const ring = cp.lane === null ? null : cp.lane.ring;
    const rxAt = ring === null ? Infinity : ring.pendingHeadAt();
    const txAt = cp.txHeadAt();
    const isRx = rxAt <= txAt;
    const due = isRx ? rxAt : txAt;
    return due !== Infinity && cp.room(isRx ? 2 : 1) ? writtenAt(cp, due) : Infinity;
  }
}

/** What sends interrupts: completion rings on P4, notification queues on P5. */
export type Interrupter = CompletionRing | NotificationQueue;

/** The message that one arm bought leaves at `at`. */
export function postIrq(nic: Nic, from: Interrupter, at: Ps): void {
  const { faults, irqs, timing } = nic.parts;
  from.disarm(at);
  if (faults.armed && faults.fires(FAULT_IRQ_LOST)) return;
  irqs.post(from.irq, at + timing.msixPs);
}

export function postIrqIfDue(nic: Nic, from: Interrupter, now: Ps): void {
  const at = from.fireAt();
  if (at <= now) postIrq(nic, from, at);
}
