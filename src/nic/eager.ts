/**
 * The eager pace: every arrival, completion, timer and transmission is an event of its own, and
 * happens when its time comes.
 *
 * A CPU's clock drives it: whenever the clock of a CPU moves, the events of the queues which that
 * CPU polls happen up to the new time, one by one, and those of what queues share up to the
 * smallest of all clocks. A CPU polls a queue from its first look or doorbell until its poll is
 * complete or its step ends; which CPU that is may change, and nobody may see what is only another's
 * present. So it is an independent check of `lazy.ts`; and it serves people who change a driver in
 * ways that laziness may not assume (a buffer written after it was given away).
 */
import type { Ps } from '../host/clock.ts';
import type { Cpu } from '../host/cpu.ts';
import type { Hardware } from '../host/scheduler.ts';
import type { CompletionRing } from './completionRing.ts';
import { postIrq } from './nic.ts';
import type { Interrupter, Nic, Pace } from './nic.ts';
import type { NotificationQueue } from './notificationQueue.ts';

/** In the order in which events of the same time happen. */
const ARRIVAL = 0;
const COMPLETION = 1;
const TRANSMIT = 2;
const NOTIFY = 3;
const INTERRUPT = 4;

interface Event {
  at: Ps;
  kind: number;
  nic: Nic;
  /** Whose event it is; null for what rings share. */
  ring: Interrupter | null;
}

export class EagerHardware implements Hardware, Pace {
  private readonly nics: Nic[] = [];
  /** Inside an event: what it does to clocks and rings must not start another round. */
  private busy = false;
  /** In this step: who polls a queue. */
  private readonly pollers: Map<CompletionRing, Cpu> = new Map();

  /** Takes over the clocks of `cpus`. */
  constructor(cpus: readonly Cpu[]) {
    for (const cpu of cpus) this.drive(cpu);
  }

  add(nic: Nic): void {
    this.nics.push(nic);
  }

  /** Nothing is behind when a CPU looks, or rings a doorbell, unless the control path does. */
  settle(nic: Nic, cp: CompletionRing, cpu: Cpu): void {
    this.look(nic, cp, cpu, 0);
  }

  private look(nic: Nic, cp: CompletionRing, cpu: Cpu, unsureNotifiedPs: Ps): void {
    this.settleTx(nic, cpu);
    if (!cpu.stepping) return;
    // rings of one notification queue go together, or their notifications would change places
    const together = cp.nq === null ? [cp] : cp.nq.rings;
    for (const ring of together) this.pollers.set(ring, cpu);
    this.runFor(cpu, cpu.now, Infinity, unsureNotifiedPs);
    for (const ring of together) ring.lane?.passMarks(cpu.now);
  }

  settleNq(nic: Nic, nq: NotificationQueue, cpu: Cpu): void {
    if (nq.rings.length > 0) this.look(nic, nq.rings[0]!, cpu, Infinity);
    else this.settleTx(nic, cpu);
  }

  settleTx(nic: Nic, cpu: Cpu): void {
    if (!cpu.stepping) this.settleAll(nic, cpu.now);
  }

  changed(nic: Nic, cp: CompletionRing): void {
    // an acknowledgement may have made room for completions that were due already
    nic.writeDue(cp, (this.pollers.get(cp) ?? cp.irq.cpu).now);
  }

  settleAll(nic: Nic, now: Ps): void {
    this.runAll(now, (e) => e.nic === nic);
    nic.port.settleRefused(now);
    nic.port.passMarks(now);
  }

  runToIrq(horizon: Ps): void {
    for (;;) {
      const event = this.first(horizon, (e) => e.at <= horizon);
      if (event === null) return;
      happen(event);
      if (event.kind === INTERRUPT && event.nic.parts.irqs.nextAt() <= horizon) return;
    }
  }

  /** A step may end without having moved the clock. */
  settleShared(until: Ps): void {
    this.pollers.clear();
    this.runAll(until, (e) => e.kind === TRANSMIT);
  }

