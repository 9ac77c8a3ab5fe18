import { describe, expect, test } from 'vitest';
import { PS_PER_MS, PS_PER_US, VirtualClock } from '../../src/host/clock.ts';
import { OP_COUNT, OP_SWITCH, OP_TIMER_IRQ } from '../../src/host/cost.ts';
import type { Work } from '../../src/host/cpu.ts';
import { CTX_APP, CTX_HARDIRQ, CTX_IDLE, CTX_SOFTIRQ, Cpu } from '../../src/host/cpu.ts';
import { IrqController, IrqLine } from '../../src/host/irq.ts';
import { Task } from '../../src/host/runQueue.ts';
import { Scheduler } from '../../src/host/scheduler.ts';

function rig(
  cpuCount: number,
  hz: number,
  costs: Readonly<Record<number, number>> = {},
  cfs: boolean = false,
) {
  const cost = new Float64Array(OP_COUNT);
  for (const [op, ps] of Object.entries(costs)) cost[Number(op)] = ps;
  const cpus = Array.from({ length: cpuCount }, (_, id) => new Cpu(id, cost));
  for (const cpu of cpus) cpu.runQueue.init(cpuCount, hz, cfs);
  const clock = new VirtualClock();
  const irqs = new IrqController();
  const nothing = { runToIrq: (): void => {}, settleShared: (): void => {} };
  const scheduler = new Scheduler(cpus, clock, irqs, nothing);
  /** Who ran from when, one entry a turn. */
  const turns: { who: string; at: number }[] = [];
  const note = (who: string, at: number): void => {
    if (turns.at(-1)?.who !== who) turns.push({ who, at });
  };
  /** A thread that always has something to do. */
  const spinner = (name: string, cpu: Cpu, stepPs: number): Task =>
    new Task(name, cpu, CTX_APP, function* (): Work {
      for (;;) {
        note(name, cpu.now);
        cpu.now += stepPs;
        yield;
      }
    });
  /** A thread that works for `stepPs` each time it is woken. */
  const sleeper = (name: string, cpu: Cpu, stepPs: number): Task =>
    new Task(name, cpu, CTX_APP, function* (task): Work {
      for (;;) {
        note(name, cpu.now);
        cpu.now += stepPs;
        task.sleep();
        yield;
      }
    });
  /** An interrupt at `at` on `cpu` that wakes `task`. */
  const wakeAt = (at: number, cpu: Cpu, task: Task): void => {
    const line = new IrqLine('wake', cpu);
    line.handler = (): void => task.cpu.runQueue.wake(task, cpu, irqs);
    irqs.post(line, at);
  };
  return { cpus, cpu: cpus[0]!, irqs, scheduler, turns, spinner, sleeper, wakeAt };
}

describe('before EEVDF', () => {
  test('two threads that never sleep give way at the first tick after 3 ms, half of the latency', () => {
    const { cpu, scheduler, turns, spinner, wakeAt } = rig(1, 1000, {}, true);
    wakeAt(0, cpu, spinner('a', cpu, 10 * PS_PER_US));
    wakeAt(0, cpu, spinner('b', cpu, 10 * PS_PER_US));
    scheduler.run(10 * PS_PER_MS);
    expect(turns.map(({ who, at }) => [who, at / PS_PER_MS])).toEqual([
      ['a', 0],
      ['b', 4],
      ['a', 8],
    ]);
  });

  test('one that has slept runs as soon as it wakes, on a CPU that another one has had for long', () => {
    for (const cfs of [true, false]) {
      const { cpu, scheduler, turns, spinner, sleeper, wakeAt } = rig(1, 100, {}, cfs);
      wakeAt(0, cpu, spinner('long', cpu, 10 * PS_PER_US));
      wakeAt(5 * PS_PER_MS, cpu, sleeper('short', cpu, 10 * PS_PER_US));
      scheduler.run(5.1 * PS_PER_MS);
      expect(turns.map(({ who }) => who)).toEqual(cfs ? ['long', 'short', 'long'] : ['long']);
    }
  });
});

describe('two threads that never sleep', () => {
  test('share the CPU in slices that end at the first tick after 0.7 ms', () => {
    const { cpu, scheduler, turns, spinner, wakeAt } = rig(1, 1000);
    wakeAt(0, cpu, spinner('a', cpu, 10 * PS_PER_US));
    wakeAt(0, cpu, spinner('b', cpu, 10 * PS_PER_US));
    scheduler.run(6 * PS_PER_MS);
    expect(turns.map(({ who, at }) => [who, at / PS_PER_MS])).toEqual([
      ['a', 0],
      ['b', 1],
      ['a', 2],
      ['b', 3],
      ['a', 4],
      ['b', 5],
    ]);
  });

  test('HZ 250 with 8 CPUs: 2.8 ms are one tick of 4 ms', () => {
    const { cpu, scheduler, turns, spinner, wakeAt } = rig(8, 250);
    wakeAt(0, cpu, spinner('a', cpu, 10 * PS_PER_US));
    wakeAt(0, cpu, spinner('b', cpu, 10 * PS_PER_US));
    scheduler.run(12 * PS_PER_MS);
    expect(turns.map(({ who, at }) => [who, at / PS_PER_MS])).toEqual([
      ['a', 0],
      ['b', 4],
      ['a', 8],
    ]);
  });

  test('HZ 1000 with 8 CPUs: the slice of 2.8 ms ends at the third tick', () => {
    const { cpu, scheduler, turns, spinner, wakeAt } = rig(8, 1000);
    wakeAt(0, cpu, spinner('a', cpu, 10 * PS_PER_US));
    wakeAt(0, cpu, spinner('b', cpu, 10 * PS_PER_US));
    scheduler.run(7 * PS_PER_MS);
    expect(turns.map(({ at }) => at / PS_PER_MS)).toEqual([0, 3, 6]);
  });

  test('three of them get a third each, whatever the length of their steps', () => {
    const { cpu, scheduler, spinner, wakeAt } = rig(1, 1000);
    const tasks = [10, 70, 130].map((us, i) => spinner(`${i}`, cpu, us * PS_PER_US));
    for (const task of tasks) wakeAt(0, cpu, task);
    scheduler.run(300 * PS_PER_MS);
    for (const task of tasks) {
      expect(Math.abs(task.vruntime / PS_PER_MS - 100)).toBeLessThan(2.5);
    }
  });
});

