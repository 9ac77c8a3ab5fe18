/**
 * Line plots: one quantity against another, several series, marks with their values.
 *
 * Axes begin at zero unless they are logarithmic; a logarithmic axis whose values are few has its
 * marks at the values.
 */
import type { Scale } from './plotScale.ts';
import {
  labelsApart,
  linearScale,
  logAtValues,
  logScale,
  tickLabels,
  wantsLog,
} from './plotScale.ts';
import { COLOURS, orderedColour } from './plotColours.ts';
import { drawing, element, FAINT, GRID, INK, pixels, text, textWidth, tip } from './plotSvg.ts';

export interface PlotPoint {
  readonly x: number;
  readonly y: number;
  /** Deviation to both sides; 0 or absent without one. */
  readonly spread?: number;
  /** What the pointer is told. */
  readonly says: string;
}

export interface PlotSeries {
  readonly name: string;
  readonly points: readonly PlotPoint[];
  /** Dashed lines go with full ones of the same colour. */
  readonly dashed?: boolean;
  /** Number of its colour; its place among the series unless set. */
  readonly colour?: number;
}

export interface PlotAxis {
  /** With its unit: `Offered load (Mpps)`. */
  readonly title: string;
  /** Top of the axis where the quantity has one: 100 of a percentage. */
  readonly most?: number;
  /** False keeps it linear. */
  readonly log?: boolean;
  /** Of a mark; digits as few as tell it unless set. */
  readonly label?: (value: number) => string;
}

export interface LinePlot {
  readonly title: string;
  readonly x: PlotAxis;
  readonly y: PlotAxis;
  readonly series: readonly PlotSeries[];
  /** What the series are values of, above their names. */
  readonly legend?: string;
  /** The order of the series means something: colours from dark to light instead of unlike ones. */
  readonly ordered?: boolean;
  /** A line to compare with: everything received, for one. */
  readonly guide?: { readonly name: string; readonly at: (x: number) => number };
  readonly width?: number;
  readonly height?: number;
}

const LEFT = 68;
const TOP = 40;
const BOTTOM = 54;
const LEGEND_LINE = 19;
const LEGEND_MARK = 30;
/** Of the width; a legend that wants more stands below. */
const MOST_LEGEND = 0.45;
/** Of a mark under others, so that it shows around them. */
const MARK_RIM = 1.2;
const MOST_RIMS = 4;
/** More values than this have no mark each. */
const FEW = 12;

interface Frame {
  readonly x: Scale;
  readonly y: Scale;
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
}

export function linePlot(plot: LinePlot): string {
  const { title, series, width = 560, height = 360 } = plot;
  const entries = series.length + (plot.guide ? 1 : 0) < 2 ? [] : legendEntries(plot);
  const words = [plot.legend ?? '', ...entries.map(({ name }) => name)];
  const legendWidth =
    entries.length === 0
      ? 0
      : LEGEND_MARK + 16 + Math.max(...words.map((name) => textWidth(name, 11)));
  const below = legendWidth > width * MOST_LEGEND;
  const lines = entries.length + (plot.legend === undefined ? 0 : 1);
  const frame: Frame = {
    x: scaleOf(
      plot.x,
      series.flatMap(({ points }) => points.map(({ x }) => x)),
      true,
    ),
    y: scaleOf(
      plot.y,
      series.flatMap(({ points }) => points.map(({ y }) => y)),
      false,
    ),
    left: LEFT,
    top: TOP,
    width: width - LEFT - Math.max(22, below ? 0 : legendWidth),
    height: height - TOP - BOTTOM,
  };
  const { left, top } = frame;
  const whole = height + (below ? lines * LEGEND_LINE : 0);
  return drawing(width, whole, title, [
    text(LEFT, 22, title, { size: 14, weight: 'bold' }),
    axes(plot, frame),
    guide(plot, frame),
    ...series.map((one, i) => lineOf(one, colourOf(plot, i), frame, series.slice(i + 1))),
    below
      ? legend(plot.legend, entries, left, height)
      : legend(plot.legend, entries, left + frame.width + 12, top),
  ]);
}

