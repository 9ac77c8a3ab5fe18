/**
 * Many elements in one call of user space.
 *
 * Hash maps are read bucket by bucket, and the place to go on from is a bucket's number; the other
 * kinds are read in the order of their keys, and it is the last key read. Writing is a loop.
 *
 * @linux bpf_map_do_batch, generic_map_lookup_batch; kernel/bpf/syscall.c
 * @linux __htab_map_lookup_and_delete_batch; kernel/bpf/hashtab.c
 */
import { EINVAL, ENOENT, ENOSPC, ENOTSUPP } from '../../host/errno.ts';
import type { HostAddr } from '../../host/memory.ts';
import type { BpfMap } from './bpfMap.ts';
import { Htab } from './htab.ts';
import {
  BPF_F_LOCK,
  BPF_MAP_TYPE_ARRAY,
  BPF_MAP_TYPE_ARRAY_OF_MAPS,
  BPF_MAP_TYPE_LPM_TRIE,
  BPF_MAP_TYPE_PERCPU_ARRAY,
} from './uapi.ts';

/** What a reading batch found. */
export interface BatchRead {
  /** 0: there may be more; -ENOENT: that was all; another negative errno. */
  readonly rc: number;
  readonly count: number;
  /** `count` keys and values, one after the other. */
  readonly keys: Uint8Array;
  readonly values: Uint8Array;
  /** Where the next batch goes on. */
  readonly next: Uint8Array;
}

/** What a writing batch did before it ended. */
export interface BatchDone {
  readonly rc: number;
  readonly count: number;
}

const ARRAYS: readonly number[] = [
  BPF_MAP_TYPE_ARRAY,
  BPF_MAP_TYPE_PERCPU_ARRAY,
  BPF_MAP_TYPE_ARRAY_OF_MAPS,
];
const NOTHING = new Uint8Array(0);
const TOKEN_BYTES = 4;

const failed = (rc: number): BatchRead => ({
  ...{ rc, count: 0 },
  ...{ keys: NOTHING, values: NOTHING, next: NOTHING },
});

/** Keys and values as they come. It grows with them: a map may declare far more than it has. */
class BatchBuffer {
  private readonly map: BpfMap;
  private keys: Uint8Array;
  private values: Uint8Array;
  private room = 16;
  count = 0;

  constructor(map: BpfMap) {
    this.map = map;
    this.keys = new Uint8Array(this.room * map.keySize);
    this.values = new Uint8Array(this.room * map.userValueSize);
  }

  add(key: HostAddr, value: HostAddr): void {
    const { mem, keySize, userValueSize } = this.map;
    if (this.count === this.room) this.grow();
    this.keys.set(mem.u8.subarray(key, key + keySize), this.count * keySize);
    this.values.set(mem.u8.subarray(value, value + userValueSize), this.count * userValueSize);
    this.count++;
  }

  private grow(): void {
    const { keys, values } = this;
    this.room *= 2;
    this.keys = new Uint8Array(2 * keys.length);
    this.keys.set(keys);
    this.values = new Uint8Array(2 * values.length);
    this.values.set(values);
  }

  read(rc: number, next: Uint8Array): BatchRead {
    const { count, map } = this;
    const keys = this.keys.subarray(0, count * map.keySize);
    return { rc, count, keys, values: this.values.subarray(0, count * map.userValueSize), next };
  }
}

/**
 * @param from `next` of the batch before, null for the first
 * @param room keys and values that the caller has place for
 * @linux BPF_MAP_LOOKUP_BATCH
 */
export function sysLookupBatch(
  map: BpfMap,
  from: Uint8Array | null,
  room: number,
  flags: number = 0,
): BatchRead {
  const rc = map.readable();
  if (rc !== 0) return failed(rc);
  if (map instanceof Htab) return hashBatch(map, from, room, flags, false);
  const known = ARRAYS.includes(map.type) || map.type === BPF_MAP_TYPE_LPM_TRIE;
  return known ? genericLookupBatch(map, from, room, flags) : failed(-ENOTSUPP);
}

/** @linux BPF_MAP_LOOKUP_AND_DELETE_BATCH */
export function sysLookupAndDeleteBatch(
  map: BpfMap,
  from: Uint8Array | null,
  room: number,
  flags: number = 0,
): BatchRead {
  const rc = map.readable() || map.writable();
  if (rc !== 0) return failed(rc);
  return map instanceof Htab ? hashBatch(map, from, room, flags, true) : failed(-ENOTSUPP);
}

