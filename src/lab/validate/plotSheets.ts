/**
 * What the plots of docs/validation.md show: published points by their rows, and the model over the
 * same range, where it is run for points in between too.
 */
import type { LinePlot, PlotPoint } from '../plotLines.ts';
import type { RunReport } from '../report.ts';
import { FIGURES } from './figures.ts';
import type { Regime } from './rowsApps.ts';
import { meanUs, memcached, p99Us, perInterrupt } from './rowsApps.ts';
import { dropped, offered, sent } from './rowsXdp.ts';
import type { Scenario } from './scenario.ts';
import { busyPct, receivedPps, sentPps, udp } from './scenario.ts';

/** A published point: its row, and what its value is divided by. */
export type PublishedPoint = readonly [x: number, id: string, parts?: number];

export interface Curve {
  readonly name: string;
  /** Empty or absent where nothing was published. */
  readonly at?: readonly PublishedPoint[];
  /** The model where no row says so; else it is asked at the published points. */
  readonly model?: {
    readonly over: readonly number[];
    scenario(x: number): Scenario;
    modelled(report: RunReport): number;
  };
}

export interface Sheet {
  readonly file: string;
  readonly title: string;
  /** A sentence on what to see. */
  readonly says: string;
  readonly x: string;
  readonly y: string;
  /** Both axes linear, however far values lie apart. */
  readonly linear?: boolean;
  /** From the unit of the rows to that of the axis. */
  readonly scale: number;
  readonly curves: readonly Curve[];
  /** A line to compare with, of the points of the first modelled curve. */
  guide?(points: readonly PlotPoint[]): NonNullable<LinePlot['guide']>;
}

const CORES = [1, 2, 3, 4, 5, 6];
const RINGS = [256, 512, 1024];
const LOADS = [0.25, 0.5, 1, 2, 4, 8, 12, 16, 20, 24];
const CPU_LOADS = [0.1, 0.25, 0.5, 1, 1.5, 2, 3, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24];
const CPU_PUBLISHED = [0.25, 0.5, 1, 2, 3, 5, 10, 15, 20, 24.8];
const FRAMES = [64, 96, 128, 192, 256, 320, 384, 512, 640, 768, 1024, 1280, 1499];
const WEIGHTS = [1, 2, 4, 8, 16, 32, 64, 128, 256];
const KQPS = [200, 400, 600, 800];
const REGIMES: readonly Regime[] = ['base', 'defer20', 'defer200', 'fullbusy', 'suspend20'];

/** The points for which a row is published. */
const known = (points: readonly PublishedPoint[]): readonly PublishedPoint[] =>
  points.filter(([, wanted]) => FIGURES.some(({ id }) => id === wanted));

const byCores = (row: string): readonly PublishedPoint[] =>
  known(CORES.map((n) => [n, `${row}.${n}c`] as const));

/** One core that drops, interrupts as Fig. 4 of the XDP paper has them. */
const dropping = (mpps: number): Scenario => ({
  ...offered('drop', 1, `${mpps}Mpps`, '4ms'),
  ...{ traffic: `${udp(`${mpps}Mpps`)} arrivals=poisson`, rxUsecs: 0, rxFrames: 1 },
});

const drops = (name: string, row: string, profile: string): Curve => ({
  ...{ name, at: byCores(row) },
  model: { over: CORES, scenario: (n) => dropped(n, profile), modelled: receivedPps },
});

const sends = (ring: number): Curve => ({
  ...{ name: `ring ${ring}`, at: byCores(`tx.r${ring}`) },
  model: { over: CORES, scenario: (n) => sent(ring, n), modelled: sentPps },
});

/** A row of each load of the memcached regimes, where there is one. */
const published = (name: string, metric: string): readonly PublishedPoint[] =>
  known(KQPS.map((kqps) => [kqps, `irqs.${kqps}K.${name}.${metric}`] as const));

const regime = (name: Regime, metric: string, modelled: (report: RunReport) => number): Curve => ({
  ...{ name, at: published(name, metric) },
  model: { over: KQPS, scenario: (kqps) => memcached(name, kqps), modelled },
});

const publishedMpps = (row: string): number => FIGURES.find(({ id }) => id === row)!.value / 1e6;

/** The straight line through y over 1 / x with the least squares of what is left. */
function overWeight(points: readonly PlotPoint[]): NonNullable<LinePlot['guide']> {
  const mean = (of: (point: PlotPoint) => number): number =>
    points.reduce((sum, point) => sum + of(point), 0) / points.length;
  const [meanInverse, meanY] = [mean(({ x }) => 1 / x), mean(({ y }) => y)];
  const slope =
    mean(({ x, y }) => (1 / x - meanInverse) * (y - meanY)) /
    mean(({ x }) => (1 / x - meanInverse) ** 2);
  const from = meanY - slope * meanInverse;
  return {
    name: `${from.toFixed(1)} + ${slope.toFixed(1)} / weight`,
    at: (x) => from + slope / x,
  };
}

