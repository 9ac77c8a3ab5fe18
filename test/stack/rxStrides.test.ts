import { describe, expect, test } from 'vitest';
import {
  costTable,
  OP_COPY_64B,
  OP_PAGE_ALLOC,
  OP_PAGE_FRAGMENT,
  OP_PAGE_POOL_CACHE,
} from '../../src/host/cost.ts';
import { CountingCpu } from '../../src/host/cpu.ts';
import { FLAT } from '../../src/host/profiles.ts';
import { RxStrides } from '../../src/stack/rxStrides.ts';

const MLX5 = { strideBytes: 64, copiedBytes: 128, pagesRecycled: 1 };

function charged(lens: readonly number[], spec = MLX5) {
  const cpu = new CountingCpu(0, costTable(FLAT));
  const strides = new RxStrides(spec);
  for (const len of lens) strides.charge(len, cpu);
  const { counts } = cpu;
  return {
    lines: counts[OP_COPY_64B],
    fragments: counts[OP_PAGE_FRAGMENT],
    recycled: counts[OP_PAGE_POOL_CACHE],
    allocated: counts[OP_PAGE_ALLOC],
  };
}
const times = (n: number, len: number): number[] => Array<number>(n).fill(len);

describe('what frames take that share pages of 64 strides', () => {
  test.each([
    // a stride each: 64 to a page, all of them copied
    [64, 64, { lines: 64, fragments: 0, recycled: 1 }],
    // two of each
    [64, 65, { lines: 128, fragments: 0, recycled: 2 }],
    // 129 bytes are three strides: the 22nd frame begins in the last of the page and ends in the next
    [22, 129, { lines: 44, fragments: 22, recycled: 2 }],
    // 16 strides: 4 to a page
    [8, 1024, { lines: 16, fragments: 8, recycled: 2 }],
    // 24 strides: 8 frames in 3 pages, of which those at strides 48 and 120 cross into the next
    [8, 1500, { lines: 16, fragments: 10, recycled: 3 }],
    [80, 1500, { lines: 160, fragments: 100, recycled: 30 }],
    // 55 strides: the second frame has its 2 copied ones and 7 more in the first page
    [1, 3514, { lines: 2, fragments: 1, recycled: 1 }],
    [2, 3514, { lines: 4, fragments: 3, recycled: 2 }],
  ])('%i of %i bytes', (n, len, expected) => {
    expect(charged(times(n, len))).toEqual({ ...expected, allocated: 0 });
  });

  test('a page whose last bytes were copied has no fragment of that frame', () => {
    // 62 strides, then a frame whose 128 copied bytes end the page
    expect(charged([...times(62, 64), 1500])).toMatchObject({ fragments: 1, recycled: 2 });
    expect(charged([...times(61, 64), 1500])).toMatchObject({ fragments: 2, recycled: 2 });
  });

  test('pages that are not recycled are allocated, as often', () => {
    expect(charged(times(8, 1500), { ...MLX5, pagesRecycled: 0 })).toEqual({
      ...{ lines: 16, fragments: 10, recycled: 0, allocated: 3 },
    });
  });

  test('a stride of a page is a page for each frame', () => {
    expect(charged(times(8, 1500), { ...MLX5, strideBytes: 4096 })).toMatchObject({
      ...{ fragments: 8, recycled: 8 },
    });
  });
});
