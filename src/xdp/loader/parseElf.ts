/**
 * An eBPF object file as a blueprint: its maps, variables and programs.
 *
 * Pure: the same bytes give the same blueprint anywhere, and nothing is created. What it takes of
 * memory is bounded by a small multiple of the file's size and 32 MiB for each section of data.
 *
 * @linux bpf_object_open; tools/lib/bpf/libbpf.c
 */
import { STB_LOCAL } from '../elf/elf.ts';
import { ElfError } from '../elf/objectError.ts';
import { readBtfMaps } from './btfMaps.ts';
import { readExterns } from './externs.ts';
import type { CodeFunction, CodeSection } from './functions.ts';
import { readFunctions } from './functions.ts';
import { readGlobalData } from './globalData.ts';
import type { LegacyMap } from './legacyMaps.ts';
import { readLegacyMaps } from './legacyMaps.ts';
import type { Code } from './link.ts';
import { Linker } from './link.ts';
import { ObjectFile } from './objectFile.ts';
import type { SectionKind } from './sections.ts';
import { sectionKind, tailCallSlot } from './sections.ts';
import { BPF_MAP_TYPE_PROG_ARRAY } from '../maps/uapi.ts';
import { BPF_PROG_TYPE_UNSPEC, BPF_PROG_TYPE_XDP, BPF_XDP } from '../uapi.ts';
import type { CollectionSpec, MapSpec, ProgramSpec } from './spec.ts';

export interface ParseOptions {
  /** What messages call the object. */
  readonly file: string;
}

/**
 * @throws ElfError, and BtfError for its type information: file, section, offset, reason
 */
export function parseElf(bytes: Uint8Array, { file }: ParseOptions): CollectionSpec {
  const object = new ObjectFile(bytes, file);
  const legacy = readLegacyMaps(object);
  const btfMaps = readBtfMaps(object);
  const data = readGlobalData(object);
  const externs = readExterns(object);
  const mapsAt = new Map<number, ReadonlyMap<number, MapSpec>>();
  const dotMaps = object.section('.maps');
  if (dotMaps !== undefined) mapsAt.set(dotMaps.index, btfMaps);
  const oldMaps = object.section('maps');
  if (oldMaps !== undefined) {
    mapsAt.set(oldMaps.index, new Map(legacy.map(({ offset, spec }) => [offset, spec])));
  }
  const maps = [
    ...legacy.map(({ spec }) => spec),
    ...btfMaps.values(),
    ...data.maps.values(),
    ...(externs.kconfig === null ? [] : [externs.kconfig]),
  ];
  const sections = readFunctions(object);
  const referents = { sections: object.elf.sections, mapsAt, data: data.maps, externs };
  const programs = readPrograms({ object, sections, referents });
  placeTailCalls(legacy, programs);
  const version = object.section('version')?.part;
  return {
    file,
    maps: byName(object, 'maps', maps),
    programs: byName(object, 'programs', programs),
    variables: byName(object, 'variables', [...data.variables, ...externs.variables], false),
    btf: object.btf,
    license: object.textSection('license'),
    kernelTypes: null,
    kernelVersion: version !== undefined && version.length >= 4 ? version.u32(0) : 0,
  };
}

/** @param unique refuse a second of the same name; static variables of functions may repeat one */
function byName<T extends { readonly name: string }>(
  { file }: ObjectFile,
  what: string,
  items: readonly T[],
  unique = true,
): Record<string, T> {
  const record = Object.fromEntries(items.map((item) => [item.name, item]));
  if (unique && Object.keys(record).length < items.length) {
    const twice = items.find(({ name }, i) => items.findIndex((other) => other.name === name) < i);
    throw new ElfError(file, what, 0, `two of them are named ${twice?.name}`);
  }
  return record;
}

/** `.text` holds subprograms, unless there is no other code. */
function readPrograms(code: Code): ProgramSpec[] {
  const linker = new Linker(code);
  const all = [...code.sections.values()];
  const entries = all.filter(({ section }) => section.name !== '.text' || all.length === 1);
  return entries.flatMap((section) =>
    mainFunctions(section).map((func) => ({
      name: func.name,
      ...kindOf(func.section.name),
      btf: code.object.btf,
      ...linker.link(func),
    })),
  );
}

/** Static functions beside a program are its subprograms, like those of `.text`. */
function mainFunctions({ functions }: CodeSection): CodeFunction[] {
  const all = [...functions.values()];
  const named = all.filter(({ symbol }) => symbol !== null && symbol.bind !== STB_LOCAL);
  return named.length > 0 ? named : all.slice(0, 1);
}

/** A `?` before the name keeps the program from being loaded by itself. */
function kindOf(name: string): SectionKind & { section: string; autoload: boolean } {
  const autoload = !name.startsWith('?');
  const section = autoload ? name : name.slice(1);
  return { section, autoload, ...sectionKind(section) };
}

/**
 * iproute2's tail-call sections are of their neighbours' type, and go into the map they name. One
 * that names none is not loaded by itself.
 */
function placeTailCalls(legacy: readonly LegacyMap[], programs: readonly ProgramSpec[]): void {
  const known = programs.find(({ type }) => type !== BPF_PROG_TYPE_UNSPEC);
  for (const program of programs) {
    const slot = tailCallSlot(program.section);
    if (slot === null) continue;
    program.type = known?.type ?? BPF_PROG_TYPE_XDP;
    program.attachType = known?.attachType ?? BPF_XDP;
    const map = legacy.find(
      ({ id, spec }) => id === slot.mapId && spec.type === BPF_MAP_TYPE_PROG_ARRAY,
    );
    if (map === undefined) program.autoload = false;
    else map.spec.values.push({ index: slot.index, kind: 'program', name: program.name });
  }
}
