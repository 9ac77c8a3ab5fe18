import { describe, expect, test } from 'vitest';
import { PS_PER_US } from '../../src/host/clock.ts';
import { OP_NAPI_POLL, OP_TIMER_IRQ } from '../../src/host/cost.ts';
import type { Cpu, Work } from '../../src/host/cpu.ts';
import {
  CTX_APP,
  CTX_HARDIRQ,
  CTX_IDLE,
  CTX_NAPI_THREAD,
  CTX_SOFTIRQ,
} from '../../src/host/cpu.ts';
import { IrqLine } from '../../src/host/irq.ts';
import { Task } from '../../src/host/runQueue.ts';
import { napiBusyLoop, napiResumeIrqs, napiSuspendIrqs } from '../../src/stack/busyPoll.ts';
import type { NapiStruct } from '../../src/stack/napi.ts';
import {
  NAPIF_STATE_IN_BUSY_POLL,
  NAPIF_STATE_MISSED,
  NAPIF_STATE_PREFER_BUSY_POLL,
  NAPIF_STATE_SCHED,
  NAPIF_STATE_SCHED_THREADED,
  napiSchedule,
} from '../../src/stack/napi.ts';
import { napiDisable, napiEnable } from '../../src/stack/napiSetup.ts';
import { napiConfigOf, netdevSetNapi } from '../../src/stack/napiConfig.ts';
import { CountingQueue, stackRig } from './rig.ts';
import type { RigOptions } from './rig.ts';

const US = PS_PER_US;
const has = (napi: NapiStruct, bit: number): boolean => (napi.state & bit) !== 0;

function modesRig(pending: number, options: RigOptions = {}) {
  const rig = stackRig({ cpus: 2, ...options });
  const queue = new CountingQueue(rig.dev, pending);
  const polledAt = (): number[] => queue.polls.map(({ at }) => at / US);
  /** At `at`, an interrupt on `cpu` that does `what`. */
  const at = (ps: number, cpu: Cpu, what: () => void): void => {
    const line = new IrqLine('test', cpu);
    line.handler = what;
    rig.irqs.post(line, ps);
  };
  return { ...rig, queue, napi: queue.napi, polledAt, at };
}

