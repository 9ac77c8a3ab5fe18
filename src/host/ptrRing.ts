/**
 * A bounded first-in first-out queue of addresses between two contexts: pages that others give back to
 * a pool, frames that others hand to a CPU.
 *
 * A slot is free again as soon as it was read; Linux frees slots in groups of 16.
 *
 * @linux struct ptr_ring; include/linux/ptr_ring.h
 */
import type { HostAddr } from './memory.ts';

export class PtrRing {
  private readonly queue: Int32Array;
  private head = 0;
  private used = 0;

  constructor(size: number) {
    this.queue = new Int32Array(size);
  }

  get size(): number {
    return this.queue.length;
  }

  get length(): number {
    return this.used;
  }

  /** @returns false when the ring is full. @linux ptr_ring_produce */
  produce(page: HostAddr): boolean {
    const size = this.queue.length;
    if (this.used === size) return false;
    const tail = this.head + this.used++;
    this.queue[tail < size ? tail : tail - size] = page;
    return true;
  }

  /** @returns 0 when the ring is empty. @linux __ptr_ring_consume */
  consume(): HostAddr {
    if (this.used === 0) return 0;
    const page = this.queue[this.head]!;
    this.used--;
    if (++this.head === this.queue.length) this.head = 0;
    return page;
  }
}
