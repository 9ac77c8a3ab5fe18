/**
 * The page allocator: order-0 pages of one region, last freed first reused.
 *
 * @linux alloc_pages, __free_pages
 */
import type { HostAddr, HostMemory, Region } from './memory.ts';
import { PAGE_SHIFT, PAGE_SIZE } from './memory.ts';
import { FREE, OWNED } from './ledger.ts';
import type { Ledger } from './ledger.ts';
import { FAULT_PAGE_ALLOC } from './faults.ts';
import type { Faults } from './faults.ts';
import { bugOn } from './errors.ts';

export class PageAllocator {
  readonly region: Region;
  readonly total: number;
  private readonly stack: Int32Array;
  private readonly ledger: Ledger;
  private readonly faults: Faults;
  private depth: number;

  constructor(mem: HostMemory, region: Region, ledger: Ledger, faults: Faults) {
    this.region = region;
    this.ledger = ledger;
    this.faults = faults;
    this.total = region.bytes >>> PAGE_SHIFT;
    this.stack = new Int32Array(this.total);
    for (let i = 0; i < this.total; i++)
      this.stack[i] = region.at + (this.total - 1 - i) * PAGE_SIZE;
    this.depth = this.total;
    bugOn(region.at + region.bytes > mem.bytes, 'page region outside host memory');
  }

  /** Pages nobody owns. */
  get free(): number {
    return this.depth;
  }

  /** One page, contents unspecified, or 0 when none is left or the fault point `pageAlloc` fires. */
  alloc(): HostAddr {
    if (this.depth === 0) return 0;
    if (this.faults.armed && this.faults.fires(FAULT_PAGE_ALLOC)) return 0;
    const page = this.stack[--this.depth]!;
    if (this.ledger.on) this.ledger.move(page, OWNED);
    return page;
  }

  /** Give a page back. In checked mode it is poisoned, so that a stale reader fails at once. */
  release(page: HostAddr): void {
    bugOn(this.depth === this.total, 'more pages freed than were ever allocated');
    if (this.ledger.on) this.ledger.move(page, FREE);
    this.stack[this.depth++] = page;
  }
}
