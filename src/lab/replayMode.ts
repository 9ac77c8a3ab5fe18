/** The timing of a replayed capture, as `--replay` spells it. */
import { RangeRefused } from '../host/errors.ts';
import { NotUnderstood, parseRate } from '../wire/quantities.ts';
import type { ReplayTiming } from '../wire/replay.ts';

const SPEED_MIN = 0.000_001;
const SPEED_MAX = 1_000_000;
const FORMS = 'original, asap, a factor such as x10, or frames a second such as 1Mpps';

/**
 * `original`, `asap`, `x10` for ten times as fast, `1Mpps` for a fixed rate.
 *
 * @throws NotUnderstood, RangeRefused
 */
export function parseReplay(what: string, text: string): ReplayTiming {
  if (text === 'original' || text === 'asap') return { kind: text };
  const factor = /^x(\d+(?:\.\d+)?)$/.exec(text);
  if (factor !== null) return { kind: 'scaled', speed: checkedSpeed(what, Number(factor[1])) };
  const rate = /^\d/.test(text) ? parseRate(what, text) : undefined;
  if (rate?.kind === 'pps') return { kind: 'rate', pps: rate.pps };
  throw new NotUnderstood(what, text, FORMS);
}

function checkedSpeed(what: string, speed: number): number {
  if (speed >= SPEED_MIN && speed <= SPEED_MAX) return speed;
  throw new RangeRefused(what, `x${speed}`, `x${SPEED_MIN} to x${SPEED_MAX}`);
}
