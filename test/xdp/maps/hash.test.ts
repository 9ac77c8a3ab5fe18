import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { E2BIG, EEXIST, EINVAL, ENOENT, ENOMEM, ENOSPC } from '../../../src/host/errno.ts';
import { sysLookupBatch } from '../../../src/xdp/maps/batch.ts';
import { createMap, mapMemory } from '../../../src/xdp/maps/createMap.ts';
import { jhash } from '../../../src/xdp/maps/jhash.ts';
import {
  BPF_ANY,
  BPF_EXIST,
  BPF_F_NO_COMMON_LRU,
  BPF_F_NO_PREALLOC,
  BPF_MAP_TYPE_HASH,
  BPF_MAP_TYPE_LPM_TRIE,
  BPF_MAP_TYPE_PERCPU_HASH,
  BPF_NOEXIST,
} from '../../../src/xdp/maps/uapi.ts';
import { standaloneBpf } from '../../../src/xdp/standalone.ts';
import { def, mapRig, refusal, u32, words } from './rig.ts';

const FLAGS = [0, BPF_F_NO_PREALLOC];

describe.each(FLAGS)('a hash with flags %d', (flags) => {
  test('answers updates as their flags ask', () => {
    const { lookup, update, remove } = mapRig(def(BPF_MAP_TYPE_HASH, { flags }));
    expect(update(7, 1, BPF_EXIST)).toBe(-ENOENT);
    expect(update(7, 1, BPF_NOEXIST)).toBe(0);
    expect(update(7, 2, BPF_NOEXIST)).toBe(-EEXIST);
    expect(update(7, 3, BPF_EXIST)).toBe(0);
    expect(update(7, 4, 3)).toBe(-EINVAL);
    expect(lookup(7)).toBe(3);
    expect(remove(7)).toBe(0);
    expect(remove(7)).toBe(-ENOENT);
    expect(lookup(7)).toBeNull();
  });

  test('holds max_entries, and lets a full map change what it has', () => {
    const { update, remove, keys } = mapRig(def(BPF_MAP_TYPE_HASH, { flags, maxEntries: 3 }));
    expect([1, 2, 3].map((key) => update(key, key))).toEqual([0, 0, 0]);
    expect(update(4, 4)).toBe(-E2BIG);
    expect(update(2, 5)).toBe(0);
    expect(remove(2)).toBe(0);
    expect(update(4, 4)).toBe(0);
    expect(keys().toSorted()).toEqual([1, 3, 4]);
  });

  test('agrees with a Map on any sequence of operations, keys of any length and place', () => {
    const op = fc.tuple(fc.constantFrom('set', 'delete', 'get'), fc.nat(9), fc.nat(3), fc.nat(2));
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 21 }), fc.array(op), (keySize, ops) => {
        const maxEntries = 6;
        const bpf = standaloneBpf();
        const map = createMap(bpf, def(BPF_MAP_TYPE_HASH, { keySize, maxEntries, flags }));
        const model = new Map<number, number>();
        const { u8, words: w } = bpf.mem;
        for (const [what, k, place, how] of ops) {
          const key = bpf.stackTop - 64 + place;
          const value = bpf.stackTop - 8;
          u8.fill(k, key, key + keySize);
          w[value >> 2] = k * 100 + how;
          const had = model.has(k);
          if (what === 'set') {
            const no =
              how === BPF_NOEXIST && had ? -EEXIST : how === BPF_EXIST && !had ? -ENOENT : 0;
            const full = no === 0 && !had && model.size === maxEntries ? -E2BIG : no;
            expect(map.updateElem(key, value, how)).toBe(full);
            if (full === 0) model.set(k, k * 100 + how);
          } else if (what === 'delete') {
            expect(map.deleteElem(key)).toBe(model.delete(k) ? 0 : -ENOENT);
          } else {
            const at = map.lookupElem(key);
            expect(at === 0 ? undefined : w[at >> 2]).toBe(model.get(k));
          }
        }
        const walked: number[] = [];
        map.forEachElem((key) => {
          walked.push(u8[key]!);
          return 0;
        });
        expect(walked.toSorted()).toEqual([...model.keys()].toSorted());
      }),
    );
  });
});

test('an address from before an update still shows the old value', () => {
  const { map, bpf, update, lookup } = mapRig(def(BPF_MAP_TYPE_HASH));
  update(1, 10);
  bpf.mem.words[(bpf.stackTop - 64) >> 2] = 1;
  const before = map.lookupElem(bpf.stackTop - 64);
  update(1, 20, BPF_ANY);
  expect(bpf.mem.words[before >> 2]).toBe(10);
  expect(lookup(1)).toBe(20);
});

