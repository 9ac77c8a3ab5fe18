/**
 * Coherent DMA memory: rings and other structures that driver and device both hold for long.
 *
 * Handed out in whole pages, back to back; what is given back serves the next request of its size,
 * so that a device can be closed and opened for ever.
 *
 * @linux dma_alloc_coherent, dma_free_coherent
 */
import type { HostAddr, HostMemory, Region } from './memory.ts';
import { PAGE_SIZE } from './memory.ts';
import { RangeRefused } from './errors.ts';

export class CoherentMemory {
  private readonly mem: HostMemory;
  private readonly region: Region;
  private next: HostAddr;
  private readonly free: Map<number, HostAddr[]> = new Map();

  constructor(mem: HostMemory, region: Region) {
    this.mem = mem;
    this.region = region;
    this.next = region.at;
  }

  /** Zeroed memory. @throws RangeRefused when the region was sized too small */
  alloc(bytes: number): HostAddr {
    const size = roundUp(bytes);
    const reused = this.free.get(size)?.pop();
    const at = reused ?? this.next;
    if (reused === undefined) {
      const end = this.region.at + this.region.bytes;
      if (at + size > end)
        throw new RangeRefused(
          `memory of ${this.region.name}`,
          `${size} bytes`,
          `${end - at} left`,
        );
      this.next += size;
    }
    this.mem.fill(at, size, 0);
    return at;
  }

  release(at: HostAddr, bytes: number): void {
    const size = roundUp(bytes);
    const list = this.free.get(size);
    if (list === undefined) this.free.set(size, [at]);
    else list.push(at);
  }
}

const roundUp = (bytes: number): number => Math.ceil(bytes / PAGE_SIZE) * PAGE_SIZE;
