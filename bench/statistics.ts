/** Median and spread of rounds. */
export interface Figure {
  readonly nsPerPacket: number;
  readonly min: number;
  readonly max: number;
  /** Quartile distance over the median, in percent. */
  readonly spreadPct: number;
  readonly rounds: number;
}

const round2 = (n: number): number => Math.round(n * 100) / 100;

export function figureOf(values: readonly number[]): Figure {
  const sorted = [...values].toSorted((a, b) => a - b);
  const at = (share: number): number => sorted[Math.round(share * (sorted.length - 1))]!;
  return {
    nsPerPacket: round2(at(0.5)),
    min: round2(at(0)),
    max: round2(at(1)),
    spreadPct: round2(((at(0.75) - at(0.25)) / at(0.5)) * 100),
    rounds: values.length,
  };
}
