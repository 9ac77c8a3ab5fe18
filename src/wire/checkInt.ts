import { RangeRefused } from '../host/errors.ts';

/**
 * Returns a whole number within bounds.
 *
 * @throws RangeRefused when it is not whole or lies outside
 */
export function checkInt(what: string, value: number, min: number, max: number): number {
  if (!Number.isInteger(value) || value < min || value > max) {
    throw new RangeRefused(what, value, `${min} to ${max}`);
  }
  return value;
}
