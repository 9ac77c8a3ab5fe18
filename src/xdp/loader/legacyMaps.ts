/**
 * Maps of a `maps` section, as objects defined them before BTF: one struct after the other, told
 * apart by the section's symbols.
 *
 *   bpf_map_def   20   +0 type | +4 key size | +8 value size | +12 max entries | +16 flags
 *                 28   and +20 the inner map's place in the section | +24 NUMA node
 *   bpf_elf_map   36   as 20, and +20 id | +24 pinning | +28 inner map's id | +32 index in the outer map
 *
 * Any other length of 20 or more is the first with zeros behind it.
 *
 * @linux struct bpf_map_def; samples/bpf/bpf_load.h, iproute2 include/bpf_elf.h
 */
import type { Btf } from '../btf/btf.ts';
import type { ElfSection } from '../elf/elf.ts';
import type { Part } from '../elf/part.ts';
import { emptyMap, holdsMaps } from './mapSpec.ts';
import type { ObjectFile } from './objectFile.ts';
import type { MapSpec } from './spec.ts';

const BASE = 20;
const WITH_INNER = 28;
const IPROUTE2 = 36;
/** iproute2's way to say: into no outer map. */
const NO_INDEX = 0xffffffff;

export interface LegacyMap {
  readonly spec: MapSpec;
  readonly offset: number;
  /** iproute2's number, by which tail-call sections and outer maps name it; 0 is none. */
  readonly id: number;
}

export function readLegacyMaps(object: ObjectFile): LegacyMap[] {
  const section = object.section('maps');
  if (section === undefined || section.part.length === 0) return [];
  const symbols = object.dataSymbolsOf(section);
  const { part } = section;
  if (symbols.length === 0) throw part.refuse(0, 'map definitions, but no symbol names one');
  const bytes = part.length / symbols.length;
  if (!Number.isInteger(bytes) || bytes < BASE) {
    throw part.refuse(
      0,
      `${symbols.length} maps in ${part.length} bytes: ${BASE} or more each expected`,
    );
  }
  const maps = symbols.map(({ name, value }) => readMap(object.btf, section, bytes, name, value));
  if (bytes === WITH_INNER) for (const map of maps) placeInner(part, maps, map);
  if (bytes === IPROUTE2) for (const map of maps) placeById(part, maps, map);
  return maps;
}

function readMap(
  btf: Btf | null,
  { part }: ElfSection,
  bytes: number,
  name: string,
  offset: number,
): LegacyMap {
  if (offset % bytes !== 0) throw part.refuse(offset, `map ${name} lies between two definitions`);
  const [keyType, valueType] = annotatedTypes(btf, name);
  const spec: MapSpec = {
    ...emptyMap(name, btf),
    type: part.u32(offset),
    keySize: part.u32(offset + 4),
    valueSize: part.u32(offset + 8),
    maxEntries: part.u32(offset + 12),
    flags: part.u32(offset + 16),
    numaNode: bytes === WITH_INNER ? part.u32(offset + 24) : 0,
    keyType,
    valueType,
  };
  if (bytes === IPROUTE2) return { spec, offset, id: part.u32(offset + 20) };
  if (bytes !== WITH_INNER) refuseMore(part, name, offset, bytes);
  return { spec, offset, id: 0 };
}

/** What `BPF_ANNOTATE_KV_PAIR` leaves: a struct named after the map, of a key and a value. */
function annotatedTypes(btf: Btf | null, name: string): [key: number, value: number] {
  const members = btf?.find(`____btf_map_${name}`, 'struct')?.members ?? [];
  const typeOf = (member: string): number => members.find((m) => m.name === member)?.type ?? 0;
  return [typeOf('key'), typeOf('value')];
}

function refuseMore(part: Part, name: string, offset: number, bytes: number): void {
  for (let at = BASE; at < bytes; at++) {
    if (part.u8(offset + at) === 0) continue;
    throw part.refuse(
      offset + at,
      `map ${name}: a definition of ${bytes} bytes says more than the ${BASE} that are known`,
    );
  }
}

/** samples/bpf: the inner map by its place among the definitions. */
function placeInner(part: Part, maps: readonly LegacyMap[], { spec, offset }: LegacyMap): void {
  if (!holdsMaps(spec.type)) return;
  const place = part.u32(offset + 20);
  const inner = maps.find((map) => map.offset === place * WITH_INNER);
  if (inner === undefined) {
    throw part.refuse(
      offset + 20,
      `map ${spec.name}: its inner map, number ${place}, does not exist`,
    );
  }
  spec.inner = innerOf(inner.spec);
}

/** iproute2: the outer map names what it holds by id; inner maps name their index in it. */
function placeById(part: Part, maps: readonly LegacyMap[], { spec, offset }: LegacyMap): void {
  if (!holdsMaps(spec.type)) return;
  const innerId = part.u32(offset + 28);
  const inners = maps.filter(({ id, spec: inner }) => id === innerId && !holdsMaps(inner.type));
  if (innerId === 0 || inners.length === 0) {
    throw part.refuse(
      offset + 28,
      `map ${spec.name}: its inner map, id ${innerId}, does not exist`,
    );
  }
  spec.inner = innerOf(inners[0]!.spec);
  for (const inner of inners) {
    const index = part.u32(inner.offset + 32);
    if (index !== NO_INDEX) spec.values.push({ index, kind: 'map', name: inner.spec.name });
  }
}

const innerOf = (spec: MapSpec): MapSpec => ({ ...spec, values: [] });
