/**
 * page_pool's counters, and the names under which `ethtool -S` shows them.
 *
 * @linux struct page_pool_stats, page_pool_ethtool_stats_get; include/net/page_pool/types.h
 */
export class PagePoolStats {
  allocFast = 0;
  allocSlow = 0;
  allocEmpty = 0;
  allocRefill = 0;
  recycleCached = 0;
  recycleCacheFull = 0;
  recycleRing = 0;
  recycleRingFull = 0;

  add(other: PagePoolStats): void {
    for (const field of FIELDS) this[field] += other[field];
  }
}

const FIELDS = [
  'allocFast',
  'allocSlow',
  'allocEmpty',
  'allocRefill',
  'recycleCached',
  'recycleCacheFull',
  'recycleRing',
  'recycleRingFull',
] as const;

/**
 * The sum over a device's pools. Three are always 0 here: pages of higher order, pages from
 * another memory node, and pages that somebody else still refers to.
 */
export function pagePoolEthtoolStats(all: readonly PagePoolStats[]): Record<string, number> {
  const sum = (field: (typeof FIELDS)[number]): number => all.reduce((n, s) => n + s[field], 0);
  return {
    rx_pp_alloc_fast: sum('allocFast'),
    rx_pp_alloc_slow: sum('allocSlow'),
    rx_pp_alloc_slow_ho: 0,
    rx_pp_alloc_empty: sum('allocEmpty'),
    rx_pp_alloc_refill: sum('allocRefill'),
    rx_pp_alloc_waive: 0,
    rx_pp_recycle_cached: sum('recycleCached'),
    rx_pp_recycle_cache_full: sum('recycleCacheFull'),
    rx_pp_recycle_ring: sum('recycleRing'),
    rx_pp_recycle_ring_full: sum('recycleRingFull'),
    rx_pp_recycle_released_ref: 0,
  };
}
