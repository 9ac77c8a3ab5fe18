/**
 * What `struct page` knows of page_pool: which pool a page came from, and how many pieces of it are out.
 *
 * Kept outside the pages, indexed by page number, so that whoever holds a packet finds the way back.
 *
 * @linux pp, pp_ref_count in struct page; include/linux/mm_types.h
 */
import { bugOn } from '../host/errors.ts';
import type { HostAddr } from '../host/memory.ts';
import { PAGE_SHIFT } from '../host/memory.ts';
import type { PagePool } from './pagePool.ts';

export class PpPages {
  /** Pool id per page; 0: belongs to no pool. */
  private readonly poolIds: Uint16Array;
  /** References per page; 1 unless the page is cut into fragments. */
  private readonly refs: Int32Array;
  private readonly pools: (PagePool | null)[] = [null];

  constructor(memoryBytes: number) {
    this.poolIds = new Uint16Array(memoryBytes >>> PAGE_SHIFT);
    this.refs = new Int32Array(memoryBytes >>> PAGE_SHIFT);
  }

  /** @returns the id, the smallest free one */
  register(pool: PagePool): number {
    const free = this.pools.indexOf(null, 1);
    const id = free < 0 ? this.pools.length : free;
    this.pools[id] = pool;
    return id;
  }

  /** Only once none of the pool's pages is out any more. */
  unregister(id: number): void {
    this.pools[id] = null;
  }

  /** The page is the pool's, in one piece. @linux page_pool_set_pp_info */
  claim(page: HostAddr, id: number): void {
    this.poolIds[page >>> PAGE_SHIFT] = id;
    this.refs[page >>> PAGE_SHIFT] = 1;
  }

  /** @linux page_pool_clear_pp_info */
  disclaim(page: HostAddr): void {
    this.poolIds[page >>> PAGE_SHIFT] = 0;
  }

  poolId(page: HostAddr): number {
    return this.poolIds[page >>> PAGE_SHIFT]!;
  }

  /** The pool a page belongs to, null when it came straight from the page allocator. */
  poolOf(page: HostAddr): PagePool | null {
    return this.pools[this.poolIds[page >>> PAGE_SHIFT]!] ?? null;
  }

  /** @linux page_pool_fragment_netmem */
  fragment(page: HostAddr, refs: number): void {
    this.refs[page >>> PAGE_SHIFT] = refs;
  }

  /**
   * Drop `n` references.
   *
   * @returns references left; at 0 the page is whole again and counts 1, ready for its next use
   * @linux page_pool_unref_netmem
   */
  unref(page: HostAddr, n: number): number {
    const left = this.refs[page >>> PAGE_SHIFT]! - n;
    bugOn(left < 0, 'page_pool: more pieces of a page returned than were handed out');
    this.refs[page >>> PAGE_SHIFT] = left === 0 ? 1 : left;
    return left;
  }
}