describe('napi_defer_hard_irqs and gro_flush_timeout', () => {
  const deferring = (deferHardIrqs: number, timeoutUs: number, options: RigOptions = {}) => {
    const rig = modesRig(10, options);
    Object.assign(rig.napi.config, { deferHardIrqs, groFlushTimeout: timeoutUs * US });
    rig.irqs.post(rig.queue.line(rig.cpu), 0);
    return rig;
  };

  test('two polls without work, one timeout apart, and interrupts come back', () => {
    const { scheduler, queue, napi, polledAt } = deferring(2, 20);
    scheduler.run(1000 * US);
    expect(polledAt()).toEqual([0, 20, 40]);
    expect(queue.completions).toEqual([false, false, true]);
    expect(napi.timerIrqs).toBe(2);
    expect(has(napi, NAPIF_STATE_SCHED)).toBe(false);
  });

  test('a poll with work starts the count anew', () => {
    const { scheduler, queue, polledAt, at, cpu } = deferring(2, 20);
    at(30 * US, cpu, () => (queue.pending = 1));
    scheduler.run(1000 * US);
    expect(queue.polls.map(({ work }) => work)).toEqual([10, 0, 1, 0, 0]);
    expect(polledAt()).toEqual([0, 20, 40, 60, 80]);
    expect(queue.completions).toEqual([false, false, false, false, true]);
  });

  test('either alone changes nothing while GRO holds nothing', () => {
    for (const [count, timeout] of [
      [2, 0],
      [0, 20],
    ] as const) {
      const { scheduler, queue } = deferring(count, timeout);
      scheduler.run(1000 * US);
      expect(queue.completions).toEqual([true]);
    }
  });

  test('MISSED goes before the timer: the poll it asks for comes at once', () => {
    const { scheduler, queue, cpu, irqs, napi } = deferring(1, 20);
    queue.pending = 64 + 10;
    queue.packetPs = US;
    irqs.post(queue.line(cpu), 5 * US); // between the two polls the NAPI is owned
    scheduler.run(1000 * US);
    expect(queue.polls.map(({ work }) => work)).toEqual([64, 10, 0]);
    expect(queue.polls[2]!.at).toBe(74 * US);
    expect(queue.completions).toEqual([false, true]);
    expect(napi.timerIrqs).toBe(0);
  });

  test('an interrupt that comes while the timer runs polls then; the timer moves', () => {
    const { scheduler, queue, cpu, at, polledAt } = deferring(1, 20);
    at(5 * US, cpu, () => {
      queue.pending = 3;
      napiSchedule(queue.napi, cpu);
    });
    scheduler.run(1000 * US);
    expect(polledAt()).toEqual([0, 5, 25]);
    expect(queue.completions).toEqual([false, false, true]);
  });

  test('the timer takes ownership without MISSED, on the CPU that set it, as an interrupt', () => {
    const rig = modesRig(1, { costs: { [OP_TIMER_IRQ]: 700 } });
    const { queue, cpus, scheduler, napi } = rig;
    Object.assign(napi.config, { deferHardIrqs: 1, groFlushTimeout: 20 * US });
    rig.irqs.post(queue.line(cpus[1]!), 0);
    scheduler.run(1000 * US);
    expect(queue.polls.map(({ cpu }) => cpu)).toEqual([1, 1]);
    expect(queue.polls[1]!.at).toBe(20 * US + 700);
    cpus[1]!.enter(CTX_IDLE);
    expect(cpus[1]!.spent[CTX_HARDIRQ]).toBe(700);
  });

  test('a timer that finds the NAPI owned leaves no trace', () => {
    const { scheduler, napi, queue } = deferring(1, 20);
    scheduler.run(10 * US);
    napi.state |= NAPIF_STATE_SCHED;
    scheduler.run(1000 * US);
    expect(has(napi, NAPIF_STATE_MISSED)).toBe(false);
    expect(queue.polls.length).toBe(1);
  });

  test('disabling stops the timer', () => {
    const { scheduler, napi, queue } = deferring(1, 20);
    scheduler.run(10 * US);
    napiDisable(napi);
    scheduler.run(1000 * US);
    expect(queue.polls.length).toBe(1);
  });

  test('settings belong to the index and outlive the NAPI; a device may set all at once', () => {
    const { dev, napi } = modesRig(0);
    const other = new CountingQueue(dev, 0).napi;
    napi.config.deferHardIrqs = 7;
    expect(other.config.deferHardIrqs).toBe(0);
    expect(napiConfigOf(dev, 0)).toBe(napi.config);
    netdevSetNapi(dev, { groFlushTimeout: 5 * US });
    expect([napi, other].map(({ config }) => config.groFlushTimeout)).toEqual([5 * US, 5 * US]);
    expect(napi.config.deferHardIrqs).toBe(7);
    expect(napiConfigOf(dev, 9).groFlushTimeout).toBe(5 * US);
  });
});

describe('threaded NAPI', () => {
  const threaded = (pending: number, options: RigOptions = {}) => {
    const rig = stackRig({ cpus: 2, ...options });
    napiConfigOf(rig.dev, 0).threadCpu = 1;
    const queue = new CountingQueue(rig.dev, pending);
    rig.irqs.post(queue.line(rig.cpu), 0);
    return { ...rig, queue, napi: queue.napi };
  };

  test('the interrupt wakes the thread, which polls on its own CPU until the ring is empty', () => {
    const { scheduler, queue, napi, net } = threaded(64 * 2 + 5);
    scheduler.run(1000 * US);
    expect(queue.polls.map(({ work, context, cpu }) => [work, context, cpu])).toEqual([
      [64, CTX_NAPI_THREAD, 1],
      [64, CTX_NAPI_THREAD, 1],
      [5, CTX_NAPI_THREAD, 1],
    ]);
    expect(queue.completions).toEqual([true]);
    expect(has(napi, NAPIF_STATE_SCHED_THREADED)).toBe(false);
    expect(napi.thread!.name).toBe(`napi/eth0-${napi.napiId}`);
    expect(net.softnet.map(({ pollList }) => pollList.empty)).toEqual([true, true]);
  });

  test('while it owns the NAPI an interrupt leaves MISSED, and it polls once more', () => {
    const { scheduler, queue, irqs, cpu, napi } = threaded(64);
    queue.packetPs = US;
    irqs.post(queue.line(cpu), 5 * US);
    scheduler.run(1000 * US);
    expect(queue.polls.map(({ work }) => work)).toEqual([64, 0, 0]);
    expect(queue.completions).toEqual([false, true]);
    expect(has(napi, NAPIF_STATE_MISSED)).toBe(false);
  });

  test('it is no softirq: list_owner stays free, an application beside it gets its share', () => {
    const { scheduler, queue, cpus, irqs, napi } = threaded(1e9);
    queue.packetPs = US / 10;
    const app = new Task('app', cpus[1]!, CTX_APP, function* (): Work {
      for (;;) {
        cpus[1]!.now += 10 * US;
        yield;
      }
    });
    cpus[1]!.runQueue.wake(app, cpus[1]!, irqs);
    cpus[1]!.irqExit();
    scheduler.run(100_000 * US);
    cpus[1]!.enter(cpus[1]!.context);
    expect(napi.listOwner).toBe(-1);
    expect(cpus[1]!.spent[CTX_APP]! / (100_000 * US)).toBeGreaterThan(0.45);
    expect(cpus[1]!.spent[CTX_NAPI_THREAD]! / (100_000 * US)).toBeGreaterThan(0.45);
  });

  test('disabling lets the thread finish, and enabling gives it back its work', () => {
    const { scheduler, queue, napi, cpu } = threaded(64 * 4);
    queue.packetPs = US;
    scheduler.run(100 * US);
    napiDisable(napi);
    expect(queue.polls.every(({ context }) => context === CTX_NAPI_THREAD)).toBe(true);
    expect(has(napi, NAPIF_STATE_SCHED_THREADED)).toBe(false);
    const before = queue.polls.length;
    napiEnable(napi);
    napiSchedule(napi, cpu);
    scheduler.run(2000 * US);
    expect(queue.polls.length).toBeGreaterThan(before);
    expect(queue.polls.at(-1)!.context).toBe(CTX_NAPI_THREAD);
  });
});

