import { describe, expect, test } from 'vitest';
import { run } from '../../src/lab/given.ts';
import type { RunReport } from '../../src/lab/report.ts';

type Options = Parameters<typeof run>[0];

const DEFER = { groFlushTimeout: 20_000, napiDeferHardIrqs: 2 };
const BUSY = { busyPoll: 50 };
const PREFER = { ...DEFER, ...BUSY, preferBusyPoll: true };
const MODES: readonly (readonly [string, Options])[] = [
  ['base', {}],
  ['defer', DEFER],
  ['busy poll', BUSY],
  ['prefer busy poll', PREFER],
  ['suspend', { ...PREFER, irqSuspendTimeout: 20_000_000 }],
  ['threads', { threaded: true }],
  ['threads on other CPUs, deferring', { ...DEFER, threaded: true, threadCpus: [2, 0] }],
  ['threads and busy polling', { ...PREFER, threaded: true, threadCpus: [2] }],
];

/** What a run says, but for how long it took. */
const said = async (options: Options): Promise<unknown> => {
  const { report } = await run(options);
  expect(report.conserved).toBe(true);
  return { ...report, wallMs: 0 };
};

describe('lazy and eager tell one history', () => {
  const LOADS: readonly (readonly [string, Options])[] = [
    ['an echo of a trickle', { xdp: 'pass', rate: '300kpps', apps: 'echo:9,echo:10' }],
    ['an overload of bursts', { xdp: 'pass', rate: '4Mpps', apps: 'sink:9', rxRing: 127 }],
    ['redirects beside it', { xdp: 'l4lb', rate: '3Mpps', apps: 'sink:9' }],
  ];
  for (const [load, options] of LOADS) {
    test.each(MODES)(`${load}: %s`, async (_, mode) => {
      const all: Options = {
        traffic: 'udp size=64 flows=64 arrivals=poisson',
        ...{ ...options, ...mode },
        ...{ count: 1500, cpus: 3, queues: 3, appCpu: 1, check: true },
      };
      expect(await said({ ...all, eager: true })).toEqual(await said(all));
    });
  }
});

test.each(MODES)(
  'a device is closed and opened under %s: its NAPIs come back as they were',
  async (_, mode) => {
    const options: Options = {
      ...{ xdp: 'pass', apps: 'echo:9', count: 800, traffic: 'udp size=64 flows=64 rate=400kpps' },
      ...{ cpus: 3, queues: 2, appCpu: 1, check: true, at: '1ms xdp pass', ...mode },
    };
    const { report } = await run(options);
    expect(report.conserved).toBe(true);
    expect(report.packets.lost['deviceClosed']).toBeGreaterThan(0);
    expect(report.sockets[0]!.received).toBeGreaterThan(500);
    expect(report.cpus.some(({ napiThreadPct }) => napiThreadPct > 0)).toBe(
      mode?.threaded === true,
    );
  },
);

test('a P5 is polled by an application for longer than its notification queue has slots', async () => {
  const { report } = await run({
    ...{ chip: 'p5', xdp: 'pass', apps: 'sink:9', cpus: 2, queues: 1, rxRing: 31, txRing: 19 },
    ...{ traffic: 'udp size=64 rate=300kpps', count: 4000 },
    ...{ ...PREFER, busyPoll: 200, napiDeferHardIrqs: 100 },
  });
  expect(report.conserved).toBe(true);
  expect(report.napi.irqs).toBe(1);
  // a descriptor page holds 256 notifications, and each brings at most 8 packets
  expect(report.napi.busyPackets).toBeGreaterThan(3900);
  expect(report.sockets[0]!.received).toBe(4000);
});

