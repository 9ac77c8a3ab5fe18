import { array, assert, constantFrom, nat, property, record } from 'fast-check';
import { describe, expect, test } from 'vitest';
import { OP_PAGE_ALLOC, OP_PAGE_POOL_CACHE, OP_PAGE_POOL_RING } from '../../src/host/cost.ts';
import type { Cpu } from '../../src/host/cpu.ts';
import { CTX_APP, CTX_KSOFTIRQD, CTX_SOFTIRQ } from '../../src/host/cpu.ts';
import { DRIVER, FREE, POOL_CACHE, POOL_RING, RX_RING } from '../../src/host/ledger.ts';
import { napiSchedule } from '../../src/stack/napi.ts';
import { PagePool } from '../../src/stack/pagePool.ts';
import { pagePoolEthtoolStats } from '../../src/stack/pagePoolStats.ts';
import { MEM_TYPE_PAGE_POOL } from '../../src/xdp/uapi.ts';
import { CountingQueue, stackRig } from './rig.ts';
import type { RigOptions } from './rig.ts';

interface PoolOptions extends RigOptions {
  poolSize?: number;
}

/** A pool whose NAPI is scheduled on CPU 0, in its softirq; CPU 1 is somebody else. */
function poolRig({ poolSize = 1024, ...options }: PoolOptions = {}) {
  const rig = stackRig({ cpus: 2, pages: 512, ...options });
  const pool = new PagePool(rig.net, poolSize);
  const queue = new CountingQueue(rig.dev, 0);
  pool.enableDirectRecycling(queue.napi);
  napiSchedule(queue.napi, rig.cpu);
  rig.cpu.enter(CTX_SOFTIRQ);
  rig.cpus[1]!.enter(CTX_SOFTIRQ);
  const take = (n: number): number[] => Array.from({ length: n }, () => pool.alloc(rig.cpu));
  const put = (pages: readonly number[], cpu: Cpu): void => {
    for (const page of pages) pool.put(page, false, cpu);
  };
  return { ...rig, pool, napi: queue.napi, other: rig.cpus[1]!, take, put };
}

describe('allocation', () => {
  test('an empty pool takes 64 pages from the allocator at once and hands out one', () => {
    const { pool, pages, take } = poolRig();
    const [page] = take(1);
    expect(page).not.toBe(0);
    expect(pages.free).toBe(512 - 64);
    expect(pool.cachedPages).toBe(63);
    expect(pool.inflight()).toBe(64);
    expect(pool.outPages).toBe(1);
  });

  test('fast, slow and empty are counted per allocation: 130 allocations are 127 fast, 3 slow', () => {
    const { pool, take } = poolRig();
    take(130); // slow at the 1st, 65th and 129th
    expect(pool.stats).toMatchObject({ allocFast: 127, allocSlow: 3, allocEmpty: 3 });
  });

  test('with pages in the ring the cache is refilled by 64 of them', () => {
    const { pool, take, put, other } = poolRig();
    const out = take(128);
    put(out.slice(0, 100), other);
    expect(pool.ringPages).toBe(100);

    const again = take(1);

    expect(again).toEqual([out[63]]); // 64 moved to the stack, the last of them on top
    expect(pool.cachedPages).toBe(63);
    expect(pool.ringPages).toBe(36);
    expect(pool.stats.allocRefill).toBe(1);
  });

  test('a ring with fewer than 64 pages gives all it has', () => {
    const { pool, take, put, other } = poolRig();
    put(take(64).slice(0, 10), other);
    take(1);
    expect([pool.cachedPages, pool.ringPages]).toEqual([9, 0]);
  });

  test('when host memory runs out the bulk is smaller, and then 0 is returned', () => {
    const { pool, take, cpu } = poolRig({ pages: 70 });
    expect(take(70).includes(0)).toBe(false);
    expect(pool.alloc(cpu)).toBe(0);
    expect(pool.stats).toMatchObject({ allocSlow: 2, allocEmpty: 3 });
    expect(pool.inflight()).toBe(70);
  });

  test('the fault point pageAlloc fails an allocation that needs a fresh page', () => {
    const { pool, faults, take, cpu } = poolRig();
    take(64);
    faults.arm('pageAlloc');
    expect(pool.alloc(cpu)).toBe(0);
    expect(pool.alloc(cpu)).not.toBe(0);
  });
});

