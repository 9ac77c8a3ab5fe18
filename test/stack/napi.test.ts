import { describe, expect, test } from 'vitest';
import { OP_NAPI_POLL } from '../../src/host/cost.ts';
import { CTX_IDLE, CTX_SOFTIRQ } from '../../src/host/cpu.ts';
import {
  __napiPoll,
  NAPIF_STATE_DISABLE,
  NAPIF_STATE_IN_BUSY_POLL,
  NAPIF_STATE_MISSED,
  NAPIF_STATE_NPSVC,
  NAPIF_STATE_SCHED,
  NapiStruct,
  napiCompleteDone,
  napiPoll,
  napiSchedule,
  napiSchedulePrep,
} from '../../src/stack/napi.ts';
import { napiDisable, napiEnable, netifNapiAdd, netifNapiDel } from '../../src/stack/napiSetup.ts';
import { NapiList } from '../../src/stack/napiList.ts';
import { NetRxAction } from '../../src/stack/netRxAction.ts';
import { CountingQueue, drain, stackRig } from './rig.ts';

function napiRig(pending: number) {
  const rig = stackRig({ cpus: 2, costs: { [OP_NAPI_POLL]: 7 } });
  const queue = new CountingQueue(rig.dev, pending);
  return { ...rig, queue, napi: queue.napi, repoll: new NapiList() };
}
const has = (napi: NapiStruct, bit: number): boolean => (napi.state & bit) !== 0;

describe('napi_schedule_prep', () => {
  test('takes ownership once; the second call leaves MISSED behind', () => {
    const { napi } = napiRig(0);
    expect(napiSchedulePrep(napi)).toBe(true);
    expect(has(napi, NAPIF_STATE_MISSED)).toBe(false);
    expect(napiSchedulePrep(napi)).toBe(false);
    expect(has(napi, NAPIF_STATE_MISSED)).toBe(true);
  });

  test('refuses while somebody waits to disable, and leaves no trace', () => {
    const { napi } = napiRig(0);
    napi.state |= NAPIF_STATE_DISABLE;
    const before = napi.state;
    expect(napiSchedulePrep(napi)).toBe(false);
    expect(napi.state).toBe(before);
  });

  test('a disabled NAPI is not scheduled', () => {
    const { napi, cpu, sd } = napiRig(0);
    napiDisable(napi);
    expect(napiSchedule(napi, cpu)).toBe(false);
    expect(sd.pollList.empty).toBe(true);
  });
});

describe('__napi_schedule', () => {
  test("queues on the caller's CPU, raises its softirq and records it as list owner", () => {
    const { napi, cpus, net } = napiRig(0);
    expect(napi.listOwner).toBe(-1);
    napiSchedule(napi, cpus[1]!);
    expect(net.softnet[1]!.pollList.first).toBe(napi);
    expect(net.softnet.map((sd) => sd.softirqPending)).toEqual([0, 1 << 3]);
    expect(napi.listOwner).toBe(1);
    expect(napi.cpu).toBe(cpus[1]);
  });

  test('inside net_rx_action the softirq is not raised', () => {
    const { napi, cpu, sd } = napiRig(0);
    sd.inNetRxAction = true;
    napiSchedule(napi, cpu);
    expect(sd.softirqPending).toBe(0);
  });
});

describe('napi_complete_done', () => {
  test('gives ownership back and allows interrupts', () => {
    const { napi, cpu, repoll } = napiRig(5);
    napiSchedule(napi, cpu);
    expect(napiPoll(napi, repoll)).toBe(5);
    expect(has(napi, NAPIF_STATE_SCHED)).toBe(false);
    expect(napi.listOwner).toBe(-1);
  });

  test.each([
    ['NPSVC', NAPIF_STATE_NPSVC],
    ['IN_BUSY_POLL', NAPIF_STATE_IN_BUSY_POLL],
  ])('with %s set somebody else owns completion: nothing changes', (_name, bit) => {
    const { napi, cpu } = napiRig(0);
    napiSchedule(napi, cpu);
    napi.pollList!.remove(napi);
    napi.state |= bit;
    const before = napi.state;
    expect(napiCompleteDone(napi, 1)).toBe(false);
    expect(napi.state).toBe(before);
    expect(napi.listOwner).toBe(0);
  });

  test('MISSED turns completing into one more poll, by the same owner', () => {
    const { queue, napi, cpu, net, sd } = napiRig(5);
    napiSchedule(napi, cpu);
    napiSchedule(napi, cpu);
    drain(new NetRxAction(net, sd).begin());
    expect(queue.polls.length).toBe(2);
    expect(queue.completions).toEqual([false, true]);
    expect(has(napi, NAPIF_STATE_MISSED)).toBe(false);
  });

  test('completing what nobody owns is a defect of the driver', () => {
    const { napi } = napiRig(0);
    expect(() => napiCompleteDone(napi, 0)).toThrow('nobody owns');
  });
});

