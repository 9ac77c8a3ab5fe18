/** What a sweep found: its points with their reports, which of them are wanted, and in which order. */
import type { Measure, MeasuredReport, Spread } from './measures.ts';
import { measureNamed, spreadOf } from './measures.ts';
import { kebab } from './optionNames.ts';
import { OptionError } from './options.ts';
import type { SweepAxis, SweepPoint } from './sweepPlan.ts';
import type { ValueOf } from './sweepQuery.ts';
import { parseBest, parseWhere } from './sweepQuery.ts';

/** One finished run. */
export interface SweptRun {
  readonly point: SweepPoint;
  readonly seed: number;
  readonly report: MeasuredReport;
}

/** One combination of options with the runs of all its seeds. */
export interface SweptPoint {
  readonly point: SweepPoint;
  readonly runs: readonly SweptRun[];
}

export interface SweepResult {
  readonly axes: readonly SweepAxis[];
  /** Those that are finished, in the order of the plan. */
  readonly points: readonly SweptPoint[];
  /** As typed, to be repeated. */
  readonly command: string;
}

/** Gather runs by point, in the order in which they come. */
export function pointsOf(runs: readonly SweptRun[]): SweptPoint[] {
  const points = new Map<string, { point: SweepPoint; runs: SweptRun[] }>();
  for (const run of runs) {
    const key = JSON.stringify(run.point);
    const known = points.get(key);
    if (known === undefined) points.set(key, { point: run.point, runs: [run] });
    else known.runs.push(run);
  }
  return [...points.values()];
}

export const measured = ({ runs }: SweptPoint, measure: Measure): Spread =>
  spreadOf(runs.map(({ report }) => measure.of(report)));

/** The number at the front of an option's value: `8` of `8`, 12e6 of `12Mpps`; NaN for words. */
export function axisNumber(value: string): number {
  const [, digits, unit] =
    /^(\d+(?:\.\d+)?)(k|K|M|G|ps|ns|us|ms|s)?(?:pps|bps)?$/.exec(value) ?? [];
  if (digits === undefined) return NaN;
  return Number(digits) * (AXIS_UNITS[unit ?? ''] ?? 1);
}
/** Times count in ns. */
const AXIS_UNITS: Readonly<Record<string, number>> = {
  '': 1,
  k: 1e3,
  K: 1e3,
  M: 1e6,
  G: 1e9,
  ns: 1,
  us: 1e3,
  ps: 1e-3,
  ms: 1e6,
  s: 1e9,
};

/** A measure or a swept option. */
interface Valued {
  /** The end that comes first. */
  readonly best: Measure['best'];
  readonly of: ValueOf<SweptPoint>;
}

/** What `--best` and `--where` ask for, made out against one report of the sweep. */
export interface Wishes {
  /** Measures that were named, for the table to show. */
  readonly measures: readonly Measure[];
  wanted(point: SweptPoint): boolean;
  /** The best first, those without a number last; points that are equally good keep their order. */
  sorted(points: readonly SweptPoint[]): readonly SweptPoint[];
}

/** @throws OptionError for what cannot be read, or names nothing */
export function wishesOf(
  axes: readonly SweepAxis[],
  sample: MeasuredReport,
  { best, where }: { readonly best?: string | undefined; readonly where?: string | undefined },
): Wishes {
  const measures: Measure[] = [];
  const named = (place: string, name: string): Measure => {
    const measure = measureNamed(
      place,
      name,
      sample,
      axes.map((axis) => axis.name),
    );
    if (!measures.some((other) => other.name === measure.name)) measures.push(measure);
    return measure;
  };
  const axisNamed = (name: string): SweepAxis | undefined =>
    axes.find((one) => one.name === name || one.name === kebab(name));
  const valueOf = (place: string, name: string): Valued => {
    const axis = axisNamed(name);
    if (axis !== undefined) return { best: 'min', of: ({ point }) => axisNumber(point[axis.key]!) };
    const measure = named(place, name);
    return { best: measure.best, of: (point) => measured(point, measure).mean };
  };
  const sortable = (name: string): Valued => {
    if (axisNamed(name)?.values.some((value) => Number.isNaN(axisNumber(value))) === true)
      throw new OptionError(`--best: ${name} has values that are no numbers`);
    return valueOf('--best', name);
  };
  const order = best === undefined ? null : parseBest(best, sortable);
  const wanted =
    where === undefined
      ? () => true
      : parseWhere<SweptPoint>('--where', where, (name) => valueOf('--where', name).of);
  const sign = order?.best === 'max' ? -1 : 1;
  return {
    measures,
    wanted,
    sorted(points) {
      if (order === null) return points;
      const at = (point: SweptPoint): number => {
        const value = order.by.of(point);
        return Number.isNaN(value) ? Infinity : sign * value;
      };
      return points.toSorted((a, b) => {
        const [first, second] = [at(a), at(b)];
        return first === second ? 0 : first - second;
      });
    },
  };
}
