/**
 * The 64-bit time stamps of pcapng, in ticks of an interface's own length, from and to seconds and
 * picoseconds. Exact both ways; what is finer than a picosecond is cut.
 *
 * @spec draft-ietf-opsawg-pcapng §4.2, if_tsresol and if_tsoffset
 */
import { PS_PER_SEC } from '../host/clock.ts';
import type { CaptureTime } from './capturedFrame.ts';

/** Ticks a second up to which `divide` stays below 2^53. */
const DIVIDE_LIMIT = 10 ** 11;
const BASE_TWO = 0x80;
const MAX_POWER_OF_TEN = 19;
const MAX_POWER_OF_TWO = 63;

/** How long a tick is and what zero means, for one interface. */
export interface TickScale {
  readonly perSec: bigint;
  /** The same as a number where plain arithmetic is exact, else 0. */
  readonly plainPerSec: number;
  /** Seconds since 1970 that zero ticks stand for. */
  readonly offsetSec: number;
}

/**
 * @param resolution if_tsresol: bit 7 clear, ticks of 10^-n seconds; set, of 2^-n
 * @returns null when a second has more ticks than 64 bits can count
 */
export function tickScale(resolution: number, offsetSec: number): TickScale | null {
  const power = resolution & ~BASE_TWO;
  const isTwo = (resolution & BASE_TWO) !== 0;
  if (power > (isTwo ? MAX_POWER_OF_TWO : MAX_POWER_OF_TEN)) return null;
  const perSec = (isTwo ? 2n : 10n) ** BigInt(power);
  const plain = !isTwo && perSec <= BigInt(DIVIDE_LIMIT);
  return { perSec, plainPerSec: plain ? Number(perSec) : 0, offsetSec };
}

/** Sets `out` to the absolute time of a stamp; seconds above 2^53 lose their last digits. */
export function ticksToTime(scale: TickScale, high: number, low: number, out: CaptureTime): void {
  if (scale.plainPerSec > 0) divide(scale.plainPerSec, high, low, out);
  else divideBig(scale.perSec, high, low, out);
  out.sec += scale.offsetSec;
}

/** Long division with 16-bit digits: each partial remainder is below 10^11 · 2^16. */
function divide(perSec: number, high: number, low: number, out: CaptureTime): void {
  const upper = (high % perSec) * 2 ** 16 + (low >>> 16);
  const lower = (upper % perSec) * 2 ** 16 + (low & 0xffff);
  const highDigits = Math.floor(high / perSec) * 2 ** 32;
  out.sec = highDigits + Math.floor(upper / perSec) * 2 ** 16 + Math.floor(lower / perSec);
  out.subPs = (lower % perSec) * (PS_PER_SEC / perSec);
}

function divideBig(perSec: bigint, high: number, low: number, out: CaptureTime): void {
  const ticks = (BigInt(high) << 32n) | BigInt(low);
  out.sec = Number(ticks / perSec);
  out.subPs = Number(((ticks % perSec) * BigInt(PS_PER_SEC)) / perSec);
}

/**
 * Stores `sec` · `perSec` + `ticks` as high and low word, without leaving exact float64 numbers:
 * the seconds are multiplied in two parts, the lower one 12 bits wide.
 *
 * @param perSec at most 10^12; the sum must fit 64 bits
 */
export function storeTicks(
  view: DataView,
  at: number,
  little: boolean,
  sec: number,
  perSec: number,
  ticks: number,
): void {
  const lowerSec = sec % 2 ** 12;
  const upper = Math.floor(sec / 2 ** 12) * perSec;
  const low = (upper % 2 ** 20) * 2 ** 12 + lowerSec * perSec + ticks;
  view.setUint32(at, Math.floor(upper / 2 ** 20) + Math.floor(low / 2 ** 32), little);
  view.setUint32(at + 4, low % 2 ** 32, little);
}
