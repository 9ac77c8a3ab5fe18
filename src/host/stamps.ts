/**
 * When each frame arrived: the NIC's receive timestamps, one per 512 bytes of host memory.
 *
 * Kept outside descriptors, which have no room for picoseconds, and indexed by the address the
 * frame was written to, so that whoever holds the packet can ask for its age without carrying
 * anything along. The smallest RX buffer is larger than 512 bytes.
 *
 * They lie in host memory because the NIC's loops write them; no address of theirs is ever told.
 */
import type { Ps } from './clock.ts';
import type { HostAddr, HostMemory, Region } from './memory.ts';
import type { StageTimes } from './stages.ts';

export const STAMP_SHIFT = 9;
const STAMP_BYTES = 8;

/** Bytes that the stamps of a memory of `bytes` take. */
export const stampBytes = (bytes: number): number => (bytes >>> STAMP_SHIFT) * STAMP_BYTES;

export class RxStamps {
  /** By address >>> STAMP_SHIFT; the NIC's bulk loop writes it directly. */
  readonly at: Float64Array;
  /** Where who knows more of a packet books it; null unless asked for. */
  stages: StageTimes | null = null;

  /** @param region at least `stampBytes` of the whole memory */
  constructor(mem: HostMemory, region: Region) {
    this.at = mem.doublesAt(region.at, mem.bytes >>> STAMP_SHIFT);
  }

  /** The frame that was written to `at` had arrived, its last bit included, at `time`. */
  set(at: HostAddr, time: Ps): void {
    this.at[at >>> STAMP_SHIFT] = time;
  }

  get(at: HostAddr): Ps {
    return this.at[at >>> STAMP_SHIFT]!;
  }
}
