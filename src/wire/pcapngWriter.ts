/**
 * Writes a pcapng file of one section: an interface for each NIC, then a block a frame. The
 * layout is drawn at the top of `pcapng.ts`.
 */
import { PS_PER_NS, PS_PER_SEC, PS_PER_US } from '../host/clock.ts';
import { RangeRefused } from '../host/errors.ts';
import { storeTicks } from './captureTicks.ts';
import {
  ByteChunks,
  checkedSnapLen,
  sinceEpoch,
  CaptureWriter,
  type CaptureWriterOptions,
  type FrameExtra,
} from './captureWriter.ts';
import { LINKTYPE_ETHERNET, type CaptureTime } from './capturedFrame.ts';
import {
  BLOCK_ENHANCED,
  BLOCK_FRAME,
  BLOCK_INTERFACE,
  BLOCK_SECTION,
  BYTE_ORDER_MAGIC,
  ENHANCED_BODY,
  FLAGS_INBOUND,
  FLAGS_OUTBOUND,
  INTERFACE_BODY,
  OPT_COMMENT,
  OPT_EPB_FLAGS,
  OPT_IF_NAME,
  OPT_IF_TSOFFSET,
  OPT_IF_TSRESOL,
  OPT_SHB_USERAPPL,
  padded,
  SECTION_BODY,
} from './pcapngLayout.ts';

export interface PcapngWriterOptions extends CaptureWriterOptions {
  /**
   * Nanoseconds unless set. Picoseconds are exact here and in the file, but Wireshark 4.0
   * multiplies them past 64 bits and shows a wrong fraction of the second.
   */
  readonly resolution?: 'us' | 'ns' | 'ps';
  /** Names of the interfaces to begin with. */
  readonly interfaces?: readonly string[];
}

/** Power of ten and length of a tick. */
const RESOLUTIONS = {
  us: { digits: 6, psPerTick: PS_PER_US },
  ns: { digits: 9, psPerTick: PS_PER_NS },
  ps: { digits: 12, psPerTick: 1 },
} as const;

const NO_BYTES = new Uint8Array(0);
const MAX_OPTION = 65535;

export class PcapngWriter extends CaptureWriter {
  private readonly out = new ByteChunks();
  private readonly text = new TextEncoder();
  private readonly little: boolean;
  private readonly snapLen: number;
  private readonly digits: number;
  private readonly psPerTick: number;
  private readonly perSec: number;
  /** What frame times count from, less `offsetSec`. */
  private readonly start: Readonly<CaptureTime>;
  /** 64 bits of picoseconds do not reach back to 1970, so the interfaces name the start instead. */
  private readonly offsetSec: number;
  private readonly time: CaptureTime = { sec: 0, subPs: 0 };
  private interfaceCount = 0;

  constructor(options: PcapngWriterOptions = {}) {
    super();
    const { digits, psPerTick } = RESOLUTIONS[options.resolution ?? 'ns'];
    const start = options.start ?? { sec: 0, subPs: 0 };
    this.little = options.byteOrder !== 'big';
    this.snapLen = checkedSnapLen(options.snapLen);
    this.digits = digits;
    this.psPerTick = psPerTick;
    this.perSec = PS_PER_SEC / psPerTick;
    this.offsetSec = psPerTick === 1 ? start.sec : 0;
    this.start = { sec: start.sec - this.offsetSec, subPs: start.subPs };
    this.sectionHeader();
    for (const name of options.interfaces ?? []) this.addInterface(name);
  }

  /** @returns the id that frames of this interface are written with */
  addInterface(name: string): number {
    const encoded = this.encode('interface name', name);
    const offsetLen = this.offsetSec === 0 ? 0 : optionLen(8);
    const options = optionLen(encoded.length) + optionLen(1) + offsetLen + optionLen(0);
    const body = this.openBlock(BLOCK_INTERFACE, INTERFACE_BODY + options);
    const { view, bytes } = this.out;
    view.setUint16(body, LINKTYPE_ETHERNET, this.little);
    view.setUint32(body + 4, this.snapLen, this.little);
    let at = this.option(body + INTERFACE_BODY, OPT_IF_NAME, encoded);
    bytes[at + 4] = this.digits;
    at = this.optionHeader(at, OPT_IF_TSRESOL, 1);
    if (offsetLen > 0) {
      storeI64(view, at + 4, this.offsetSec, this.little);
      this.optionHeader(at, OPT_IF_TSOFFSET, 8);
    }
    return this.interfaceCount++;
  }

