/**
 * Attributes that a kind of map refuses, each with the kernel's error number.
 *
 * @linux map_alloc_check, map_alloc of struct bpf_map_ops; kernel/bpf
 */
import { E2BIG, EBADF, EINVAL, ENOTSUPP } from '../../host/errno.ts';
import { PAGE_SIZE } from '../../host/memory.ts';
import { MAX_BPF_STACK } from '../isa/insn.ts';
import type { MapDef } from './mapDef.ts';
import { MapError, round8 } from './mapDef.ts';
import {
  BPF_F_INNER_MAP,
  BPF_F_MMAPABLE,
  BPF_F_NO_COMMON_LRU,
  BPF_F_NO_PREALLOC,
  BPF_F_NUMA_NODE,
  BPF_F_PRESERVE_ELEMS,
  BPF_F_RDONLY,
  BPF_F_RDONLY_PROG,
  BPF_F_WRONLY,
  BPF_F_WRONLY_PROG,
  BPF_F_ZERO_SEED,
  BPF_MAP_TYPE_ARRAY,
  BPF_MAP_TYPE_DEVMAP_HASH,
  BPF_MAP_TYPE_LRU_HASH,
  BPF_MAP_TYPE_LRU_PERCPU_HASH,
  BPF_MAP_TYPE_PERCPU_ARRAY,
  BPF_MAP_TYPE_PERCPU_HASH,
  BPF_MAP_TYPE_PERF_EVENT_ARRAY,
  BPF_MAP_TYPE_PROG_ARRAY,
} from './uapi.ts';

const ACCESS = BPF_F_RDONLY | BPF_F_WRONLY | BPF_F_RDONLY_PROG | BPF_F_WRONLY_PROG;
const ARRAY_FLAGS =
  BPF_F_NUMA_NODE | BPF_F_MMAPABLE | ACCESS | BPF_F_PRESERVE_ELEMS | BPF_F_INNER_MAP;
const HASH_FLAGS =
  BPF_F_NO_PREALLOC | BPF_F_NO_COMMON_LRU | BPF_F_NUMA_NODE | ACCESS | BPF_F_ZERO_SEED;

/** Largest value that the per-CPU allocator hands out. @linux PCPU_MIN_UNIT_SIZE */
const PCPU_VALUE_MAX = 32768;
/** Largest key and value together. @linux KMALLOC_MAX_SIZE, struct htab_elem */
const KMALLOC_MAX = 4 << 20;
const HTAB_ELEM_HEAD = 48;
/** Chains whose heads are counted with 32 bits of bytes. */
const BUCKETS_MAX = 2 ** 27;
/** Bytes of a key: prefix length and 1 to 256 of data. @linux LPM_KEY_SIZE_MIN, LPM_KEY_SIZE_MAX */
const LPM_KEY_MIN = 5;
const LPM_KEY_MAX = 260;
/** Longest data and the node's own fields. @linux LPM_VAL_SIZE_MAX, struct lpm_trie_node */
const LPM_NODE_HEAD = 256 + 24;
const BLOOM_HASHES_MAX = 15;
/** As most distributions configure it for x86-64. */
const NR_CPUS = 8192;

const refuse = (def: MapDef, errno: number, why: string): never => {
  throw new MapError(def, errno, why);
};

/** The flags that a kind knows; more, or programs that can neither read nor write. */
function checkFlags(def: MapDef, known: number): void {
  const more = def.flags & ~known;
  if (more !== 0) refuse(def, EINVAL, `flags 0x${(more >>> 0).toString(16)} do not apply`);
  const neither = BPF_F_RDONLY_PROG | BPF_F_WRONLY_PROG;
  if ((def.flags & neither) === neither)
    refuse(def, EINVAL, 'BPF_F_RDONLY_PROG together with BPF_F_WRONLY_PROG');
}

const wantSome = (def: MapDef, field: 'keySize' | 'valueSize' | 'maxEntries'): void => {
  if (def[field] === 0) refuse(def, EINVAL, `${field} 0 is out of range (1 or more)`);
};

function checkKeySize(def: MapDef, bytes: number): void {
  if (def.keySize !== bytes) refuse(def, EINVAL, `keySize ${def.keySize}, which must be ${bytes}`);
}

