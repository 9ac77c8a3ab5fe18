/**
 * From a map's blueprint to what `createMap` takes: its name as the kernel keeps it, sizes that
 * libbpf would fill in or round, and the fields of its values that the kernel keeps for itself.
 *
 * @linux bpf_object__create_map, internal_map_name, adjust_ringbuf_sz; tools/lib/bpf/libbpf.c
 */
import type { Btf } from '../btf/btf.ts';
import { isComposite } from '../btf/types.ts';
import type { MapDef, SpecialField } from '../maps/mapDef.ts';
import {
  BPF_MAP_TYPE_PERF_EVENT_ARRAY,
  BPF_MAP_TYPE_RINGBUF,
  BPF_MAP_TYPE_USER_RINGBUF,
} from '../maps/uapi.ts';
import { PAGE_SIZE } from '../../host/memory.ts';
import type { MapSpec } from './spec.ts';

/** The kernel keeps 15 bytes. */
const NAME_MAX = 15;
/** Of the object's name, in front of `.rodata` and its like. */
const OBJECT_NAME_MAX = 8;
const MAX_RINGBUF = 2 ** 32;
/** Structs inside a value's struct that are looked into. */
const MAX_NESTING = 8;

const SPECIAL: Readonly<Record<string, SpecialField['kind']>> = {
  bpf_spin_lock: 'spin_lock',
  bpf_timer: 'timer',
  bpf_res_spin_lock: 'res_spin_lock',
  bpf_wq: 'wq',
  bpf_task_work: 'task_work',
  bpf_list_head: 'list_head',
  bpf_rb_root: 'rb_root',
  bpf_refcount: 'refcount',
};

/** Tags of pointers that the kernel keeps. @linux btf_find_kptr */
const KPTR_TAGS: readonly string[] = ['kptr', 'kptr_untrusted', 'percpu_kptr', 'uptr'];

/** A pointer that the kernel keeps, or an array of them. */
function isKptr(btf: Btf, id: number): boolean {
  let type = btf.resolve(id);
  while (type.kind === 'array') type = btf.resolve(type.type);
  if (type.kind !== 'ptr') return false;
  const tag = btf.type(type.type);
  const known = btf.resolve(type.type).kind === 'struct'; // one only declared is an ordinary pointer
  return known && tag.kind === 'typeTag' && KPTR_TAGS.includes(tag.name);
}

/** @param file the object's name @param cpus of the machine */
export function mapDefOf(map: MapSpec, file: string, cpus: number): MapDef {
  return {
    name: kernelName(map, file),
    type: map.type,
    keySize: map.keySize,
    valueSize: map.valueSize,
    maxEntries: entriesOf(map, cpus),
    flags: map.flags,
    mapExtra: map.mapExtra,
    ...(map.inner === null ? {} : { inner: mapDefOf(map.inner, file, cpus) }),
    special: specialFields(map.btf, map.valueType),
    untyped: map.contents === null && !hasType(map),
  };
}

const hasType = ({ btf, valueType }: MapSpec): boolean =>
  btf !== null && valueType !== 0 && btf.loads;

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

/** @linux btf_parse_fields; kernel/bpf/btf.c */
function specialFields(btf: Btf | null, type: number): SpecialField[] {
  if (btf === null || type === 0 || !btf.loads) return [];
  const found: SpecialField[] = [];
  collectSpecial(btf, type, 0, 0, found);
  return found.toSorted((a, b) => a.at - b.at);
}

function collectSpecial(
  btf: Btf,
  id: number,
  at: number,
  depth: number,
  found: SpecialField[],
): void {
  const type = btf.resolve(id);
  if (isKptr(btf, id)) found.push({ kind: 'kptr', at, bytes: btf.sizeOf(id) });
  if (!isComposite(type) || depth > MAX_NESTING) return;
  const kind = SPECIAL[type.name];
  if (kind !== undefined) {
    found.push({ kind, at, bytes: type.size });
    return;
  }
  if (type.kind === 'union') return;
  for (const member of type.members) {
    collectSpecial(btf, member.type, at + Math.floor(member.bitOffset / 8), depth + 1, found);
  }
}
