/**
 * A page_pool's cache and ring in host memory, for compiled loops beside the driver's functions.
 *
 *   +0    cached  pages in the cache
 *   +4    cut     not 0: pages are cut into pieces, which `PpPages` counts
 *   +8    cache   128 words; the last of `cached` is taken next
 *   +520  ring    `host/ptrRing.ts`
 *
 * A loop may do what `PagePool` does with whole pages where it need not ask anybody, while nobody
 * watches, and `PagePool.at` is not 0:
 *
 * - take: no faults are armed, the cache has a page, and gives its last. No charge.
 * - give: `cut` is 0. Into the cache, when whoever gives runs in the pool's NAPI (`napiLocal`) and
 *   the cache has room: charge `OP_PAGE_POOL_CACHE`. Else into the ring when that has room: charge
 *   `OP_PAGE_POOL_RING`.
 *
 * `PagePoolStats` are not here: whoever runs a loop adds to them what it did, `allocFast` for each
 * page taken, `recycleCached`, `recycleRing`, and `recycleCacheFull` for each that went into the
 * ring because the cache was full. Where a page has to come from the ring, or to go back to the page
 * allocator, the loop ends, and TypeScript goes on.
 *
 * @linux struct page_pool, pp_alloc_cache; include/net/page_pool/types.h
 */
export const PP_ALLOC_CACHE_SIZE = 128;

export const PP_CACHED = 0;
export const PP_CUT = 4;
export const PP_CACHE = 8;
export const PP_RING: number = PP_CACHE + 4 * PP_ALLOC_CACHE_SIZE;
