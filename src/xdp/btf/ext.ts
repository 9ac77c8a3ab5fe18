/**
 * What `.BTF.ext` says of instructions: whose function begins here, which source line it came from,
 * and which constants hang on the kernel's types (CO-RE).
 *
 *   header   +0 magic | +4 header length | +8 functions' offset, +12 length | +16 lines | +24 CO-RE
 *   each of the three   +0 bytes of a record, then per section: +0 its name | +4 count, and the records
 *   function 8   +0 offset | +4 type      line 16   +0 offset | +4 file | +8 text | +12 31:10 line, 9:0 column
 *   CO-RE 16     +0 offset | +4 type | +8 access, as text "0:1:2" | +12 kind
 *
 * Offsets are bytes from the start of the section.
 *
 * @linux struct btf_ext_header, struct bpf_core_relo; tools/lib/bpf/libbpf_internal.h
 */
import { BtfError } from '../elf/objectError.ts';
import { Part } from '../elf/part.ts';
import type { Btf } from './btf.ts';

const MAGIC = 0xeb9f;
/** Up to the lines; the CO-RE part came later. */
const MIN_HEADER = 24;
const HEADER_WITH_CORE = 32;

export interface ExtFunc {
  readonly offset: number;
  readonly type: number;
}

export interface ExtLine {
  readonly offset: number;
  readonly file: string;
  readonly line: number;
  readonly column: number;
  readonly text: string;
}

export interface ExtCoreRelo {
  readonly offset: number;
  readonly type: number;
  readonly access: string;
  /** @linux enum bpf_core_relo_kind */
  readonly kind: number;
}

/** By name of the section that the records speak of. */
export interface BtfExt {
  readonly funcs: ReadonlyMap<string, readonly ExtFunc[]>;
  readonly lines: ReadonlyMap<string, readonly ExtLine[]>;
  readonly core: ReadonlyMap<string, readonly ExtCoreRelo[]>;
}

/**
 * @param section `.BTF.ext`
 * @throws BtfError
 */
export function readBtfExt(section: Part, btf: Btf): BtfExt {
  const part = new Part(section.file, section.name, section.bytes, BtfError);
  const magic = part.u16(0);
  if (magic !== MAGIC) throw part.refuse(0, `magic 0x${magic.toString(16)}, not 0xeb9f`);
  const header = part.u32(4);
  if (header < MIN_HEADER)
    throw part.refuse(4, `a header of ${header} bytes; ${MIN_HEADER} needed`);
  const records = <T>(name: string, at: number, bytes: number, read: ReadRecord<T>) =>
    readRecords(
      part,
      btf,
      { name, at: header + part.u32(at), length: part.u32(at + 4), bytes },
      read,
    );
  return {
    funcs: records('functions', 8, 8, (p, at) => ({ offset: p.u32(at), type: p.u32(at + 4) })),
    lines: records('lines', 16, 16, (p, at) => ({
      offset: p.u32(at),
      file: btf.text(p.u32(at + 4)),
      text: btf.text(p.u32(at + 8)),
      line: p.u32(at + 12) >>> 10,
      column: p.u32(at + 12) & 0x3ff,
    })),
    core:
      header < HEADER_WITH_CORE
        ? new Map()
        : records('CO-RE relocations', 24, 16, (p, at) => ({
            offset: p.u32(at),
            type: p.u32(at + 4),
            access: btf.text(p.u32(at + 8)),
            kind: p.u32(at + 12),
          })),
  };
}

type ReadRecord<T> = (part: Part, at: number) => T;

interface Records {
  readonly name: string;
  readonly at: number;
  readonly length: number;
  /** Least bytes of a record; what a later format adds is passed over. */
  readonly bytes: number;
}

function readRecords<T>(
  whole: Part,
  btf: Btf,
  { name, at, length, bytes }: Records,
  read: ReadRecord<T>,
): Map<string, T[]> {
  const bySection = new Map<string, T[]>();
  if (length === 0) return bySection;
  const part = whole.sub(`${whole.name} ${name}`, at, length);
  const each = part.u32(0);
  if (each < bytes || each % 4 !== 0) {
    throw part.refuse(0, `records of ${each} bytes; ${bytes} or more, in fours, expected`);
  }
  for (let next = 4; next < length;) {
    const section = btf.text(part.u32(next));
    const count = part.u32(next + 4);
    const first = next + 8;
    part.need(first, count * each);
    const found = bySection.get(section) ?? [];
    for (let i = 0; i < count; i++) found.push(read(part, first + i * each));
    bySection.set(section, found);
    next = first + count * each;
  }
  return bySection;
}
