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
import type { Cpu } from '../host/cpu.ts';
import { FAULT_IRQ_LOST } from '../host/faults.ts';
import type { Hardware } from '../host/scheduler.ts';
import type { CompletionRing } from './completionRing.ts';
import type { Nic, Pace } from './nic.ts';

export class LazyHardware implements Hardware, Pace {
  private readonly nics: Nic[] = [];

  add(nic: Nic): void {
    this.nics.push(nic);
  }

  settle(nic: Nic, cp: CompletionRing, cpu: Cpu): void {
    const now = cpu.now;
    nic.tx.settle(now < cpu.othersMin ? now : cpu.othersMin);
    this.settleQueue(nic, cp, now);
  }

  settleTx(nic: Nic, cpu: Cpu): void {
    nic.tx.settle(cpu.now < cpu.othersMin ? cpu.now : cpu.othersMin);
  }

  changed(_nic: Nic, _cp: CompletionRing): void {}

  settleAll(nic: Nic, now: Ps): void {
    nic.tx.settle(now);
    for (const cp of nic.completionRings) this.settleQueue(nic, cp, now);
    nic.port.settleRefused(now);
  }

  /** Accept every arrival up to `now`, then write every completion due by then. */
  private settleQueue(nic: Nic, cp: CompletionRing, now: Ps): void {
    const lane = cp.lane;
    if (lane !== null && lane.ring !== null) {
      const ring = lane.ring;
      nic.port.makeTo(now);
      nic.rx.receive(cp, lane, ring, now);
    }
    nic.writeDue(cp, now);
  }

  /**
   * While CPUs wait: find the first interrupt, and go no further than it.
   *
   * Transmissions are decided in slices shorter than the time a TX completion needs, so that no
   * slice can bring an interrupt that lies before its own end.
   */
  runToIrq(horizon: Ps): void {
    for (;;) {
      const txAt = this.nextTxAt();
      const limit = Math.min(horizon, txAt + this.txLookahead());
      if (this.fireFirst(limit) || txAt > horizon) return;
      for (const nic of this.nics) nic.tx.settle(limit);
    }
  }

  private nextTxAt(): Ps {
    let at = Infinity;
    for (const nic of this.nics) at = Math.min(at, nic.tx.nextAt());
    return at;
  }

  private txLookahead(): Ps {
    let ps = Infinity;
    for (const nic of this.nics) ps = Math.min(ps, nic.parts.timing.txCompletePs);
    return ps;
  }

  /** Post the first interrupt at or before `limit`; of two at the same time, the lower ring's. @returns false when there is none */
  private fireFirst(limit: Ps): boolean {
    let first = limit;
    let firstNic: Nic | null = null;
    let firstRing: CompletionRing | null = null;
    for (const nic of this.nics) {
      for (const cp of nic.completionRings) {
        if (!cp.armed) continue;
        const at = this.searchIrq(nic, cp, first);
        if (at < first || (at === first && firstRing === null)) {
          first = at;
          firstNic = nic;
          firstRing = cp;
        }
      }
    }
    if (firstRing === null) return false;
    postIrq(firstNic!, firstRing, first);
    return true;
  }

  /**
   * When `cp` interrupts, if at or before `limit`; else Infinity. Arrivals past that moment are
   * not accepted: whether there is a buffer for them is decided after the interrupt.
   */
  private searchIrq(nic: Nic, cp: CompletionRing, limit: Ps): Ps {
    const lane = cp.lane !== null && cp.lane.ring !== null ? cp.lane : null;
    for (;;) {
      const fire = cp.fireAt();
      const bound = fire < limit ? fire : limit;
      const arrival = lane === null ? Infinity : nic.port.headAt(lane, bound);
      const due = nic.nextDueAt(cp);
      if (arrival <= due && arrival <= bound)
        nic.rx.receive(cp, lane!, lane!.ring!, arrival);
      else if (due <= bound) nic.writeDue(cp, due);
      else return fire <= limit ? fire : Infinity;
    }
  }
}

/** The message that one arm bought leaves at `at`. */
export function postIrq(nic: Nic, cp: CompletionRing, at: Ps): void {
  const { faults, irqs, timing } = nic.parts;
  cp.armed = false;
  if (faults.armed && faults.fires(FAULT_IRQ_LOST)) return;
  irqs.post(cp.irq, at + timing.msixPs);
}
