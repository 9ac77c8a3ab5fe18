/** The curves of docs/validation.md: published points, and what the model says between them. */
import { linePlot } from '../plotLines.ts';
import type { PlotSeries } from '../plotLines.ts';
import type { RunIo } from '../run.ts';
import { FIGURES } from './figures.ts';
import type { RunReport } from '../report.ts';
import type { Regime } from './rowsApps.ts';
import { meanUs, memcached } from './rowsApps.ts';
import { offered } from './rowsXdp.ts';
import type { Row, Scenario } from './scenario.ts';
import { receivedPps, udp } from './scenario.ts';
import type { ScenarioRuns } from './validate.ts';
import { ROWS } from './rows.ts';

export interface ValidationPlot {
  readonly file: string;
  readonly title: string;
  /** A sentence on what to see. */
  readonly says: string;
  readonly svg: string;
}

/** Published points, and the model at the same places. */
interface RowCurve {
  readonly name: string;
  /** Row of each x. */
  readonly at: readonly (readonly [x: number, id: string])[];
}

/** The model alone, where nothing was published. */
interface FreeCurve {
  readonly name: string;
  readonly over: readonly number[];
  scenario(x: number): Scenario;
  modelled(report: RunReport): number;
}

type Curve = RowCurve | FreeCurve;

interface Sheet {
  readonly file: string;
  readonly title: string;
  readonly says: string;
  readonly x: string;
  readonly y: string;
  /** From the unit of the rows to that of the axis. */
  readonly scale: number;
  readonly curves: readonly Curve[];
}

const CORES = [1, 3, 5];
const LOADS = [0.25, 0.5, 1, 2, 4, 8, 12, 16, 20, 24];
const WEIGHTS = [1, 2, 4, 8, 16, 32, 64, 128, 256];
const KQPS = [200, 400, 600, 800];

/** One core that drops, interrupts as Fig. 4 of the XDP paper has them. */
const dropping = (mpps: number): Scenario => ({
  ...offered('drop', 1, `${mpps}Mpps`, '4ms'),
  ...{ traffic: `${udp(`${mpps}Mpps`)} arrivals=poisson`, rxUsecs: 0, rxFrames: 1 },
});

const regime = (name: Regime): FreeCurve => ({
  ...{ name, over: KQPS, modelled: meanUs },
  scenario: (kqps) => memcached(name, kqps),
});

