/**
 * The block capture file: sections, each with its own byte order and interfaces.
 *
 *   block           +0 type | +4 total length | body, in 32-bit units | total length again
 *   section header  +8 byte-order magic | +12 version | +16 section length (unused) | options
 *   interface       +8 link type, 16 bits | +12 snap length | options: name, tick, offset, FCS
 *   enhanced packet +8 interface | +12 ticks, high word | +16 low word
 *                   +20 bytes captured | +24 bytes on the wire | +28 the bytes, padded | options
 *   simple packet   +8 bytes on the wire | +12 the bytes: interface 0, no time, cut by its
 *                   snap length
 *   packet (old)    as enhanced, with interface and drop count, 16 bits each, in its first word
 *   option          +0 code, 16 bits | +2 length, 16 bits | +4 value, padded
 *
 * Every other block is passed over by its length: name resolution, statistics, secrets, custom
 * ones and those that did not exist when this was written.
 *
 * @spec draft-ietf-opsawg-pcapng
 */
import {
  FrameList,
  type Capture,
  type CaptureFile,
  type CaptureInterface,
  type CaptureTime,
} from './capturedFrame.ts';
import { ticksToTime, tickScale, type TickScale } from './captureTicks.ts';
import { BlockWalk, type Block } from './pcapngBlocks.ts';
import {
  BLOCK_ENHANCED,
  BLOCK_INTERFACE,
  BLOCK_PACKET,
  BLOCK_SECTION,
  BLOCK_SIMPLE,
  ENHANCED_BODY,
  FLAGS_FCS_MASK,
  FLAGS_FCS_SHIFT,
  INTERFACE_BODY,
  OPT_COMMENT,
  OPT_EPB_FLAGS,
  OPT_IF_FCSLEN,
  OPT_IF_NAME,
  OPT_IF_TSOFFSET,
  OPT_IF_TSRESOL,
  padded,
  SECTION_BODY,
  SIMPLE_BODY,
} from './pcapngLayout.ts';

/**
 * Blocks without a frame that Wireshark numbers all the same: journal entries, events of system
 * calls (three layouts), custom blocks (to be copied or not). Found by giving it each of them.
 */
const NUMBERED: ReadonlySet<number> = new Set([9, 0x204, 0x216, 0x221, 0xbad, 0x40000bad]);

/** if_tsresol of an interface that does not say: microseconds. */
const DEFAULT_TICK = 6;
/** Either way of 1970; beyond it, seconds and their differences would not be exact. */
const MAX_SECONDS = 2 ** 51;

interface SectionInterface extends CaptureInterface {
  readonly wireFcsLen: number;
  readonly scale: TickScale;
}

/** Do the first four bytes start a section? Wants four bytes. */
export const looksLikePcapng = (file: CaptureFile): boolean =>
  file.view.getUint32(0) === BLOCK_SECTION;

/**
 * Reads a whole pcapng file. The length of a section is not looked at, since the next section
 * announces itself.
 *
 * @throws CaptureError at the first block that the file does not bear out
 */
export function readPcapng(file: CaptureFile): Capture {
  return new PcapngReader(file).read();
}

class PcapngReader {
  private readonly file: CaptureFile;
  private readonly walk: BlockWalk;
  private readonly list = new FrameList();
  private readonly interfaces: SectionInterface[] = [];
  private readonly time: CaptureTime = { sec: 0, subPs: 0 };
  /** Index of the current section's interface 0. */
  private firstInterface = 0;

  constructor(file: CaptureFile) {
    this.file = file;
    this.walk = new BlockWalk(file);
  }

  read(): Capture {
    let offset = 0;
    while (offset < this.file.bytes.length) {
      const block = this.walk.blockAt(offset);
      this.take(block);
      offset = block.end + 4;
    }
    const interfaces = this.interfaces.map(({ name, linkType, snapLen }) => {
      return { name, linkType, snapLen };
    });
    return this.list.finish('pcapng', this.file, interfaces);
  }

  private take(block: Block): void {
    const { type } = block;
    if (type === BLOCK_ENHANCED || type === BLOCK_PACKET) this.takePacket(block);
    else if (type === BLOCK_SIMPLE) this.takeSimple(block);
    else if (type === BLOCK_INTERFACE) this.interfaces.push(readInterface(this.walk, block));
    else if (type === BLOCK_SECTION) this.takeSection(block);
    else if (NUMBERED.has(type)) this.walk.packets++;
  }

  private takeSection(block: Block): void {
    const { walk } = this;
    walk.needBody(block, SECTION_BODY);
    const major = walk.u16(block.body + 4);
    const minor = walk.u16(block.body + 6);
    if (major !== 1 || (minor !== 0 && minor !== 2)) {
      throw walk.refuse(block, `pcapng version ${major}.${minor} is not supported (1.0, 1.2)`);
    }
    this.firstInterface = this.interfaces.length;
  }

