/**
 * Which helpers take which kinds of map.
 *
 * "cannot pass map_type %d into func %s#%d".
 *
 * @linux check_map_func_compatibility; kernel/bpf/verifier.c
 */
import {
  BPF_FUNC_map_delete_elem,
  BPF_FUNC_map_lookup_elem,
  BPF_FUNC_map_lookup_percpu_elem,
  BPF_FUNC_map_peek_elem,
  BPF_FUNC_map_pop_elem,
  BPF_FUNC_map_push_elem,
  BPF_FUNC_map_update_elem,
  BPF_FUNC_perf_event_output,
  BPF_FUNC_perf_event_read,
  BPF_FUNC_perf_event_read_value,
  BPF_FUNC_redirect_map,
  BPF_FUNC_ringbuf_discard_dynptr,
  BPF_FUNC_ringbuf_output,
  BPF_FUNC_ringbuf_query,
  BPF_FUNC_ringbuf_reserve,
  BPF_FUNC_ringbuf_reserve_dynptr,
  BPF_FUNC_ringbuf_submit_dynptr,
  BPF_FUNC_tail_call,
  BPF_FUNC_user_ringbuf_drain,
} from '../helpers/funcIds.ts';
import { funcIdName } from '../helpers/helperNames.ts';
import {
  BPF_MAP_TYPE_ARRAY_OF_MAPS,
  BPF_MAP_TYPE_BLOOM_FILTER,
  BPF_MAP_TYPE_CGROUP_ARRAY,
  BPF_MAP_TYPE_CPUMAP,
  BPF_MAP_TYPE_DEVMAP,
  BPF_MAP_TYPE_DEVMAP_HASH,
  BPF_MAP_TYPE_HASH_OF_MAPS,
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
  BPF_MAP_TYPE_STACK_TRACE,
  BPF_MAP_TYPE_XSKMAP,
  BPF_MAP_TYPE_CGROUP_STORAGE,
  BPF_MAP_TYPE_PERCPU_CGROUP_STORAGE,
  BPF_MAP_TYPE_SK_STORAGE,
  BPF_MAP_TYPE_INODE_STORAGE,
  BPF_MAP_TYPE_TASK_STORAGE,
  BPF_MAP_TYPE_CGRP_STORAGE,
  BPF_MAP_TYPE_USER_RINGBUF,
} from '../maps/uapi.ts';
import type { Env } from './env.ts';
import type { VerifierMap } from './verifierMap.ts';

const BPF_FUNC_current_task_under_cgroup = 37;
const BPF_FUNC_task_storage_get = 156;
const BPF_FUNC_task_storage_delete = 157;
const BPF_FUNC_cgrp_storage_get = 210;
const BPF_FUNC_cgrp_storage_delete = 211;

const RINGBUF_FUNCS: readonly number[] = [
  BPF_FUNC_ringbuf_output,
  BPF_FUNC_ringbuf_reserve,
  BPF_FUNC_ringbuf_query,
  BPF_FUNC_ringbuf_reserve_dynptr,
  BPF_FUNC_ringbuf_submit_dynptr,
  BPF_FUNC_ringbuf_discard_dynptr,
];
const PERF_FUNCS: readonly number[] = [
  BPF_FUNC_perf_event_read,
  BPF_FUNC_perf_event_output,
  BPF_FUNC_perf_event_read_value,
];
const REDIRECT_OR_LOOKUP: readonly number[] = [BPF_FUNC_redirect_map, BPF_FUNC_map_lookup_elem];
const SOCK_FUNCS: readonly number[] = [
  BPF_FUNC_map_lookup_elem,
  BPF_FUNC_map_update_elem,
  BPF_FUNC_map_delete_elem,
];
const QUEUE_FUNCS: readonly number[] = [
  BPF_FUNC_map_peek_elem,
  BPF_FUNC_map_pop_elem,
  BPF_FUNC_map_push_elem,
];

const TASK_STORAGE_FUNCS: readonly number[] = [
  BPF_FUNC_task_storage_get,
  BPF_FUNC_task_storage_delete,
];

const CGRP_STORAGE_FUNCS: readonly number[] = [
  BPF_FUNC_cgrp_storage_get,
  BPF_FUNC_cgrp_storage_delete,
];

