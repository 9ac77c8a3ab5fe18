/**
 * Walks the blocks of a pcapng file: their bounds, their fields in the section's byte order, their
 * options. Knows no packet, only how many there have been, to say where a file is damaged.
 */
import type { CaptureError, CaptureFile } from './capturedFrame.ts';
import {
  BLOCK_ENHANCED,
  BLOCK_FRAME,
  BLOCK_PACKET,
  BLOCK_SECTION,
  BLOCK_SIMPLE,
  BYTE_ORDER_MAGIC,
  OPT_END,
  padded,
} from './pcapngLayout.ts';

/** A block whose lengths have been found to agree. */
export interface Block {
  readonly type: number;
  /** Where it starts in the file. */
  readonly offset: number;
  /** The body lies in [body, end), as whole 32-bit units. */
  readonly body: number;
  readonly end: number;
}

export class BlockWalk {
  /** Number of the last packet read. */
  packets = 0;
  private readonly file: CaptureFile;
  private readonly text = new TextDecoder();
  /** Byte order of the current section. */
  private little = true;

  constructor(file: CaptureFile) {
    this.file = file;
  }

  /**
   * Checks the block at `offset`. A section header sets the byte order, its own length included;
   * a length that is no multiple of four is rounded up, as Wireshark does.
   */
  blockAt(offset: number): Block {
    const left = this.file.bytes.length - offset;
    if (left < BLOCK_FRAME) {
      const what = `a block has at least ${BLOCK_FRAME} bytes, ${left} are left in the file`;
      throw this.file.refusePacket(this.packets + 1, offset, what);
    }
    const type = this.u32(offset);
    if (type === BLOCK_SECTION) this.little = this.sectionIsLittle(offset);
    const lenBytes = this.u32(offset + 4);
    const end = offset + padded(lenBytes) - 4;
    const block = { type, offset, body: offset + 8, end };
    this.checkLength(block, lenBytes, left);
    return block;
  }

  private sectionIsLittle(offset: number): boolean {
    if (this.file.view.getUint32(offset + 8, true) === BYTE_ORDER_MAGIC) return true;
    const magic = this.file.view.getUint32(offset + 8, false);
    if (magic === BYTE_ORDER_MAGIC) return false;
    const what = `byte-order magic is 0x${magic.toString(16)}, expected 0x1a2b3c4d or 0x4d3c2b1a`;
    throw this.file.refuseBlock(BLOCK_SECTION, this.packets, offset, what);
  }

  private checkLength(block: Block, lenBytes: number, left: number): void {
    if (lenBytes < BLOCK_FRAME) {
      throw this.refuse(block, `block says ${lenBytes} bytes, it has at least ${BLOCK_FRAME}`);
    }
    if (block.end + 4 - block.offset > left) {
      throw this.refuse(block, `block says ${lenBytes} bytes, ${left} are left in the file`);
    }
    const again = this.u32(block.end);
    if (again !== lenBytes) {
      throw this.refuse(block, `block says ${lenBytes} bytes at its start, ${again} at its end`);
    }
  }

  needBody(block: Block, lenBytes: number): void {
    const has = block.end - block.body;
    if (has >= lenBytes) return;
    throw this.refuse(block, `its body has ${has} bytes, at least ${lenBytes} are needed`);
  }

  /** Are the captured bytes inside the block? */
  needData(block: Block, at: number, capLen: number): void {
    const left = block.end - at;
    if (capLen <= left) return;
    throw this.refuse(block, `record says ${capLen} bytes captured, ${left} are left in the block`);
  }

  /** Calls `take` with each option from `at` to the end of the block; the end mark may be missing. */
  eachOption(
    block: Block,
    at: number,
    take: (code: number, at: number, len: number) => void,
  ): void {
    for (let option = at; option + 4 <= block.end;) {
      const code = this.u16(option);
      const len = this.u16(option + 2);
      if (code === OPT_END) return;
      const left = block.end - option - 4;
      if (len > left) {
        throw this.refuse(block, `option ${code} says ${len} bytes, ${left} are left in the block`);
      }
      take(code, option + 4, len);
      option += 4 + padded(len);
    }
  }

  needOption(block: Block, name: string, len: number, expected: number): void {
    if (len === expected) return;
    throw this.refuse(block, `option ${name} has ${len} bytes, expected ${expected}`);
  }

  u8(at: number): number {
    return this.file.view.getUint8(at);
  }

  u16(at: number): number {
    return this.file.view.getUint16(at, this.little);
  }

  u32(at: number): number {
    return this.file.view.getUint32(at, this.little);
  }

  /** Exact up to 2^53 either way. */
  i64(at: number): number {
    const high = this.little ? at + 4 : at;
    const low = this.little ? at : at + 4;
    return this.file.view.getInt32(high, this.little) * 2 ** 32 + this.u32(low);
  }

  string(at: number, len: number): string {
    return this.text.decode(this.file.bytes.subarray(at, at + len));
  }

  /** A packet's block is named by the packet's number, any other by its type. */
  refuse(block: Block, what: string): CaptureError {
    const { type, offset } = block;
    const isPacket = type === BLOCK_ENHANCED || type === BLOCK_SIMPLE || type === BLOCK_PACKET;
    if (isPacket) return this.file.refusePacket(this.packets + 1, offset, what);
    return this.file.refuseBlock(type, this.packets, offset, what);
  }
}
