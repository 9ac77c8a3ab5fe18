/**
 * A log-linear histogram of durations: 32 steps per power of two, so a value is off by at most 3 %.
 *
 * Recorded in units of 1024 ps (a multiplication by 2^-10, exact). Values from 0 to 2^53 ps.
 */
import type { Ps } from './clock.ts';

const UNIT_PS = 1024;
/** Exact, and a multiplication instead of a division. */
const PER_UNIT: number = 1 / 1024;
const SUB_BITS = 5;
const SUB = 1 << SUB_BITS;
const BUCKETS = (54 - SUB_BITS) * SUB;

/** Bucket of a value that fits 31 bits of units: below 2^41 ps, about two seconds. */
const bucketOf = (units: number): number => {
  if (units < SUB) return units;
  const shift = 31 - SUB_BITS - Math.clz32(units);
  return (shift << SUB_BITS) + (units >>> shift);
};

/** Records that may wait before they are sorted into buckets. */
const WAITING = 256;

export class Histogram {
  private total = 0;
  private sum = 0;
  private longest: Ps = 0;
  private readonly buckets: Float64Array = new Float64Array(BUCKETS);
  /** A record is stored first and sorted in batches: half the cost on a packet's path. */
  private readonly waiting: Float64Array = new Float64Array(WAITING);
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

  get sumPs(): number {
    this.sort();
    return this.sum;
  }

  get maxPs(): Ps {
    this.sort();
    return this.longest;
  }

  private sort(): void {
    this.recordEach(this.waiting, 0, 1, this.waits);
    this.waits = 0;
  }

  /** Record `count` values of `from`, the first at `first`, one every `step`. */
  recordEach(from: Float64Array, first: number, step: number, count: number): void {
    const { buckets } = this;
    let { sum, longest } = this;
    for (let i = 0, at = first; i < count; i++, at += step) {
      const ps = from[at]!;
      sum += ps;
      if (ps > longest) longest = ps;
      if (ps < 2 ** 41) buckets[bucketOf((ps * PER_UNIT) | 0)]!++;
      else this.sortLong(ps);
    }
    this.sum = sum;
    this.longest = longest;
    this.total += count;
  }

  /** Beyond two seconds: halve into range, add the halvings back to the bucket's exponent. */
  private sortLong(ps: Ps): void {
    let units = Math.floor(ps / UNIT_PS);
    let halvings = 0;
    while (units >= 2 ** 31) {
      units = Math.floor(units / 2);
      halvings++;
    }
    this.buckets[Math.min(bucketOf(units) + halvings * SUB, BUCKETS - 1)]!++;
  }

  add(other: Histogram): void {
    this.sort();
    other.sort();
    this.total += other.total;
    this.sum += other.sum;
    this.longest = Math.max(this.longest, other.longest);
    for (let i = 0; i < BUCKETS; i++) this.buckets[i]! += other.buckets[i]!;
  }

  meanPs(): number {
    return this.count === 0 ? 0 : this.sumPs / this.count;
  }

  /** The value that `share` (0 to 1) of all records do not exceed: the middle of its bucket, in ps. */
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
    this.sum = 0;
    this.longest = 0;
    this.waits = 0;
    this.buckets.fill(0);
  }
}

function bucketMiddlePs(bucket: number): Ps {
  if (bucket < SUB) return bucket * UNIT_PS + UNIT_PS / 2;
  const shift = (bucket >> SUB_BITS) - 1;
  const low = ((bucket & (SUB - 1)) + SUB) * 2 ** shift;
  return (low + 2 ** shift / 2) * UNIT_PS;
}
