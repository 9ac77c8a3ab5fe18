/**
 * The plots of a sweep, chosen by what was swept: throughput, loss, latency, CPU and packets per
 * poll against the load (or the first option with numbers), and heat maps over any two options.
 */
import type { Measure } from './measures.ts';
import { MEASURES } from './measures.ts';
import { heatPlot } from './plotHeat.ts';
import type { PlotAxis, PlotPoint, PlotSeries } from './plotLines.ts';
import { linePlot } from './plotLines.ts';
import { shortNumber } from './plotScale.ts';
import { COLOURS } from './plotColours.ts';
import type { SweepAxis, SweepPoint } from './sweepPlan.ts';
import type { SweepResult, SweptPoint } from './sweepResult.ts';
import { axisNumber, measured } from './sweepResult.ts';

/** One drawing; `id` names its file. */
export interface NamedPlot {
  readonly id: string;
  readonly svg: string;
}

/** A heat map with what it is of, for a page to choose by. */
export interface NamedHeat extends NamedPlot {
  readonly options: string;
  readonly measure: string;
}

/** More series than colours cannot be told apart; those of an option with numbers follow a scale. */
const MOST_SERIES = COLOURS.length;
const MOST_ORDERED = 12;
const MOST_HEAT_VALUES = 40;

/** Measures that span decades, and may stand on a logarithmic axis. */
const LOGARITHMIC: readonly string[] = [
  ...['p50', 'p90', 'p99', 'p999', 'rtt50', 'rtt99', 'perPoll', 'perIrq'],
];

/** What closed-loop clients saw. */
export const CLIENTS: readonly string[] = ['tps', 'rtt50', 'rtt99'];

const measureOf = (name: string): Measure => MEASURES.find((measure) => measure.name === name)!;

/** A unit in which values up to `most` are read easily. */
interface Reading {
  readonly name: string;
  readonly factor: number;
}

function readingOf(unit: Measure['unit'], most: number): Reading {
  if (unit === 'pps') {
    return most >= 1e6 ? { name: 'Mpps', factor: 1e-6 } : { name: 'kpps', factor: 1e-3 };
  }
  if (unit === 'ns') {
    if (most >= 1e7) return { name: 'ms', factor: 1e-6 };
    return most >= 1e4 ? { name: 'µs', factor: 1e-3 } : { name: 'ns', factor: 1 };
  }
  return { name: unit, factor: 1 };
}

const titleOf = (words: string, { name }: Reading): string =>
  name === '' ? words : `${words} (${name})`;

/** What the plots stand over: the load that was offered, or an option's values. */
interface Across {
  readonly plotAxis: PlotAxis;
  /** `against offered load`. */
  readonly words: string;
  readonly of: (point: SweptPoint) => number;
  readonly says: (point: SweptPoint) => string;
  /** The option whose values it follows. */
  readonly axis: SweepAxis;
  readonly load: boolean;
  /** Of its values to packets a second, where it is the load. */
  readonly factor: number;
}

const numeric = ({ values }: SweepAxis): boolean =>
  values.every((value) => Number.isFinite(axisNumber(value)));

function acrossOf({ axes, points }: SweepResult): Across | null {
  const rate = axes.find(({ key }) => key === 'rate');
  const offered = measureOf('offered');
  if (rate !== undefined) {
    const load = (point: SweptPoint): number => measured(point, offered).mean;
    const reading = readingOf('pps', Math.max(...points.map(load)));
    return {
      plotAxis: { title: titleOf(offered.says, reading), label: threeDigits },
      words: 'offered load',
      of: (point) => load(point) * reading.factor,
      says: (point) => `${shortNumber(load(point) * reading.factor)} ${reading.name} offered`,
      axis: rate,
      load: true,
      factor: reading.factor,
    };
  }
  const [axis] = axes.filter(numeric).toSorted((a, b) => b.values.length - a.values.length);
  if (axis === undefined) return null;
  return {
    plotAxis: { title: axis.name },
    words: axis.name,
    of: ({ point }) => axisNumber(point[axis.key]!),
    says: ({ point }) => `${axis.name} ${point[axis.key]!}`,
    axis,
    load: false,
    factor: 1,
  };
}