function scaleOf(axis: PlotAxis, values: readonly number[], across: boolean): Scale {
  const finite = values.filter((value) => Number.isFinite(value));
  if (finite.length === 0) return linearScale(0, 1);
  if (axis.log !== false && wantsLog(finite)) {
    const each = [...new Set(finite)].toSorted((a, b) => a - b);
    if (across && each.length <= FEW) return logAtValues(each);
    return logScale(each[0]!, each.at(-1)!);
  }
  const top = Math.max(...finite);
  return linearScale(0, axis.most === undefined ? top : Math.max(axis.most, top));
}

const across = ({ x, left, width }: Frame, value: number): number => left + x.at(value) * width;
const up = ({ y, top, height }: Frame, value: number): number => top + (1 - y.at(value)) * height;

const line = (x1: number, y1: number, x2: number, y2: number, stroke: string): string =>
  element('line', { x1, y1, x2, y2, stroke });

function axes(plot: LinePlot, frame: Frame): string {
  const { left, top, width, height } = frame;
  const bottom = top + height;
  const [xWords, yWords] = [tickLabels(frame.x), tickLabels(frame.y)];
  return [
    ...frame.y.ticks.flatMap((tick, i) => {
      const y = up(frame, tick);
      return [
        line(left, y, left + width, y, GRID),
        text(left - 8, y + 4, plot.y.label?.(tick) ?? yWords[i]!, { anchor: 'end', size: 11 }),
      ];
    }),
    ...frame.x.ticks.map((tick) => {
      const x = across(frame, tick);
      return line(x, bottom, x, bottom + 5, INK);
    }),
    ...labelsApart(
      frame.x.ticks.map((tick, i) => ({
        x: across(frame, tick),
        words: plot.x.label?.(tick) ?? xWords[i]!,
      })),
    ).map(({ x, words }) => text(x, bottom + 19, words, { anchor: 'middle', size: 11 })),
    line(left, bottom, left + width, bottom, INK),
    line(left, top, left, bottom, INK),
    text(left + width / 2, bottom + 42, named(plot.x, frame.x), { anchor: 'middle' }),
    text(16, top + height / 2, named(plot.y, frame.y), { anchor: 'middle', turn: -90 }),
  ].join('');
}

/** A logarithmic axis says so. */
const named = ({ title }: PlotAxis, { log }: Scale): string =>
  log ? `${title}, log scale` : title;

/** Halvings of what the guide spans: on a logarithmic axis a straight line is a curve. */
const GUIDE_HALVINGS = 6;

/** Values at even distances on the axis, without the last. */
function between(scale: Scale, from: number, to: number, halvings: number): readonly number[] {
  if (halvings === 0) return [from];
  const middle = scale.log ? Math.sqrt(from * to) : (from + to) / 2;
  return [
    ...between(scale, from, middle, halvings - 1),
    ...between(scale, middle, to, halvings - 1),
  ];
}

function guide({ guide: wanted }: LinePlot, frame: Frame): string {
  if (wanted === undefined) return '';
  const { x, y } = frame;
  const inside = (at: number): boolean => at >= y.min && at <= y.max * (1 + 1e-9);
  const points = [...between(x, x.min, x.max, GUIDE_HALVINGS), x.max]
    .filter((at) => inside(wanted.at(at)))
    .map((at) => `${pixels(across(frame, at))},${pixels(up(frame, wanted.at(at)))}`);
  return element('polyline', {
    points: points.join(' '),
    fill: 'none',
    stroke: FAINT,
    'stroke-dasharray': '2 4',
  });
}

const colourOf = ({ series, ordered }: LinePlot, index: number): string =>
  ordered === true
    ? orderedColour(index, series.length)
    : COLOURS[(series[index]!.colour ?? index) % COLOURS.length]!;