describe('returning', () => {
  test('the owning NAPI gets its page back from the cache: last in, first out', () => {
    const { pool, take, put, cpu } = poolRig();
    const [a, b] = take(2);
    put([a!, b!], cpu);
    expect(take(2)).toEqual([b, a]);
    expect(pool.stats.recycleCached).toBe(2);
  });

  test('another CPU returns to the ring', () => {
    const { pool, take, put, other } = poolRig();
    put(take(3), other);
    expect(pool.ringPages).toBe(3);
    expect(pool.stats).toMatchObject({ recycleRing: 3, recycleCached: 0 });
  });

  test('napi_local: in softirq or ksoftirqd, on the CPU that has the NAPI scheduled, else not', () => {
    const { pool, napi, cpu, other } = poolRig();
    expect(pool.napiLocal(cpu)).toBe(true);
    expect(pool.napiLocal(other)).toBe(false);
    cpu.enter(CTX_KSOFTIRQD);
    expect(pool.napiLocal(cpu)).toBe(true);
    cpu.enter(CTX_APP);
    expect(pool.napiLocal(cpu)).toBe(false);
    cpu.enter(CTX_SOFTIRQ);
    napi.listOwner = -1;
    expect(pool.napiLocal(cpu)).toBe(false);
    napi.listOwner = 0;
    pool.disableDirectRecycling();
    expect(pool.napiLocal(cpu)).toBe(false);
  });

  test('allowDirect uses the cache from any context', () => {
    const { pool, napi, take, cpu } = poolRig();
    const [page] = take(1);
    napi.listOwner = -1; // disabled
    cpu.enter(CTX_APP);
    pool.recycleDirect(page!, cpu);
    expect(pool.stats.recycleCached).toBe(1);
  });

  test('a full cache of 128 falls through to the ring, a full ring to the allocator', () => {
    const { pool, pages, take, put, cpu } = poolRig({ poolSize: 5 });
    const out = take(192); // three bulks of 64: the cache is empty
    expect(pool.cachedPages).toBe(0);
    put(out.slice(0, 140), cpu);
    expect([pool.cachedPages, pool.ringPages]).toEqual([128, 5]);
    expect(pool.stats).toMatchObject({
      recycleCached: 128,
      recycleCacheFull: 12,
      recycleRing: 5,
      recycleRingFull: 7,
    });
    expect(pages.free).toBe(512 - 192 + 7);
    expect(pool.inflight()).toBe(192 - 7);
    expect(pool.outPages).toBe(52);
  });

  test('the ring keeps its order around its end', () => {
    const { pool, take, put, other } = poolRig({ poolSize: 70 });
    const out = take(128);
    put(out.slice(0, 70), other);
    take(64); // frees 64 of the 70 slots
    put(out.slice(70, 128), other); // 58 more: wraps
    expect(pool.ringPages).toBe(64);
    const next = take(64).toReversed();
    expect(next).toEqual([...out.slice(64, 70), ...out.slice(70, 128)]);
  });

  test('as a memory model it is a page_pool and takes pages back', () => {
    const { pool, take, other } = poolRig();
    const [page] = take(1);
    expect(pool.memType).toBe(MEM_TYPE_PAGE_POOL);
    pool.returnPage(page!, false, other);
    expect(pool.ringPages).toBe(1);
  });

  test.each([
    [true, { cached: 1, ring: 0 }],
    [false, { cached: 0, ring: 1 }],
  ])(
    "a frame's page in the pool's own softirq, framesToCache %s",
    (framesToCache, { cached, ring }) => {
      const { pool, cpu, take, put } = poolRig({ framesToCache });
      const [frame, packet] = take(64);
      pool.returnPage(frame!, false, cpu);
      expect([pool.cachedPages, pool.ringPages]).toEqual([cached, ring]);
      put([packet!], cpu);
      expect([pool.cachedPages, pool.ringPages]).toEqual([cached + 1, ring]);
    },
  );

  test.each([
    [0, 1024],
    [100, 100],
    [20000, 16384],
  ])('pool_size %i means a ring of %i', (poolSize, ring) => {
    const { pool, take, put, other } = poolRig({ poolSize, pages: 17000 });
    put(take(ring + 3), other);
    expect(pool.ringPages).toBe(ring);
    expect(pool.stats.recycleRingFull).toBe(3);
  });

  test.each([-1, 1.5, NaN])('pool_size %d is refused', (poolSize) => {
    expect(() => poolRig({ poolSize })).toThrow('page_pool pool_size');
  });
});