describe('receive livelock', () => {
  const overload = (more: Options): Promise<{ report: RunReport }> =>
    run({
      ...{ xdp: 'none', traffic: 'udp size=64 rate=6Mpps', duration: '20ms', apps: 'sink:9' },
      ...{ cpus: 2, queues: 1, irqAffinity: [0] },
      ...more,
    });

  test('on the CPU that receives the application starves; on another it reads what that CPU takes up', async () => {
    const { report: shared } = await overload({ appCpu: 0 });
    const { report: moved } = await overload({ appCpu: 1 });
    expect(shared.cpus[0]!.busyPct).toBeGreaterThan(99);
    expect(shared.cpus[0]!.appPct).toBeLessThan(2);
    expect(shared.sockets[0]!.received).toBeLessThan(0.01 * shared.packets.offered);
    expect(shared.sockets[0]!.drops).toBeGreaterThan(0.5 * shared.packets.offered);
    expect(moved.sockets[0]!.received).toBeGreaterThan(0.95 * moved.packets.toStack);
    expect(moved.sockets[0]!.received).toBeGreaterThan(50 * shared.sockets[0]!.received);
  });

  test('below capacity nothing starves on either', async () => {
    for (const appCpu of [0, 1]) {
      const { report } = await overload({ appCpu, traffic: 'udp size=64 rate=1Mpps' });
      expect(report.sockets[0]!.received).toBe(report.packets.offered);
    }
  });

  test('a NAPI thread shares the CPU that softirqs would have taken, if the socket holds a slice of packets', async () => {
    const apps = [{ kind: 'sink', udp: 9, rcvbuf: 2 ** 24 }] as const;
    const { report: thread } = await overload({ appCpu: 0, apps, threaded: true });
    expect(thread.cpus[0]!.softirqPct).toBeLessThan(1);
    expect(thread.cpus[0]!.appPct).toBeGreaterThan(30);
    expect(thread.cpus[0]!.napiThreadPct).toBeGreaterThan(30);
  });
});

describe('latency and interrupts by regime', () => {
  const echo = async (mode: Options): Promise<RunReport> => {
    const { report } = await run({
      ...{ xdp: 'none', apps: 'echo:9', count: 2000, rate: '100kpps' },
      ...{ traffic: 'udp size=64 arrivals=poisson', cpus: 2, queues: 1 },
      ...{ irqAffinity: [0], appCpu: 1 },
      ...mode,
    });
    expect(report.sockets[0]!.received).toBe(2000);
    return report;
  };

  test('a busy-polled packet is handled sooner than one that interrupts, and that sooner than one that waits for a timer', async () => {
    const [base, defer, busy, suspend] = await Promise.all(
      [{}, DEFER, PREFER, { ...PREFER, irqSuspendTimeout: 20_000_000 }].map(echo),
    );
    const until = (report: RunReport): number =>
      report.latencyNs.p50 + report.sockets[0]!.waitedNs.p50;
    expect(until(busy!)).toBeLessThan(until(base!));
    expect(until(suspend!)).toBeLessThan(until(base!));
    expect(until(base!)).toBeLessThan(until(defer!));
    for (const quiet of [defer!, busy!, suspend!])
      expect(quiet.napi.irqs).toBeLessThan(0.05 * base!.napi.irqs);
    expect(busy!.cpus[1]!.appPct).toBeGreaterThan(95);
  });
});

describe('what does not go together is refused', () => {
  test.each([
    [{ busyPoll: 50 }, '--busy-poll: needs --apps: applications poll'],
    [{ preferBusyPoll: true }, '--prefer-busy-poll: needs --apps: applications poll'],
    [
      { irqSuspendTimeout: 1000, apps: 'sink:9', busyPoll: 5 },
      '--irq-suspend-timeout: needs --prefer-busy-poll: only such an application suspends',
    ],
    [
      { irqSuspendTimeout: 1000, apps: 'sink:9', busyPoll: 5, preferBusyPoll: true },
      '--irq-suspend-timeout: needs --gro-flush-timeout and --napi-defer-hard-irqs',
    ],
    [{ threadCpus: [0] }, '--thread-cpus: needs --threaded on'],
    [
      { threaded: true, threadCpus: [0, 1, 2, 3, 0], queues: 4 },
      '--thread-cpus: 5 CPUs are too many (1 to 4 queues)',
    ],
    [{ busyPollBudget: 5 }, '--busy-poll-budget: needs --busy-poll'],
    [{ threaded: true, threadCpus: [7] }, '--thread-cpus: 7 is out of range (0 to 3)'],
    [{ busyPoll: -1, apps: 'sink:9' }, 'busy-poll'],
    [{ napiDeferHardIrqs: 2 ** 31 }, 'napi-defer-hard-irqs'],
    [{ groFlushTimeout: 1.5 }, 'gro-flush-timeout'],
  ] as const)('%o', async (options, message) => {
    const refusal = run({ xdp: 'pass', count: 1, ...options }).then(
      () => 'not refused',
      (error: unknown) => (error as Error).message,
    );
    expect((await refusal).replaceAll('options.', '')).toContain(message.replace(/^--/, ''));
  });
});
