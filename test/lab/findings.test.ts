/** Each finding where it should be found, and gone, or its harm less, once its first cure is taken. */
import { describe, expect, test } from 'vitest';
import { findingsOf } from '../../src/lab/findings.ts';
import { nextRing } from '../../src/lab/findingsRing.ts';
import type { Finding } from '../../src/lab/finding.ts';
import { importProgram, readBytes } from '../../src/lab/files.ts';
import { camel } from '../../src/lab/optionNames.ts';
import { fromFlags, readOptions } from '../../src/lab/options.ts';
import type { RunReport } from '../../src/lab/report.ts';
import { runScenario } from '../../src/lab/run.ts';

type Flags = Readonly<Record<string, unknown>>;

async function reportOf(...flags: readonly Flags[]): Promise<RunReport> {
  const io = { readFile: readBytes, importProgram, nowMs: () => 0 };
  return (await runScenario(readOptions(flags.map(fromFlags)), io)).report;
}

const found = (report: RunReport, id: string): Finding | undefined =>
  report.findings.find((finding) => finding.id === id);

const taken = ({ cures }: Finding, which: number = 0): Flags =>
  Object.fromEntries(
    Object.entries(cures[which]!.options).map(([name, value]) => [camel(name), value]),
  );

const lost = ({ packets }: RunReport, cause: string): number => packets.lost[cause] ?? 0;

const ONE = { queues: '1', cpus: '1', traffic: 'udp size=64 flows=64' };
const APP = { xdp: 'none', apps: 'sink:9', cpus: '2', queues: '1', irqAffinity: '0' };

interface Case {
  readonly id: string;
  readonly flags: Flags;
  /** Words that the finding must hold. */
  readonly says: RegExp;
  readonly harm: (report: RunReport) => number;
}

