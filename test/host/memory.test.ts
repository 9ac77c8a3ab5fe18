import { describe, expect, test } from 'vitest';
import { RangeRefused } from '../../src/host/errors.ts';
import { HostMemory, MAX_MEMORY_BYTES, PAGE_SIZE } from '../../src/host/memory.ts';

const WASM_PAGE = 65536;

describe('host memory', () => {
  test('the size is rounded up to what WebAssembly can have, and never grows', () => {
    const mem = new HostMemory(WASM_PAGE + 1);
    expect(mem.bytes).toBe(2 * WASM_PAGE);
    expect(() => mem.memory.grow(1)).toThrow(RangeError);
  });

  test('every address of the largest memory is a positive int32', () => {
    expect((MAX_MEMORY_BYTES - 1) | 0).toBe(MAX_MEMORY_BYTES - 1);
  });

  test.each([0, -1, NaN, MAX_MEMORY_BYTES + 1])('%s bytes are refused with the range', (bytes) => {
    expect(() => new HostMemory(bytes)).toThrow(RangeRefused);
    expect(() => new HostMemory(bytes)).toThrow(/host memory: .* out of range \(1 to 2147418112\)/);
  });

  test('view, bytes and words are the same little-endian memory', () => {
    const mem = new HostMemory(1);
    mem.words[2] = 0x04030201;
    expect([...mem.u8.subarray(8, 12)]).toEqual([1, 2, 3, 4]);
    expect(mem.view.getUint16(9, true)).toBe(0x0302);
  });

  test('writing anywhere in the page at address 0 is noticed', () => {
    const mem = new HostMemory(1);
    mem.u8[PAGE_SIZE] = 1;
    expect(mem.nullPageIsZero()).toBe(true);
    for (const at of [0, 1, 17, PAGE_SIZE - 1]) {
      mem.u8[at] = 1;
      expect(mem.nullPageIsZero()).toBe(false);
      mem.u8[at] = 0;
    }
  });
});

describe('regions', () => {
  test('lie one behind the other, in whole pages, above the null page', () => {
    const mem = new HostMemory(WASM_PAGE);
    const sizes = [1, PAGE_SIZE, PAGE_SIZE + 1];
    const regions = sizes.map((bytes, i) => mem.region(`r${i}`, bytes));
    expect(regions.map(({ at, bytes }) => [at, bytes])).toEqual([
      [PAGE_SIZE, PAGE_SIZE],
      [2 * PAGE_SIZE, PAGE_SIZE],
      [3 * PAGE_SIZE, 2 * PAGE_SIZE],
    ]);
    expect(mem.regions).toEqual(regions);
  });

  test('the last page can be had, and not one more', () => {
    const mem = new HostMemory(WASM_PAGE);
    mem.region('all', WASM_PAGE - PAGE_SIZE);
    expect(() => mem.region('rings', 1)).toThrow('host memory region rings: 4096 bytes');
  });
});
