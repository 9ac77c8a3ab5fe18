/**
 * Who runs next: the CPU with the smallest clock, after the interrupts and alarms due before it.
 *
 * Before any CPU moves, the hardware is run to that CPU's clock and stops at the first interrupt;
 * nobody predicts a deadline. Ties have one order: hardware, interrupt, alarm, CPU.
 */
import type { Ps, VirtualClock } from './clock.ts';
import type { Cpu } from './cpu.ts';
import { CTX_HARDIRQ, CTX_IDLE } from './cpu.ts';
import type { IrqController } from './irq.ts';
import { OP_HARDIRQ } from './cost.ts';

/** All devices of a machine, as the scheduler sees them; lazy and eager are two implementations. */
export interface Hardware {
  /** Run to `horizon`, or until an interrupt is posted whose message arrives before it. */
  runToIrq(horizon: Ps): void;
  /** A step of some CPU ends: what CPUs share must have happened up to `until`. */
  settleShared(until: Ps): void;
}

export class Scheduler {
  readonly cpus: readonly Cpu[];
  readonly clock: VirtualClock;
  readonly irqs: IrqController;
  private readonly hardware: Hardware;

  constructor(cpus: readonly Cpu[], clock: VirtualClock, irqs: IrqController, hardware: Hardware) {
    this.cpus = cpus;
    this.clock = clock;
    this.irqs = irqs;
    this.hardware = hardware;
  }

  /**
   * Run the machine until every CPU has reached `until` or is idle with nothing due before it.
   * A CPU may overshoot by the rest of one poll.
   */
  run(until: Ps): void {
    for (;;) {
      const cpu = this.busyWithSmallestClock();
      const horizon = cpu === null || cpu.now > until ? until : cpu.now;
      const alarmAt = this.clock.nextAt();
      const eventAt = alarmAt < horizon ? alarmAt : horizon;
      const irqAt = this.irqs.nextAt();
      this.hardware.runToIrq(irqAt < eventAt ? irqAt : eventAt);
      if (this.irqs.nextAt() <= eventAt) this.interrupt();
      else if (alarmAt <= horizon) this.clock.ringNext();
      else if (cpu === null || cpu.now >= until) break;
      else this.step(cpu, horizon);
    }
  }

  private busyWithSmallestClock(): Cpu | null {
    let first: Cpu | null = null;
    for (const cpu of this.cpus) {
      if (cpu.work !== null && (first === null || cpu.now < first.now)) first = cpu;
    }
    return first;
  }

  /** Deliver the first pending message: the handler runs in front of whatever its CPU does. */
  private interrupt(): void {
    const at = this.irqs.nextAt();
    const line = this.irqs.take();
    const cpu = line.cpu;
    const awakeAt = cpu.awakeBy(at);
    if (awakeAt > at) return this.irqs.post(line, awakeAt);
    cpu.idleUntil(at);
    const interrupted = cpu.enter(CTX_HARDIRQ);
    cpu.charge(OP_HARDIRQ);
    if (line.handler === null) line.spurious++;
    else {
      line.delivered++;
      line.deliveredAt = cpu.now;
      line.handler();
    }
    cpu.enter(interrupted);
    cpu.irqExit();
  }

  /** One step of `cpu`: until its work yields, which it does after each poll. */
  private step(cpu: Cpu, horizon: Ps): void {
    let othersMin = Infinity;
    for (const other of this.cpus) {
      if (other === cpu) continue;
      const clock = other.work === null ? horizon : other.now;
      if (clock < othersMin) othersMin = clock;
    }
    cpu.othersMin = othersMin;
    cpu.stepping = true;
    const work = cpu.work!;
    const began = cpu.now;
    const { done } = work.next();
    cpu.stepping = false;
    if (done === true) {
      cpu.work = null;
      cpu.enter(CTX_IDLE);
      cpu.runQueue.schedule();
    } else cpu.runQueue.stepped(work, cpu.now - began);
    const sharedSeen = Math.min(cpu.now, othersMin);
    this.hardware.settleShared(sharedSeen);
    cpu.stepEnd = cpu.now;
    cpu.sharedSeen = sharedSeen;
  }
}
