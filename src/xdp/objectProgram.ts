/**
 * Programs out of object files, as a machine attaches them.
 *
 * Each attachment makes maps and programs of its own from the blueprint. The program that a tail
 * call leads to is loaded with the one that calls it.
 */
import type { HostAddr } from '../host/memory.ts';
import { BPF_CALL, BPF_JMP, BPF_LDX, BPF_MEM, BPF_W } from './isa/insn.ts';
import type { Bpf } from './bpf.ts';
import type { XdpProgramSpec } from './define.ts';
import type { LinkProgram } from './engine.ts';
import type { EngineName } from './engines.ts';
import { engineNamed } from './engines.ts';
import type { XdpKernel } from './kernel.ts';
import { collectionMapMemory } from './loader/createMaps.ts';
import type { BpfProg, Collection } from './loader/load.ts';
import { loadCollection, tailCallTargets } from './loader/load.ts';
import { runConfigOf } from './loader/runConfig.ts';
import type { CollectionSpec, MapSpec, ProgramSpec } from './loader/spec.ts';
import type { MapTypes } from './loader/typedMap.ts';
import type { BpfMap } from './maps/bpfMap.ts';
import {
  BPF_MAP_TYPE_CPUMAP,
  BPF_MAP_TYPE_DEVMAP,
  BPF_MAP_TYPE_DEVMAP_HASH,
  BPF_MAP_TYPE_PROG_ARRAY,
} from './maps/uapi.ts';
import type { XdpProg } from './program.ts';
import { BPF_PROG_TYPE_XDP } from './uapi.ts';

/** @linux enum bpf_func_id */
const BPF_FUNC_XDP_LOAD_BYTES = 189;

export interface ObjectOptions {
  /** `jit` unless given. */
  readonly engine?: EngineName;
  /** false: load what Linux's verifier would refuse, and test every access as it happens. */
  readonly verify?: boolean;
}

/** A program of an object that lives on a machine. */
export class ObjectProg implements XdpProg {
  readonly id: number;
  readonly name: string;
  readonly attachType: number;
  readonly hasFrags: boolean;
  readonly touchesPacket: boolean;
  readonly maps: Readonly<Record<string, BpfMap>>;
  readonly mapTypes: Readonly<Record<string, MapTypes>>;
  readonly programs: Readonly<Record<string, BpfProg>>;
  /** The engine's own function: one call less for every packet. */
  readonly run: (md: HostAddr) => number;
  readonly link: LinkProgram | undefined;

  constructor(collection: Collection, prog: BpfProg, touchesPacket: boolean) {
    this.id = prog.id;
    this.name = prog.name;
    this.attachType = prog.attachType;
    this.hasFrags = prog.frags;
    this.touchesPacket = touchesPacket;
    this.maps = collection.maps;
    this.mapTypes = collection.spec.maps;
    this.programs = collection.programs;
    const { runnable } = prog;
    this.link = runnable.link;
    // a compiled program's is a function by itself, an interpreter's a method
    this.run = Object.hasOwn(runnable, 'run') ? runnable.run : (md) => runnable.run(md);
  }
}

/**
 * @param chosen of type XDP
 * @throws BtfError when its place among other programs is none
 * @returns a blueprint; loading it throws LoadError, MapError, VerifierError, ProgramRefused
 */
export function objectXdp(
  spec: CollectionSpec,
  chosen: ProgramSpec,
  options: ObjectOptions = {},
): XdpProgramSpec {
  const runConfig = runConfigOf(spec.btf, chosen.name);
  const touches = loadedWith(spec, chosen).some((name) => mayTouch(spec.programs[name]!));
  return {
    type: 'xdp',
    name: chosen.name,
    hasFrags: chosen.frags,
    maps: {},
    ...(runConfig && { runConfig }),
    mapBytes: (cpus) => collectionMapMemory(spec, cpus),
    load(xdp: XdpKernel) {
      const collection = loadChosen(spec, chosen, xdp.bpf, options);
      return new ObjectProg(collection, collection.programs[chosen.name]!, touches);
    },
  };
}

/**
 * One program of an object, with what it needs.
 *
 * @throws LoadError, MapError, VerifierError, ProgramRefused
 */
export const loadChosen = (
  spec: CollectionSpec,
  chosen: ProgramSpec,
  bpf: Bpf,
  { engine = 'jit', verify = true }: ObjectOptions = {},
): Collection =>
  loadCollection(spec, bpf, {
    engine: engineNamed(engine),
    ...(verify ? {} : { verify: null }),
    programs: loadedWith(spec, chosen),
  });

/**
 * The program itself, what the object's program arrays lead to, and where a map may be given
 * programs later, all that could be.
 */
function loadedWith(spec: CollectionSpec, { name }: ProgramSpec): string[] {
  const { maps, programs } = spec;
  const others = Object.values(maps).some(holdsPrograms)
    ? Object.values(programs).filter(({ type, autoload }) => type === BPF_PROG_TYPE_XDP && autoload)
    : [];
  return [...new Set([name, ...tailCallTargets(spec), ...others.map((other) => other.name)])];
}

/** A program array, or a map of targets whose values have a place for a program. */
const holdsPrograms = ({ type, valueSize }: MapSpec): boolean =>
  type === BPF_MAP_TYPE_PROG_ARRAY ||
  (valueSize === 8 &&
    (type === BPF_MAP_TYPE_DEVMAP ||
      type === BPF_MAP_TYPE_DEVMAP_HASH ||
      type === BPF_MAP_TYPE_CPUMAP));

/** Whoever never loads the first word of anything has not read where the packet lies. */
const mayTouch = ({ insns }: ProgramSpec): boolean =>
  insns.some(({ code, off, imm }) =>
    code === (BPF_LDX | BPF_MEM | BPF_W)
      ? off === 0
      : code === (BPF_JMP | BPF_CALL) && imm === BPF_FUNC_XDP_LOAD_BYTES,
  );
