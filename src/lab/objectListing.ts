/**
 * What an eBPF object file holds, as plain data: its programs and its maps, nothing loaded. The
 * fields that bpftool has too bear its names.
 */
import type { BtfValue } from '../xdp/btf/value.ts';
import { typeName } from '../xdp/btf/typeName.ts';
import { BtfError } from '../xdp/elf/objectError.ts';
import { isGplCompatible } from '../xdp/loader/image.ts';
import { missingSettings, withSettings } from '../xdp/loader/kconfig.ts';
import { runConfigOf } from '../xdp/loader/runConfig.ts';
import { progTypeName } from '../xdp/loader/sections.ts';
import type { CollectionSpec, MapSpec, ProgramSpec } from '../xdp/loader/spec.ts';
import { getVariable } from '../xdp/loader/variables.ts';
import { mapTypeName } from '../xdp/maps/mapDef.ts';
import { BPF_F_RDONLY_PROG } from '../xdp/maps/uapi.ts';
import { XDP_ACTION_NAMES } from '../xdp/uapi.ts';

export interface ProgramListing {
  readonly name: string;
  readonly section: string;
  /** `xdp`, or another that does not run here. */
  readonly type: string;
  readonly attach_type: number;
  readonly frags: boolean;
  /** Is it loaded unless it is asked for? */
  readonly autoload: boolean;
  readonly gpl_compatible: boolean;
  /** Slots, subprograms counted. */
  readonly insns: number;
  /** The program's function, and those it calls. */
  readonly functions: readonly string[];
  readonly maps: readonly string[];
  /** Settings, symbols and functions of the kernel. */
  readonly externs: readonly string[];
  /** CO-RE relocations. */
  readonly core: number;
  /** Its place among several, as libxdp reads it, or why not; null where the object says nothing. */
  readonly run_config: RunConfigListing | { readonly refused: string } | null;
}

export interface RunConfigListing {
  readonly priority: number;
  /** Verdicts after which the next program runs. */
  readonly chain_call_actions: readonly string[];
}

export const listPrograms = (spec: CollectionSpec): ProgramListing[] =>
  Object.values(spec.programs).map((program) => listProgram(spec, program));

function listProgram(spec: CollectionSpec, program: ProgramSpec): ProgramListing {
  const refs = [...program.refs.values()];
  return {
    name: program.name,
    section: program.section,
    type: progTypeName(program.type),
    attach_type: program.attachType,
    frags: program.frags,
    autoload: program.autoload,
    gpl_compatible: isGplCompatible(spec.license),
    insns: program.insns.length,
    functions: program.funcInfo.map(({ name }) => name),
    maps: unique(refs.filter(({ kind }) => isMap(kind)).map(({ name }) => name)),
    externs: unique(refs.filter(({ kind }) => !isMap(kind)).map(({ name }) => name)),
    core: program.core.length,
    run_config: listRunConfig(program),
  };
}

function listRunConfig({ btf, name }: ProgramSpec): ProgramListing['run_config'] {
  try {
    const config = runConfigOf(btf, name);
    if (config === null) return null;
    const { priority, chainCallActions } = config;
    const goesOn = XDP_ACTION_NAMES.filter((_, bit) => (chainCallActions & (1 << bit)) !== 0);
    return { priority, chain_call_actions: goesOn };
  } catch (error) {
    if (error instanceof BtfError) return { refused: error.reason };
    throw error;
  }
}

const isMap = (kind: string): boolean => kind === 'map' || kind === 'mapValue';

const unique = (names: readonly string[]): string[] => [...new Set(names)];

export interface MapListing {
  readonly name: string;
  readonly type: string;
  readonly bytes_key: number;
  readonly bytes_value: number;
  readonly max_entries: number;
  readonly flags: number;
  readonly map_extra: number;
  readonly pinned: boolean;
  readonly frozen: boolean;
  /** May programs write it? */
  readonly writable: boolean;
  /** In C; empty where the object tells no type. */
  readonly key: string;
  readonly value: string;
  /** What maps inside it are like. */
  readonly inner: MapListing | null;
  /** Maps and programs that are in it from the start. */
  readonly values: readonly { readonly index: number; readonly name: string }[];
  readonly variables: readonly VariableListing[];
}

export interface VariableListing {
  readonly name: string;
  readonly type: string;
  readonly offset: number;
  readonly bytes: number;
  /** Before the program runs, in hex where there is no type; null for a setting nobody knows. */
  readonly value: BtfValue | null;
}

/** @throws LoadError for a setting of the kernel that does not fit its type */
export function listMaps(spec: CollectionSpec): MapListing[] {
  const filled = withSettings(spec);
  return Object.values(filled.maps).map((map) => listMap(filled, map));
}

function listMap(spec: CollectionSpec, map: MapSpec): MapListing {
  const nameOf = (type: number): string =>
    map.btf === null || type === 0 ? '' : typeName(map.btf, type);
  return {
    name: map.name,
    type: mapTypeName(map.type),
    bytes_key: map.keySize,
    bytes_value: map.valueSize,
    max_entries: map.maxEntries,
    flags: map.flags,
    map_extra: map.mapExtra,
    pinned: map.pinning !== 0,
    frozen: map.frozen,
    writable: (map.flags & BPF_F_RDONLY_PROG) === 0,
    key: nameOf(map.keyType),
    value: map.contents === null ? nameOf(map.valueType) : '',
    inner: map.inner === null ? null : listMap(spec, map.inner),
    values: map.values.map(({ index, name }) => ({ index, name })),
    variables: map.contents === null ? [] : variablesOf(spec, map.name),
  };
}

function variablesOf(spec: CollectionSpec, map: string): VariableListing[] {
  const unknown = missingSettings(spec);
  return Object.values(spec.variables)
    .filter((variable) => variable.map === map)
    .map(({ name, offset, size, type }) => {
      const value = unknown.includes(name) ? null : getVariable(spec, name);
      return {
        name,
        type: spec.btf === null || type === 0 ? '' : typeName(spec.btf, type),
        offset,
        bytes: size,
        value: value instanceof Uint8Array ? hex(value) : value,
      };
    });
}

const hex = (bytes: Uint8Array): string =>
  [...bytes].map((byte) => byte.toString(16).padStart(2, '0')).join('');