/** A line is broken where a value is missing or has no place on its axis. */
function lineOf(
  series: PlotSeries,
  stroke: string,
  frame: Frame,
  over: readonly PlotSeries[],
): string {
  const { x, y } = frame;
  const has = ({ x: a, y: b }: PlotPoint): boolean =>
    Number.isFinite(a) && Number.isFinite(b) && (!y.log || b > 0) && (!x.log || a > 0);
  const pieces: PlotPoint[][] = [[]];
  for (const point of series.points) {
    if (has(point)) pieces.at(-1)!.push(point);
    else pieces.push([]);
  }
  const lines = pieces
    .filter((piece) => piece.length > 1)
    .map((piece) =>
      element('polyline', {
        points: piece
          .map((point) => `${pixels(across(frame, point.x))},${pixels(up(frame, point.y))}`)
          .join(' '),
        fill: 'none',
        stroke,
        'stroke-width': 1.8,
        'stroke-linejoin': 'round',
        ...(series.dashed === true ? { 'stroke-dasharray': '6 4' } : {}),
      }),
    );
  const marks = series.points
    .filter(has)
    .map((point) => markOf(series, point, stroke, frame, hiddenBy(point, over, frame)));
  return [...lines, ...marks].join('');
}

/** How many of the series that are drawn over this one have a mark at the same place. */
function hiddenBy(point: PlotPoint, over: readonly PlotSeries[], frame: Frame): number {
  const at = ({ x, y }: PlotPoint): readonly [number, number] => [across(frame, x), up(frame, y)];
  const [x, y] = at(point);
  const here = (other: PlotPoint): boolean => {
    const [ox, oy] = at(other);
    return Math.abs(ox - x) < 2 && Math.abs(oy - y) < 2;
  };
  return over.filter(({ points }) => points.some(here)).length;
}

function markOf(
  series: PlotSeries,
  point: PlotPoint,
  stroke: string,
  frame: Frame,
  hidden: number,
): string {
  const [cx, cy] = [across(frame, point.x), up(frame, point.y)];
  const { spread = 0 } = point;
  const low = frame.y.log ? Math.max(frame.y.min, point.y - spread) : point.y - spread;
  const bar =
    spread === 0
      ? ''
      : element('path', {
          d: `M${pixels(cx)} ${pixels(up(frame, point.y + spread))}V${pixels(up(frame, low))}`,
          stroke,
        });
  const fill = series.dashed === true ? '#fff' : stroke;
  const circle = element(
    'circle',
    { cx, cy, r: 3 + MARK_RIM * Math.min(hidden, MOST_RIMS), fill, stroke, 'stroke-width': 1.4 },
    tip(point.says),
  );
  return bar + circle;
}

interface LegendEntry {
  readonly name: string;
  readonly look: Readonly<Record<string, string | number>>;
}

const legendEntries = (plot: LinePlot): LegendEntry[] => [
  ...plot.series.map(({ name, dashed }, i) => ({
    name,
    look: {
      stroke: colourOf(plot, i),
      'stroke-width': 2,
      ...(dashed === true ? { 'stroke-dasharray': '6 4' } : {}),
    },
  })),
  ...(plot.guide === undefined
    ? []
    : [{ name: plot.guide.name, look: { stroke: FAINT, 'stroke-dasharray': '2 4' } }]),
];

function legend(
  title: string | undefined,
  entries: readonly LegendEntry[],
  x: number,
  top: number,
): string {
  if (entries.length === 0) return '';
  const head = title === undefined ? '' : text(x, top + 12, title, { size: 11, fill: FAINT });
  const first = top + 8 + (title === undefined ? 0 : LEGEND_LINE);
  const lines = entries.map(({ name, look }, i) => {
    const y = first + i * LEGEND_LINE;
    return (
      element('line', { x1: x, y1: y, x2: x + LEGEND_MARK - 8, y2: y, ...look }) +
      text(x + LEGEND_MARK - 2, y + 4, name, { size: 11 })
    );
  });
  return head + lines.join('');
}
