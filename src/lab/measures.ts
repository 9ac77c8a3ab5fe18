/**
 * The numbers of a report that people ask for, by short names, and every other one by its path in
 * the JSON document: `p99`, `latencyNs.p99`, `cpus.0.softirqPct`, `ethtool["[0]: rx_discards"]`.
 */
import { LOSS_CAUSES } from '../host/fates.ts';
import { didYouMean } from './nearest.ts';
import { OptionError } from './options.ts';
import type { RunReport } from './report.ts';

/** A report as sweeps keep it: the same on every machine. */
export type MeasuredReport = Omit<RunReport, 'wallMs'>;

type MeasureUnit = 'pps' | 'ns' | '%' | '/s' | '';

export interface Measure {
  readonly name: string;
  /** In words, as the title of an axis. */
  readonly says: string;
  readonly unit: MeasureUnit;
  /** Which end is good. */
  readonly best: 'min' | 'max';
  /** Where it stands in the JSON document, or how it follows from it. */
  readonly path: string;
  of(report: MeasuredReport): number;
}

/** A report that is only read by its paths: it may come out of a file. */
type Json = Readonly<Record<string, unknown>>;

const sum = (numbers: readonly number[]): number => numbers.reduce((all, n) => all + n, 0);
const lostInAll = ({ packets }: MeasuredReport): number => sum(Object.values(packets.lost));
const share = (part: number, whole: number): number => (whole === 0 ? 0 : (part / whole) * 100);

function known(
  name: string,
  says: string,
  unit: MeasureUnit,
  best: Measure['best'],
  path: string,
  of: (report: MeasuredReport) => number,
): Measure {
  return { name, says, unit, best, path, of };
}

/** The short names. */
export const MEASURES: readonly Measure[] = [
  known('offered', 'Offered load', 'pps', 'max', 'rates.offeredPps', (r) => r.rates.offeredPps),
  known('received', 'Throughput', 'pps', 'max', 'rates.receivedPps', (r) => r.rates.receivedPps),
  known('wire', 'Sent', 'pps', 'max', 'rates.onWirePps', (r) => r.rates.onWirePps),
  known('lost', 'Packets lost', '', 'min', 'the sum of packets.lost', lostInAll),
  known('loss', 'Loss', '%', 'min', 'lost / packets.offered', (r) =>
    share(lostInAll(r), r.packets.offered),
  ),
  known('mean', 'Mean latency', 'ns', 'min', 'latencyNs.mean', (r) => r.latencyNs.mean),
  known('p50', 'Latency, p50', 'ns', 'min', 'latencyNs.p50', (r) => r.latencyNs.p50),
  known('p90', 'Latency, p90', 'ns', 'min', 'latencyNs.p90', (r) => r.latencyNs.p90),
  known('p99', 'Latency, p99', 'ns', 'min', 'latencyNs.p99', (r) => r.latencyNs.p99),
  known('p999', 'Latency, p99.9', 'ns', 'min', 'latencyNs.p999', (r) => r.latencyNs.p999),
  known('max', 'Longest latency', 'ns', 'min', 'latencyNs.max', (r) => r.latencyNs.max),
  known('cpu', 'Busiest CPU', '%', 'min', 'the largest of cpus.N.busyPct', (r) =>
    Math.max(0, ...r.cpus.map(({ busyPct }) => busyPct)),
  ),
  known('cpus', 'All CPUs together', '%', 'min', 'the sum of cpus.N.busyPct', (r) =>
    sum(r.cpus.map(({ busyPct }) => busyPct)),
  ),
  known('cpuNs', 'CPU time a packet', 'ns', 'min', 'busy time / packets.received', (r) =>
    r.packets.received === 0
      ? 0
      : (sum(r.cpus.map(({ busyPct }) => busyPct)) / 100) * (r.settledNs / r.packets.received),
  ),
  known(
    'perPoll',
    'Packets per poll',
    '',
    'max',
    'napi.packetsPerPoll',
    (r) => r.napi.packetsPerPoll,
  ),
  known('perIrq', 'Packets per interrupt', '', 'max', 'packets.received / napi.irqs', (r) =>
    r.napi.irqs === 0 ? 0 : r.packets.received / r.napi.irqs,
  ),
  known('full', 'Full polls', '%', 'min', 'napi.fullPolls / napi.polls', (r) =>
    share(r.napi.fullPolls, r.napi.polls),
  ),
  known('polls', 'Polls', '', 'min', 'napi.polls', (r) => r.napi.polls),
  known('irqs', 'Interrupts', '', 'min', 'napi.irqs', (r) => r.napi.irqs),
  known(
    'tps',
    'Transactions',
    '/s',
    'max',
    'clients.perSecond',
    (r) => r.clients?.perSecond ?? NaN,
  ),
  known(
    'rtt50',
    'Round trip, p50',
    'ns',
    'min',
    'clients.roundTripNs.p50',
    (r) => r.clients?.roundTripNs.p50 ?? NaN,
  ),
  known(
    'rtt99',
    'Round trip, p99',
    'ns',
    'min',
    'clients.roundTripNs.p99',
    (r) => r.clients?.roundTripNs.p99 ?? NaN,
  ),
  known('squeeze', 'Time squeezes', '', 'min', 'napi.timeSqueeze', (r) => r.napi.timeSqueeze),
];

