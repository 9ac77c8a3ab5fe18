/**
 * The stalls of a traffic generator: for `LEN` once every `EVERY` its software does nothing.
 *
 *   0 ........ EVERY-LEN [ stall ] EVERY ........ 2*EVERY-LEN [ stall ] 2*EVERY ...
 *
 * They come as regularly as that, and each is as long as the others: a generator's own vary.
 */
import { END_OF_TIME } from '../host/clock.ts';
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

/** @throws RangeRefused */
export function checkStall(
  what: string,
  { lenPs, everyPs }: StallSpec,
  text: string = `${lenPs}ps/${everyPs}ps`,
): void {
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
