/**
 * Attributes that a kind of map refuses, each with the kernel's error number.
 *
 * @linux array_map_alloc_check, htab_map_alloc_check; kernel/bpf/arraymap.c, hashtab.c
 */
import { E2BIG, EINVAL, ENOTSUPP } from '../../host/errno.ts';
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
  BPF_MAP_TYPE_LRU_HASH,
  BPF_MAP_TYPE_LRU_PERCPU_HASH,
  BPF_MAP_TYPE_PERCPU_ARRAY,
  BPF_MAP_TYPE_PERCPU_HASH,
  BPF_MAP_TYPE_PERF_EVENT_ARRAY,
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

const refuse = (def: MapDef, errno: number, why: string): never => {
  throw new MapError(def, errno, why);
};

/** The flags that a kind knows; more, or programs that can neither read nor write. */
export function checkFlags(def: MapDef, known: number): void {
  const more = def.flags & ~known;
  if (more !== 0) refuse(def, EINVAL, `flags 0x${(more >>> 0).toString(16)} do not apply`);
  const neither = BPF_F_RDONLY_PROG | BPF_F_WRONLY_PROG;
  if ((def.flags & neither) === neither)
    refuse(def, EINVAL, 'BPF_F_RDONLY_PROG together with BPF_F_WRONLY_PROG');
}

const wantSome = (def: MapDef, field: 'keySize' | 'valueSize' | 'maxEntries'): void => {
  if (def[field] === 0) refuse(def, EINVAL, `${field} 0 is out of range (1 or more)`);
};

export function checkKeySize(def: MapDef, bytes: number): void {
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
  if (percpu) checkFlags(def, HASH_FLAGS & ~BPF_F_NUMA_NODE);
  wantSome(def, 'maxEntries');
  wantSome(def, 'keySize');
  wantSome(def, 'valueSize');
  if (def.keySize + def.valueSize >= KMALLOC_MAX - HTAB_ELEM_HEAD)
    refuse(def, E2BIG, `a key and value of ${def.keySize + def.valueSize} bytes are too large`);
  checkPercpuValue(def, percpu);
  if (def.maxEntries > BUCKETS_MAX)
    refuse(def, E2BIG, `maxEntries ${def.maxEntries} is out of range (1 to ${BUCKETS_MAX})`);
}

function checkPercpuValue(def: MapDef, percpu: boolean): void {
  if (percpu && round8(def.valueSize) > PCPU_VALUE_MAX)
    refuse(
      def,
      E2BIG,
      `valueSize ${def.valueSize} is out of range (up to ${PCPU_VALUE_MAX} per CPU)`,
    );
}
