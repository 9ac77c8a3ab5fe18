/**
 * Virtual time and its alarms.
 *
 * A point in time is a float64 that holds whole picoseconds below 2^53, about two and a half
 * hours; longer runs are refused at the door. Time moves only by charged work (`cpu.ts`) and by
 * waiting (`scheduler.ts`).
 */
import { RangeRefused } from './errors.ts';

/** Whole picoseconds since the machine was built. */
export type Ps = number;

export const PS_PER_NS = 1000;
export const PS_PER_US = 1_000_000;
export const PS_PER_MS = 1_000_000_000;
export const PS_PER_SEC = 1_000_000_000_000;
/** First value that float64 cannot count through by ones. */
export const END_OF_TIME: Ps = 2 ** 53;

/** @throws RangeRefused when `ps` is no whole number of picoseconds a run can reach */
export function checkedPs(what: string, ps: number): Ps {
  if (!(ps >= 0) || ps >= END_OF_TIME) {
    throw new RangeRefused(
      what,
      `${ps / PS_PER_SEC} s`,
      `0 to ${Math.floor(END_OF_TIME / PS_PER_SEC)} s`,
    );
  }
  return Math.round(ps);
}

/** A one-shot timer on the virtual clock; armed again as often as its owner likes. */
export interface Alarm {
  readonly at: Ps;
  readonly armed: boolean;
  set(at: Ps): void;
  cancel(): void;
}

class ClockAlarm implements Alarm {
  at: Ps = Infinity;
  readonly ring: (at: Ps) => void;
  readonly keepsRun: boolean;
  private readonly clock: VirtualClock;

  constructor(ring: (at: Ps) => void, keepsRun: boolean, clock: VirtualClock) {
    this.ring = ring;
    this.keepsRun = keepsRun;
    this.clock = clock;
  }

  get armed(): boolean {
    return this.at !== Infinity;
  }

  set(at: Ps): void {
    this.at = at;
    this.clock.lookAgain();
  }

  cancel(): void {
    this.set(Infinity);
  }
}

/**
 * The alarms of one machine. A machine has a handful (timers of NAPIs, scenario entries), so the
 * next one is found by looking; two due at the same time ring in the order they were made.
 */
export class VirtualClock {
  private readonly alarms: ClockAlarm[] = [];
  private next: Ps = Infinity;

  /** @param keepsRun is it part of what a run waits for, and not only something that looks on? */
  alarm(ring: (at: Ps) => void, keepsRun: boolean = true): Alarm {
    const alarm = new ClockAlarm(ring, keepsRun, this);
    this.alarms.push(alarm);
    return alarm;
  }

  /** When the next alarm is due; Infinity when none is armed. */
  nextAt(): Ps {
    return this.next;
  }

  /** As `nextAt`, of those that a run waits for. */
  nextKeptAt(): Ps {
    let next = Infinity;
    for (const alarm of this.alarms) if (alarm.keepsRun && alarm.at < next) next = alarm.at;
    return next;
  }

  /** An alarm was set or cancelled, which is rarer than that somebody asks for the next. */
  lookAgain(): void {
    let next = Infinity;
    for (const alarm of this.alarms) if (alarm.at < next) next = alarm.at;
    this.next = next;
  }

  /** Ring the one alarm that is due first. */
  ringNext(): void {
    let first: ClockAlarm | null = null;
    for (const alarm of this.alarms) if (alarm.at < (first?.at ?? Infinity)) first = alarm;
    if (first === null) return;
    const at = first.at;
    first.cancel();
    first.ring(at);
  }
}
