/**
 * References become numbers: maps their ids, settings their values, kernel functions their place in
 * the image's list.
 *
 * What may be missing (`__weak`) reads as zero; a call of a missing function becomes one that no
 * verifier lets pass, so that a program which asks first still loads.
 *
 * @linux bpf_object__relocate_data, bpf_object__resolve_externs, poison_kfunc_call; tools/lib/bpf/libbpf.c
 */
import type { Insn } from '../isa/insn.ts';
import { BPF_CALL, BPF_JMP, isLdImm64 } from '../isa/insn.ts';
import { KFUNC_POISON } from '../helpers/poison.ts';
import type { BpfMap } from '../maps/bpfMap.ts';
import { KCONFIG } from './externs.ts';
import { LoadError } from './image.ts';
import type { ExternRef, InsnRef, ProgramSpec } from './spec.ts';

export interface Surroundings {
  readonly file: string;
  readonly maps: Readonly<Record<string, BpfMap>>;
  /** Is there a kernel function of this name? */
  hasKfunc(name: string): boolean;
}

export interface Resolved {
  readonly insns: Insn[];
  readonly maps: BpfMap[];
  readonly kfuncs: string[];
}

/** @throws LoadError for what must be there and is not */
export function resolveRefs(
  program: ProgramSpec,
  insns: readonly Insn[],
  at: Surroundings,
): Resolved {
  const resolved: Resolved = { insns: [...insns], maps: [], kfuncs: [] };
  for (const [slot, ref] of program.refs) resolveRef(program, resolved, slot, ref, at);
  return resolved;
}

function resolveRef(
  program: ProgramSpec,
  { insns, maps, kfuncs }: Resolved,
  slot: number,
  ref: InsnRef,
  at: Surroundings,
): void {
  const insn = insns[slot]!;
  const missing = (what: string): LoadError =>
    new LoadError(at.file, `program ${program.name}, instruction ${slot}`, what);
  switch (ref.kind) {
    case 'map':
    case 'mapValue':
    case 'kconfig': {
      const name = ref.kind === 'kconfig' ? KCONFIG : ref.name;
      const map = at.maps[name];
      if (map === undefined) throw missing(`there is no map ${name}`);
      if (!maps.includes(map)) maps.push(map);
      insns[slot] = { ...insn, imm: map.id };
      return;
    }
    case 'kfunc': {
      const known = at.hasKfunc(ref.name);
      if (!known && !ref.weak)
        throw missing(`calls ${ref.name}, a kernel function that is not here`);
      insns[slot] = known
        ? { ...insn, imm: indexOf(kfuncs, ref.name) }
        : { ...insn, code: BPF_JMP | BPF_CALL, src: 0, imm: KFUNC_POISON + slot };
      return;
    }
    case 'kfuncAddress':
      setConstant(insns, slot, at.hasKfunc(ref.name) ? 1 : weakZero(ref, missing));
      return;
    case 'ksym':
      setConstant(insns, slot, weakZero(ref, missing));
      return;
  }
}

function indexOf(names: string[], name: string): number {
  const known = names.indexOf(name);
  return known >= 0 ? known : names.push(name) - 1;
}

/** There are no variables of a kernel here: only what may be missing passes. */
function weakZero(ref: ExternRef, missing: (what: string) => LoadError): number {
  if (ref.weak) return 0;
  throw missing(`refers to ${ref.name}, a symbol of the kernel that is not here`);
}

function setConstant(insns: Insn[], slot: number, value: number): void {
  const insn = insns[slot]!;
  insns[slot] = { ...insn, src: 0, imm: value };
  if (isLdImm64(insn)) insns[slot + 1] = { ...insns[slot + 1]!, imm: 0 };
}
