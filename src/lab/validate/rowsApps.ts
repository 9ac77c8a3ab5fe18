/**
 * Rows with an application: memcached in five interrupt regimes, and a sink on the CPU that receives.
 *
 * Of the eight cores one is run, with an eighth of the load: RSS and the application's threads keep
 * them apart. Of the 52 us that clients and cables add, 28 are a client's own: mutilate's threads see
 * an answer when they come to it. Clients think for as long as leaves the published load when answers take about so long.
 */
import type { RunReport } from '../report.ts';
import type { Row, Scenario } from './scenario.ts';
import { udp } from './scenario.ts';

const CORES = 8;
const CLIENTS = 64;
const KIT = 'irqsuspend-2024';

/** What is set for each regime, as the publication sets it; DIM had moved rx-usecs to 64 in base. */
const REGIMES = {
  base: { rxUsecs: 64, rxFrames: 64 },
  defer20: { rxUsecs: 8, rxFrames: 64, groFlushTimeout: 20_000, napiDeferHardIrqs: 100 },
  defer200: { rxUsecs: 8, rxFrames: 64, groFlushTimeout: 200_000, napiDeferHardIrqs: 100 },
  fullbusy: {
    ...{ rxUsecs: 8, rxFrames: 64, groFlushTimeout: 5_000_000, napiDeferHardIrqs: 100 },
    ...{ busyPoll: 1000, busyPollBudget: 64, preferBusyPoll: 'on' },
  },
  suspend20: {
    ...{ rxUsecs: 8, rxFrames: 64, groFlushTimeout: 20_000, napiDeferHardIrqs: 100 },
    ...{ irqSuspendTimeout: 20_000_000, busyPoll: 1, busyPollBudget: 64, preferBusyPoll: 'on' },
  },
} as const;

export type Regime = keyof typeof REGIMES;

const ABOUT_US: Readonly<Record<Regime, number>> = {
  ...{ base: 130, defer20: 80, defer200: 190, fullbusy: 55, suspend20: 75 },
};

const thinkUs = (regime: Regime, kqps: number): number =>
  Math.round((CLIENTS * CORES * 1000) / kqps) - ABOUT_US[regime];

export const memcached = (regime: Regime, kqps: number): Scenario => ({
  ...{ profile: KIT, xdp: 'none', apps: 'server:9', queues: 1, cpus: 1, size: 128 },
  ...{ clients: CLIENTS, think: `${thinkUs(regime, kqps)}us`, cable: '12us', clientDelay: '28us' },
  ...{ count: regime === 'fullbusy' ? 4000 : 12_000 },
  ...REGIMES[regime],
});

const answered = (report: RunReport): NonNullable<RunReport['clients']> => report.clients!;

/** Of the time in which requests came. */
const busy = (report: RunReport): number => {
  const spent = report.cpus.reduce((sum, cpu) => sum + cpu.busyPct, 0) * report.settledNs;
  return Math.min(100, spent / ((report.packets.offered / report.rates.offeredPps) * 1e9));
};

export const meanUs = (report: RunReport): number => answered(report).roundTripNs.mean / 1000;

export const p99Us = (report: RunReport): number => answered(report).roundTripNs.p99 / 1000;

export const perInterrupt = ({ packets, napi }: RunReport): number => packets.received / napi.irqs;

const latency = (kqps: number, regime: Regime): Row[] => {
  const scenario = memcached(regime, kqps);
  const id = `irqs.${kqps}K.${regime}`;
  return [
    {
      ...{ id: `${id}.avg`, family: 'regimes, mean latency', scenario },
      modelled: meanUs,
    },
    {
      ...{ id: `${id}.p99`, family: 'regimes, p99 latency', scenario },
      modelled: p99Us,
    },
    {
      ...{ id: `${id}.cpu`, family: 'regimes, CPU', scenario, modelled: busy },
      nsPerPacket: (pct) => (pct / 100) * ((CORES * 1e6) / kqps),
    },
  ];
};

const interrupts = (kqps: number): Row => ({
  ...{ id: `irqs.${kqps}K.base.ppi`, family: 'packets per interrupt' },
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
