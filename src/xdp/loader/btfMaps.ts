/**
 * Maps that an object defines by type, in `.maps`.
 *
 * Each is a variable whose struct says the definition in its members' types: a number n is a
 * pointer to an array of n ints, a type a pointer to it, and `values` an array of pointers to the
 * definition of the maps inside, or to the programs' prototype. Initial entries of `values` are
 * relocations over the variable's bytes, 8 each.
 *
 * @linux bpf_object__init_user_btf_maps, bpf_object__collect_map_relos; tools/lib/bpf/libbpf.c
 */
import type { Btf } from '../btf/btf.ts';
import type { BtfComposite, BtfMember, BtfVar } from '../btf/types.ts';
import { BTF_VAR_STATIC } from '../btf/types.ts';
import type { ElfReloc, ElfSection } from '../elf/elf.ts';
import { STT_FUNC } from '../elf/elf.ts';
import { BPF_MAP_TYPE_PROG_ARRAY, emptyMap, holdsMaps } from './mapSpec.ts';
import type { ObjectFile } from './objectFile.ts';
import type { MapSpec } from './spec.ts';

const SECTION = '.maps';
const ENTRY_BYTES = 8;
const LIBBPF_PIN_BY_NAME = 1;

/** A map, and the bytes of `.maps` that are its variable. */
interface PlacedMap {
  readonly spec: MapSpec;
  readonly offset: number;
  readonly size: number;
  /** Where its `values` begin; NaN without any. */
  readonly valuesAt: number;
}

/** @returns maps by their offset in `.maps` */
export function readBtfMaps(object: ObjectFile): Map<number, MapSpec> {
  const section = object.section(SECTION);
  if (section === undefined) return new Map();
  const { btf } = object;
  const datasec = object.datasec(SECTION);
  if (btf === null || datasec === null) {
    throw section.part.refuse(0, 'maps defined by type, but the object has no types for them');
  }
  const placed = datasec.vars.map(({ type, offset, size }) =>
    readMap(object, section, btf, { variable: type, offset, size }),
  );
  for (const reloc of object.relocsOf(section)) {
    const owner = placed.find(
      ({ offset, size }) => reloc.offset >= offset && reloc.offset < offset + size,
    );
    if (owner === undefined)
      throw section.part.refuse(reloc.offset, 'a relocation beside the maps');
    addInitialValue(section, placed, owner, reloc);
  }
  return new Map(placed.map(({ offset, spec }) => [offset, spec]));
}

function readMap(
  object: ObjectFile,
  section: ElfSection,
  btf: Btf,
  at: { readonly variable: number; readonly offset: number; readonly size: number },
): PlacedMap {
  const variable = btf.type(at.variable);
  if (variable.kind !== 'var')
    throw btf.refuse(at.variable, `${SECTION} lists what is no variable`);
  const offset = offsetOf(object, section, variable, at.offset);
  const { name } = variable;
  if (offset + at.size > section.size) {
    throw section.part.refuse(
      offset,
      `map ${name} of ${at.size} bytes reaches over the section's end`,
    );
  }
  const definition = btf.resolve(variable.type);
  if (definition.kind !== 'struct') {
    throw section.part.refuse(
      offset,
      `map ${name} is defined by a ${definition.kind}, not a struct`,
    );
  }
  const refuse = (reason: string): Error => section.part.refuse(offset, `map ${name}: ${reason}`);
  const spec = readDefinition(btf, definition, name, refuse, false);
  const values = definition.members.find((member) => member.name === 'values');
  const valuesAt = values === undefined ? NaN : offset + values.bitOffset / 8;
  return { spec, offset, size: at.size, valuesAt };
}

/** What a compiler leaves to its linker: a global variable's place is its symbol's. */
function offsetOf(
  object: ObjectFile,
  section: ElfSection,
  { name, linkage }: BtfVar,
  offset: number,
): number {
  if (linkage === BTF_VAR_STATIC) return offset;
  return object.symbolsOf(section).find((symbol) => symbol.name === name)?.value ?? offset;
}

type Refuse = (reason: string) => Error;

function readDefinition(
  btf: Btf,
  definition: BtfComposite,
  name: string,
  refuse: Refuse,
  isInner: boolean,
): MapSpec {
  const spec = emptyMap(name, btf);
  for (const member of definition.members) readMember(btf, spec, member, refuse, isInner);
  if (spec.type === 0) throw refuse('its definition has no type');
  return spec;
}