/** A load is measured, and no round number. */
const threeDigits = (value: number): string => shortNumber(Number(value.toPrecision(3)));

interface Group {
  /** `budget 64, queues 2`, and without the options' names. */
  readonly name: string;
  readonly values: string;
  readonly points: readonly SweptPoint[];
}

/** What the series of all plots are. */
interface Series {
  readonly groups: readonly Group[];
  /** How many there are, where only some are drawn. */
  readonly of: number;
  /** Options that tell them apart. */
  readonly options: readonly SweepAxis[];
  /** Their order is that of one option's numbers. */
  readonly ordered: boolean;
}

/** Points that differ in nothing but what the plot stands over; evenly thinned where there are many. */
function seriesOver({ axes, points }: SweepResult, { axis, of }: Across): Series {
  const options = axes.filter(({ key, values }) => key !== axis.key && values.length > 1);
  const [only] = options;
  const ordered = options.length === 1 && numeric(only!);
  const groups = new Map<string, Group & { readonly points: SweptPoint[] }>();
  for (const point of points) {
    const name = options
      .map(({ key, name: option }) => `${option} ${point.point[key]!}`)
      .join(', ');
    const values = options.map(({ key }) => point.point[key]!).join(', ');
    const group = groups.get(name) ?? { name, values, points: [] };
    groups.set(name, group);
    group.points.push(point);
  }
  const numberOf = ({ points: [first] }: Group): number => axisNumber(first!.point[only!.key]!);
  const inOrder = [...groups.values()];
  const all = (ordered ? inOrder.toSorted((a, b) => numberOf(a) - numberOf(b)) : inOrder).map(
    (group) => ({ ...group, points: group.points.toSorted((a, b) => of(a) - of(b)) }),
  );
  return {
    options,
    ordered,
    groups: thinned(all, ordered ? MOST_ORDERED : MOST_SERIES),
    of: options.reduce((n, { values }) => n * values.length, 1),
  };
}

function thinned(all: readonly Group[], most: number): readonly Group[] {
  if (all.length <= most) return all;
  const step = (all.length - 1) / (most - 1);
  return Array.from({ length: most }, (_, i) => all[Math.round(i * step)]!);
}

/** How many series the plots show, of how many there are. */
export interface PlotsShown {
  readonly plots: readonly NamedPlot[];
  readonly shown: number;
  readonly of: number;
}

export function sweepPlots(result: SweepResult): PlotsShown {
  const along = result.points.length === 0 ? null : acrossOf(result);
  if (along === null) return { plots: [], shown: 0, of: 0 };
  const series = seriesOver(result, along);
  const one = (name: string): NamedPlot => measurePlot(measureOf(name), series, along);
  const only = series.groups.length === 1 ? series.groups[0]! : undefined;
  const latency =
    only === undefined ? [one('p50'), one('p99'), one('p999')] : [percentiles(only, along)];
  const clients = CLIENTS.filter((name) => isKnown(result, measureOf(name))).map(one);
  const plots = [one('received'), one('loss'), ...clients, ...latency, one('cpu'), one('cpuNs')];
  return {
    plots: [...plots, one('perPoll'), one('perIrq')],
    shown: series.groups.length,
    of: series.of,
  };
}

/** Where any run has it: open loops have no clients. */
export const isKnown = ({ points }: SweepResult, measure: Measure): boolean =>
  points.some((point) => Number.isFinite(measured(point, measure).mean));

function measurePlot(
  measure: Measure,
  { groups, of, options, ordered }: Series,
  along: Across,
): NamedPlot {
  const most = Math.max(
    ...groups.flatMap(({ points }) => points.map((point) => measured(point, measure).mean)),
  );
  const reading = readingOf(measure.unit, most);
  const throughput = measure.name === 'received' && along.load;
  const some = groups.length < of ? ` (${groups.length} of ${of})` : '';
  return {
    id: measure.name,
    svg: linePlot({
      title: `${measure.says} against ${along.words}`,
      x: along.plotAxis,
      y: {
        title: titleOf(measure.says, reading),
        ...(measure.name === 'cpu' ? { most: 100 } : {}),
        ...(LOGARITHMIC.includes(measure.name) ? {} : { log: false }),
      },
      series: groups.map((group) => seriesOf(group.values, measure, group, along, reading)),
      ...(options.length === 0
        ? {}
        : { legend: options.map(({ name }) => name).join(', ') + some }),
      ordered,
      ...(throughput
        ? { guide: { name: 'no loss', at: (x: number) => (x / along.factor) * reading.factor } }
        : {}),
    }),
  };
}