describe('__napi_poll', () => {
  test('less work than weight: not polled again, and the poll takes its time', () => {
    const { napi, cpu, repoll } = napiRig(63);
    napiSchedule(napi, cpu);
    expect(napiPoll(napi, repoll)).toBe(63);
    expect(repoll.empty).toBe(true);
    expect(cpu.now).toBe(7);
  });

  test('work equal to weight: still owned by the core, to be polled again', () => {
    const { napi, cpu, repoll } = napiRig(64);
    napiSchedule(napi, cpu);
    expect(napiPoll(napi, repoll)).toBe(64);
    expect(repoll.first).toBe(napi);
    expect(has(napi, NAPIF_STATE_SCHED)).toBe(true);
    expect(napi.listOwner).toBe(0);
  });

  test('work equal to weight with disable pending: completed by the core', () => {
    const { napi, cpu, repoll } = napiRig(1000);
    napiSchedule(napi, cpu);
    napi.state |= NAPIF_STATE_DISABLE;
    napiPoll(napi, repoll);
    expect(repoll.empty).toBe(true);
    expect(has(napi, NAPIF_STATE_SCHED)).toBe(false);
  });

  test('more work than weight is logged once and treated as weight', () => {
    const { dev, net, cpu, repoll } = napiRig(0);
    const greedy = new NapiStruct(dev, 1);
    netifNapiAdd(greedy, (_napi, budget) => budget + 1);
    napiEnable(greedy);
    napiSchedule(greedy, cpu);
    napiPoll(greedy, repoll);
    napiPoll(greedy, repoll);
    expect(repoll.first).toBe(greedy);
    expect(net.dmesg.lines).toEqual([
      'eth0: NAPI poll function returned 65, exceeding its budget of 64.',
    ]);
  });

  test('a driver that rescheduled itself and still returns its weight is not added twice', () => {
    const { dev, net, sd, cpu, repoll } = napiRig(0);
    const odd = new NapiStruct(dev, 1);
    netifNapiAdd(odd, (napi, budget) => {
      napiCompleteDone(napi, budget - 1);
      napiSchedule(napi, napi.cpu);
      return budget;
    });
    napiEnable(odd);
    napiSchedule(odd, cpu);
    napiPoll(odd, repoll);
    expect(repoll.empty).toBe(true);
    expect(sd.pollList.first).toBe(odd);
    expect(net.dmesg.lines).toEqual(['eth0: Budget exhausted after napi rescheduled']);
  });

  test('a NAPI that is not scheduled is not polled', () => {
    const { queue, napi } = napiRig(10);
    expect(__napiPoll(napi)).toBe(0);
    expect(queue.polls).toEqual([]);
  });

  test('polls, full polls and packets are counted', () => {
    const { napi, cpu, repoll } = napiRig(64 + 64 + 9);
    napiSchedule(napi, cpu);
    for (let i = 0; i < 3; i++) napiPoll(napi, repoll);
    expect([napi.polls, napi.fullPolls, napi.packets]).toEqual([3, 2, 137]);
  });
});

describe('napi_disable and napi_enable', () => {
  test('disabling waits for the owner: its poll runs first, on its own CPU', () => {
    const { queue, napi, cpus } = napiRig(10);
    napiSchedule(napi, cpus[1]!);
    napiDisable(napi);
    expect(queue.polls).toEqual([{ at: 7, work: 10, context: CTX_SOFTIRQ, cpu: 1 }]);
    expect(cpus[1]!.context).toBe(CTX_IDLE);
  });

  test('disabling ends a saturated NAPI after one more poll; what waits stays in its ring', () => {
    const { queue, napi, cpu } = napiRig(1000);
    napiSchedule(napi, cpu);
    napiDisable(napi);
    expect(queue.polls.length).toBe(1);
    expect(queue.pending).toBe(1000 - 64);
  });

  test('disabling takes a NAPI off the private lists of a softirq that is under way', () => {
    const { queue, napi, cpu, net, sd } = napiRig(1000);
    napiSchedule(napi, cpu);
    drain(new NetRxAction(net, sd).begin(), () => napiDisable(napi));
    expect(queue.polls.length).toBe(2);
    expect(sd.pollList.empty).toBe(true);
  });

  test('disabling twice would wait for ever, and says so', () => {
    const { napi } = napiRig(0);
    napiDisable(napi);
    expect(() => napiDisable(napi)).toThrow('nobody will poll it');
  });

  test('enabling gives ownership free', () => {
    const { napi, cpu } = napiRig(0);
    napiDisable(napi);
    napiEnable(napi);
    expect(napiSchedule(napi, cpu)).toBe(true);
    expect(() => napiEnable(new CountingQueue(napi.dev, 0).napi)).toThrow('enabled already');
  });
});

describe('netif_napi_add', () => {
  test('a NAPI begins disabled, with weight 64 and an id no CPU has', () => {
    const { dev, net } = napiRig(0);
    const napi = new NapiStruct(dev, 1);
    netifNapiAdd(napi, () => 0);
    expect(has(napi, NAPIF_STATE_SCHED)).toBe(true);
    expect(napi.weight).toBe(64);
    expect(napi.napiId).toBeGreaterThan(net.softnet.length);
    expect(dev.napis).toContain(napi);
    netifNapiDel(napi);
    expect(dev.napis).not.toContain(napi);
  });

  test('its id is the index’s: the next one there has it again, another index has not', () => {
    const { dev, net } = napiRig(0);
    const add = (index: number): NapiStruct => {
      const napi = new NapiStruct(dev, index);
      netifNapiAdd(napi, () => 0);
      return napi;
    };
    const first = add(1);
    const { napiId } = first;
    netifNapiDel(first);
    expect(net.napiById(napiId)).toBe(null);
    const [again, other] = [add(1), add(2)];
    expect(net.napiById(napiId)).toBe(again);
    expect(other.napiId).not.toBe(napiId);
  });

  test('a weight above 64 is taken, with a complaint', () => {
    const { dev, net } = napiRig(0);
    const napi = new NapiStruct(dev, 1);
    netifNapiAdd(napi, () => 0, 256);
    expect(napi.weight).toBe(256);
    expect(net.dmesg.lines).toEqual([
      'eth0: netif_napi_add_weight_locked() called with weight 256',
    ]);
  });
});
