import { describe, expect, test } from 'vitest';
import { HostMemory } from '../../src/host/memory.ts';
import { Rng } from '../../src/host/rng.ts';

/** RFC 1071 §4.1 as printed, over big-endian words, without the complement. */
function rfc1071(bytes: Uint8Array): number {
  let sum = 0;
  for (let i = 0; i + 1 < bytes.length; i += 2) sum += bytes[i]! * 256 + bytes[i + 1]!;
  if (bytes.length % 2 === 1) sum += bytes.at(-1)! * 256;
  while (sum > 0xffff) sum = (sum % 65536) + Math.floor(sum / 65536);
  return sum;
}
const swap16 = (n: number): number => ((n & 0xff) << 8) | (n >> 8);

/** Memory of known random bytes. */
function noise(): HostMemory {
  const mem = new HostMemory(65536);
  const rng = new Rng(5);
  for (let i = 0; i < mem.bytes; i++) mem.u8[i] = rng.below(256);
  return mem;
}

describe('csum', () => {
  const mem = noise();

  test.each([0, 1, 2, 3, 5])('is the sum of RFC 1071 for every length, at offset %i', (offset) => {
    const at = 4096 + offset;
    for (let len = 0; len <= 300; len++) {
      const expected = swap16(rfc1071(mem.u8.slice(at, at + len)));
      expect(mem.ops.csum(at, len), `${len} bytes`).toBe(expected);
    }
  });

  test('carries never get lost: a full buffer of ones', () => {
    const ones = new HostMemory(65536);
    ones.u8.fill(0xff);
    expect(ones.ops.csum(1, 65535)).toBe(swap16(rfc1071(ones.u8.slice(1))));
    expect(ones.ops.csum(0, 65536)).toBe(0xffff);
  });

  test('nothing but zeros sums to zero', () => {
    expect(new HostMemory(1).ops.csum(3, 301)).toBe(0);
  });
});

describe('copy', () => {
  test('overlapping ranges are copied as if through a buffer', () => {
    for (const [dst, src] of [
      [1003, 1000],
      [1000, 1003],
      [1000, 1000],
    ] as const) {
      for (let len = 0; len <= 300; len++) {
        const mem = noise();
        const before = mem.u8.slice();
        mem.copy(dst, src, len);
        const expected = before.slice();
        expected.set(before.slice(src, src + len), dst);
        expect(Buffer.compare(mem.u8, expected), `${len} from ${src} to ${dst}`).toBe(0);
      }
    }
  });

  test('a range outside memory traps and changes nothing', () => {
    const mem = noise();
    const before = mem.u8.slice();
    expect(() => mem.copy(mem.bytes - 4, 0, 5)).toThrow(WebAssembly.RuntimeError);
    expect(() => mem.copy(0, mem.bytes - 4, 5)).toThrow(WebAssembly.RuntimeError);
    expect(Buffer.compare(mem.u8, before)).toBe(0);
  });
});

test('fill writes its range and not a byte more', () => {
  const mem = noise();
  const before = mem.u8.slice();
  for (let len = 0; len <= 70; len++) {
    mem.fill(5001, len, 0xa5);
    before.fill(0xa5, 5001, 5001 + len);
    expect(Buffer.compare(mem.u8, before)).toBe(0);
  }
});
