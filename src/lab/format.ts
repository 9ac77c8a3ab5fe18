/** Numbers as a person reads them: with thousands separators, a fitting unit, few digits. */

/** `1,234,567`. */
export const count = (n: number): string => {
  const text = String(Math.abs(Math.round(n)));
  return (n < 0 ? '-' : '') + text.replace(/\B(?=(\d{3})+$)/g, ',');
};

/** Three significant digits or so: `14.88`, `148.8`, `2.10`. */
function digits(value: number): string {
  if (value >= 1000) return count(value);
  if (value >= 100) return value.toFixed(1);
  return value.toFixed(2);
}

/** What would read as 1000.0 of a unit is one of the next. */
const NEXT_UNIT = 0.99995;

function scaled(value: number, units: readonly (readonly [number, string])[]): string {
  const [factor, unit] = units.find(([least]) => value >= least * NEXT_UNIT) ?? units.at(-1)!;
  const n = value / factor;
  return `${Number.isInteger(n) && n < 1000 ? n : digits(n)} ${unit}`;
}

/** `14.88 Mpps`. */
export const rate = (pps: number): string =>
  scaled(pps, [
    [1e9, 'Gpps'],
    [1e6, 'Mpps'],
    [1e3, 'kpps'],
    [1, 'pps'],
  ]);

/** `812 ns`, `1.24 µs`, `3.10 ms`. */
export const duration = (ns: number): string =>
  scaled(ns, [
    [1e9, 's'],
    [1e6, 'ms'],
    [1e3, 'µs'],
    [1, 'ns'],
  ]);

/** `99.81 %` of `whole`. */
export const share = (part: number, whole: number, decimals: number = 2): string =>
  percent(whole === 0 ? 0 : (part / whole) * 100, decimals);

/** What is more than nothing never reads as `0 %`, nor what is less than all as `100 %`. */
export function percent(pct: number, decimals: number): string {
  if (pct === 0 || pct === 100) return `${pct} %`;
  const step = 1 / 10 ** decimals;
  if (pct > 0 && pct < step) return `<${step.toFixed(decimals)} %`;
  if (pct < 100 && pct > 100 - step) return `>${(100 - step).toFixed(decimals)} %`;
  return `${pct.toFixed(decimals)} %`;
}

/** `1 page`, `2 pages`. */
export const plural = (n: number, one: string): string => `${count(n)} ${one}${n === 1 ? '' : 's'}`;
