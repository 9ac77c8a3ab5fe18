/**
 * How full the rings are and what is lost, over time: read off at even distances, by an alarm.
 *
 * To look is to settle the hardware to that moment, which it would have reached anyway, so nothing
 * that happens depends on it. A queue that a CPU has taken further already remembers what it had
 * counted by then (`Lane.takeMark`), so what NICs do is told to the picosecond. A CPU that is inside
 * a poll is seen at the end of it: what the driver and the stack lose may be a sample early.
 * Where samples would become too many, every second one is merged into the next, and from then on
 * they are twice as far apart. Looking ends when the machine has nothing left to do.
 */
import type { Alarm, Ps } from '../host/clock.ts';
import { END_OF_TIME } from '../host/clock.ts';
import { Fates } from '../host/fates.ts';
import type { Lane, LaneMark } from '../nic/lane.ts';
import type { Machine } from '../machine.ts';
import { allFates } from './result.ts';

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
  private readonly alarm: Alarm;
  private readonly lanes: readonly Lane[];
  private before: Fates = new Fates();

  constructor(machine: Machine, stepPs: Ps) {
    this.machine = machine;
    this.stepPs = stepPs;
    this.queues = machine.nics.flatMap(({ config }) =>
      Array.from({ length: config.queues }, (_, queue) => `${config.name}-${queue}`),
    );
    this.lanes = machine.nics.flatMap(({ nic: { port } }) => [...port.lanes, port.refused]);
    this.alarm = machine.clock.alarm((at) => this.look(at), false);
    for (const lane of this.lanes) lane.rememberFrom(stepPs, stepPs);
    this.alarm.set(stepPs);
  }

  private look(at: Ps): void {
    const { machine, before } = this;
    for (const { nic } of machine.nics) nic.settleAll(at);
    const marks = new Map<Lane, LaneMark>();
    for (const lane of this.lanes) marks.set(lane, lane.takeMark(at));
    const books = allFates(machine, (lane) => marks.get(lane)!.fates);
    this.samples.push({
      at,
      offered: books.offered - before.offered,
      received: books.received - before.received,
      lost: books.lost.map((n, cause) => n - before.lost[cause]!),
      buffers: machine.nics.flatMap(({ nic, config }) =>
        nic.port.lanes.slice(0, config.queues).map((lane) => marks.get(lane)!.buffers),
      ),
    });
    this.before = books;
    if (this.samples.length === MOST_SAMPLES) this.thin(at);
    const now = allFates(machine);
    const ahead = now.offered > books.offered || now.received > books.received;
    if (ahead || machine.quietUntil() < END_OF_TIME) this.alarm.set(at + this.stepPs);
    else for (const lane of this.lanes) lane.rememberFrom(Infinity, Infinity);
  }

  private thin(at: Ps): void {
    this.stepPs *= 2;
    for (const lane of this.lanes) {
      const steps = Math.ceil((lane.markAt - at) / this.stepPs);
      lane.rememberFrom(at + steps * this.stepPs, this.stepPs);
    }
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
