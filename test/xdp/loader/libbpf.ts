/** A blueprint in the words of `test/oracle/loader.c`, libbpf's answer about the same object. */
import type { CollectionSpec, MapSpec, ProgramSpec } from '../../../src/xdp/loader/spec.ts';
import { encodeInsns } from '../../../src/xdp/isa/insn.ts';

export interface LibbpfAnswer {
  readonly libbpf: string;
  readonly loaded: boolean;
  readonly maps: readonly { readonly name: string }[];
  readonly programs: readonly {
    readonly name: string;
    readonly section: string;
    readonly type: number;
  }[];
}

const byName = (a: { readonly name: string }, b: { readonly name: string }): number =>
  a.name < b.name ? -1 : 1;

/** libbpf puts the object's name before `.data`, `.rodata` and their like. */
const withoutObject = (name: string): string => name.replace(/^[^.]+(?=\.)/, '');

export function normalised({ maps, programs }: LibbpfAnswer): object {
  const renamed = maps.map((map) => ({ ...map, name: withoutObject(map.name) }));
  return {
    maps: renamed.toSorted(byName),
    programs: JSON.parse(
      JSON.stringify(programs.toSorted(byName), (key, value: unknown) =>
        key === 'refs' ? namesOf(value as Record<string, string>) : value,
      ),
    ),
  };
}

const namesOf = (refs: Record<string, string>): Record<string, string> =>
  Object.fromEntries(Object.entries(refs).map(([slot, name]) => [slot, withoutObject(name)]));

export function inLibbpfWords({ maps, programs }: CollectionSpec): object {
  return {
    maps: Object.values(maps).map(mapWords).toSorted(byName),
    programs: Object.values(programs).map(programWords).toSorted(byName),
  };
}

const mapWords = (map: MapSpec) => ({
  name: map.name,
  type: map.type,
  keySize: map.keySize,
  valueSize: map.valueSize,
  maxEntries: map.maxEntries,
  flags: map.flags,
  mapExtra: map.mapExtra,
});

const programWords = ({ name, section, type, attachType, insns, refs }: ProgramSpec) => ({
  name,
  section,
  type,
  attachType,
  insns: Buffer.from(encodeInsns(insns)).toString('hex'),
  refs: Object.fromEntries(
    [...refs]
      .toSorted(([a], [b]) => a - b)
      .map(([slot, { kind, name: to }]) => [slot, kind === 'kconfig' ? '.kconfig' : to]),
  ),
});