const CASES: readonly Case[] = [
  {
    id: 'ring-overflow',
    flags: { xdp: 'drop', count: '20000', ...ONE, traffic: 'udp size=64 rate=5M burst=1500' },
    // 511 descriptors over a weight of 64
    says: /ring of 511 lasts for 8 full polls; .* quick enough/,
    harm: (r) => lost(r, 'noBuffer'),
  },
  {
    id: 'ring-overflow', // a longer RX ring alone would lose in the TX ring what it gains
    flags: { xdp: 'echo', count: '20000', ...ONE, traffic: 'udp size=64 rate=20M burst=1500' },
    says: /ring of 511 lasts for 8 full polls; .* quick enough/,
    harm: (r) => lost(r, 'noBuffer') + lost(r, 'txRingFull'),
  },
  {
    id: 'doorbell-withheld',
    flags: { xdp: 'echo', count: '20000', ...ONE, traffic: 'udp size=64 rate=20M burst=1500' },
    says: /polls of eth0 \(100 %\) ended without an RX doorbell/,
    harm: (r) => lost(r, 'noBuffer') + lost(r, 'txRingFull'),
  },
  {
    id: 'ring-overflow',
    flags: { xdp: 'drop', count: '20000', ...ONE, rate: '12M', budget: '1' },
    says: /ring of 511 lasts for 511 full polls; .* it is the limit/,
    harm: (r) => lost(r, 'noBuffer'),
  },
  {
    id: 'ring-overflow',
    flags: {
      xdp: 'drop',
      count: '100000',
      cpus: '4',
      queues: '1',
      traffic: 'udp size=64 flows=256 rate=40M',
    },
    says: /CPU 0, .* it is the limit/,
    harm: (r) => lost(r, 'noBuffer'),
  },
  {
    id: 'doorbell-withheld',
    flags: { xdp: 'echo', count: '30000', ...ONE, traffic: 'udp size=64 rate=6M burst=700' },
    says: /ended without an RX doorbell/,
    harm: (r) => lost(r, 'noBuffer'),
  },
  {
    id: 'tx-ring-full',
    flags: { xdp: 'echo', count: '30000', ...ONE, rxRing: '2047', txRing: '63', rate: '14M' },
    says: /frames of XDP_TX .* found no room in a TX ring of 63/,
    harm: (r) => lost(r, 'txRingFull'),
  },
  {
    id: 'redirect-queue-full',
    flags: { xdp: 'redirect', count: '30000', ...ONE, txRing: '31', rate: '6M' },
    says: /redirected frames? .* found no room in a TX ring of 31/,
    harm: (r) => lost(r, 'redirectQueueFull'),
  },
  {
    id: 'redirect-failed',
    flags: { xdp: 'redirect', xdpPeer: 'none', count: '1000', ...ONE },
    says: /1,000 redirects failed \(100 %\)/,
    harm: (r) => lost(r, 'redirectFailed'),
  },
  {
    id: 'squeezed-by-budget',
    flags: { xdp: 'drop', count: '20000', ...ONE, rate: '14M', netdevBudget: '64', budget: '64' },
    says: /netdev_budget \(64 packets\) was used up each time, the time \(2 ticks of 4 ms\) never/,
    harm: (r) => r.napi.timeSqueeze,
  },
  {
    id: 'squeezed-by-time',
    flags: {
      ...{ xdp: 'drop', count: '60000', ...ONE, rate: '14M' },
      ...{ netdevBudget: '1000000', netdevBudgetUsecs: '500', hz: '1000' },
    },
    // 500 µs are half a tick of 1 ms, rounded up to one
    says: /the time \(netdev_budget_usecs 500: 1 tick of 1 ms\) was over each time/,
    harm: (r) => r.napi.timeSqueeze,
  },
  {
    id: 'squeezed-by-time',
    flags: {
      ...{ xdp: 'drop', count: '200000', ...ONE, rate: '14M' },
      ...{ netdevBudget: '1000000', netdevBudgetUsecs: '500', hz: '300' },
    },
    // twice a tick of 3333 1/3 µs is no whole number of microseconds, and must be one
    says: /netdev_budget_usecs 500: 1 tick of 3.33 ms/,
    harm: (r) => r.napi.timeSqueeze,
  },
  {
    id: 'livelock',
    flags: { ...APP, appCpu: '0', traffic: 'udp size=64 rate=5M', count: '20000' },
    says: /Receive livelock: sink:9 shares CPU 0 with the NIC/,
    harm: (r) => lost(r, 'socketBufferFull'),
  },
  {
    id: 'vlan-hidden',
    flags: { xdp: 'drop', count: '500', ...ONE, traffic: 'udp vlan=100' },
    says: /100 % of the frames carry a VLAN tag/,
    harm: (r) => (found(r, 'vlan-hidden') === undefined ? 0 : 1),
  },
  {
    id: 'interrupt-held',
    flags: { xdp: 'drop', count: '5000', ...ONE, traffic: 'udp rate=50k', rxUsecs: '100' },
    says: /rx-usecs 100, since rx-frames 15 do not come together/,
    harm: (r) => r.latencyNs.p50,
  },
  {
    id: 'interrupt-held', // gro_flush_timeout alone defers nothing
    flags: {
      ...{ xdp: 'drop', count: '5000', ...ONE, traffic: 'udp rate=50k', rxUsecs: '100' },
      groFlushTimeout: '200000',
    },
    says: /rx-usecs 100, since rx-frames 15 do not come together/,
    harm: (r) => r.latencyNs.p50,
  },
  {
    id: 'small-bulks',
    flags: { xdp: 'redirect', count: '20000', ...ONE, rate: '1M', rxUsecs: '1', rxFrames: '1' },
    says: /Redirects leave \d\.\d at a time/,
    harm: (r) => r.devmapXmits.calls,
  },
  {
    id: 'no-listener',
    flags: { xdp: 'pass', count: '500', ...ONE },
    says: /500 packets for which no application listens/,
    harm: (r) => lost(r, 'NO_SOCKET'),
  },
  {
    id: 'oversize',
    flags: { xdp: 'drop', count: '500', ...ONE, traffic: 'udp size=3000' },
    says: /500 frames \(100 %\) are longer than the MTU of 1500 lets in/,
    harm: (r) => lost(r, 'rxOversize'),
  },
];

describe('found, and cured by the first option it names', () => {
  test.each(CASES)('$id $flags', { timeout: 60_000 }, async ({ id, flags, says, harm }) => {
    const before = await reportOf(flags);
    const finding = found(before, id);
    expect(finding?.says).toMatch(says);
    const after = await reportOf(flags, taken(finding!));
    expect(harm(before)).toBeGreaterThan(0);
    expect(harm(after)).toBeLessThan(harm(before) * 0.75);
  });
});

