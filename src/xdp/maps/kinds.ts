/**
 * The kinds of maps, by type: what each refuses, the memory it takes, and how it is made.
 *
 * `check` asks for what the kernel's `map_alloc_check` and `map_alloc` ask for; each refusal names
 * the attribute.
 *
 * @linux include/linux/bpf_types.h
 */
import type { HostAddr } from '../../host/memory.ts';
import type { Bpf } from '../bpf.ts';
import { ArrayMap, PercpuArrayMap } from './arrayMap.ts';
import { BloomFilterMap, bloomBits } from './bloomFilter.ts';
import type { BpfMap } from './bpfMap.ts';
import {
  checkArray,
  checkArrayOfMaps,
  checkBloom,
  checkCpumap,
  checkDevmap,
  checkFdArray,
  checkHash,
  checkHashOfMaps,
  checkLpm,
  checkQueueStack,
  checkReuseport,
  checkRingbuf,
  checkSockhash,
  checkSockmap,
  checkXskmap,
} from './checks.ts';
import { CPUMAP_VAL_BYTES, CpuMap } from './cpumap.ts';
import { DEVMAP_VAL_BYTES, DevMap, DevMapHash } from './devmap.ts';
import { onDemandBytes } from './elemSlab.ts';
import { HashMap, PercpuHashMap, hashElemBytes, isPrealloc } from './hashMap.ts';
import { bucketCount } from './htab.ts';
import { LpmTrie, lpmNodeBytes, lpmNodesMax } from './lpmTrie.ts';
import { LruHashMap, LruPercpuHashMap, lruBytes } from './lruHash.ts';
import type { MapDef } from './mapDef.ts';
import { round8 } from './mapDef.ts';
import { ArrayOfMaps, HashOfMaps } from './mapInMap.ts';
import { PerfEventArrayMap } from './perfEventArray.ts';
import { ProgArrayMap } from './progArray.ts';
import { QueueStackMap } from './queueStack.ts';
import { RingbufMap } from './ringbuf.ts';
import { ReuseportSockArray, SockHash, SockMap, XskMap } from './sockMaps.ts';
import {
  BPF_MAP_TYPE_ARRAY,
  BPF_MAP_TYPE_ARRAY_OF_MAPS,
  BPF_MAP_TYPE_BLOOM_FILTER,
  BPF_MAP_TYPE_CPUMAP,
  BPF_MAP_TYPE_DEVMAP,
  BPF_MAP_TYPE_DEVMAP_HASH,
  BPF_MAP_TYPE_HASH,
  BPF_MAP_TYPE_HASH_OF_MAPS,
  BPF_MAP_TYPE_LPM_TRIE,
  BPF_MAP_TYPE_LRU_HASH,
  BPF_MAP_TYPE_LRU_PERCPU_HASH,
  BPF_MAP_TYPE_PERCPU_ARRAY,
  BPF_MAP_TYPE_PERCPU_HASH,
  BPF_MAP_TYPE_PERF_EVENT_ARRAY,
  BPF_MAP_TYPE_PROG_ARRAY,
  BPF_MAP_TYPE_QUEUE,
  BPF_MAP_TYPE_REUSEPORT_SOCKARRAY,
  BPF_MAP_TYPE_RINGBUF,
  BPF_MAP_TYPE_SOCKHASH,
  BPF_MAP_TYPE_SOCKMAP,
  BPF_MAP_TYPE_STACK,
  BPF_MAP_TYPE_XSKMAP,
} from './uapi.ts';

export interface MapKind {
  /** User space sees a value for each CPU. */
  readonly perCpu?: true;
  /** @throws MapError */
  check(def: MapDef): void;
  /** Bytes of storage, at most. */
  bytes(def: MapDef, cpus: number): number;
  readonly Class: new (bpf: Bpf, def: MapDef, handle: HostAddr) => BpfMap;
}

const none = (): number => 0;

function hashBytes(def: MapDef, values: number, cpus: number): number {
  const elemBytes = hashElemBytes(def, values);
  const elems = def.maxEntries + cpus;
  const forElems = isPrealloc(def) ? elems * elemBytes : onDemandBytes(elems, elemBytes);
  return bucketCount(def.maxEntries) * 4 + forElems;
}