describe('busy polling', () => {
  /** An application on CPU 1 that busy-polls until `untilUs`; a turn takes 1 µs. */
  const busy = (pending: number, untilUs: number, prefer = false) => {
    const rig = modesRig(pending, { costs: { [OP_NAPI_POLL]: US } });
    const { net, cpus, irqs, napi } = rig;
    const app = cpus[1]!;
    let ended = Infinity;
    const task = new Task('app', app, CTX_APP, function* (me): Work {
      yield* napiBusyLoop(net, napi.napiId, () => app.now >= untilUs * US, me, 8, prefer);
      ended = app.now / US;
      me.sleep();
      yield;
    });
    app.runQueue.wake(task, app, irqs);
    app.irqExit();
    return { ...rig, app, task, ended: (): number => ended };
  };

  test('polls with budget 8 in the application’s context, and holds SCHED and IN_BUSY_POLL', () => {
    const { scheduler, queue, napi } = busy(20, 100);
    scheduler.run(50 * US);
    expect(queue.polls.slice(0, 4).map(({ work }) => work)).toEqual([8, 8, 4, 0]);
    expect(queue.polls[0]).toMatchObject({ context: CTX_APP, cpu: 1 });
    expect(has(napi, NAPIF_STATE_SCHED) && has(napi, NAPIF_STATE_IN_BUSY_POLL)).toBe(true);
    expect(queue.completions.includes(true)).toBe(false);
    expect([napi.busyPolls, napi.busyPackets]).toEqual([napi.polls, 20]);
  });

  test('an interrupt finds it owned: no softirq, MISSED, and the last poll clears that', () => {
    const { scheduler, queue, napi, cpus, at, sd, ended } = busy(0, 100);
    at(30 * US, cpus[0]!, () => expect(napiSchedule(napi, cpus[0]!)).toBe(false));
    scheduler.run(60 * US);
    expect(has(napi, NAPIF_STATE_MISSED)).toBe(true);
    expect(sd.softirqPending).toBe(0);
    scheduler.run(1000 * US);
    expect(ended()).toBe(100);
    expect(queue.completions.at(-1)).toBe(true); // the driver may arm
    expect(napi.state & (NAPIF_STATE_SCHED | NAPIF_STATE_MISSED | NAPIF_STATE_IN_BUSY_POLL)).toBe(
      0,
    );
  });

  test('a last poll that uses its budget hands over to the softirq', () => {
    const { scheduler, queue } = busy(8 * 200, 100);
    scheduler.run(1000 * US);
    const soft = queue.polls.filter(({ context }) => context === CTX_SOFTIRQ);
    expect(soft.length).toBeGreaterThan(0);
    expect(soft[0]!.at).toBeGreaterThanOrEqual(100 * US);
    expect(queue.pending).toBe(0);
  });

  test('who prefers busy polling leaves a timer behind instead', () => {
    const { scheduler, queue, napi, ended } = busy(8 * 200, 100, true);
    Object.assign(napi.config, { deferHardIrqs: 1, groFlushTimeout: 20 * US });
    scheduler.run(110 * US);
    expect(ended()).toBe(100);
    expect(has(napi, NAPIF_STATE_SCHED)).toBe(false);
    expect(queue.polls.every(({ context }) => context === CTX_APP)).toBe(true);
    scheduler.run(125 * US);
    expect(queue.polls.at(-1)).toMatchObject({ context: CTX_SOFTIRQ, cpu: 1 });
    expect(napi.timerIrqs).toBe(1);
  });

  test('a NAPI that a softirq owns is left to it; who prefers makes it give up after a full poll', () => {
    const { scheduler, queue, napi, cpus, irqs } = busy(0, 100, true);
    Object.assign(napi.config, { deferHardIrqs: 1, groFlushTimeout: 50 * US });
    napi.state |= NAPIF_STATE_SCHED; // owned, not polled yet
    scheduler.run(10 * US);
    expect(queue.polls).toEqual([]);
    expect(has(napi, NAPIF_STATE_PREFER_BUSY_POLL)).toBe(true);
    napi.state &= ~NAPIF_STATE_SCHED;
    queue.pending = 64 * 3;
    const line = new IrqLine('irq', cpus[0]!);
    line.handler = (): void => void napiSchedule(napi, cpus[0]!);
    irqs.post(line, 0);
    napi.state |= NAPIF_STATE_PREFER_BUSY_POLL;
    scheduler.run(40 * US);
    const soft = queue.polls.filter(({ context }) => context === CTX_SOFTIRQ);
    expect(soft.length).toBeLessThanOrEqual(1);
    expect(queue.polls.at(-1)!.context).toBe(CTX_APP);
  });

  test('when its slice is over it lets go before another thread runs', () => {
    const { scheduler, napi, app, irqs } = busy(0, 10_000);
    let owned: boolean[] = [];
    const other = new Task('other', app, CTX_APP, function* (): Work {
      for (;;) {
        owned.push(napi.busyPoller !== null);
        app.now += 100 * US;
        yield;
      }
    });
    app.runQueue.wake(other, app, irqs);
    scheduler.run(20_000 * US);
    expect(owned.length).toBeGreaterThan(10);
    expect(owned.includes(true)).toBe(false);
  });

  test('disabling does not wait for its end', () => {
    const { scheduler, napi, ended } = busy(0, 500);
    scheduler.run(50 * US);
    expect(napi.busyPoller).not.toBe(null);
    napiDisable(napi);
    expect(napi.busyPoller).toBe(null);
    scheduler.run(1000 * US);
    expect(has(napi, NAPIF_STATE_IN_BUSY_POLL)).toBe(false);
    expect(ended()).toBeGreaterThanOrEqual(500);
  });
});

