/**
 * A log-linear histogram of durations: 32 steps per power of two, so a value is off by at most 3 %.
 *
 * From 1024 ps to 2^53 ps; what is shorter shares one bucket, and reads as the nothing that it almost
 * always is: a packet that did not wait.
 *
 * Sum, maximum and buckets may lie in host memory, for compiled code to record there
 * (`recordInHistogram`): doubles, 0 the sum, 1 the maximum, from 2 on the buckets.
 */
import type { Ps } from './clock.ts';
import type { Local, WasmFunction } from './wasmFunction.ts';
import { ONE, add, and, fadd, fgt, loadF64, shl, shr, sub, topBits } from './wasmFunction.ts';

const SUB_BITS = 5;
const SUB = 1 << SUB_BITS;
/** Picoseconds that the first bucket holds, as a power of two. */
const FIRST_BITS = 10;
const BUCKETS = 1 + (54 - FIRST_BITS) * SUB;

const SUM_CELL = 0;
const MAX_CELL = 1;
const FIRST_CELL = 2;
const CELLS = FIRST_CELL + BUCKETS;
export const HISTOGRAM_BYTES: number = CELLS * 8;

/**
 * From the upper word of a double to its bucket: exponent and leading bits of the fraction are the
 * power of two and the step within it.
 *
 * @spec IEEE 754 binary64: 11 bits of exponent, biased by 1023, above 52 of fraction
 */
const STEP_SHIFT: number = 20 - SUB_BITS;
const STEPS_BELOW: number = ((1023 + FIRST_BITS) << SUB_BITS) - 1;

/** Bucket of the `at`th double in `words`, without a branch: which way one goes would be chance. */
const bucketAt = (words: Int32Array, at: number): number => {
  const bucket = (words[2 * at + 1]! >> STEP_SHIFT) - STEPS_BELOW;
  return bucket & ~(bucket >> 31);
};

/** Records that may wait before they are sorted into buckets. */
const WAITING = 256;

export class Histogram {
  private total = 0;
  private cells: Float64Array = new Float64Array(CELLS);
  private buckets: Float64Array = this.cells.subarray(FIRST_CELL);
  /** A record is stored first and sorted in batches: half the cost on a packet's path. */
  private readonly waiting: Float64Array = new Float64Array(WAITING);
  private readonly words: Int32Array = new Int32Array(this.waiting.buffer);
  private waits = 0;

  record(ps: Ps): void {
    const n = this.waits;
    this.waiting[n] = ps;
    this.waits = n + 1;
    if (n === WAITING - 1) this.sort();
  }

  get count(): number {
    return this.total + this.waits;
  }

  /** It lies in `cells` from now on, `HISTOGRAM_BYTES` of host memory; null: in memory of its own. */
  moveTo(cells: Float64Array | null): void {
    const to = cells ?? new Float64Array(CELLS);
    to.set(this.cells);
    this.cells = to;
    this.buckets = to.subarray(FIRST_CELL);
  }

  /** Compiled code has recorded `n` values. */
  counted(n: number): void {
    this.total += n;
  }

  private get sum(): number {
    return this.cells[SUM_CELL]!;
  }

  private get longest(): Ps {
    return this.cells[MAX_CELL]!;
  }

  get sumPs(): number {
    this.sort();
    return this.sum;
  }

  get maxPs(): Ps {
    this.sort();
    return this.longest;
  }

  private sort(): void {
    const { waiting, words, waits, buckets } = this;
    this.waits = 0;
    for (let i = 0; i < waits; i++) buckets[bucketAt(words, i)]!++;
    let { sum, longest } = this;
    for (let i = 0; i < waits; i++) {
      const ps = waiting[i]!;
      sum += ps;
      if (ps > longest) longest = ps;
    }
    this.book(waits, sum, longest);
  }

  private book(records: number, sum: number, longest: Ps): void {
    this.total += records;
    this.cells[SUM_CELL] = sum;
    this.cells[MAX_CELL] = longest;
  }

