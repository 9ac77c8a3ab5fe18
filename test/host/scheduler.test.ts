import { describe, expect, test } from 'vitest';
import { VirtualClock } from '../../src/host/clock.ts';
import { OP_COUNT, OP_HARDIRQ } from '../../src/host/cost.ts';
import type { Work } from '../../src/host/cpu.ts';
import { CTX_HARDIRQ, CTX_IDLE, CTX_SOFTIRQ, Cpu } from '../../src/host/cpu.ts';
import { IdleStates } from '../../src/host/idleStates.ts';
import { IrqController, IrqLine } from '../../src/host/irq.ts';
import type { Hardware } from '../../src/host/scheduler.ts';
import { Scheduler } from '../../src/host/scheduler.ts';

const HARDIRQ_PS = 7;

/** Hardware that interrupts at the given times. */
class Alarms implements Hardware {
  readonly horizons: number[] = [];
  readonly due: { at: number; line: IrqLine }[] = [];
  private readonly irqs: IrqController;

  constructor(irqs: IrqController) {
    this.irqs = irqs;
  }

  runToIrq(horizon: number): void {
    this.horizons.push(horizon);
    const first = this.due[0];
    if (first === undefined || first.at > horizon) return;
    this.due.shift();
    this.irqs.post(first.line, first.at);
  }

  settleShared(): void {}
}

function rig(count: number) {
  const cost = new Float64Array(OP_COUNT);
  cost[OP_HARDIRQ] = HARDIRQ_PS;
  const cpus = Array.from({ length: count }, (_, id) => new Cpu(id, cost));
  const clock = new VirtualClock();
  const irqs = new IrqController();
  const hardware = new Alarms(irqs);
  const scheduler = new Scheduler(cpus, clock, irqs, hardware);
  const log: string[] = [];
  /** Steps of the given lengths; each is noted with the time at which it began. */
  const work = (cpu: Cpu, steps: readonly number[]): void => {
    cpu.work = (function* (): Work {
      cpu.enter(CTX_SOFTIRQ);
      for (const ps of steps) {
        log.push(`cpu${cpu.id}@${cpu.now}`);
        cpu.now += ps;
        yield;
      }
    })();
  };
  const line = (cpu: Cpu, name: string): IrqLine => {
    const made = new IrqLine(name, cpu);
    made.handler = () => log.push(`${name}@${cpu.now}`);
    return made;
  };
  return { cpus, clock, irqs, hardware, scheduler, log, work, line };
}

describe('who runs', () => {
  test('the CPU with the smallest clock, the lower number first', () => {
    const { cpus, scheduler, log, work } = rig(2);
    work(cpus[0]!, [10, 10, 10]);
    work(cpus[1]!, [25, 5]);
    scheduler.run(1000);
    expect(log).toEqual(['cpu0@0', 'cpu1@0', 'cpu0@10', 'cpu0@20', 'cpu1@25']);
  });

  test('hardware, interrupt, alarm, CPU is the order at one time', () => {
    const { cpus, clock, scheduler, hardware, log, work, line } = rig(1);
    const [cpu] = cpus;
    work(cpu!, [50, 1]);
    clock.alarm((at) => log.push(`alarm@${at}`)).set(50);
    hardware.due.push({ at: 50, line: line(cpu!, 'irq') });
    scheduler.run(1000);
    expect(log).toEqual([
      'cpu0@0',
      `irq@${50 + HARDIRQ_PS}`,
      'alarm@50',
      `cpu0@${50 + HARDIRQ_PS}`,
    ]);
  });

  test('an interrupt of a CPU inside a step waits for the step’s end', () => {
    const { cpus, scheduler, hardware, log, work, line } = rig(1);
    work(cpus[0]!, [100, 1]);
    hardware.due.push({ at: 30, line: line(cpus[0]!, 'irq') });
    scheduler.run(1000);
    expect(log).toEqual(['cpu0@0', `irq@${100 + HARDIRQ_PS}`, `cpu0@${100 + HARDIRQ_PS}`]);
  });

  test('two messages are taken in the order of time, also by two CPUs', () => {
    const { cpus, irqs, scheduler, log, line } = rig(2);
    irqs.post(line(cpus[0]!, 'second'), 40);
    irqs.post(line(cpus[1]!, 'first'), 30);
    scheduler.run(1000);
    expect(log).toEqual([`first@${30 + HARDIRQ_PS}`, `second@${40 + HARDIRQ_PS}`]);
  });

  test('what an interrupt leaves to do is started when its handler returns', () => {
    const { cpus, irqs, scheduler, log, work, line } = rig(1);
    const cpu = cpus[0]!;
    irqs.post(line(cpu, 'irq'), 10);
    cpu.irqExit = () => {
      cpu.irqExit = () => {};
      work(cpu, [5]);
    };
    scheduler.run(1000);
    expect(log).toEqual([`irq@${10 + HARDIRQ_PS}`, `cpu0@${10 + HARDIRQ_PS}`]);
    expect(cpu.work).toBe(null);
  });
});

