/**
 * Random quantities that are the same on every engine.
 *
 * `Math.log`, `Math.exp` and `Math.pow` may differ in the last bit from one engine to another. What
 * is here uses + - * / alone, which IEEE 754 fixes to the bit, and whole numbers from `Rng`.
 */
import type { Rng } from '../host/rng.ts';

const { LN2 } = Math;
const TWO_TO_32 = 4294967296;

/** Natural logarithm, relative error about 1e-15. @param x above 0 */
export function lnOf(x: number): number {
  let octaves = 0;
  let m = x;
  for (; m > 4 / 3; m /= 2) octaves++;
  for (; m < 2 / 3; m *= 2) octaves--;
  // ln m = 2 artanh z, and |z| is at most 1/5: twelve terms reach the last bit.
  const z = (m - 1) / (m + 1);
  let sum = 0;
  for (let k = 23; k >= 1; k -= 2) sum = sum * z * z + 1 / k;
  return octaves * LN2 + 2 * z * sum;
}

/** The exponential function, relative error about 1e-15 for |x| up to a few. */
export function expOf(x: number): number {
  const octaves = Math.round(x / LN2);
  const r = x - octaves * LN2;
  let sum = 1;
  for (let k = 16; k >= 1; k--) sum = 1 + (sum * r) / k;
  for (let i = 0; i < octaves; i++) sum *= 2;
  for (let i = 0; i > octaves; i--) sum /= 2;
  return sum;
}

const STEP_BITS = 9;
const STEPS = 1 << STEP_BITS;
const REST_BITS = 32 - STEP_BITS;
const REST_MASK = (1 << REST_BITS) - 1;
const REST_SCALE = 1 / 2 ** REST_BITS;

/** -ln of (1 + i / STEPS) / 2: from ln 2 down to 0. */
const HALF_TO_ONE: Float64Array = Float64Array.from(
  { length: STEPS + 1 },
  (_, i) => LN2 - lnOf(1 + i / STEPS),
);

/**
 * An exponential variate of mean 1, from one draw: -ln u of a 32-bit uniform u.
 *
 * The leading zeros of the draw tell the octave that u lies in, each worth ln 2; the bits after the
 * first one tell where in the octave, by a table of 512 steps with straight lines between (the mean
 * is high by 2e-7). A draw of zero has used up 32 octaves, and by memorylessness what is left is a
 * new variate: the tail has no end.
 */
export function drawExponential(rng: Rng): number {
  let bits = rng.int32();
  let octaves = 0;
  while (bits === 0) {
    octaves += 32;
    bits = rng.int32();
  }
  const zeros = Math.clz32(bits);
  const rest = (bits << zeros) << 1;
  const i = rest >>> REST_BITS;
  const low = HALF_TO_ONE[i]!;
  const slope = HALF_TO_ONE[i + 1]! - low;
  return (octaves + zeros) * LN2 + low + slope * ((rest & REST_MASK) * REST_SCALE);
}

/**
 * Draws numbers from `first` on, each with a probability of its own, at a cost that does not depend
 * on how many there are.
 *
 * @spec Vose: A linear algorithm for generating random numbers with a given distribution, 1991
 */
export class WeightedDraw {
  readonly count: number;
  private readonly first: number;
  private readonly rng: Rng;
  /** Of 2^32 draws that hit a column, those that stay in it; null when all weights are equal. */
  private readonly stays: Uint32Array | null;
  private readonly alias: Int32Array;

  /** @param weights at least one, up to 2^20, none negative, not all 0; they need no sum of 1 */
  constructor(weights: Float64Array, first: number, rng: Rng) {
    this.count = weights.length;
    this.first = first;
    this.rng = rng;
    const flat = weights.every((w) => w === weights[0]);
    this.stays = flat ? null : new Uint32Array(weights.length);
    this.alias = new Int32Array(flat ? 0 : weights.length);
    if (this.stays !== null) fillColumns(weights, this.stays, this.alias);
  }

  /** Fill the first `count` places of `out`. */
  draw(out: Int32Array, count: number): void {
    if (this.count === 1) out.fill(this.first, 0, count);
    else if (this.stays === null) this.fillFlat(out, count);
    else this.fillWeighted(out, count, this.stays);
  }

  private fillFlat(out: Int32Array, count: number): void {
    const { rng, first } = this;
    const scale = this.count / TWO_TO_32;
    for (let i = 0; i < count; i++) out[i] = first + ((rng.uint32() * scale) | 0);
  }

  private fillWeighted(out: Int32Array, count: number, stays: Uint32Array): void {
    const { rng, first, alias } = this;
    const scale = this.count / TWO_TO_32;
    for (let i = 0; i < count; i++) {
      const column = (rng.uint32() * scale) | 0;
      out[i] = first + (rng.uint32() < stays[column]! ? column : alias[column]!);
    }
  }
}

/** Robin Hood: each column that is too low is topped up from one that is too high, once. */
function fillColumns(weights: Float64Array, stays: Uint32Array, alias: Int32Array): void {
  const n = weights.length;
  const mean = weights.reduce((a, b) => a + b, 0) / n;
  const height = weights.map((w) => w / mean);
  const low: number[] = [];
  const high: number[] = [];
  height.forEach((h, i) => (h < 1 ? low : high).push(i));
  while (low.length > 0 && high.length > 0) {
    const poor = low.pop()!;
    const rich = high.pop()!;
    stays[poor] = Math.floor(height[poor]! * TWO_TO_32);
    alias[poor] = rich;
    const left = height[rich]! + height[poor]! - 1;
    height[rich] = left;
    (left < 1 ? low : high).push(rich);
  }
  // What remains is full but for rounding; its alias is itself, so that the last bit is no matter.
  for (const i of [...low, ...high]) {
    stays[i] = TWO_TO_32 - 1;
    alias[i] = i;
  }
}