describe('time', () => {
  const costs = { [OP_PAGE_POOL_CACHE]: 5, [OP_PAGE_POOL_RING]: 15, [OP_PAGE_ALLOC]: 66 };

  test('64 fresh pages, then cache and ring: booked to who returns', () => {
    const { take, put, cpu, other } = poolRig({ costs });
    const out = take(64);
    expect(cpu.now).toBe(64 * 66);
    put(out.slice(0, 10), cpu);
    put(out.slice(10, 14), other);
    expect(cpu.now).toBe(64 * 66 + 10 * 5);
    expect(other.now).toBe(4 * 15);
    take(14);
    expect(cpu.now).toBe(64 * 66 + 10 * 5);
  });
});

describe('destruction', () => {
  test('cache and ring go back to the allocator; what is out is reported and follows', () => {
    const { pool, pages, take, put, cpu, other } = poolRig();
    const out = take(100);
    put(out.slice(0, 20), cpu);
    put(out.slice(20, 50), other);
    expect(pool.destroy(cpu)).toBe(50);
    expect(pages.free).toBe(512 - 50);

    put(out.slice(50), other);

    expect(pool.inflight()).toBe(0);
    expect(pages.free).toBe(512);
  });

  test('pages of a destroyed pool do not come to lie in its cache', () => {
    const { pool, take, cpu } = poolRig();
    const [page] = take(1);
    pool.destroy(cpu);
    pool.put(page!, true, cpu);
    expect([pool.cachedPages, pool.inflight()]).toEqual([0, 0]);
    expect(() => pool.destroy(cpu)).toThrow('destroyed already');
  });
});

describe('the block in host memory', () => {
  test('cached pages lie from +8, their number at +0; the ring at +520 with head, used, size', () => {
    const { pool, mem, take, put, cpu, other } = poolRig({ poolSize: 16 });
    const [a, b, c] = take(64);
    put([a!, b!], cpu);
    put([c!], other);
    const word = (at: number): number => mem.words[(pool.at + at) >> 2]!;
    expect([word(0), word(8), word(12)]).toEqual([2, a, b]);
    expect([520, 524, 528, 532].map(word)).toEqual([0, 1, 16, c]);
  });

  test('goes back when the pool is destroyed, though pages are out and come back later', () => {
    const { net, pool, mem, take, put, cpu, other } = poolRig();
    const at = pool.at;
    const [page] = take(1);
    pool.destroy(cpu);
    const next = new PagePool(net, 1024);
    expect([pool.at, next.at]).toEqual([0, at]);
    next.put(next.alloc(cpu), true, cpu);
    put([page!], other);
    expect([pool.cachedPages, pool.ringPages, next.cachedPages]).toEqual([0, 0, 64]);
    expect(mem.nullPageIsZero()).toBe(true);
  });

  test('has room for the largest pool that may come after, and a ring of its own size', () => {
    const { net, mem, cpu } = poolRig();
    const small = new PagePool(net, 1024, 8191);
    const { at } = small;
    expect(mem.words[(at + 528) >> 2]).toBe(1024);
    small.destroy(cpu);
    const large = new PagePool(net, 8191);
    expect([large.at, mem.words[(at + 528) >> 2]]).toEqual([at, 8191]);
  });
});

