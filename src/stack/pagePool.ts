/**
 * page_pool: the pages of one RX queue, kept warm.
 *
 * Two levels. The cache is a stack of 128 that only the owning NAPI touches, without a lock. The
 * ring takes what other contexts return. A page comes from the cache, else up to 64 from the ring
 * refill the cache, else 64 come from the page allocator at once.
 *
 * Time: the published figures measure one allocation with its return, so the pair is booked when
 * the page comes back, to the CPU that returns it; a page from the allocator is booked when it is
 * taken.
 *
 * Not here, because host memory has no such thing: pages of higher order, memory nodes (`waive`),
 * pfmemalloc pages, memory providers, DMA mapping.
 *
 * @linux net/core/page_pool.c, include/net/page_pool/types.h
 */
import { OP_PAGE_ALLOC, OP_PAGE_POOL_CACHE, OP_PAGE_POOL_RING } from '../host/cost.ts';
import type { Cpu } from '../host/cpu.ts';
import { CTX_KSOFTIRQD, CTX_SOFTIRQ } from '../host/cpu.ts';
import { BugError, bugOn, RangeRefused } from '../host/errors.ts';
import { DRIVER, POOL_CACHE, POOL_RING } from '../host/ledger.ts';
import type { CoherentMemory } from '../host/coherent.ts';
import type { HostAddr, HostWords } from '../host/memory.ts';
import type { PageAllocator } from '../host/pages.ts';
import { TP_PAGE_POOL_ALLOC, TP_PAGE_POOL_PUT } from '../host/trace.ts';
import type { Watch } from '../host/watch.ts';
import type { MemAllocator } from '../xdp/memModel.ts';
import { MEM_TYPE_PAGE_POOL } from '../xdp/uapi.ts';
import type { NapiStruct } from './napi.ts';
import type { Net } from './net.ts';
import { PagePoolStats } from './pagePoolStats.ts';
import type { PpPages } from './ppPages.ts';
import { PtrRing, ptrRingWords } from '../host/ptrRing.ts';
import { PP_ALLOC_CACHE_SIZE, PP_CACHE, PP_CACHED, PP_CUT, PP_RING } from './pagePoolBlock.ts';

export const PP_ALLOC_CACHE_REFILL = 64;
const DEFAULT_RING_SIZE = 1024;
const MAX_RING_SIZE = 16384;
/** Pages the slow path asks for at once. */
const BULK = 64;

/** References of a page that is being cut: more than it can have pieces. @linux BIAS_MAX */
export const PP_FRAG_BIAS: number = 2 ** 30;

/** The `where` of this pool's trace points. */
const FROM_CACHE = 0;
const FROM_RING = 1;
const FROM_ALLOCATOR = 2;

/** What a pool that is destroyed still shows. */
const EMPTY_BLOCK: HostWords = new Int32Array((PP_RING >> 2) + ptrRingWords(0));

const ringSize = (poolSize: number): number =>
  Math.min(poolSize === 0 ? DEFAULT_RING_SIZE : poolSize, MAX_RING_SIZE);

/** Bytes of the block in host memory of a pool of up to `poolSize`, as in the constructor. */
export const pagePoolBytes = (poolSize: number): number =>
  PP_RING + 4 * ptrRingWords(ringSize(poolSize));

export class PagePool implements MemAllocator {
  readonly memType: number = MEM_TYPE_PAGE_POOL;
  readonly stats: PagePoolStats = new PagePoolStats();
  /** The NAPI that owns the cache; null while direct recycling is off. */
  napi: NapiStruct | null = null;
  /** Pages ever taken from the page allocator, and ever given back. */
  pagesStateHoldCnt = 0;
  pagesStateReleaseCnt = 0;
  /** The page fragments are being cut from, see pagePoolFrag.ts. */
  fragPage: HostAddr = 0;
  fragOffset = 0;
  fragUsers = 0;
  readonly pp: PpPages;
  readonly watch: Watch;
  /** Where cache and ring lie, `pagePoolBlock.ts`; 0 once the pool is destroyed. */
  at: HostAddr;
  private readonly pages: PageAllocator;
  private readonly kernel: CoherentMemory;
  private readonly blockBytes: number;
  private block: HostWords;
  private ring: PtrRing;
  private readonly id: number;
  private readonly framesToCache: boolean;
  private destroyed = false;

  /**
   * @param poolSize slots of the ring; 0 means 1024, above 16384 counts as 16384
   * @param largest size of any pool that may have this one's memory after it
   * @throws RangeRefused
   * @linux page_pool_create
   */
  constructor(net: Net, poolSize: number = 0, largest: number = poolSize) {
    if (!Number.isInteger(poolSize) || poolSize < 0) {
      throw new RangeRefused('page_pool pool_size', poolSize, '0 or more');
    }
    const ringEnd = pagePoolBytes(poolSize) >> 2;
    this.pp = net.ppPages;
    this.watch = net.watch;
    this.pages = net.pages;
    this.framesToCache = net.framesToCache;
    this.kernel = net.kernel;
    this.blockBytes = pagePoolBytes(largest);
    this.at = this.kernel.alloc(this.blockBytes);
    this.block = net.mem.wordsAt(this.at, this.blockBytes >> 2);
    this.ring = new PtrRing(this.block.subarray(PP_RING >> 2, ringEnd));
    this.id = this.pp.register(this);
  }

