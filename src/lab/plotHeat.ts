/** Heat maps: one quantity over two others, a field for each pair, its value written in it. */
import type { Rgb } from './plotColours.ts';
import { rampColour, rgb } from './plotColours.ts';
import { linearScale, logScale, wantsLog } from './plotScale.ts';
import type { Scale } from './plotScale.ts';
import { drawing, element, FAINT, INK, pixels, text, textWidth, tip } from './plotSvg.ts';

export interface HeatPlot {
  readonly title: string;
  readonly x: { readonly title: string; readonly values: readonly string[] };
  readonly y: { readonly title: string; readonly values: readonly string[] };
  /** Unit of the colours' numbers; may be empty. */
  readonly of: string;
  /** By row (a value of `y`), then by column; NaN where nothing is known. */
  readonly cells: readonly (readonly number[])[];
  readonly label: (value: number) => string;
}

const TOP = 40;
const BOTTOM = 54;
const KEY_WIDTH = 14;
const FIELD_HEIGHT = 26;
const FIELD_MIN = 38;
const FIELD_MAX = 84;
const WIDTH = 560;

/** Black or white, whichever is read better on it. */
const inkOn = ([r, g, b]: Rgb): string =>
  0.299 * r + 0.587 * g + 0.114 * b > 140 ? '#000' : '#fff';

export function heatPlot(plot: HeatPlot): string {
  const { title, x, y, cells, label } = plot;
  const known = cells.flat().filter((value) => Number.isFinite(value));
  const scale = known.length === 0 ? linearScale(0, 1) : scaleOf(known);
  const yWidth = Math.max(...y.values.map((value) => textWidth(value, 11)));
  const left = 40 + yWidth;
  const keyText = Math.max(...scale.ticks.map((tick) => textWidth(label(tick), 10)));
  const room = WIDTH - left - KEY_WIDTH - keyText - 40;
  const field = Math.min(FIELD_MAX, Math.max(FIELD_MIN, room / x.values.length));
  const [width, height] = [field * x.values.length, FIELD_HEIGHT * y.values.length];
  const bottom = TOP + height;
  const whole = Math.max(WIDTH, left + width + KEY_WIDTH + keyText + 40);
  return drawing(whole, bottom + BOTTOM, title, [
    text(left, 22, title, { size: 14, weight: 'bold' }),
    ...y.values.map((value, row) =>
      text(left - 8, bottom - (row + 0.5) * FIELD_HEIGHT + 4, value, { anchor: 'end', size: 11 }),
    ),
    ...x.values.map((value, column) =>
      text(left + (column + 0.5) * field, bottom + 18, value, { anchor: 'middle', size: 11 }),
    ),
    ...cells.flatMap((row, j) =>
      row.map((value, i) =>
        fieldOf(plot, value, scale, {
          i,
          j,
          x: left + i * field,
          y: bottom - (j + 1) * FIELD_HEIGHT,
          width: field,
        }),
      ),
    ),
    text(left + width / 2, bottom + 42, x.title, { anchor: 'middle' }),
    text(16, TOP + height / 2, y.title, { anchor: 'middle', turn: -90 }),
    key(plot, scale, left + width + 16, height),
  ]);
}

function scaleOf(values: readonly number[]): Scale {
  const [min, max] = [Math.min(...values), Math.max(...values)];
  return wantsLog(values) ? logScale(min, max) : linearScale(min, max, 4);
}

interface Field {
  readonly i: number;
  readonly j: number;
  readonly x: number;
  readonly y: number;
  readonly width: number;
}

function fieldOf(plot: HeatPlot, value: number, scale: Scale, at: Field): string {
  const place = { x: at.x, y: at.y, width: at.width, height: FIELD_HEIGHT };
  if (!Number.isFinite(value)) return element('rect', { ...place, fill: '#f2f2f2' });
  const colour = rampColour(scale.at(value));
  const where = `${plot.x.title} ${plot.x.values[at.i]!}, ${plot.y.title} ${plot.y.values[at.j]!}`;
  const words = plot.label(value);
  const fits = textWidth(words, 10) < at.width - 2;
  return element(
    'g',
    {},
    element('rect', { ...place, fill: rgb(colour), stroke: '#fff', 'stroke-width': 0.5 }),
    fits
      ? text(at.x + at.width / 2, at.y + FIELD_HEIGHT / 2 + 3.5, words, {
          anchor: 'middle',
          size: 10,
          fill: inkOn(colour),
        })
      : '',
    tip(`${where}: ${words}`),
  );
}

const KEY_STEPS = 32;

function key({ of, label }: HeatPlot, scale: Scale, x: number, height: number): string {
  const tall = Math.max(height, 60);
  const step = tall / KEY_STEPS;
  const fields = Array.from({ length: KEY_STEPS }, (_, i) =>
    element('rect', {
      x,
      y: TOP + tall - (i + 1) * step,
      width: KEY_WIDTH,
      height: step + 0.5,
      fill: rgb(rampColour((i + 0.5) / KEY_STEPS)),
    }),
  );
  const marks = scale.ticks.map((tick) => {
    const y = TOP + (1 - scale.at(tick)) * tall;
    return (
      element('line', { x1: x + KEY_WIDTH, y1: y, x2: x + KEY_WIDTH + 4, y2: y, stroke: INK }) +
      text(x + KEY_WIDTH + 7, y + 3.5, label(tick), { size: 10 })
    );
  });
  const frame = element('path', {
    d: `M${pixels(x)} ${TOP}h${KEY_WIDTH}v${pixels(tall)}h-${KEY_WIDTH}z`,
    fill: 'none',
    stroke: FAINT,
    'stroke-width': 0.5,
  });
  return [...fields, frame, ...marks, text(x, TOP + tall + 16, of, { size: 10, fill: FAINT })].join(
    '',
  );
}
