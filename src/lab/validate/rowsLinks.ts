/** Rows about the bus, the cache the NIC writes into, and a machine of 2002. */
import type { RunReport } from '../report.ts';
import type { Reading, Row, Scenario } from './scenario.ts';
import { receivedPps, sentPps, udp } from './scenario.ts';

const FCS = 4;

/** More than the link carries, on a wire that carries it, into rings that never run empty. */
const link = (xdp: string, size: number): Scenario => ({
  ...{ profile: 'pcie-bench-2018', xdp, queues: 1, cpus: 1, link: 100, stack: 'off' },
  ...{ traffic: udp('100Gbps', size), duration: '4ms', rxRing: 1023, txRing: 1023 },
  ...{ rxUsecs: 1, rxFrames: 32 },
});

const payloadGbps =
  (pps: Reading, size: number): Reading =>
  (report) =>
    (pps(report) * (size - FCS) * 8) / 1e9;

const receiving = (size: number): Row => ({
  ...{ id: `pcie.kernel.rx.${size}`, family: 'PCIe, receiving' },
  ...{ scenario: link('drop', size), modelled: payloadGbps(receivedPps, size) },
});

const bothWays = (size: number): Row => ({
  ...{ id: `pcie.kernel.bi.${size}`, family: 'PCIe, both ways' },
  ...{ scenario: link('echo', size), modelled: payloadGbps(sentPps, size) },
});

/** What the second port reads of frames that the first one received faster; few wait at the end. */
const sending = (size: number): Row => ({
  ...{ id: `pcie.kernel.tx.${size}`, family: 'PCIe, sending' },
  scenario: { ...link('redirect', size), txRing: 127 },
  modelled: payloadGbps(sentPps, size),
});

/** What the generator sent at most, where that is less than the line carries (`TXRATE`). */
const SENT_AT_MOST: Readonly<Record<number, string>> = { 256: '11.94Mpps', 512: '21.2Mpps' };

/**
 * Cores forward all that the generator sends, frames of `size` bytes without FCS, with FastClick's 256 TX
 * descriptors. mlx5 has completion rings for each direction, as P5 has: in P4's one, what was sent
 * would be told behind all that waits to be received.
 */
const forward = (ring: number, size: number, profile: string, cores: number = 1): Scenario => ({
  ...{ profile, xdp: 'echo', queues: cores, cpus: cores, link: 100, stack: 'off' },
  ...{ traffic: udp(SENT_AT_MOST[size] ?? '100Gbps', size + FCS), duration: '10ms' },
  ...{ rxRing: ring - 1, txRing: 255, chip: 'p5' },
});

/**
 * What waits: four of the generator's threads have 1,024 frames each in FastClick's queue and 256 in
 * the NIC's, the forwarder's core as many, here all of them in its TX ring. It is a redirect, since
 * FastClick's frames are a mempool's; those of XDP_TX are lent by the RX ring, as many as it has.
 */
const behindQueues = (ring: number): Scenario => ({
  ...{ ...forward(ring, 1500, XEON), xdp: 'redirect', txRing: 1279, stages: true },
  traffic: `${udp('line', 1500 + FCS)} queue=${4 * 1280}`,
});

const p99Us: Reading = ({ stagesNs }) => stagesNs['wire']!.p99 / 1000;

const written = (id: string, scenario: Scenario): Row => ({
  ...{ id, family: 'DDIO misses', scenario },
  modelled: ({ cache }) => cache.writeMissPct,
});

const XEON = 'xeon-6140-2020';

/** Packets of one size, counted as if they were a million; a redirect stands for forwarding. */
const e1000 = (size: number, pps: number, count: number): Scenario => ({
  ...{ profile: 'e1000-2002', xdp: 'redirect', queues: 1, cpus: 1, link: 1, stack: 'off' },
  ...{ traffic: udp(`${pps}pps`, size + FCS), count, hz: 100, rxRing: 255 },
  ...{ rxUsecs: 0, rxFrames: 1 },
});

