import { describe, expect, test } from 'vitest';
import { CTX_HARDIRQ, CTX_IDLE, CTX_SOFTIRQ } from '../../src/host/cpu.ts';
import { Fates, LOST_NO_BUFFER, LOST_TX_RING_FULL } from '../../src/host/fates.ts';
import { Histogram } from '../../src/host/histogram.ts';
import { importProgram, readBytes } from '../../src/lab/files.ts';
import { fromFlags, readOptions } from '../../src/lab/options.ts';
import type { DimReport, RunReport, RunResult } from '../../src/lab/report.ts';
import { runReport } from '../../src/lab/report.ts';
import { runScenario } from '../../src/lab/run.ts';
import { PagePoolStats } from '../../src/stack/pagePoolStats.ts';
import type { NapiBooks } from '../../src/machine/result.ts';

const US = 1_000_000; // picoseconds

function spent(of: Partial<Record<number, number>>): Float64Array {
  const times = new Float64Array(6);
  for (const [context, ps] of Object.entries(of)) times[Number(context)] = ps!;
  return times;
}

const napi = (queue: number, polls: number, fullPolls: number, packets: number): NapiBooks => ({
  nic: 'eth0',
  queue,
  cpu: queue,
  irqCpu: queue,
  dim: null,
  txDim: null,
  polls,
  fullPolls,
  packets,
  irqs: polls - fullPolls,
  byWork: [polls - fullPolls, 0, fullPolls],
  longestFullRun: fullPolls,
  longestPoll: queue * US,
  longestWait: 2 * queue * US,
  timerIrqs: queue,
  busyPolls: 0,
  busyPackets: 0,
  latency: new Histogram(),
  endedBy: { budget: fullPolls, empty: polls - fullPolls, busy: 0, txWake: 0 },
});

/** 1000 frames in 100 µs: 900 received, of which 850 dropped, 40 sent back, 10 lost in a full ring. */
function fates(): Fates {
  const sum = new Fates();
  Object.assign(sum, { offered: 1000, received: 900, xdpDrop: 850, xdpTx: 40, onWire: 40 });
  sum.lost[LOST_NO_BUFFER] = 100;
  sum.lost[LOST_TX_RING_FULL] = 10;
  return sum;
}

function report(changed: Partial<RunResult> = {}): RunReport {
  const cpus = [
    { id: 0, spent: spent({ [CTX_HARDIRQ]: 20 * US, [CTX_SOFTIRQ]: 50 * US }) },
    { id: 1, spent: spent({ [CTX_IDLE]: 200 * US }) },
  ];
  const result: RunResult = {
    virtualPs: 3_000_000 * US, // a neighbour was probed
    settled: { ps: 200 * US, onWire: 40, spent: cpus.map((cpu) => cpu.spent) },
    lastArrivalPs: 100 * US,
    nics: [
      {
        name: 'eth0',
        fates: fates(),
        ethtool: [['[0]: rx_ucast_packets', 900]],
        rxDoorbellPolls: 9,
      },
      {
        name: 'eth1',
        fates: new Fates(),
        ethtool: [['[0]: rx_ucast_packets', 0]],
        rxDoorbellPolls: 0,
      },
    ],
    veths: [],
    napi: [napi(0, 10, 6, 500), napi(1, 20, 2, 400)],
    timeSqueeze: 3,
    budgetSqueeze: 2,
    devmapXmits: { calls: 4, frames: 40, single: 0, most: 16 },
    latency: new Histogram(),
    stages: null,
    timeline: null,
    clients: null,
    pool: new PagePoolStats(),
    costs: [],
    cache: { packetMissPct: 0, countedMissPct: 0, writeMissPct: 0 },
    cpus,
    pages: { allocated: 1022, pool: 0, rings: 1022, inFlight: 0, leaked: 0 },
    softnet: [],
    log: [],
    printed: { count: 0, lines: [] },
    programs: [],
    sockets: [],
    snmp: {},
    drops: {},
    unsent: {},
    ...changed,
  };
  const about = {
    xdp: 'drop',
    xdpPeer: 'pass',
    traffic: 'udp',
    clock: 'wire' as const,
    nics: 2,
    linkGbps: 100,
    queues: 2,
    rxRing: 511,
    cpus: 2,
    budget: 64,
    profile: 'flat',
    check: false,
    settings: {
      txRing: 511,
      mtu: 1500,
      rxUsecs: 10,
      rxFrames: 15,
      txUsecs: 28,
      adaptiveRx: false,
      rxvlan: true,
      hz: 250,
      netdevBudget: 300,
      threaded: false,
      busyPoll: 0,
      groFlushTimeout: 0,
      napiDeferHardIrqs: 0,
      netdevBudgetUsecs: 8000,
      stack: true,
      ipForward: false,
      irqAffinity: null,
      threadCpus: null,
      appCpus: null,
      appThreads: 1,
      appsPlaced: false,
      apps: '',
      indirBy: null,
      queuesAlike: true,
    },
    offer: { flows: 1, topFlowPct: 100, taggedPct: 0 },
  };
  return runReport({ result, about, seed: 7, wallMs: 12 });
}