/** Kinds of map that only some helpers take; those with none serve other types of program. */
const FUNCS_OF_MAP: ReadonlyMap<number, readonly number[]> = new Map([
  [BPF_MAP_TYPE_PROG_ARRAY, [BPF_FUNC_tail_call]],
  [BPF_MAP_TYPE_PERF_EVENT_ARRAY, PERF_FUNCS],
  [BPF_MAP_TYPE_RINGBUF, RINGBUF_FUNCS],
  [BPF_MAP_TYPE_STACK_TRACE, []],
  [BPF_MAP_TYPE_CGROUP_ARRAY, [BPF_FUNC_current_task_under_cgroup]],
  [BPF_MAP_TYPE_DEVMAP, REDIRECT_OR_LOOKUP],
  [BPF_MAP_TYPE_DEVMAP_HASH, REDIRECT_OR_LOOKUP],
  [BPF_MAP_TYPE_CPUMAP, [BPF_FUNC_redirect_map]],
  [BPF_MAP_TYPE_XSKMAP, REDIRECT_OR_LOOKUP],
  [BPF_MAP_TYPE_ARRAY_OF_MAPS, [BPF_FUNC_map_lookup_elem]],
  [BPF_MAP_TYPE_HASH_OF_MAPS, [BPF_FUNC_map_lookup_elem]],
  [BPF_MAP_TYPE_SOCKMAP, SOCK_FUNCS],
  [BPF_MAP_TYPE_SOCKHASH, SOCK_FUNCS],
  [BPF_MAP_TYPE_REUSEPORT_SOCKARRAY, []],
  [BPF_MAP_TYPE_CGROUP_STORAGE, []],
  [BPF_MAP_TYPE_PERCPU_CGROUP_STORAGE, []],
  [BPF_MAP_TYPE_SK_STORAGE, []],
  [BPF_MAP_TYPE_INODE_STORAGE, []],
  [BPF_MAP_TYPE_TASK_STORAGE, TASK_STORAGE_FUNCS],
  [BPF_MAP_TYPE_CGRP_STORAGE, CGRP_STORAGE_FUNCS],
  [BPF_MAP_TYPE_USER_RINGBUF, [BPF_FUNC_user_ringbuf_drain]],
  [BPF_MAP_TYPE_QUEUE, QUEUE_FUNCS],
  [BPF_MAP_TYPE_STACK, QUEUE_FUNCS],
  [BPF_MAP_TYPE_BLOOM_FILTER, [BPF_FUNC_map_peek_elem, BPF_FUNC_map_push_elem]],
]);

const PERCPU: readonly number[] = [
  BPF_MAP_TYPE_PERCPU_ARRAY,
  BPF_MAP_TYPE_PERCPU_HASH,
  BPF_MAP_TYPE_LRU_PERCPU_HASH,
];
const QUEUES: readonly number[] = [BPF_MAP_TYPE_QUEUE, BPF_MAP_TYPE_STACK];

const each = (
  funcs: readonly number[],
  maps: readonly number[],
): (readonly [number, readonly number[]])[] => funcs.map((func) => [func, maps]);

/** Helpers that take only some kinds of map. */
const MAPS_OF_FUNC: ReadonlyMap<number, readonly number[]> = new Map([
  [BPF_FUNC_tail_call, [BPF_MAP_TYPE_PROG_ARRAY]],
  ...each(PERF_FUNCS, [BPF_MAP_TYPE_PERF_EVENT_ARRAY]),
  ...each(RINGBUF_FUNCS, [BPF_MAP_TYPE_RINGBUF]),
  [BPF_FUNC_user_ringbuf_drain, [BPF_MAP_TYPE_USER_RINGBUF]],
  [BPF_FUNC_current_task_under_cgroup, [BPF_MAP_TYPE_CGROUP_ARRAY]],
  [
    BPF_FUNC_redirect_map,
    [BPF_MAP_TYPE_DEVMAP, BPF_MAP_TYPE_DEVMAP_HASH, BPF_MAP_TYPE_CPUMAP, BPF_MAP_TYPE_XSKMAP],
  ],
  [BPF_FUNC_map_pop_elem, QUEUES],
  ...each([BPF_FUNC_map_peek_elem, BPF_FUNC_map_push_elem], [...QUEUES, BPF_MAP_TYPE_BLOOM_FILTER]),
  [BPF_FUNC_map_lookup_percpu_elem, PERCPU],
  ...each(TASK_STORAGE_FUNCS, [BPF_MAP_TYPE_TASK_STORAGE]),
  ...each(CGRP_STORAGE_FUNCS, [BPF_MAP_TYPE_CGRP_STORAGE]),
]);

export function checkMapFuncCompatibility(env: Env, map: VerifierMap | null, func: number): void {
  if (map === null) return;
  const funcs = FUNCS_OF_MAP.get(map.type);
  const maps = MAPS_OF_FUNC.get(func);
  if ((funcs?.includes(func) ?? true) && (maps?.includes(map.type) ?? true)) return;
  env.invalid(`cannot pass map_type ${map.type} into func ${funcIdName(func)}#${func}`);
}
