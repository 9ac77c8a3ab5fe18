/**
 * 64-bit multiplication, division and shifts on two 32-bit halves.
 *
 * A value takes two consecutive words of an Int32Array, low half first; functions write their result
 * to `out[d]` and `out[d + 1]` and take operands by value, so the result may overwrite an operand.
 * Addition, logic and comparison are short enough to stand in the interpreter itself.
 */

/** out = a * b, modulo 2^64. */
export function mul64(
  out: Int32Array,
  d: number,
  aLo: number,
  aHi: number,
  bLo: number,
  bHi: number,
): void {
  out[d] = Math.imul(aLo, bLo);
  out[d + 1] = mulHigh(aLo, bLo) + Math.imul(aLo, bHi) + Math.imul(aHi, bLo);
}

/** High 32 bits of the 64-bit product of two unsigned words: schoolbook, in 16-bit digits. */
function mulHigh(a: number, b: number): number {
  const a0 = a & 0xffff;
  const a1 = a >>> 16;
  const b0 = b & 0xffff;
  const b1 = b >>> 16;
  const low = a0 * b0;
  const mid1 = a1 * b0 + (low >>> 16);
  const mid2 = a0 * b1 + (mid1 & 0xffff);
  return (a1 * b1 + (mid1 >>> 16) + (mid2 >>> 16)) | 0;
}

/** Words below this, as high halves, make a number that a double holds exactly. */
const EXACT_HIGH = 2 ** 21;
const WORD = 2 ** 32;

/** out = a / b, unsigned; 0 when b is 0. */
export function div64(
  out: Int32Array,
  d: number,
  aLo: number,
  aHi: number,
  bLo: number,
  bHi: number,
): void {
  divide(out, d, aLo, aHi, bLo, bHi, true);
}

/** out = a % b, unsigned; a when b is 0. */
export function mod64(
  out: Int32Array,
  d: number,
  aLo: number,
  aHi: number,
  bLo: number,
  bHi: number,
): void {
  divide(out, d, aLo, aHi, bLo, bHi, false);
}

function divide(
  out: Int32Array,
  d: number,
  aLo: number,
  aHi: number,
  bLo: number,
  bHi: number,
  quotient: boolean,
): void {
  if ((bLo | bHi) === 0) {
    out[d] = quotient ? 0 : aLo;
    out[d + 1] = quotient ? 0 : aHi;
  } else if (aHi >>> 0 < EXACT_HIGH && bHi >>> 0 < EXACT_HIGH) {
    // Both below 2^53. The rounded quotient cannot reach the next integer: that would take a
    // fraction within 2^-53 of 1, and the fraction is at most 1 - 1/b.
    const a = (aHi >>> 0) * WORD + (aLo >>> 0);
    const b = (bHi >>> 0) * WORD + (bLo >>> 0);
    const q = Math.floor(a / b);
    const wanted = quotient ? q : a - q * b;
    out[d] = wanted | 0;
    out[d + 1] = (wanted / WORD) | 0;
  } else {
    longDivide(out, d, aLo, aHi, bLo, bHi, quotient);
  }
}

/** Bit by bit from the top: the remainder grows by one bit of `a`, and loses `b` where that fits. */
function longDivide(
  out: Int32Array,
  d: number,
  aLo: number,
  aHi: number,
  bLo: number,
  bHi: number,
  quotient: boolean,
): void {
  const lowB = bLo >>> 0;
  const highB = bHi >>> 0;
  let remLo = 0;
  let remHi = 0;
  let qLo = 0;
  let qHi = 0;
  for (let bit = 63; bit >= 0; bit--) {
    const next = (bit >= 32 ? aHi >>> (bit - 32) : aLo >>> bit) & 1;
    const carriedOut = remHi >>> 31 === 1;
    remHi = ((remHi << 1) | (remLo >>> 31)) >>> 0;
    remLo = ((remLo << 1) | next) >>> 0;
    if (carriedOut || remHi > highB || (remHi === highB && remLo >= lowB)) {
      remHi = (remHi - highB - (remLo < lowB ? 1 : 0)) >>> 0;
      remLo = (remLo - lowB) >>> 0;
      if (bit >= 32) qHi |= 1 << (bit - 32);
      else qLo |= 1 << bit;
    }
  }
  out[d] = quotient ? qLo : remLo;
  out[d + 1] = quotient ? qHi : remHi;
}

