/**
 * Pieces of pages: several RX buffers that share one page.
 *
 * The pool cuts one page at a time. While it does, the page carries a large bias of references;
 * the pool gives back what it did not hand out when it goes on to the next page, and from then on
 * the pieces alone keep the page. It returns to the pool with the last of them.
 *
 * To the ledger a page with one piece has that piece's owner; from the second piece on it is
 * shared, and only its return to the pool is checked.
 *
 * @linux page_pool_alloc_frag, page_pool_drain_frag; net/core/page_pool.c
 */
import type { Cpu } from '../host/cpu.ts';
import { bugOn } from '../host/errors.ts';
import { DRIVER, POOL_CACHE, SHARED } from '../host/ledger.ts';
import type { HostAddr } from '../host/memory.ts';
import { PAGE_SIZE } from '../host/memory.ts';
import type { PagePool } from './pagePool.ts';
import { PP_FRAG_BIAS } from './pagePool.ts';

const DMA_CACHE_LINE = 64;

/**
 * One piece of `lenBytes`; it never crosses a page. Give it back with `put` of its page.
 *
 * @param lenBytes 1 to 4096, rounded up to a cache line
 * @returns its address, 0 when no page could be had
 * @linux page_pool_alloc_frag
 */
export function pagePoolAllocFrag(pool: PagePool, lenBytes: number, cpu: Cpu): HostAddr {
  const size = (lenBytes + DMA_CACHE_LINE - 1) & -DMA_CACHE_LINE;
  bugOn(size > PAGE_SIZE || size <= 0, 'a page_pool fragment is empty or longer than a page');
  let page = pool.fragPage;
  if (page !== 0 && pool.fragOffset + size > PAGE_SIZE) page = drainFrag(pool, page);
  if (page === 0 || pool.fragUsers === 0) return cutNewPage(pool, page, size, cpu);

  const at = page + pool.fragOffset;
  pool.fragOffset += size;
  if (++pool.fragUsers === 2 && pool.watch.on) pool.watch.page(page, SHARED);
  return at;
}

/** @param page the one whose pieces have all come back, or 0 for one from the pool */
function cutNewPage(pool: PagePool, page: HostAddr, size: number, cpu: Cpu): HostAddr {
  const from = page === 0 ? pool.alloc(cpu) : page;
  pool.fragPage = from;
  if (from === 0) return 0;
  pool.fragUsers = 1;
  pool.fragOffset = size;
  pool.setCut();
  pool.pp.fragment(from, PP_FRAG_BIAS);
  return from;
}

/** Give up the bias. @returns the page when all its pieces have come back, else 0. @linux page_pool_drain_frag */
function drainFrag(pool: PagePool, page: HostAddr): HostAddr {
  const users = pool.fragUsers;
  pool.fragUsers = 0;
  if (pool.pp.unref(page, PP_FRAG_BIAS - users) > 0) return 0;
  pool.stats.allocFast++;
  if (pool.watch.on) {
    if (users > 1) pool.watch.page(page, POOL_CACHE);
    pool.watch.page(page, DRIVER);
  }
  return page;
}
