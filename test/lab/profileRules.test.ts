/** What a profile says of its NIC and kernel besides times. */
import { describe, expect, test } from 'vitest';
import { run as runOn } from '../../src/lab/given.ts';
import type { RunReport } from '../../src/lab/report.ts';

const run = async (given: Readonly<Record<string, unknown>>): Promise<RunReport> =>
  (await runOn(given)).report;

describe('an application on the CPU that receives, under overload', () => {
  const sink = (profile: string): Promise<RunReport> =>
    run({
      ...{ profile, xdp: 'none', apps: 'sink:9', appCpu: 0, queues: 1, cpus: 1 },
      ...{ traffic: 'udp size=64 flows=64 rate=8Mpps', duration: '30ms' },
    });

  test('starves on a kernel of today, and has a share where ksoftirqd takes turns', async () => {
    const [today, before] = [await sink('flat'), await sink('i40e-2019')];
    expect(today.cpus[0]!.appPct).toBeLessThan(5);
    expect(today.cpus[0]!.ksoftirqdPct).toBeLessThan(50);
    expect(before.cpus[0]!.appPct).toBeGreaterThan(20);
    expect(before.cpus[0]!.softirqPct).toBeLessThan(5);
  });
});

describe('a NIC that is moderated as mlx5 is', () => {
  const given = {
    ...{ profile: 'irqsuspend-2024', xdp: 'none', apps: 'server:9', chip: 'p5', queues: 1 },
    ...{ cpus: 1, clients: 32, think: '400us', count: 8000, clientAck: 10 },
    ...{ rawDrop: 'udp dport 10', rxUsecs: 8, rxFrames: 128, txUsecs: 8 },
  } as const;
  const adaptive = { ...given, adaptiveRx: true, cqeModeRx: true };

  test('DIM finds longer timers for it, for both directions; lazy and eager agree', async () => {
    const set = await run({ ...given, cqeModeRx: true });
    const lazy = await run(adaptive);
    expect(lazy.napi.irqs).toBeLessThan(set.napi.irqs * 0.8);
    const eager = await run({ ...adaptive, eager: true });
    expect({ ...eager, wallMs: 0 }).toEqual({ ...lazy, wallMs: 0 });
  });

  test('a drop at a rate that never pauses is interrupted by the number of frames alone', async () => {
    const report = await run({
      ...{ profile: 'xdp-paper-2018', xdp: 'drop', stack: false, queues: 1, cpus: 1, link: 100 },
      ...{ traffic: 'udp size=64 rate=1Mpps', count: 12_800, rxFrames: 128, cqeModeRx: true },
      ...{ rxUsecs: 8, rxRing: 1023 },
    });
    expect(report.napi.irqs).toBeGreaterThan(90); // a poll may find a frame more
    expect(report.napi.irqs).toBeLessThanOrEqual(100);
  });

  test('rx-frames beyond a poll are for such a NIC alone', async () => {
    await expect(run({ xdp: 'drop', rxFrames: 65 })).rejects.toThrow(
      '--rx-frames: 65 is out of range (1 to 64 with --profile flat)',
    );
  });
});

describe('a redirect under load', () => {
  /** Redirected frames, transmit calls for them, TX doorbells. */
  const counts = async (profile: string, xdp: string): Promise<readonly number[]> => {
    const { packets, costs, conserved } = await run({
      ...{ profile, xdp, queues: 1, cpus: 1, stack: false, breakdown: true, rxRing: 1023 },
      ...{ traffic: 'udp size=64 rate=20Mpps', count: 1000 },
    });
    expect(conserved).toBe(true);
    const times = (op: string): number => costs.find((cost) => cost.op === op)?.count ?? 0;
    return [packets.xdpRedirect, times('XDP transmit call'), times('TX doorbell')];
  };

  test('rings for each frame where a kernel before 5.6 has no map for it', async () => {
    expect(await counts('i40e-2019', 'redirect-ifindex')).toEqual([1000, 1000, 1000]);
    const [frames, calls, doorbells] = await counts('i40e-2019', 'redirect');
    expect(frames).toBe(1000);
    expect(calls).toBeLessThan(90); // 1000 by 16 is 63, and the queue is flushed at the end of a poll
    expect(doorbells).toBeLessThan(25); // 1000 by 64 is 16
  });

  test('does the same with and without a map on a kernel of today', async () => {
    expect(await counts('flat', 'redirect-ifindex')).toEqual(await counts('flat', 'redirect'));
  });
});

