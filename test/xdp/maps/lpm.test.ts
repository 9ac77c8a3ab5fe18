import fc from 'fast-check';
import { expect, test } from 'vitest';
import { EINVAL, ENOENT, ENOSPC } from '../../../src/host/errno.ts';
import { createMap } from '../../../src/xdp/maps/createMap.ts';
import type { MapDef } from '../../../src/xdp/maps/mapDef.ts';
import { BPF_F_NO_PREALLOC, BPF_MAP_TYPE_LPM_TRIE } from '../../../src/xdp/maps/uapi.ts';
import { standaloneBpf } from '../../../src/xdp/standalone.ts';
import { def, refusal, u32, words } from './rig.ts';

const trie = (more: Partial<MapDef> = {}): MapDef =>
  def(BPF_MAP_TYPE_LPM_TRIE, { keySize: 8, flags: BPF_F_NO_PREALLOC, maxEntries: 8, ...more });

/** Prefix length and the first address of a range. */
const prefix = (length: number, ...bytes: number[]): Uint8Array =>
  new Uint8Array([length, 0, 0, 0, ...bytes]);

test('the longest of the prefixes that cover an address decides', () => {
  const map = createMap(standaloneBpf(), trie());
  map.sysUpdate(prefix(0, 0, 0, 0, 0), u32(1));
  map.sysUpdate(prefix(16, 192, 168, 0, 0), u32(2));
  map.sysUpdate(prefix(24, 192, 168, 7, 0), u32(3));
  map.sysUpdate(prefix(32, 192, 168, 7, 9), u32(4));
  const at = (...bytes: number[]): number[] | null => words(map.sysLookup(prefix(32, ...bytes)));
  expect(at(10, 0, 0, 1)).toEqual([1]);
  expect(at(192, 168, 8, 9)).toEqual([2]);
  expect(at(192, 168, 7, 8)).toEqual([3]);
  expect(at(192, 168, 7, 9)).toEqual([4]);
  expect(words(map.sysLookup(prefix(20, 192, 168, 7, 9)))).toEqual([2]);
  expect(map.sysDelete(prefix(24, 192, 168, 7, 0))).toBe(0);
  expect(at(192, 168, 7, 8)).toEqual([2]);
  expect(map.sysDelete(prefix(24, 192, 168, 7, 0))).toBe(-ENOENT);
});

test('a full trie takes no new prefix; too long a prefix is none', () => {
  const map = createMap(standaloneBpf(), trie({ maxEntries: 1 }));
  expect(map.sysUpdate(prefix(8, 10, 0, 0, 0), u32(1))).toBe(0);
  expect(map.sysUpdate(prefix(9, 10, 0, 0, 0), u32(1))).toBe(-ENOSPC);
  expect(map.sysUpdate(prefix(8, 10, 0, 0, 0), u32(2))).toBe(0);
  expect(map.sysUpdate(prefix(33, 10, 0, 0, 0), u32(2))).toBe(-EINVAL);
  expect(refusal(trie({ flags: 0 }))).toBe(EINVAL);
  expect(refusal(trie({ keySize: 4 }))).toBe(EINVAL);
});

const BITS = 24;
const LENGTHS = { minLength: 3, maxLength: 3 };

test('agrees with a list of prefixes, for programs and on unaligned keys', () => {
  const entry = fc.tuple(fc.nat(BITS), fc.array(fc.constantFrom(0, 1, 128, 129, 255), LENGTHS));
  const op = fc.tuple(fc.constantFrom('set', 'set', 'delete'), entry);
  fc.assert(
    fc.property(
      fc.array(op, { maxLength: 40 }),
      fc.array(entry),
      fc.nat(3),
      (ops, asked, place) => {
        const bpf = standaloneBpf();
        const map = createMap(bpf, trie({ keySize: 7, maxEntries: 50 }));
        const key = bpf.stackTop - 64 + place;
        const value = bpf.stackTop - 8;
        const put = (length: number, bytes: readonly number[]): void => {
          bpf.mem.view.setUint32(key, length, true);
          bpf.mem.u8.set(bytes, key + 4);
        };
        const model = new Map<string, number>();
        const bitsOf = (bytes: readonly number[], length: number): string =>
          bytes
            .map((byte) => byte.toString(2).padStart(8, '0'))
            .join('')
            .slice(0, length);
        ops.forEach(([what, [length, bytes]], i) => {
          put(length, bytes);
          const bits = bitsOf(bytes, length);
          bpf.mem.words[value >> 2] = i;
          if (what === 'set') {
            expect(map.updateElem(key, value, 0)).toBe(0);
            model.set(bits, i);
          } else expect(map.deleteElem(key)).toBe(model.delete(bits) ? 0 : -ENOENT);
        });
        for (const [length, bytes] of asked) {
          put(length, bytes);
          const bits = bitsOf(bytes, length);
          const covering = [...model.keys()].filter((known) => bits.startsWith(known));
          const best = covering.toSorted((a, b) => b.length - a.length)[0];
          const found = map.lookupElem(key);
          const got = found === 0 ? undefined : bpf.mem.words[found >> 2];
          expect(got).toBe(best === undefined ? undefined : model.get(best));
        }
      },
    ),
  );
});
