import { describe, expect, test } from 'vitest';
import { CoherentMemory } from '../../src/host/coherent.ts';
import { Faults } from '../../src/host/faults.ts';
import { CheckedLedger, FREE, Ledger, OWNED } from '../../src/host/ledger.ts';
import { HostMemory, PAGE_SIZE } from '../../src/host/memory.ts';
import { PageAllocator } from '../../src/host/pages.ts';

function rig(pages: number, checked = true) {
  const mem = new HostMemory((pages + 1) * PAGE_SIZE);
  const ledger = checked ? new CheckedLedger(mem) : new Ledger();
  const faults = new Faults();
  const region = mem.region('pages', pages * PAGE_SIZE);
  return { mem, ledger, faults, region, pages: new PageAllocator(mem, region, ledger, faults) };
}

describe('page allocator', () => {
  test('hands out each page of its region once, then 0', () => {
    const { pages, region } = rig(9);
    const got = Array.from({ length: 9 }, () => pages.alloc());
    expect(pages.alloc()).toBe(0);
    expect(got.toSorted((a, b) => a - b)).toEqual(
      Array.from({ length: 9 }, (_, i) => region.at + i * PAGE_SIZE),
    );
    expect(pages.free).toBe(0);
  });

  test('the page freed last is reused first', () => {
    const { pages } = rig(4);
    const [a, b] = [pages.alloc(), pages.alloc()];
    pages.release(a);
    pages.release(b);
    expect([pages.alloc(), pages.alloc()]).toEqual([b, a]);
  });

  test('a page freed twice is a bug, checked or not', () => {
    for (const checked of [true, false]) {
      const { pages } = rig(2, checked);
      const page = pages.alloc();
      pages.release(page);
      expect(() => pages.release(page)).toThrow('BUG');
    }
  });

  test('checked: owner is told, and a freed page is poisoned', () => {
    const { pages, mem, ledger } = rig(2);
    const page = pages.alloc();
    expect(ledger.ownerOf(page + 100)).toBe(OWNED);
    mem.fill(page, PAGE_SIZE, 0);
    pages.release(page);
    expect(ledger.ownerOf(page)).toBe(FREE);
    expect(new Set(mem.u8.subarray(page, page + PAGE_SIZE))).toEqual(new Set([0x5a]));
  });

  test('the fault point pageAlloc makes it fail, and takes no page', () => {
    const { pages, faults } = rig(4);
    faults.arm('pageAlloc', 1);
    expect([pages.alloc() > 0, pages.alloc(), pages.alloc() > 0]).toEqual([true, 0, true]);
    expect(pages.free).toBe(2);
  });
});

const coherent = (pages: number) => {
  const mem = new HostMemory((pages + 1) * PAGE_SIZE);
  return { mem, rings: new CoherentMemory(mem, mem.region('rings', pages * PAGE_SIZE)) };
};

describe('coherent memory', () => {
  test('comes in whole pages, zeroed, even when it was used before', () => {
    const { mem, rings } = coherent(4);
    const a = rings.alloc(100);
    const b = rings.alloc(PAGE_SIZE + 1);
    expect([a, b]).toEqual([PAGE_SIZE, 2 * PAGE_SIZE]);
    mem.fill(b, 2 * PAGE_SIZE, 0xff);
    rings.release(b, PAGE_SIZE + 1);
    expect(rings.alloc(2 * PAGE_SIZE)).toBe(b);
    expect(mem.ops.csum(b, 2 * PAGE_SIZE)).toBe(0);
  });

  test('a device can be closed and opened for ever', () => {
    const { rings } = coherent(5);
    for (let round = 0; round < 100; round++) {
      const held = [300, 5000, 8192].map((bytes) => ({ bytes, at: rings.alloc(bytes) }));
      for (const { at, bytes } of held) rings.release(at, bytes);
    }
  });

  test('what does not fit is refused with what is left', () => {
    const { rings } = coherent(2);
    rings.alloc(1);
    expect(() => rings.alloc(PAGE_SIZE + 1)).toThrow(
      'memory of rings: 8192 bytes is out of range (4096 left)',
    );
  });
});
