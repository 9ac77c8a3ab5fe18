/** Rows of the XDP paper and of the lab it came from that need no stack. */
import type { Reading, Row, Scenario } from './scenario.ts';
import { busyPct, reading, receivedPps, saturated, sentPps, udp } from './scenario.ts';

/** What the paper's generator sends at most. */
const TREX = '98.9Mpps';
/** The other machine's: what DPDK received of it at most, which would take more (`dpdk_test`). */
const OTHER_TREX = '82.94Mpps';
const PAPER = 'xdp-paper-2018';

const cores = (n: number): { readonly queues: number; readonly cpus: number } => ({
  queues: n,
  cpus: n,
});

export const offered = (xdp: string, n: number, rate: string, duration: string): Scenario => ({
  ...{ profile: PAPER, xdp, ...cores(n), link: 100, stack: 'off' },
  ...{ traffic: udp(rate), duration },
});

export const dropped = (
  n: number,
  profile: string,
  ring: number = 512,
  rate: string = TREX,
): Scenario => ({
  ...{ ...offered('drop', n, rate, '3ms'), profile, rxRing: ring - 1 },
});

const drop = (id: string, n: number, profile: string, ring?: number, rate?: string): Row => ({
  ...{ id, family: 'drop', scenario: dropped(n, profile, ring, rate) },
  ...{ modelled: receivedPps, nsPerPacket: saturated(n) },
});

/** Each packet is looked at, here for a source that is blocked: all are. */
const dropRead = (ring: number, n: number): Row => ({
  ...{ id: `drop.read.r${ring}.${n}c`, family: 'drop, read', modelled: receivedPps },
  scenario: {
    ...offered('examples/bpf/ddos_filter.o', n, TREX, '1ms'),
    ...{ at: '0 update blocked4 0x0000000000000000 0x01000000', rxRing: ring - 1 },
  },
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

const redirect = (ring: number, n: number, id: string = `redir.r${ring}.${n}c`): Row => ({
  ...{ id, family: 'redirect' },
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

/**
 * T-Rex receives with a core of its own, and that stops now and then: of the 50.77 s that DPDK was
 * measured for, each 10 us of latency from 20 to 190 hold some 11,600 frames, as 1,160 stalls of 175 us
 * make them, and XDP's tail is the same. Calibrated on DPDK's, with which nothing is compared.
 */
const RECEIVER = 'stall=rx:175us/43.767ms';

/**
 * Between two ports, 1 Mpps each way. The generator takes up what is due within 15 µs and begins
 * 1 µs before the first of it (T-Rex: EAT_WINDOW_DTIME, WAIT_WINDOW_SIZE): 15 frames of each port at
 * once. Both ports send from one address and port to one other (stl/flow_stats_latency.py), the
 * kernel has one hash key, and so the rings of one number and its CPU take both: here two of a NIC.
 * Moderation is mlx5's own without DIM.
 */
export const bothPorts = (more: string = ''): string =>
  `${udp('2Mpps')} burst=30${more} ${RECEIVER}`;

/** Four stalls. */
const LOADED = '176ms';

/** At a rate that never wakes anything twice, from the depths of its sleep; as long as was measured. */
export const rarely = (scenario: Scenario, more: string = ''): Scenario => ({
  ...{ ...scenario, traffic: `${udp('100pps')}${more} ${RECEIVER}`, duration: '51s' },
});

export const forwarded: Scenario = {
  ...{ ...offered('redirect', 1, '2Mpps', LOADED), queues: 2, traffic: bothPorts() },
  ...{ rxRing: 1023, stages: true, rxUsecs: 3, rxFrames: 32, cqeModeRx: 'on' },
  profile: `${PAPER}-sleep`,
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

/** From wire to wire, as the generator sees it. */
export const meanUs: Reading = ({ stagesNs }) => stagesNs['wire']!.mean / 1000;
export const maxUs: Reading = ({ stagesNs }) => stagesNs['wire']!.max / 1000;

const latency = (id: string, scenario: Scenario, modelled: Reading): Row => ({
  ...{ id: `lat.xdp.${id}`, family: 'forwarding latency', scenario, modelled },
});

const UNLOADED = rarely(forwarded);

const RINGS = [256, 512, 1024];
const CORES = [1, 3, 5];
const MORE_CORES = [2, 4, 6];
const ALL_CORES = [1, 2, 3, 4, 5, 6];

export const XDP_ROWS: readonly Row[] = [
  ...CORES.map((n) => drop(`drop.${n}c`, n, `${PAPER}-compressed`)),
  ...CORES.map((n) => drop(`drop.nocompress.${n}c`, n, PAPER)),
  ...MORE_CORES.map((n) => drop(`drop.nocompress.${n}c`, n, PAPER)),
  ...ALL_CORES.map((n) => drop(`drop.nocompress.r1024.${n}c`, n, PAPER, 1024)),
  ...ALL_CORES.map((n) => drop(`drop.bench02.${n}c`, n, PAPER, 1024)),
  ...ALL_CORES.map((n) => drop(`drop.toke.${n}c`, n, PAPER, 1024, OTHER_TREX)),
  ...[512, 1024].flatMap((ring) => ALL_CORES.map((n) => dropRead(ring, n))),
  cpu('cpu.xdp.0.25M', '0.25Mpps', '20ms', 0.25),
  cpu('cpu.xdp.0.5M', '0.5Mpps', '20ms', 0.5),
  cpu('cpu.xdp.1M', '1Mpps', '20ms', 1),
  cpu('cpu.xdp.2M', '2Mpps', '10ms', 2),
  cpu('cpu.xdp.3M', '3Mpps', '10ms', 3),
  cpu('cpu.xdp.5M', '5Mpps', '5ms', 5),
  cpu('cpu.xdp.10M', '10Mpps', '5ms', 10),
  cpu('cpu.xdp.15M', '15Mpps', '5ms', 15),
  cpu('cpu.xdp.20M', '20Mpps', '5ms', 20),
  cpu('cpu.xdp.24.8M', '24.8Mpps', '5ms', 24.8),
  ...RINGS.flatMap((ring) => CORES.flatMap((n) => [tx(ring, n), missRate(ring, n)])),
  ...MORE_CORES.flatMap((n) => [tx(1024, n), missRate(1024, n)]),
  ...[128, ...RINGS].flatMap((ring) => CORES.map((n) => redirect(ring, n))),
  ...[128, ...RINGS].flatMap((ring) => MORE_CORES.map((n) => redirect(ring, n))),
  ...ALL_CORES.map((n) => redirect(1024, n, `redir.toke.${n}c`)),
  ...['1M', '1M.back'].flatMap((way) => [
    latency(`${way}.avg`, forwarded, meanUs),
    latency(`${way}.max`, forwarded, maxUs),
    latency(`${way}.under10us`, forwarded, withinNs(10_000)),
  ]),
  latency('100.avg', UNLOADED, meanUs),
  latency('100.max', UNLOADED, maxUs),
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
    ...{ id: 'napi.bench01.idle', family: 'polls', scenario: pcieBound },
    modelled: (report) => 100 - busyPct(6)(report),
  },
  {
    ...{ id: 'napi.bench02.poll', family: 'polls', scenario: beyondPcie },
    modelled: ({ napi }) => napi.packetsPerPoll,
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
