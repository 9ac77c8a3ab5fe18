/**
 * Small packet heads: equal slots cut from host pages, last freed first used.
 *
 * Pages are taken when no slot is free and stay until the end, as the kernel's slab caches keep
 * theirs; `reap` gives them back once every slot is free.
 *
 * @linux napi_alloc_skb's skb_small_head_cache and page fragments; net/core/skbuff.c
 */
import { OP_PAGE_ALLOC } from '../host/cost.ts';
import type { Cpu } from '../host/cpu.ts';
import { bugOn } from '../host/errors.ts';
import { SKB } from '../host/ledger.ts';
import type { HostAddr } from '../host/memory.ts';
import { PAGE_SIZE } from '../host/memory.ts';
import type { PageAllocator } from '../host/pages.ts';
import type { Watch } from '../host/watch.ts';

export class HeadSlab {
  readonly slotBytes: number;
  private readonly pages: PageAllocator;
  private readonly watch: Watch;
  private readonly owned: HostAddr[] = [];
  /** Slots nobody uses, `count` of them; what lies behind is left over. */
  private readonly free: HostAddr[] = [];
  private count = 0;

  /** @param slotBytes a power of two, up to a page */
  constructor(slotBytes: number, pages: PageAllocator, watch: Watch) {
    this.slotBytes = slotBytes;
    this.pages = pages;
    this.watch = watch;
  }

  /** Pages held, full or not. */
  get pageCount(): number {
    return this.owned.length;
  }

  /** A slot, or 0 when host memory has no page left. */
  alloc(cpu: Cpu): HostAddr {
    if (this.count === 0 && !this.grow(cpu)) return 0;
    return this.free[--this.count]!;
  }

  /** The slot that `alloc` gives after `n` others; 0 when it would take a page for that. */
  peek(n: number): HostAddr {
    const i = this.count - 1 - n;
    return i < 0 ? 0 : this.free[i]!;
  }

  /** What `alloc` does so often, for who has peeked at the slots. */
  take(n: number): void {
    this.count -= n;
    bugOn(this.count < 0, 'more slots are taken than are free');
  }

  release(slot: HostAddr): void {
    this.free[this.count++] = slot;
  }

  /** Give all pages back, when no slot is in use. @returns whether it did */
  reap(): boolean {
    if (this.count * this.slotBytes !== this.owned.length * PAGE_SIZE) return false;
    for (const page of this.owned) this.pages.release(page);
    this.owned.length = 0;
    this.free.length = 0;
    this.count = 0;
    return true;
  }

  private grow(cpu: Cpu): boolean {
    const page = this.pages.alloc();
    if (page === 0) return false;
    cpu.charge(OP_PAGE_ALLOC);
    if (this.watch.on) this.watch.page(page, SKB);
    this.owned.push(page);
    for (let at = page + PAGE_SIZE; at > page;) this.release((at -= this.slotBytes));
    return true;
  }
}