  override frameAt(
    interfaceId: number,
    sec: number,
    subPs: number,
    bytes: Uint8Array,
    at: number,
    lenBytes: number,
    extra?: FrameExtra,
  ): void {
    this.checkInterface(interfaceId);
    this.setTime(sec, subPs);
    const capLen = Math.min(lenBytes, this.snapLen);
    const comment = extra?.comment === undefined ? NO_BYTES : this.encode('comment', extra.comment);
    const options = extra === undefined ? 0 : this.packetOptionsLen(extra, comment);
    const body = this.openBlock(BLOCK_ENHANCED, ENHANCED_BODY + padded(capLen) + options);
    const { view } = this.out;
    view.setUint32(body, interfaceId, this.little);
    const ticks = Math.floor(this.time.subPs / this.psPerTick);
    storeTicks(view, body + 4, this.little, this.time.sec, this.perSec, ticks);
    view.setUint32(body + 12, capLen, this.little);
    view.setUint32(body + 16, extra?.wireLen ?? lenBytes, this.little);
    this.out.bytes.set(bytes.subarray(at, at + capLen), body + ENHANCED_BODY);
    if (options > 0) this.packetOptions(body + ENHANCED_BODY + padded(capLen), extra!, comment);
  }

  override finish(): Uint8Array {
    return this.out.join();
  }

  private sectionHeader(): void {
    const application = this.encode('application', 'ringscope');
    const options = optionLen(application.length) + optionLen(0);
    const body = this.openBlock(BLOCK_SECTION, SECTION_BODY + options);
    const { view } = this.out;
    view.setUint32(body, BYTE_ORDER_MAGIC, this.little);
    view.setUint16(body + 4, 1, this.little);
    storeI64(view, body + 8, -1, this.little);
    this.option(body + SECTION_BODY, OPT_SHB_USERAPPL, application);
  }

  private checkInterface(interfaceId: number): void {
    if (interfaceId >= 0 && interfaceId < this.interfaceCount) return;
    const allowed = this.interfaceCount === 0 ? 'none yet' : `0 to ${this.interfaceCount - 1}`;
    throw new RangeRefused('capture interface', interfaceId, allowed);
  }

  private setTime(sec: number, subPs: number): void {
    sinceEpoch(this.start, sec, subPs, this.time);
    const limitSec = Math.floor(2 ** 64 / this.perSec) - 1;
    if (this.time.sec >= 0 && this.time.sec <= limitSec) return;
    const from = this.offsetSec === 0 ? 'since 1970' : 'since the start';
    const what = 'frame time in a pcapng file';
    throw new RangeRefused(what, `${this.time.sec} s`, `0 to ${limitSec} s ${from}`);
  }

  /** Writes both lengths; the body between them is zero. Returns where the body starts. */
  private openBlock(type: number, bodyLen: number): number {
    const lenBytes = BLOCK_FRAME + bodyLen;
    const at = this.out.reserve(lenBytes);
    const { view } = this.out;
    view.setUint32(at, type, this.little);
    view.setUint32(at + 4, lenBytes, this.little);
    view.setUint32(at + lenBytes - 4, lenBytes, this.little);
    return at + 8;
  }

  private packetOptionsLen(extra: FrameExtra, comment: Uint8Array): number {
    const commentLen = extra.comment === undefined ? 0 : optionLen(comment.length);
    const flagsLen = extra.direction === undefined ? 0 : optionLen(4);
    const both = commentLen + flagsLen;
    return both === 0 ? 0 : both + optionLen(0);
  }

  private packetOptions(at: number, extra: FrameExtra, comment: Uint8Array): void {
    const flags = extra.comment === undefined ? at : this.option(at, OPT_COMMENT, comment);
    if (extra.direction === undefined) return;
    const direction = extra.direction === 'in' ? FLAGS_INBOUND : FLAGS_OUTBOUND;
    this.optionHeader(flags, OPT_EPB_FLAGS, 4);
    this.out.view.setUint32(flags + 4, direction, this.little);
  }

  private option(at: number, code: number, value: Uint8Array): number {
    this.out.bytes.set(value, at + 4);
    return this.optionHeader(at, code, value.length);
  }

  /** @returns where the next option goes; the end mark is all zero and needs no writing */
  private optionHeader(at: number, code: number, lenBytes: number): number {
    this.out.view.setUint16(at, code, this.little);
    this.out.view.setUint16(at + 2, lenBytes, this.little);
    return at + optionLen(lenBytes);
  }

  private encode(what: string, text: string): Uint8Array {
    const encoded = this.text.encode(text);
    if (encoded.length <= MAX_OPTION) return encoded;
    throw new RangeRefused(what, `${encoded.length} bytes`, `0 to ${MAX_OPTION} bytes of UTF-8`);
  }
}

const optionLen = (valueLen: number): number => 4 + padded(valueLen);

function storeI64(view: DataView, at: number, value: number, little: boolean): void {
  view.setInt32(little ? at + 4 : at, Math.floor(value / 2 ** 32), little);
  view.setInt32(little ? at : at + 4, value % 2 ** 32, little);
}