function readMember(
  btf: Btf,
  spec: MapSpec,
  member: BtfMember,
  refuse: Refuse,
  isInner: boolean,
): void {
  switch (member.name) {
    case 'type':
      spec.type = readUint(btf, member, refuse);
      return;
    case 'max_entries':
      spec.maxEntries = readUint(btf, member, refuse);
      return;
    case 'map_flags':
      spec.flags = readUint(btf, member, refuse);
      return;
    case 'numa_node':
      spec.numaNode = readUint(btf, member, refuse);
      return;
    case 'map_extra':
      spec.mapExtra = readUint(btf, member, refuse);
      return;
    case 'key_size':
      spec.keySize = agreeing('key', spec.keySize, readUint(btf, member, refuse), refuse);
      return;
    case 'value_size':
      spec.valueSize = agreeing('value', spec.valueSize, readUint(btf, member, refuse), refuse);
      return;
    case 'key':
      spec.keyType = pointee(btf, member, refuse);
      spec.keySize = agreeing('key', spec.keySize, btf.sizeOf(spec.keyType), refuse);
      return;
    case 'value':
      spec.valueType = pointee(btf, member, refuse);
      spec.valueSize = agreeing('value', spec.valueSize, btf.sizeOf(spec.valueType), refuse);
      return;
    case 'values':
      readValues(btf, spec, member, refuse, isInner);
      return;
    case 'pinning':
      spec.pinning = readUint(btf, member, refuse);
      if (spec.pinning > LIBBPF_PIN_BY_NAME) throw refuse(`pinning ${spec.pinning} is not known`);
      if (isInner && spec.pinning !== 0) throw refuse('a map inside another cannot be pinned');
      return;
    default:
      throw refuse(`its definition has a member ${member.name}, which is not known`);
  }
}

/** `__uint(name, n)` is a pointer to an array of n ints; `__ulong(name, n)` an enumeration of one. */
export function readUint(btf: Btf, member: BtfMember, refuse: Refuse): number {
  const type = btf.resolve(member.type);
  if (type.kind === 'enum' && type.values.length > 0) return Number(type.values[0]!.value);
  const array = type.kind === 'ptr' ? btf.resolve(type.type) : type;
  if (type.kind !== 'ptr' || array.kind !== 'array') {
    throw refuse(`${member.name} is no number: it is not written with __uint`);
  }
  return array.count;
}

function pointee(btf: Btf, member: BtfMember, refuse: Refuse): number {
  const type = btf.resolve(member.type);
  if (type.kind !== 'ptr') throw refuse(`${member.name} is no type: it is not written with __type`);
  return type.type;
}

function agreeing(what: string, known: number, size: number, refuse: Refuse): number {
  if (known !== 0 && known !== size) throw refuse(`${what} sizes ${known} and ${size} differ`);
  return size;
}

function readValues(
  btf: Btf,
  spec: MapSpec,
  member: BtfMember,
  refuse: Refuse,
  isInner: boolean,
): void {
  if (isInner) throw refuse('maps inside maps inside maps do not exist');
  const array = btf.resolve(member.type);
  const pointer = array.kind === 'array' ? btf.resolve(array.type) : array;
  if (array.kind !== 'array' || pointer.kind !== 'ptr') {
    throw refuse('values are no array of pointers');
  }
  const inside = btf.resolve(pointer.type);
  spec.valueSize = agreeing('value', spec.valueSize, 4, refuse);
  if (spec.type === BPF_MAP_TYPE_PROG_ARRAY) {
    if (inside.kind !== 'funcProto') throw refuse('values of a prog_array are no functions');
    return;
  }
  if (!holdsMaps(spec.type)) throw refuse(`values in a map of type ${spec.type}, which holds none`);
  if (inside.kind !== 'struct') throw refuse('values are no maps');
  spec.inner = readDefinition(btf, inside, `${spec.name}.inner`, refuse, true);
}

function addInitialValue(
  section: ElfSection,
  placed: readonly PlacedMap[],
  { spec, valuesAt }: PlacedMap,
  { offset, symbol }: ElfReloc,
): void {
  const refuse = (reason: string): Error =>
    section.part.refuse(offset, `map ${spec.name}: ${reason}`);
  const index = (offset - valuesAt) / ENTRY_BYTES;
  if (!Number.isInteger(index) || index < 0) throw refuse('a relocation beside its values');
  if (spec.type === BPF_MAP_TYPE_PROG_ARRAY) {
    if (symbol.type !== STT_FUNC) throw refuse(`value ${index}, ${symbol.name}, is no program`);
    spec.values.push({ index, kind: 'program', name: symbol.name });
    return;
  }
  if (!holdsMaps(spec.type)) throw refuse(`a value in a map of type ${spec.type}`);
  const target = placed.find(
    (map) => symbol.section === section.index && map.offset === symbol.value,
  );
  if (target === undefined) throw refuse(`value ${index}, ${symbol.name}, is no map`);
  spec.values.push({ index, kind: 'map', name: target.spec.name });
}