test(
  'redirects one by one are laid to the kernel, not to short polls',
  { timeout: 60_000 },
  async () => {
    const load = { xdp: 'redirect-ifindex', count: '2000', ...ONE, rate: '1M' };
    const before = await reportOf(load, { profile: 'i40e-2019' });
    expect(found(before, 'redirect-one-by-one')?.says).toBe(
      '2,000 frames were redirected without a map, each by a call and a doorbell of its own: ' +
        'bpf_redirect got no bulk queue before Linux 5.6, and profile i40e-2019 is older.',
    );
    expect(found(before, 'small-bulks')).toBeUndefined();
    const slow = { ...load, rxUsecs: '1', rxFrames: '1' };
    const today = await reportOf(slow);
    expect(found(today, 'redirect-one-by-one')).toBeUndefined();
    expect(found(today, 'small-bulks')).toBeDefined();
    const nothingToGain = { ...slow, xdp: 'redirect', profile: 'i40e-2019-retpoline-unbulked' };
    expect(found(await reportOf(nothingToGain), 'small-bulks')).toBeUndefined();
  },
);

describe('found', () => {
  test('clients of whom none asks before the end', async () => {
    const load = { clients: '4', cpus: '1', queues: '1' };
    const early = found(await reportOf({ ...load, think: '1ms', duration: '1ns' }), 'no-request');
    expect(early).toMatchObject({ kind: 'note', cures: [] });
    expect(found(await reportOf({ ...load, count: '4' }), 'no-request')).toBeUndefined();
  });

  test.each([
    [{}, /l4lb took 100 % of what was received/, { xdp: 'none', apps: 'server:9' }],
    [{ xdp: 'pass' }, /No application listens/, { apps: 'server:9' }],
    [{ xdp: 'none', apps: 'sink:7' }, /sink:7 reads and answers nothing/, { apps: 'server:7' }],
    [
      { xdp: 'none', apps: 'sink:7:4,echo:8,sink:9:2' },
      /sink:7 reads and answers nothing/,
      { apps: 'server:7,echo:8,sink:9:2' },
    ],
    [{ xdp: 'drop', apps: 'server:9' }, /drop took 100 %/, { xdp: 'none' }],
    [{ xdp: 'none', stack: 'off' }, /The stack is off/, { stack: 'on', apps: 'server:9' }],
  ])('clients that nobody answers: %o', async (flags, says, cured) => {
    const load = { ...flags, clients: '4', count: '20', cpus: '1', queues: '1' };
    const before = await reportOf(load);
    const finding = found(before, 'no-answer')!;
    expect(finding).toMatchObject({ kind: 'loss', packets: 20 });
    expect(finding.says).toMatch(says);
    expect(before.findings.flatMap(({ cures }) => cures)).toEqual(finding.cures);
    expect(taken(finding)).toEqual(cured);
    const after = await reportOf(load, cured);
    expect(after.clients).toMatchObject({ transactions: 20, timeouts: 0 });
    expect(found(after, 'no-answer')).toBeUndefined();
  });

  test('an elephant, and too few flows, apart from each other', async () => {
    const flags = { xdp: 'drop', cpus: '4', queues: '4', count: '5000' };
    const elephant = await reportOf(flags, { traffic: 'udp flows=256 pattern=elephant:0.8' });
    expect(found(elephant, 'elephant')?.says).toMatch(/One flow alone is 80.0 % of the load/);
    expect(found(elephant, 'rss-skew')).toBeUndefined();
    const few = await reportOf(flags, { traffic: 'udp flows=3' });
    expect(found(few, 'rss-skew')?.says).toMatch(/3 flows: too few to spread evenly over 4 queues/);
    const even = await reportOf(flags, { traffic: 'udp flows=4096' });
    expect(even.findings.map(({ id }) => id)).not.toContain('rss-skew');
  });

  test('an indirection table that leaves queues out, and one that does not', async () => {
    const flags = { xdp: 'drop', cpus: '4', queues: '4', count: '5000' };
    const traffic = 'udp flows=4096 size=64 rate=4M';
    const before = await reportOf(flags, { traffic, rssIndir: '0,1' });
    const skew = found(before, 'rss-skew');
    expect(skew?.says).toMatch(/the least busy queue 0 %, where 25.0 % would be even/);
    const cured = taken(skew!);
    expect(cured).toEqual({ rssIndir: '0,1,2,3' });
    expect(found(await reportOf(flags, { traffic }, cured), 'rss-skew')).toBeUndefined();
    const key = Array.from({ length: 40 }, () => '01').join(':'); // one bit in eight: hashes repeat
    const odd = found(await reportOf(flags, { traffic, rssKey: key }), 'rss-skew');
    expect(odd?.cures).toEqual([
      { options: {}, why: 'another --rss-key spreads these flows otherwise' },
    ]);
    const equal = found(await reportOf(flags, { traffic, rssEqual: '2' }), 'rss-skew');
    expect(taken(equal!)).toEqual({ rssEqual: '4' });
  });

  test.each([
    [{ rssIndir: '0' }, { rssIndir: '0,1' }],
    [{ rssEqual: '1' }, { rssEqual: '2' }],
  ])('more queues, which a given indirection table does not name: %o', async (given, completed) => {
    const flags = { ...{ xdp: 'drop', cpus: '2', queues: '1', count: '50000' }, ...given };
    const traffic = 'udp size=64 flows=256 rate=40M';
    const before = await reportOf(flags, { traffic });
    const cured = taken(found(before, 'ring-overflow')!);
    expect(cured).toEqual({ queues: '2', ...completed });
    const after = await reportOf(flags, { traffic }, cured);
    expect(lost(after, 'noBuffer')).toBeLessThan(lost(before, 'noBuffer') * 0.75);
  });

  test('what waits in a ring after a lost interrupt adds up, and is told', async () => {
    const flags = { xdp: 'drop', queues: '1', cpus: '1', traffic: 'udp rate=1M', count: '2000' };
    const report = await reportOf(flags, { at: '1ms fault irqLost' });
    const { lost: causes, xdpDrop } = report.packets;
    expect(report.conserved).toBe(true);
    // all that the 511 buffers took, after about a thousand were dropped by the program
    expect(causes).toMatchObject({ unreadAtClose: 511 });
    expect(xdpDrop + 511 + causes['noBuffer']!).toBe(2000);
    const says = found(report, 'ring-unread')!.says;
    expect(says).toMatch(/^511 packets \(25\.5. %\) lay in completion rings .* \(fault irqLost\)/);
    // no burst was too long, and no ring too short
    const overflow = found(report, 'ring-overflow')!;
    expect(overflow.says).toMatch(/of the time: in the end nobody told it to poll\.$/);
    expect(overflow.cures).toEqual([]);
    const closed = await reportOf(flags, { at: '1ms xdp pass' });
    expect(closed.packets.lost['unreadAtClose']).toBeGreaterThan(0);
    expect(found(closed, 'ring-unread')).toBeUndefined();
  });

  test('two busy queues on one CPU, while another idles', async () => {
    const flags = { ...{ xdp: 'pass', queues: '4', cpus: '2', count: '20000', stack: 'off' } };
    const load = { traffic: 'udp size=64 flows=256 rate=20M', rssIndir: '0,2' };
    const before = await reportOf(flags, load);
    expect(before.cpus[1]!.busyPct).toBe(0);
    const overflow = found(before, 'ring-overflow')!;
    const cured = taken(overflow, overflow.cures.length - 1);
    expect([{ irqAffinity: '1,1,0,1' }, { irqAffinity: '0,1,1,1' }]).toContainEqual(cured);
    const after = await reportOf(flags, load, cured);
    expect(lost(after, 'noBuffer')).toBeLessThan(lost(before, 'noBuffer') / 2);
  });

  test('threads of an application beyond the queues', async () => {
    const flags = {
      xdp: 'none',
      apps: 'sink:9',
      queues: '2',
      traffic: 'udp rate=1M flows=256',
      count: '2000',
    };
    const before = await reportOf(flags, { appThreads: '3' });
    expect(before.sockets.map(({ received }) => received > 0)).toEqual([true, true, false]);
    const idle = found(before, 'idle-threads')!;
    expect(idle).toMatchObject({ kind: 'note', packets: 0 });
    expect(idle.says).toContain('sink:9 has 3 threads');
    expect(idle.says).toContain('there are 2 queues: 1 of them never had anything to read');
    expect([taken(idle), taken(idle, 1)]).toEqual([{ queues: '3' }, { appThreads: '2' }]);
    for (const which of [0, 1]) {
      const after = await reportOf(flags, { appThreads: '3' }, taken(idle, which));
      expect(after.sockets.every(({ received }) => received > 0)).toBe(true);
      expect(found(after, 'idle-threads')).toBeUndefined();
    }
  });

  test('what only a scenario says of applications is not said as an option', async () => {
    const apps = [{ kind: 'sink', udp: 7, rcvbuf: 4096 }];
    const load = { xdp: 'none', apps, clients: '4', count: '20' };
    const { cures } = found(await reportOf(load), 'no-answer')!;
    expect(cures).toEqual([
      { options: {}, why: 'a server in the place of sink:7 has an application answer' },
    ]);
  });

  test('the CPU of the thread that polls, where the interrupt has another', async () => {
    const flags = {
      ...{ xdp: 'drop', cpus: '2', queues: '1', irqAffinity: '0', count: '20000' },
      ...{ threaded: 'on', threadCpus: '1', traffic: 'udp size=64 flows=256', rate: '30M' },
    };
    const before = await reportOf(flags);
    expect(before.queues[0]).toMatchObject({ cpu: 1, irqCpu: 0 });
    const overflow = found(before, 'ring-overflow')!;
    expect(overflow.says).toMatch(/CPU 1, which polls it, is busy 9\d\.\d % .* it is the limit/);
    expect(overflow.cures).toEqual([
      {
        options: { queues: '2', 'irq-affinity': '0,1', 'thread-cpus': '1,0' },
        why: 'uses 1 CPU that idles',
      },
    ]);
    const after = await reportOf(flags, taken(overflow));
    const onFirst = after.queues.filter(({ nic }) => nic === 'eth0');
    expect(onFirst.map(({ cpu, irqCpu }) => [cpu, irqCpu])).toEqual([
      [1, 0],
      [0, 1],
    ]);
    expect(lost(after, 'noBuffer')).toBeLessThan(lost(before, 'noBuffer') * 0.75);
  });

  test('one CPU that idles, which a given affinity would leave idle', async () => {
    const flags = { ...{ xdp: 'drop', cpus: '2', queues: '1', irqAffinity: '0', count: '50000' } };
    const traffic = 'udp size=64 flows=256 rate=40M';
    const before = await reportOf(flags, { traffic });
    const cured = taken(found(before, 'ring-overflow')!);
    expect(cured).toEqual({ queues: '2', irqAffinity: '0,1' });
    const after = await reportOf(flags, { traffic }, cured);
    expect(after.queues.map(({ cpu }) => cpu)).toEqual([0, 1, 0, 1]); // of both NICs
    expect(lost(after, 'noBuffer')).toBeLessThan(lost(before, 'noBuffer') * 0.75);
  });

  test('an application that needs a CPU of its own leaves a given affinity alone', async () => {
    const flags = { ...{ xdp: 'none', apps: 'sink:9', appCpu: '0', count: '20000' } };
    const busy = { ...flags, cpus: '1', queues: '1', traffic: 'udp size=64 rate=5M' };
    const curesOf = async (more: Flags): Promise<unknown> =>
      taken(found(await reportOf(busy, more), 'livelock')!);
    expect(await curesOf({})).toEqual({ cpus: '2', irqAffinity: '0', appCpu: '1' });
    expect(await curesOf({ irqAffinity: '0' })).toEqual({ cpus: '2', appCpu: '1' });
    const own = [{ kind: 'sink', udp: 9, cpu: 0 }];
    expect(await curesOf({ apps: own })).toEqual({}); // which no option replaces
  });

  test('a small budget, where the CPU is not the limit', async () => {
    const flags = { xdp: 'drop', count: '2000', queues: '1', cpus: '1', budget: '1' };
    const before = await reportOf(flags, { rate: '12M' });
    const overflow = found(before, 'ring-overflow')!;
    expect(overflow.says).toMatch(/busy 8\d\.\d % .* quick enough, but not for bursts/);
    expect(overflow.cures.map(({ options }) => options)).toEqual([
      { budget: '64' },
      { 'rx-ring': '1023' },
    ]);
    const after = await reportOf(flags, { rate: '12M' }, taken(overflow));
    expect(lost(after, 'noBuffer')).toBe(0);
    // 600 at the line's speed are more than the ring, however they are polled
    const burst = await reportOf(flags, { traffic: 'udp size=64 rate=5M burst=600' });
    const cures = found(burst, 'ring-overflow')!.cures.map(({ options }) => options);
    expect(cures).toEqual([{ 'rx-ring': '1023' }]);
  });

  test('PCIe that is full is not want of buffers', async () => {
    const full = await reportOf({
      ...{ xdp: 'drop', profile: 'pcie-bench-2018', count: '5000' },
      traffic: 'udp size=64 rate=line flows=64',
    });
    expect(full.findings[0]).toMatchObject({
      id: 'pcie-full',
      packets: lost(full, 'pcieBackpressure'),
    });
    expect(found(full, 'ring-overflow')).toBeUndefined();
  });

  test('nothing, in a run that has room everywhere', async () => {
    const calm = await reportOf({
      ...{ xdp: 'drop', count: '20000', queues: '1', cpus: '1', rxUsecs: '1' },
      traffic: 'udp size=64 rate=4M flows=64',
    });
    expect(calm.findings).toEqual([]);
  });
});