/** What is left out of the JSON document while it is zero. */
const LEFT_OUT: Readonly<Record<string, readonly string[] | null>> = {
  'packets.lost': LOSS_CAUSES.map(({ name }) => name),
  drops: null,
  snmp: null,
};

/**
 * The measure of that name or path.
 *
 * @param place for messages
 * @param sample any report of the run in question: names the paths that exist
 * @param others names that mean something else at that place, for guesses
 * @throws OptionError
 */
export function measureNamed(
  place: string,
  name: string,
  sample: MeasuredReport,
  others: readonly string[] = [],
): Measure {
  const found = MEASURES.find((measure) => measure.name === name);
  if (found !== undefined) return found;
  const steps = pathSteps(name);
  const of = (report: MeasuredReport): number | null => numberAt(report, steps);
  if (steps.length === 0 || of(sample) === null) {
    const names = [...others, ...MEASURES.map((m) => m.name), ...paths(sample)];
    const guess =
      didYouMean(name, names) ||
      ` (${[...others, ...MEASURES.map((m) => m.name)].join(', ')}, or a path such as latencyNs.p99)`;
    throw new OptionError(`${place}: no measure is called ${name}${guess}`);
  }
  const unit = /Ns\b/.test(name)
    ? 'ns'
    : name.endsWith('Pps')
      ? 'pps'
      : name.endsWith('Pct')
        ? '%'
        : '';
  return { name, says: name, unit, best: 'min', path: name, of: (report) => of(report) ?? NaN };
}

function pathSteps(path: string): readonly string[] {
  const steps: string[] = [];
  const step = /\.?([\w-]+)|\[(\d+)\]|\["([^"]*)"\]/y;
  while (step.lastIndex < path.length) {
    const match = step.exec(path);
    if (match === null) return [];
    steps.push((match[1] ?? match[2] ?? match[3])!);
  }
  return steps;
}

function numberAt(report: object, steps: readonly string[]): number | null {
  let at: unknown = report;
  for (const step of steps) {
    if (typeof at !== 'object' || at === null) return null;
    if (!Object.hasOwn(at, step)) return leftOut(steps) ? 0 : null;
    at = (at as Json)[step];
  }
  if (typeof at === 'boolean') return Number(at);
  return typeof at === 'number' ? at : null;
}

const leftOut = (steps: readonly string[]): boolean =>
  Object.entries(LEFT_OUT).some(([under, names]) => {
    const depth = under.split('.').length;
    if (steps.slice(0, depth).join('.') !== under || steps.length === depth) return false;
    return names === null || names.includes(steps[depth]!);
  });

/** Every number's path, for guesses. */
function paths(value: object, under: string = ''): string[] {
  return Object.entries(value).flatMap(([key, inner]) => {
    const path = under === '' ? key : `${under}.${key}`;
    if (typeof inner === 'number' || typeof inner === 'boolean') return [path];
    return typeof inner === 'object' && inner !== null ? paths(inner, path) : [];
  });
}

/** One measure over the runs of a point. */
export interface Spread {
  readonly mean: number;
  readonly min: number;
  readonly max: number;
  /** Of the sample; 0 for one run. */
  readonly deviation: number;
}

export function spreadOf(values: readonly number[]): Spread {
  const mean = sum(values) / values.length;
  const squares = sum(values.map((value) => (value - mean) ** 2));
  const deviation = values.length < 2 ? 0 : Math.sqrt(squares / (values.length - 1));
  return { mean, min: Math.min(...values), max: Math.max(...values), deviation };
}
