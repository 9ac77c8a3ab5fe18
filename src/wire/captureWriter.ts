/**
 * What the writers of both capture formats share: their face, the bytes they grow, and the step
 * from a run's picoseconds to a time since 1970.
 */
import { PS_PER_SEC } from '../host/clock.ts';
import { RangeRefused } from '../host/errors.ts';
import type { CaptureTime } from './capturedFrame.ts';

export interface FrameExtra {
  /** Bytes the frame had on the wire; as many as are given unless set. */
  readonly wireLen?: number;
  /** As seen by the interface; kept by pcapng only. */
  readonly direction?: 'in' | 'out';
  /** Kept by pcapng only. */
  readonly comment?: string;
}

/**
 * Writes frames one by one. Bytes are copied on the call, so `bytes` may be host memory.
 * Times count from the writer's `start` and are cut, not rounded, to the file's resolution.
 */
export abstract class CaptureWriter {
  /**
   * @param interfaceId index of the interface; pcap, which knows one only, ignores it
   * @param timePs whole picoseconds since `start`
   * @param at where the frame starts in `bytes`
   */
  frame(
    interfaceId: number,
    timePs: number,
    bytes: Uint8Array,
    at: number,
    lenBytes: number,
    extra?: FrameExtra,
  ): void {
    const sec = Math.floor(timePs / PS_PER_SEC);
    this.frameAt(interfaceId, sec, timePs - sec * PS_PER_SEC, bytes, at, lenBytes, extra);
  }

  /** As `frame`, for times beyond 2^53 ps. */
  abstract frameAt(
    interfaceId: number,
    sec: number,
    subPs: number,
    bytes: Uint8Array,
    at: number,
    lenBytes: number,
    extra?: FrameExtra,
  ): void;

  /** The file as written so far. */
  abstract finish(): Uint8Array;
}

export interface CaptureWriterOptions {
  readonly byteOrder?: 'little' | 'big';
  /** Most bytes kept of a frame; 262144 unless set, the most that readers take. */
  readonly snapLen?: number;
  /** Absolute time that frame times count from; 1970 unless set. */
  readonly start?: Readonly<CaptureTime>;
}

/** Longest frame that libpcap and Wireshark accept in a capture. */
export const MAX_CAPTURED_LEN = 262144;

export function checkedSnapLen(snapLen: number = MAX_CAPTURED_LEN): number {
  if (Number.isInteger(snapLen) && snapLen >= 1 && snapLen <= MAX_CAPTURED_LEN) return snapLen;
  throw new RangeRefused('snapLen', snapLen, `1 to ${MAX_CAPTURED_LEN} bytes`);
}

/** Adds `start` to a time that counts from it, into `out`. */
export function sinceEpoch(
  start: Readonly<CaptureTime>,
  sec: number,
  subPs: number,
  out: CaptureTime,
): void {
  out.sec = start.sec + sec;
  out.subPs = start.subPs + subPs;
  if (out.subPs >= PS_PER_SEC) {
    out.sec++;
    out.subPs -= PS_PER_SEC;
  }
}

const FIRST_CHUNK = 4096;
const LARGEST_CHUNK = 1 << 20;

/** Bytes that grow by chunks: nothing already written is ever copied before `join`. */
export class ByteChunks {
  /** The chunk that the last `reserve` pointed into. */
  bytes: Uint8Array = new Uint8Array(FIRST_CHUNK);
  view: DataView = new DataView(this.bytes.buffer);
  private used = 0;
  private readonly full: Uint8Array[] = [];
  private fullLen = 0;

  /** Room for one record, zeroed and in one piece; returns where it starts in `bytes`. */
  reserve(lenBytes: number): number {
    if (this.used + lenBytes > this.bytes.length) this.nextChunk(lenBytes);
    const at = this.used;
    this.used += lenBytes;
    return at;
  }

  private nextChunk(atLeast: number): void {
    const size = Math.max(atLeast, Math.min(LARGEST_CHUNK, this.bytes.length * 2));
    this.full.push(this.bytes.subarray(0, this.used));
    this.fullLen += this.used;
    this.bytes = new Uint8Array(size);
    this.view = new DataView(this.bytes.buffer);
    this.used = 0;
  }

  join(): Uint8Array {
    const all = new Uint8Array(this.fullLen + this.used);
    let at = 0;
    for (const chunk of this.full) {
      all.set(chunk, at);
      at += chunk.length;
    }
    all.set(this.bytes.subarray(0, this.used), at);
    return all;
  }
}
