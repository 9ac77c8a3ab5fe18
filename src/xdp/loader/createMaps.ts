/**
 * The maps of a blueprint, made: inner maps before those that hold them, global data written and
 * frozen before a program can see it.
 *
 * @linux bpf_object__create_maps, bpf_object__populate_internal_map; tools/lib/bpf/libbpf.c
 */
import { MAX_MEMORY_BYTES } from '../../host/memory.ts';
import type { Bpf } from '../bpf.ts';
import type { BpfMap } from '../maps/bpfMap.ts';
import { createMap, isMapEmulated, mapMemory } from '../maps/createMap.ts';
import { LoadError } from './image.ts';
import { inFile } from './inFile.ts';
import { mapDefOf } from './mapDefs.ts';
import type { CollectionSpec, MapSpec } from './spec.ts';

/** Where the kernel takes a 32-bit index. */
const FIRST: Uint8Array = new Uint8Array(4);

/**
 * @param given maps to use in place of those the object describes
 * @throws MapError for what the kernel would refuse, LoadError for a given map that does not fit
 */
export function createMaps(
  spec: CollectionSpec,
  bpf: Bpf,
  given: Readonly<Record<string, BpfMap>>,
): Record<string, BpfMap> {
  const made: BpfMap[] = [];
  const maps: Record<string, BpfMap> = {};
  try {
    for (const [name, map] of Object.entries(spec.maps)) {
      const replacement = given[name];
      if (replacement !== undefined) {
        checkFits(spec, map, replacement);
        maps[name] = replacement;
        continue;
      }
      const live = createMap(bpf, mapDefOf(map, spec.file, bpf.cpus));
      made.push(live);
      maps[name] = live;
      if (map.contents !== null) fill(spec, live, map.contents);
      if (map.frozen) live.freeze();
    }
    fillMapsOfMaps(spec, maps);
  } catch (error) {
    for (const map of made) map.release();
    throw inFile(spec.file, error);
  }
  return maps;
}

/**
 * Bytes of region 'maps' that the maps of a blueprint take at most, as far as they can be made: to
 * size a machine with.
 *
 * @throws MapError for what the kernel would refuse, LoadError for more than memory can have
 */
export function collectionMapMemory(spec: CollectionSpec, cpus: number): number {
  const { file } = spec;
  let sum = 0;
  for (const map of Object.values(spec.maps)) {
    if (!isMapEmulated(map.type)) continue;
    const bytes = memoryOf(file, map, cpus);
    sum += bytes;
    if (sum <= MAX_MEMORY_BYTES) continue;
    const needs = `needs ${mib(bytes)} MiB${sum === bytes ? '' : `, ${mib(sum)} with the maps before it`}`;
    const most = `host memory has ${Math.floor(MAX_MEMORY_BYTES / MIB)} MiB at most`;
    throw new LoadError(file, `map ${map.name}`, `${needs}; ${most}`);
  }
  return sum;
}

const MIB: number = 2 ** 20;
const mib = (bytes: number): string => String(Math.ceil(bytes / MIB));

function memoryOf(file: string, map: MapSpec, cpus: number): number {
  try {
    return mapMemory(mapDefOf(map, file, cpus), cpus);
  } catch (error) {
    throw inFile(file, error);
  }
}

function fill(spec: CollectionSpec, map: BpfMap, contents: Uint8Array): void {
  const rc = map.sysUpdate(FIRST, contents);
  if (rc !== 0) throw new LoadError(spec.file, `map ${map.name}`, `cannot be filled: errno ${-rc}`);
}

/** @linux bpf_map__reuse_fd, map_is_reuse_compat */
function checkFits(spec: CollectionSpec, map: MapSpec, live: BpfMap): void {
  const fields = ['type', 'keySize', 'valueSize', 'maxEntries', 'flags'] as const;
  const differing = fields.find((field) => map[field] !== live[field]);
  if (differing === undefined) return;
  throw new LoadError(
    spec.file,
    `map ${map.name}`,
    `the given map's ${differing} is ${live[differing]}, not ${map[differing]}`,
  );
}

function fillMapsOfMaps(spec: CollectionSpec, maps: Readonly<Record<string, BpfMap>>): void {
  for (const { name, values } of Object.values(spec.maps)) {
    for (const { index, kind, name: inner } of values) {
      if (kind === 'map') setEntry(spec, maps[name]!, index, maps[inner]?.id, `map ${inner}`);
    }
  }
}

/**
 * Put a map or a program, by its id, into a map.
 *
 * @throws LoadError when there is none of that name, or the map refuses it
 */
export function setEntry(
  spec: CollectionSpec,
  map: BpfMap,
  index: number,
  id: number | undefined,
  what: string,
): void {
  const subject = `map ${map.name}, entry ${index}`;
  if (id === undefined) throw new LoadError(spec.file, subject, `${what} is not loaded`);
  const rc = map.sysUpdate(word(index), word(id));
  if (rc !== 0) throw new LoadError(spec.file, subject, `${what} is refused: errno ${-rc}`);
}

const word = (value: number): Uint8Array => new Uint8Array(Uint32Array.of(value).buffer);
