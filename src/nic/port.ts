/**
 * The receive side of the port: arrivals made in blocks, sorted into one lane per RX queue.
 *
 * Lanes are filled in the order of arrival and ahead of time; the random stream behind the
 * traffic does not depend on which queue asks first. Most is done by the loop in `arrivalBulk.ts`;
 * what that stops in front of is done here.
 */
import type { Ps } from '../host/clock.ts';
import { bugOn } from '../host/errors.ts';
import type { ArrivalSource } from '../wire/frames.ts';
import { LinkFeed } from '../wire/link.ts';
import { ARRIVAL_BLOCK, ArrivalBulk } from './arrivalBulk.ts';
import type { FrameClasses } from './classes.ts';
import { recKnown, recLane, recordsHeld } from './frameRecord.ts';
import { LANE_BYTES, Lane } from './lane.ts';
import type { NicParts } from './parts.ts';
import type { RxEngine } from './rxEngine.ts';

export class Port {
  readonly lanes: Lane[] = [];
  /** Frames that never reach a queue: refused by the MAC, or sent to a closed device. */
  readonly refused: Lane;
  readonly classes: FrameClasses;
  private source: ArrivalSource | null = null;
  /** The source, when its frames are yet to be put on the line, and that is for the loop to do. */
  private feed: LinkFeed | null = null;
  private readonly bulk: ArrivalBulk;
  /** Every arrival before this time lies in its lane. */
  private madeTo: Ps = Infinity;

  private readonly engine: RxEngine;

  constructor(parts: NicParts, classes: FrameClasses, engine: RxEngine, queues: number) {
    this.classes = classes;
    this.engine = engine;
    const { mem, chip } = parts;
    const lanes = chip.alloc(LANE_BYTES * (queues + 1));
    this.refused = new Lane(queues, mem, lanes);
    for (let q = 0; q < queues; q++)
      this.lanes.push(new Lane(q, mem, lanes + (q + 1) * LANE_BYTES));
    this.bulk = new ArrivalBulk(mem, chip.alloc(ARRIVAL_BLOCK), lanes, classes.rec);
  }

  /** Traffic from `source` arrives from now on; times before the machine's present are a bug of the caller. */
  offer(source: ArrivalSource): void {
    bugOn(this.source !== null, 'the port already has traffic');
    this.source = source;
    this.feed = source instanceof LinkFeed && source.link.whole ? source : null;
    this.bulk.setLine(this.feed);
    this.madeTo = -1;
    for (const { ring } of this.lanes) ring?.cp.forgetAhead(); // it was known of a port without traffic
  }

  /** It may be offered traffic: what there was has all been made. */
  get free(): boolean {
    return this.source === null;
  }

  /** When the next frame arrives, or one that is not known yet may; Infinity when none is on its way. */
  nextAt(): Ps {
    let at = Math.min(this.madeTo, this.refused.headAt());
    for (const lane of this.lanes) at = Math.min(at, lane.headAt());
    return at;
  }

  /** Add the number of each frame that has not been written to memory, or not been completed. */
  framesInHand(numbers: Set<number>): void {
    for (const lane of [...this.lanes, this.refused]) {
      for (let i = 0; i < lane.size; i++) numbers.add(lane.frame[(lane.head + i) & lane.mask]!);
      const { ring } = lane;
      if (ring === null) continue;
      for (let i = 0; i < ring.pendingCount; i++) {
        const n = ring.pendingFrame(ring.pendingHead + i);
        numbers.add(n < 0 ? ~n : n);
      }
    }
  }

  /** Every arrival up to this time lies in its lane. */
  get knownTo(): Ps {
    return this.madeTo - 1;
  }

  /** Put every arrival up to `now` into its lane. */
  makeTo(now: Ps): void {
    while (this.madeTo <= now) this.makeBlock();
  }

  /**
   * When the next frame for `lane` arrives, if that is at or before `limit`; else Infinity or some
   * later time. Nothing may happen before `limit` that changes what the MAC refuses.
   */
  headAt(lane: Lane, limit: Ps): Ps {
    while (lane.size === 0 && this.madeTo <= limit) {
      this.makeBlock();
      this.takeRefused(Math.min(limit, this.madeTo));
    }
    return lane.headAt();
  }

  /** Account for the frames that the MAC refused up to `now`. */
  settleRefused(now: Ps): void {
    this.makeTo(now);
    this.takeRefused(now);
  }

  /** What has been settled to `now` may be remembered. */
  passMarks(now: Ps): void {
    for (const lane of this.lanes) lane.passMarks(now);
    this.refused.passMarks(now);
  }

  private takeRefused(now: Ps): void {
    const refused = this.refused;
    while (refused.headAt() <= now) {
      const at = refused.headAt();
      refused.passMarks(at - 1);
      this.engine.refuse(refused, at, refused.take());
    }
  }

  private makeBlock(): void {
    const { bulk, feed } = this;
    const { block } = bulk;
    if (feed === null) this.source!.fill(block);
    else feed.want(block);
    const sorted = this.classes.inHostMemory ? bulk.intoLanes() : 0;
    if (sorted < block.count) this.sort(sorted);
    if (block.count === 0) {
      this.source = null;
      this.feed = null;
      this.madeTo = Infinity;
    } else this.madeTo = bulk.lastAt;
  }

  /** Runs of frames for one lane go there as a whole: with one queue, or few flows, most of a block. */
  private sort(start: number): void {
    const { bulk, feed } = this;
    const { block } = bulk;
    if (feed !== null) {
      feed.freeAt = bulk.freeAt;
      feed.startFrom(block, start);
      bulk.freeAt = feed.freeAt;
    } else bulk.freeAt = block.at[block.count - 1]!;
    const { frame, count } = block;
    let from = start;
    let number = -1;
    let lane = this.refused;
    for (let i = start; i < count; i++) {
      if (frame[i] === number) continue;
      number = frame[i]!;
      const next = this.laneOf(number);
      if (next === lane) continue;
      lane.pushRun(block, from, i);
      lane = next;
      from = i;
    }
    lane.pushRun(block, from, count);
  }

  private laneOf(n: number): Lane {
    const { classes } = this;
    if (n >= recordsHeld(classes.rec) || !recKnown(classes.rec, n)) classes.learn(n);
    const lane = recLane(classes.rec, n);
    return lane < 0 ? this.refused : this.lanes[lane]!;
  }

  /**
   * The configuration has changed at `now`: arrivals that were sorted by the old one and are not
   * yet taken are sorted again. Every lane must have been settled to `now`.
   */
  resort(): void {
    this.classes.forget();
    const waiting: { at: Ps; frame: number }[] = [];
    for (const lane of [...this.lanes, this.refused]) {
      while (lane.size > 0) waiting.push({ at: lane.headAt(), frame: lane.take() });
    }
    waiting.sort((a, b) => a.at - b.at);
    for (const { at, frame } of waiting) {
      this.laneOf(frame).push(at, frame);
    }
  }
}
