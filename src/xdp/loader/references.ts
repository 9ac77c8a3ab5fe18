/**
 * What a relocated constant or call stands for: a map, a place in global data, an extern.
 *
 * @linux bpf_program__record_reloc; tools/lib/bpf/libbpf.c
 */
import type { ElfReloc, ElfSection } from '../elf/elf.ts';
import { SHN_UNDEF, STT_SECTION } from '../elf/elf.ts';
import type { Insn } from '../isa/insn.ts';
import { BPF_PSEUDO_KFUNC_CALL, BPF_PSEUDO_MAP_FD, BPF_PSEUDO_MAP_VALUE } from '../isa/insn.ts';
import type { Externs } from './externs.ts';
import { isCall } from './functions.ts';
import type { InsnRef, MapSpec } from './spec.ts';

/** Everything of an object that an instruction may refer to. */
export interface Referents {
  readonly sections: readonly ElfSection[];
  /** Maps by section index and offset in it. */
  readonly mapsAt: ReadonlyMap<number, ReadonlyMap<number, MapSpec>>;
  /** Global data by section index. */
  readonly data: ReadonlyMap<number, MapSpec>;
  readonly externs: Externs;
}

/** A reference with the instruction as it reads once resolved, but for the map's id. */
export interface Reference {
  readonly ref: InsnRef;
  readonly insn: Insn;
  /** `imm` of the second slot of a constant; of a call, unused. */
  readonly high: number;
}

/** @param slot in `section` */
export function readReference(
  at: Referents,
  section: ElfSection,
  slot: number,
  insn: Insn,
  { symbol, offset }: ElfReloc,
): Reference {
  const refuse = (reason: string): Error => section.part.refuse(offset, reason);
  if (symbol.section === SHN_UNDEF) return externReference(at.externs, insn, symbol.name, refuse);
  if (isCall(insn)) {
    throw refuse(`slot ${slot} calls ${symbol.name}, which is no function: ${placeOf(at, symbol)}`);
  }
  const maps = at.mapsAt.get(symbol.section);
  if (maps !== undefined) {
    const place = symbol.type === STT_SECTION ? insn.imm : symbol.value;
    const map = maps.get(place);
    if (map === undefined) throw refuse(`no map at offset ${place} of ${placeOf(at, symbol)}`);
    const ref = { kind: 'map', name: map.name } as const;
    return { ref, insn: { ...insn, src: BPF_PSEUDO_MAP_FD, imm: 0 }, high: 0 };
  }
  const data = at.data.get(symbol.section);
  if (data === undefined) {
    throw refuse(
      `slot ${slot} refers to ${symbol.name} in ${placeOf(at, symbol)}: neither map nor data`,
    );
  }
  const ref = { kind: 'mapValue', name: data.name } as const;
  const high = (symbol.value + insn.imm) | 0;
  return { ref, insn: { ...insn, src: BPF_PSEUDO_MAP_VALUE, imm: 0 }, high };
}

const placeOf = (at: Referents, symbol: ElfReloc['symbol']): string =>
  at.sections[symbol.section]?.name ?? `section ${symbol.section}`;

function externReference(
  { refs, kconfigAt }: Externs,
  insn: Insn,
  name: string,
  refuse: (reason: string) => Error,
): Reference {
  const ref = refs.get(name);
  if (ref === undefined)
    throw refuse(`${name} is not defined here, nor declared as an extern with a type`);
  if (isCall(insn)) {
    if (ref.kind !== 'kfunc') throw refuse(`${name} is called, but is no function`);
    return { ref, insn: { ...insn, src: BPF_PSEUDO_KFUNC_CALL, off: 0, imm: 0 }, high: 0 };
  }
  if (ref.kind === 'kconfig') {
    const high = kconfigAt.get(name)!;
    return { ref, insn: { ...insn, src: BPF_PSEUDO_MAP_VALUE, imm: 0 }, high };
  }
  const kind = ref.kind === 'kfunc' ? 'kfuncAddress' : ref.kind;
  return { ref: { ...ref, kind }, insn: { ...insn, src: 0, imm: 0 }, high: 0 };
}
