/**
 * ELF64 relocatable objects, as clang writes them for `-target bpf`: sections, symbols, relocations.
 *
 *   Ehdr  64 bytes   +0 7f 'E' 'L' 'F' | +4 class | +5 data | +16 type | +18 machine | +40 shoff
 *                    +58 shentsize | +60 shnum | +62 shstrndx
 *   Shdr  64 bytes   +0 name | +4 type | +8 flags | +24 offset | +32 size | +40 link | +44 info | +56 entsize
 *   Sym   24 bytes   +0 name | +4 bind:type | +5 visibility | +6 shndx | +8 value | +16 size
 *   Rel   16 bytes   +0 offset | +8 type | +12 symbol
 *
 * Nothing is copied: sections point into the file. What BPF means by it all is in `loader/`.
 *
 * @spec System V ABI, chapter 4 (object files); elf.h
 */
import { ElfError } from './objectError.ts';
import { Part } from './part.ts';

const EHDR_BYTES = 64;
const SHDR_BYTES = 64;
const SYM_BYTES = 24;
const REL_BYTES = 16;

const ELFCLASS64 = 2;
const ELFDATA2LSB = 1;
const ET_REL = 1;
const EM_BPF = 247;
/** What clang wrote before BPF had a number. */
const EM_NONE = 0;

export const SHT_PROGBITS = 1;
const SHT_SYMTAB = 2;
const SHT_STRTAB = 3;
const SHT_RELA = 4;
export const SHT_NOBITS = 8;
const SHT_REL = 9;
export const SHF_EXECINSTR = 4;

export const SHN_UNDEF = 0;
const SHN_LORESERVE = 0xff00;
const SHN_XINDEX = 0xffff;

export const STB_LOCAL = 0;
export const STB_WEAK = 2;
export const STT_NOTYPE = 0;
export const STT_OBJECT = 1;
export const STT_FUNC = 2;
export const STT_SECTION = 3;

export interface ElfSection {
  readonly index: number;
  readonly name: string;
  readonly type: number;
  readonly flags: number;
  /** In memory; a section of type SHT_NOBITS has no bytes in the file. */
  readonly size: number;
  readonly link: number;
  readonly info: number;
  readonly part: Part;
}

export interface ElfSymbol {
  readonly index: number;
  readonly name: string;
  readonly bind: number;
  readonly type: number;
  /** Index of its section; SHN_UNDEF for an extern; reserved numbers from 0xff00 on. */
  readonly section: number;
  readonly value: number;
  readonly size: number;
}

export interface ElfReloc {
  /** Bytes from the start of the section it changes. */
  readonly offset: number;
  readonly type: number;
  readonly symbol: ElfSymbol;
}

export interface ElfFile {
  readonly file: string;
  readonly sections: readonly ElfSection[];
  readonly symbols: readonly ElfSymbol[];
  /** By index of the section that they change. */
  readonly relocs: ReadonlyMap<number, readonly ElfReloc[]>;
}

/**
 * @param file what messages call it
 * @throws ElfError
 */
export function readElf(bytes: Uint8Array, file: string): ElfFile {
  const whole = new Part(file, 'ELF header', bytes);
  const headers = sectionHeaders(whole);
  const sections = readSections(whole, headers);
  const symtab = sections.find(({ type }) => type === SHT_SYMTAB);
  const symbols = symtab === undefined ? [] : readSymbols(symtab, sections);
  return { file, sections, symbols, relocs: readRelocs(sections, symtab, symbols) };
}

interface SectionTable {
  readonly part: Part;
  readonly count: number;
  readonly names: number;
}

function sectionHeaders(whole: Part): SectionTable {
  checkIdentity(whole);
  const shoff = whole.u64(40);
  const entsize = whole.u16(58);
  if (shoff === 0) throw whole.refuse(40, 'there is no section header table');
  if (entsize !== SHDR_BYTES) {
    throw whole.refuse(58, `section headers of ${entsize} bytes; ${SHDR_BYTES} expected`);
  }
  if (shoff + SHDR_BYTES > whole.length) {
    throw whole.refuse(40, `section headers at 0x${shoff.toString(16)}, outside the file`);
  }
  // too many sections for 16 bits: the first header, otherwise empty, holds count and names' index
  const count = whole.u16(60) || whole.u64(shoff + 32);
  const shstrndx = whole.u16(62);
  const names = shstrndx === SHN_XINDEX ? whole.u32(shoff + 40) : shstrndx;
  if (shoff + count * SHDR_BYTES > whole.length) {
    throw whole.refuse(60, `${count} section headers do not fit in the file: cut short or damaged`);
  }
  return { part: whole.sub('section headers', shoff, count * SHDR_BYTES), count, names };
}

function checkIdentity(whole: Part): void {
  const magic = [0x7f, 0x45, 0x4c, 0x46];
  if (whole.length === 0) throw whole.refuse(0, 'the file is empty');
  if (!magic.every((byte, i) => whole.bytes[i] === byte)) throw whole.refuse(0, 'not an ELF file');
  whole.need(0, EHDR_BYTES);
  const fileClass = whole.u8(4);
  if (fileClass !== ELFCLASS64) throw whole.refuse(4, `class ${fileClass}, not a 64-bit ELF file`);
  const data = whole.u8(5);
  if (data !== ELFDATA2LSB) {
    throw whole.refuse(5, 'big-endian; only little-endian objects (bpfel) run here');
  }
  const machine = whole.u16(18);
  if (machine !== EM_BPF && machine !== EM_NONE) {
    throw whole.refuse(18, `machine ${machine}${machineName(machine)}, not BPF (${EM_BPF})`);
  }
  const type = whole.u16(16);
  if (type !== ET_REL) throw whole.refuse(16, `type ${type}, not a relocatable object (${ET_REL})`);
}

