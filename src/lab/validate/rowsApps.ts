/**
 * Rows with an application: memcached in five interrupt regimes, and a sink on the CPU that receives.
 *
 * The machine is the one of the scripts that measured it: mlx5 with its own coalescing, DIM in both
 * directions, mutilate's lengths (`-K fb_key -V fb_value -u 0.03`) and connections, an acknowledgement
 * for each answer, a thread for each queue on any of the CPUs (`memcached -N`, `taskset`). Of eight
 * cores four are run, with half of the load. Clients and cables add 43 us, of which 33 are a client's
 * own: its interrupt and its threads. Clients think for as long as leaves the published load when
 * answers take about so long. Acknowledgements go to a port with which RSS keeps them on the queue of
 * their connection.
 */
import type { RunReport } from '../report.ts';
import type { Row, Scenario } from './scenario.ts';
import { udp } from './scenario.ts';

const CORES = 8;
const RUN = 4;
/** 24 connections of each of 70 threads, on eight queues. */
const CLIENTS = 210;
const ACK_PORT = 236;
/** Which one the machine had is not known; with this one the two ports lead to one queue. @spec Microsoft RSS */
const RSS_KEY =
  '6d:5a:56:da:25:5b:0e:c2:41:67:25:3d:43:a3:8f:b0:d0:ca:2b:cb:' +
  'ae:7b:30:b4:77:cb:2d:a3:80:30:f2:0c:6a:42:b7:3b:be:ac:01:fa';
/** Of each request: itself, and the acknowledgement of its answer. */
const PACKETS = 2;
const KIT = 'irqsuspend-2024';

/** mlx5 as it comes: moderated by DIM in both directions, from the last completion where it receives. */
const NIC = {
  ...{ chip: 'p5', adaptiveRx: 'on', cqeModeRx: 'on' },
  ...{ rxUsecs: 8, rxFrames: 128, txUsecs: 8, txFrames: 128 },
} as const;

/** What is set for each regime, as the publication sets it. */
const REGIMES = {
  base: {},
  defer20: { groFlushTimeout: 20_000, napiDeferHardIrqs: 100 },
  defer200: { groFlushTimeout: 200_000, napiDeferHardIrqs: 100 },
  fullbusy: {
    ...{ groFlushTimeout: 5_000_000, napiDeferHardIrqs: 100 },
    ...{ busyPoll: 1000, busyPollBudget: 64, preferBusyPoll: 'on' },
  },
  suspend20: {
    ...{ groFlushTimeout: 20_000, napiDeferHardIrqs: 100 },
    ...{ irqSuspendTimeout: 20_000_000, busyPoll: 1, busyPollBudget: 64, preferBusyPoll: 'on' },
  },
} as const;

export type Regime = keyof typeof REGIMES;

const ABOUT_US: Readonly<Record<Regime, number>> = {
  ...{ base: 130, defer20: 80, defer200: 190, fullbusy: 55, suspend20: 75 },
};

/** DIM wanders for seconds where it moderates; who polls all the time is dear. */
const COUNT: Readonly<Record<Regime, number>> = {
  ...{ base: 150_000, defer20: 60_000, defer200: 60_000, fullbusy: 12_000, suspend20: 60_000 },
};

const thinkUs = (regime: Regime, kqps: number): number =>
  Math.round((CLIENTS * CORES * 1000) / kqps) - ABOUT_US[regime];

export const memcached = (regime: Regime, kqps: number): Scenario => ({
  ...{ profile: KIT, xdp: 'none', queues: RUN, cpus: RUN, rssKey: RSS_KEY, ...NIC },
  ...{ apps: 'memcached:9', appThreads: RUN, appCpus: '0,1,2,3' },
  ...{ clients: RUN * CLIENTS, think: `${thinkUs(regime, kqps)}us` },
  ...{ cable: '5us', clientDelay: '33us', size: 107 },
  ...{ clientUpdates: 3, clientAck: ACK_PORT, rawDrop: `udp dport ${ACK_PORT}` },
  ...{ count: COUNT[regime] },
  ...REGIMES[regime],
});

const answered = (report: RunReport): NonNullable<RunReport['clients']> => report.clients!;

/** Of the time in which requests came. */
const busy = (report: RunReport): number => {
  const spent = report.cpus.reduce((sum, cpu) => sum + cpu.busyPct, 0) * report.settledNs;
  const seconds = report.packets.offered / report.rates.offeredPps;
  return Math.min(100, spent / (seconds * 1e9 * report.cpus.length));
};

export const meanUs = (report: RunReport): number => answered(report).roundTripNs.mean / 1000;

export const p99Us = (report: RunReport): number => answered(report).roundTripNs.p99 / 1000;

export const perInterrupt = ({ packets, napi }: RunReport): number => packets.received / napi.irqs;

const latency = (kqps: number, regime: Regime): Row[] => {
  const scenario = memcached(regime, kqps);
  const id = `irqs.${kqps}K.${regime}`;
  const byChance = regime === 'base';
  return [
    {
      ...{ id: `${id}.avg`, family: 'regimes, mean latency', scenario, byChance },
      modelled: meanUs,
    },
    {
      ...{ id: `${id}.p99`, family: 'regimes, p99 latency', scenario, byChance },
      modelled: p99Us,
    },
    {
      ...{ id: `${id}.cpu`, family: 'regimes, CPU', scenario, byChance, modelled: busy },
      nsPerPacket: (pct) => (pct / 100) * ((CORES * 1e6) / kqps / PACKETS),
    },
  ];
};

const interrupts = (kqps: number): Row => ({
  ...{ id: `irqs.${kqps}K.base.ppi`, family: 'packets per interrupt', byChance: true },
  scenario: memcached('base', kqps),
  modelled: perInterrupt,
});

/** More datagrams than it can read, one with each `recvmsg`, on the CPU that receives them or on another one. */
const sink = (where: string, cpus: { readonly appCpu: number; readonly cpus: number }): Row => ({
  ...{ id: `udp_sink.${where}`, family: 'livelock' },
  scenario: {
    ...{ profile: 'i40e-2019', xdp: 'none', apps: 'sink:9:1', ...cpus, queues: 1 },
    ...{ link: 40, traffic: udp('4Mpps'), duration: '100ms', rxRing: 511 },
  },
  modelled: ({ sockets, settledNs }) => sockets[0]!.received / (settledNs / 1e9),
});

export const APP_ROWS: readonly Row[] = [
  ...[200, 600].flatMap((kqps) => [
    ...latency(kqps, 'base'),
    ...latency(kqps, 'defer200'),
    ...latency(kqps, 'fullbusy'),
  ]),
  ...latency(800, 'base'),
  ...latency(800, 'defer200'),
  ...latency(800, 'suspend20'),
  ...[200, 400, 600, 800].flatMap((kqps) => latency(kqps, 'defer20')),
  ...[200, 400, 600].flatMap((kqps) => latency(kqps, 'suspend20')),
  ...[400, 800].flatMap((kqps) => latency(kqps, 'fullbusy')),
  ...latency(400, 'base'),
  ...latency(400, 'defer200'),
  ...[200, 400, 600, 800].map(interrupts),
  sink('same', { appCpu: 0, cpus: 1 }),
  sink('other', { appCpu: 1, cpus: 2 }),
];
