/** The lengths that frames of one traffic may have, and how often each occurs. */
import type { SizeSpec } from './quantities.ts';

const FCS = 4;
/** Simple IMIX: 7 frames of 64 bytes, 4 of 594, 1 of 1518, FCS included. */
const IMIX: readonly (readonly [bytes: number, weight: number])[] = [
  [64, 7],
  [594, 4],
  [1518, 1],
];

/** Lengths in bytes without FCS, ascending, and the probability of each. */
export interface SizeMix {
  readonly lens: Int32Array;
  readonly probs: Float64Array;
}

export function sizeMix(size: SizeSpec): SizeMix {
  const pairs = sizePairs(size);
  const total = pairs.reduce((sum, [, weight]) => sum + weight, 0);
  return {
    lens: Int32Array.from(pairs, ([bytes]) => bytes - FCS),
    probs: Float64Array.from(pairs, ([, weight]) => weight / total),
  };
}

function sizePairs(size: SizeSpec): readonly (readonly [number, number])[] {
  if (size.kind === 'imix') return IMIX;
  const [min, max] = size.kind === 'fixed' ? [size.bytes, size.bytes] : [size.min, size.max];
  return Array.from({ length: max - min + 1 }, (_, i) => [min + i, 1]);
}

/** Cuts [0, 1) into one interval a length: where a number falls tells which length it stands for. */
export class SizeQuantiles {
  private readonly lens: Int32Array;
  private readonly upTo: Float64Array;

  constructor(mix: SizeMix) {
    this.lens = mix.lens;
    let sum = 0;
    this.upTo = mix.probs.map((p) => (sum += p));
  }

  /** @param q from 0 to below 1 */
  at(q: number): number {
    let low = 0;
    let high = this.lens.length - 1;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (q < this.upTo[middle]!) high = middle;
      else low = middle + 1;
    }
    return this.lens[low]!;
  }
}