const machineName = (machine: number): string => {
  const names: Readonly<Record<number, string>> = { 3: 'i386', 62: 'x86-64', 183: 'AArch64' };
  return names[machine] === undefined ? '' : ` (${names[machine]})`;
};

function readSections(whole: Part, { part, count, names }: SectionTable): ElfSection[] {
  if (count === 0) return [];
  if (names >= count) {
    throw whole.refuse(62, `section ${names} is said to hold names, but there are ${count}`);
  }
  const strings = bytesOf(whole, part, names, 'section names');
  refuseOverlap(whole, part, count);
  return Array.from({ length: count }, (_, index) => {
    const at = index * SHDR_BYTES;
    const name = strings.text(part.u32(at));
    return {
      index,
      name,
      type: part.u32(at + 4),
      flags: part.u32(at + 8),
      size: part.u64(at + 32),
      link: part.u32(at + 40),
      info: part.u32(at + 44),
      part: bytesOf(whole, part, index, sectionTitle(name, index)),
    };
  });
}

/** Sections that shared bytes would let a small file describe far more than it holds. */
function refuseOverlap(whole: Part, headers: Part, count: number): void {
  let sum = 0;
  for (let at = SHDR_BYTES; at < count * SHDR_BYTES; at += SHDR_BYTES) {
    if (headers.u32(at + 4) !== SHT_NOBITS) sum += headers.u64(at + 32);
  }
  if (sum <= whole.length) return;
  throw headers.refuse(
    0,
    `sections of ${sum} bytes together in a file of ${whole.length}: cut short or damaged`,
  );
}

const sectionTitle = (name: string, index: number): string =>
  name === '' ? `section ${index}` : `section ${name}`;

function bytesOf(whole: Part, headers: Part, index: number, title: string): Part {
  const at = index * SHDR_BYTES;
  const type = headers.u32(at + 4);
  const offset = headers.u64(at + 24);
  const size = headers.u64(at + 32);
  // header 0 describes no section; its size may be the count of all
  if (index === 0 || type === SHT_NOBITS) return whole.sub(title, 0, 0);
  if (offset + size > whole.length) {
    throw new ElfError(
      whole.file,
      title,
      0,
      `${size} bytes at 0x${offset.toString(16)}, but the file has ${whole.length}: cut short or damaged`,
    );
  }
  return whole.sub(title, offset, size);
}

function readSymbols(symtab: ElfSection, sections: readonly ElfSection[]): ElfSymbol[] {
  const { part } = symtab;
  const names = sections[symtab.link];
  if (names?.type !== SHT_STRTAB) throw part.refuse(0, `section ${symtab.link} holds no names`);
  if (part.length % SYM_BYTES !== 0) {
    throw part.refuse(0, `${part.length} bytes are no whole number of ${SYM_BYTES}-byte symbols`);
  }
  return Array.from({ length: part.length / SYM_BYTES }, (_, index) => {
    const at = index * SYM_BYTES;
    const section = part.u16(at + 6);
    if (section >= sections.length && section < SHN_LORESERVE) {
      throw part.refuse(at + 6, `symbol ${index} lies in section ${section}, which does not exist`);
    }
    const type = part.u8(at + 4) & 15;
    const named = names.part.text(part.u32(at));
    return {
      index,
      name: named === '' && type === STT_SECTION ? (sections[section]?.name ?? '') : named,
      bind: part.u8(at + 4) >> 4,
      type,
      section,
      value: part.u64(at + 8),
      size: part.u64(at + 16),
    };
  });
}

function readRelocs(
  sections: readonly ElfSection[],
  symtab: ElfSection | undefined,
  symbols: readonly ElfSymbol[],
): Map<number, ElfReloc[]> {
  const relocs = new Map<number, ElfReloc[]>();
  for (const section of sections) {
    const { part, info } = section;
    if (section.type === SHT_RELA) {
      throw part.refuse(0, 'relocations with addends (SHT_RELA), which BPF objects do not have');
    }
    if (section.type !== SHT_REL) continue;
    if (sections[info] === undefined || info === 0) {
      throw part.refuse(0, `changes section ${info}, which does not exist`);
    }
    if (section.link !== symtab?.index) {
      throw part.refuse(0, `refers to section ${section.link}, which is no symbol table`);
    }
    if (relocs.has(info)) throw part.refuse(0, `section ${info} has relocations elsewhere already`);
    relocs.set(info, relocsOf(part, symbols));
  }
  return relocs;
}

function relocsOf(part: Part, symbols: readonly ElfSymbol[]): ElfReloc[] {
  if (part.length % REL_BYTES !== 0) {
    throw part.refuse(0, `${part.length} bytes are no whole number of ${REL_BYTES}-byte entries`);
  }
  return Array.from({ length: part.length / REL_BYTES }, (_, index) => {
    const at = index * REL_BYTES;
    const symbol = symbols[part.u32(at + 12)];
    if (symbol === undefined) {
      throw part.refuse(
        at + 12,
        `symbol ${part.u32(at + 12)} does not exist; there are ${symbols.length}`,
      );
    }
    return { offset: part.u64(at), type: part.u32(at + 8), symbol };
  });
}
