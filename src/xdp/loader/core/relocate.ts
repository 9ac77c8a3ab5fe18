/**
 * CO-RE: the constants of a program that hang on the kernel's types are set to what the types of
 * one kernel say.
 *
 * @linux bpf_core_calc_relo_insn, bpf_core_find_cands; tools/lib/bpf/relo_core.c
 */
import type { Btf } from '../../btf/btf.ts';
import { essentialName } from '../../btf/essentialName.ts';
import type { Insn } from '../../isa/insn.ts';
import { LoadError } from '../image.ts';
import type { CoreRelo, ProgramSpec } from '../spec.ts';
import type { Access } from './access.ts';
import { readAccess } from './access.ts';
import { BPF_CORE_TYPE_ID_LOCAL, CORE_KIND_NAMES } from './kinds.ts';
import { matchAccess } from './match.ts';
import { patchInsn } from './patch.ts';
import type { Value } from './value.ts';
import { valueOf } from './value.ts';

/**
 * @param kernel the types to relocate against
 * @returns the program's instructions, relocated
 * @throws LoadError where libbpf would refuse the object; BtfError for damaged types
 */
export function relocateCore(file: string, program: ProgramSpec, kernel: Btf): Insn[] {
  const { btf } = program;
  const insns = [...program.insns];
  if (btf === null) return insns;
  const known = new Map<string, { local: Value | null; target: Value | null }>();
  for (const relo of program.core) {
    const refuse = (reason: string): LoadError =>
      new LoadError(file, `program ${program.name}, instruction ${relo.slot}`, reason);
    if (CORE_KIND_NAMES[relo.kind] === undefined) {
      throw refuse(`a CO-RE relocation of kind ${relo.kind}, which is not known`);
    }
    const key = `${relo.type} ${relo.kind} ${relo.access}`;
    let values = known.get(key);
    if (values === undefined) {
      const local = readAccess(btf, relo);
      const target = targetOf(relo, local, kernel, refuse);
      values = { local: valueOf(relo.kind, local), target };
      known.set(key, values);
    }
    patchInsn(insns, relo.slot, values.local, values.target, refuse);
  }
  return insns;
}

function targetOf(
  relo: CoreRelo,
  local: Access,
  kernel: Btf,
  refuse: (reason: string) => LoadError,
): Value | null {
  if (relo.kind === BPF_CORE_TYPE_ID_LOCAL) return valueOf(relo.kind, local);
  const { name, kind } = local.btf.type(relo.type);
  if (name === '') throw refuse('a CO-RE relocation of a type without a name');
  let first: { readonly access: Access; readonly value: Value | null } | null = null;
  for (const id of kernel.essentiallyNamed(essentialName(name))) {
    if (kernel.type(id).kind !== kind) continue;
    const access = matchAccess(local, relo.kind, kernel, id);
    if (access === null) continue;
    const value = valueOf(relo.kind, access);
    first ??= { access, value };
    if (access.bitOffset !== first.access.bitOffset || value?.value !== first.value?.value) {
      throw refuse(
        `${CORE_KIND_NAMES[relo.kind]} of ${name} differs between types ${first.access.root} and ${id} of ${kernel.file}`,
      );
    }
  }
  return first === null ? valueOf(relo.kind, null) : first.value;
}
