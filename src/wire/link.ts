/**
 * A cable: its line rate, its delay, and the sender that puts frames on it one after the other.
 *
 * What a frame takes up on the wire, in bytes:
 *
 *   | 8 preamble and SFD | frame, padded to 60 | 4 FCS | 12 gap |
 *   ^ start                                           ^ arrival is this moment, plus the delay
 *
 * The next frame cannot start before the gap has passed: 64 bytes with FCS take 84, which is
 * 148.8 million frames a second at 100 Gb/s.
 *
 * @spec IEEE Std 802.3-2022 §3.1.1 (preamble, SFD), §4A.2.3.2.3 (padding), §4A.4.2 (interPacketGap)
 */
import { END_OF_TIME, PS_PER_SEC } from '../host/clock.ts';
import type { Ps } from '../host/clock.ts';
import type { ArrivalBlock, ArrivalSource, FrameTable } from './frames.ts';
import { checkInt } from './checkInt.ts';

const PREAMBLE_AND_FCS = 8 + 4;
export const GAP_BYTES = 12;
/** Shorter frames are padded; without FCS. */
export const MIN_LEN = 60;
const BITS_PER_BYTE = 8;

/** Slowest and fastest line: 1 Mb/s to 1 Tb/s. */
const LINE_RATE_MIN_BPS = 1_000_000;
const LINE_RATE_MAX_BPS = 1_000_000_000_000;

/** Bytes of line time that a frame of `len` bytes without FCS takes, preamble and gap included. */
export const wireBytes = (len: number): number =>
  (len < MIN_LEN ? MIN_LEN : len) + PREAMBLE_AND_FCS + GAP_BYTES;

export class Link {
  readonly rateBps: number;
  readonly delayPs: Ps;
  /** Not whole at every rate; multiply a number of bytes by it and round once. */
  readonly psPerByte: number;
  /** A byte takes a whole number of picoseconds, as at 100 Gb/s: nothing to round. */
  readonly whole: boolean;

  /**
   * @param rateBps bits a second, whole
   * @param delayPs from one end to the other, up to a second
   * @throws RangeRefused
   */
  constructor(rateBps: number, delayPs: Ps = 0) {
    this.rateBps = checkInt('line rate, in bit/s', rateBps, LINE_RATE_MIN_BPS, LINE_RATE_MAX_BPS);
    this.delayPs = checkInt('link delay, in ps', delayPs, 0, PS_PER_SEC);
    this.psPerByte = (BITS_PER_BYTE * PS_PER_SEC) / rateBps;
    this.whole = Number.isInteger(this.psPerByte);
  }

  /** From the start of a frame to the earliest start of the next. @param len bytes without FCS */
  wirePs(len: number): Ps {
    const ps = wireBytes(len) * this.psPerByte;
    return this.whole ? ps : Math.round(ps);
  }

  /** From a frame's start until its last bit has arrived at the far end. @param len bytes without FCS */
  arrivalPs(len: number): Ps {
    return Math.round((wireBytes(len) - GAP_BYTES) * this.psPerByte) + this.delayPs;
  }
}

/**
 * Frames with the times at which a sender wants to start them: an `ArrivalSource` whose `at` is not
 * yet an arrival, until a `LinkFeed` makes it one.
 */
export interface SendSource extends ArrivalSource {
  /** No frame starts at this time or later. */
  readonly endPs: Ps;
}

/**
 * The arrivals at the far end of a link.
 *
 * Each frame starts when its source wants it, or when the line is free, whichever is later. A
 * source that wants more than the line carries is held back, as an application in front of a full
 * NIC is: its frames wait in order, none is lost, and the line runs without a pause until the
 * backlog is gone. `endPs` is applied to the true start, so a sender that is told to stop after a
 * second does, backlog or not.
 */
export class LinkFeed implements ArrivalSource {
  readonly frames: FrameTable;
  readonly link: Link;
  /** No frame starts at this time or later. */
  readonly endPs: Ps;
  private readonly source: SendSource;
  private ended = false;
  /** When the line last stopped being idle, and the bytes of line time taken since. */
  private busyFrom: Ps = 0;
  private busyBytes = 0;

  constructor(link: Link, source: SendSource) {
    this.link = link;
    this.source = source;
    this.frames = source.frames;
    // What starts last must have arrived, even on the slowest line, before time cannot be counted.
    this.endPs = Math.min(source.endPs, END_OF_TIME - link.delayPs - 10 * PS_PER_SEC);
  }

  fill(block: ArrivalBlock): void {
    this.want(block);
    if (this.link.whole) this.startFrom(block, 0);
    else this.start(block);
  }

  /** The frames that come next, at the times at which the source wants to start them. */
  want(block: ArrivalBlock): void {
    block.count = 0;
    if (!this.ended) this.source.fill(block);
  }

  /** When the line is free, where a byte takes a whole number of picoseconds; who puts frames on it for us moves it. */
  get freeAt(): Ps {
    return this.busyFrom;
  }

  set freeAt(freeAt: Ps) {
    this.busyFrom = freeAt;
  }

  /**
   * Frame `from` of those wanted and all behind it go on a line where a byte takes a whole number of
   * picoseconds: the time at which it is free can be carried on as it is. `busyFrom` is that time,
   * and `busyBytes` stays 0.
   */
  startFrom(block: ArrivalBlock, from: number): void {
    const { at, frame, count } = block;
    const { len } = this.frames;
    const { psPerByte, delayPs } = this.link;
    const end = this.endPs;
    const gapPs = GAP_BYTES * psPerByte;
    let freeAt = this.busyFrom;
    let i = from;
    for (; i < count; i++) {
      const wanted = at[i]!;
      const start = wanted > freeAt ? wanted : freeAt;
      if (start >= end) break;
      const frameLen = len[frame[i]!]!;
      const sent =
        start + ((frameLen < MIN_LEN ? MIN_LEN : frameLen) + PREAMBLE_AND_FCS) * psPerByte;
      at[i] = sent + delayPs;
      freeAt = sent + gapPs;
    }
    this.busyFrom = freeAt;
    if (i < count) this.stop(block, i);
  }

  private start(block: ArrivalBlock): void {
    const { at, frame, count } = block;
    const { len } = this.frames;
    const { psPerByte, delayPs } = this.link;
    const end = this.endPs;
    let busyFrom = this.busyFrom;
    let busyBytes = this.busyBytes;
    for (let i = 0; i < count; i++) {
      // Bytes are counted and multiplied anew each time: a rate whose byte is no whole number of
      // picoseconds is off by half of one at most, however long the line is busy.
      let start = busyFrom + busyBytes * psPerByte;
      const wanted = at[i]!;
      if (wanted > start) {
        start = busyFrom = wanted;
        busyBytes = 0;
      }
      if (start >= end) return this.stop(block, i);
      const frameLen = len[frame[i]!]!;
      busyBytes += (frameLen < MIN_LEN ? MIN_LEN : frameLen) + PREAMBLE_AND_FCS;
      at[i] = busyFrom + Math.floor(busyBytes * psPerByte + 0.5) + delayPs;
      busyBytes += GAP_BYTES;
    }
    this.busyFrom = busyFrom;
    this.busyBytes = busyBytes;
  }

  /** Arrival `i` would start too late, and so would all behind it. */
  private stop(block: ArrivalBlock, i: number): void {
    this.ended = true;
    block.count = i;
  }
}
