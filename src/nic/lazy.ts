/**
 * The lazy pace: hardware is advanced, in bulk, only when somebody looks.
 *
 * A driver sees a NIC through memory it reads and interrupts; a NIC sees a driver through
 * doorbells. So whatever a NIC does between two such moments may as well happen at the second
 * one, in the order of time: the history is the same as if each arrival had been an event of its
 * own (`eager.ts` does just that, and a property test compares the two).
 *
 * What one queue owns (its ring, its DMA, its completions) is settled to the clock of the CPU
 * that looks. What queues share (the wire they transmit on) is settled no further than the
 * smallest of all CPU clocks, since a CPU that is behind may still ring a doorbell.
 */
import type { Ps } from '../host/clock.ts';
import { END_OF_TIME } from '../host/clock.ts';
import type { Cpu } from '../host/cpu.ts';
import type { Hardware } from '../host/scheduler.ts';
import type { CompletionRing } from './completionRing.ts';
import type { Interrupter, Nic, Pace } from './nic.ts';
import { postIrq, postIrqIfDue } from './nic.ts';
import type { NotificationQueue } from './notificationQueue.ts';

export class LazyHardware implements Hardware, Pace {
  private readonly nics: Nic[] = [];
  /** The shortest time from a transmission to its completion. */
  private txLookahead: Ps = Infinity;

  add(nic: Nic): void {
    this.nics.push(nic);
    this.txLookahead = Math.min(this.txLookahead, nic.parts.timing.txCompletePs);
  }

  settle(nic: Nic, cp: CompletionRing, cpu: Cpu): void {
    const now = cpu.now;
    if (!cpu.stepping) return this.settleAll(nic, now);
    nic.tx.settle(now < cpu.othersMin ? now : cpu.othersMin);
    this.settleQueue(nic, cp, now);
  }

  settleNq(nic: Nic, nq: NotificationQueue, cpu: Cpu): void {
    const now = cpu.now;
    if (!cpu.stepping) return this.settleAll(nic, now);
    nic.tx.settle(now < cpu.othersMin ? now : cpu.othersMin);
    for (const cp of nq.rings) this.settleQueue(nic, cp, now);
    nic.notifyDue(nq, now);
  }

  settleTx(nic: Nic, cpu: Cpu): void {
    if (!cpu.stepping) return this.settleAll(nic, cpu.now);
    nic.tx.settle(cpu.now < cpu.othersMin ? cpu.now : cpu.othersMin);
  }

  settleShared(until: Ps): void {
    for (const nic of this.nics) nic.tx.settle(until);
  }

  changed(_nic: Nic, _cp: CompletionRing): void {}

  settleAll(nic: Nic, now: Ps): void {
    nic.tx.settle(now);
    for (const cp of nic.completionRings) {
      this.settleQueue(nic, cp, now);
      if (cp.nq === null) postIrqIfDue(nic, cp, now);
    }
    for (const nq of nic.notificationQueues) {
      nic.notifyDue(nq, now);
      postIrqIfDue(nic, nq, now);
    }
    nic.port.settleRefused(now);
    nic.port.passMarks(now);
  }

  /** Accept every arrival up to `now`, then write every completion due by then. */
  private settleQueue(nic: Nic, cp: CompletionRing, now: Ps): void {
    const lane = cp.lane;
    if (lane !== null && lane.ring !== null) {
      const ring = lane.ring;
      if (now < cp.idleTo && now < lane.markAt) return;
      nic.port.makeTo(now);
      while (lane.markAt <= now) {
        nic.settleRx(cp, lane, ring, lane.markAt);
        lane.passMarks(lane.markAt);
      }
      if (!nic.settleRx(cp, lane, ring, now) && cp.txHead === cp.txTail)
        cp.idleTo = Math.min(nic.port.knownTo, lane.headAt(), ring.pendingHeadAt());
    } else nic.writeDue(cp, now);
  }