const SMALL = e1000(60, 890_000, 1_000_000);
const LARGE = e1000(1024, 119_061, 50_000);
const OTHERS = [
  [128, e1000(128, 758_150, 1_000_000)],
  [256, e1000(256, 445_632, 1_000_000)],
  [512, e1000(512, 232_666, 100_000)],
  [1440, e1000(1440, 85_193, 50_000)],
] as const;

const napi2002 = (id: string, scenario: Scenario, modelled: Row['modelled']): Row => ({
  ...{ id: `napi2002.${id}`, family: 'NAPI of 2002', scenario, modelled },
});

/** Of the NIC that receives, per million packets offered. */
const perMillion =
  (of: (report: RunReport) => number) =>
  (report: RunReport): number =>
    (of(report) / report.packets.offered) * 1e6;

const interrupts = perMillion(({ queues }) => queues[0]!.irqs);
const forwarded = perMillion(({ packets }) => packets.onWire);
const fullPolls = perMillion(({ queues }) => queues[0]!.fullPolls);

export const LINK_ROWS: readonly Row[] = [
  ...[64, 128, 256, 512, 1024].map(receiving),
  ...[96, 192, 320, 384, 640, 768, 1280, 1499].map(receiving),
  ...[64, 256, 1024].map(bothWays),
  ...[96, 128, 192, 320, 384, 512, 640, 768, 1280, 1499].map(bothWays),
  ...[64, 128, 256, 512, 1024, 1499].map(sending),
  ...[128, 512, 2048].flatMap((ring) => [
    written(`ddio.${ring}.miss`, forward(ring, 1500, XEON)),
    {
      ...{ id: `ddio.${ring}.pps`, family: 'DDIO rate', modelled: sentPps },
      scenario: forward(ring, 1500, XEON),
    },
    {
      ...{ id: `ddio.${ring}.p99`, family: 'DDIO latency', modelled: p99Us },
      scenario: behindQueues(ring),
    },
  ]),
  written('ddio.ways2', forward(4096, 1024, XEON)),
  written('ddio.ways4', forward(4096, 1024, `${XEON}-ddio4`)),
  written('ddio.ways6', forward(4096, 1024, `${XEON}-ddio6`)),
  ...[256, 512, 1024, 1500].flatMap((size) =>
    [128, 256, 512, 1024, 2048, 4096]
      .filter((ring) => size !== 1500 || ![128, 512, 2048].includes(ring))
      .flatMap((ring) => [
        written(`ddio.${size}B.${ring}.miss`, forward(ring, size, XEON)),
        {
          ...{ id: `ddio.${size}B.${ring}.pps`, family: 'DDIO rate', modelled: sentPps },
          scenario: forward(ring, size, XEON),
          nsPerPacket: (mpps: number) => 1e3 / mpps,
        },
      ]),
  ),
  ...[3, 5, 7, 8].map((ways) =>
    written(`ddio.ways${ways}`, forward(4096, 1024, `${XEON}-ddio${ways}`)),
  ),
  ...[2, 3, 4, 6].map((ways) => ({
    ...{ id: `ddio.ways${ways}.pps`, family: 'DDIO rate', modelled: sentPps },
    scenario: forward(4096, 1024, ways === 2 ? XEON : `${XEON}-ddio${ways}`),
  })),
  ...[2, 4, 6, 8, 10, 12, 14, 16, 18].map((cores) =>
    written(`ddio.cores${cores}`, forward(256, 1500, XEON, cores)),
  ),
  napi2002('60.rxint', SMALL, interrupts),
  napi2002('1024.rxint', LARGE, interrupts),
  {
    ...napi2002('60.out', SMALL, forwarded),
    nsPerPacket: (out) => 1e6 / 0.89 / (out / 1e3),
  },
  napi2002('1024.out', LARGE, forwarded),
  napi2002('60.ndone', SMALL, fullPolls),
  napi2002('1024.ndone', LARGE, fullPolls),
  ...OTHERS.flatMap(([size, scenario]) => [
    napi2002(`${size}.rxint`, scenario, interrupts),
    napi2002(`${size}.out`, scenario, forwarded),
    napi2002(`${size}.ndone`, scenario, fullPolls),
  ]),
];