test('the router rings once for many where its port is in the devmap, as it had to before Linux 5.6', async () => {
  const given = {
    ...{ profile: 'xdp-paper-2018', xdp: 'router', ipForward: true, queues: 1, cpus: 1 },
    ...{ traffic: 'udp size=64 rate=20Mpps dst=10.0.1.254', count: 1000, breakdown: true },
    ...{ rxRing: 1023, txRing: 1023 },
  };
  const doorbells = async (more: Readonly<Record<string, unknown>>): Promise<number> => {
    const { packets, costs } = await run({ ...given, ...more });
    expect(packets).toMatchObject({ xdpRedirect: 1000, onWire: 1000 });
    return costs.find(({ op }) => op === 'TX doorbell')!.count;
  };
  expect(await doorbells({})).toBe(1000);
  expect(await doorbells({ at: '0 update ports 3 3' })).toBeLessThan(25);
});

test('what is dropped rings no TX ring', async () => {
  const { costs } = await run({ xdp: 'drop', count: 100, breakdown: true });
  const rung = costs.filter(({ op }) => op.endsWith('doorbell')).map(({ op }) => op);
  expect(rung).toEqual(['doorbell']);
});

describe('cores that sleep', () => {
  const given = {
    ...{ xdp: 'drop', stack: false, queues: 1, cpus: 1, rxUsecs: 0, rxFrames: 1, stages: true },
    ...{ link: 100, hz: 1000 },
  } as const;
  const awake = { ...given, profile: 'xdp-paper-2018' };
  const asleep = { ...given, profile: 'xdp-paper-2018-sleep' };

  test.each([
    ['40us', '25kpps', 10], // C1E
    ['200us', '5kpps', 40], // C3
    ['1ms', '1kpps', 133], // C6
  ])('interrupts %s apart reach them later, and take no more of them', async (_, rate, us) => {
    const more = { traffic: `udp size=64 rate=${rate}`, count: 1000 };
    const [before, after] = [await run({ ...awake, ...more }), await run({ ...asleep, ...more })];
    const wait = ({ stagesNs }: RunReport): number => stagesNs['interrupt']!.p50;
    expect((wait(after) - wait(before)) / 1000).toBeGreaterThan(us * 0.96); // of a histogram
    expect((wait(after) - wait(before)) / 1000).toBeLessThan(us * 1.04);
    expect(after.cpus[0]!.busyPct).toBeLessThanOrEqual(before.cpus[0]!.busyPct);
    const eager = await run({ ...asleep, ...more, eager: true });
    expect({ ...eager, wallMs: 0 }).toEqual({ ...after, wallMs: 0 });
  });

  test('a timer waits for their waking as well: 200 us and 40', async () => {
    const { napi, settledNs } = await run({
      ...{ ...asleep, traffic: 'udp size=64 rate=100kpps', duration: '48ms' },
      ...{ groFlushTimeout: 200_000, napiDeferHardIrqs: 100 },
    });
    const between = settledNs / napi.polls / 1000;
    expect(between).toBeGreaterThan(240);
    expect(between).toBeLessThan(256);
  });
});

test('p5: a NAPI that defers its interrupt for long acknowledges its notifications', async () => {
  const { packets } = await run({
    ...{ chip: 'p5', xdp: 'none', apps: 'sink:9', queues: 1, cpus: 1, count: 20_000 },
    ...{ traffic: 'udp size=64 flows=64 rate=50kpps arrivals=poisson' },
    ...{ groFlushTimeout: 200_000, napiDeferHardIrqs: 100 },
  });
  expect(packets.received).toBe(20_000);
});
