/**
 * How full the rings are and what is lost, over time: read off at even distances, by an alarm.
 *
 * To look is to settle the hardware to that moment, which it would have reached anyway, so nothing
 * that happens depends on it. A CPU that is inside a poll at that moment is seen at the end of it, and
 * its queue as far as it has looked; so a sample may hold the packets of a poll more or less than its
 * time says, and lazy and eager differ in which. Where samples would become too many, every second one is merged into
 * the next, and from then on they are twice as far apart. Looking ends when the machine has nothing
 * left to do.
 */
import type { Alarm, Ps } from '../host/clock.ts';
import { END_OF_TIME } from '../host/clock.ts';
import { Fates } from '../host/fates.ts';
import type { Machine } from '../machine.ts';

const MOST_SAMPLES = 2048;

export interface TimelineSample {
  readonly at: Ps;
  /** Since the sample before. */
  readonly offered: number;
  readonly received: number;
  /** By cause, as in `Fates.lost`. */
  readonly lost: Float64Array;
  /** By queue, of all NICs in turn: descriptors that the NIC may still fill. */
  readonly buffers: readonly number[];
}

export class Timeline {
  /** `eth0-0` and so on. */
  readonly queues: readonly string[];
  stepPs: Ps;
  samples: TimelineSample[] = [];
  private readonly machine: Machine;
  private readonly booksOf: () => Fates;
  private readonly alarm: Alarm;
  private before: Fates = new Fates();

  /** @param booksOf all NICs' books, as they stand */
  constructor(machine: Machine, stepPs: Ps, booksOf: () => Fates) {
    this.machine = machine;
    this.stepPs = stepPs;
    this.booksOf = booksOf;
    this.queues = machine.nics.flatMap(({ config }) =>
      Array.from({ length: config.queues }, (_, queue) => `${config.name}-${queue}`),
    );
    this.alarm = machine.clock.alarm((at) => this.look(at));
    this.alarm.set(stepPs);
  }

  private look(at: Ps): void {
    const { machine } = this;
    for (const { nic } of machine.nics) nic.settleAll(at);
    const books = this.booksOf();
    const { before } = this;
    this.samples.push({
      at,
      offered: books.offered - before.offered,
      received: books.received - before.received,
      lost: books.lost.map((n, cause) => n - before.lost[cause]!),
      buffers: machine.nics.flatMap(({ nic, config }) =>
        Array.from({ length: config.queues }, (_, queue) => nic.port.lanes[queue]?.ring?.free ?? 0),
      ),
    });
    this.before = books;
    if (this.samples.length === MOST_SAMPLES) this.thin();
    if (machine.quietUntil() < END_OF_TIME) this.alarm.set(at + this.stepPs);
  }

  private thin(): void {
    this.stepPs *= 2;
    const all = this.samples;
    this.samples = all.flatMap((sample, i) => (i % 2 === 0 ? [] : [merged(all[i - 1]!, sample)]));
  }
}

const merged = (first: TimelineSample, second: TimelineSample): TimelineSample => ({
  at: second.at,
  offered: first.offered + second.offered,
  received: first.received + second.received,
  lost: second.lost.map((n, cause) => n + first.lost[cause]!),
  buffers: second.buffers,
});
