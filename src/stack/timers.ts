/**
 * The stack's timers: neighbours that do not answer, fragments that do not come.
 *
 * All share one alarm of the virtual clock. A timer that is due runs in a softirq of CPU 0. Moving
 * or stopping a timer costs nothing; an alarm that rings for nobody moves no clock.
 *
 * @linux kernel/time/timer.c
 */
import type { Alarm, Ps, VirtualClock } from '../host/clock.ts';
import type { Cpu } from '../host/cpu.ts';

export interface Timer {
  /** When it is due; Infinity: not set. Written by `TimerList` only. */
  at: Ps;
  expire(cpu: Cpu): void;
}

export class TimerList {
  private readonly pending: Set<Timer> = new Set();
  private readonly alarm: Alarm;

  /** @param due called when a timer is due: sees to it that `run` is called */
  constructor(clock: VirtualClock, due: (at: Ps) => void) {
    this.alarm = clock.alarm((at) => {
      if (this.nextAt() <= at) due(at);
      else this.rearm();
    });
  }

  /** @linux mod_timer */
  set(timer: Timer, at: Ps): void {
    timer.at = at;
    this.pending.add(timer);
    if (at < this.alarm.at) this.alarm.set(at);
  }

  /** @linux timer_delete */
  stop(timer: Timer): void {
    timer.at = Infinity;
    this.pending.delete(timer);
  }

  /** Everything that is due on `cpu`'s clock, oldest deadline first. @linux run_timer_softirq */
  run(cpu: Cpu): void {
    const due = [...this.pending].filter((timer) => timer.at <= cpu.now);
    for (const timer of due.toSorted((a, b) => a.at - b.at)) {
      this.stop(timer);
      timer.expire(cpu);
    }
    this.rearm();
  }

  private nextAt(): Ps {
    let at = Infinity;
    for (const timer of this.pending) if (timer.at < at) at = timer.at;
    return at;
  }

  private rearm(): void {
    const at = this.nextAt();
    if (at === Infinity) this.alarm.cancel();
    else this.alarm.set(at);
  }
}