  /**
   * While CPUs wait: find the first interrupt, and go no further than it.
   *
   * Goes in slices, each shorter than the time a TX completion needs, so that no transmission
   * decided in a slice can interrupt within it, and none longer than what the ports know of their
   * arrivals. Once a slice has brought no interrupt, nobody can have looked at anything before its
   * end: only then is it made to have happened. An interrupt whose message is lost, or arrives after
   * the horizon, stops nothing.
   */
  runToIrq(horizon: Ps): void {
    if (this.isQuietTo(horizon)) return;
    for (;;) {
      let known = Infinity;
      let limit = horizon;
      for (const { port, tx } of this.nics) {
        const decided = tx.nextAt + this.txLookahead;
        if (decided < limit) limit = decided;
        if (port.knownTo < known) known = port.knownTo;
      }
      if (known < limit) limit = known;
      const fired = this.fireFirst(limit);
      if (fired !== null) {
        if (fired.parts.irqs.nextAt() <= horizon) return;
        continue;
      }
      this.settleShared(limit);
      if (limit === horizon) return;
      if (limit === known) this.passKnown(known);
    }
  }

  /** Nobody interrupts or decides to send by then, and no arrivals have to be made. */
  private isQuietTo(horizon: Ps): boolean {
    for (const { ahead, port, tx } of this.nics) {
      if (ahead.quietTo < horizon || port.knownTo < horizon || tx.nextAt <= horizon) return false;
    }
    return true;
  }

  /** All that ports know of has passed: take it off full lanes before more is made. */
  private passKnown(known: Ps): void {
    for (const nic of this.nics) {
      for (const cp of nic.completionRings) {
        if (cp.lane !== null && cp.lane.isLong) this.settleQueue(nic, cp, known);
      }
      nic.port.settleRefused(known);
      if (nic.port.knownTo === known) nic.port.makeTo(known + 1);
    }
  }

  /** Post the first interrupt at or before `limit`; of two at the same time, the lower ring's. @returns whose, null when there is none */
  private fireFirst(limit: Ps): Nic | null {
    let first = limit;
    let firstNic: Nic | null = null;
    let firstRing: Interrupter | null = null;
    for (const nic of this.nics) {
      if (nic.ahead.quietTo >= limit) continue;
      let next = Infinity;
      for (const cp of nic.completionRings) {
        if (cp.nq !== null || !cp.armed) continue;
        const at = knownIrq(nic, cp, limit);
        if (at < next) next = at;
        if (at < first || (at === first && firstRing === null)) {
          first = at;
          firstNic = nic;
          firstRing = cp;
        }
      }
      for (const nq of nic.notificationQueues) {
        if (!nq.armed) continue;
        const at = notifiedIrq(nic, nq, limit);
        if (at < next) next = at;
        if (at < first || (at === first && firstRing === null)) {
          first = at;
          firstNic = nic;
          firstRing = nq;
        }
      }
      nic.ahead.quietTo = next - 1;
    }
    if (firstRing !== null) postIrq(firstNic!, firstRing, first);
    return firstNic;
  }
}

/** As `knownIrq`, of an armed `nq`: with what it has, or what comes first. */
function notifiedIrq(nic: Nic, nq: NotificationQueue, limit: Ps): Ps {
  const known = nq.fireAt();
  if (known !== Infinity) return known;
  let first = Infinity;
  for (const cp of nq.rings) {
    if (!cp.armed) continue;
    const at = knownIrq(nic, cp, limit);
    if (at < first) first = at;
  }
  return nq.due(first);
}

/**
 * When an armed `cp` interrupts, if at or before `limit`; else some later time, before which it does
 * not. Searched for once for each state of the ring, as far as arrivals are known; a fault may fire
 * before that, and change what comes of them.
 */
function knownIrq(nic: Nic, cp: CompletionRing, limit: Ps): Ps {
  if (cp.irqAt !== Infinity) return cp.irqAt;
  if (cp.quietTo < limit) {
    const known = cp.lane === null ? END_OF_TIME : Math.min(nic.port.knownTo, END_OF_TIME);
    const to = nic.parts.faults.armed ? limit : known;
    const at = isForTxAlone(cp) ? txIrq(cp, to) : searchIrq(nic, cp, to);
    if (at <= to) return (cp.irqAt = at);
    cp.quietTo = to;
  }
  return cp.quietTo + 1;
}

/**
 * Nothing but transmissions completes, as far as is known; their times ascend, and each is one record.
 * They ascend because late ones are moved to the end of the step of one CPU, the ring's for good.
 */
