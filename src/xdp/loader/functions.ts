/**
 * The functions of an object's code sections, and what each relocated instruction means.
 *
 * A function begins at a function symbol. Compilers of before BTF left untyped symbols instead, or
 * none at all: then a section is one function named after it, split where calls lead.
 *
 * @linux bpf_object__add_programs, bpf_program__record_reloc; tools/lib/bpf/libbpf.c
 */
import type { ElfReloc, ElfSection, ElfSymbol } from '../elf/elf.ts';
import { SHF_EXECINSTR, SHT_PROGBITS, STT_FUNC, STT_NOTYPE, STT_SECTION } from '../elf/elf.ts';
import type { Insn } from '../isa/insn.ts';
import {
  BPF_CALL,
  BPF_JMP,
  BPF_PSEUDO_CALL,
  BPF_PSEUDO_FUNC,
  decodeInsns,
  INSN_BYTES,
  isLdImm64,
} from '../isa/insn.ts';
import type { ObjectFile } from './objectFile.ts';

export interface CodeFunction {
  readonly name: string;
  readonly section: ElfSection;
  /** Its first slot in the section, and the one behind its last. */
  readonly start: number;
  readonly end: number;
  /** No local one: what another object could name. */
  readonly symbol: ElfSymbol | null;
}

/** The code of one section. */
export interface CodeSection {
  readonly section: ElfSection;
  readonly insns: readonly Insn[];
  readonly relocs: ReadonlyMap<number, ElfReloc>;
  /** By their first slot, in order. */
  readonly functions: ReadonlyMap<number, CodeFunction>;
}

/** What relocation types may change instructions. */
const R_BPF_64_64 = 1;
const R_BPF_64_32 = 10;

export const isCall = (insn: Insn): boolean => insn.code === (BPF_JMP | BPF_CALL);

/** @returns code sections by index */
export function readFunctions(object: ObjectFile): Map<number, CodeSection> {
  const sections = object.elf.sections.filter(
    ({ type, flags, size }) => type === SHT_PROGBITS && (flags & SHF_EXECINSTR) !== 0 && size > 0,
  );
  const code = sections.map((section) => {
    const { part } = section;
    if (part.length % INSN_BYTES !== 0) {
      throw part.refuse(
        0,
        `${part.length} bytes are no whole number of ${INSN_BYTES}-byte instructions`,
      );
    }
    const insns = decodeInsns(part.bytes);
    return { section, insns, relocs: relocsBySlot(object, section, insns) };
  });
  const called = calledSlots(code);
  return new Map(
    code.map((each) => {
      const calls = called.get(each.section.index) ?? new Set();
      const functions = functionsOf(object, each, calls).map((f) => [f.start, f] as const);
      return [each.section.index, { ...each, functions: new Map(functions) }];
    }),
  );
}

type RawCode = Omit<CodeSection, 'functions'>;

function relocsBySlot(
  object: ObjectFile,
  section: ElfSection,
  insns: readonly Insn[],
): Map<number, ElfReloc> {
  const { part } = section;
  const bySlot = new Map<number, ElfReloc>();
  for (const reloc of object.relocsOf(section)) {
    const slot = reloc.offset / INSN_BYTES;
    const insn = insns[slot];
    if (insn === undefined) throw part.refuse(reloc.offset, 'a relocation of no instruction');
    if (reloc.type !== R_BPF_64_64 && reloc.type !== R_BPF_64_32) {
      throw part.refuse(
        reloc.offset,
        `a relocation of type ${reloc.type}, which is not known in code`,
      );
    }
    if (!isCall(insn) && !(isLdImm64(insn) && slot + 1 < insns.length)) {
      throw part.refuse(
        reloc.offset,
        `a relocation of an instruction with code 0x${insn.code.toString(16)}: neither call nor ld_imm64`,
      );
    }
    bySlot.set(slot, reloc);
  }
  return bySlot;
}