/** @param keys one after the other, as `values` @linux BPF_MAP_UPDATE_BATCH */
export function sysUpdateBatch(
  map: BpfMap,
  keys: Uint8Array,
  values: Uint8Array,
  flags: number = 0,
): BatchDone {
  const { keySize, userValueSize } = map;
  const known = map instanceof Htab || map.type === BPF_MAP_TYPE_LPM_TRIE;
  const rc =
    map.writable() || (known || ARRAYS.includes(map.type) ? badFlags(map, flags) : -ENOTSUPP);
  return eachKey(rc, keys, keySize, (key, i) =>
    map.sysUpdate(key, values.subarray(i * userValueSize, (i + 1) * userValueSize), flags),
  );
}

/** @linux BPF_MAP_DELETE_BATCH */
export function sysDeleteBatch(map: BpfMap, keys: Uint8Array, flags: number = 0): BatchDone {
  const known = map instanceof Htab || map.type === BPF_MAP_TYPE_LPM_TRIE;
  const rc = map.writable() || (known ? badFlags(map, flags) : -ENOTSUPP);
  return eachKey(rc, keys, map.keySize, (key) => map.sysDelete(key));
}

function eachKey(
  refused: number,
  keys: Uint8Array,
  keySize: number,
  step: (key: Uint8Array, i: number) => number,
): BatchDone {
  if (refused !== 0) return { rc: refused, count: 0 };
  const n = Math.floor(keys.length / keySize);
  for (let i = 0; i < n; i++) {
    const rc = step(keys.subarray(i * keySize, (i + 1) * keySize), i);
    if (rc !== 0) return { rc, count: i };
  }
  return { rc: 0, count: n };
}

/** Only the lock is asked for here, whatever an update of one element may ask. */
const badFlags = (map: BpfMap, flags: number): number =>
  (flags & ~BPF_F_LOCK) === 0 ? map.lockable(flags) : -EINVAL;

/** Whole buckets only: what does not fit any more is left for the next batch. */
function hashBatch(
  map: Htab,
  from: Uint8Array | null,
  room: number,
  flags: number,
  remove: boolean,
): BatchRead {
  const bad = badFlags(map, flags);
  if (bad !== 0) return failed(bad);
  if (room === 0) return failed(0);
  let bucket = from === null ? 0 : new DataView(from.buffer, from.byteOffset).getUint32(0, true);
  if (bucket >= map.bucketCount) return failed(-ENOENT);
  const buffer = new BatchBuffer(map);
  let rc = 0;
  for (; bucket < map.bucketCount; bucket++) {
    const chain = chainOf(map, bucket);
    if (chain.length > room - buffer.count) {
      if (buffer.count === 0) rc = -ENOSPC;
      break;
    }
    for (const elem of chain) readOut(map, elem, buffer, remove);
  }
  if (bucket === map.bucketCount) rc = -ENOENT;
  const next = new Uint8Array(TOKEN_BYTES);
  new DataView(next.buffer).setUint32(0, bucket, true);
  return buffer.read(rc, next);
}

function chainOf(map: Htab, bucket: number): HostAddr[] {
  const chain: HostAddr[] = [];
  for (let elem = map.firstOf(bucket); elem !== 0; elem = map.nextOf(elem)) chain.push(elem);
  return chain;
}

function readOut(map: Htab, elem: HostAddr, buffer: BatchBuffer, remove: boolean): void {
  const { key, value } = map.bpf.scratch;
  map.readElem(elem, key, value);
  buffer.add(key, value);
  if (remove) map.dropElem(elem);
}

/** @linux generic_map_lookup_batch */
function genericLookupBatch(
  map: BpfMap,
  from: Uint8Array | null,
  room: number,
  flags: number,
): BatchRead {
  const bad = badFlags(map, flags);
  if (bad !== 0) return failed(bad);
  if (room === 0) return failed(0);
  const buffer = new BatchBuffer(map);
  const { scratch } = map.bpf;
  let last = from;
  while (buffer.count < room) {
    const key = map.sysGetNextKey(last);
    if (key === null) return buffer.read(-ENOENT, buffer.count === 0 ? NOTHING : last!);
    const value = map.sysLookup(key, flags);
    last = key;
    if (value === null) continue;
    map.mem.u8.set(key, scratch.key);
    map.mem.u8.set(value, scratch.value);
    buffer.add(scratch.key, scratch.value);
  }
  return buffer.read(0, last ?? NOTHING);
}
