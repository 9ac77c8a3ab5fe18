/**
 * A capture sent again: each frame as long as it was captured, its FCS left off if the file has it.
 *
 * What counts is the number of bytes in the file, not what the wire once carried: a frame cut by a
 * snap length goes out short, since the rest of it is nowhere.
 */
import { END_OF_TIME, PS_PER_SEC } from '../host/clock.ts';
import type { Ps } from '../host/clock.ts';
import { RangeRefused } from '../host/errors.ts';
import { ConstantStarts, LineStarts, type StartTimes } from './arrivals.ts';
import { CaptureError, frameTimePs, type Capture, type CapturedFrame } from './capture.ts';
import { checkInt } from './checkInt.ts';
import { BLOCK, type ArrivalBlock, FrameTable } from './frames.ts';
import type { SendSource } from './link.ts';
import { checkRate } from './quantities.ts';

/**
 * As captured; `speed` times as fast (0.5 takes twice as long); at a rate in frames a second; or
 * back to back.
 */
export type ReplayTiming =
  | { readonly kind: 'original' }
  | { readonly kind: 'scaled'; readonly speed: number }
  | { readonly kind: 'rate'; readonly pps: number }
  | { readonly kind: 'asap' };

export interface ReplayOptions {
  readonly timing: ReplayTiming;
  /** How often the capture is sent, Infinity for ever; once unless given. */
  readonly loops?: number;
  /** No frame starts at this time or later. */
  readonly durationPs?: Ps;
}

export const REPLAY_SPEED_MIN = 0.000_001;
export const REPLAY_SPEED_MAX = 1_000_000;
const REPLAY_LOOPS_MAX = 1_000_000_000;

const sentLen = (frame: CapturedFrame): number => frame.capLen - frame.fcsLen;

/** Bytes that the region of a `FrameTable` must have for this capture. */
export const replayFrameBytes = (capture: Capture): number =>
  FrameTable.bytesFor(capture.frames.map(sentLen));

/**
 * The frames of a capture, with the times at which they want to start: put a `LinkFeed` around it.
 * A loop begins one mean distance between frames after the last frame of the loop before.
 */
export class ReplaySource implements SendSource {
  readonly frames: FrameTable;
  readonly endPs: Ps;
  private readonly times: StartTimes;
  private readonly first: number;
  private readonly count: number;
  private next = 0;
  private left: number;

  /**
   * Adds the capture's frames to `frames`, each once.
   *
   * @throws CaptureError when the capture lasts longer than time can be counted
   * @throws RangeRefused when an option is out of range, or `frames` is full
   */
  constructor(capture: Capture, options: ReplayOptions, frames: FrameTable) {
    const loops = checkedLoops(options.loops ?? 1);
    this.endPs = checkInt(
      'replay duration, in ps',
      options.durationPs ?? END_OF_TIME,
      0,
      END_OF_TIME,
    );
    this.frames = frames;
    this.first = frames.count;
    this.count = capture.frames.length;
    this.left = this.count === 0 ? 0 : loops * this.count;
    this.times = startTimes(capture, options.timing, this.endPs);
    for (const frame of capture.frames) {
      frames.add(capture.bytes.subarray(frame.at, frame.at + sentLen(frame)));
    }
  }

  fill(block: ArrivalBlock): void {
    const count = this.times.starts(block.at, Math.min(BLOCK, this.left));
    const { first, count: frames } = this;
    let { next } = this;
    for (let i = 0; i < count; i++) {
      block.frame[i] = first + next;
      if (++next === frames) next = 0;
    }
    this.next = next;
    this.left -= count;
    block.count = count;
  }
}

function checkedLoops(loops: number): number {
  return loops === Infinity ? loops : checkInt('replay loops', loops, 1, REPLAY_LOOPS_MAX);
}

function startTimes(capture: Capture, timing: ReplayTiming, endPs: Ps): StartTimes {
  switch (timing.kind) {
    case 'asap':
      return new LineStarts();
    case 'rate':
      checkRate('replay rate', { kind: 'pps', pps: timing.pps });
      return new ConstantStarts(timing.pps, 1, endPs);
    case 'original':
      return new CapturedStarts(
        capture.frames.map((f) => frameTimePs(capture, f)),
        endPs,
      );
    case 'scaled':
      return new CapturedStarts(scaledTimes(capture, timing.speed), endPs);
  }
}

function scaledTimes(capture: Capture, speed: number): number[] {
  if (!(speed >= REPLAY_SPEED_MIN && speed <= REPLAY_SPEED_MAX)) {
    throw new RangeRefused('replay speed', speed, `${REPLAY_SPEED_MIN} to ${REPLAY_SPEED_MAX}`);
  }
  return capture.frames.map((frame) => {
    const ps = Math.round((frame.sec * PS_PER_SEC) / speed + frame.subPs / speed);
    if (ps < END_OF_TIME) return ps;
    const { number, offset } = frame;
    const limit = `replay reaches ${Math.floor(END_OF_TIME / PS_PER_SEC)} s`;
    const what = `comes ${frame.sec / speed} s after the first at speed ${speed}; ${limit}`;
    throw new CaptureError(`${capture.name}: packet ${number}: ${what}`, number, offset);
  });
}

/** The times of a capture, over and over. */
class CapturedStarts implements StartTimes {
  private readonly times: Float64Array;
  private readonly endPs: Ps;
  private readonly loopPs: Ps;
  private next = 0;
  private loopFrom: Ps = 0;

  constructor(times: readonly Ps[], endPs: Ps) {
    this.times = Float64Array.from(times);
    this.endPs = endPs;
    const last = times.at(-1) ?? 0;
    this.loopPs = last + Math.round(last / Math.max(1, times.length - 1));
  }

  starts(at: Float64Array, count: number): number {
    const { times, endPs } = this;
    let { next, loopFrom } = this;
    let i = 0;
    for (; i < count; i++) {
      if (next === times.length) {
        next = 0;
        loopFrom += this.loopPs;
      }
      const time = loopFrom + times[next]!;
      if (time >= endPs) break;
      at[i] = time;
      next++;
    }
    this.next = next;
    this.loopFrom = loopFrom;
    return i;
  }
}