  /** Let packets that end in `napi`'s softirq put their pages straight into the cache. @linux page_pool_enable_direct_recycling */
  enableDirectRecycling(napi: NapiStruct): void {
    bugOn(this.napi !== null, 'page_pool: direct recycling is enabled already');
    this.napi = napi;
  }

  /** @linux page_pool_disable_direct_recycling */
  disableDirectRecycling(): void {
    this.napi = null;
  }

  /** One page, contents unspecified; 0 when host memory has none left. Only the owning NAPI may call. @linux page_pool_alloc_pages */
  alloc(cpu: Cpu): HostAddr {
    if (this.block[PP_CACHED >> 2]! > 0) {
      this.stats.allocFast++;
      return this.popCache(cpu, FROM_CACHE);
    }
    if (this.ring.length === 0) {
      this.stats.allocEmpty++;
      return this.allocPagesSlow(cpu);
    }
    return this.refillAllocCache(cpu);
  }

  /**
   * Take back one page, or one of the pieces it was cut into.
   *
   * @param allowDirect the caller runs in the owning NAPI and may use its cache
   * @linux page_pool_put_full_page, page_pool_put_unrefed_netmem
   */
  put(page: HostAddr, allowDirect: boolean, cpu: Cpu): void {
    if (this.watch.on) this.checkReturn(page, allowDirect, cpu);
    this.takeBack(page, allowDirect || this.napiLocal(cpu), cpu);
  }

  /** Only in the owning NAPI, or while nobody polls it. @linux page_pool_recycle_direct */
  recycleDirect(page: HostAddr, cpu: Cpu): void {
    this.put(page, true, cpu);
  }

  /** The page of a frame: older kernels ask nobody whose softirq this is. */
  returnPage(page: HostAddr, allowDirect: boolean, cpu: Cpu): void {
    if (this.watch.on) this.checkReturn(page, allowDirect, cpu);
    this.takeBack(page, allowDirect || this.framesGoToCache(cpu), cpu);
  }

  /** Where a frame's page goes that somebody gives back who does not know whose it is. */
  framesGoToCache(cpu: Cpu): boolean {
    return this.framesToCache && this.napiLocal(cpu);
  }

  /** Book what a compiled loop gave back: pages in the cache, and in the ring. @param direct the ring has what the cache had no room for */
  gotBack(inCache: number, inRing: number, direct: boolean, cpu: Cpu): void {
    this.stats.recycleCached += inCache;
    this.stats.recycleRing += inRing;
    if (direct) this.stats.recycleCacheFull += inRing;
    cpu.chargeTimes(OP_PAGE_POOL_CACHE, inCache);
    cpu.chargeTimes(OP_PAGE_POOL_RING, inRing);
  }

  /** Is this code in the softirq of the CPU that has the owning NAPI scheduled? @linux page_pool_napi_local */
  napiLocal(cpu: Cpu): boolean {
    if (cpu.context !== CTX_SOFTIRQ && cpu.context !== CTX_KSOFTIRQD) return false;
    return this.napi !== null && this.napi.listOwner === cpu.id;
  }

  /** Pages taken from the allocator and not given back; those in cache and ring included. @linux page_pool_inflight */
  inflight(): number {
    return this.pagesStateHoldCnt - this.pagesStateReleaseCnt;
  }

  get cachedPages(): number {
    return this.block[PP_CACHED >> 2]!;
  }

  get ringPages(): number {
    return this.ring.length;
  }

  /** Pages outside the pool: in RX slots, packets, frames. */
  get outPages(): number {
    return this.inflight() - this.cachedPages - this.ring.length;
  }

  /**
   * Give back what lies in cache and ring. What is still out follows as it comes in; Linux looks
   * for it once a second.
   *
   * @returns pages still out
   * @linux page_pool_destroy
   */
  destroy(cpu: Cpu): number {
    bugOn(this.destroyed, 'page_pool_destroy: the pool is destroyed already');
    this.disableDirectRecycling();
    this.freeFrag(cpu);
    while (this.cachedPages > 0) this.release(this.popCached(), cpu);
    for (let page = this.ring.consume(); page !== 0; page = this.ring.consume()) {
      this.release(page, cpu);
    }
    this.destroyed = true;
    this.kernel.release(this.at, this.blockBytes);
    this.at = 0;
    this.block = EMPTY_BLOCK;
    this.ring = new PtrRing(EMPTY_BLOCK.subarray(PP_RING >> 2));
    this.forgetWhenEmpty();
    return this.inflight();
  }

  private takeBack(page: HostAddr, direct: boolean, cpu: Cpu): void {
    if (this.pp.unref(page, 1) > 0) {
      this.keepFragment(page);
      return;
    }
    if (direct && this.recycleInCache(page, cpu)) return;
    if (!this.recycleInRing(page, cpu)) this.release(page, cpu);
  }