export const SHEETS: readonly Sheet[] = [
  {
    file: 'drop.svg',
    title: 'XDP_DROP against cores',
    says: 'Without compression more cores meet the wall of the link at 87 Mpps; with it the generator is the limit. Programs that look at packets need them in the cache.',
    ...{ x: 'Cores', y: 'Dropped (Mpps)', scale: 1e-6 },
    curves: [
      drops('no compression', 'drop.nocompress', 'xdp-paper-2018'),
      drops('compression', 'drop', 'xdp-paper-2018-compressed'),
      ...[512, 1024].map((ring) => ({
        name: `read, ring ${ring}`,
        at: byCores(`drop.read.r${ring}`),
      })),
    ],
  },
  {
    file: 'tx.svg',
    title: 'XDP_TX against cores, by ring',
    says: 'Rings times cores outgrow what the last-level cache holds of packets.',
    ...{ x: 'Cores', y: 'Sent (Mpps)', scale: 1e-6 },
    curves: RINGS.map(sends),
  },
  {
    file: 'ddio.svg',
    title: 'XDP_TX of a core against ring times cores',
    says:
      'First lines of packets have 3,840 places in the cache, unevenly filled: half-way there each core ' +
      'begins to wait for memory. At 1,280 five cores meet the wall of the link instead.',
    ...{ x: 'Ring × cores (descriptors)', y: 'Sent by each core (Mpps)', scale: 1e-6 },
    curves: [
      {
        name: 'XDP_TX',
        at: known(
          RINGS.flatMap((ring) => CORES.map((n) => [ring * n, `tx.r${ring}.${n}c`, n] as const)),
        ).toSorted(([a], [b]) => a - b),
      },
    ],
  },
  {
    file: 'redirect.svg',
    title: 'XDP_REDIRECT against cores, by ring',
    says: 'The same effect, on a longer path.',
    ...{ x: 'Cores', y: 'Sent (Mpps)', scale: 1e-6 },
    curves: [128, 256, 512, 1024].map((ring) => ({
      name: `ring ${ring}`,
      at: byCores(`redir.r${ring}`),
    })),
  },
  {
    file: 'cpu.svg',
    title: 'CPU against load',
    says: 'No line in proportion: a hump where nearly every packet brings an interrupt of its own.',
    ...{ x: 'Offered load (Mpps)', y: 'CPU busy (%)', scale: 1, linear: true },
    guide: () => ({
      name: 'in proportion',
      at: (mpps) => (100 * mpps) / publishedMpps('drop.nocompress.1c'),
    }),
    curves: [
      {
        name: 'XDP_DROP',
        at: known(CPU_PUBLISHED.map((mpps) => [mpps, `cpu.xdp.${mpps}M`] as const)),
        model: { over: CPU_LOADS, scenario: dropping, modelled: busyPct(1) },
      },
      {
        name: 'raw drop',
        at: known(CPU_PUBLISHED.map((mpps) => [mpps, `cpu.linux.${mpps}M`] as const)),
      },
    ],
  },
  {
    file: 'pcie.svg',
    title: 'PCIe Gen3 x8 against frame size',
    says: 'Each packet brings its headers, descriptors and register accesses along.',
    ...{ x: 'Frame (bytes)', y: 'Payload (Gb/s)', scale: 1 },
    curves: [
      {
        name: 'receiving',
        at: known(FRAMES.map((size) => [size, `pcie.kernel.rx.${size}`] as const)),
      },
      {
        name: 'both ways',
        at: known(FRAMES.map((size) => [size, `pcie.kernel.bi.${size}`] as const)),
      },
      {
        name: 'sending',
        at: known(FRAMES.map((size) => [size, `pcie.kernel.tx.${size}`] as const)),
      },
    ],
  },
  {
    file: 'polls.svg',
    title: 'Packets per poll and per interrupt against load',
    says: 'Near saturation polls return the full weight, and interrupts cease.',
    ...{ x: 'Offered load (Mpps)', y: 'Packets', scale: 1 },
    curves: [
      {
        name: 'per poll',
        model: { over: LOADS, scenario: dropping, modelled: ({ napi }) => napi.packetsPerPoll },
      },
      {
        name: 'per interrupt',
        model: { over: LOADS.slice(0, -1), scenario: dropping, modelled: perInterrupt },
      },
    ],
  },
  {
    file: 'interrupts.svg',
    title: 'Packets per interrupt of memcached, base regime',
    says: 'Too few under load: the rows hold rx-usecs at 64 µs, the measured machine had DIM.',
    ...{ x: 'Load (1000 queries a second)', y: 'Packets', scale: 1 },
    curves: [regime('base', 'ppi', perInterrupt)],
  },
  {
    file: 'batch.svg',
    title: 'Time of a packet against the NAPI weight',
    says: 'a + b / weight: what a poll costs in itself is shared by its packets.',
    ...{ x: 'NAPI weight', y: 'Time per packet (ns)', scale: 1, guide: overWeight },
    curves: [
      {
        name: 'XDP_DROP, saturated',
        model: {
          over: WEIGHTS,
          scenario: (budget) => ({ ...offered('drop', 1, '60Mpps', '2ms'), budget }),
          modelled: (report) => 1e9 / receivedPps(report),
        },
      },
    ],
  },
  {
    file: 'regimes.svg',
    title: 'Mean latency against load, by interrupt regime',
    says: 'Deferral costs latency; busy polling costs a CPU, and suspension neither when it counts.',
    ...{ x: 'Load (1000 queries a second)', y: 'Mean latency (µs)', scale: 1 },
    curves: REGIMES.map((name) => regime(name, 'avg', meanUs)),
  },
  {
    file: 'tails.svg',
    title: 'p99 latency against load, by interrupt regime',
    says: 'The tail of base is too short: the rows hold rx-usecs at 64 µs, the measured machine had DIM.',
    ...{ x: 'Load (1000 queries a second)', y: 'p99 latency (µs)', scale: 1 },
    curves: REGIMES.map((name) => regime(name, 'p99', p99Us)),
  },
];