describe('irq_suspend_timeout', () => {
  test('suspending moves the timer; resuming polls at once and lets interrupts come back', () => {
    const { scheduler, napi, net, cpus, queue, polledAt, at } = modesRig(1);
    Object.assign(napi.config, {
      deferHardIrqs: 1,
      groFlushTimeout: 20 * US,
      irqSuspendTimeout: 300 * US,
    });
    at(0, cpus[0]!, () => napiSchedule(napi, cpus[0]!));
    at(10 * US, cpus[0]!, () => napiSuspendIrqs(net, napi.napiId, cpus[0]!));
    at(100 * US, cpus[0]!, () => napiResumeIrqs(net, napi.napiId, cpus[0]!));
    scheduler.run(1000 * US);
    // nothing at 20; the suspended timer is not stopped, and finds nothing to do at 310
    expect(polledAt()).toEqual([0, 100, 310]);
    expect(queue.completions).toEqual([false, true, true]);
  });

  test('an application that does not come back: the timer is the safety net', () => {
    const { scheduler, napi, net, cpus, polledAt, at } = modesRig(1);
    Object.assign(napi.config, {
      deferHardIrqs: 1,
      groFlushTimeout: 20 * US,
      irqSuspendTimeout: 300 * US,
    });
    at(0, cpus[0]!, () => napiSchedule(napi, cpus[0]!));
    at(10 * US, cpus[0]!, () => napiSuspendIrqs(net, napi.napiId, cpus[0]!));
    scheduler.run(1000 * US);
    expect(polledAt()).toEqual([0, 310]);
  });

  test('without the setting neither does anything', () => {
    const { scheduler, napi, net, cpus, polledAt, at } = modesRig(1);
    at(0, cpus[0]!, () => napiSchedule(napi, cpus[0]!));
    at(10 * US, cpus[0]!, () => napiSuspendIrqs(net, napi.napiId, cpus[0]!));
    at(100 * US, cpus[0]!, () => napiResumeIrqs(net, napi.napiId, cpus[0]!));
    scheduler.run(1000 * US);
    expect(polledAt()).toEqual([0]);
  });
});
