/**
 * When each frame arrived: the NIC's receive timestamps, one per 512 bytes of host memory.
 *
 * Kept outside descriptors, which have no room for picoseconds, and indexed by the address the
 * frame was written to, so that whoever holds the packet can ask for its age without carrying
 * anything along. The smallest RX buffer is larger than 512 bytes.
 *
 * They lie in host memory because the NIC's loops write them; no address of theirs is ever told. The
 * stamps of the first 512 bytes of all pages come first, then those of the second, and so on: nearly
 * all frames lie at the start of a page, and pages beside each other share a cache line so.
 */
import type { Ps } from './clock.ts';
import type { HostAddr, HostMemory, Region } from './memory.ts';
import { PAGE_SHIFT } from './memory.ts';
import type { StageTimes } from './stages.ts';

export const STAMP_SHIFT = 9;
const STAMP_BYTES = 8;
/** Of a page's stamps. */
export const STAMP_MASK: number = (1 << (PAGE_SHIFT - STAMP_SHIFT)) - 1;

/** Bytes that the stamps of a memory of `bytes` take. */
export const stampBytes = (bytes: number): number => (bytes >>> STAMP_SHIFT) * STAMP_BYTES;

export class RxStamps {
  /** By page, those of the pages' first 512 bytes first; the NIC's loops write it directly. */
  readonly at: Float64Array;
  readonly pages: number;
  /** Where who knows more of a packet books it; null unless asked for. */
  stages: StageTimes | null = null;

  /** @param region at least `stampBytes` of the whole memory */
  constructor(mem: HostMemory, region: Region) {
    this.at = mem.doublesAt(region.at, mem.bytes >>> STAMP_SHIFT);
    this.pages = mem.bytes >>> PAGE_SHIFT;
  }

  /** The frame that was written to `at` had arrived, its last bit included, at `time`. */
  set(at: HostAddr, time: Ps): void {
    this.at[this.index(at)] = time;
  }

  get(at: HostAddr): Ps {
    return this.at[this.index(at)]!;
  }

  private index(at: HostAddr): number {
    return (at >>> PAGE_SHIFT) + ((at >>> STAMP_SHIFT) & STAMP_MASK) * this.pages;
  }
}
