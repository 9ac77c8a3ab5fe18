/**
 * How a traffic generator sees a frame's way: its clock starts and stops where its software does,
 * not on the wire.
 *
 *   made    the generator wrote the frame (and its time, if it measures) into its queue
 *   starts  the first bit is on the wire: with `queue=N` N frames later
 *   arrives the last bit is at the far end: from here on the machine's own times count
 *   sent    its last bit is on a wire back
 *   seen    the generator has it: with `stall` not before the stall is over
 */
import type { Ps } from '../host/clock.ts';
import type { SenderView } from '../host/stages.ts';
import type { Link } from './link.ts';
import { GAP_BYTES, wireBytes } from './link.ts';
import type { TrafficPlan } from './gen.ts';
import { afterStall, type StallSpec } from './stall.ts';

/** What the stage `wire` begins and ends with where the generator takes the times. */
export class SenderClock implements SenderView {
  /** From what it measures on to a frame's arrival: 0, or from its making. */
  private readonly aheadPs: Ps;
  private readonly stall: StallSpec | null;

  constructor(aheadPs: Ps, stall: StallSpec | null) {
    this.aheadPs = aheadPs;
    this.stall = stall;
  }

  /** What the generator measures of a frame; it made none before time 0. */
  wayPs(arrived: Ps, sent: Ps): Ps {
    const made = arrived - this.aheadPs;
    const seen = this.stall === null ? sent : afterStall(this.stall, sent);
    return made > 0 ? seen - made : seen;
  }
}

/**
 * A sender that makes frames faster than its link takes them keeps its queue full: a frame is made
 * when the one `queue` before it starts. The line never pauses, so that is `queue` frame times
 * before its own start, to the picosecond where all frames are of one length; of several lengths
 * the mean stands for each.
 *
 * @returns null for a sender that adds nothing to what the wire shows
 */
export function senderClock(
  { spec, lenBytes, probs }: TrafficPlan,
  link: Link,
): SenderClock | null {
  if (spec.queue === 0) return spec.stall === null ? null : new SenderClock(0, spec.stall);
  const bytes = lenBytes.reduce((sum, len, i) => sum + wireBytes(len) * probs[i]!, 0);
  const ahead = ((spec.queue + 1) * bytes - GAP_BYTES) * link.psPerByte;
  return new SenderClock(Math.round(ahead) + link.delayPs, spec.stall);
}