function seriesOf(
  name: string,
  measure: Measure,
  group: Group,
  along: Across,
  reading: Reading,
): PlotSeries {
  return {
    name,
    points: group.points.map((point): PlotPoint => {
      const { mean, deviation } = measured(point, measure);
      const y = mean * reading.factor;
      const value = `${measure.says} ${shortNumber(y)} ${reading.name}`.trim();
      const says = [group.name, along.says(point), value].filter((words) => words !== '');
      const x = along.of(point);
      return { x, y, spread: deviation * reading.factor, says: says.join(' · ') };
    }),
  };
}

/** All percentiles in one plot, where there is one series. */
function percentiles(group: Group, along: Across): NamedPlot {
  const measures = ['p50', 'p90', 'p99', 'p999'].map(measureOf);
  const most = Math.max(...group.points.map((point) => measured(point, measures.at(-1)!).mean));
  const reading = readingOf('ns', most);
  return {
    id: 'latency',
    svg: linePlot({
      title: `Latency, wire to verdict, against ${along.words}`,
      x: along.plotAxis,
      y: { title: titleOf('Latency', reading) },
      series: measures.map((measure) =>
        seriesOf(measure.says.replace('Latency, ', ''), measure, group, along, reading),
      ),
    }),
  };
}

/** One for every two options and every measure, those with the most numbers first; over further options their mean. */
export function sweepHeats(result: SweepResult, measures: readonly Measure[]): NamedHeat[] {
  const axes = result.axes.filter(({ values }) => values.length <= MOST_HEAT_VALUES);
  const pairs = axes
    .flatMap((x, i) => axes.slice(0, i).map((y) => [x, y] as const))
    .toSorted((a, b) => numbersIn(b) - numbersIn(a) || fieldsOf(b) - fieldsOf(a));
  return pairs.flatMap(([x, y]) => measures.map((measure) => heat(result, x, y, measure)));
}

const numbersIn = (axes: readonly SweepAxis[]): number => axes.filter(numeric).length;
const fieldsOf = (axes: readonly SweepAxis[]): number =>
  axes.reduce((n, { values }) => n * values.length, 1);

const fieldOf = (a: string, b: string): string => JSON.stringify([a, b]);
const mean = (values: readonly number[] | undefined): number =>
  values === undefined ? NaN : values.reduce((sum, value) => sum + value, 0) / values.length;

function heat(result: SweepResult, x: SweepAxis, y: SweepAxis, measure: Measure): NamedHeat {
  const fields = new Map<string, number[]>();
  const inField = (point: SweepPoint): string => fieldOf(point[x.key]!, point[y.key]!);
  for (const point of result.points) {
    const key = inField(point.point);
    fields.set(key, [...(fields.get(key) ?? []), measured(point, measure).mean]);
  }
  const values = [...fields.values()].flat();
  const reading = readingOf(measure.unit, Math.max(...values));
  const others = result.axes.length > 2 ? ', mean over the other options' : '';
  return {
    id: `heat-${measure.name}-${x.name}-${y.name}`.replaceAll(/[^\w-]+/g, '_'),
    options: `${x.name} and ${y.name}`,
    measure: measure.says,
    svg: heatPlot({
      title: `${measure.says} over ${x.name} and ${y.name}${others}`,
      x: { title: x.name, values: x.values },
      y: { title: y.name, values: y.values },
      of: reading.name,
      cells: y.values.map((row) =>
        x.values.map((column) => mean(fields.get(fieldOf(column, row))) * reading.factor),
      ),
      label: (value) => `${Number(value.toPrecision(3))}`,
    }),
  };
}
