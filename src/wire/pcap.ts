/**
 * The classic capture file: one header, then one record a frame, all in the writer's byte order.
 *
 *   file    +0  magic, tells byte order and resolution   +4  version, two 16-bit numbers
 *           +8  two unused words                         +16 snap length
 *           +20 31:28 FCS in 16-bit units | 26 FCS known | 15:0 link type
 *   record  +0  seconds since 1970                       +4  micro- or nanoseconds
 *           +8  bytes captured                           +12 bytes on the wire
 *           +16 the bytes captured
 *
 * @spec draft-ietf-opsawg-pcap
 */
import { PS_PER_NS, PS_PER_SEC, PS_PER_US } from '../host/clock.ts';
import { RangeRefused } from '../host/errors.ts';
import {
  ByteChunks,
  checkedSnapLen,
  MAX_CAPTURED_LEN,
  sinceEpoch,
  CaptureWriter,
  type CaptureWriterOptions,
  type FrameExtra,
} from './captureWriter.ts';
import {
  FrameList,
  LINKTYPE_ETHERNET,
  type Capture,
  type CaptureFile,
  type CaptureTime,
} from './capturedFrame.ts';

const MAGIC_US = 0xa1b2c3d4;
const MAGIC_NS = 0xa1b23c4d;
/** The variant of patched libpcaps of the 1990s, whose records carry eight bytes more. */
const MAGIC_MODIFIED = 0xa1b2cd34;
const FILE_HEADER = 24;
const RECORD_HEADER = 16;
const VERSION_MAJOR = 2;
const VERSION_MINOR = 4;
const FCS_KNOWN = 1 << 26;

interface PcapHeader {
  readonly little: boolean;
  readonly psPerTick: number;
  readonly minor: number;
  readonly snapLen: number;
  readonly linkType: number;
  readonly wireFcsLen: number;
}

/** Do the first four bytes say pcap, in any variant? Wants four bytes. */
export const looksLikePcap = (file: CaptureFile): boolean =>
  isMagic(file.view.getUint32(0, true)) || isMagic(file.view.getUint32(0, false));

const isMagic = (magic: number): boolean =>
  magic === MAGIC_US || magic === MAGIC_NS || magic === MAGIC_MODIFIED;

/**
 * Reads a whole pcap file. The snap length is not held against any frame, since files lie about
 * it; a record above 262144 bytes is refused, as everywhere: what says so is a damaged length.
 *
 * @throws CaptureError at the first record that the file does not bear out
 */
export function readPcap(file: CaptureFile): Capture {
  const header = readHeader(file);
  const list = new FrameList();
  const time: CaptureTime = { sec: 0, subPs: 0 };
  let offset = FILE_HEADER;
  for (let number = 1; offset < file.bytes.length; number++) {
    offset = readRecord(file, header, number, offset, time, list);
  }
  const { linkType, snapLen } = header;
  return list.finish('pcap', file, [{ name: '', linkType, snapLen }]);
}

function readHeader(file: CaptureFile): PcapHeader {
  const { view, bytes } = file;
  const little = isMagic(view.getUint32(0, true));
  const magic = view.getUint32(0, little);
  if (magic === MAGIC_MODIFIED) {
    throw file.refuse(0, 'the modified pcap format (magic 0xa1b2cd34) is not supported');
  }
  if (bytes.length < FILE_HEADER) {
    throw file.refuse(0, `a pcap header has ${FILE_HEADER} bytes, the file has ${bytes.length}`);
  }
  const minor = checkedVersion(file, little);
  const network = view.getUint32(20, little);
  return {
    little,
    minor,
    psPerTick: magic === MAGIC_NS ? PS_PER_NS : PS_PER_US,
    snapLen: view.getUint32(16, little),
    linkType: network & 0xffff,
    wireFcsLen: (network & FCS_KNOWN) !== 0 ? (network >>> 28) * 2 : 0,
  };
}

function checkedVersion(file: CaptureFile, little: boolean): number {
  const major = file.view.getUint16(4, little);
  const minor = file.view.getUint16(6, little);
  if (major === VERSION_MAJOR && minor <= VERSION_MINOR) return minor;
  throw file.refuse(4, `pcap version ${major}.${minor} is not supported (2.0 to 2.4)`);
}

