/**
 * Throughput against the NAPI weight: `1 / (a + b / weight)`, where `a` is what a packet costs and
 * `b` what a poll costs in itself, shared by the packets of a full one.
 *
 * Only saturated points tell: those that lose packets while a CPU has no time left. Least squares
 * of nanoseconds a packet against 1 / weight. The throughput is the machine's: where n CPUs receive
 * side by side, `a` and `b` are n times smaller than what one of them spends.
 */
import { MEASURES } from './measures.ts';
import type { SweepAxis } from './sweepPlan.ts';
import type { SweptPoint } from './sweepResult.ts';
import { axisNumber, measured } from './sweepResult.ts';

export interface WeightFit {
  /** The other options, by name, with their values. */
  readonly series: Readonly<Record<string, string>>;
  /** Nanoseconds a packet, and a poll. */
  readonly a: number;
  readonly b: number;
  /** Share of the variance that the fit explains. */
  readonly r2: number;
  readonly points: number;
}

/** Fewer points than this lie on a line by themselves. */
const LEAST_POINTS = 3;
const BUSY_PCT = 95;

const named = (name: string): (typeof MEASURES)[number] =>
  MEASURES.find((measure) => measure.name === name)!;
const [RECEIVED, LOSS, CPU] = [named('received'), named('loss'), named('cpu')];

/** One fit for each combination of the other options; none without a swept budget. */
export function weightFits(axes: readonly SweepAxis[], points: readonly SweptPoint[]): WeightFit[] {
  if (!axes.some(({ key }) => key === 'budget')) return [];
  const others = axes.filter(({ key }) => key !== 'budget');
  const series = new Map<string, SweptPoint[]>();
  for (const point of points) {
    const key = JSON.stringify(others.map((axis) => point.point[axis.key]));
    series.set(key, [...(series.get(key) ?? []), point]);
  }
  return [...series.values()].flatMap((all) => {
    const full = all.filter(saturated);
    if (full.length < LEAST_POINTS) return [];
    const at = all[0]!.point;
    const line = leastSquares(
      full.map(({ point }) => 1 / axisNumber(point['budget']!)),
      full.map((point) => 1e9 / measured(point, RECEIVED).mean),
    );
    return [
      {
        series: Object.fromEntries(others.map(({ key, name }) => [name, at[key]!])),
        a: line.constant,
        b: line.slope,
        r2: line.r2,
        points: full.length,
      },
    ];
  });
}

/** In one line. */
export function fitText({ series, a, b, r2, points }: WeightFit): string {
  const where = Object.entries(series).map(([name, value]) => `${name} ${value}`);
  return (
    `throughput = 1 / (a + b / weight)${where.length === 0 ? '' : ` at ${where.join(', ')}`}: ` +
    `a ${a.toFixed(1)} ns a packet, b ${b.toFixed(0)} ns a poll ` +
    `(${points} saturated points, R² ${r2.toFixed(4)})`
  );
}

const saturated = (point: SweptPoint): boolean =>
  measured(point, LOSS).mean > 0 && measured(point, CPU).mean >= BUSY_PCT;

interface Line {
  readonly constant: number;
  readonly slope: number;
  readonly r2: number;
}

const mean = (values: readonly number[]): number =>
  values.reduce((sum, value) => sum + value, 0) / values.length;

function leastSquares(xs: readonly number[], ys: readonly number[]): Line {
  const [x, y] = [mean(xs), mean(ys)];
  let [xx, xy, yy] = [0, 0, 0];
  xs.forEach((at, i) => {
    xx += (at - x) ** 2;
    xy += (at - x) * (ys[i]! - y);
    yy += (ys[i]! - y) ** 2;
  });
  const slope = xx === 0 ? 0 : xy / xx;
  return { constant: y - slope * x, slope, r2: yy === 0 ? 1 : (slope * xy) / yy };
}
