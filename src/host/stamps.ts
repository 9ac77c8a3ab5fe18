/**
 * When each frame arrived: the NIC's receive timestamps, one per host page.
 *
 * Kept outside descriptors, which have no room for picoseconds, and indexed by page number, so
 * that whoever holds the packet can ask for its age without carrying anything along.
 */
import type { Ps } from './clock.ts';
import type { HostAddr } from './memory.ts';
import { PAGE_SHIFT } from './memory.ts';

export class RxStamps {
  /** By page number; the NIC's bulk loop writes it directly. */
  readonly at: Float64Array;

  constructor(memoryBytes: number) {
    this.at = new Float64Array(memoryBytes >>> PAGE_SHIFT);
  }

  /** The frame in the page around `at` had arrived, its last bit included, at `time`. */
  set(at: HostAddr, time: Ps): void {
    this.at[at >>> PAGE_SHIFT] = time;
  }

  get(at: HostAddr): Ps {
    return this.at[at >>> PAGE_SHIFT]!;
  }
}