/** @returns offset of the record after this one */
function readRecord(
  file: CaptureFile,
  header: PcapHeader,
  number: number,
  offset: number,
  time: CaptureTime,
  list: FrameList,
): number {
  const { view, bytes } = file;
  const left = bytes.length - offset;
  if (left < RECORD_HEADER) {
    const what = `a record header has ${RECORD_HEADER} bytes, ${left} are left in the file`;
    throw file.refusePacket(number, offset, what);
  }
  let capLen = view.getUint32(offset + 8, header.little);
  let wireLen = view.getUint32(offset + 12, header.little);
  if (lengthsAreSwapped(header.minor, capLen, wireLen)) [capLen, wireLen] = [wireLen, capLen];
  checkCapLen(file, number, offset, capLen, left - RECORD_HEADER);
  readTime(view, offset, header, time);
  const at = offset + RECORD_HEADER;
  const { linkType, wireFcsLen } = header;
  list.add(
    { number, offset, at, capLen, wireLen, wireFcsLen, linkType, interfaceId: 0, comment: '' },
    time,
  );
  return at + capLen;
}

/** Version 2.3 set the two lengths in today's order; some of its writers did not know. */
function lengthsAreSwapped(minor: number, capLen: number, wireLen: number): boolean {
  return minor < 3 || (minor === 3 && capLen > wireLen);
}

function checkCapLen(
  file: CaptureFile,
  number: number,
  offset: number,
  capLen: number,
  left: number,
): void {
  if (capLen > left) {
    const what = `record says ${capLen} bytes captured, ${left} are left in the file`;
    throw file.refusePacket(number, offset, what);
  }
  if (capLen > MAX_CAPTURED_LEN) {
    const what = `record says ${capLen} bytes captured, no frame has more than ${MAX_CAPTURED_LEN}`;
    throw file.refusePacket(number, offset, what);
  }
}

/** A sub-second part of a second and more carries over. */
function readTime(view: DataView, offset: number, header: PcapHeader, time: CaptureTime): void {
  const perSec = PS_PER_SEC / header.psPerTick;
  const ticks = view.getUint32(offset + 4, header.little);
  time.sec = view.getUint32(offset, header.little) + Math.floor(ticks / perSec);
  time.subPs = (ticks % perSec) * header.psPerTick;
}

export interface PcapWriterOptions extends CaptureWriterOptions {
  /** Nanoseconds unless set. */
  readonly resolution?: 'us' | 'ns';
}

/** Writes version 2.4 with Ethernet frames; all interfaces flow into one. */
export class PcapWriter extends CaptureWriter {
  private readonly out = new ByteChunks();
  private readonly little: boolean;
  private readonly psPerTick: number;
  private readonly snapLen: number;
  private readonly start: Readonly<CaptureTime>;
  private readonly time: CaptureTime = { sec: 0, subPs: 0 };

  constructor(options: PcapWriterOptions = {}) {
    super();
    this.little = options.byteOrder !== 'big';
    this.psPerTick = options.resolution === 'us' ? PS_PER_US : PS_PER_NS;
    this.snapLen = checkedSnapLen(options.snapLen);
    this.start = options.start ?? { sec: 0, subPs: 0 };
    this.header();
  }

  private header(): void {
    const at = this.out.reserve(FILE_HEADER);
    const { view } = this.out;
    view.setUint32(at, this.psPerTick === PS_PER_NS ? MAGIC_NS : MAGIC_US, this.little);
    view.setUint16(at + 4, VERSION_MAJOR, this.little);
    view.setUint16(at + 6, VERSION_MINOR, this.little);
    view.setUint32(at + 16, this.snapLen, this.little);
    view.setUint32(at + 20, LINKTYPE_ETHERNET, this.little);
  }

  override frameAt(
    _interfaceId: number,
    sec: number,
    subPs: number,
    bytes: Uint8Array,
    at: number,
    lenBytes: number,
    extra?: FrameExtra,
  ): void {
    const { time, little } = this;
    sinceEpoch(this.start, sec, subPs, time);
    checkSeconds(time.sec);
    const capLen = Math.min(lenBytes, this.snapLen);
    const rec = this.out.reserve(RECORD_HEADER + capLen);
    const { view } = this.out;
    view.setUint32(rec, time.sec, little);
    view.setUint32(rec + 4, Math.floor(time.subPs / this.psPerTick), little);
    view.setUint32(rec + 8, capLen, little);
    view.setUint32(rec + 12, extra?.wireLen ?? lenBytes, little);
    this.out.bytes.set(bytes.subarray(at, at + capLen), rec + RECORD_HEADER);
  }

  override finish(): Uint8Array {
    return this.out.join();
  }
}

function checkSeconds(sec: number): void {
  if (sec >= 0 && sec < 2 ** 32) return;
  throw new RangeRefused(
    'frame time in a pcap file',
    `${sec} s`,
    `0 to ${2 ** 32 - 1} s since 1970`,
  );
}
