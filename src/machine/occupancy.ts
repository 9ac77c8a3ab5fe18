/**
 * How full rings are, and what has been lost by then, over a run: samples at a steady interval.
 *
 * A sample is an alarm of the virtual clock. It looks at what has happened by then and changes
 * nothing: hardware is advanced to a moment that no CPU is still in front of. When there are as
 * many samples as are kept, every second one goes and the interval doubles, so a run of any length
 * costs as much. Sampling ends when nothing is left to do.
 */
import type { Alarm, Ps } from '../host/clock.ts';
import { END_OF_TIME } from '../host/clock.ts';
import { RangeRefused } from '../host/errors.ts';
import { LOSS_CAUSES } from '../host/fates.ts';
import type { Machine, MachineNic } from '../machine.ts';
import { nicFates } from './result.ts';

/** So many samples are thinned out; even. */
export const OCCUPANCY_SAMPLES = 256;

/** One RX queue and what shares its NAPI; an entry for each sample. */
export interface QueueOccupancy {
  readonly nic: string;
  readonly queue: number;
  /** Buffers that the NIC may fill. */
  readonly buffers: number[];
  /** Frames on their way into memory, whose completion is not visible yet. */
  readonly dma: number[];
  /** Completion records that the driver has not acknowledged: two for a frame, one for a transmission. */
  readonly unread: number[];
  /** Descriptors on the NAPI's TX ring that the driver has not taken back. */
  readonly tx: number[];
}

export class Occupancy {
  /** When each sample was taken. */
  readonly at: Ps[] = [];
  readonly queues: readonly QueueOccupancy[];
  /** Losses up to each sample, by cause; causes that never struck are left out. */
  readonly lost: Record<string, number[]> = {};
  /** From one sample to the next. */
  everyPs: Ps;
  private readonly machine: Machine;
  private readonly alarm: Alarm;

  /**
   * Samples `machine` from now on.
   *
   * @throws RangeRefused for an interval that is not longer than nothing
   */
  constructor(machine: Machine, everyPs: Ps) {
    if (!Number.isInteger(everyPs) || everyPs < 1)
      throw new RangeRefused('sampling interval', `${everyPs} ps`, '1 ps or more');
    this.machine = machine;
    this.everyPs = everyPs;
    this.queues = machine.nics.flatMap(({ config, nic }) =>
      nic.port.lanes.map((_, queue) => ({
        ...{ nic: config.name, queue },
        ...{ buffers: [], dma: [], unread: [], tx: [] },
      })),
    );
    this.alarm = machine.clock.alarm((at) => this.sample(at), false);
    this.alarm.set(machine.present + everyPs);
  }

  private sample(at: Ps): void {
    this.at.push(at);
    let i = 0;
    for (const nic of this.machine.nics) {
      nic.nic.settleAll(at);
      for (let queue = 0; queue < nic.nic.port.lanes.length; queue++)
        record(this.queues[i++]!, nic, queue);
    }
    this.recordLosses();
    if (this.at.length === OCCUPANCY_SAMPLES) this.thin();
    const next = this.nextAt(at);
    if (next < END_OF_TIME) this.alarm.set(next);
  }

  /** One interval on; while the machine is quiet, as many as that lasts. */
  private nextAt(at: Ps): Ps {
    const { machine, everyPs } = this;
    const quietUntil = machine.quietUntil();
    if (quietUntil <= machine.present) return at + everyPs;
    return at + Math.max(1, Math.ceil((quietUntil - at) / everyPs)) * everyPs;
  }

  private recordLosses(): void {
    const { lost, at, machine } = this;
    const now = new Float64Array(LOSS_CAUSES.length);
    machine.nics.forEach((nic, i) => {
      const fates = nicFates(nic, i === 0 ? machine.xdp.fates : null);
      for (let cause = 0; cause < now.length; cause++) now[cause]! += fates.lost[cause]!;
    });
    LOSS_CAUSES.forEach(({ name }, cause) => {
      if (now[cause] === 0 && lost[name] === undefined) return;
      const series = (lost[name] ??= Array<number>(at.length - 1).fill(0));
      series.push(now[cause]!);
    });
  }

  /** Keep every second sample, the newest among them. */
  private thin(): void {
    const series = this.queues.flatMap(({ buffers, dma, unread, tx }) => [
      buffers,
      dma,
      unread,
      tx,
    ]);
    for (const numbers of [this.at, ...series, ...Object.values(this.lost)]) {
      for (let i = 0; 2 * i + 1 < numbers.length; i++) numbers[i] = numbers[2 * i + 1]!;
      numbers.length >>= 1;
    }
    this.everyPs *= 2;
  }
}

/** A queue without a ring, of a device that is down, has nothing. */
function record(to: QueueOccupancy, { nic, bp }: MachineNic, queue: number): void {
  const { ring } = nic.port.lanes[queue]!;
  const txr = bp.bnapi[queue]?.txRing[0];
  to.buffers.push(ring === null ? 0 : (ring.prod - ring.cons) & ring.mask);
  to.dma.push(ring === null ? 0 : ring.pendingCount);
  to.unread.push(ring === null ? 0 : ring.cp.unread);
  to.tx.push(txr === undefined ? 0 : (txr.txProd - txr.txCons) & 0xffff);
}
