/**
 * Which bytes of map memory programs may touch, for checked mode: of elements the value, and to read
 * the key; not what lies between, not chains, free memory or what maps keep for themselves. Whose map
 * it is, is not asked: a value of a map that the program does not name passes.
 */
import type { HostAddr } from '../../host/memory.ts';
import type { MapDef } from './mapDef.ts';
import { round8 } from './mapDef.ts';
import { BPF_F_RDONLY_PROG, BPF_F_WRONLY_PROG } from './uapi.ts';

/** @param off from the block's first byte */
export type Opened = (off: number, len: number, write: boolean) => boolean;

/** Elements of `stride` bytes, each with a key at `keyAt` and values from `valueAt` to its end. */
export interface ElemLayout {
  readonly stride: number;
  /** -1: none that programs see. */
  readonly keyAt: number;
  readonly valueAt: number;
  /** Bytes of elements; padding may follow. */
  readonly bytes: number;
}

export function openElems(def: MapDef, layout: ElemLayout): Opened {
  const { stride, keyAt, valueAt, bytes } = layout;
  const valueStride = round8(def.valueSize);
  const readable = (def.flags & BPF_F_WRONLY_PROG) === 0;
  const writable = (def.flags & BPF_F_RDONLY_PROG) === 0;
  return (off, len, write) => {
    if (off >= bytes) return false;
    const at = off % stride;
    if (at < valueAt) return !write && keyAt >= 0 && at >= keyAt && at + len <= keyAt + def.keySize;
    return (write ? writable : readable) && ((at - valueAt) % valueStride) + len <= def.valueSize;
  };
}

interface Block {
  readonly at: HostAddr;
  readonly end: HostAddr;
  readonly opened: Opened;
}

/** The blocks of map memory that programs may touch, in order of addresses. */
export class OpenMemory {
  private readonly blocks: Block[] = [];

  private firstBehind(at: HostAddr): number {
    let low = 0;
    let high = this.blocks.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.blocks[middle]!.at > at) high = middle;
      else low = middle + 1;
    }
    return low;
  }

  add(at: HostAddr, bytes: number, opened: Opened): void {
    this.blocks.splice(this.firstBehind(at), 0, { at, end: at + bytes, opened });
  }

  /** The block at `at`, if it was open, is closed. */
  remove(at: HostAddr): void {
    const i = this.firstBehind(at) - 1;
    if (this.blocks[i]?.at === at) this.blocks.splice(i, 1);
  }

  allows(at: HostAddr, len: number, write: boolean): boolean {
    const block = this.blocks[this.firstBehind(at) - 1];
    return block !== undefined && at + len <= block.end && block.opened(at - block.at, len, write);
  }
}
