import { expect, test } from 'vitest';
import { PS_PER_MS, PS_PER_US } from '../../src/host/clock.ts';
import { OP_HARDIRQ, OP_NAPI_POLL, OP_SOFTIRQ } from '../../src/host/cost.ts';
import type { Work } from '../../src/host/cpu.ts';
import { CTX_APP, CTX_HARDIRQ, CTX_IDLE, CTX_KSOFTIRQD, CTX_SOFTIRQ } from '../../src/host/cpu.ts';
import { Task } from '../../src/host/runQueue.ts';
import { softnetStat } from '../../src/stack/softnet.ts';
import { CountingQueue, stackRig } from './rig.ts';
import type { RigOptions } from './rig.ts';

/** `pending` packets of `packetUs` each wait when the interrupt comes at 0. */
function irqRig(pending: number, packetUs: number, options: RigOptions = {}) {
  const rig = stackRig(options);
  const queue = new CountingQueue(rig.dev, pending);
  queue.packetPs = packetUs * PS_PER_US;
  rig.irqs.post(queue.line(rig.cpu), 0);
  return { ...rig, queue, contexts: (): number[] => queue.polls.map((p) => p.context) };
}
const times = (n: number, context: number): number[] => Array.from({ length: n }, () => context);

test('an interrupt schedules, the softirq polls in its place, and the CPU is idle again', () => {
  const { scheduler, cpu, contexts } = irqRig(3, 1);
  scheduler.run(PS_PER_MS);
  expect(contexts()).toEqual([CTX_SOFTIRQ]);
  expect(cpu.work).toBe(null);
  expect(cpu.context).toBe(CTX_IDLE);
});

test('the tenth round is the last: the eleventh poll runs in ksoftirqd', () => {
  const { scheduler, sd, contexts } = irqRig(64 * 12, 0.001);
  scheduler.run(PS_PER_MS);
  // the thirteenth poll finds nothing and completes
  expect(contexts()).toEqual([...times(10, CTX_SOFTIRQ), ...times(3, CTX_KSOFTIRQD)]);
  expect(sd.ksoftirqdWakeups).toBe(1);
  expect(sd.timeSqueeze).toBe(0);
});

test('a thread that a poll wakes on an idle CPU ends the softirq with its round, and runs first', () => {
  const { scheduler, cpu, irqs, sd, queue } = irqRig(64 * 3, 1);
  const seen: number[] = [];
  const app = new Task('app', cpu, CTX_APP, function* (task): Work {
    for (;;) {
      seen.push(queue.polls.length);
      task.sleep();
      yield;
    }
  });
  const { poll } = queue.napi;
  queue.napi.poll = (napi, budget): number => {
    cpu.runQueue.wake(app, cpu, irqs);
    return poll(napi, budget);
  };
  scheduler.run(PS_PER_MS);
  // the app woke before ksoftirqd; its next wake-up is behind that, which then has its slice
  expect(seen).toEqual([1, 4]);
  expect(sd.ksoftirqdWakeups).toBe(2);
  expect(queue.pending).toBe(0);
});

test('ten rounds that finish the work wake no thread', () => {
  const { scheduler, sd, contexts } = irqRig(64 * 9 + 1, 0.001);
  scheduler.run(PS_PER_MS);
  expect(contexts()).toEqual(times(10, CTX_SOFTIRQ));
  expect(sd.ksoftirqdWakeups).toBe(0);
});

test('HZ 1000: after two ticks the rest goes to ksoftirqd, without a time squeeze', () => {
  // polls of 0.704 ms end at 0.704, 1.408, 2.112: the third passes 2 ms
  const { scheduler, sd, contexts } = irqRig(64 * 5, 11);
  scheduler.run(100 * PS_PER_MS);
  expect(contexts().filter((c) => c === CTX_SOFTIRQ).length).toBe(3);
  expect(sd.ksoftirqdWakeups).toBe(1);
  expect(sd.timeSqueeze).toBe(0);
});