/** out = a / b, signed, toward zero; 0 when b is 0, and the smallest value when it overflows. */
export function sdiv64(
  out: Int32Array,
  d: number,
  aLo: number,
  aHi: number,
  bLo: number,
  bHi: number,
): void {
  divideMagnitudes(out, d, aLo, aHi, bLo, bHi, true);
  if ((aHi ^ bHi) < 0) neg64(out, d, out[d]!, out[d + 1]!);
}

/** out = a % b, signed, with the sign of a; a when b is 0. */
export function smod64(
  out: Int32Array,
  d: number,
  aLo: number,
  aHi: number,
  bLo: number,
  bHi: number,
): void {
  divideMagnitudes(out, d, aLo, aHi, bLo, bHi, false);
  if (aHi < 0) neg64(out, d, out[d]!, out[d + 1]!);
}

function divideMagnitudes(
  out: Int32Array,
  d: number,
  aLo: number,
  aHi: number,
  bLo: number,
  bHi: number,
  quotient: boolean,
): void {
  const a1 = aHi < 0 ? negHigh(aLo, aHi) : aHi;
  const a0 = aHi < 0 ? -aLo | 0 : aLo;
  const b1 = bHi < 0 ? negHigh(bLo, bHi) : bHi;
  const b0 = bHi < 0 ? -bLo | 0 : bLo;
  divide(out, d, a0, a1, b0, b1, quotient);
}

const negHigh = (lo: number, hi: number): number => (~hi + (lo === 0 ? 1 : 0)) | 0;

/** out = -a */
export function neg64(out: Int32Array, d: number, lo: number, hi: number): void {
  out[d] = -lo;
  out[d + 1] = negHigh(lo, hi);
}

/** out = a << (by % 64) */
export function lsh64(out: Int32Array, d: number, lo: number, hi: number, by: number): void {
  const n = by & 63;
  if (n === 0) {
    out[d] = lo;
    out[d + 1] = hi;
  } else if (n < 32) {
    out[d] = lo << n;
    out[d + 1] = (hi << n) | (lo >>> (32 - n));
  } else {
    out[d] = 0;
    out[d + 1] = lo << (n - 32);
  }
}

/** out = a >> (by % 64), zeros coming in. */
export function rsh64(out: Int32Array, d: number, lo: number, hi: number, by: number): void {
  const n = by & 63;
  if (n === 0) {
    out[d] = lo;
    out[d + 1] = hi;
  } else if (n < 32) {
    out[d] = (lo >>> n) | (hi << (32 - n));
    out[d + 1] = hi >>> n;
  } else {
    out[d] = hi >>> (n - 32);
    out[d + 1] = 0;
  }
}

/** out = a >> (by % 64), the sign coming in. */
export function arsh64(out: Int32Array, d: number, lo: number, hi: number, by: number): void {
  const n = by & 63;
  if (n === 0) {
    out[d] = lo;
    out[d + 1] = hi;
  } else if (n < 32) {
    out[d] = (lo >>> n) | (hi << (32 - n));
    out[d + 1] = hi >> n;
  } else {
    out[d] = hi >> (n - 32);
    out[d + 1] = hi >> 31;
  }
}

/** The bytes of a word in reverse order. */
export const swap32 = (word: number): number =>
  (word << 24) | ((word & 0xff00) << 8) | ((word >>> 8) & 0xff00) | (word >>> 24);
