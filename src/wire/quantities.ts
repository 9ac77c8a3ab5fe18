/**
 * Numbers with units, as people type them: `14.88Mpps`, `10Gbps`, `64-1518`, `4k`, `500us`.
 *
 * Decimal suffixes are applied to the text, not to the number it makes: 14.88M is 14,880,000 and
 * not a bit more or less.
 */
import { END_OF_TIME, PS_PER_SEC } from '../host/clock.ts';
import type { Ps } from '../host/clock.ts';
import { RangeRefused } from '../host/errors.ts';

/** A text that has not the form its place asks for; the message shows place, text and forms. */
export class NotUnderstood extends Error {
  constructor(what: string, text: string, forms: string) {
    super(`${what}: ${JSON.stringify(text)} is not understood (${forms})`);
    this.name = 'NotUnderstood';
  }
}

/** Frames a second, bits a second on the wire (preamble and gap included), or all the line takes. */
export type RateSpec =
  | { readonly kind: 'pps'; readonly pps: number }
  | { readonly kind: 'bps'; readonly bps: number }
  | { readonly kind: 'line' };

/** Bytes of a frame with its FCS. */
export type SizeSpec =
  | { readonly kind: 'fixed'; readonly bytes: number }
  | { readonly kind: 'imix' }
  | { readonly kind: 'range'; readonly min: number; readonly max: number };

const PPS_MIN = 0.001;
const PPS_MAX = 1_000_000_000;
const BPS_MIN = 1;
const BPS_MAX = 1_000_000_000_000;
/** Sizes count the FCS. */
const SIZE_MIN = 64;
export const SIZE_MAX = 9618;

const DECIMAL = String.raw`\d+(?:\.\d+)?`;
const EXPONENT: Readonly<Record<string, number>> = { '': 0, k: 3, K: 3, M: 6, G: 9 };
const UNIT_EXPONENT: Readonly<Record<string, number>> = { ps: 0, ns: 3, us: 6, ms: 9, s: 12 };

const PPS_RANGE = '0.001 to 1G frames a second';
const BPS_RANGE = '1 to 1000G bits a second';
const RATE_FORMS = `14.88Mpps, 1M (frames a second), 10Gbps or line`;
const SIZE_FORMS = `${SIZE_MIN} to ${SIZE_MAX} bytes with FCS, imix, or a range like 64-1518`;
const DURATION_RANGE = `1ps to ${Math.floor(END_OF_TIME / PS_PER_SEC)}s`;

const scaled = (digits: string, exponent: number): number => Number(`${digits}e${exponent}`);

/**
 * `14.88Mpps`, `1M` (frames a second), `10Gbps`, `line`.
 *
 * @param what the place, as the message should name it
 * @throws NotUnderstood, RangeRefused
 */
export function parseRate(what: string, text: string): RateSpec {
  if (text === 'line') return { kind: 'line' };
  const match = new RegExp(`^(${DECIMAL})([kKMG]?)(pps|bps)?$`).exec(text);
  if (match === null) throw new NotUnderstood(what, text, RATE_FORMS);
  const value = scaled(match[1]!, EXPONENT[match[2]!]!);
  const rate: RateSpec =
    match[3] === 'bps' ? { kind: 'bps', bps: value } : { kind: 'pps', pps: value };
  checkRate(what, rate, text);
  return rate;
}

/** @param text what to show for it in the message @throws RangeRefused */
export function checkRate(what: string, rate: RateSpec, text: string = rateText(rate)): void {
  if (rate.kind === 'pps' && !(rate.pps >= PPS_MIN && rate.pps <= PPS_MAX)) {
    throw new RangeRefused(what, text, PPS_RANGE);
  }
  if (rate.kind === 'bps' && !(rate.bps >= BPS_MIN && rate.bps <= BPS_MAX)) {
    throw new RangeRefused(what, text, BPS_RANGE);
  }
}

const rateText = (rate: RateSpec): string =>
  rate.kind === 'line' ? 'line' : rate.kind === 'pps' ? `${rate.pps}pps` : `${rate.bps}bps`;

/**
 * `64`, `imix`, `64-1518`; bytes with FCS.
 *
 * @throws NotUnderstood, RangeRefused
 */
export function parseSize(what: string, text: string): SizeSpec {
  if (text === 'imix') return { kind: 'imix' };
  const match = /^(\d+)(?:-(\d+))?$/.exec(text);
  if (match === null) throw new NotUnderstood(what, text, SIZE_FORMS);
  const min = Number(match[1]);
  const size: SizeSpec =
    match[2] === undefined
      ? { kind: 'fixed', bytes: min }
      : { kind: 'range', min, max: Number(match[2]) };
  checkSize(what, size);
  return size;
}

/** @throws RangeRefused */
export function checkSize(what: string, size: SizeSpec): void {
  if (size.kind === 'imix') return;
  const [min, max] = size.kind === 'fixed' ? [size.bytes, size.bytes] : [size.min, size.max];
  const whole = Number.isInteger(min) && Number.isInteger(max);
  if (whole && min >= SIZE_MIN && max <= SIZE_MAX && min <= max) return;
  throw new RangeRefused(what, size.kind === 'fixed' ? min : `${min}-${max}`, SIZE_FORMS);
}

/**
 * A whole number, with `k`, `M` or `G` for thousands, millions, billions: `4096`, `4k`, `1.5M`.
 *
 * @throws NotUnderstood, RangeRefused
 */
export function parseCount(what: string, text: string, min: number, max: number): number {
  const match = new RegExp(`^(${DECIMAL})([kKMG]?)$`).exec(text);
  const forms = `a whole number from ${min} to ${max}, k, M or G behind it`;
  if (match === null) throw new NotUnderstood(what, text, forms);
  const value = scaled(match[1]!, EXPONENT[match[2]!]!);
  if (!Number.isInteger(value)) throw new NotUnderstood(what, text, forms);
  if (value < min || value > max) throw new RangeRefused(what, text, `${min} to ${max}`);
  return value;
}

/**
 * A span of time with its unit: `10ms`, `2s`, `500us`, `1.5us`, `100ns`, `1ps`.
 *
 * @returns whole picoseconds, at least 1
 * @throws NotUnderstood, RangeRefused
 */
export function parseDuration(
  what: string,
  text: string,
  most: Ps = END_OF_TIME - 1,
  range: string = DURATION_RANGE,
): Ps {
  const match = new RegExp(`^(${DECIMAL})(ps|ns|us|ms|s)$`).exec(text);
  if (match === null) {
    throw new NotUnderstood(what, text, 'a number and its unit: 10ms, 2s, 500us, 100ns');
  }
  const ps = Math.round(scaled(match[1]!, UNIT_EXPONENT[match[2]!]!));
  if (ps < 1 || ps > most) throw new RangeRefused(what, text, range);
  return ps;
}
