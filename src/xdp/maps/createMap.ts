/**
 * `BPF_MAP_CREATE`: what Linux checks of every map, and the class for each type.
 *
 * @linux map_create; kernel/bpf/syscall.c
 */
import { EINVAL, ENOMEM, ENOSPC } from '../../host/errno.ts';
import type { HostAddr } from '../../host/memory.ts';
import type { Bpf } from '../bpf.ts';
import type { BpfMap } from './bpfMap.ts';
import type { MapKind } from './kinds.ts';
import { MAP_KINDS } from './kinds.ts';
import type { MapDef } from './mapDef.ts';
import { MapError, mapTypeName, round8 } from './mapDef.ts';
import { MAX_MAPS } from './mapTable.ts';
import { BPF_F_RDONLY, BPF_F_WRONLY, BPF_MAP_TYPE_BLOOM_FILTER } from './uapi.ts';

/** Struct of a map in host memory: what a program can read through its map pointer. */
const ID = 0;
const TYPE = 1;
const KEY_SIZE = 2;
const VALUE_SIZE = 3;
const MAX_ENTRIES = 4;
const STRUCT_WORDS = 16;

const NAME_BYTES_MAX = 15;
/** Blocks of the arena begin at 64-byte boundaries. */
const BLOCKS_SLACK = 256;

/** @throws MapError as the kernel would refuse */
export function createMap(bpf: Bpf, def: MapDef): BpfMap {
  const kind = kindOf(def);
  checkCommon(def);
  kind.check(def);
  const handle = bpf.maps.newHandle();
  if (handle === 0) throw new MapError(def, ENOSPC, `more than ${MAX_MAPS} maps`);
  try {
    if (!bpf.scratch.ensure(def.keySize, userValueBytes(kind, def, bpf.cpus)))
      throw new MapError(def, ENOMEM, 'no map memory left for its keys and values in user space');
    const map = new kind.Class(bpf, def, handle);
    writeStruct(bpf, map, handle);
    bpf.maps.add(map);
    return map;
  } catch (error) {
    bpf.maps.giveBack(handle);
    throw error;
  }
}

/**
 * Bytes of region 'maps' that a map takes at most, scratch included; to size a machine with.
 *
 * @throws MapError as `createMap` would, but for want of memory
 */
export function mapMemory(def: MapDef, cpus: number): number {
  const kind = kindOf(def);
  checkCommon(def);
  kind.check(def);
  const scratch = 3 * round8(def.keySize) + 2 * userValueBytes(kind, def, cpus);
  return kind.bytes(def, cpus) + scratch + BLOCKS_SLACK;
}

const userValueBytes = (kind: MapKind, def: MapDef, cpus: number): number =>
  round8(def.valueSize) * (kind.perCpu ? cpus : 1);

/** Can maps of this type be made here? */
export const isMapEmulated = (type: number): boolean => MAP_KINDS[type] !== undefined;

function kindOf(def: MapDef): MapKind {
  const kind = MAP_KINDS[def.type];
  if (kind === undefined)
    throw new MapError(def, EINVAL, `maps of type ${mapTypeName(def.type)} are not emulated`);
  return kind;
}

function checkCommon(def: MapDef): void {
  if (def.name.length > NAME_BYTES_MAX || !/^[\w.]*$/.test(def.name))
    throw new MapError(def, EINVAL, 'a name is at most 15 letters, digits, _ and .');
  for (const field of ['keySize', 'valueSize', 'maxEntries', 'flags', 'type'] as const)
    if (!Number.isInteger(def[field]) || def[field] < 0 || def[field] > 0xffff_ffff)
      throw new MapError(def, EINVAL, `${field} ${def[field]} is no 32-bit number`);
  if (def.type !== BPF_MAP_TYPE_BLOOM_FILTER && (def.mapExtra ?? 0) !== 0)
    throw new MapError(def, EINVAL, `map_extra ${def.mapExtra}, which only a bloom filter has`);
  const both = BPF_F_RDONLY | BPF_F_WRONLY;
  if ((def.flags & both) === both)
    throw new MapError(def, EINVAL, 'BPF_F_RDONLY together with BPF_F_WRONLY');
}

function writeStruct(bpf: Bpf, map: BpfMap, handle: HostAddr): void {
  const { words } = bpf.mem;
  const at = handle >> 2;
  words.fill(0, at, at + STRUCT_WORDS);
  words[at + ID] = map.id;
  words[at + TYPE] = map.type;
  words[at + KEY_SIZE] = map.keySize;
  words[at + VALUE_SIZE] = map.valueSize;
  words[at + MAX_ENTRIES] = map.maxEntries;
}