describe('conserved', () => {
  test('holds when all four equations do and nothing is leaked', () => {
    expect(report()).toMatchObject({
      conserved: true,
      imbalance: { nic: 0, driver: 0, tx: 0, up: 0 },
    });
  });

  test.each([
    ['offered', 'nic'],
    ['xdpDrop', 'driver'],
    ['onWire', 'tx'],
    ['toStack', 'up'],
  ] as const)('fails when one packet more is %s', (counter, equation) => {
    const wrong = fates();
    wrong[counter]++;
    const { conserved, imbalance } = report({
      nics: [{ name: 'eth0', fates: wrong, ethtool: [], rxDoorbellPolls: 0 }],
    });
    expect(conserved).toBe(false);
    expect(
      Object.entries(imbalance)
        .filter(([, n]) => n !== 0)
        .map(([key]) => key),
    ).toEqual([equation]);
  });

  test('fails when a page is leaked', () => {
    const pages = { allocated: 1022, pool: 0, rings: 1021, inFlight: 0, leaked: 1 };
    expect(report({ pages }).conserved).toBe(false);
  });

  test('is judged over all NICs together: a frame redirected by one leaves by another', () => {
    const from = new Fates();
    Object.assign(from, { offered: 5, received: 5, xdpRedirect: 5 });
    const to = new Fates();
    to.onWire = 5;
    const nics = [
      { name: 'eth0', fates: from, ethtool: [], rxDoorbellPolls: 0 },
      { name: 'eth1', fates: to, ethtool: [], rxDoorbellPolls: 0 },
    ];
    expect(report({ nics }).conserved).toBe(true);
  });
});

test('only causes that happened are listed, by name', () => {
  expect(report().packets.lost).toEqual({ noBuffer: 100, txRingFull: 10 });
});

describe('rates', () => {
  test('offered: while frames arrived; received and on the wire: until the last fate was settled', () => {
    expect(report().rates).toEqual({
      offeredPps: 10_000_000, // 1000 in 100 µs
      receivedPps: 4_500_000, // 900 in 200 µs
      onWirePps: 200_000, // 40 in 200 µs
    });
  });

  test('a run in which no time has passed has no rates', () => {
    const settled = { ps: 0, onWire: 0, spent: [spent({}), spent({})] };
    expect(report({ virtualPs: 0, settled, lastArrivalPs: 0 }).rates).toEqual({
      offeredPps: 0,
      receivedPps: 0,
      onWirePps: 0,
    });
  });
});

test('what DIM did, in shares of the time until the last fate was settled', async () => {
  const io = { readFile: readBytes, importProgram, nowMs: () => 0 };
  const flags = { xdp: 'drop', traffic: 'udp rate=1M', count: '10000', queues: '1', cpus: '1' };
  const dimOf = async (more: object): Promise<DimReport | null> =>
    (await runScenario(readOptions([fromFlags({ ...flags, ...more })]), io)).report.queues[0]!.dim;
  expect(await dimOf({})).toBeNull();
  const dim = (await dimOf({ adaptiveRx: 'on' }))!;
  // NET_DIM_RX_EQE_PROFILES of include/linux/dim.h
  expect(dim.profiles[3]).toEqual({ usecs: 128, frames: 256 });
  expect(dim.up).toBeGreaterThan(0);
  const shares = [dim.asSetPct, ...dim.profilesPct];
  expect(shares).toHaveLength(6);
  expect(shares.reduce((sum, pct) => sum + pct, 0)).toBeCloseTo(100, 1);
});

