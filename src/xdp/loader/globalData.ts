/**
 * Global variables: each section of data becomes an array map of one value, under the section's
 * name, and each variable a place in it.
 *
 * @linux bpf_object__init_global_data_maps, map_is_mmapable, btf_fixup_datasec; tools/lib/bpf/libbpf.c
 */
import { BTF_VAR_STATIC } from '../btf/types.ts';
import type { ElfSection } from '../elf/elf.ts';
import { SHF_EXECINSTR, SHT_NOBITS, SHT_PROGBITS } from '../elf/elf.ts';
import { BPF_F_MMAPABLE, BPF_F_RDONLY_PROG, BPF_MAP_TYPE_ARRAY, emptyMap } from './mapSpec.ts';
import type { ObjectFile } from './objectFile.ts';
import type { MapSpec, VariableSpec } from './spec.ts';

/** Bytes of variables in one section: what an object may make us set aside. */
const MAX_BYTES: number = 1 << 25;

export interface GlobalData {
  /** By index of the section. */
  readonly maps: ReadonlyMap<number, MapSpec>;
  readonly variables: readonly VariableSpec[];
}

export function readGlobalData(object: ObjectFile): GlobalData {
  const maps = new Map<number, MapSpec>();
  const variables: VariableSpec[] = [];
  for (const section of object.elf.sections.filter(isData)) {
    maps.set(section.index, dataMap(object, section));
    variables.push(...variablesOf(object, section));
  }
  return { maps, variables };
}

const isNamed = (name: string, base: string): boolean =>
  name === base || name.startsWith(`${base}.`);

function isData({ name, type, flags, size }: ElfSection): boolean {
  if (size === 0 || (flags & SHF_EXECINSTR) !== 0) return false;
  if (type === SHT_NOBITS) return isNamed(name, '.bss');
  return type === SHT_PROGBITS && (isNamed(name, '.data') || isNamed(name, '.rodata'));
}

function dataMap(object: ObjectFile, section: ElfSection): MapSpec {
  const { name, size, part } = section;
  if (size > MAX_BYTES) throw part.refuse(0, `${size} bytes of variables; ${MAX_BYTES} at most`);
  const readOnly = isNamed(name, '.rodata');
  const mmapable = hasGlobal(object, name) ? BPF_F_MMAPABLE : 0;
  const contents = new Uint8Array(size);
  contents.set(part.bytes);
  return {
    ...emptyMap(name, object.btf),
    type: BPF_MAP_TYPE_ARRAY,
    keySize: 4,
    valueSize: size,
    maxEntries: 1,
    flags: (readOnly ? BPF_F_RDONLY_PROG : 0) | mmapable,
    valueType: object.datasec(name)?.id ?? 0,
    contents,
    frozen: readOnly,
  };
}

/** Only what other files may name is worth mapping into user space. */
function hasGlobal(object: ObjectFile, name: string): boolean {
  const { btf } = object;
  const datasec = object.datasec(name);
  if (btf === null || datasec === null) return false;
  return datasec.vars.some(({ type }) => {
    const variable = btf.type(type);
    return variable.kind === 'var' && variable.linkage !== BTF_VAR_STATIC;
  });
}

/** With types: as BTF lists them; without: as symbols do. */
function variablesOf(object: ObjectFile, section: ElfSection): VariableSpec[] {
  const { btf } = object;
  const datasec = object.datasec(section.name);
  const symbols = object.dataSymbolsOf(section);
  const map = section.name;
  if (btf === null || datasec === null) {
    return symbols
      .filter(({ name }) => !name.startsWith('.L'))
      .map(({ name, value, size }) => ({ name, map, offset: value, size, type: 0 }));
  }
  const places = new Map(symbols.map(({ name, value }) => [name, value]));
  const variables = datasec.vars.map((entry) => {
    const variable = btf.type(entry.type);
    if (variable.kind !== 'var') throw btf.refuse(entry.type, `${map} lists what is no variable`);
    const { name, linkage, type } = variable;
    const offset = linkage === BTF_VAR_STATIC ? entry.offset : (places.get(name) ?? entry.offset);
    if (offset + entry.size > section.size) {
      throw section.part.refuse(
        offset,
        `variable ${name} of ${entry.size} bytes reaches over the end`,
      );
    }
    return { name, map, offset, size: entry.size, type };
  });
  const vars = datasec.vars.map((entry, i) => ({ ...entry, offset: variables[i]!.offset }));
  btf.amend({ ...datasec, size: section.size, vars });
  return variables;
}