describe('what the stack drops', () => {
  const given = { xdp: 'none', count: '300' };
  const elsewhere = 'udp rate=1M dst=10.2.0.1';

  test("what is for others is a router's, who sends it on", async () => {
    const flags = { ...given, traffic: elsewhere };
    const host = await reportOf(flags);
    const finding = found(host, 'not-ours')!;
    expect(finding).toMatchObject({ kind: 'loss', packets: 300 });
    expect(finding.says).toMatch(/^300 packets \(100 %\) are for no address .* it is no router/);
    expect(finding.cures[0]!.options).toEqual({ 'ip-forward': 'on' });
    const router = await reportOf(flags, taken(finding));
    expect([router.packets.forwarded, router.packets.lost]).toEqual([300, {}]);
  });

  test('of IPv6 nobody is a router', async () => {
    const host = await reportOf({ ...given, traffic: 'udp6 rate=1M dst=fd00:9::1' });
    expect(found(host, 'not-ours')).toMatchObject({ packets: 300, cures: [] });
    const router = await reportOf({ ...given, ipForward: true, traffic: 'udp6 dst=fd00:9::1' });
    expect(found(router, 'not-ours')!.says).toMatch(/and only IPv4 is forwarded/);
  });

  test('whoever waits for a neighbour in vain', async () => {
    const flags = { ...given, ipForward: true, traffic: elsewhere, route: '10.2.0.0/16 dev eth1' };
    const alone = await reportOf(flags);
    const finding = found(alone, 'no-neighbour')!;
    expect(finding.packets).toBe(300);
    expect(finding.says).toMatch(/^300 packets .*NEIGH_FAILED \d+, NEIGH_QUEUEFULL \d+\)/);
    const known = await reportOf(flags, { neigh: '10.2.0.1 lladdr 02:00:00:00:00:09 dev eth1' });
    expect([found(known, 'no-neighbour'), known.packets.lost]).toEqual([undefined, {}]);
  });

  test('anything else by its reasons, the most frequent first; not what rules drop', async () => {
    const traffic = 'udp rate=1M dst=10.6.0.1';
    const flags = { ...given, ipForward: true, traffic, route: 'throw 10.6.0.0/16' };
    const nowhere = found(await reportOf(flags), 'stack-drop')!;
    expect(nowhere.says).toMatch(/^300 packets \(100 %\) were dropped .*: IP_INNOROUTES 300\./);
    const ruled = await reportOf(flags, { rawDrop: 'udp' });
    expect(ruled.findings.filter(({ kind }) => kind === 'loss')).toEqual([]);
    const few = { ...ruled, packets: { ...ruled.packets, lost: { IP_CSUM: 1, UDP_CSUM: 3 } } };
    const says = findingsOf(few).find(({ id }) => id === 'stack-drop')!.says;
    expect(says).toMatch(/^4 packets .*: UDP_CSUM 3, IP_CSUM 1\./);
  });
});