test('DIM of rings that send, where a NIC is moderated as mlx5 is', async () => {
  const io = { readFile: readBytes, importProgram, nowMs: () => 0 };
  const flags = {
    ...{ xdp: 'none', apps: 'echo:9', traffic: 'udp rate=200k', count: '20000', adaptiveRx: 'on' },
    ...{ queues: '1', cpus: '2', chip: 'p5', profile: 'xdp-paper-2018' },
  };
  const dimsOf = async (more: object): Promise<readonly (DimReport | null)[]> => {
    const { report: told } = await runScenario(readOptions([fromFlags({ ...flags, ...more })]), io);
    return [told.queues[0]!.dim, told.queues[0]!.txDim];
  };
  const [rx, tx] = await dimsOf({});
  // NET_DIM_TX_EQE_PROFILES of include/linux/dim.h
  expect(tx!.profiles.map(({ usecs }) => usecs)).toEqual([1, 8, 32, 64, 128]);
  expect(tx!.up + tx!.down).toBeGreaterThan(0);
  expect(tx!.profilesPct).not.toEqual(rx!.profilesPct);
  expect([tx!.asSetPct, ...tx!.profilesPct].reduce((sum, pct) => sum + pct, 0)).toBeCloseTo(100, 1);
  const [plainRx, plainTx] = await dimsOf({ profile: 'flat' }); // bnxt has RX rings alone
  expect([plainRx === null, plainTx]).toEqual([false, null]);
});

test('NAPI numbers are summed over queues, which are listed too', () => {
  const { napi: sum, queues } = report();
  expect(sum).toEqual({
    packetsPerIrq: 40.91, // 900 / 22
    longestFullRun: 6,
    longestPollNs: 1000,
    longestWaitNs: 2000,
    timerIrqs: 1,
    busyPolls: 0,
    busyPackets: 0,
    pollsByPackets: { 0: 22, 2: 8 },
    polls: 30,
    fullPolls: 8,
    packetsPerPoll: 30, // 900 packets in 30 polls
    irqs: 22,
    timeSqueeze: 3,
    budgetSqueeze: 2,
    endedBy: { budget: 8, empty: 22, busy: 0, txWake: 0 },
  });
  expect(queues.map((queue) => queue.packetsPerPoll)).toEqual([50, 20]);
});

test('CPU shares are of the run until the last fate was settled, as the rates are', () => {
  expect(report().cpus).toEqual([
    {
      id: 0,
      busyPct: 35,
      hardirqPct: 10,
      softirqPct: 25,
      ksoftirqdPct: 0,
      napiThreadPct: 0,
      appPct: 0,
    },
    {
      id: 1,
      busyPct: 0,
      hardirqPct: 0,
      softirqPct: 0,
      ksoftirqdPct: 0,
      napiThreadPct: 0,
      appPct: 0,
    },
  ]);
});

test('latencies are whole nanoseconds', () => {
  const latency = new Histogram();
  for (const ns of [1000, 1000, 1000, 5000]) latency.record(ns * 1000);
  const { latencyNs } = report({ latency });
  expect(latencyNs).toMatchObject({ count: 4, mean: 2000, max: 5000 });
  expect(latencyNs.p50 / 1000).toBeCloseTo(1, 1); // the histogram is true to 3 %
  expect(latencyNs.p999 / 5000).toBeCloseTo(1, 1);
});

test('ethtool is the first NIC, where frames arrive; each NIC has its own as well', () => {
  const { ethtool, nics } = report();
  expect(ethtool).toEqual({ '[0]: rx_ucast_packets': 900 });
  expect(nics.map((nic) => nic.ethtool['[0]: rx_ucast_packets'])).toEqual([900, 0]);
});
