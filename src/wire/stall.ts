/**
 * The stalls of a traffic generator: for `LEN` once every `EVERY` its software does nothing.
 *
 *   0 ........ EVERY-LEN [ stall ] EVERY ........ 2*EVERY-LEN [ stall ] 2*EVERY ...
 *
 * They come as regularly as that, and each is as long as the others: a generator's own vary.
 */
import { END_OF_TIME, PS_PER_MS, PS_PER_NS, PS_PER_SEC, PS_PER_US } from '../host/clock.ts';
import type { Ps } from '../host/clock.ts';
import { RangeRefused } from '../host/errors.ts';
import type { StartTimes } from './arrivals.ts';
import { checkInt } from './checkInt.ts';
import { NotUnderstood, parseDuration } from './quantities.ts';

export interface StallSpec {
  /** False: only what receives stalls, as where another core sends. */
  readonly sends: boolean;
  readonly lenPs: Ps;
  readonly everyPs: Ps;
}

const FORMS =
  'LEN/EVERY as in 175us/43.8ms, or rx:175us/43.8ms where only the receiving core stalls';

/** @throws NotUnderstood, RangeRefused */
export function parseStall(what: string, text: string): StallSpec {
  const match = /^(rx:)?([^/:]+)\/([^/:]+)$/.exec(text);
  if (match === null) throw new NotUnderstood(what, text, FORMS);
  const stall: StallSpec = {
    sends: match[1] === undefined,
    lenPs: parseDuration(what, match[2]!),
    everyPs: parseDuration(what, match[3]!),
  };
  checkStall(what, stall, text);
  return stall;
}

const UNITS: readonly (readonly [ps: Ps, name: string])[] = [
  [PS_PER_SEC, 's'],
  [PS_PER_MS, 'ms'],
  [PS_PER_US, 'us'],
  [PS_PER_NS, 'ns'],
  [1, 'ps'],
];

const durationText = (ps: Ps): string => {
  const [unit, name] = UNITS.find(([size]) => ps % size === 0) ?? [1, 'ps'];
  return `${ps / unit}${name}`;
};

/** As `parseStall` reads it. */
export const stallText = ({ sends, lenPs, everyPs }: StallSpec): string =>
  `${sends ? '' : 'rx:'}${durationText(lenPs)}/${durationText(everyPs)}`;

/** @throws RangeRefused */
export function checkStall(what: string, stall: StallSpec, text: string = stallText(stall)): void {
  const { lenPs, everyPs } = stall;
  checkInt(`${what}, in ps`, lenPs, 1, END_OF_TIME - 1);
  checkInt(`${what}, in ps`, everyPs, 1, END_OF_TIME - 1);
  if (lenPs >= everyPs) throw new RangeRefused(what, text, 'LEN below EVERY, as 175us/43.8ms');
}

/** `at` itself, or the end of the stall that it lies in. */
export function afterStall({ lenPs, everyPs }: StallSpec, at: Ps): Ps {
  const left = everyPs - (at % everyPs);
  return left > lenPs ? at : at + left;
}

/** What is due within a stall wants to start at its end, all at once. */
export class StalledStarts implements StartTimes {
  private readonly inner: StartTimes;
  private readonly stall: StallSpec;

  constructor(inner: StartTimes, stall: StallSpec) {
    this.inner = inner;
    this.stall = stall;
  }

  starts(at: Float64Array, count: number): number {
    const made = this.inner.starts(at, count);
    for (let i = 0; i < made; i++) at[i] = afterStall(this.stall, at[i]!);
    return made;
  }
}
