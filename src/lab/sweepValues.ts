/**
 * The values that one option of a sweep takes: `1,8,64`, `1..256*2`, `0.1..1.2+0.1`, `drop|pass`.
 *
 * A bar separates values of every option, a comma only where a single value never has one. A range
 * includes both ends where its steps meet them; what stands behind the numbers (`1M..8M*2`) stands
 * behind every value.
 */
import { OptionError } from './options.ts';

/** Options whose single value may hold commas, or a sentence of its own. */
const WITH_COMMAS: readonly string[] = [
  'xdp',
  'xdpPeer',
  'traffic',
  'apps',
  'rps',
  'irqAffinity',
  'appCpus',
  'threadCpus',
  'rssKey',
  'rssIndir',
  'rxFlowHash',
  'ntuple',
  'tcDrop',
  'rawDrop',
  'route',
  'neigh',
  'at',
];
const MOST_VALUES = 10_000;
/** As a single value is written: `1_000`, `1e6`, `0.5`; and its unit. */
const NUMBER = '(\\d+(?:_\\d+)*(?:\\.\\d+)?(?:[eE][+-]?\\d+)?)([A-Za-zµ]*)';
const RANGE = new RegExp(`^${NUMBER}\\.\\.${NUMBER}(?:([*+])${NUMBER})?$`);
/** Digits that survive adding and multiplying decimal steps. */
const DIGITS = 12;

/**
 * @param place the option as messages name it
 * @param raw as typed, or out of a scenario, where a list may be one
 * @returns at least one value, each once
 * @throws OptionError
 */
export function sweepValues(place: string, key: string, raw: unknown): readonly unknown[] {
  if (Array.isArray(raw)) {
    if (WITH_COMMAS.includes(key)) return [raw];
    return once(place, raw);
  }
  if (typeof raw !== 'string') return [raw];
  const separator = raw.includes('|') ? '|' : WITH_COMMAS.includes(key) ? null : ',';
  const parts = separator === null ? [raw] : raw.split(separator).map((part) => part.trim());
  if (parts.length > 1 && parts.includes('')) {
    throw new OptionError(`${place}: ${raw} has an empty value`);
  }
  return once(
    place,
    parts.flatMap((part) => rangeValues(place, part) ?? [part]),
  );
}

function once(place: string, values: readonly unknown[]): readonly unknown[] {
  if (values.length === 0) throw new OptionError(`${place}: needs at least one value`);
  const twice = values.find((value, i) => values.indexOf(value) < i);
  if (twice !== undefined)
    throw new OptionError(
      `${place}: ${typeof twice === 'string' ? twice : JSON.stringify(twice)} is given twice`,
    );
  return values;
}

/** @returns null for what is no range */
function rangeValues(place: string, text: string): readonly string[] | null {
  const match = RANGE.exec(text);
  if (match === null) return null;
  const [, from, fromUnit, to, toUnit, operator = '+', step = '1', stepUnit = ''] = match;
  const units = new Set([fromUnit, toUnit, stepUnit].filter((unit) => unit !== ''));
  const [first, last, by] = [from, to, step].map((n) => Number(n!.replaceAll('_', ''))) as [
    number,
    number,
    number,
  ];
  const refuse = (why: string): never => {
    throw new OptionError(`${place}: ${text} ${why}`);
  };
  if (units.size > 1) refuse(`mixes units (${[...units].join(' and ')})`);
  if (first > last) refuse('runs downwards; the smaller end comes first');
  if (operator === '*' && stepUnit !== '') refuse('multiplies by a number without a unit');
  if (operator === '*' && (by <= 1 || first === 0))
    refuse('never ends: multiply by more than 1, from more than 0');
  if (operator === '+' && by === 0) refuse('never ends: add more than 0');
  const unit = [...units][0] ?? '';
  const values: string[] = [];
  for (let i = 0, at = first; at <= last; i++) {
    if (i === MOST_VALUES) refuse(`has more than ${MOST_VALUES} values`);
    values.push(`${at}${unit}`);
    at = Number((operator === '*' ? at * by : first + (i + 1) * by).toPrecision(DIGITS));
  }
  return values;
}
