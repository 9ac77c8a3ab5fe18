/** A program of an object as the WebAssembly that runs, with its instructions and its C between. */
import {
  BPF_CALL,
  BPF_JMP,
  BPF_PSEUDO_KFUNC_CALL,
  BPF_PSEUDO_MAP_FD,
  BPF_PSEUDO_MAP_VALUE,
  isLdImm64,
} from '../xdp/isa/insn.ts';
import type { Listable, ListedInsn } from '../xdp/isa/listing.ts';
import { listInsns } from '../xdp/isa/listing.ts';
import type { JitedFunction } from '../xdp/jit/jited.ts';
import { jited } from '../xdp/jit/jited.ts';
import { collectionMapMemory } from '../xdp/loader/createMaps.ts';
import type { BpfProgramImage } from '../xdp/loader/image.ts';
import { loadCollection, tailCallTargets } from '../xdp/loader/load.ts';
import type { CollectionSpec, ProgramSpec } from '../xdp/loader/spec.ts';
import { standaloneBpf } from '../xdp/standalone.ts';
import { helperNamed } from './objectDump.ts';

export interface JitDumpLine {
  readonly at: number;
  readonly depth: number;
  readonly text: string;
  /** Instructions whose code begins here; those without code of their own come with the next. */
  readonly insns?: readonly ListedInsn[];
}

export interface JitDumpFunction extends Pick<JitedFunction, 'name' | 'params' | 'results'> {
  readonly exported: string | null;
  readonly locals: readonly string[];
  /** Names of parameters and locals, as the code uses them. */
  readonly names: readonly string[];
  readonly code: readonly JitDumpLine[];
}

export interface JitDump {
  readonly program: string;
  readonly section: string;
  /** Instructions that run: the verifier may have taken some out, and added others. */
  readonly insns: number;
  /** Size of the module. */
  readonly bytes: number;
  readonly functions: readonly JitDumpFunction[];
}

/**
 * Loads the programs on a machine of their own and compiles them.
 *
 * @param verify false: as they run with `--verify off`, every access tested
 * @throws LoadError, MapError, VerifierError, ProgramRefused
 */
export function jitDump(
  spec: CollectionSpec,
  programs: readonly ProgramSpec[],
  verify: boolean,
): JitDump[] {
  const bpf = standaloneBpf({ mapBytes: collectionMapMemory(spec, 1) });
  const collection = loadCollection(spec, bpf, {
    programs: [...new Set([...programs.map(({ name }) => name), ...tailCallTargets(spec)])],
    ...(verify ? {} : { verify: null }),
  });
  return programs.map(({ name, section }) => {
    const { image } = collection.programs[name]!;
    const listed = listInsns({ ...image, refs: refsOf(image) }, { helper: helperNamed });
    const bySlot = new Map(listed.map((insn) => [insn.slot, insn]));
    const { bytes, functions } = jited(image, bpf, !verify);
    return {
      program: name,
      section,
      insns: image.insns.length,
      bytes,
      functions: functions.map((func) => dumped(func, bySlot)),
    };
  });
}

const OF_MAP = new Map([
  [BPF_PSEUDO_MAP_FD, 'map'],
  [BPF_PSEUDO_MAP_VALUE, 'mapValue'],
]);

/** Names behind the numbers that loading put into instructions. */
function refsOf({ insns, maps, kfuncs }: BpfProgramImage): Listable['refs'] {
  const refs = new Map<number, { kind: string; name: string }>();
  insns.forEach((insn, slot) => {
    const kind = isLdImm64(insn) ? OF_MAP.get(insn.src) : undefined;
    const map = maps.find(({ id }) => id === insn.imm);
    if (kind !== undefined && map !== undefined) refs.set(slot, { kind, name: map.name });
    if (insn.code === (BPF_JMP | BPF_CALL) && insn.src === BPF_PSEUDO_KFUNC_CALL)
      refs.set(slot, { kind: 'kfunc', name: kfuncs[insn.imm] ?? '' });
  });
  return refs;
}

function dumped(func: JitedFunction, bySlot: ReadonlyMap<number, ListedInsn>): JitDumpFunction {
  const { name, exported, params, results, locals, names, lines, starts } = func;
  const begins = new Map<number, ListedInsn[]>();
  for (const { at, slot } of starts) {
    const insn = bySlot.get(slot);
    if (insn !== undefined) begins.set(at, [...(begins.get(at) ?? []), insn]);
  }
  const code = lines.map((line) => {
    const insns = begins.get(line.at);
    return insns === undefined ? line : { ...line, insns };
  });
  return { name, exported, params, results, locals, names, code };
}
