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

/** Shorter runs are quicker copied one by one. */
const SHORT_RUN = 32;

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

  /** The arrivals [from, to) of a block. */
  pushRun(at: Float64Array, frame: Int32Array, from: number, to: number): void {
    const count = to - from;
    while (this.tail - this.head + count > this.mask + 1) this.grow();
    const i = this.tail & this.mask;
    if (count < SHORT_RUN || i + count > this.mask + 1) {
      for (let k = from; k < to; k++) this.push(at[k]!, frame[k]!);
      return;
    }
    this.at.set(at.subarray(from, to), i);
    this.frame.set(frame.subarray(from, to), i);
    this.tail += count;
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
    const { size } = this;
    const at = new Float64Array(old * 2);
    const frame = new Int32Array(old * 2);
    for (let i = 0; i < size; i++) {
      at[i] = this.at[(this.head + i) & (old - 1)]!;
      frame[i] = this.frame[(this.head + i) & (old - 1)]!;
    }
    this.at = at;
    this.frame = frame;
    this.mask = old * 2 - 1;
    this.head = 0;
    this.tail = size;
  }
}
