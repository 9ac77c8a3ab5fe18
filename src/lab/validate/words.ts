/** Figures and errors as people read them. */

/** Four digits, and k or M in front of a rate's unit. */
export function figureText(value: number, unit: string): string {
  if (unit === 'pps' && value >= 1e6) return `${(value / 1e6).toFixed(2)} Mpps`;
  if (unit === '1/s' && value >= 1e4) return `${(value / 1e3).toFixed(1)} k/s`;
  const digits = value === 0 || Number.isInteger(value) ? `${value}` : value.toPrecision(4);
  return `${digits.includes('e') ? value : digits} ${unit}`;
}

export const signedPercent = (pct: number): string =>
  Number.isFinite(pct) ? `${pct < 0 ? '−' : '+'}${Math.abs(pct).toFixed(1)} %` : 'from 0';
