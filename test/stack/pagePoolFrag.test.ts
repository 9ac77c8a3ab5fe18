import { describe, expect, test } from 'vitest';
import { CTX_SOFTIRQ } from '../../src/host/cpu.ts';
import { DRIVER, POOL_CACHE, RX_RING, SHARED } from '../../src/host/ledger.ts';
import { PAGE_MASK } from '../../src/host/memory.ts';
import { PagePool } from '../../src/stack/pagePool.ts';
import { pagePoolAllocFrag } from '../../src/stack/pagePoolFrag.ts';
import { stackRig } from './rig.ts';

function fragRig(size: number) {
  const rig = stackRig({ pages: 256 });
  const pool = new PagePool(rig.net, 64);
  rig.cpu.enter(CTX_SOFTIRQ);
  const cut = (n: number): number[] =>
    Array.from({ length: n }, () => pagePoolAllocFrag(pool, size, rig.cpu));
  const put = (...frags: number[]): void => {
    for (const at of frags) pool.put(at & PAGE_MASK, true, rig.cpu);
  };
  return { ...rig, pool, cut, put };
}
const pageOf = (at: number): number => at & PAGE_MASK;

test.each([
  [1024, 4],
  [1152, 3],
  [2048, 2],
  [2112, 1],
  [4096, 1],
])('buffers of %i bytes: %i to a page, never across one', (size, perPage) => {
  const { cut } = fragRig(size);
  const frags = cut(perPage * 5);
  expect(new Set(frags.map(pageOf)).size).toBe(5);
  frags.forEach((at, i) => expect(at - pageOf(at)).toBe((i % perPage) * size));
});

test('pieces are aligned to a cache line', () => {
  const { cut } = fragRig(1000);
  const [a, b] = cut(2);
  expect(b! - a!).toBe(1024);
});

test('a page returns to the pool with its last piece, and only then', () => {
  const { pool, cut, put } = fragRig(1024);
  const frags = cut(5); // the fifth opened a new page: nothing more is cut from the first
  put(...frags.slice(0, 3));
  expect(pool.stats.recycleCached).toBe(0);
  put(frags[3]!);
  expect(pool.stats.recycleCached).toBe(1);
});

test('a page that is still being cut stays open when all its pieces are back', () => {
  const { pool, cut, put } = fragRig(1024);
  const [a, b] = cut(2);
  put(a!, b!);
  expect(pool.stats.recycleCached).toBe(0);
  expect(cut(1)[0]).toBe(a! + 2048);
});

test('an open page whose pieces are all back is cut anew instead of a fresh one', () => {
  const { pool, cut, put } = fragRig(2112);
  const [a] = cut(1);
  put(a!);
  expect(cut(1)).toEqual([a]);
  expect(pool.outPages).toBe(1);
});

test('more pieces returned than handed out are refused', () => {
  const { cut, put } = fragRig(1024);
  const frags = cut(5);
  put(...frags.slice(0, 4));
  expect(() => put(frags[0]!)).toThrow('no legal hand-over');
});

test('destroying the pool gives up the open page; it goes with its last piece', () => {
  const { pool, pages, cpu, cut, put } = fragRig(1024);
  const frags = cut(6);
  put(...frags.slice(0, 4)); // the first page is back, two pieces of the second are out
  expect(pool.destroy(cpu)).toBe(1);
  put(frags[4]!, frags[5]!);
  expect(pool.inflight()).toBe(0);
  expect(pages.free).toBe(256);
});

test('destroying a pool whose open page has no piece out leaves nothing', () => {
  const { pool, cpu, cut, put } = fragRig(1024);
  put(...cut(2));
  expect(pool.destroy(cpu)).toBe(0);
});

test('without memory there is no piece, and the next attempt may succeed', () => {
  const { pool, faults, cpu, cut } = fragRig(2112);
  faults.arm('pageAlloc');
  expect(pagePoolAllocFrag(pool, 2112, cpu)).toBe(0);
  expect(cut(1)[0]).not.toBe(0);
});

describe('ledger', () => {
  test('one piece to a page: the page has its owner', () => {
    const { ledger, watch, cut, put } = fragRig(2112);
    const [a, b] = cut(2);
    ledger.holds(a!, DRIVER, 'test');
    watch.page(b!, RX_RING);
    expect(() => put(b!)).toThrow('RX ring hands to pool cache');
    put(a!);
    ledger.holds(a!, POOL_CACHE, 'test');
    expect(() => put(a!)).toThrow('no legal hand-over');
  });

  test('several pieces to a page: the page is shared, whoever holds them', () => {
    const { ledger, watch, cut, put } = fragRig(1024);
    const frags = cut(4);
    watch.page(pageOf(frags[0]!), RX_RING);
    watch.page(pageOf(frags[1]!), RX_RING);
    ledger.holds(frags[0]!, RX_RING, 'test');
    expect(ledger.census()[SHARED]).toBe(1);
    cut(1);
    put(...frags);
    ledger.holds(frags[0]!, POOL_CACHE, 'test');
  });

  test('a shared page that is cut anew has one owner again', () => {
    const { ledger, cut, put } = fragRig(2048);
    const frags = cut(2);
    put(...frags);
    expect(cut(1)).toEqual([frags[0]]);
    ledger.holds(frags[0]!, DRIVER, 'test');
    expect(ledger.census()[SHARED]).toBe(0);
  });
});
