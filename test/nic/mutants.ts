/**
 * Lazy paces with one settle point removed or displaced: each must be told from the eager pace.
 *
 * None changes the NIC or the driver; they only let less, or more, happen at one of the moments at
 * which the lazy pace is called.
 */
import { END_OF_TIME } from '../../src/host/clock.ts';
import type { Ps } from '../../src/host/clock.ts';
import type { Cpu } from '../../src/host/cpu.ts';
import { CompletionRing } from '../../src/nic/completionRing.ts';
import {
  DBR_TYPE_CQ_ARMALL,
  DBR_TYPE_NQ_ARM,
  dbArms,
  dbrType,
} from '../../src/nic/hsi/doorbell.ts';
import { LazyHardware } from '../../src/nic/lazy.ts';
import type { Nic } from '../../src/nic/nic.ts';
import { NotificationQueue } from '../../src/nic/notificationQueue.ts';
import { RxRing } from '../../src/nic/rxRing.ts';

type Point = 'look' | 'ack' | 'arm' | 'rxDoorbell' | 'txDoorbell';

/** The lazy pace, knowing for what it is asked. */
class Knowing extends LazyHardware {
  protected readonly all: Nic[] = [];
  protected point: Point = 'look';

  override add(nic: Nic): void {
    super.add(nic);
    this.all.push(nic);
    const { doorbell, settle } = nic;
    nic.doorbell = (offset, lo, hi, now, cpu) => {
      this.point = pointOf(nic, offset, lo, hi);
      doorbell.call(nic, offset, lo, hi, now, cpu);
    };
    nic.settle = (offset, hi, cpu) => {
      this.point = 'look';
      return settle.call(nic, offset, hi, cpu);
    };
  }
}

function pointOf(nic: Nic, offset: number, lo: number, hi: number): Point {
  const bell = nic.bellAt(offset, hi);
  if (bell instanceof NotificationQueue) return dbrType(hi) === DBR_TYPE_NQ_ARM ? 'arm' : 'ack';
  if (bell instanceof CompletionRing)
    return (hi === 0 ? dbArms(lo) : dbrType(hi) === DBR_TYPE_CQ_ARMALL) ? 'arm' : 'ack';
  return bell instanceof RxRing ? 'rxDoorbell' : 'txDoorbell';
}

class Without extends Knowing {
  private readonly missing: readonly Point[];

  constructor(...missing: Point[]) {
    super();
    this.missing = missing;
  }

  override settle(nic: Nic, cp: CompletionRing, cpu: Cpu): void {
    if (!this.missing.includes(this.point)) super.settle(nic, cp, cpu);
  }

  override settleNq(nic: Nic, nq: NotificationQueue, cpu: Cpu): void {
    if (!this.missing.includes(this.point)) super.settleNq(nic, nq, cpu);
  }

  override settleTx(nic: Nic, cpu: Cpu): void {
    if (!this.missing.includes(this.point)) super.settleTx(nic, cpu);
  }
}

/** What happens at the very moment of a look or a doorbell comes after it. */
class TiesSwapped extends Knowing {
  override settle(nic: Nic, cp: CompletionRing, cpu: Cpu): void {
    const before: Cpu = Object.create(cpu, { now: { value: cpu.now - 1 } });
    super.settle(nic, cp, before);
  }

  override settleNq(nic: Nic, nq: NotificationQueue, cpu: Cpu): void {
    super.settleNq(nic, nq, Object.create(cpu, { now: { value: cpu.now - 1 } }));
  }
}

/** The wire is settled to the clock of the CPU that asks, though others are behind. */
class WireAhead extends Knowing {
  override settle(nic: Nic, cp: CompletionRing, cpu: Cpu): void {
    super.settle(nic, cp, alone(cpu));
  }

  override settleNq(nic: Nic, nq: NotificationQueue, cpu: Cpu): void {
    super.settleNq(nic, nq, alone(cpu));
  }

  override settleTx(nic: Nic, cpu: Cpu): void {
    super.settleTx(nic, alone(cpu));
  }
}

const alone = (cpu: Cpu): Cpu =>
  Object.create(cpu, { now: { value: cpu.now }, othersMin: { value: Infinity } });

