/** What `.BTF.ext` says of a function: its records, with slots counted from its first instruction. */
import type { ExtCoreRelo, ExtFunc, ExtLine } from '../btf/ext.ts';
import { INSN_BYTES } from '../isa/insn.ts';
import type { CodeFunction } from './functions.ts';
import type { ObjectFile } from './objectFile.ts';
import type { CoreRelo, FuncInfo, LineInfo } from './spec.ts';

export interface FunctionRecords {
  readonly funcs: readonly FuncInfo[];
  readonly lines: readonly LineInfo[];
  readonly core: readonly CoreRelo[];
}

type Kept = ExtFunc | ExtLine | ExtCoreRelo;

export class Records {
  private readonly object: ObjectFile;
  private readonly known = new Map<CodeFunction, FunctionRecords>();
  private readonly sorted = new Map<readonly Kept[], readonly Kept[]>();

  constructor(object: ObjectFile) {
    this.object = object;
  }

  /** @throws ElfError for a record of half an instruction, BtfError for one of an unknown type */
  of(func: CodeFunction): FunctionRecords {
    const known = this.known.get(func);
    if (known !== undefined) return known;
    const { ext, btf } = this.object;
    const records = {
      funcs: this.inside(ext.funcs, func).map(([slot, { type }]) => ({
        slot,
        // a record of types that the kernel does not take is never looked at
        name: btf?.loads === true ? btf.type(type).name : '',
        typeId: type,
      })),
      lines: this.inside(ext.lines, func).map(([slot, { file, line, column, text }]) => ({
        slot,
        file,
        line,
        column,
        text,
      })),
      core: this.inside(ext.core, func).map(([slot, { type, access, kind }]) => ({
        slot,
        type,
        access,
        kind,
      })),
    };
    this.known.set(func, records);
    return records;
  }

  private inside<T extends Kept>(
    bySection: ReadonlyMap<string, readonly T[]>,
    { section, start, end }: CodeFunction,
  ): [slot: number, record: T][] {
    const all = this.inOrder(bySection.get(section.name) ?? []);
    const found: [number, T][] = [];
    for (let i = firstFrom(all, start * INSN_BYTES); i < all.length; i++) {
      const record = all[i]!;
      if (record.offset >= end * INSN_BYTES) break;
      if (record.offset % INSN_BYTES !== 0) {
        throw section.part.refuse(record.offset, '.BTF.ext speaks of half an instruction');
      }
      found.push([record.offset / INSN_BYTES - start, record]);
    }
    return found;
  }

  private inOrder<T extends Kept>(records: readonly T[]): readonly T[] {
    let sorted = this.sorted.get(records) as readonly T[] | undefined;
    if (sorted === undefined) {
      sorted = records.toSorted((a, b) => a.offset - b.offset);
      this.sorted.set(records, sorted);
    }
    return sorted;
  }
}

/** Index of the first record at `offset` or behind it. */
function firstFrom(sorted: readonly Kept[], offset: number): number {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (sorted[middle]!.offset < offset) low = middle + 1;
    else high = middle;
  }
  return low;
}