const ARRAY: MapKind = {
  check: checkArray,
  bytes: (def) => def.maxEntries * round8(def.valueSize),
  Class: ArrayMap,
};
const PERCPU_ARRAY: MapKind = {
  perCpu: true,
  check: checkArray,
  bytes: (def, cpus) => def.maxEntries * round8(def.valueSize) * cpus,
  Class: PercpuArrayMap,
};
const HASH: MapKind = {
  check: checkHash,
  bytes: (def, cpus) => hashBytes(def, 1, cpus),
  Class: HashMap,
};
const PERCPU_HASH: MapKind = {
  perCpu: true,
  check: checkHash,
  bytes: (def, cpus) => hashBytes(def, cpus, cpus),
  Class: PercpuHashMap,
};
const LRU_HASH: MapKind = {
  check: checkHash,
  bytes: (def, cpus) => bucketCount(def.maxEntries + cpus) * 4 + lruBytes(def, 1, cpus),
  Class: LruHashMap,
};
const LRU_PERCPU_HASH: MapKind = {
  perCpu: true,
  check: checkHash,
  bytes: (def, cpus) => bucketCount(def.maxEntries + cpus) * 4 + lruBytes(def, cpus, cpus),
  Class: LruPercpuHashMap,
};
const HASH_OF_MAPS: MapKind = { check: checkHashOfMaps, bytes: HASH.bytes, Class: HashOfMaps };
const LPM_TRIE: MapKind = {
  check: checkLpm,
  bytes: (def) => onDemandBytes(lpmNodesMax(def), lpmNodeBytes(def)),
  Class: LpmTrie,
};
const QUEUE_STACK: MapKind = {
  check: checkQueueStack,
  bytes: (def) => (def.maxEntries + 1) * round8(def.valueSize),
  Class: QueueStackMap,
};
const DEVMAP: MapKind = {
  check: checkDevmap,
  bytes: (def) => def.maxEntries * DEVMAP_VAL_BYTES,
  Class: DevMap,
};

/** By `BPF_MAP_TYPE_*`. */
export const MAP_KINDS: Readonly<Record<number, MapKind>> = {
  [BPF_MAP_TYPE_HASH]: HASH,
  [BPF_MAP_TYPE_ARRAY]: ARRAY,
  [BPF_MAP_TYPE_PROG_ARRAY]: { check: checkFdArray, bytes: none, Class: ProgArrayMap },
  [BPF_MAP_TYPE_PERF_EVENT_ARRAY]: { check: checkFdArray, bytes: none, Class: PerfEventArrayMap },
  [BPF_MAP_TYPE_PERCPU_HASH]: PERCPU_HASH,
  [BPF_MAP_TYPE_PERCPU_ARRAY]: PERCPU_ARRAY,
  [BPF_MAP_TYPE_LRU_HASH]: LRU_HASH,
  [BPF_MAP_TYPE_LRU_PERCPU_HASH]: LRU_PERCPU_HASH,
  [BPF_MAP_TYPE_LPM_TRIE]: LPM_TRIE,
  [BPF_MAP_TYPE_ARRAY_OF_MAPS]: { check: checkArrayOfMaps, bytes: none, Class: ArrayOfMaps },
  [BPF_MAP_TYPE_HASH_OF_MAPS]: HASH_OF_MAPS,
  [BPF_MAP_TYPE_DEVMAP]: DEVMAP,
  [BPF_MAP_TYPE_SOCKMAP]: { check: checkSockmap, bytes: none, Class: SockMap },
  [BPF_MAP_TYPE_CPUMAP]: {
    check: checkCpumap,
    bytes: (def) => def.maxEntries * CPUMAP_VAL_BYTES,
    Class: CpuMap,
  },
  [BPF_MAP_TYPE_XSKMAP]: { check: checkXskmap, bytes: none, Class: XskMap },
  [BPF_MAP_TYPE_SOCKHASH]: { check: checkSockhash, bytes: none, Class: SockHash },
  [BPF_MAP_TYPE_REUSEPORT_SOCKARRAY]: {
    check: checkReuseport,
    bytes: none,
    Class: ReuseportSockArray,
  },
  [BPF_MAP_TYPE_QUEUE]: QUEUE_STACK,
  [BPF_MAP_TYPE_STACK]: QUEUE_STACK,
  [BPF_MAP_TYPE_DEVMAP_HASH]: { ...DEVMAP, Class: DevMapHash },
  [BPF_MAP_TYPE_RINGBUF]: {
    check: checkRingbuf,
    bytes: (def) => 2 * def.maxEntries,
    Class: RingbufMap,
  },
  [BPF_MAP_TYPE_BLOOM_FILTER]: {
    check: checkBloom,
    bytes: (def) => bloomBits(def) / 8,
    Class: BloomFilterMap,
  },
};