  /** From now on, moving this CPU's clock lets its hardware happen. */
  private drive(cpu: Cpu): void {
    cpu.timeAt = 0;
    const charge = cpu.charge.bind(cpu);
    const chargeTimes = cpu.chargeTimes.bind(cpu);
    const happenUntilNow = (): void => {
      if (cpu.stepping && !this.busy) this.runFor(cpu, cpu.now, 0, 0);
    };
    cpu.charge = (op): void => {
      charge(op);
      happenUntilNow();
    };
    cpu.chargeTimes = (op, n): void => {
      chargeTimes(op, n);
      happenUntilNow();
    };
    cpu.pollOver = (): void => {
      for (const [ring, poller] of this.pollers) if (poller === cpu) this.pollers.delete(ring);
    };
  }

  /**
   * The events that `cpu` can see the effects of, up to its present. Its interrupts are not among
   * them: it takes none before the step ends, and until then a ring may still be set otherwise.
   *
   * Of completions and notifications whose place among those of transmissions is not certain yet,
   * because another CPU is far behind, no more happen than `unsurePs` and `unsureNotifiedPs` after the
   * last certain one: all when this CPU looks at their ring or notification queue, none while only
   * its clock moves.
   */
  private runFor(cpu: Cpu, now: Ps, unsurePs: Ps, unsureNotifiedPs: Ps): void {
    this.busy = true;
    const shared = Math.min(now, cpu.othersMin);
    for (;;) {
      const event = this.first(now, (e) =>
        e.kind === TRANSMIT
          ? e.at <= shared
          : e.kind !== INTERRUPT &&
            this.pollers.get(e.ring as CompletionRing) === cpu &&
            e.at <= now &&
            (e.kind === ARRIVAL ||
              e.at <=
                shared +
                  e.nic.parts.timing.txCompletePs +
                  (e.kind === NOTIFY ? unsureNotifiedPs : unsurePs)),
      );
      if (event === null) break;
      happen(event);
    }
    this.busy = false;
  }

  /** The events up to `horizon` that `wanted` lets through, in the order of time. */
  private runAll(horizon: Ps, wanted: (event: Event) => boolean): void {
    for (;;) {
      const event = this.first(horizon, (e) => e.at <= horizon && wanted(e));
      if (event === null) return;
      happen(event);
    }
  }

  /** The first event up to `limit` that `wanted` lets through; ties by kind, then NIC, then ring. */
  private first(limit: Ps, wanted: (event: Event) => boolean): Event | null {
    let best: Event | null = null;
    for (const event of this.due(limit)) {
      if (!wanted(event)) continue;
      if (best === null || event.at < best.at || (event.at === best.at && event.kind < best.kind))
        best = event;
    }
    return best;
  }

  /** The next event of each kind and ring. */
  private *due(limit: Ps): Generator<Event> {
    for (const nic of this.nics) {
      yield { at: nic.tx.nextAt, kind: TRANSMIT, nic, ring: null };
      for (const cp of nic.completionRings) {
        const lane = cp.lane;
        if (lane !== null && lane.ring !== null) {
          yield { at: nic.port.headAt(lane, limit), kind: ARRIVAL, nic, ring: cp };
        }
        yield { at: nic.nextDueAt(cp), kind: COMPLETION, nic, ring: cp };
        yield { at: cp.fireAt(), kind: cp.nq === null ? INTERRUPT : NOTIFY, nic, ring: cp };
      }
      for (const nq of nic.notificationQueues) {
        yield { at: nq.fireAt(), kind: INTERRUPT, nic, ring: nq };
      }
    }
  }
}

function happen({ at, kind, nic, ring }: Event): void {
  if (kind === TRANSMIT) return nic.tx.transmitNext(at);
  if (kind === INTERRUPT) return postIrq(nic, ring!, at);
  const cp = ring as CompletionRing;
  cp.lane?.passMarks(at - 1);
  if (kind === ARRIVAL) nic.rx.receive(cp.lane!, cp.lane!.ring!, at);
  else if (kind === COMPLETION) nic.writeDue(cp, at);
  else cp.nq!.notify(nic.parts.mem.words, cp);
}