test('HZ 250: 2 ms are one tick of 4 ms', () => {
  // polls of 0.704 ms: the sixth ends at 4.224 ms
  const { scheduler, contexts } = irqRig(64 * 8, 11, { hz: 250 });
  scheduler.run(100 * PS_PER_MS);
  expect(contexts().filter((c) => c === CTX_SOFTIRQ).length).toBe(6);
});

test('an overloaded CPU lives in ksoftirqd and yields after each poll', () => {
  const { scheduler, cpu, queue, contexts } = irqRig(1_000_000, 1);
  scheduler.run(PS_PER_MS);
  // 64 us a poll: the step that crosses 1 ms is the sixteenth
  expect(queue.polls.length).toBe(16);
  expect(contexts()).toEqual([...times(10, CTX_SOFTIRQ), ...times(6, CTX_KSOFTIRQD)]);
  expect(cpu.work).not.toBe(null);
});

test('time is booked to the context it passed in', () => {
  const costs = { [OP_HARDIRQ]: 600, [OP_SOFTIRQ]: 150, [OP_NAPI_POLL]: 60 };
  const { scheduler, cpu } = irqRig(64 * 10, 0.001, { costs });
  scheduler.run(PS_PER_MS);
  cpu.enter(CTX_IDLE);
  expect(cpu.spent[CTX_HARDIRQ]).toBe(600);
  expect(cpu.spent[CTX_SOFTIRQ]).toBe(150 + 10 * (60 + 64 * 1000));
  expect(cpu.spent[CTX_KSOFTIRQD]).toBe(150 + 60); // the poll that finds nothing
});

test('two CPUs interleave poll by poll, the one behind first', () => {
  const rig = stackRig({ cpus: 2 });
  const slow = new CountingQueue(rig.dev, 64 * 2);
  const fast = new CountingQueue(rig.dev, 64 * 4);
  slow.packetPs = 2000;
  fast.packetPs = 1000;
  rig.irqs.post(slow.line(rig.cpus[0]!), 0);
  rig.irqs.post(fast.line(rig.cpus[1]!), 1);
  rig.scheduler.run(PS_PER_MS);
  expect(slow.polls.map((p) => p.at)).toEqual([0, 128_000, 256_000]);
  expect(fast.polls.map((p) => p.at)).toEqual([1, 64_001, 128_001, 192_001, 256_001]);
});

test('an interrupt during a poll is taken when the poll ends, and its NAPI is polled in the same run', () => {
  const { irqs, scheduler, queue, dev, cpu, sd } = irqRig(10, 1);
  const other = new CountingQueue(dev, 4);
  irqs.post(other.line(cpu), 5 * PS_PER_US);
  scheduler.run(PS_PER_MS);
  expect(queue.polls[0]!.at).toBe(0);
  expect(other.polls[0]!.at).toBe(10 * PS_PER_US);
  expect(sd.softirqPending).toBe(0);
});

test('an interrupt for a NAPI whose poll is over but not yet completed makes it poll once more', () => {
  const { irqs, scheduler, queue, cpu } = irqRig(64, 1);
  irqs.post(queue.line(cpu), 5 * PS_PER_US);
  scheduler.run(PS_PER_MS);
  // full poll, the empty poll that meets MISSED, and the one it asked for
  expect(queue.polls.map((p) => p.work)).toEqual([64, 0, 0]);
  expect(queue.completions).toEqual([false, true]);
});

test('softnet_stat has 15 columns: processed, dropped, squeeze, six zeros, RPS, flow limit, backlog, CPU, queues', () => {
  const { net } = stackRig({ cpus: 3 });
  const sd = net.softnet[2]!;
  Object.assign(sd, { processed: 11, dropped: 12, timeSqueeze: 13, receivedRps: 14 });
  expect(softnetStat(sd)).toEqual([11, 12, 13, 0, 0, 0, 0, 0, 0, 14, 0, 0, 2, 0, 0]);
});
