/**
 * Checked mode lets programs touch values, keys and records, and nothing else of map memory: places
 * are counted here from what lookups and reservations give.
 */
import { expect, it } from 'vitest';
import type { BpfMap } from '../../../src/xdp/maps/bpfMap.ts';
import { createMap } from '../../../src/xdp/maps/createMap.ts';
import { RingbufMap } from '../../../src/xdp/maps/ringbuf.ts';
import {
  BPF_F_NO_PREALLOC,
  BPF_F_RDONLY_PROG,
  BPF_F_WRONLY_PROG,
  BPF_MAP_TYPE_ARRAY,
  BPF_MAP_TYPE_HASH,
  BPF_MAP_TYPE_LPM_TRIE,
  BPF_MAP_TYPE_LRU_HASH,
  BPF_MAP_TYPE_PERCPU_ARRAY,
  BPF_MAP_TYPE_PERCPU_HASH,
  BPF_MAP_TYPE_RINGBUF,
} from '../../../src/xdp/maps/uapi.ts';
import { standaloneBpf } from '../../../src/xdp/standalone.ts';

const KEY = Uint8Array.of(1, 0, 0, 0);
/** Of values: no multiple of 8, so that padding follows. */
const BYTES = 20;

const bpf = standaloneBpf({ cpus: 2, mapBytes: 1 << 20 });
const { arena, mem } = bpf;

function mapOf(type: number, flags = 0, keySize = 4): BpfMap {
  const def = { name: 'm', type, keySize, valueSize: BYTES, maxEntries: 4, flags };
  return createMap(bpf, def);
}

/** Where a program finds the value of `KEY`. */
function valueOf(map: BpfMap, key = KEY): number {
  bpf.scratch.ensure(8, BYTES);
  const at = bpf.scratch.key;
  mem.u8.set(key, at);
  return map.lookupElem(at);
}

it.each([
  ['array', BPF_MAP_TYPE_ARRAY, 0],
  ['array per CPU', BPF_MAP_TYPE_PERCPU_ARRAY, 0],
  ['hash', BPF_MAP_TYPE_HASH, 0],
  ['hash on demand', BPF_MAP_TYPE_HASH, BPF_F_NO_PREALLOC],
  ['hash per CPU', BPF_MAP_TYPE_PERCPU_HASH, 0],
  ['lru', BPF_MAP_TYPE_LRU_HASH, 0],
  ['trie', BPF_MAP_TYPE_LPM_TRIE, BPF_F_NO_PREALLOC],
])('%s: a value from its first byte to its last', (_, type, flags) => {
  const isTrie = type === BPF_MAP_TYPE_LPM_TRIE;
  const key = isTrie ? Uint8Array.of(8, 0, 0, 0, 1, 2, 3, 4) : KEY;
  const map = mapOf(type, flags, key.length);
  expect(map.sysUpdate(key, new Uint8Array(map.userValueSize))).toBe(0);
  const at = valueOf(map, key);
  expect(at).not.toBe(0);
  for (const write of [false, true]) {
    expect(arena.allows(at, 8, write)).toBe(true);
    expect(arena.allows(at + BYTES - 4, 4, write)).toBe(true);
    expect(arena.allows(at + BYTES - 3, 4, write)).toBe(false);
    expect(arena.allows(at + BYTES, 1, write)).toBe(false);
    expect(arena.allows(at - 1, 1, write)).toBe(false);
    expect(arena.allows(at - 1, 8, write)).toBe(false);
  }
});

it('keys of a hash are there to be read', () => {
  const map = mapOf(BPF_MAP_TYPE_HASH);
  map.sysUpdate(KEY, new Uint8Array(BYTES));
  const key = valueOf(map) - 8; // four bytes, padded to eight
  expect([mem.u8[key], arena.allows(key, 4, false), arena.allows(key, 4, true)]).toEqual([
    ...[1, true, false],
  ]);
  expect(arena.allows(key, 8, false)).toBe(false);
  expect(arena.allows(key - 4, 4, false)).toBe(false);
});

it('flags of a map say who may read and write', () => {
  const constant = valueOf(mapOf(BPF_MAP_TYPE_ARRAY, BPF_F_RDONLY_PROG));
  expect([false, true].map((write) => arena.allows(constant, 4, write))).toEqual([true, false]);
  const sink = valueOf(mapOf(BPF_MAP_TYPE_ARRAY, BPF_F_WRONLY_PROG));
  expect([false, true].map((write) => arena.allows(sink, 4, write))).toEqual([false, true]);
});

it('a record of a ring buffer while it is filled', () => {
  const def = { name: 'r', type: BPF_MAP_TYPE_RINGBUF, keySize: 0, valueSize: 0, flags: 0 };
  const ring = createMap(bpf, { ...def, maxEntries: 4096 });
  if (!(ring instanceof RingbufMap)) throw new Error('no ring buffer');
  const [first, second] = [ring.reserve(12), ring.reserve(16)];
  expect(arena.allows(first, 8, true)).toBe(true);
  expect(arena.allows(first + 8, 8, true)).toBe(false);
  expect(arena.allows(first - 8, 8, false)).toBe(false);
  ring.submit(first, 0);
  expect(arena.allows(first, 8, true)).toBe(false);
  expect(arena.allows(second + 8, 8, true)).toBe(true);
  ring.discard(second, 0);
  expect(arena.allows(second, 1, false)).toBe(false);
});

it('nothing of a map that is gone, of its struct, or of memory that nobody has', () => {
  const map = mapOf(BPF_MAP_TYPE_ARRAY);
  const at = valueOf(map);
  expect(arena.allows(map.handle, 1, false)).toBe(false);
  map.release();
  expect(arena.allows(at, 1, false)).toBe(false);
  expect(arena.allows(arena.region.at + arena.region.bytes - 8, 8, true)).toBe(false);
});
