import { describe, expect, test } from 'vitest';
import { PS_PER_MS, PS_PER_US } from '../../src/host/clock.ts';
import type { NapiList } from '../../src/stack/napiList.ts';
import { napiSchedule } from '../../src/stack/napi.ts';
import { NetRxAction } from '../../src/stack/netRxAction.ts';
import { CountingQueue, drain, stackRig } from './rig.ts';
import type { RigOptions } from './rig.ts';

/** `pending[i]` packets wait on NAPI i; all are scheduled, in this order. */
function rxRig(pending: readonly number[], options: RigOptions = {}) {
  const rig = stackRig(options);
  const queues = pending.map((n) => new CountingQueue(rig.dev, n));
  for (const q of queues) napiSchedule(q.napi, rig.cpu);
  rig.sd.softirqPending = 0; // the dispatcher clears it before it calls the action
  return { ...rig, queues, polls: (): number[] => queues.map((q) => q.polls.length) };
}

const indices = (list: NapiList): number[] => {
  const out: number[] = [];
  for (let n = list.first; n !== null; n = n.next) out.push(n.index);
  return out;
};

test('one run polls a saturated NAPI once, with its weight, and counts no time squeeze', () => {
  const { net, sd, queues } = rxRig([200]);
  drain(new NetRxAction(net, sd).begin());
  expect(queues[0]!.polls.map((p) => p.work)).toEqual([64]);
  expect(sd.timeSqueeze).toBe(0);
  expect(indices(sd.pollList)).toEqual([0]);
  expect(sd.softirqPending).toBe(1 << 3); // NET_RX is the fourth softirq of the kernel's list
});

test('300 ready packets take five runs: 64, 64, 64, 64, 44', () => {
  const { net, sd, queues } = rxRig([300]);
  for (let run = 0; run < 5; run++) drain(new NetRxAction(net, sd).begin());
  expect(queues[0]!.polls.map((p) => p.work)).toEqual([64, 64, 64, 64, 44]);
  expect(queues[0]!.completions).toEqual([true]);
  expect(sd.pollList.empty).toBe(true);
});

test('a NAPI that completed leaves the list and the softirq is not raised again', () => {
  const { net, sd } = rxRig([63]);
  drain(new NetRxAction(net, sd).begin());
  expect(sd.pollList.empty).toBe(true);
  expect(sd.softirqPending).toBe(0);
});

test('four saturated NAPIs stay under the budget of 300: 256 packets, no squeeze', () => {
  const { net, sd, polls } = rxRig([1000, 1000, 1000, 1000]);
  drain(new NetRxAction(net, sd).begin());
  expect(polls()).toEqual([1, 1, 1, 1]);
  expect(sd.timeSqueeze).toBe(0);
});

test('the fifth saturated NAPI exhausts the budget: 5 x 64 = 320 > 300, one squeeze, the sixth waits', () => {
  const { net, sd, polls } = rxRig([1000, 1000, 1000, 1000, 1000, 1000]);
  drain(new NetRxAction(net, sd).begin());
  expect(polls()).toEqual([1, 1, 1, 1, 1, 0]);
  expect([sd.timeSqueeze, sd.budgetSqueeze]).toEqual([1, 1]);
  expect(indices(sd.pollList)).toEqual([5, 0, 1, 2, 3, 4]);
});

test('the budget is exhausted by exactly its number of packets', () => {
  const { net, sd, polls } = rxRig([64, 64, 64], { netdevBudget: 128 });
  drain(new NetRxAction(net, sd).begin());
  expect(polls()).toEqual([1, 1, 0]);
  expect(sd.timeSqueeze).toBe(1);
});

test('leftovers go back in the order: remainder, newly scheduled, to be polled again', () => {
  const { net, sd, cpu, dev, queues } = rxRig([1000, 1000, 1000, 1000], { netdevBudget: 100 });
  const late = new CountingQueue(dev, 5);
  drain(new NetRxAction(net, sd).begin(), (yields) => {
    if (yields === 2) napiSchedule(late.napi, cpu);
  });
  // 64 + 64 > 100: 0 and 1 were polled, 2 and 3 not
  expect(queues.map((q) => q.polls.length)).toEqual([1, 1, 0, 0]);
  expect(indices(sd.pollList)).toEqual([2, 3, 4, 0, 1]);
});

test('work that arrived while the list ran empty makes the run start over', () => {
  const { net, sd, cpu, dev } = rxRig([10]);
  const late = new CountingQueue(dev, 7);
  drain(new NetRxAction(net, sd).begin(), (yields) => {
    if (yields === 1) napiSchedule(late.napi, cpu);
  });
  expect(late.polls.length).toBe(1);
  expect(sd.softirqPending).toBe(0);
});

