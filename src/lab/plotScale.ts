/**
 * The scales of a plot: from values to pixels, and where their marks stand. Linear or logarithmic,
 * by what the values span.
 *
 * Logarithms are computed here, from multiplication and division alone: engines disagree in the
 * last bit of theirs, and a plot is the same file on every machine.
 */
import { textWidth } from './plotSvg.ts';

export interface Scale {
  readonly log: boolean;
  /** Of the axis, beyond the values. */
  readonly min: number;
  readonly max: number;
  /** Values with a mark and a number; ascending. */
  readonly ticks: readonly number[];
  /** @returns 0 at the axis's lower end, 1 at its upper */
  at(value: number): number;
}

/** Letters of a label, and the room between two. */
const LABEL_SIZE = 11;
const LABEL_GAP = 3;

/** From here on a value with many decades below it needs a logarithmic axis. */
const LOG_SPAN = 50;
const MOST_LOG_TICKS = 9;

/** Natural logarithm of a positive number: halvings, then the series of (1 + y) / (1 - y). */
export function ln(value: number): number {
  let x = value;
  let halvings = 0;
  while (x > 1.5) {
    x /= 2;
    halvings++;
  }
  while (x < 0.75) {
    x *= 2;
    halvings--;
  }
  const y = (x - 1) / (x + 1);
  let sum = 0;
  let power = y;
  for (let n = 1; n < 40; n += 2) {
    sum += power / n;
    power *= y * y;
  }
  return 2 * sum + halvings * Math.LN2;
}

const log10 = (value: number): number => ln(value) / Math.LN10;

/** Does a logarithmic axis show these values better? Never with zero or less among them. */
export function wantsLog(values: readonly number[]): boolean {
  const [min, max] = [Math.min(...values), Math.max(...values)];
  return min > 0 && max / min >= LOG_SPAN;
}

/** @param steps marks that there is room for, about */
export function linearScale(from: number, to: number, steps: number = 6): Scale {
  const end = to > from ? to : from + (Math.abs(from) || 1);
  const step = niceStep((end - from) / steps);
  const first = Math.floor(from / step + 1e-9);
  const last = Math.max(first + 1, Math.ceil(end / step - 1e-9));
  const ticks = Array.from({ length: last - first + 1 }, (_, i) => tidy((first + i) * step));
  const [min, max] = [ticks[0]!, ticks.at(-1)!];
  return { log: false, min, max, ticks, at: (value) => (value - min) / (max - min) };
}

/** 1, 2 or 5 times a power of ten, at least `step`. */
function niceStep(step: number): number {
  const power = 10 ** Math.floor(log10(step) + 1e-9);
  const times = [1, 2, 5, 10].find((n) => n * power >= step * (1 - 1e-9)) ?? 10;
  return tidy(times * power);
}

const tidy = (value: number): number => Number(value.toPrecision(12));

/** From and to 1, 2 or 5 times a power of ten; marks at all of these, or at powers where there are many. */
export function logScale(from: number, to: number): Scale {
  const low = Math.floor(log10(from) + 1e-9);
  const high = Math.max(low + 1, Math.ceil(log10(to) - 1e-9));
  const all = Array.from({ length: high - low + 1 }, (_, i) => low + i).flatMap((power) =>
    [1, 2, 5].map((factor) => ({ factor, value: tidy(factor * 10 ** power) })),
  );
  const min = all.findLast(({ value }) => value <= from * (1 + 1e-9))!.value;
  const max = all.find(({ value }) => value >= to * (1 - 1e-9))!.value;
  const inside = all.filter(({ value }) => value >= min && value <= max);
  const few = inside.length <= MOST_LOG_TICKS;
  const marks = inside.filter(({ factor }) => few || factor === 1).map(({ value }) => value);
  const ticks = [...new Set([min, ...marks, max])]; // the ends have marks too
  return logBetween(min, max, ticks);
}

/** Marks at the values themselves, as budgets of 1, 2, 4 and so on have them. */
export const logAtValues = (values: readonly number[]): Scale =>
  logBetween(Math.min(...values), Math.max(...values), values);

function logBetween(min: number, max: number, ticks: readonly number[]): Scale {
  const [low, span] = [ln(min), ln(max) - ln(min)];
  return { log: true, min, max, ticks, at: (value) => (ln(value) - low) / (span || 1) };
}

/** Marks of one axis: in the unit of the largest where each is a few digits of it, so that 1k stands beside 10k. */
export function tickLabels({ ticks, log }: Scale): readonly string[] {
  const most = Math.max(...ticks.map(Math.abs));
  if (!log || most < 1e4) return ticks.map(shortNumber);
  return ticks.map((tick) =>
    Math.abs(tick) >= 1000 && Math.abs(tick) < 1e4
      ? `${Number((tick / 1000).toPrecision(4))}k`
      : shortNumber(tick),
  );
}

/** `1500000` as `1.5M`: as few digits as tell it. */
export function shortNumber(value: number): string {
  const size = Math.abs(value);
  const [unit, name] =
    size >= 1e9 ? [1e9, 'G'] : size >= 1e6 ? [1e6, 'M'] : size >= 1e4 ? [1e3, 'k'] : [1, ''];
  return `${Number((value / unit).toPrecision(4))}${name}`;
}

interface TickLabel {
  readonly x: number;
  readonly words: string;
}

/** Labels below an axis that do not touch the one to the left; the last goes before its neighbours. */
export function labelsApart(labels: readonly TickLabel[]): TickLabel[] {
  const touch = (a: TickLabel, b: TickLabel): boolean =>
    b.x - a.x < (textWidth(a.words, LABEL_SIZE) + textWidth(b.words, LABEL_SIZE)) / 2 + LABEL_GAP;
  const last = labels.at(-1);
  const kept: TickLabel[] = [];
  for (const label of labels) {
    const before = kept.at(-1);
    const crowded = touch(label, last!) || (before !== undefined && touch(before, label));
    if (label === last || !crowded) kept.push(label);
  }
  return kept;
}