describe('waking', () => {
  test('a thread that wakes does not interrupt a slice that is not used up', () => {
    const { cpu, scheduler, turns, spinner, sleeper, wakeAt } = rig(1, 1000);
    wakeAt(0, cpu, spinner('spin', cpu, 10 * PS_PER_US));
    wakeAt(200 * PS_PER_US, cpu, sleeper('app', cpu, 50 * PS_PER_US));
    scheduler.run(2 * PS_PER_MS);
    expect(turns.map(({ who, at }) => [who, at / PS_PER_US])).toEqual([
      ['spin', 0],
      ['app', 1000],
      ['spin', 1050],
    ]);
  });

  test('on another CPU it takes an interrupt there, and waits for nobody', () => {
    const { cpus, scheduler, turns, spinner, sleeper, wakeAt } = rig(2, 1000);
    const [one, two] = cpus as [Cpu, Cpu];
    wakeAt(0, one, spinner('spin', one, 10 * PS_PER_US));
    wakeAt(200 * PS_PER_US, one, sleeper('app', two, 50 * PS_PER_US));
    scheduler.run(PS_PER_MS);
    expect(turns.find(({ who }) => who === 'app')!.at).toBe(200 * PS_PER_US);
    expect(two.context).toBe(CTX_IDLE);
  });

  test('a thread that slept long does not make up for it', () => {
    const { cpu, scheduler, turns, spinner, wakeAt } = rig(1, 1000);
    wakeAt(0, cpu, spinner('old', cpu, 10 * PS_PER_US));
    wakeAt(50 * PS_PER_MS, cpu, spinner('new', cpu, 10 * PS_PER_US));
    scheduler.run(54 * PS_PER_MS);
    const late = turns.filter(({ at }) => at >= 50 * PS_PER_MS);
    expect(late.length).toBeGreaterThanOrEqual(3); // alternating, not one long turn
  });
});

describe('what goes first', () => {
  test('softirqs raised by an interrupt run between two steps, and their time is nobody’s', () => {
    const { cpu, irqs, scheduler, spinner, wakeAt } = rig(1, 1000);
    const task = spinner('a', cpu, 10 * PS_PER_US);
    wakeAt(0, cpu, task);
    const line = new IrqLine('nic', cpu);
    line.handler = (): void => {
      cpu.irqExit = (): void => {
        cpu.irqExit = (): void => cpu.runQueue.schedule();
        cpu.work = (function* (): Work {
          cpu.enter(CTX_SOFTIRQ);
          cpu.now += 300 * PS_PER_US;
          yield;
        })();
      };
    };
    irqs.post(line, 105 * PS_PER_US);
    scheduler.run(500 * PS_PER_US);
    expect(cpu.spent[CTX_SOFTIRQ]).toBe(300 * PS_PER_US);
    expect(task.vruntime).toBe(200 * PS_PER_US);
  });

  test('a tick and a switch take their time, and are booked', () => {
    const costs = { [OP_SWITCH]: 500_000, [OP_TIMER_IRQ]: 700_000 };
    const { cpu, scheduler, spinner, wakeAt } = rig(1, 1000, costs);
    const a = spinner('a', cpu, 10 * PS_PER_US);
    const b = spinner('b', cpu, 10 * PS_PER_US);
    wakeAt(0, cpu, a);
    wakeAt(0, cpu, b);
    scheduler.run(4.5 * PS_PER_MS);
    cpu.enter(CTX_IDLE);
    expect([a.switches, b.switches]).toEqual([3, 2]); // ticks at 1, 2, 3 and 4 ms
    expect(cpu.spent[CTX_HARDIRQ]).toBe(4 * 700_000);
    expect(cpu.spent[CTX_APP]).toBe(a.vruntime + b.vruntime + 5 * 500_000);
  });

  test('with preemption off a thread keeps the CPU beyond its slice', () => {
    const { cpu, scheduler, turns, spinner, wakeAt } = rig(1, 1000);
    const a = spinner('a', cpu, 10 * PS_PER_US);
    a.preemptOff = true;
    wakeAt(0, cpu, a);
    wakeAt(0, cpu, spinner('b', cpu, 10 * PS_PER_US));
    scheduler.run(5 * PS_PER_MS);
    expect(turns.map(({ who }) => who)).toEqual(['a']);
  });
});
