/**
 * A program of an object, instruction by instruction, with its C source: as the verifier's log
 * shows it, before anything is loaded. References keep the names they have in the object, and what
 * hangs on the kernel's types says so.
 */
import type { ListedInsn } from '../xdp/isa/listing.ts';
import { listInsns } from '../xdp/isa/listing.ts';
import { builtInTypes } from '../xdp/loader/core/builtIn.ts';
import { CORE_KIND_NAMES } from '../xdp/loader/core/kinds.ts';
import type { CoreRelo, ProgramSpec } from '../xdp/loader/spec.ts';

export interface ProgramDump {
  readonly program: string;
  readonly section: string;
  readonly insns: readonly ListedInsn[];
}

export function dumpProgram(program: ProgramSpec): ProgramDump {
  const notes = new Map(program.core.map((relo) => [relo.slot, coreText(program, relo)]));
  const insns = listInsns({ ...program, notes }, { helper: helperNamed });
  return { program: program.name, section: program.section, insns };
}

/** As in libbpf's log. */
const coreText = ({ btf }: ProgramSpec, { kind, type, access }: CoreRelo): string =>
  `CO-RE <${CORE_KIND_NAMES[kind] ?? kind}> ${btf?.type(type).name ?? ''} ${access}`;

let helperNames: ReadonlyMap<number, string> | undefined;

/** From the kernel's own list, which has those too that are not for XDP. */
export function helperNamed(id: number): string | undefined {
  helperNames ??= new Map(
    builtInTypes()
      .find('bpf_func_id', 'enum')!
      .values.map(({ name, value }) => [Number(value), name.replace('BPF_FUNC_', 'bpf_')]),
  );
  return helperNames.get(id);
}
