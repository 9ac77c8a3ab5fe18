import { expect, test } from 'vitest';
import { VirtualClock } from '../../src/host/clock.ts';
import { OP_COUNT } from '../../src/host/cost.ts';
import type { Work } from '../../src/host/cpu.ts';
import { CTX_APP, Cpu } from '../../src/host/cpu.ts';
import { IrqController, IrqLine } from '../../src/host/irq.ts';
import { Task } from '../../src/host/runQueue.ts';
import { Scheduler } from '../../src/host/scheduler.ts';
import { Kworker } from '../../src/stack/workqueue.ts';
import type { WorkStruct } from '../../src/stack/workqueue.ts';

function rig() {
  const cpu = new Cpu(0, new Float64Array(OP_COUNT));
  cpu.runQueue.init(1, 1000);
  const irqs = new IrqController();
  const nothing = { runToIrq: (): void => {}, settleShared: (): void => {} };
  const scheduler = new Scheduler([cpu], new VirtualClock(), irqs, nothing);
  const kworker = new Kworker(cpu);
  const done: (readonly [what: string, at: number])[] = [];
  const workOf = (name: string): WorkStruct => ({
    work: ({ now }) => {
      done.push([name, now]);
      cpu.now += 10;
    },
  });
  /** An interrupt at `at` that does `what`. */
  const interrupt = (at: number, what: () => void): void => {
    const line = new IrqLine('test', cpu);
    line.handler = what;
    irqs.post(line, at);
  };
  return { cpu, irqs, scheduler, kworker, done, workOf, interrupt };
}

test('what is queued in an interrupt runs behind it, in order, what waits already once', () => {
  const { irqs, scheduler, kworker, done, workOf, interrupt } = rig();
  const [a, b] = [workOf('a'), workOf('b')];
  interrupt(100, () => {
    for (const work of [a, b, a]) kworker.scheduleWork(work, irqs);
  });
  interrupt(500, () => kworker.scheduleWork(a, irqs));
  scheduler.run(1000);
  expect(done).toEqual([
    ['a', 100],
    ['b', 110],
    ['a', 500],
  ]);
});

test('what is cancelled does not run', () => {
  const { irqs, scheduler, kworker, done, workOf, interrupt } = rig();
  const [a, b] = [workOf('a'), workOf('b')];
  interrupt(100, () => {
    kworker.scheduleWork(a, irqs);
    kworker.scheduleWork(b, irqs);
    kworker.cancelWork(a);
  });
  scheduler.run(1000);
  expect(done).toEqual([['b', 100]]);
});

test('it waits for a thread that has the CPU', () => {
  const { cpu, irqs, scheduler, kworker, done, workOf, interrupt } = rig();
  const app = new Task('app', cpu, CTX_APP, function* (task): Work {
    for (;;) {
      cpu.now += 1000;
      task.sleep();
      yield;
    }
  });
  interrupt(0, () => cpu.runQueue.wake(app, cpu, irqs));
  interrupt(1, () => kworker.scheduleWork(workOf('a'), irqs));
  scheduler.run(5000);
  expect(done).toEqual([['a', 1000]]);
});
