/**
 * Programs out of object files, as a machine attaches them.
 *
 * Each attachment makes maps and programs of its own from the blueprint. The program that a tail
 * call leads to is loaded with the one that calls it.
 */
import type { HostAddr } from '../host/memory.ts';
import type { XdpProgramSpec } from './define.ts';
import type { BpfRunnable } from './engine.ts';
import type { EngineName } from './engines.ts';
import { engineNamed } from './engines.ts';
import { KFUNCS } from './helpers/table.ts';
import type { XdpKernel } from './kernel.ts';
import { collectionMapMemory } from './loader/createMaps.ts';
import type { BpfProg, Collection } from './loader/load.ts';
import { loadCollection } from './loader/load.ts';
import type { CollectionSpec, ProgramSpec } from './loader/spec.ts';
import type { BpfMap } from './maps/bpfMap.ts';
import type { XdpProg } from './program.ts';

export interface ObjectOptions {
  /** `jit` unless given. */
  readonly engine?: EngineName;
}

/** A program of an object that lives on a machine. */
export class ObjectProg implements XdpProg {
  readonly id: number;
  readonly name: string;
  readonly hasFrags: boolean;
  readonly maps: Readonly<Record<string, BpfMap>>;
  readonly collection: Collection;
  private readonly runnable: BpfRunnable;

  constructor(collection: Collection, prog: BpfProg) {
    this.id = prog.id;
    this.name = prog.name;
    this.hasFrags = prog.frags;
    this.maps = collection.maps;
    this.collection = collection;
    this.runnable = prog.runnable;
  }

  run(md: HostAddr): number {
    return this.runnable.run(md);
  }
}

/**
 * @param chosen of type XDP
 * @returns a blueprint; loading it throws LoadError, MapError, ProgramRefused
 */
export function objectXdp(
  spec: CollectionSpec,
  chosen: ProgramSpec,
  { engine = 'jit' }: ObjectOptions = {},
): XdpProgramSpec {
  return {
    type: 'xdp',
    name: chosen.name,
    hasFrags: chosen.frags,
    maps: {},
    mapBytes: (cpus) => collectionMapMemory(spec, cpus),
    load(xdp: XdpKernel) {
      const collection = loadCollection(spec, xdp.bpf, {
        engine: engineNamed(engine),
        hasKfunc: (name) => KFUNCS.has(name),
        programs: wanted(spec, chosen),
      });
      return new ObjectProg(collection, collection.programs[chosen.name]!);
    },
  };
}

/** The program itself, and what the object's program arrays lead to. */
function wanted({ maps }: CollectionSpec, { name }: ProgramSpec): string[] {
  const targets = Object.values(maps).flatMap(({ values }) =>
    values.filter(({ kind }) => kind === 'program').map((value) => value.name),
  );
  return [...new Set([name, ...targets])];
}