const SHEETS: readonly Sheet[] = [
  {
    file: 'drop.svg',
    title: 'XDP_DROP against cores',
    says: 'Without compression the link is full at 87 Mpps; with it the generator is the limit.',
    ...{ x: 'Cores', y: 'Dropped (Mpps)', scale: 1e-6 },
    curves: [
      { name: 'no compression', at: CORES.map((n) => [n, `drop.nocompress.${n}c`]) },
      { name: 'compression', at: CORES.map((n) => [n, `drop.${n}c`]) },
    ],
  },
  {
    file: 'tx.svg',
    title: 'XDP_TX against cores, by ring',
    says: 'Rings times cores outgrow what the last-level cache holds of packets.',
    ...{ x: 'Cores', y: 'Sent (Mpps)', scale: 1e-6 },
    curves: [256, 512, 1024].map((ring) => ({
      name: `ring ${ring}`,
      at: CORES.map((n) => [n, `tx.r${ring}.${n}c`] as const),
    })),
  },
  {
    file: 'redirect.svg',
    title: 'XDP_REDIRECT against cores, by ring',
    says: 'The same effect, on a longer path.',
    ...{ x: 'Cores', y: 'Sent (Mpps)', scale: 1e-6 },
    curves: [128, 256, 512, 1024].map((ring) => ({
      name: `ring ${ring}`,
      at: CORES.map((n) => [n, `redir.r${ring}.${n}c`] as const),
    })),
  },
  {
    file: 'cpu.svg',
    title: 'CPU against load',
    says: 'Not a line: where interrupts are most frequent there is a hump.',
    ...{ x: 'Offered load (Mpps)', y: 'CPU busy (%)', scale: 1 },
    curves: [
      {
        name: 'XDP_DROP',
        at: [0.25, 1, 3, 10, 20].map((mpps) => [mpps, `cpu.xdp.${mpps}M`] as const),
      },
      { name: 'raw drop', at: [0.25, 1, 3].map((mpps) => [mpps, `cpu.linux.${mpps}M`] as const) },
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
        at: [64, 128, 256, 512, 1024].map((size) => [size, `pcie.kernel.rx.${size}`] as const),
      },
      {
        name: 'both ways',
        at: [64, 256, 1024].map((size) => [size, `pcie.kernel.bi.${size}`] as const),
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
        ...{ name: 'per poll', over: LOADS, scenario: dropping },
        modelled: ({ napi }) => napi.packetsPerPoll,
      },
      {
        ...{ name: 'per interrupt', over: LOADS.slice(0, -1), scenario: dropping },
        modelled: ({ napi, packets }) => packets.received / napi.irqs,
      },
    ],
  },
  {
    file: 'batch.svg',
    title: 'Time of a packet against the NAPI weight',
    says: 'a + b / weight: what a poll costs in itself is shared by its packets.',
    ...{ x: 'NAPI weight', y: 'Time per packet (ns)', scale: 1 },
    curves: [
      {
        ...{ name: 'XDP_DROP, saturated', over: WEIGHTS },
        scenario: (budget) => ({ ...offered('drop', 1, '60Mpps', '2ms'), budget }),
        modelled: (report) => 1e9 / receivedPps(report),
      },
    ],
  },
  {
    file: 'regimes.svg',
    title: 'Mean latency against load, by interrupt regime',
    says: 'Deferral costs latency; busy polling costs a CPU, and suspension neither when it counts.',
    ...{ x: 'Load (1000 queries a second)', y: 'Mean latency (µs)', scale: 1 },
    curves: [
      ...(['base', 'defer200', 'fullbusy'] as const).map((name) => ({
        name,
        at: [200, 600].map((kqps) => [kqps, `irqs.${kqps}K.${name}.avg`] as const),
      })),
      ...(['base', 'defer20', 'defer200', 'fullbusy', 'suspend20'] as const).map(regime),
    ],
  },
];

export async function validationPlots(runs: ScenarioRuns, io: RunIo): Promise<ValidationPlot[]> {
  const plots: ValidationPlot[] = [];
  for (const sheet of SHEETS) {
    const series: PlotSeries[] = [];
    for (const [colour, curve] of sheet.curves.entries()) {
      if ('over' in curve) series.push(await free(curve, sheet.scale, colour, runs, io));
      else {
        series.push(published(curve, sheet.scale, colour));
        series.push(await modelled(curve, sheet.scale, colour, runs, io));
      }
    }
    const { file, title, says, x, y } = sheet;
    const axes = { x: { title: x }, y: { title: y } };
    plots.push({ file, title, says, svg: linePlot({ title, ...axes, series }) });
  }
  return plots;
}

function published({ name, at }: RowCurve, scale: number, colour: number): PlotSeries {
  const points = at.map(([x, id]) => {
    const { value } = FIGURES.find((figure) => figure.id === id)!;
    return { x, y: value * scale, says: `${id}, published: ${value}` };
  });
  return { name: `${name}, published`, points, colour };
}

async function modelled(
  { name, at }: RowCurve,
  scale: number,
  colour: number,
  runs: ScenarioRuns,
  io: RunIo,
): Promise<PlotSeries> {
  const points = [];
  for (const [x, id] of at) {
    const row: Row = ROWS.find((known) => known.id === id)!;
    const value = row.modelled(await runs.report(row.scenario, io), row.scenario);
    points.push({ x, y: value * scale, says: `${id}, modelled: ${value.toPrecision(4)}` });
  }
  return { name: `${name}, modelled`, points, colour, dashed: true };
}

async function free(
  { name, over, scenario, modelled: measure }: FreeCurve,
  scale: number,
  colour: number,
  runs: ScenarioRuns,
  io: RunIo,
): Promise<PlotSeries> {
  const points = [];
  for (const x of over) {
    const value = measure(await runs.report(scenario(x), io));
    points.push({ x, y: value * scale, says: `${name} at ${x}: ${value.toPrecision(4)}` });
  }
  return { name: `${name}, modelled`, points, colour, dashed: true };
}