test('with a NAPI to be polled again the run ends instead of starting over', () => {
  const { net, sd, cpu, dev } = rxRig([64]);
  const late = new CountingQueue(dev, 7);
  drain(new NetRxAction(net, sd).begin(), (yields) => {
    if (yields === 1) napiSchedule(late.napi, cpu);
  });
  expect(late.polls.length).toBe(0);
  expect(indices(sd.pollList)).toEqual([1, 0]); // the newcomer first
});

test('a NAPI that completed and was scheduled anew is polled twice in one run, on one budget', () => {
  const { net, sd, cpu, queues } = rxRig([10], { netdevBudget: 25 });
  const [q] = queues;
  drain(new NetRxAction(net, sd).begin(), () => {
    q!.pending = 10;
    napiSchedule(q!.napi, cpu);
  });
  // 10 + 10 < 25 <= 10 + 10 + 10
  expect(q!.polls.map((p) => p.work)).toEqual([10, 10, 10]);
  expect(sd.timeSqueeze).toBe(1);
});

test('starting over does not restart the time limit', () => {
  const { net, sd, cpu, queues } = rxRig([10], { hz: 1000, netdevBudgetUsecs: 2000 });
  const [q] = queues;
  q!.packetPs = 90 * PS_PER_US; // a poll takes 0.9 ms: the third ends after 2 ms
  drain(new NetRxAction(net, sd).begin(), () => {
    q!.pending = 10;
    napiSchedule(q!.napi, cpu);
  });
  expect(q!.polls.length).toBe(3);
  expect([sd.timeSqueeze, sd.budgetSqueeze]).toEqual([1, 0]);
});

const squeezes = (hz: number, usecs: number | undefined, startUs: number, pollUs: number) => {
  const { net, sd, cpu, queues } = rxRig([1], { hz, netdevBudgetUsecs: usecs });
  cpu.now = startUs * PS_PER_US;
  queues[0]!.packetPs = pollUs * PS_PER_US;
  drain(new NetRxAction(net, sd).begin());
  return sd.timeSqueeze;
};

describe('the time limit is counted in ticks', () => {
  test('HZ 1000, default 2000 us: two ticks of 1 ms, so 1 to 2 ms', () => {
    expect(squeezes(1000, undefined, 0, 1999)).toBe(0);
    expect(squeezes(1000, undefined, 0, 2000)).toBe(1);
    expect(squeezes(1000, undefined, 999, 1000)).toBe(0);
    expect(squeezes(1000, undefined, 999, 1001)).toBe(1);
  });

  test('HZ 250, default 8000 us: two ticks of 4 ms, so 4 to 8 ms', () => {
    expect(squeezes(250, undefined, 0, 7999)).toBe(0);
    expect(squeezes(250, undefined, 0, 8000)).toBe(1);
    expect(squeezes(250, undefined, 3999, 4000)).toBe(0);
    expect(squeezes(250, undefined, 3999, 4001)).toBe(1);
  });

  test('HZ 100, default 20000 us: two ticks of 10 ms, so 10 to 20 ms', () => {
    expect(squeezes(100, undefined, 0, 19_999)).toBe(0);
    expect(squeezes(100, undefined, 0, 20_000)).toBe(1);
    expect(squeezes(100, undefined, 9999, 10_000)).toBe(0);
    expect(squeezes(100, undefined, 9999, 10_001)).toBe(1);
  });

  test('HZ 250 with 2000 us: one tick, so 0 to 4 ms', () => {
    expect(squeezes(250, 2000, 0, 3999)).toBe(0);
    expect(squeezes(250, 2000, 0, 4000)).toBe(1);
    expect(squeezes(250, 2000, 3999, 1)).toBe(1);
  });
});

test('one slow poll trips the time limit with the budget hardly used', () => {
  const { net, sd, queues, polls } = rxRig([1, 1]);
  queues[0]!.packetPs = 3 * PS_PER_MS;
  drain(new NetRxAction(net, sd).begin());
  expect(polls()).toEqual([1, 0]);
  expect(sd.timeSqueeze).toBe(1);
});

test('the limit is tested after a poll even if it was the last: a squeeze without work left', () => {
  const { net, sd, queues } = rxRig([1]);
  queues[0]!.packetPs = 3 * PS_PER_MS;
  drain(new NetRxAction(net, sd).begin());
  expect(sd.timeSqueeze).toBe(1);
  expect(sd.softirqPending).toBe(0);
});

test('a run yields once per poll, so that other CPUs and interrupts come in between', () => {
  const { net, sd } = rxRig([3, 100, 7]);
  expect(drain(new NetRxAction(net, sd).begin())).toBe(3);
});