  /** From here on pages are cut into pieces. */
  setCut(): void {
    this.block[PP_CUT >> 2] = 1;
  }

  get isCut(): boolean {
    return this.block[PP_CUT >> 2] !== 0;
  }

  private popCached(): HostAddr {
    const { block } = this;
    return block[(PP_CACHE >> 2) + --block[PP_CACHED >> 2]!]!;
  }

  private pushCached(page: HostAddr): void {
    const { block } = this;
    block[(PP_CACHE >> 2) + block[PP_CACHED >> 2]!++] = page;
  }

  private popCache(cpu: Cpu, where: number): HostAddr {
    const page = this.popCached();
    if (this.watch.on) {
      this.watch.point(TP_PAGE_POOL_ALLOC, cpu, page, where);
      this.watch.page(page, DRIVER);
    }
    return page;
  }

  /** @linux page_pool_refill_alloc_cache */
  private refillAllocCache(cpu: Cpu): HostAddr {
    const n = Math.min(PP_ALLOC_CACHE_REFILL, this.ring.length);
    while (this.cachedPages < n) {
      const page = this.ring.consume();
      if (this.watch.on) this.watch.page(page, POOL_CACHE);
      this.pushCached(page);
    }
    this.stats.allocRefill++;
    return this.popCache(cpu, FROM_RING);
  }

  /** @linux __page_pool_alloc_pages_slow */
  private allocPagesSlow(cpu: Cpu): HostAddr {
    while (this.cachedPages < BULK) {
      const page = this.pages.alloc();
      if (page === 0) break;
      cpu.charge(OP_PAGE_ALLOC);
      if (this.watch.on) this.watch.page(page, POOL_CACHE);
      this.pp.claim(page, this.id);
      this.pagesStateHoldCnt++;
      this.pushCached(page);
    }
    if (this.cachedPages === 0) return 0;
    this.stats.allocSlow++;
    return this.popCache(cpu, FROM_ALLOCATOR);
  }

  /** @linux page_pool_recycle_in_cache */
  private recycleInCache(page: HostAddr, cpu: Cpu): boolean {
    if (this.destroyed) return false;
    if (this.cachedPages === PP_ALLOC_CACHE_SIZE) {
      this.stats.recycleCacheFull++;
      return false;
    }
    this.pushCached(page);
    this.stats.recycleCached++;
    cpu.charge(OP_PAGE_POOL_CACHE);
    if (this.watch.on) {
      this.watch.point(TP_PAGE_POOL_PUT, cpu, page, FROM_CACHE);
      this.watch.page(page, POOL_CACHE);
    }
    return true;
  }

  /** @linux page_pool_recycle_in_ring */
  private recycleInRing(page: HostAddr, cpu: Cpu): boolean {
    if (this.destroyed) return false;
    if (!this.ring.produce(page)) {
      this.stats.recycleRingFull++;
      return false;
    }
    this.stats.recycleRing++;
    cpu.charge(OP_PAGE_POOL_RING);
    if (this.watch.on) {
      this.watch.point(TP_PAGE_POOL_PUT, cpu, page, FROM_RING);
      this.watch.page(page, POOL_RING);
    }
    return true;
  }

  /** The page leaves the pool. @linux page_pool_return_page */
  private release(page: HostAddr, cpu: Cpu): void {
    if (this.watch.on) this.watch.point(TP_PAGE_POOL_PUT, cpu, page, FROM_ALLOCATOR);
    this.pp.disclaim(page);
    this.pagesStateReleaseCnt++;
    this.pages.release(page);
    if (this.destroyed) this.forgetWhenEmpty();
  }

  private forgetWhenEmpty(): void {
    if (this.inflight() === 0) this.pp.unregister(this.id);
  }

  /**
   * Other pieces of the page are out, or may still be cut. When the only piece cut so far came back,
   * the page is in the pool's hands, and the ledger is told so.
   */
  private keepFragment(page: HostAddr): void {
    if (this.watch.on && page === this.fragPage && this.fragUsers === 1) {
      this.watch.page(page, POOL_CACHE);
    }
  }

  /** Stop cutting the open page; it goes when its last piece has come back. @linux page_pool_free_frag */
  private freeFrag(cpu: Cpu): void {
    const page = this.fragPage;
    this.fragPage = 0;
    if (page !== 0 && this.pp.unref(page, PP_FRAG_BIAS - this.fragUsers) === 0) {
      this.release(page, cpu);
    }
  }

  private checkReturn(page: HostAddr, allowDirect: boolean, cpu: Cpu): void {
    if (!this.watch.ledger.on) return;
    const from = this.pp.poolId(page);
    if (from !== this.id) {
      const what = from === 0 ? 'of no page_pool' : `of page_pool ${from}`;
      throw new BugError(`page 0x${page.toString(16)} ${what} is returned to pool ${this.id}`);
    }
    const owner = this.napi === null ? -1 : this.napi.listOwner;
    if (allowDirect && owner !== -1 && owner !== cpu.id) {
      throw new BugError(
        `page 0x${page.toString(16)}: CPU ${cpu.id} recycles directly while CPU ${owner} owns the NAPI`,
      );
    }
  }
}
