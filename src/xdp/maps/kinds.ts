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
import type { BpfMap } from './bpfMap.ts';
import { checkArray, checkHash } from './checks.ts';
import { HashMap, PercpuHashMap, hashElemBytes } from './hashMap.ts';
import { bucketCount } from './htab.ts';
import type { MapDef } from './mapDef.ts';
import { round8 } from './mapDef.ts';
import {
  BPF_MAP_TYPE_ARRAY,
  BPF_MAP_TYPE_HASH,
  BPF_MAP_TYPE_PERCPU_ARRAY,
  BPF_MAP_TYPE_PERCPU_HASH,
} from './uapi.ts';

export interface MapKind {
  /** @throws MapError */
  check(def: MapDef, cpus: number): void;
  /** Bytes of map memory, at most. */
  bytes(def: MapDef, cpus: number): number;
  /** @throws MapError */
  create(bpf: Bpf, def: MapDef, handle: HostAddr): BpfMap;
}

/** Blocks begin at 64-byte boundaries, and user space's copy of a key and value is held once. */
const slack = (def: MapDef, cpus: number): number =>
  256 + 3 * round8(def.keySize) + 2 * cpus * round8(def.valueSize);

const arrayBytes = (def: MapDef, cpus: number): number =>
  def.maxEntries * round8(def.valueSize) * cpus + slack(def, cpus);

const hashBytes = (def: MapDef, values: number, cpus: number): number =>
  bucketCount(def.maxEntries) * 4 +
  (def.maxEntries + cpus) * hashElemBytes(def, values) +
  slack(def, cpus);

/** By `BPF_MAP_TYPE_*`. */
export const MAP_KINDS: readonly (MapKind | undefined)[] = [];
const kinds = MAP_KINDS as (MapKind | undefined)[];

kinds[BPF_MAP_TYPE_ARRAY] = {
  check: checkArray,
  bytes: (def) => arrayBytes(def, 1),
  create: (bpf, def, handle) => new ArrayMap(bpf, def, handle),
};
kinds[BPF_MAP_TYPE_PERCPU_ARRAY] = {
  check: checkArray,
  bytes: arrayBytes,
  create: (bpf, def, handle) => new PercpuArrayMap(bpf, def, handle),
};
kinds[BPF_MAP_TYPE_HASH] = {
  check: checkHash,
  bytes: (def, cpus) => hashBytes(def, 1, cpus),
  create: (bpf, def, handle) => new HashMap(bpf, def, handle),
};
kinds[BPF_MAP_TYPE_PERCPU_HASH] = {
  check: checkHash,
  bytes: (def, cpus) => hashBytes(def, cpus, cpus),
  create: (bpf, def, handle) => new PercpuHashMap(bpf, def, handle),
};
