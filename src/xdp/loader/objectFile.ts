/**
 * An object file with what its parts say to each other: symbols by section, relocations by offset,
 * type information. Every reader of this folder works on it.
 */
import type { Btf } from '../btf/btf.ts';
import { readBtf } from '../btf/btf.ts';
import type { BtfExt } from '../btf/ext.ts';
import { readBtfExt } from '../btf/ext.ts';
import type { BtfDatasec } from '../btf/types.ts';
import type { ElfFile, ElfReloc, ElfSection, ElfSymbol } from '../elf/elf.ts';
import { readElf, STT_OBJECT, STT_NOTYPE } from '../elf/elf.ts';

const NO_RECORDS: BtfExt = { funcs: new Map(), lines: new Map(), core: new Map() };

export class ObjectFile {
  readonly file: string;
  readonly elf: ElfFile;
  readonly btf: Btf | null;
  readonly ext: BtfExt;
  private readonly bySection = new Map<number, ElfSymbol[]>();
  private readonly relocsAt = new Map<number, Map<number, ElfReloc>>();

  constructor(bytes: Uint8Array, file: string) {
    this.file = file;
    this.elf = readElf(bytes, file);
    const btf = this.section('.BTF');
    const ext = this.section('.BTF.ext');
    this.btf = btf === undefined ? null : readBtf(btf.part);
    this.ext = this.btf === null || ext === undefined ? NO_RECORDS : readBtfExt(ext.part, this.btf);
    for (const symbol of this.elf.symbols) {
      const there = this.bySection.get(symbol.section);
      if (there === undefined) this.bySection.set(symbol.section, [symbol]);
      else there.push(symbol);
    }
  }

  section(name: string): ElfSection | undefined {
    return this.elf.sections.find((section) => section.name === name);
  }

  symbolsOf(section: ElfSection): readonly ElfSymbol[] {
    return this.bySection.get(section.index) ?? [];
  }

  /** Named data of a section, in the order of addresses. */
  dataSymbolsOf(section: ElfSection): readonly ElfSymbol[] {
    return this.symbolsOf(section)
      .filter(({ name, type }) => name !== '' && (type === STT_OBJECT || type === STT_NOTYPE))
      .toSorted((a, b) => a.value - b.value);
  }

  relocsOf(section: ElfSection): readonly ElfReloc[] {
    return this.elf.relocs.get(section.index) ?? [];
  }

  /** The relocation of the bytes at `offset` of a section. */
  relocAt(section: ElfSection, offset: number): ElfReloc | undefined {
    let byOffset = this.relocsAt.get(section.index);
    if (byOffset === undefined) {
      byOffset = new Map(this.relocsOf(section).map((reloc) => [reloc.offset, reloc]));
      this.relocsAt.set(section.index, byOffset);
    }
    return byOffset.get(offset);
  }

  datasec(name: string): BtfDatasec | null {
    return this.btf?.find(name, 'datasec') ?? null;
  }

  /** A text that fills a section, up to its zero byte. */
  textSection(name: string): string {
    const section = this.section(name);
    if (section === undefined || section.part.length === 0) return '';
    const end = section.part.bytes.indexOf(0);
    const text = end < 0 ? section.part.bytes : section.part.bytes.subarray(0, end);
    return String.fromCharCode(...text.subarray(0, 128));
  }
}
