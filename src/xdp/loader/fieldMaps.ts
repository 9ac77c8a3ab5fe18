/**
 * Which maps may keep which fields for the kernel. A map that may not is made without the types of its
 * keys and values, as libbpf makes it when the kernel refused it with them: then its fields are mere
 * bytes.
 *
 * @linux map_check_btf, array_map_check_btf; kernel/bpf/syscall.c, kernel/bpf/arraymap.c
 */
import type { Btf } from '../btf/btf.ts';
import type { MapDef, SpecialField, SpecialKind } from '../maps/mapDef.ts';
import {
  BPF_F_RDONLY_PROG,
  BPF_F_WRONLY_PROG,
  BPF_MAP_TYPE_ARRAY,
  BPF_MAP_TYPE_CGROUP_STORAGE,
  BPF_MAP_TYPE_CGRP_STORAGE,
  BPF_MAP_TYPE_HASH,
  BPF_MAP_TYPE_INODE_STORAGE,
  BPF_MAP_TYPE_LRU_HASH,
  BPF_MAP_TYPE_LRU_PERCPU_HASH,
  BPF_MAP_TYPE_PERCPU_ARRAY,
  BPF_MAP_TYPE_PERCPU_HASH,
  BPF_MAP_TYPE_SK_STORAGE,
  BPF_MAP_TYPE_TASK_STORAGE,
} from '../maps/uapi.ts';

const SHARED: readonly number[] = [BPF_MAP_TYPE_HASH, BPF_MAP_TYPE_ARRAY];
const WITH_LRU: readonly number[] = [...SHARED, BPF_MAP_TYPE_LRU_HASH];
const WITH_PERCPU: readonly number[] = [
  ...WITH_LRU,
  ...[BPF_MAP_TYPE_PERCPU_HASH, BPF_MAP_TYPE_LRU_PERCPU_HASH, BPF_MAP_TYPE_PERCPU_ARRAY],
];
const STORAGE: readonly number[] = [
  ...[BPF_MAP_TYPE_SK_STORAGE, BPF_MAP_TYPE_INODE_STORAGE, BPF_MAP_TYPE_TASK_STORAGE],
  BPF_MAP_TYPE_CGRP_STORAGE,
];
const LOCKABLE: readonly number[] = [...SHARED, BPF_MAP_TYPE_CGROUP_STORAGE, ...STORAGE];

const KEPT_BY: Readonly<Partial<Record<SpecialKind, readonly number[]>>> = {
  spin_lock: LOCKABLE,
  res_spin_lock: LOCKABLE,
  timer: WITH_LRU,
  wq: WITH_LRU,
  task_work: WITH_LRU,
  kptr: [...WITH_PERCPU, ...STORAGE],
  refcount: [...WITH_PERCPU, ...STORAGE],
  list_head: WITH_LRU,
  rb_root: WITH_LRU,
};
const READ_ONLY = BPF_F_RDONLY_PROG | BPF_F_WRONLY_PROG;
const ARRAY_KEY_BYTES = 4;

/** Does the kernel make a map of this type with these fields? */
export function keepsFields(
  { type, flags }: Pick<MapDef, 'type' | 'flags'>,
  fields: readonly SpecialField[],
): boolean {
  if (fields.length > 0 && (flags & READ_ONLY) !== 0) return false;
  return fields.every(({ kind }) => KEPT_BY[kind]?.includes(type) === true);
}

/** Arrays take integers of four bytes for keys, and nothing else of that size. */
export function keyFits(type: number, btf: Btf, keyType: number): boolean {
  if (type !== BPF_MAP_TYPE_ARRAY && type !== BPF_MAP_TYPE_PERCPU_ARRAY) return true;
  if (keyType === 0) return true; // a section's
  const key = btf.resolve(keyType);
  return key.kind === 'int' && key.size === ARRAY_KEY_BYTES;
}