  /**
   * Record rows of four values that lie next to each other, each in its histogram.
   *
   * Side by side, because records of one histogram wait for each other: counts where they meet in a
   * bucket, sums always. Four after each other take 15 ns, together 5.
   *
   * @param words the same memory as `values`
   */
  static recordRows(
    row: readonly [Histogram, Histogram, Histogram, Histogram],
    values: Float64Array,
    words: Int32Array,
    rows: number,
  ): void {
    const [a, b, c, d] = row;
    const [bucketsA, bucketsB, bucketsC, bucketsD] = [a.buckets, b.buckets, c.buckets, d.buckets];
    let [sumA, sumB, sumC, sumD] = [a.sum, b.sum, c.sum, d.sum];
    let [maxA, maxB, maxC, maxD] = [a.longest, b.longest, c.longest, d.longest];
    for (let at = 0; at < 4 * rows; at += 4) {
      bucketsA[bucketAt(words, at)]!++;
      bucketsB[bucketAt(words, at + 1)]!++;
      bucketsC[bucketAt(words, at + 2)]!++;
      bucketsD[bucketAt(words, at + 3)]!++;
      sumA += values[at]!;
      sumB += values[at + 1]!;
      sumC += values[at + 2]!;
      sumD += values[at + 3]!;
      if (values[at]! > maxA) maxA = values[at]!;
      if (values[at + 1]! > maxB) maxB = values[at + 1]!;
      if (values[at + 2]! > maxC) maxC = values[at + 2]!;
      if (values[at + 3]! > maxD) maxD = values[at + 3]!;
    }
    a.book(rows, sumA, maxA);
    b.book(rows, sumB, maxB);
    c.book(rows, sumC, maxC);
    d.book(rows, sumD, maxD);
  }

  add(other: Histogram): void {
    this.sort();
    other.sort();
    this.book(other.total, this.sum + other.sum, Math.max(this.longest, other.longest));
    for (let i = 0; i < BUCKETS; i++) this.buckets[i]! += other.buckets[i]!;
  }

  meanPs(): number {
    return this.count === 0 ? 0 : this.sumPs / this.count;
  }

  /** The value that `share` (0 to 1) of all records do not exceed: the middle of its bucket, in ps; of the first, 0. */
  quantilePs(share: number): Ps {
    this.sort();
    if (this.total === 0) return 0;
    const rank = Math.max(1, Math.ceil(share * this.total));
    let seen = 0;
    for (let i = 0; i < BUCKETS; i++) {
      seen += this.buckets[i]!;
      if (seen >= rank) return Math.min(bucketMiddlePs(i), this.longest);
    }
    return this.longest;
  }

  reset(): void {
    this.total = 0;
    this.waits = 0;
    this.cells.fill(0);
  }
}

/** As `record`, of the histogram that lies at `at`; `cell` is changed. Somebody calls `counted` later. */
export function recordInHistogram(f: WasmFunction, at: Local, ps: Local, cell: Local): void {
  f.set(cell, sub(topBits(ps, 32 - STEP_SHIFT), STEPS_BELOW));
  f.set(cell, and(cell, sub(shr(cell, 31), 1)));
  f.set(cell, add(at, shl(cell, 3)));
  f.storeF64(cell, FIRST_CELL * 8, fadd(loadF64(cell, FIRST_CELL * 8), ONE));
  f.storeF64(at, SUM_CELL * 8, fadd(loadF64(at, SUM_CELL * 8), ps));
  f.if(fgt(ps, loadF64(at, MAX_CELL * 8)), () => f.storeF64(at, MAX_CELL * 8, ps));
}

function bucketMiddlePs(bucket: number): Ps {
  if (bucket === 0) return 0;
  const step = 2 ** (((bucket - 1) >> SUB_BITS) + FIRST_BITS - SUB_BITS);
  return (SUB + ((bucket - 1) & (SUB - 1)) + 0.5) * step;
}
