/**
 * When a sender wants its frames to start: evenly, by chance, or as soon as the line is free; one
 * by one or in bursts. The frames of a burst all want to start at once, so that the link sends them
 * back to back; the gap between bursts is that much longer, and the mean rate holds.
 *
 * Times are whole picoseconds, but periods are not (14.88 Mpps is one frame every 67,204.3 ps): the
 * fraction is carried from each start to the next and never lost.
 */
import type { Ps } from '../host/clock.ts';
import type { Rng } from '../host/rng.ts';
import { drawExponential } from './variates.ts';

/** Rates are whole thousandths of a frame per second. */
const RATE_UNITS = 1000;
const PS_PER_SEC_UNITS = 10 ** 15;

/** Start times, never decreasing. */
export interface StartTimes {
  /** Write the next `count` into `at`. @returns how many there were; fewer means the end */
  starts(at: Float64Array, count: number): number;
}

/** Every frame at once: the line decides. */
export class LineStarts implements StartTimes {
  starts(at: Float64Array, count: number): number {
    at.fill(0, 0, count);
    return count;
  }
}

/**
 * Bursts at even distances, the first at 0. Exact: after n bursts the time is n periods rounded
 * down, for every n. Rates count in thousandths of a frame a second.
 */
export class ConstantStarts implements StartTimes {
  private readonly burst: number;
  private readonly endPs: Ps;
  /** The period is `wholePs` + `rest` / `rate` picoseconds. */
  private readonly wholePs: number;
  private readonly rest: number;
  private readonly rate: number;
  private next: Ps = 0;
  private carry = 0;
  private left: number;

  constructor(pps: number, burst: number, endPs: Ps) {
    this.rate = Math.max(1, Math.round(pps * RATE_UNITS));
    this.burst = burst;
    this.left = burst;
    this.endPs = endPs;
    const burstUnits = BigInt(burst) * BigInt(PS_PER_SEC_UNITS);
    this.wholePs = Number(burstUnits / BigInt(this.rate));
    this.rest = Number(burstUnits % BigInt(this.rate));
  }

  starts(at: Float64Array, count: number): number {
    const { wholePs, rest, rate, burst, endPs } = this;
    let { next, carry, left } = this;
    let i = 0;
    for (; i < count; i++) {
      if (left === 0) {
        left = burst;
        next += wholePs;
        carry += rest;
        if (carry >= rate) {
          carry -= rate;
          next++;
        }
      }
      if (next >= endPs) break;
      left--;
      at[i] = next;
    }
    this.next = next;
    this.carry = carry;
    this.left = left;
    return i;
  }
}

/** Bursts at independent, exponentially distributed distances: a Poisson process when `burst` is 1. */
export class PoissonStarts implements StartTimes {
  private readonly burst: number;
  private readonly endPs: Ps;
  private readonly meanPs: number;
  private readonly rng: Rng;
  private next: Ps = 0;
  /** The part of a picosecond by which the true time is ahead of `next`. */
  private fraction = 0;
  private left = 0;

  constructor(pps: number, burst: number, endPs: Ps, rng: Rng) {
    this.meanPs = (burst * PS_PER_SEC_UNITS) / Math.max(1, Math.round(pps * RATE_UNITS));
    this.burst = burst;
    this.endPs = endPs;
    this.rng = rng;
  }

  starts(at: Float64Array, count: number): number {
    const { meanPs, burst, endPs, rng } = this;
    let { next, fraction, left } = this;
    let i = 0;
    for (; i < count; i++) {
      if (left === 0) {
        left = burst;
        const gap = drawExponential(rng) * meanPs + fraction;
        const whole = Math.floor(gap);
        fraction = gap - whole;
        next += whole;
      }
      if (next >= endPs) break;
      left--;
      at[i] = next;
    }
    this.next = next;
    this.fraction = fraction;
    this.left = left;
    return i;
  }
}