describe('a CPU that sleeps', () => {
  /** Waking takes 40 ps once it has idled for 200 ps eight times. */
  const asleep = (cpu: Cpu): void => {
    cpu.idleStates = new IdleStates([{ exitNs: 0.04, residencyNs: 0.2 }], 1000);
    for (let i = 0; i < 8; i++) cpu.idleStates.wake(200);
  };

  test('takes an interrupt when it has woken; other CPUs go on meanwhile', () => {
    const { cpus, irqs, scheduler, log, work, line } = rig(2);
    asleep(cpus[0]!);
    work(cpus[1]!, [150, 150]);
    irqs.post(line(cpus[0]!, 'irq'), 120);
    scheduler.run(1000);
    expect(log).toEqual(['cpu1@0', 'cpu1@150', `irq@${160 + HARDIRQ_PS}`]);
    cpus[0]!.enter(CTX_IDLE);
    expect(cpus[0]!.spent[CTX_IDLE]).toBe(160);
    expect(cpus[0]!.spent[CTX_HARDIRQ]).toBe(HARDIRQ_PS);
  });

  test('wakes once for all messages that come until then', () => {
    const { cpus, irqs, scheduler, log, line } = rig(1);
    asleep(cpus[0]!);
    irqs.post(line(cpus[0]!, 'first'), 100);
    irqs.post(line(cpus[0]!, 'second'), 130);
    scheduler.run(1000);
    expect(log).toEqual([`first@${140 + HARDIRQ_PS}`, `second@${140 + 2 * HARDIRQ_PS}`]);
  });

  test('wakes anew when it has been asleep again', () => {
    const { cpus, irqs, scheduler, log, line } = rig(1);
    asleep(cpus[0]!);
    irqs.post(line(cpus[0]!, 'irq'), 200);
    irqs.post(line(cpus[0]!, 'irq'), 500);
    scheduler.run(1000);
    expect(log).toEqual([`irq@${240 + HARDIRQ_PS}`, `irq@${540 + HARDIRQ_PS}`]);
  });

  test('at work it takes interrupts as ever', () => {
    const { cpus, irqs, scheduler, log, work, line } = rig(1);
    asleep(cpus[0]!);
    work(cpus[0]!, [30, 30]);
    irqs.post(line(cpus[0]!, 'irq'), 20);
    scheduler.run(1000);
    expect(log).toEqual(['cpu0@0', `irq@${30 + HARDIRQ_PS}`, `cpu0@${30 + HARDIRQ_PS}`]);
  });
});

describe('how far', () => {
  test('hardware is never asked past the clock of the CPU that runs next, or an alarm', () => {
    const { cpus, clock, scheduler, hardware, work } = rig(2);
    work(cpus[0]!, [10, 30]);
    work(cpus[1]!, [25]);
    clock.alarm(() => {}).set(12);
    scheduler.run(100);
    expect(hardware.horizons.slice(0, 4)).toEqual([0, 0, 10, 12]);
    expect(Math.max(...hardware.horizons)).toBe(100);
  });

  test('a CPU overshoots the end by the rest of one step, and goes on from there', () => {
    const { cpus, scheduler, log, work } = rig(1);
    work(cpus[0]!, [60, 60, 60]);
    scheduler.run(100);
    expect(cpus[0]!.now).toBe(120);
    scheduler.run(120);
    expect(log).toEqual(['cpu0@0', 'cpu0@60']);
    scheduler.run(121);
    expect(log).toEqual(['cpu0@0', 'cpu0@60', 'cpu0@120']);
  });

  test('nothing due after the end happens', () => {
    const { cpus, clock, irqs, scheduler, log, line } = rig(1);
    irqs.post(line(cpus[0]!, 'irq'), 101);
    clock.alarm(() => log.push('alarm')).set(102);
    scheduler.run(100);
    expect(log).toEqual([]);
    scheduler.run(102);
    expect(log).toEqual([`irq@${101 + HARDIRQ_PS}`, 'alarm']);
  });
});

describe('books', () => {
  test('waiting is idle time, the entry is hardirq time, the rest is the work’s', () => {
    const { cpus, irqs, scheduler, work, line } = rig(1);
    const cpu = cpus[0]!;
    irqs.post(line(cpu, 'irq'), 1000);
    cpu.irqExit = () => {
      cpu.irqExit = () => {};
      work(cpu, [30, 40]);
    };
    scheduler.run(5000);
    expect([cpu.spent[CTX_IDLE], cpu.spent[CTX_HARDIRQ], cpu.spent[CTX_SOFTIRQ]]).toEqual([
      1000,
      HARDIRQ_PS,
      70,
    ]);
  });

  test('a message for a vector that nobody requested is spurious', () => {
    const { cpus, irqs, scheduler } = rig(1);
    const line = new IrqLine('free', cpus[0]!);
    irqs.post(line, 10);
    scheduler.run(100);
    expect([line.delivered, line.spurious]).toEqual([0, 1]);
  });

  test('inside a step a CPU knows how far the others are', () => {
    const { cpus, scheduler } = rig(2);
    const seen: number[] = [];
    for (const cpu of cpus) {
      cpu.work = (function* (): Work {
        for (let n = 0; n < 2; n++) {
          seen.push(cpu.othersMin);
          cpu.now += 10 + cpu.id;
          yield;
        }
      })();
    }
    scheduler.run(1000);
    expect(seen).toEqual([0, 10, 11, 20]);
  });
});
