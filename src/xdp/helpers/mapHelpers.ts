/**
 * Helpers on maps: what a program does with a map pointer.
 *
 * @linux kernel/bpf/helpers.c, kernel/bpf/bpf_iter.c
 */
import { EINVAL } from '../../host/errno.ts';
import type { HostAddr } from '../../host/memory.ts';
import type { Bpf } from '../bpf.ts';
import { HI_FLAGS_4, HI_FLAGS_3, hasHigh, helper, mapAt } from './define.ts';
import type { Helper } from './helper.ts';

/** @linux bpf_map_lookup_elem */
const lookupElem = (bpf: Bpf, map: HostAddr, key: HostAddr): HostAddr =>
  mapAt(bpf, map).lookupElem(key);

/** A flag above the low word is unknown to every kind. @linux bpf_map_update_elem */
function updateElem(
  bpf: Bpf,
  map: HostAddr,
  key: HostAddr,
  value: HostAddr,
  flags: number,
): number {
  if (hasHigh(bpf, 4)) return -EINVAL;
  return mapAt(bpf, map).updateElem(key, value, flags);
}

/** @linux bpf_map_delete_elem */
const deleteElem = (bpf: Bpf, map: HostAddr, key: HostAddr): number =>
  mapAt(bpf, map).deleteElem(key);

/** @linux bpf_map_push_elem */
function pushElem(bpf: Bpf, map: HostAddr, value: HostAddr, flags: number): number {
  if (hasHigh(bpf, 3)) return -EINVAL;
  return mapAt(bpf, map).pushElem(value, flags);
}

/** @linux bpf_map_pop_elem */
const popElem = (bpf: Bpf, map: HostAddr, value: HostAddr): number =>
  mapAt(bpf, map).popElem(value);

/** @linux bpf_map_peek_elem */
const peekElem = (bpf: Bpf, map: HostAddr, value: HostAddr): number =>
  mapAt(bpf, map).peekElem(value);

/** @returns the value of another CPU, or null where there is no such CPU @linux bpf_map_lookup_percpu_elem */
const lookupPercpuElem = (bpf: Bpf, map: HostAddr, key: HostAddr, cpu: number): HostAddr =>
  mapAt(bpf, map).lookupPercpuElem(key, cpu);

/** @returns how many elements the callback saw @linux bpf_for_each_map_elem */
function forEachMapElem(
  bpf: Bpf,
  map: HostAddr,
  callback: number,
  context: HostAddr,
  flags: number,
): number {
  if (flags !== 0 || hasHigh(bpf, 4)) return -EINVAL;
  const engine = bpf.engine!;
  return mapAt(bpf, map).forEachElem((key, value) =>
    engine.call(callback, map, key, value, context),
  );
}

export const MAP_HELPERS: readonly Helper[] = [
  helper(1, 'bpf_map_lookup_elem', lookupElem),
  helper(2, 'bpf_map_update_elem', updateElem, { wideArgs: HI_FLAGS_4 }),
  helper(3, 'bpf_map_delete_elem', deleteElem),
  helper(87, 'bpf_map_push_elem', pushElem, { wideArgs: HI_FLAGS_3 }),
  helper(88, 'bpf_map_pop_elem', popElem),
  helper(89, 'bpf_map_peek_elem', peekElem),
  helper(164, 'bpf_for_each_map_elem', forEachMapElem, { wideArgs: HI_FLAGS_4 }),
  helper(195, 'bpf_map_lookup_percpu_elem', lookupPercpuElem),
];