/** Where a function begins that an instruction calls, or takes the address of. */
export interface CodeTarget {
  readonly section: number;
  /** May lie outside, or be no whole number, in a damaged object. */
  readonly slot: number;
}

/**
 * A call's imm counts slots from the next one, and an address's bytes; both from the symbol.
 * Without a relocation the call stays in its section.
 */
export function codeTarget({ section, insns, relocs }: RawCode, slot: number): CodeTarget | null {
  const insn = insns[slot]!;
  const reloc = relocs.get(slot);
  if (isCall(insn)) {
    if (insn.src !== BPF_PSEUDO_CALL) return null;
    if (reloc === undefined) return { section: section.index, slot: slot + insn.imm + 1 };
    const { symbol } = reloc;
    return { section: symbol.section, slot: symbol.value / INSN_BYTES + insn.imm + 1 };
  }
  if (!isLdImm64(insn) || reloc === undefined) return null;
  const { symbol } = reloc;
  return { section: symbol.section, slot: (symbol.value + insn.imm) / INSN_BYTES };
}

function calledSlots(code: readonly RawCode[]): Map<number, Set<number>> {
  const bySection = new Map(code.map(({ section }) => [section.index, new Set<number>()]));
  for (const each of code) {
    for (let slot = 0; slot < each.insns.length; slot++) {
      const target = codeTarget(each, slot);
      if (target !== null) bySection.get(target.section)?.add(target.slot);
    }
  }
  return bySection;
}

function functionsOf(
  object: ObjectFile,
  { section, insns }: RawCode,
  called: ReadonlySet<number>,
): CodeFunction[] {
  const symbols = object.symbolsOf(section);
  const typed = symbols.filter(({ type }) => type === STT_FUNC);
  const starts = typed.length > 0 ? typed : symbols.filter(mayBeFunction);
  const bySlot = new Map<number, ElfSymbol | null>();
  if (typed.length === 0) {
    for (const slot of called) if (insns[slot] !== undefined) bySlot.set(slot, null);
    bySlot.set(0, null);
  }
  for (const symbol of starts) {
    const slot = symbol.value / INSN_BYTES;
    if (!Number.isInteger(slot) || slot >= insns.length) {
      throw section.part.refuse(symbol.value, `function ${symbol.name} begins at no instruction`);
    }
    if (!bySlot.get(slot)) bySlot.set(slot, symbol);
  }
  const slots = [...bySlot.keys()].toSorted((a, b) => a - b);
  return slots.map((start, i) => {
    const symbol = bySlot.get(start) ?? null;
    const next = slots[i + 1] ?? insns.length;
    const end = symbol === null || symbol.size === 0 ? next : start + symbol.size / INSN_BYTES;
    if (!Number.isInteger(end) || end > next) {
      throw section.part.refuse(
        start * INSN_BYTES,
        `function ${symbol?.name} of ${symbol?.size} bytes reaches into the next, or over the end`,
      );
    }
    return { name: symbol?.name ?? unnamed(section, start), section, start, end, symbol };
  });
}

/** Labels inside functions (`LBB0_1`, `.Ltmp2`) are untyped symbols too. */
const mayBeFunction = ({ name, type, value }: ElfSymbol): boolean =>
  type === STT_NOTYPE && name !== '' && value % INSN_BYTES === 0 && !/^(\.?L|\$)/.test(name);

const unnamed = ({ name }: ElfSection, start: number): string =>
  start === 0 ? name : `${name}+${start}`;

/** Does this relocated constant stand for the address of a function? */
export const isFuncAddress = (
  { symbol }: ElfReloc,
  insn: Insn,
  code: ReadonlyMap<number, CodeSection>,
): boolean =>
  code.has(symbol.section) &&
  (insn.src === BPF_PSEUDO_FUNC || symbol.type === STT_FUNC || symbol.type === STT_SECTION);
