/**
 * A lane: arrivals on their way to one RX queue, made ahead of time and not yet looked at.
 *
 * An arrival depends on nothing the machine does, so a whole block is made at once and sorted
 * into lanes in the order of arrival. Everything that does depend on the machine (is there a
 * buffer?) waits in the lane until the queue's own time has come.
 */
import type { Ps } from '../host/clock.ts';
import { bugOn } from '../host/errors.ts';
import type { HostAddr, HostMemory, HostWords } from '../host/memory.ts';
import type { ArrivalBlock } from '../wire/frames.ts';
import type { RxRing } from './rxRing.ts';
import { Fates, LOSSES_BYTES, LOST_COUNT } from '../host/fates.ts';
import { RING_STATS_BYTES, RingStats } from './stats.ts';

/** Shorter runs are quicker copied one by one. */
const SHORT_RUN = 32;
/** Arrivals that a lane has room for without growing. */
export const LANE_ROOM = 2048;

/** What a lane had counted, and how many buffers its ring had, when all had happened that happens by `at`. */
export interface LaneMark {
  readonly at: Ps;
  readonly fates: Fates;
  readonly buffers: number;
}

/** What lies where in a lane's block of host memory, in bytes: times, numbers, state, counters, losses. */
export const LANE_FRAME: number = LANE_ROOM * 8;
export const LANE_HEAD: number = LANE_ROOM * 12;
export const LANE_TAIL: number = LANE_HEAD + 4;
export const LANE_LIMIT: number = LANE_HEAD + 8;
export const LANE_STATS: number = LANE_HEAD + 16;
export const LANE_LOST: number = LANE_STATS + RING_STATS_BYTES;
export const LANE_BYTES: number = LANE_LOST + LOSSES_BYTES;

export class Lane {
  /** RX queue number, or the number of queues for the lane of frames the MAC refuses. */
  readonly index: number;
  /** Null while the driver has no ring for this queue. */
  ring: RxRing | null = null;
  readonly fates: Fates;
  readonly stats: RingStats;
  /** Times and numbers of the waiting frames, [head, tail) free running; `rxEngine.ts` walks them. */
  at: Float64Array;
  frame: Int32Array;
  mask: number = LANE_ROOM - 1;
  /** The next moment to remember, and the distance of the others; Infinity while nobody asks. */
  markAt: Ps = Infinity;
  private markEvery: Ps = Infinity;
  private readonly marks: LaneMark[] = [];
  /** Its block of host memory, where compiled loops find it (`arrivalBulk.ts`, `rxBulkReceive.ts`). */
  readonly block: HostAddr;
  /** Head and tail, which the NIC's loops move too, and how many may wait before TypeScript has to see to it. */
  private readonly state: HostWords;
  /** The arrays that lie in host memory, where the NIC's loops can read them. */
  private readonly mem: HostMemory;
  private readonly hostAt: Float64Array;
  private readonly hostFrame: Int32Array;

  /** @param block `LANE_BYTES` of host memory */
  constructor(index: number, mem: HostMemory, block: HostAddr) {
    this.index = index;
    this.mem = mem;
    this.block = block;
    this.state = mem.wordsAt(block + LANE_HEAD, 3);
    this.state[2] = LANE_ROOM;
    this.stats = new RingStats(mem.doublesAt(block + LANE_STATS, RING_STATS_BYTES / 8));
    this.fates = new Fates(mem.doublesAt(block + LANE_LOST, LOST_COUNT));
    this.hostAt = mem.doublesAt(block, LANE_ROOM);
    this.hostFrame = mem.wordsAt(block + LANE_FRAME, LANE_ROOM);
    this.at = this.hostAt;
    this.frame = this.hostFrame;
  }

  get head(): number {
    return this.state[0]!;
  }

  set head(head: number) {
    this.state[0] = head;
  }

  get tail(): number {
    return this.state[1]!;
  }

  set tail(tail: number) {
    this.state[1] = tail;
  }

  /** False while so many arrivals wait that they had to move to arrays of their own. */
  get inHostMemory(): boolean {
    return this.at === this.hostAt;
  }

  push(at: Ps, frame: number): void {
    if (this.size > this.mask) this.grow();
    const i = this.tail++ & this.mask;
    this.at[i] = at;
    this.frame[i] = frame;
  }

  /** The arrivals [from, to) of a block that lies in host memory. */
  pushRun({ at, frame }: ArrivalBlock, from: number, to: number): void {
    const count = to - from;
    if (this.head === this.tail) this.rewind();
    while (this.size + count > this.mask + 1) this.grow();
    const i = this.tail & this.mask;
    if (count < SHORT_RUN || i + count > this.mask + 1) {
      for (let k = from; k < to; k++) this.push(at[k]!, frame[k]!);
      return;
    }
    if (this.inHostMemory) {
      this.mem.copy(this.at.byteOffset + i * 8, at.byteOffset + from * 8, count * 8);
      this.mem.copy(this.frame.byteOffset + i * 4, frame.byteOffset + from * 4, count * 4);
    } else {
      this.at.set(at.subarray(from, to), i);
      this.frame.set(frame.subarray(from, to), i);
    }
    this.tail += count;
  }

  /** So much waits that another block of arrivals may not find room. */
  get isLong(): boolean {
    return this.size > LANE_ROOM / 2;
  }

  get size(): number {
    return (this.tail - this.head) | 0;
  }

  /** When the first waiting frame arrives; Infinity when none is known. */
  headAt(): Ps {
    return this.head === this.tail ? Infinity : this.at[this.head & this.mask]!;
  }

  /** Number of the first waiting frame, which is thereby taken. */
  take(): number {
    return this.frame[this.head++ & this.mask]!;
  }

  /** Nothing waits: begin anew, in the arrays that are in the cache already. */
  private rewind(): void {
    this.at = this.hostAt;
    this.frame = this.hostFrame;
    this.mask = LANE_ROOM - 1;
    this.state[2] = LANE_ROOM;
    this.head = 0;
    this.tail = 0;
  }

  private grow(): void {
    const old = this.at.length;
    const { size } = this;
    const at = new Float64Array(old * 2);
    const frame = new Int32Array(old * 2);
    for (let i = 0; i < size; i++) {
      at[i] = this.at[(this.head + i) & (old - 1)]!;
      frame[i] = this.frame[(this.head + i) & (old - 1)]!;
    }
    this.at = at;
    this.frame = frame;
    this.mask = old * 2 - 1;
    this.state[2] = 0;
    this.head = 0;
    this.tail = size;
  }

  /** Remember `first`, and what comes `every` later, again and again; Infinity: nothing more. */
  rememberFrom(first: Ps, every: Ps): void {
    this.markAt = first;
    this.markEvery = every;
  }

  /** All that happens by `now` has happened, and nothing later: remember the moments in between. */
  passMarks(now: Ps): void {
    while (this.markAt <= now) {
      const fates = new Fates();
      fates.add(this.fates);
      // whether a completion is written when it is due, or when somebody looks, is not told
      fates.received += this.ring?.dueBy(this.markAt) ?? 0;
      this.marks.push({ at: this.markAt, fates, buffers: this.ring?.free ?? 0 });
      this.markAt += this.markEvery;
    }
  }

  /** What was remembered of `at`; what is older is forgotten. */
  takeMark(at: Ps): LaneMark {
    let mark = this.marks.shift();
    while (mark !== undefined && mark.at < at) mark = this.marks.shift();
    bugOn(mark?.at !== at, 'a lane has not been settled to this moment');
    return mark!;
  }
}