test('a new per-CPU element is zero on the CPUs that did not write it', () => {
  const { map, bpf, update, remove } = mapRig(def(BPF_MAP_TYPE_PERCPU_HASH), { cpus: 2 });
  expect(map.sysUpdate(u32(1), u32(5, 0, 6, 0))).toBe(0);
  expect(words(map.sysLookup(u32(1)))).toEqual([5, 0, 6, 0]);
  expect(remove(1)).toBe(0);
  bpf.xdp.cpu = { ...bpf.xdp.cpu, id: 1 } as typeof bpf.xdp.cpu;
  expect(update(1, 9)).toBe(0);
  expect(words(map.sysLookup(u32(1)))).toEqual([0, 0, 9, 0]);
  expect(map.lookupPercpuElem(bpf.stackTop - 64, 2)).toBe(0);
});

test('lookup and delete takes the value along', () => {
  const { map, update, lookup } = mapRig(def(BPF_MAP_TYPE_HASH));
  update(3, 33);
  expect(words(map.sysLookupAndDelete(u32(3)))).toEqual([33]);
  expect(map.sysLookupAndDelete(u32(3))).toBeNull();
  expect(lookup(3)).toBeNull();
});

test('mapMemory is enough for the map, and freed maps give all of it back', () => {
  for (const type of [BPF_MAP_TYPE_HASH, BPF_MAP_TYPE_PERCPU_HASH]) {
    const big = def(type, { keySize: 13, valueSize: 100, maxEntries: 1000 });
    const bpf = standaloneBpf({ mapBytes: mapMemory(big, 4) + 256, cpus: 4 });
    const free = bpf.arena.freeBytes;
    const map = createMap(bpf, big);
    expect(bpf.maps.at(map.handle)).toBe(map);
    const scratch = free - bpf.arena.freeBytes;
    map.release();
    expect(bpf.maps.at(map.handle)).toBeUndefined();
    const again = createMap(bpf, big);
    expect(free - bpf.arena.freeBytes).toBe(scratch);
    expect(again.id).toBe(map.id + 1);
  }
});

test('mapMemory is enough for a map that allocates on demand until it is full', () => {
  const valueSize = 32760; // elements end just behind the arena's grain
  const onDemand = { valueSize, maxEntries: 200, flags: BPF_F_NO_PREALLOC };
  const hash = def(BPF_MAP_TYPE_HASH, onDemand);
  const trie = def(BPF_MAP_TYPE_LPM_TRIE, { ...onDemand, keySize: 8, valueSize: valueSize - 8 });
  for (const one of [hash, trie]) {
    const map = createMap(standaloneBpf({ mapBytes: mapMemory(one, 1) }), one);
    const keyOf = (i: number): Uint8Array => (one === trie ? u32(32, i) : u32(i));
    const value = new Uint8Array(one.valueSize);
    for (let i = 0; i < 200; i++) expect(map.sysUpdate(keyOf(i), value, BPF_NOEXIST)).toBe(0);
    expect(map.sysUpdate(keyOf(0), value)).toBe(0);
    expect(map.sysUpdate(keyOf(200), value)).toBe(one === trie ? -ENOSPC : -E2BIG);
  }
});

test('100 million elements on demand: Linux makes that map, and so do we, up to 256 MiB of them', () => {
  const valueSize = 3 << 20;
  const big = def(BPF_MAP_TYPE_HASH, { valueSize, maxEntries: 1e8, flags: BPF_F_NO_PREALLOC });
  const map = createMap(standaloneBpf({ mapBytes: mapMemory(big, 1) }), big);
  const value = new Uint8Array(valueSize);
  for (let i = 0; i < 85; i++) expect(map.sysUpdate(u32(i), value)).toBe(0);
  expect(map.sysUpdate(u32(85), value)).toBe(-ENOMEM);
  expect(map.sysDelete(u32(7))).toBe(0);
  expect(map.sysUpdate(u32(85), value)).toBe(0);
  // room for all that it declares: 300 TB of values
  const { rc, count, values } = sysLookupBatch(map, null, map.maxEntries);
  expect([rc, count, values.length]).toEqual([-ENOENT, 85, 85 * valueSize]);
});

test('hash attributes are refused with the kernel’s errors', () => {
  expect(refusal(def(BPF_MAP_TYPE_HASH, { keySize: 0 }))).toBe(EINVAL);
  expect(refusal(def(BPF_MAP_TYPE_HASH, { flags: BPF_F_NO_COMMON_LRU }))).toBe(EINVAL);
  expect(refusal(def(BPF_MAP_TYPE_HASH, { keySize: 1 << 22 }))).toBe(E2BIG);
});

test('jhash answers as hashword() of lookup3.c, compiled with cc', () => {
  const key = new Int32Array([1, 2, 3, 4]);
  const hashes = [0, 4, 8, 12, 16].map((bytes) => jhash(key, 0, bytes, 0) >>> 0);
  expect(hashes).toEqual([0xdeadbeef, 0x72a82a9b, 0x8b4c7979, 0xa46158f5, 0x66491246]);
});
