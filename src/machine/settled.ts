/**
 * When a machine had dealt with all its packets, though timers went on.
 *
 * A neighbour that does not answer is probed for seconds, fragments are kept for half a minute:
 * long after the traffic, in which nothing is received. Rates and CPU shares are over the time
 * before. Whenever a timer of the stack rings, this looks whether anything is left to do; if not,
 * and if nothing comes any more, that moment was the end of the traffic.
 */
import type { Ps } from '../host/clock.ts';
import type { Machine } from '../machine.ts';
import { allFates } from './result.ts';

export interface SettledBooks {
  readonly ps: Ps;
  /** Frames sent by then. */
  readonly onWire: number;
  /** Of each CPU: picoseconds by context, indexed by `CTX_*`. */
  readonly spent: readonly Float64Array[];
}

export class Settled {
  private readonly machine: Machine;
  private books: SettledBooks | null = null;
  /** What had come by then: more of it, and the traffic has gone on. */
  private come = 0;

  constructor(machine: Machine) {
    this.machine = machine;
  }

  /** A timer of the stack is due at `at`, and no CPU is woken for it yet. */
  timerRings(at: Ps): void {
    const { machine } = this;
    for (const { nic } of machine.nics) nic.settleAll(at);
    const come = this.arrivals();
    if (this.books !== null && come === this.come) return;
    this.come = come;
    this.books = machine.idle ? this.booksNow() : null;
  }

  /** As of the end of the traffic. */
  result(): SettledBooks {
    return this.books !== null && this.arrivals() === this.come ? this.books : this.booksNow();
  }

  private arrivals(): number {
    const { offered, received } = allFates(this.machine);
    return offered + received;
  }

  private booksNow(): SettledBooks {
    const { cpus } = this.machine;
    for (const cpu of cpus) cpu.enter(cpu.context);
    return {
      ps: Math.max(...cpus.map((cpu) => cpu.now)),
      onWire: allFates(this.machine).onWire,
      spent: cpus.map((cpu) => cpu.spent.slice()),
    };
  }
}
