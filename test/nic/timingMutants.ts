/**
 * Those of the prototype's ten mutations that are not about when a NIC is settled (`mutants.ts` has
 * these): where CPUs and NICs get their times from. A mutant runs in the lazy machine alone.
 *
 * The last two are of the gathering of completions, which the prototype did not have.
 *
 * The prototype's list, and who stands for it: cost at the end of a poll, deadline from arming,
 * completion visible when accepted, float nanoseconds: here. RX doorbell without settling, search
 * past the firing frame, order of ties, CQ doorbell without settling: `MUTANTS`. Arming without
 * settling is `EQUIVALENT`, as is the look before napi_complete, which finds nothing that the walk
 * did not.
 */
import type { Ps } from '../../src/host/clock.ts';
import type { Cpu } from '../../src/host/cpu.ts';
import type { CompletionRing } from '../../src/nic/completionRing.ts';
import { LazyHardware } from '../../src/nic/lazy.ts';
import type { Nic } from '../../src/nic/nic.ts';
import type { Mutant } from './mutants.ts';

/** Let `spend` decide what becomes of the picoseconds of each operation. */
function onCharge(cpu: Cpu, spend: (ps: Ps) => void): void {
  const { time } = cpu as unknown as { time: Float64Array };
  cpu.timeAt = 0;
  cpu.charge = (op) => spend(time[op]!);
  cpu.chargeTimes = (op, n) => spend(time[op]! * n);
}

/** Work takes its time only when the step ends. */
class CostAtTheEnd extends LazyHardware {
  private readonly owed: Map<Cpu, Ps> = new Map();

  constructor(cpus: readonly Cpu[]) {
    super();
    for (const cpu of cpus) {
      onCharge(cpu, (ps) => {
        if (cpu.stepping) this.owed.set(cpu, (this.owed.get(cpu) ?? 0) + ps);
        else cpu.now += ps;
      });
    }
  }

  override settleShared(until: Ps): void {
    for (const [cpu, ps] of this.owed) if (!cpu.stepping) cpu.now += ps;
    this.owed.clear();
    super.settleShared(until);
  }
}

/** Clocks count nanoseconds, and are asked for picoseconds. */
class FloatNanoseconds extends LazyHardware {
  constructor(cpus: readonly Cpu[]) {
    super();
    for (const cpu of cpus) {
      onCharge(cpu, (ps) => {
        cpu.now = (cpu.now / 1000 + ps / 1000) * 1000;
      });
    }
  }
}

/** A record that lay there when the ring was armed counts as if it had come just then. */
class DeadlineFromArming extends LazyHardware {
  private readonly all: Nic[] = [];

  override add(nic: Nic): void {
    super.add(nic);
    this.all.push(nic);
  }

  override runToIrq(horizon: Ps): void {
    for (const nic of this.all) {
      for (const { armed, armedAt, prod, cons, mask, stamps } of nic.completionRings) {
        const first = cons & mask;
        if (armed && prod !== cons && stamps[first]! < armedAt) stamps[first] = armedAt;
      }
    }
    super.runToIrq(horizon);
  }
}

/** A completion is visible once its frame has a buffer, however long DMA takes. */
class VisibleWhenAccepted extends LazyHardware {
  override add(nic: Nic): void {
    super.add(nic);
    Object.assign(nic.rx, { dmaPs: 0 });
  }
}

/** Completions do not gather: not at all, or not when somebody looks at an armed ring. */
class Releasing extends LazyHardware {
  private readonly armedAlone: boolean;

  constructor(armedAlone: boolean) {
    super();
    this.armedAlone = armedAlone;
  }

  override settle(nic: Nic, cp: CompletionRing, cpu: Cpu): void {
    if (cp.armed || !this.armedAlone) cp.release(cpu.now);
    super.settle(nic, cp, cpu);
  }
}

export const TIMING_MUTANTS: readonly Mutant[] = [
  { name: 'the cost of a poll added at its end', make: (cpus) => new CostAtTheEnd(cpus) },
  { name: 'clocks in float nanoseconds', make: (cpus) => new FloatNanoseconds(cpus) },
  { name: 'the deadline counted from arming', make: () => new DeadlineFromArming() },
  { name: 'completions visible when accepted', make: () => new VisibleWhenAccepted() },
  { name: 'completions that do not gather', make: () => new Releasing(false) },
  {
    name: 'completions that gather from the look, not the message',
    make: () => new Releasing(true),
  },
];
