/**
 * From blueprint to life: maps are made, references resolved, programs verified and made ready to
 * run by an engine, tail calls and maps of maps connected.
 *
 * @linux bpf_object_load; tools/lib/bpf/libbpf.c
 */
import type { HostAddr } from '../../host/memory.ts';
import type { Bpf } from '../bpf.ts';
import type { Btf } from '../btf/btf.ts';
import type { BpfRunnable } from '../engine.ts';
import { KFUNCS } from '../helpers/table.ts';
import { engineNamed } from '../engines.ts';
import type { BpfMap } from '../maps/bpfMap.ts';
import { builtInTypes } from './core/builtIn.ts';
import { relocateCore } from './core/relocate.ts';
import { createMaps, setEntry } from './createMaps.ts';
import type { BpfProgramImage } from './image.ts';
import { isGplCompatible, LoadError } from './image.ts';
import { inFile } from './inFile.ts';
import type { Settings } from './kconfig.ts';
import { missingSettings, withSettings } from './kconfig.ts';
import { resolveRefs } from './resolve.ts';
import { progTypeName } from './sections.ts';
import { BPF_PROG_TYPE_XDP } from '../uapi.ts';
import { checkProgram } from '../verifier/verify.ts';
import type { CollectionSpec, ProgramSpec } from './spec.ts';

export interface LoadOptions {
  /** Makes a program ready to run; the compiler, unless set. @param verified accesses need no test */
  readonly engine?: (image: BpfProgramImage, bpf: Bpf, verified: boolean) => BpfRunnable;
  /**
   * Throws for a program that must not run, else says what is to run; Linux's verifier, unless set.
   * null lets everything in, to run with every access tested: Linux has no such thing.
   */
  readonly verify?: ((image: BpfProgramImage, bpf: Bpf) => BpfProgramImage) | null;
  /** Programs to load, by name; all of type XDP that load by themselves, unless set. */
  readonly programs?: readonly string[];
  /** Maps to use in place of those the object describes. */
  readonly maps?: Readonly<Record<string, BpfMap>>;
  /** The kernel's types, for CO-RE; the object's blueprint says them, unless set. */
  readonly kernelTypes?: Btf;
  /** Settings of the kernel, over those that are built in. */
  readonly kconfig?: Settings;
  /** Is there a kernel function of this name? Those that are emulated, unless set. */
  readonly hasKfunc?: (name: string) => boolean;
}

/** A live program. */
export class BpfProg {
  /** As `bpftool prog` numbers them, from 1. */
  readonly id: number;
  readonly name: string;
  /** @linux enum bpf_prog_type */
  readonly type: number;
  readonly attachType: number;
  readonly frags: boolean;
  readonly image: BpfProgramImage;
  readonly runnable: BpfRunnable;

  constructor(id: number, image: BpfProgramImage, runnable: BpfRunnable) {
    this.id = id;
    this.name = image.name;
    this.type = image.type;
    this.attachType = image.attachType;
    this.frags = image.frags;
    this.image = image;
    this.runnable = runnable;
  }

  /** @param ctx address of the context @returns the low word of r0 */
  run(ctx: HostAddr): number {
    return this.runnable.run(ctx);
  }
}

/** What an object is once it is loaded. */
export interface Collection {
  readonly spec: CollectionSpec;
  readonly maps: Readonly<Record<string, BpfMap>>;
  readonly programs: Readonly<Record<string, BpfProg>>;
}

/**
 * All or nothing: when a program is refused, the maps made for it are freed.
 *
 * @throws LoadError, MapError, and what engine and verifier throw
 */
export function loadCollection(
  spec: CollectionSpec,
  bpf: Bpf,
  options: LoadOptions = {},
): Collection {
  const wanted = wantedPrograms(spec, options.programs);
  const [missing] = missingSettings(spec, options.kconfig);
  if (missing !== undefined)
    throw new LoadError(spec.file, `setting ${missing}`, 'no value is known; give one');
  const filled = withSettings(spec, options.kconfig);
  const given = options.maps ?? {};
  const maps = createMaps(filled, bpf, given);
  try {
    const programs = Object.fromEntries(
      wanted.map((program) => [program.name, loadProgram(spec, program, bpf, maps, options)]),
    );
    connectTailCalls(spec, maps, programs);
    return { spec, maps, programs };
  } catch (error) {
    for (const [name, map] of Object.entries(maps)) if (given[name] === undefined) map.release();
    throw inFile(spec.file, error);
  }
}

function wantedPrograms(
  { file, programs }: CollectionSpec,
  names: readonly string[] | undefined,
): ProgramSpec[] {
  if (names === undefined) {
    return Object.values(programs).filter(
      ({ type, autoload }) => type === BPF_PROG_TYPE_XDP && autoload,
    );
  }
  return names.map((name) => {
    if (Object.hasOwn(programs, name)) return programs[name]!;
    const known = Object.keys(programs).join(', ') || 'none';
    throw new LoadError(file, `program ${name}`, `there is none; the object has ${known}`);
  });
}

function loadProgram(
  spec: CollectionSpec,
  program: ProgramSpec,
  bpf: Bpf,
  maps: Readonly<Record<string, BpfMap>>,
  options: LoadOptions,
): BpfProg {
  const { name, type, attachType, frags } = program;
  // what the kernel does not take, libbpf goes on without
  const typed = program.btf?.loads === true;
  if (type !== BPF_PROG_TYPE_XDP) {
    throw new LoadError(
      spec.file,
      `program ${name}`,
      `of type ${progTypeName(type)} (section ${program.section}); only XDP programs run here`,
    );
  }
  const kernel = options.kernelTypes ?? spec.kernelTypes;
  const kernelTypes = { btf: kernel ?? builtInTypes(), whole: kernel !== null };
  const relocated =
    program.core.length === 0 ? program.insns : relocateCore(spec.file, program, kernelTypes.btf);
  const hasKfunc = options.hasKfunc ?? ((kfunc: string): boolean => KFUNCS.has(kfunc));
  const given = {
    name,
    type,
    attachType,
    frags,
    gpl: isGplCompatible(spec.license),
    funcInfo: typed ? program.funcInfo : [],
    lineInfo: typed ? program.lineInfo : [],
    btf: typed ? program.btf : null,
    kernelTypes,
    ...resolveRefs(program, relocated, {
      file: spec.file,
      maps,
      hasKfunc,
    }),
  };
  const { verify = checkProgram, engine = engineNamed('jit') } = options;
  const image = verify === null ? given : verify(given, bpf);
  const runnable = engine(image, bpf, verify !== null);
  const prog = new BpfProg(bpf.xdp.newProgId(), image, runnable);
  bpf.progs.set(prog.id, prog);
  return prog;
}

/** Programs that the object's program arrays lead to from the start, by name. */
export const tailCallTargets = ({ maps }: Pick<CollectionSpec, 'maps'>): string[] =>
  Object.values(maps).flatMap(({ values }) =>
    values.filter(({ kind }) => kind === 'program').map(({ name }) => name),
  );

function connectTailCalls(
  spec: CollectionSpec,
  maps: Readonly<Record<string, BpfMap>>,
  programs: Readonly<Record<string, BpfProg>>,
): void {
  for (const { name, values } of Object.values(spec.maps)) {
    for (const { index, kind, name: target } of values) {
      if (kind !== 'program') continue;
      setEntry(spec, maps[name]!, index, programs[target]?.id, `program ${target}`);
    }
  }
}