describe('from counters that no short run moves', () => {
  const changed = async (part: (report: RunReport) => Partial<RunReport>): Promise<Finding[]> => {
    const report = await reportOf({ xdp: 'drop', count: '2000', ...ONE });
    return [...findingsOf({ ...report, ...part(report) })];
  };

  test('a poll of 3 ms at weight 64: 42 packets take less than 2', async () => {
    const [finding] = await changed(({ queues }) => ({
      queues: queues.map((queue) => ({ ...queue, longestPollNs: 3e6 })),
    }));
    expect(finding).toMatchObject({ id: 'long-poll', cures: [{ options: { budget: '42' } }] });
  });

  test('a wait of 4 ms is none, one of more is', async () => {
    const waited = (ns: number): Promise<Finding[]> =>
      changed(({ queues }) => ({
        queues: queues.map((queue) => ({ ...queue, longestWaitNs: ns })),
      }));
    expect((await waited(4e6)).map(({ id }) => id)).not.toContain('softirq-wait');
    expect((await waited(4e6 + 1)).map(({ id }) => id)).toContain('softirq-wait');
  });

  test('NAPIs that wait for each other: more CPUs where all are taken, else those that idle', async () => {
    const waits = async (flags: Flags): Promise<unknown> => {
      const report = await reportOf({ xdp: 'drop', count: '500', ...flags });
      const queues = report.queues.map((queue) => ({ ...queue, longestWaitNs: 5e6 }));
      const all = findingsOf({ ...report, queues });
      return all.find(({ id }) => id === 'softirq-wait')!.cures.map(({ options }) => options);
    };
    expect(await waits({ queues: '4', cpus: '2' })).toEqual([{ cpus: '4' }]);
    expect(await waits({ queues: '2', cpus: '2', irqAffinity: '1,1', budget: '256' })).toEqual([
      { 'irq-affinity': '0,1' },
      { budget: '64' },
    ]);
    expect(await waits({ queues: '4', cpus: '2', irqAffinity: '1,0' })).toEqual([
      { cpus: '4', 'irq-affinity': '1,0,2,3' },
    ]);
    const threads = { threaded: 'on', threadCpus: '1,1' };
    expect(await waits({ queues: '2', cpus: '2', ...threads })).toEqual([{ 'thread-cpus': '0,1' }]);
    expect(await waits({ queues: '1', cpus: '1' })).toEqual([]);
  });

  test('a ring shorter than one poll is said to be that', async () => {
    const report = await reportOf({
      xdp: 'drop',
      count: '20000',
      ...ONE,
      rate: '20M',
      budget: '1024',
    });
    const [finding] = findingsOf({
      ...report,
      packets: { ...report.packets, lost: { noBuffer: 9 } },
    });
    expect(finding!.says).toContain('Its ring of 511 holds less than one full poll of 1024.');
  });

  test('pages of redirected frames come back the long way without any application', async () => {
    const report = await reportOf({ xdp: 'redirect', count: '5000', ...ONE, rate: '2M' });
    expect(found(report, 'pool-remote')?.says).toMatch(/a poll of its own\.$/);
  });

  test('pages that are lost to the pool, and pages that come back the long way', async () => {
    const all = await changed(({ pagePool }) => ({
      pagePool: { ...pagePool, allocSlow: 5000, recycleRing: 9000, recycleRingFull: 800 },
    }));
    expect(all.map(({ id }) => id)).toEqual(expect.arrayContaining(['pool-misses', 'pool-remote']));
    expect(all[0]!.cures[0]!.options).toEqual({ 'rx-ring': '1023' });
  });

  test('verdicts that are errors', async () => {
    const [finding] = await changed(({ packets }) => ({ packets: { ...packets, xdpAborted: 7 } }));
    expect(finding).toMatchObject({ id: 'xdp-aborted', kind: 'loss', packets: 7 });
  });
});

test('the next larger ring is one of whole pages: 2^n - 1', () => {
  expect([1, 255, 511, 512, 1000, 1023, 4095].map(nextRing)).toEqual([
    3, 511, 1023, 1023, 1023, 2047, 8191,
  ]);
});