describe('ledger', () => {
  test('a page is with the cache, the driver, the ring and the allocator in turn', () => {
    const { ledger, pool, take, put, cpu, other } = poolRig();
    const [page] = take(1);
    ledger.holds(page!, DRIVER, 'test');
    expect(ledger.census()[POOL_CACHE]).toBe(63);
    put([page!], other);
    ledger.holds(page!, POOL_RING, 'test');
    pool.destroy(cpu);
    ledger.holds(page!, FREE, 'test');
  });

  test('a page recycled twice is refused', () => {
    const { take, put, cpu, other } = poolRig();
    const [a, b] = take(2);
    put([a!], cpu);
    expect(() => put([a!], cpu)).toThrow('no legal hand-over');
    put([b!], other);
    expect(() => put([b!], other)).toThrow('no legal hand-over');
  });

  test("a page the NIC may write to is not the driver's to recycle", () => {
    const { take, put, watch, cpu } = poolRig();
    const [page] = take(1);
    watch.page(page!, RX_RING);
    expect(() => put([page!], cpu)).toThrow('RX ring hands to pool cache');
  });

  test('a return to the wrong pool is refused', () => {
    const { net, take, cpu, pages } = poolRig();
    const wrong = new PagePool(net, 16);
    const [page] = take(1);
    expect(() => wrong.put(page!, false, cpu)).toThrow('is returned to pool 2');
    expect(() => wrong.put(pages.alloc(), false, cpu)).toThrow('of no page_pool');
  });

  test('direct recycling on a CPU that does not own the NAPI races with its owner, and is refused', () => {
    const { pool, take, other } = poolRig();
    const [page] = take(1);
    expect(() => pool.put(page!, true, other)).toThrow('CPU 1 recycles directly while CPU 0');
  });

  test('whatever is taken and returned, in any order, no page is out twice or lost', () => {
    const step = record({ kind: constantFrom('take', 'local', 'remote'), n: nat(90) });
    assert(
      property(array(step, { maxLength: 40 }), (steps) => {
        const { pool, pages, take, put, cpu, other } = poolRig({ poolSize: 32, pages: 300 });
        const out = new Set<number>();
        for (const { kind, n } of steps) {
          if (kind === 'take') {
            const got = take(n).filter((page) => page !== 0);
            for (const page of got) {
              expect(out.has(page)).toBe(false);
              out.add(page);
            }
          } else {
            const back = [...out].slice(0, n);
            put(back, kind === 'local' ? cpu : other);
            for (const page of back) out.delete(page);
          }
          expect(pool.outPages).toBe(out.size);
          expect(pages.free + pool.inflight()).toBe(300);
        }
        expect(pool.destroy(cpu)).toBe(out.size);
      }),
      { numRuns: 60, seed: 9 },
    );
  });
});

test('ethtool shows the sum of all pools under the rx_pp names', () => {
  const a = poolRig();
  const b = poolRig();
  a.take(2);
  b.take(66);
  expect(pagePoolEthtoolStats([a.pool.stats, b.pool.stats])).toEqual({
    rx_pp_alloc_fast: 1 + 64,
    rx_pp_alloc_slow: 1 + 2,
    rx_pp_alloc_slow_ho: 0,
    rx_pp_alloc_empty: 3,
    rx_pp_alloc_refill: 0,
    rx_pp_alloc_waive: 0,
    rx_pp_recycle_cached: 0,
    rx_pp_recycle_cache_full: 0,
    rx_pp_recycle_ring: 0,
    rx_pp_recycle_ring_full: 0,
    rx_pp_recycle_released_ref: 0,
  });
});
