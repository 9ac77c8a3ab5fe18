/**
 * A lane: arrivals on their way to one RX queue, made ahead of time and not yet looked at.
 *
 * An arrival depends on nothing the machine does, so a whole block is made at once and sorted
 * into lanes in the order of arrival. Everything that does depend on the machine (is there a
 * buffer?) waits in the lane until the queue's own time has come.
 */
import type { Ps } from '../host/clock.ts';
import type { RxRing } from './rxRing.ts';
import { Fates } from '../host/fates.ts';
import { RingStats } from './stats.ts';

export class Lane {
  /** RX queue number, or the number of queues for the lane of frames the MAC refuses. */
  readonly index: number;
  /** Null while the driver has no ring for this queue. */
  ring: RxRing | null = null;
  readonly fates: Fates = new Fates();
  readonly stats: RingStats = new RingStats();
  /** Times and numbers of the waiting frames, [head, tail) free running; `rxEngine.ts` walks them. */
  at: Float64Array = new Float64Array(1024);
  frame: Int32Array = new Int32Array(1024);
  mask = 1023;
  head = 0;
  tail = 0;

  constructor(index: number) {
    this.index = index;
  }

  push(at: Ps, frame: number): void {
    if (this.tail - this.head > this.mask) this.grow();
    const i = this.tail++ & this.mask;
    this.at[i] = at;
    this.frame[i] = frame;
  }

  get size(): number {
    return this.tail - this.head;
  }

  /** When the first waiting frame arrives; Infinity when none is known. */
  headAt(): Ps {
    return this.head === this.tail ? Infinity : this.at[this.head & this.mask]!;
  }

  /** Number of the first waiting frame, which is thereby taken. */
  take(): number {
    return this.frame[this.head++ & this.mask]!;
  }

  private grow(): void {
    const old = this.at.length;
    const at = new Float64Array(old * 2);
    const frame = new Int32Array(old * 2);
    for (let i = 0; i < old; i++) {
      at[i] = this.at[(this.head + i) & (old - 1)]!;
      frame[i] = this.frame[(this.head + i) & (old - 1)]!;
    }
    this.at = at;
    this.frame = frame;
    this.mask = old * 2 - 1;
    this.head = 0;
    this.tail = old;
  }
}
