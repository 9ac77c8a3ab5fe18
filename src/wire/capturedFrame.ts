/**
 * What a capture file becomes once read: Ethernet frames with their place in the file and their
 * time, whichever of the two formats they came from (`pcap.ts`, `pcapng.ts`).
 *
 * Picoseconds since 1970 do not fit a float64, nor do those of a capture of several hours. So time
 * is two whole numbers, seconds and picoseconds of a second, counted from the first frame; what the
 * first frame's own time was stands beside them in the capture.
 */
import { END_OF_TIME, PS_PER_SEC } from '../host/clock.ts';

/** @spec draft-ietf-opsawg-pcaplinktype, LINKTYPE_ETHERNET */
export const LINKTYPE_ETHERNET = 1;

/** Seconds and picoseconds of a second, `subPs` in 0 to 10^12 - 1. Before 1970 `sec` is negative. */
export interface CaptureTime {
  sec: number;
  subPs: number;
}

/** One Ethernet frame of a capture. Its bytes are `capture.bytes`, from `at` on, `capLen` of them. */
export interface CapturedFrame {
  /** Counts from 1, skipped frames included: the number that Wireshark shows for it. */
  readonly number: number;
  /** Where its record starts in the file, in bytes. */
  readonly offset: number;
  /** Time since the capture's first frame; never less than that of the frame before. */
  readonly sec: number;
  readonly subPs: number;
  /** Where its first byte lies in the file. */
  readonly at: number;
  /** Bytes in the file; replay this many. May exceed `wireLen` in files by careless writers. */
  readonly capLen: number;
  /** Bytes the frame had on the wire, as the file says. */
  readonly wireLen: number;
  /** How many of the captured bytes, at their end, are the frame's FCS; 0 in nearly every file. */
  readonly fcsLen: number;
  /** Index in `capture.interfaces`, which runs on over the sections of a file. */
  readonly interfaceId: number;
  readonly linkType: number;
  /** Comments of the packet, one a line; empty without any. */
  readonly comment: string;
}

export interface CaptureInterface {
  readonly name: string;
  readonly linkType: number;
  /** Most bytes kept of a frame, as the file says; 0 is no limit. Files lie about it. */
  readonly snapLen: number;
}

export interface Capture {
  readonly format: 'pcap' | 'pcapng';
  readonly name: string;
  /** The whole file; frames point into it. */
  readonly bytes: Uint8Array;
  readonly frames: readonly CapturedFrame[];
  readonly interfaces: readonly CaptureInterface[];
  /** Frames of interfaces that are not Ethernet, counted by link type. */
  readonly skipped: readonly { readonly linkType: number; readonly frames: number }[];
  /** Absolute time of the first frame that has a time stamp, since 1970; zero if none has. */
  readonly start: Readonly<CaptureTime>;
  /** What was odd and was tolerated, a sentence each. */
  readonly notes: readonly string[];
}

/** A capture that cannot be read (or replayed), as one line that names file, packet and offset. */
export class CaptureError extends Error {
  /** Number of the packet concerned, or of the last one before it; 0 is ahead of all packets. */
  readonly packet: number;
  /** Byte offset in the file. */
  readonly offset: number;

  constructor(message: string, packet: number, offset: number) {
    super(message);
    this.name = 'CaptureError';
    this.packet = packet;
    this.offset = offset;
  }
}

/** The file being read, and the ways in which it can be refused. */
export class CaptureFile {
  readonly name: string;
  readonly bytes: Uint8Array;
  readonly view: DataView;

  constructor(name: string, bytes: Uint8Array) {
    this.name = name;
    this.bytes = bytes;
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  /** The file as a whole, or a header ahead of all packets. */
  refuse(offset: number, what: string): CaptureError {
    return new CaptureError(`${this.name}: ${what}`, 0, offset);
  }

  refusePacket(packet: number, offset: number, what: string): CaptureError {
    const place = `packet ${packet} at offset ${hexOffset(offset)}`;
    return new CaptureError(`${this.name}: ${place}: ${what}`, packet, offset);
  }

  /** @param lastPacket number of the packet before the block; 0 without one */
  refuseBlock(type: number, lastPacket: number, offset: number, what: string): CaptureError {
    const where = lastPacket === 0 ? 'before the first packet' : `after packet ${lastPacket}`;
    const place = `block ${hexOffset(type)} at offset ${hexOffset(offset)}, ${where}`;
    return new CaptureError(`${this.name}: ${place}: ${what}`, lastPacket, offset);
  }
}

const hexOffset = (offset: number): string => `0x${offset.toString(16)}`;

/** What a reader knows of a frame before its time has been set against the others'. */
export type FrameRecord = Omit<CapturedFrame, 'sec' | 'subPs' | 'fcsLen'> & {
  /** Bytes of FCS that the frame ended in on the wire, whether or not they were captured. */
  readonly wireFcsLen: number;
};

/** Collects frames in file order, and what was odd about them. */
export class FrameList {
  private readonly frames: CapturedFrame[] = [];
  private readonly skipped = new Map<number, number>();
  private start: CaptureTime | null = null;
  /** Time of the newest frame since `start`. */
  private sec = 0;
  private subPs = 0;
  private backwards = 0;
  private untimed = 0;
  private overlong = 0;
  private withFcs = 0;

