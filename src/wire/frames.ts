/**
 * Frames that wait to be sent to a NIC, and the stream of their arrivals.
 *
 * A distinct frame (a template of the traffic generator, a captured packet) is stored once, in a
 * region of host memory, so that the NIC's DMA is one `memory.copy`. An arrival is then a time and
 * the number of a frame. What a NIC computes of a frame once (hash, checksum verdict) it keeps
 * beside it, by that number.
 */
import type { Ps } from '../host/clock.ts';
import type { HostAddr, HostMemory, Region } from '../host/memory.ts';
import { RangeRefused } from '../host/errors.ts';

const ALIGN = 16;

export class FrameTable {
  /** Address and length in bytes (without FCS) of each frame, by number. */
  at: Int32Array = new Int32Array(64);
  len: Int32Array = new Int32Array(64);
  count = 0;
  private readonly mem: HostMemory;
  private readonly region: Region;
  private next: HostAddr;

  constructor(mem: HostMemory, region: Region) {
    this.mem = mem;
    this.region = region;
    this.next = region.at;
  }

  /** Store a frame. @returns its number. @throws RangeRefused when the region is full */
  add(bytes: Uint8Array): number {
    const end = this.region.at + this.region.bytes;
    if (this.next + bytes.length > end) {
      throw new RangeRefused(
        'distinct frames',
        `${this.count + 1}`,
        `${this.region.bytes} bytes of frames in all`,
      );
    }
    if (this.count === this.at.length) this.grow();
    this.mem.u8.set(bytes, this.next);
    this.at[this.count] = this.next;
    this.len[this.count] = bytes.length;
    this.next = Math.min(end, this.next + Math.ceil(bytes.length / ALIGN) * ALIGN);
    return this.count++;
  }

  /** Room for frames of up to `bytes` bytes, one after the other. @returns the number they will have. @throws RangeRefused */
  reserve(bytes: number): number {
    return this.add(new Uint8Array(bytes));
  }

  /** Another frame under a number from `reserve`, whose last one nobody reads any more. */
  rewrite(n: number, bytes: Uint8Array): void {
    this.mem.u8.set(bytes, this.at[n]);
    this.len[n] = bytes.length;
  }

  /** Bytes a region must have for frames of these lengths. */
  static bytesFor(lengths: Iterable<number>): number {
    let sum = 0;
    for (const len of lengths) sum += Math.ceil(len / ALIGN) * ALIGN;
    return sum;
  }

  private grow(): void {
    for (const key of ['at', 'len'] as const) {
      const wider = new Int32Array(this[key].length * 2);
      wider.set(this[key]);
      this[key] = wider;
    }
  }
}

export const BLOCK = 256;

/** Up to `BLOCK` arrivals, in the order of time. */
export class ArrivalBlock {
  /** Bytes of memory that the arrays of a block take. */
  static readonly BYTES: number = BLOCK * 12;
  /** When the last bit of the frame has arrived. */
  readonly at: Float64Array;
  readonly frame: Int32Array;
  count = 0;

  constructor(
    at: Float64Array = new Float64Array(BLOCK),
    frame: Int32Array = new Int32Array(BLOCK),
  ) {
    this.at = at;
    this.frame = frame;
  }

  /** Its arrays in host memory, `BYTES` from `block` on. */
  static at(mem: HostMemory, block: HostAddr): ArrivalBlock {
    return new ArrivalBlock(mem.doublesAt(block, BLOCK), mem.wordsAt(block + BLOCK * 8, BLOCK));
  }
}

/**
 * A deterministic stream of arrivals that depends on nothing the receiver does.
 *
 * `fill` replaces the block's contents by the next arrivals, at most `BLOCK`, times never
 * decreasing from call to call. A block of count 0 means the stream has ended.
 */
export interface ArrivalSource {
  readonly frames: FrameTable;
  fill(block: ArrivalBlock): void;
}

/** The end of a cable: whether anybody sees what comes out of it may change at any time. */
export interface Wire extends WireSink {
  readonly watched: boolean;
}

/** Where frames go that a NIC has put on the wire; `at` is valid only during the call. */
export interface WireSink {
  frame(port: number, time: Ps, at: HostAddr, len: number): void;
}