class NothingAtStepEnd extends Knowing {
  private searching = false;

  override settleShared(until: Ps): void {
    if (this.searching) super.settleShared(until);
  }

  override runToIrq(horizon: Ps): void {
    this.searching = true;
    super.runToIrq(horizon);
    this.searching = false;
  }
}

/** While CPUs wait, everything up to the horizon happens at once, whatever interrupts before. */
class PastTheInterrupt extends Knowing {
  override runToIrq(horizon: Ps): void {
    for (const nic of this.all) super.settleAll(nic, horizon);
    super.runToIrq(horizon);
  }
}

/** While CPUs wait, all transmissions happen first. */
class WirePastTheInterrupt extends Knowing {
  override runToIrq(horizon: Ps): void {
    this.settleShared(horizon);
    super.runToIrq(horizon);
  }
}

/** Interrupts are looked for beyond the clock of the CPU that runs next. */
class HorizonIgnored extends Knowing {
  override runToIrq(_horizon: Ps): void {
    super.runToIrq(END_OF_TIME - 1);
  }
}

/** Interrupts are looked for only while no CPU has work. */
class OnlyWhenIdle extends Knowing {
  private readonly cpus: readonly Cpu[];

  constructor(cpus: readonly Cpu[]) {
    super();
    this.cpus = cpus;
  }

  override runToIrq(horizon: Ps): void {
    if (this.cpus.every((cpu) => cpu.work === null)) super.runToIrq(horizon);
  }
}

/** What was found out while a notification queue was not armed is believed when it is. */
class ArmedUnnoticed extends Knowing {
  override add(nic: Nic): void {
    super.add(nic);
    const { doorbell } = nic;
    nic.doorbell = (offset, lo, hi, now, cpu) => {
      const { quietTo } = nic.ahead;
      doorbell.call(nic, offset, lo, hi, now, cpu);
      if (nic.bellAt(offset, hi) instanceof NotificationQueue) nic.ahead.quietTo = quietTo;
    };
  }
}

class ControlPathUnsettled extends Knowing {
  override settleAll(): void {}
}

export interface Mutant {
  readonly name: string;
  make(cpus: readonly Cpu[]): LazyHardware;
}

/** Each changes a history. */
export const MUTANTS: readonly Mutant[] = [
  { name: 'no settling when a slot reads empty', make: () => new Without('look') },
  { name: 'no settling before an RX doorbell', make: () => new Without('rxDoorbell') },
  { name: 'no settling before a TX doorbell', make: () => new Without('txDoorbell') },
  { name: 'an arrival and a look at the same picosecond swapped', make: () => new TiesSwapped() },
  { name: 'the wire settled past the slowest CPU', make: () => new WireAhead() },
  { name: 'arrivals taken past the first interrupt', make: () => new PastTheInterrupt() },
  {
    name: 'transmissions decided past the first interrupt',
    make: () => new WirePastTheInterrupt(),
  },
  { name: 'interrupts sought beyond the next CPU to run', make: () => new HorizonIgnored() },
  { name: 'interrupts sought only while all CPUs idle', make: (cpus) => new OnlyWhenIdle(cpus) },
  { name: 'no settling before an acknowledgement', make: () => new Without('ack') },
  { name: 'no settling before arming', make: () => new Without('arm') },
  { name: 'no looking ahead anew once a queue is armed', make: () => new ArmedUnnoticed() },
  { name: 'the control path does not settle', make: () => new ControlPathUnsettled() },
];

/**
 * Removing this changes nothing in any case known. (Acknowledging and arming look as harmless, since
 * the look before them has left nothing to do. But where another CPU is far behind, settling decides
 * whether a packet's completion comes before that of a transmission nobody could know of; and P5
 * arms completion queues that nobody has looked at. Both are among those that matter.)
 * At the end of a step the wire is settled early: before anybody moves again, hardware runs to the
 * smallest clock of all, which is as far.
 */
export const EQUIVALENT: readonly Mutant[] = [
  { name: 'the wire not settled at the end of a step', make: () => new NothingAtStepEnd() },
];
