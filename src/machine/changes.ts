/** What is to happen to a running machine from outside, by virtual time: the control path's diary. */
import type { Ps } from '../host/clock.ts';
import { END_OF_TIME } from '../host/clock.ts';
import { RangeRefused } from '../host/errors.ts';

interface PlannedChange {
  readonly at: Ps;
  readonly make: () => void;
}

export class Changes {
  /** The earliest first; those of one time in the order in which they were planned. */
  private readonly planned: PlannedChange[] = [];

  /**
   * @param present nothing is planned for a time that is over
   * @throws RangeRefused
   */
  plan(at: Ps, make: () => void, present: Ps): void {
    if (!Number.isInteger(at) || at < present || at >= END_OF_TIME) {
      throw new RangeRefused('time of a change', at, `${present} to ${END_OF_TIME - 1} ps`);
    }
    const behind = this.planned.findIndex((other) => other.at > at);
    this.planned.splice(behind < 0 ? this.planned.length : behind, 0, { at, make });
  }

  nextAt(): Ps {
    return this.planned[0]?.at ?? END_OF_TIME;
  }

  /** The next one, out of the diary; null when it lies behind `until`. */
  takeUntil(until: Ps): PlannedChange | null {
    return this.nextAt() <= until ? (this.planned.shift() ?? null) : null;
  }
}
