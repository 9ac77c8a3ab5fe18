/** A sweep as a table: the swept options, then what was measured, one line a point. */
import type { Colors } from 'picocolors/types';
import type { WeightFit } from '../lab/sweepFit.ts';
import { fitText } from '../lab/sweepFit.ts';
import type { Measure, Spread } from '../lab/measures.ts';
import { MEASURES } from '../lab/measures.ts';
import type { SweepAxis } from '../lab/sweepPlan.ts';
import type { SweptPoint } from '../lab/sweepResult.ts';
import { measured } from '../lab/sweepResult.ts';
import { count, duration, percent, plural, rate } from '../lab/format.ts';
import type { Row } from './table.ts';
import { styled, table } from './table.ts';

const ALWAYS = ['received', 'loss', 'p50', 'p99', 'cpu', 'perPoll'];

/** As a person reads it. */
export function valueText(value: number, unit: Measure['unit']): string {
  if (!Number.isFinite(value)) return '-';
  if (unit === 'pps') return rate(value);
  if (unit === 'ns') return duration(value);
  if (unit === '%') return percent(value, 1);
  if (unit === '/s') return `${count(value)}/s`;
  return Number.isInteger(value) ? count(value) : value.toFixed(value < 100 ? 2 : 0);
}

const spreadText = ({ mean, deviation }: Spread, unit: Measure['unit'], many: boolean): string =>
  many ? `${valueText(mean, unit)} ±${valueText(deviation, unit)}` : valueText(mean, unit);

/** The measures that a table shows: the usual ones, and those that were asked for. */
export const shownMeasures = (asked: readonly Measure[]): readonly Measure[] => [
  ...MEASURES.filter(({ name }) => ALWAYS.includes(name)),
  ...asked.filter(({ name }) => !ALWAYS.includes(name)),
];

export interface SweepTableInput {
  readonly axes: readonly SweepAxis[];
  /** Those that are wanted, the best first. */
  readonly points: readonly SweptPoint[];
  readonly measures: readonly Measure[];
  readonly top: number;
  readonly fits: readonly WeightFit[];
  /** Of the points, before any was left out. */
  readonly finished: number;
  readonly planned: number;
}

export function sweepTable(input: SweepTableInput, c: Colors): string {
  const { axes, points, measures, top, fits, finished, planned } = input;
  const many = points.some(({ runs }) => runs.length > 1);
  const heading = [...axes.map(({ name }) => name), ...measures.map(({ name }) => name)];
  const rows = points
    .slice(0, top)
    .map((point): Row => [
      ...axes.map(({ key }) => styled(c.bold, point.point[key]!)),
      ...measures.map((measure) => spreadText(measured(point, measure), measure.unit, many)),
    ]);
  const left = points.length - Math.min(top, points.length);
  const said = [
    points.length === finished ? '' : `${plural(points.length, 'point')} of ${finished} wanted`,
    finished === planned ? '' : `${finished} of ${plural(planned, 'point')} finished`,
    left === 0 ? '' : `${count(left)} more: --top ${points.length} shows all`,
    many ? '± is the standard deviation over seeds' : '',
  ].filter((text) => text !== '');
  const sections = [
    points.length === 0 ? [] : table([heading.map((text) => styled(c.dim, text)), ...rows], []),
    said.map((text) => `  ${c.dim(text)}`),
    fits.map((fit) => `  ${fitText(fit)}`),
  ];
  const filled = sections.filter((lines) => lines.length > 0);
  return `${filled.map((lines) => lines.join('\n')).join('\n\n')}\n`;
}