  /** @param time absolute; null if the record carries none: it takes that of the frame before */
  add(record: FrameRecord, time: Readonly<CaptureTime> | null): void {
    if (record.linkType !== LINKTYPE_ETHERNET) {
      this.skipped.set(record.linkType, (this.skipped.get(record.linkType) ?? 0) + 1);
      return;
    }
    if (time === null) this.untimed++;
    else this.moveTo(time);
    const { capLen, wireLen } = record;
    if (capLen > wireLen) this.overlong++;
    const fcsLen = capturedFcs(capLen, wireLen, record.wireFcsLen);
    if (fcsLen > 0) this.withFcs++;
    this.frames.push(this.placed(record, fcsLen));
  }

  /** Field by field: spreading costs microseconds a frame, and captures have millions. */
  private placed(record: FrameRecord, fcsLen: number): CapturedFrame {
    return {
      number: record.number,
      offset: record.offset,
      sec: this.sec,
      subPs: this.subPs,
      at: record.at,
      capLen: record.capLen,
      wireLen: record.wireLen,
      fcsLen,
      interfaceId: record.interfaceId,
      linkType: record.linkType,
      comment: record.comment,
    };
  }

  /** A wire carries frames one after the other: a stamp earlier than the last one holds it instead. */
  private moveTo(time: Readonly<CaptureTime>): void {
    this.start ??= { sec: time.sec, subPs: time.subPs };
    let sec = time.sec - this.start.sec;
    let subPs = time.subPs - this.start.subPs;
    if (subPs < 0) {
      sec--;
      subPs += PS_PER_SEC;
    }
    if (sec < this.sec || (sec === this.sec && subPs < this.subPs)) {
      this.backwards++;
      return;
    }
    this.sec = sec;
    this.subPs = subPs;
  }

  finish(
    format: Capture['format'],
    file: CaptureFile,
    interfaces: readonly CaptureInterface[],
  ): Capture {
    return {
      format,
      name: file.name,
      bytes: file.bytes,
      frames: this.frames,
      interfaces,
      skipped: [...this.skipped].map(([linkType, frames]) => ({ linkType, frames })),
      start: this.start ?? { sec: 0, subPs: 0 },
      notes: this.notes(),
    };
  }

  private notes(): string[] {
    const notes: string[] = [];
    const note = (count: number, what: string): void => {
      if (count > 0) notes.push(`${count} ${count === 1 ? 'frame' : 'frames'} ${what}`);
    };
    note(this.backwards, 'went back in time: each takes the time of the frame before it');
    note(this.untimed, 'without a time stamp: each takes the time of the frame before it');
    note(this.overlong, 'with more bytes captured than on the wire: the captured ones count');
    note(this.withFcs, 'captured with the FCS');
    return notes;
  }
}

/** A snapped frame has lost its FCS first, since that comes last. */
function capturedFcs(capLen: number, wireLen: number, wireFcsLen: number): number {
  const lost = Math.max(0, wireLen - capLen);
  return Math.min(capLen, Math.max(0, wireFcsLen - lost));
}

/**
 * Whole picoseconds from the capture's first frame to this one.
 *
 * @throws CaptureError beyond 2^53 ps, about two and a half hours, where float64 stops being exact
 */
export function frameTimePs(capture: Capture, frame: CapturedFrame): number {
  const ps = frame.sec * PS_PER_SEC + frame.subPs;
  if (ps < END_OF_TIME) return ps;
  const limitSec = Math.floor(END_OF_TIME / PS_PER_SEC);
  throw new CaptureError(
    `${capture.name}: packet ${frame.number} at offset ${hexOffset(frame.offset)}: ` +
      `comes ${frame.sec} s after the first; replay with original timing reaches ${limitSec} s`,
    frame.number,
    frame.offset,
  );
}