  private takePacket(block: Block): void {
    const { walk } = this;
    const { type, offset, body } = block;
    walk.needBody(block, ENHANCED_BODY);
    const localId = type === BLOCK_PACKET ? walk.u16(body) : walk.u32(body);
    const interfaceId = this.interfaceId(block, localId);
    const from = this.interfaces[interfaceId]!;
    const at = body + ENHANCED_BODY;
    const capLen = walk.u32(body + 12);
    const wireLen = walk.u32(body + 16);
    walk.needData(block, at, capLen);
    this.readTime(block, from.scale);
    const { comment, fcsLen } = packetOptions(walk, block, at + padded(capLen));
    const wireFcsLen = fcsLen > 0 ? fcsLen : from.wireFcsLen;
    const number = ++walk.packets;
    const { linkType } = from;
    this.list.add(
      { number, offset, at, capLen, wireLen, wireFcsLen, interfaceId, linkType, comment },
      this.time,
    );
  }

  private readTime(block: Block, scale: TickScale): void {
    ticksToTime(scale, this.walk.u32(block.body + 4), this.walk.u32(block.body + 8), this.time);
    const { sec } = this.time;
    if (Math.abs(sec) <= MAX_SECONDS) return;
    throw this.walk.refuse(block, `time stamp is ${sec} s from 1970, at most 2^51 s can be held`);
  }

  private takeSimple(block: Block): void {
    const { walk } = this;
    const { offset, body } = block;
    walk.needBody(block, SIMPLE_BODY);
    const interfaceId = this.interfaceId(block, 0);
    const { snapLen, linkType, wireFcsLen } = this.interfaces[interfaceId]!;
    const at = body + SIMPLE_BODY;
    const wireLen = walk.u32(body);
    const capLen = snapLen === 0 ? wireLen : Math.min(wireLen, snapLen);
    walk.needData(block, at, capLen);
    const number = ++walk.packets;
    const comment = '';
    this.list.add(
      { number, offset, at, capLen, wireLen, wireFcsLen, interfaceId, linkType, comment },
      null,
    );
  }

  /** From a section's own count of interfaces to the file's. */
  private interfaceId(block: Block, localId: number): number {
    const known = this.interfaces.length - this.firstInterface;
    if (localId < known) return this.firstInterface + localId;
    const what = `it is of interface ${localId}, the section has described ${known} so far`;
    throw this.walk.refuse(block, what);
  }
}

function readInterface(walk: BlockWalk, block: Block): SectionInterface {
  walk.needBody(block, INTERFACE_BODY);
  let name = '';
  let tick = DEFAULT_TICK;
  let offsetSec = 0;
  let wireFcsLen = 0;
  walk.eachOption(block, block.body + INTERFACE_BODY, (code, at, len) => {
    if (code === OPT_IF_NAME) name = walk.string(at, len);
    else if (code === OPT_IF_TSRESOL) {
      walk.needOption(block, 'if_tsresol', len, 1);
      tick = walk.u8(at);
    } else if (code === OPT_IF_TSOFFSET) {
      walk.needOption(block, 'if_tsoffset', len, 8);
      offsetSec = walk.i64(at);
    } else if (code === OPT_IF_FCSLEN) {
      walk.needOption(block, 'if_fcslen', len, 1);
      wireFcsLen = fcsBytes(walk.u8(at));
    }
  });
  const scale = tickScale(tick, offsetSec);
  if (scale === null) {
    const what = `if_tsresol 0x${tick.toString(16)} is not supported (to 10^-19 s and 2^-63 s)`;
    throw walk.refuse(block, what);
  }
  const linkType = walk.u16(block.body);
  return { name, linkType, snapLen: walk.u32(block.body + 4), wireFcsLen, scale };
}

/** The specification says bits and gives 4 as its example; writers have followed either. */
const fcsBytes = (value: number): number => (value >= 8 ? Math.floor(value / 8) : value);

interface PacketOptions {
  comment: string;
  /** 0 where the packet does not say. */
  fcsLen: number;
}

const NO_OPTIONS: Readonly<PacketOptions> = { comment: '', fcsLen: 0 };

function packetOptions(walk: BlockWalk, block: Block, from: number): Readonly<PacketOptions> {
  if (from >= block.end) return NO_OPTIONS;
  const comments: string[] = [];
  let fcsLen = 0;
  walk.eachOption(block, from, (code, at, len) => {
    if (code === OPT_COMMENT) comments.push(walk.string(at, len));
    else if (code === OPT_EPB_FLAGS) {
      walk.needOption(block, 'epb_flags', len, 4);
      fcsLen = (walk.u32(at) >>> FLAGS_FCS_SHIFT) & FLAGS_FCS_MASK;
    }
  });
  return { comment: comments.join('\n'), fcsLen };
}
