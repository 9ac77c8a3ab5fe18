import { describe, expect, test } from 'vitest';
import { VirtualClock } from '../../src/host/clock.ts';
import { OP_COUNT } from '../../src/host/cost.ts';
import type { Work } from '../../src/host/cpu.ts';
import { CTX_APP, Cpu } from '../../src/host/cpu.ts';
import { IrqController, IrqLine } from '../../src/host/irq.ts';
import { Task } from '../../src/host/runQueue.ts';
import { Scheduler } from '../../src/host/scheduler.ts';
import type { Movable } from '../../src/host/wakePlacement.ts';
import { selectTaskRqFair } from '../../src/host/wakePlacement.ts';

/** CPUs by the number of threads that they have to run. */
const cpusWith = (running: readonly number[]): Cpu[] =>
  running.map((nrRunning, id) => {
    const cpu = new Cpu(id, new Float64Array(OP_COUNT));
    for (let i = 0; i < nrRunning; i++) {
      const task = new Task(`t${i}`, cpu, CTX_APP, forever);
      cpu.runQueue.wake(task, cpu, new IrqController());
    }
    return cpu;
  });

function* forever(): Work {
  for (;;) yield;
}

/** Where a thread that ran on `prev`, and before that looked from `recent`, goes when `waker` wakes it. */
function placed(
  running: readonly number[],
  where: { prev: number; recent?: number; waker: number; allowed?: readonly number[] },
): number {
  const { prev, recent = prev, waker, allowed = running.map((_, id) => id) } = where;
  const cpus = cpusWith(running);
  const task: Movable = {
    ...{ cpu: cpus[prev]!, recentUsed: cpus[recent]! },
    allowed: allowed.map((id) => cpus[id]!),
  };
  return selectTaskRqFair(task, cpus[waker]!).id;
}

describe('where a thread wakes', () => {
  test('where it last ran, if nobody runs there', () => {
    expect(placed([0, 0, 0, 0], { prev: 2, waker: 1 })).toBe(2);
    expect(placed([0, 1, 0, 0], { prev: 2, waker: 1 })).toBe(2);
  });

  test('else on the CPU that wakes it, if only softirqs run there', () => {
    expect(placed([0, 0, 1, 0], { prev: 2, waker: 1 })).toBe(1);
  });

  test('else where it was before, if that is idle', () => {
    expect(placed([0, 1, 1, 0, 0], { prev: 2, recent: 4, waker: 1 })).toBe(4);
    expect(placed([0, 1, 1, 0, 1], { prev: 2, recent: 4, waker: 1 })).toBe(3);
  });

  test('else on the first idle one behind, round the end', () => {
    expect(placed([0, 0, 1, 1], { prev: 2, waker: 2 })).toBe(0);
    expect(placed([1, 1, 1, 0], { prev: 0, waker: 1 })).toBe(3);
  });

  test('with all of them busy where it last ran, unless the waker has two fewer', () => {
    expect(placed([1, 1, 1], { prev: 2, waker: 0 })).toBe(2);
    expect(placed([1, 1, 2], { prev: 2, waker: 0 })).toBe(2);
    expect(placed([1, 1, 3], { prev: 2, waker: 0 })).toBe(0);
  });

  test('never where it may not run', () => {
    expect(placed([0, 1, 1, 0], { prev: 2, waker: 0, allowed: [1, 2, 3] })).toBe(3);
    expect(placed([0, 1, 1, 0], { prev: 2, waker: 0, allowed: [1, 2] })).toBe(2);
    expect(placed([0, 1, 1, 0], { prev: 2, waker: 0, allowed: [2] })).toBe(2);
  });

  test('a search is remembered: the CPU it began from is the next one to be tried', () => {
    const cpus = cpusWith([1, 1, 0]);
    const task = { cpu: cpus[0]!, recentUsed: cpus[0]!, allowed: cpus };
    expect(selectTaskRqFair(task, cpus[1]!).id).toBe(2);
    expect(task.recentUsed.id).toBe(0);
  });
});

function rig(count: number, cfs: boolean = false) {
  const cpus = Array.from({ length: count }, (_, id) => new Cpu(id, new Float64Array(OP_COUNT)));
  for (const cpu of cpus) cpu.runQueue.init(count, 1000, cfs);
  const irqs = new IrqController();
  const nothing = { runToIrq: (): void => {}, settleShared: (): void => {} };
  const scheduler = new Scheduler(cpus, new VirtualClock(), irqs, nothing);
  const ran: (readonly [who: string, cpu: number, at: number])[] = [];
  /** Works for `stepPs` each time it is woken, on any CPU. */
  const sleeper = (name: string, cpu: number, stepPs: number): Task =>
    new Task(
      name,
      cpus[cpu]!,
      CTX_APP,
      function* (task): Work {
        for (;;) {
          ran.push([name, task.cpu.id, task.cpu.now]);
          task.cpu.now += stepPs;
          task.sleep();
          yield;
        }
      },
      cpus,
    );
  const wakeAt = (at: number, cpu: number, task: Task): void => {
    const line = new IrqLine('wake', cpus[cpu]!);
    line.handler = (): void => task.cpu.runQueue.wake(task, cpus[cpu]!, irqs);
    irqs.post(line, at);
  };
  return { cpus, scheduler, ran, sleeper, wakeAt };
}

describe('a run', () => {
  test('a thread in whose place another one runs moves to the CPU that wakes it, and stays there', () => {
    const { scheduler, ran, sleeper, wakeAt } = rig(3);
    const a = sleeper('a', 0, 1000);
    const b = sleeper('b', 0, 10);
    wakeAt(0, 0, a);
    wakeAt(500, 1, b);
    wakeAt(5000, 2, b);
    scheduler.run(10_000);
    expect(ran).toEqual([
      ['a', 0, 0],
      ['b', 1, 500],
      ['b', 1, 5000],
    ]);
    expect([a.migrations, b.migrations]).toEqual([0, 1]);
  });

  test('a CPU whose thread sleeps only later, as the waker sees it, is not idle', () => {
    const { cpus, scheduler, ran, sleeper, wakeAt } = rig(2);
    const a = sleeper('a', 0, 1000);
    const b = sleeper('b', 0, 10);
    wakeAt(0, 0, a);
    scheduler.run(100);
    expect(cpus[0]!.now).toBe(1000);
    wakeAt(500, 1, b);
    scheduler.run(2000);
    expect(ran.at(-1)).toEqual(['b', 1, 500]);
  });

  test('before EEVDF it keeps its place among the others, whatever time it is on the new CPU', () => {
    const { cpus, scheduler, sleeper, wakeAt } = rig(2, true);
    const old = sleeper('old', 1, 50_000_000_000);
    const a = sleeper('a', 0, 1000);
    const b = sleeper('b', 0, 10);
    wakeAt(0, 1, old);
    scheduler.run(1);
    const at = cpus[1]!.now;
    wakeAt(at, 0, a);
    wakeAt(at + 500, 1, b);
    scheduler.run(at + 10_000);
    // a had 1000 ps when b came: b is as far behind what is least on its new CPU
    expect(b.cpu.id).toBe(1);
    expect(b.vruntime).toBe(50_000_000_000 - 1000 + 10);
  });
});