/** @linux array_map_alloc_check */
export function checkArray(def: MapDef): void {
  wantSome(def, 'maxEntries');
  checkKeySize(def, 4);
  wantSome(def, 'valueSize');
  const percpu = def.type === BPF_MAP_TYPE_PERCPU_ARRAY;
  checkFlags(def, percpu ? ARRAY_FLAGS & ~BPF_F_NUMA_NODE : ARRAY_FLAGS);
  if (def.type !== BPF_MAP_TYPE_ARRAY)
    checkFlags(def, ARRAY_FLAGS & ~(BPF_F_MMAPABLE | BPF_F_INNER_MAP));
  if (def.type !== BPF_MAP_TYPE_PERF_EVENT_ARRAY)
    checkFlags(def, ARRAY_FLAGS & ~BPF_F_PRESERVE_ELEMS);
  if (def.valueSize > 0x7fff_ffff)
    refuse(def, E2BIG, `valueSize ${def.valueSize} is out of range (up to 2147483647)`);
  checkPercpuValue(def, percpu);
}

/** @linux htab_map_alloc_check, htab_map_alloc */
export function checkHash(def: MapDef): void {
  const lru = def.type === BPF_MAP_TYPE_LRU_HASH || def.type === BPF_MAP_TYPE_LRU_PERCPU_HASH;
  const percpu = def.type === BPF_MAP_TYPE_PERCPU_HASH || def.type === BPF_MAP_TYPE_LRU_PERCPU_HASH;
  checkFlags(def, HASH_FLAGS);
  if (!lru) checkFlags(def, HASH_FLAGS & ~BPF_F_NO_COMMON_LRU);
  if (lru && (def.flags & BPF_F_NO_PREALLOC) !== 0)
    refuse(def, ENOTSUPP, 'BPF_F_NO_PREALLOC does not apply: LRU elements are preallocated');
  if (percpu || (def.flags & BPF_F_NO_COMMON_LRU) !== 0)
    checkFlags(def, HASH_FLAGS & ~BPF_F_NUMA_NODE);
  wantSome(def, 'maxEntries');
  wantSome(def, 'keySize');
  wantSome(def, 'valueSize');
  if (def.keySize + def.valueSize >= KMALLOC_MAX - HTAB_ELEM_HEAD)
    refuse(def, E2BIG, `a key and value of ${def.keySize + def.valueSize} bytes are too large`);
  checkPercpuValue(def, percpu);
  if (def.maxEntries > BUCKETS_MAX)
    refuse(def, E2BIG, `maxEntries ${def.maxEntries} is out of range (1 to ${BUCKETS_MAX})`);
}

/** Values of one of these sizes. */
function checkValueSize(def: MapDef, ...sizes: number[]): void {
  if (!sizes.includes(def.valueSize))
    refuse(def, EINVAL, `valueSize ${def.valueSize}, which must be ${sizes.join(' or ')}`);
}

/** @linux fd_array_map_alloc_check */
export function checkFdArray(def: MapDef): void {
  checkValueSize(def, 4);
  checkFlags(def, ARRAY_FLAGS & ~(BPF_F_RDONLY_PROG | BPF_F_WRONLY_PROG));
  checkArray(def);
}

/** Every map-in-map has a model, which is no map-in-map itself. @linux bpf_map_meta_alloc */
function checkInner(def: MapDef): void {
  const { inner } = def;
  if (inner === undefined) return refuse(def, EBADF, 'no inner map is given');
  if (inner.inner !== undefined) refuse(def, EINVAL, 'the inner map is a map of maps itself');
  if (inner.type === BPF_MAP_TYPE_PROG_ARRAY)
    refuse(def, ENOTSUPP, 'a prog_array cannot be an inner map');
}

export function checkArrayOfMaps(def: MapDef): void {
  checkFdArray(def);
  checkInner(def);
}

/** @linux fd_htab_map_alloc_check */
export function checkHashOfMaps(def: MapDef): void {
  checkValueSize(def, 4);
  checkHash(def);
  checkInner(def);
}

/** @linux trie_alloc */
export function checkLpm(def: MapDef): void {
  wantSome(def, 'maxEntries');
  if ((def.flags & BPF_F_NO_PREALLOC) === 0) refuse(def, EINVAL, 'BPF_F_NO_PREALLOC is missing');
  checkFlags(def, BPF_F_NO_PREALLOC | BPF_F_NUMA_NODE | ACCESS);
  if (def.keySize < LPM_KEY_MIN || def.keySize > LPM_KEY_MAX)
    refuse(
      def,
      EINVAL,
      `keySize ${def.keySize} is out of range (${LPM_KEY_MIN} to ${LPM_KEY_MAX})`,
    );
  if (def.valueSize < 1 || def.valueSize > KMALLOC_MAX - LPM_NODE_HEAD)
    refuse(
      def,
      EINVAL,
      `valueSize ${def.valueSize} is out of range (1 to ${KMALLOC_MAX - LPM_NODE_HEAD})`,
    );
}

