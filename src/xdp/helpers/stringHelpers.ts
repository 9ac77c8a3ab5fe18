/**
 * Helpers on strings: comparison, and numbers out of text.
 *
 * @linux kernel/bpf/helpers.c, lib/kstrtox.c
 */
import { EINVAL, ERANGE } from '../../host/errno.ts';
import type { HostAddr } from '../../host/memory.ts';
import type { Bpf } from '../bpf.ts';
import { HI_FLAGS_3, hasHigh, helper } from './define.ts';
import type { Helper } from './helper.ts';

/** @returns -1, 0 or 1 @linux bpf_strncmp */
function strncmp(bpf: Bpf, a: HostAddr, size: number, b: HostAddr): number {
  const { u8 } = bpf.mem;
  for (let i = 0; i < size >>> 0; i++) {
    const left = u8[a + i]!;
    const right = u8[b + i]!;
    if (left !== right) return left < right ? -1 : 1;
    if (left === 0) return 0;
  }
  return 0;
}

const TAB = 9;
const CARRIAGE_RETURN = 13;
const SPACE = 32;
const NO_BREAK_SPACE = 160;
const MINUS = 45;
const ZERO = 48;
const LOWER_X = 120;
/** What of the text is looked at behind spaces and sign. */
const MAX_DIGITS_LEN = 63;

const isSpace = (c: number): boolean =>
  (c >= TAB && c <= CARRIAGE_RETURN) || c === SPACE || c === NO_BREAK_SPACE;

/** Value of a digit, or 255. */
function digitOf(c: number): number {
  if (c >= ZERO && c <= ZERO + 9) return c - ZERO;
  const lower = c | 32;
  return lower >= 97 && lower <= 102 ? lower - 87 : 255;
}

/** A number as it stands in text: sign, two words, and the bytes it took. */
class ParsedNumber {
  negative = false;
  hi = 0;
  lo = 0;
  /** Bytes consumed, or a negative errno. */
  taken = 0;
}

const parsed: ParsedNumber = new ParsedNumber();

/** @linux __bpf_strtoull */
function parse(bpf: Bpf, at: HostAddr, len: number, base: number): void {
  const { u8 } = bpf.mem;
  parsed.hi = parsed.lo = 0;
  let p = at;
  const end = at + len;
  while (p < end && isSpace(u8[p]!)) p++;
  parsed.negative = p < end && u8[p] === MINUS;
  if (parsed.negative) p++;
  if (p === end) {
    parsed.taken = -EINVAL;
    return;
  }
  const limit = Math.min(end, p + MAX_DIGITS_LEN);
  const first = u8[p];
  const hex = first === ZERO && p + 1 < limit && (u8[p + 1]! | 32) === LOWER_X;
  let radix = base;
  if (radix === 0) {
    const hexDigit = p + 2 < limit && digitOf(u8[p + 2]!) < 16;
    radix = first !== ZERO ? 10 : hex && hexDigit ? 16 : 8;
  }
  if (radix === 16 && hex) p += 2;
  parseDigits(u8, p, limit, radix);
  if (parsed.taken >= 0) parsed.taken = parsed.taken === 0 ? -EINVAL : p + parsed.taken - at;
}

/** @linux _parse_integer */
function parseDigits(u8: Uint8Array, at: HostAddr, end: HostAddr, radix: number): void {
  let p = at;
  for (; p < end; p++) {
    const digit = digitOf(u8[p]!);
    if (digit >= radix) break;
    const lo = parsed.lo * radix + digit;
    parsed.lo = lo % 2 ** 32;
    parsed.hi = parsed.hi * radix + Math.floor(lo / 2 ** 32);
    if (parsed.hi >= 2 ** 32) {
      parsed.taken = -ERANGE;
      return;
    }
  }
  parsed.taken = p - at;
}

const baseIsKnown = (base: number): boolean =>
  base === 0 || base === 8 || base === 10 || base === 16;

function strtox(bpf: Bpf, at: HostAddr, len: number, base: number, into: HostAddr): boolean {
  const { view } = bpf.mem;
  view.setUint32(into, 0, true);
  view.setUint32(into + 4, 0, true);
  if (len === 0 || hasHigh(bpf, 3) || !baseIsKnown(base)) {
    parsed.taken = -EINVAL;
    return false;
  }
  parse(bpf, at, len >>> 0, base);
  return parsed.taken >= 0;
}

/** @returns bytes consumed, or a negative errno @linux bpf_strtol */
function strtol(bpf: Bpf, at: HostAddr, len: number, base: number, into: HostAddr): number {
  if (!strtox(bpf, at, len, base, into)) return parsed.taken;
  const { hi, lo, negative } = parsed;
  const tooBig = negative ? hi > 2 ** 31 || (hi === 2 ** 31 && lo > 0) : hi >= 2 ** 31;
  if (tooBig) return -ERANGE;
  const { view } = bpf.mem;
  view.setUint32(into, negative ? -lo : lo, true);
  view.setUint32(into + 4, negative ? ~hi + (lo === 0 ? 1 : 0) : hi, true);
  return parsed.taken;
}

/** @returns bytes consumed, or a negative errno @linux bpf_strtoul */
function strtoul(bpf: Bpf, at: HostAddr, len: number, base: number, into: HostAddr): number {
  if (!strtox(bpf, at, len, base, into)) return parsed.taken;
  if (parsed.negative) return -EINVAL;
  const { view } = bpf.mem;
  view.setUint32(into, parsed.lo, true);
  view.setUint32(into + 4, parsed.hi, true);
  return parsed.taken;
}

export const STRING_HELPERS: readonly Helper[] = [
  helper(105, 'bpf_strtol', strtol, { wideArgs: HI_FLAGS_3 }),
  helper(106, 'bpf_strtoul', strtoul, { wideArgs: HI_FLAGS_3 }),
  helper(182, 'bpf_strncmp', strncmp),
];
