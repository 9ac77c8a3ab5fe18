/** Rows of the XDP paper and of the lab it came from that need no stack. */
import type { Reading, Row, Scenario } from './scenario.ts';
import { busyPct, reading, receivedPps, saturated, sentPps, udp } from './scenario.ts';

/** What the paper's generator sends at most. */
const TREX = '98.9Mpps';
const PAPER = 'xdp-paper-2018';

const cores = (n: number): { readonly queues: number; readonly cpus: number } => ({
  queues: n,
  cpus: n,
});

export const offered = (xdp: string, n: number, rate: string, duration: string): Scenario => ({
  ...{ profile: PAPER, xdp, ...cores(n), link: 100, stack: 'off' },
  ...{ traffic: udp(rate), duration },
});

export const dropped = (n: number, profile: string): Scenario => ({
  ...{ ...offered('drop', n, TREX, '3ms'), profile, rxRing: 511 },
});

const drop = (id: string, n: number, profile: string): Row => ({
  ...{ id, family: 'drop', scenario: dropped(n, profile) },
  ...{ modelled: receivedPps, nsPerPacket: saturated(n) },
});

/** One packet, one interrupt: the generator's packets come singly and moderation is at its lowest. */
const cpu = (id: string, rate: string, duration: string, mpps: number): Row => ({
  ...{ id, family: 'CPU against load' },
  scenario: {
    ...offered('drop', 1, rate, duration),
    ...{ traffic: `${udp(rate)} arrivals=poisson`, rxUsecs: 0, rxFrames: 1 },
  },
  ...{ modelled: busyPct(1), nsPerPacket: (pct) => (pct * 10) / mpps },
});

export const sent = (ring: number, n: number): Scenario => ({
  ...{ ...offered('echo', n, TREX, '3ms'), rxRing: ring - 1, txRing: ring - 1 },
});

const tx = (ring: number, n: number): Row => ({
  ...{ id: `tx.r${ring}.${n}c`, family: 'TX', scenario: sent(ring, n) },
  ...{ modelled: sentPps, nsPerPacket: saturated(n) },
});

const missRate = (ring: number, n: number): Row => ({
  ...{ id: `tx.r${ring}.${n}c.llcmiss`, family: 'cache misses' },
  scenario: { ...offered('echo', n, TREX, '1ms'), rxRing: ring - 1, txRing: ring - 1 },
  modelled: ({ cache }) => cache.countedMissPct,
});

/** mlx5 reports what it has sent once a poll, and interrupts for that 16 µs later. */
const SENT = { rxUsecs: 16, rxFrames: 64 };

const redirect = (ring: number, n: number): Row => ({
  ...{ id: `redir.r${ring}.${n}c`, family: 'redirect' },
  scenario: {
    ...{ ...offered('redirect', n, '60Mpps', '5ms'), ...SENT },
    ...{ rxRing: ring - 1, txRing: 1023 },
  },
  ...{ modelled: sentPps, nsPerPacket: saturated(n) },
});

/**
 * Six cores with mlx5's moderation as it comes: its DIM stays where it begins, since it goes by
 * packets that have become skbs.
 */
const sixCores = (rate: string): Scenario => ({
  ...{ ...offered('drop', 6, rate, '20ms'), rxRing: 1023 },
  ...{ rxUsecs: 8, rxFrames: 128, cqeModeRx: 'on' },
});

/** What the link let through of the load, where polls were watched. */
const pcieBound = sixCores('75.3Mpps');

/** Where ch0_events was read: rx_packets_phy beside it says what came, rx_discards_phy what got lost. */
const beyondPcie = sixCores('98.2Mpps');

/** From port to port at 1 Mpps, with mlx5's 8 µs of moderation. */
export const forwarded: Scenario = {
  ...{ ...offered('redirect', 1, '1Mpps', '20ms'), rxRing: 1023, stages: true },
  ...{ rxUsecs: 8, rxFrames: 64 },
};

/** Percent of packets that took at most `limit` ns, on straight lines between the quantiles of a report. */
export const withinNs = (limit: number): Reading =>
  reading(`on straight lines between the quantiles of the stage wire`, ({ stagesNs }) => {
    const { p50, p90, p99, p999, max } = stagesNs['wire']!;
    let from: readonly [share: number, ns: number] = [0, 0];
    for (const [share, ns] of [
      [50, p50],
      [90, p90],
      [99, p99],
      [99.9, p999],
      [100, max],
    ] as const) {
      if (ns > limit) return from[0] + ((share - from[0]) * (limit - from[1])) / (ns - from[1]);
      from = [share, ns];
    }
    return 100;
  });

const RINGS = [256, 512, 1024];
const CORES = [1, 3, 5];

export const XDP_ROWS: readonly Row[] = [
  ...CORES.map((n) => drop(`drop.${n}c`, n, `${PAPER}-compressed`)),
  ...CORES.map((n) => drop(`drop.nocompress.${n}c`, n, PAPER)),
  cpu('cpu.xdp.0.25M', '0.25Mpps', '20ms', 0.25),
  cpu('cpu.xdp.1M', '1Mpps', '20ms', 1),
  cpu('cpu.xdp.3M', '3Mpps', '10ms', 3),
  cpu('cpu.xdp.10M', '10Mpps', '5ms', 10),
  cpu('cpu.xdp.20M', '20Mpps', '5ms', 20),
  ...RINGS.flatMap((ring) => CORES.flatMap((n) => [tx(ring, n), missRate(ring, n)])),
  ...[128, ...RINGS].flatMap((ring) => CORES.map((n) => redirect(ring, n))),
  {
    ...{ id: 'lat.xdp.1M.avg', family: 'forwarding latency', scenario: forwarded },
    modelled: ({ stagesNs }) => stagesNs['wire']!.mean / 1000,
  },
  {
    ...{ id: 'lat.xdp.1M.max', family: 'forwarding latency', scenario: forwarded },
    modelled: ({ stagesNs }) => stagesNs['wire']!.max / 1000,
  },
  {
    ...{ id: 'lat.xdp.1M.under10us', family: 'forwarding latency', scenario: forwarded },
    modelled: withinNs(10_000),
  },
  {
    ...{ id: 'napi.bulk.avg', family: 'polls', scenario: pcieBound },
    modelled: ({ napi }) => napi.packetsPerPoll,
  },
  {
    ...{ id: 'napi.bulk.full', family: 'polls', scenario: pcieBound },
    modelled: ({ napi }) => (napi.fullPolls / napi.polls) * 100,
  },
  {
    ...{ id: 'napi.irq.rate', family: 'polls', scenario: beyondPcie },
    modelled: reading(
      'interrupts of a queue per second; published beside 98.2 Mpps on the wire (rx_packets_phy), which is offered here',
      ({ napi, settledNs }) => napi.irqs / 6 / (settledNs / 1e9),
    ),
  },
  {
    ...{ id: 'napi.100g.idle', family: 'polls', scenario: pcieBound },
    modelled: (report) => 100 - busyPct(6)(report),
  },
  {
    ...{ id: 'napi.100g.irq', family: 'polls', scenario: pcieBound },
    modelled: ({ napi, settledNs }) => napi.irqs / (settledNs / 1e9),
  },
  {
    ...{ id: 'napi.fwd.poll', family: 'polls' },
    scenario: { ...offered('redirect', 1, '20Mpps', '5ms'), rxRing: 1023 },
    modelled: ({ queues }) => queues[0]!.packetsPerPoll,
  },
];