/** @linux queue_stack_map_alloc_check */
export function checkQueueStack(def: MapDef): void {
  wantSome(def, 'maxEntries');
  checkKeySize(def, 0);
  wantSome(def, 'valueSize');
  checkFlags(def, BPF_F_NUMA_NODE | ACCESS);
  if (def.valueSize > KMALLOC_MAX)
    refuse(def, E2BIG, `valueSize ${def.valueSize} is out of range (1 to ${KMALLOC_MAX})`);
}

/** @linux bloom_map_alloc */
export function checkBloom(def: MapDef): void {
  if (def.valueSize > KMALLOC_MAX)
    refuse(def, E2BIG, `valueSize ${def.valueSize} is out of range (1 to ${KMALLOC_MAX})`);
  checkKeySize(def, 0);
  wantSome(def, 'valueSize');
  wantSome(def, 'maxEntries');
  checkFlags(def, BPF_F_NUMA_NODE | BPF_F_ZERO_SEED | ACCESS);
  if ((def.mapExtra ?? 0) > BLOOM_HASHES_MAX)
    refuse(def, EINVAL, `map_extra ${def.mapExtra} is out of range (0 to ${BLOOM_HASHES_MAX})`);
}

/** @linux ringbuf_map_alloc */
export function checkRingbuf(def: MapDef): void {
  checkFlags(def, BPF_F_NUMA_NODE);
  checkKeySize(def, 0);
  checkValueSize(def, 0);
  const { maxEntries } = def;
  if (maxEntries === 0 || maxEntries % PAGE_SIZE !== 0 || (maxEntries & (maxEntries - 1)) !== 0)
    refuse(def, EINVAL, `maxEntries ${maxEntries}, which must be a power of two of whole pages`);
}

/** @linux dev_map_alloc_check, dev_map_init_map */
export function checkDevmap(def: MapDef): void {
  wantSome(def, 'maxEntries');
  checkKeySize(def, 4);
  checkValueSize(def, 4, 8);
  checkFlags(def, BPF_F_NUMA_NODE | BPF_F_RDONLY | BPF_F_WRONLY);
  if (def.type === BPF_MAP_TYPE_DEVMAP_HASH && def.maxEntries > 2 ** 31)
    refuse(def, EINVAL, `maxEntries ${def.maxEntries} is out of range (1 to 2147483648)`);
}

/** @linux cpu_map_alloc */
export function checkCpumap(def: MapDef): void {
  wantSome(def, 'maxEntries');
  checkKeySize(def, 4);
  checkValueSize(def, 4, 8);
  checkFlags(def, BPF_F_NUMA_NODE);
  if (def.maxEntries > NR_CPUS)
    refuse(def, E2BIG, `maxEntries ${def.maxEntries} is out of range (1 to ${NR_CPUS})`);
}

/** @linux xsk_map_alloc */
export function checkXskmap(def: MapDef): void {
  wantSome(def, 'maxEntries');
  checkKeySize(def, 4);
  checkValueSize(def, 4);
  checkFlags(def, BPF_F_NUMA_NODE | BPF_F_RDONLY | BPF_F_WRONLY);
}

/** @linux sock_map_alloc */
export function checkSockmap(def: MapDef): void {
  wantSome(def, 'maxEntries');
  checkKeySize(def, 4);
  checkValueSize(def, 4, 8);
  checkFlags(def, BPF_F_NUMA_NODE | BPF_F_RDONLY | BPF_F_WRONLY);
}

/** @linux sock_hash_alloc */
export function checkSockhash(def: MapDef): void {
  wantSome(def, 'maxEntries');
  wantSome(def, 'keySize');
  checkValueSize(def, 4, 8);
  checkFlags(def, BPF_F_NUMA_NODE | BPF_F_RDONLY | BPF_F_WRONLY);
  if (def.keySize > MAX_BPF_STACK)
    refuse(def, E2BIG, `keySize ${def.keySize} is out of range (1 to ${MAX_BPF_STACK})`);
}

/** @linux reuseport_array_alloc_check */
export function checkReuseport(def: MapDef): void {
  checkValueSize(def, 4, 8);
  checkArray(def);
}

function checkPercpuValue(def: MapDef, percpu: boolean): void {
  if (percpu && round8(def.valueSize) > PCPU_VALUE_MAX)
    refuse(
      def,
      E2BIG,
      `valueSize ${def.valueSize} is out of range (up to ${PCPU_VALUE_MAX} per CPU)`,
    );
}
