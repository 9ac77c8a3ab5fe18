/**
 * Machines joined by cables, their clocks kept together.
 *
 * A frame that leaves one machine reaches the other no sooner than the cable is long. So all
 * machines run that far, one after the other and always in the same order; then what each has sent
 * is made known to the others, and the next round begins. Machines that have nothing to do are
 * skipped to where the first of them has.
 *
 * A CPU may overrun a round by the rest of one poll; a frame that should have reached it in that
 * time reaches it at the end of it.
 */
import type { Ps } from '../host/clock.ts';
import { END_OF_TIME, PS_PER_US } from '../host/clock.ts';
import { RangeRefused } from '../host/errors.ts';
import type { Machine } from '../machine.ts';
import { Inlet } from './inlet.ts';

/** Frames a NIC may be behind with. */
export const LAN_SLOTS = 1024;
/** 200 m of fibre: the shorter the cable, the more rounds a run takes. */
const DELAY_PS: Ps = PS_PER_US;

export interface LanPort {
  readonly machine: Machine;
  /** Number of the NIC. */
  readonly nic: number;
}

export class Lan {
  private readonly machines: Machine[] = [];
  private readonly inlets: Inlet[] = [];
  private shortest: Ps = Infinity;
  private now: Ps = 0;

  /** Frames that a NIC could not take in time, and those that the cable could not hold. */
  get books(): { readonly late: number; readonly lost: number } {
    let late = 0;
    let lost = 0;
    for (const inlet of this.inlets) {
      late += inlet.late;
      lost += inlet.lost;
    }
    return { late, lost };
  }

  /**
   * Join two NICs; each machine's `frameBytes` must have room for an inlet (`inletBytes`).
   *
   * @param delayPs from one end to the other
   * @throws RangeRefused for a cable without a length
   */
  connect(a: LanPort, b: LanPort, delayPs: Ps = DELAY_PS): void {
    if (!(delayPs >= 1)) throw new RangeRefused('link delay, in ps', delayPs, '1 or more');
    this.join(a, b, delayPs);
    this.join(b, a, delayPs);
    this.shortest = Math.min(this.shortest, delayPs);
  }

  private join(from: LanPort, to: LanPort, delayPs: Ps): void {
    const sends = from.machine.nics[from.nic]!.config.mtu;
    const takes = to.machine.nics[to.nic]!.config.mtu;
    if (sends > takes) {
      throw new RangeRefused('mtu of a NIC on a cable', sends, `at most ${takes}, the other end's`);
    }
    if (!this.machines.includes(from.machine)) this.machines.push(from.machine);
    const inlet = new Inlet(to.machine, to.nic, LAN_SLOTS);
    this.inlets.push(inlet);
    const { u8 } = from.machine.mem;
    from.machine.watchWire({
      frame: (port, time, at, len) => {
        if (port === from.nic) inlet.arrive(time + delayPs, u8.slice(at, at + len));
      },
    });
  }

  /** Run until `untilPs`, or until nothing is left to do on any machine. */
  run(untilPs: Ps): void {
    const end = Math.min(untilPs, END_OF_TIME - 1);
    for (const machine of this.machines) machine.open();
    while (this.now < end) {
      const next = this.nextAt();
      if (next === Infinity && untilPs >= END_OF_TIME) break;
      this.now = Math.min(end, Math.max(this.now, next) + this.shortest);
      for (const machine of this.machines) machine.run(this.now);
      for (const inlet of this.inlets) inlet.deliver();
    }
  }

  /** When the first machine has something to do. */
  private nextAt(): Ps {
    if (this.inlets.some((inlet) => !inlet.empty)) return this.now;
    let at = Infinity;
    for (const machine of this.machines) at = Math.min(at, machine.pausedUntil());
    return at;
  }
}
