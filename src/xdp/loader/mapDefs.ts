/**
 * From a map's blueprint to what `createMap` takes: its name as the kernel keeps it, sizes that
 * libbpf would fill in or round, and the fields of its values that the kernel keeps for itself.
 *
 * @linux bpf_object__create_map, internal_map_name, adjust_ringbuf_sz; tools/lib/bpf/libbpf.c
 */
import { specialFields } from '../btf/specialFields.ts';
import type { MapDef } from '../maps/mapDef.ts';
import {
  BPF_MAP_TYPE_PERF_EVENT_ARRAY,
  BPF_MAP_TYPE_RINGBUF,
  BPF_MAP_TYPE_USER_RINGBUF,
} from '../maps/uapi.ts';
import { PAGE_SIZE } from '../../host/memory.ts';
import { keepsFields, keyFits } from './fieldMaps.ts';
import type { MapSpec } from './spec.ts';

/** The kernel keeps 15 bytes. */
const NAME_MAX = 15;
/** Of the object's name, in front of `.rodata` and its like. */
const OBJECT_NAME_MAX = 8;
const MAX_RINGBUF = 2 ** 32;
/** @param file the object's name @param cpus of the machine */
export function mapDefOf(map: MapSpec, file: string, cpus: number): MapDef {
  const special = hasType(map) ? specialFields(map.btf!, map.valueType) : [];
  const kept = keepsFields(map, special);
  return {
    name: kernelName(map, file),
    type: map.type,
    keySize: map.keySize,
    valueSize: map.valueSize,
    maxEntries: entriesOf(map, cpus),
    flags: map.flags,
    mapExtra: map.mapExtra,
    ...(map.inner === null ? {} : { inner: mapDefOf(map.inner, file, cpus) }),
    special: kept ? special : [],
    untyped: !kept || (map.contents === null && !hasType(map)),
  };
}

const hasType = ({ type, btf, keyType, valueType }: MapSpec): boolean =>
  btf !== null && valueType !== 0 && btf.loads && keyFits(type, btf, keyType);

function kernelName({ name, contents }: MapSpec, file: string): string {
  // only these four sections carry the object's name in front of their own
  if (contents === null || !/^\.(data|rodata|bss|kconfig)$/.test(name)) {
    return name.replaceAll(/[^\w.]/g, '_').slice(0, NAME_MAX);
  }
  const base = file.replace(/^.*[/\\]/, '').replace(/\..*$/, '');
  const room = Math.min(OBJECT_NAME_MAX, NAME_MAX - name.length);
  return base.slice(0, room).replaceAll(/\W/g, '_') + name;
}

function entriesOf({ type, maxEntries }: MapSpec, cpus: number): number {
  if (type === BPF_MAP_TYPE_PERF_EVENT_ARRAY && maxEntries === 0) return cpus;
  if (type !== BPF_MAP_TYPE_RINGBUF && type !== BPF_MAP_TYPE_USER_RINGBUF) return maxEntries;
  let bytes = PAGE_SIZE;
  while (bytes < maxEntries && bytes < MAX_RINGBUF) bytes *= 2;
  return maxEntries === 0 || bytes === MAX_RINGBUF ? maxEntries : bytes;
}