const isForTxAlone = ({ lane, timerReset, coalRecords, slots }: CompletionRing): boolean =>
  !timerReset &&
  coalRecords <= slots &&
  (lane === null ||
    (lane.head === lane.tail && (lane.ring === null || lane.ring.pendingCount === 0)));

/** As `searchIrq`: then only the first and the last of the records that make a message matter. */
function txIrq(cp: CompletionRing, limit: Ps): Ps {
  const { unread, coalRecords, armedAt, txHead, txTail, txAt, mask } = cp;
  if (unread >= coalRecords) return cp.fireAt();
  const held = cp.halfAt === Infinity ? 0 : cp.halfAt; // nothing becomes visible before a late half
  const last = (txHead + coalRecords - unread - 1) | 0;
  let from = cp.timerFrom();
  if (from === Infinity) {
    const first = txHead === txTail ? Infinity : Math.max(txAt[txHead & mask]!, held);
    if (first > limit) return Infinity;
    from = cp.timerStart(first);
  }
  let at = from + cp.coalTimerPs;
  if (((txTail - last) | 0) > 0) at = Math.min(at, Math.max(txAt[last & mask]!, held));
  return Math.max(at, armedAt);
}

/**
 * When `cp` interrupts, if at or before `limit`; else Infinity or some later time.
 *
 * Looks ahead and changes nothing: another ring may interrupt first, and then whoever runs may
 * still change what becomes of this one. All arrivals up to `limit` lie in their lanes.
 */
function searchIrq(nic: Nic, cp: CompletionRing, limit: Ps): Ps {
  let records = cp.unread;
  if (records >= cp.coalRecords) return cp.fireAt();
  const held = cp.halfAt === Infinity ? 0 : cp.halfAt; // nothing becomes visible before a late half
  const { dmaPs, slotPs } = nic.rx;
  const { pcie } = nic.parts.timing;
  const { lane, slots, coalRecords, coalTimerPs, timerReset, armedAt, txTail } = cp;
  const ring = lane === null ? null : lane.ring;
  const pendingTail = ring === null ? 0 : ring.pendingTail;
  const arrivals = lane === null ? 0 : lane.tail;
  let from = cp.timerFrom();
  let pending = ring === null ? 0 : ring.pendingHead;
  let buffers = ring === null ? 0 : (ring.prod - ring.cons) & ring.mask;
  let dmaFreeAt = ring === null ? 0 : ring.dmaFreeAt;
  let arrival = lane === null ? 0 : lane.head;
  let tx = cp.txHead;
  for (;;) {
    let rxAt = Infinity;
    if (ring !== null && pending !== pendingTail) rxAt = ring.pendingAt(pending);
    else if (buffers > 0 && arrival !== arrivals) {
      const at = lane!.at[arrival & lane!.mask]!;
      if (at <= limit) {
        rxAt = at > dmaFreeAt ? at : dmaFreeAt;
        if (pcie === null) rxAt += slotPs + dmaPs;
        else {
          const n = lane!.frame[arrival & lane!.mask]!;
          if (nic.rx.backPressed(n, at, dmaFreeAt, Infinity)) {
            arrival = (arrival + 1) | 0;
            continue;
          }
          rxAt += nic.rx.slotOf(n) + dmaPs;
        }
      }
    }
    const txAt = tx === txTail ? Infinity : cp.txAt[tx & cp.mask]!;
    const isRx = rxAt <= txAt;
    const due = isRx ? rxAt : txAt;
    const at = due > held ? due : held;
    const timer = from + coalTimerPs;
    if (at > limit || at > timer || records + (isRx ? 2 : 1) > slots) {
      return timer > armedAt ? timer : armedAt;
    }
    if (timerReset) from = at;
    else if (from === Infinity) from = cp.timerStart(at);
    if (!isRx) tx = (tx + 1) | 0;
    else if (pending !== pendingTail) pending = (pending + 1) | 0;
    else {
      arrival = (arrival + 1) | 0;
      buffers--;
      dmaFreeAt = rxAt - dmaPs;
    }
    records += isRx ? 2 : 1;
    if (records >= coalRecords) return at > armedAt ? at : armedAt;
  }
}
