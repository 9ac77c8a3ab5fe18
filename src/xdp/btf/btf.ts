/**
 * Type information of an object or a kernel (`.BTF`).
 *
 *   header  24 bytes   +0 magic 0xeb9f | +2 version | +4 header length | +8 types' offset | +12 length
 *                      +16 strings' offset | +20 length; offsets count from the header's end
 *   type    12 bytes   +0 name | +4 31 kind_flag, 28:24 kind, 15:0 vlen | +8 size or type
 *                      and then, by kind, what `decodeType` reads
 *
 * One pass finds where each type begins and that all lie inside; what they refer to is checked when
 * it is looked up. A type is decoded
 * when it is first asked for, so that a kernel's 150,000 types cost nothing until then.
 *
 * @linux include/uapi/linux/btf.h
 */
import { BtfError } from '../elf/objectError.ts';
import { Part } from '../elf/part.ts';
import { decodeType, typeBytes } from './decodeType.ts';
import { essentialName } from './essentialName.ts';
import { kernelFault } from './kernelCheck.ts';
import type { BtfDeclTag, BtfOfKind, BtfType } from './types.ts';
import { isModifier } from './types.ts';

const MAGIC = 0xeb9f;
const MAGIC_SWAPPED = 0x9feb;
const MIN_HEADER = 24;
/** How many typedefs, qualifiers and array dimensions may lie in a row. @linux MAX_RESOLVE_DEPTH */
const MAX_DEPTH = 32;
/** Larger than any value that fits into host memory. */
const MAX_SIZE: number = 2 ** 31;
/** Pointers of BPF. */
const PTR_BYTES = 8;

export class Btf {
  /** What messages call it. */
  readonly file: string;
  private readonly types: Part;
  private readonly strings: Part;
  /** Offset of each type; index 0 is `void`, which has none. */
  private readonly starts: Uint32Array;
  private readonly decoded = new Map<number, BtfType>();
  private taken: boolean | null = null;
  private names: Map<string, number[]> | null = null;
  private tags: Map<number, BtfDeclTag[]> | null = null;
  private essentialNames: Map<string, number[]> | null = null;

  constructor(types: Part, strings: Part) {
    this.file = types.file;
    this.types = types;
    this.strings = strings;
    this.starts = startsOf(types);
  }

  /** Types, `void` counted: ids are below it. */
  get count(): number {
    return this.starts.length;
  }

  /** @throws BtfError when there is no such type */
  type(id: number): BtfType {
    const known = this.decoded.get(id);
    if (known !== undefined) return known;
    if (id >= this.count)
      throw this.refuse(0, `type ${id} does not exist; there are ${this.count}`);
    const type: BtfType =
      id === 0
        ? { kind: 'void', id, name: '' }
        : decodeType(this.types, this.starts[id]!, id, this.strings);
    this.decoded.set(id, type);
    return type;
  }

  /** A word of a type as it is written; 0 is its name, 1 the kind, 2 its size or type. */
  word(id: number, index: number): number {
    return this.types.u32(this.starts[id]! + 4 * index);
  }

  /** Would the kernel load these types? Loaders go on without where it does not. */
  get loads(): boolean {
    this.taken ??= kernelTakes(this);
    return this.taken;
  }

  /** Replace a type: with what a compiler leaves to its linker, such as places of variables. */
  amend(type: BtfType): void {
    this.decoded.set(type.id, type);
  }

  /** A name or source line by its offset in the strings. */
  text(at: number): string {
    return this.strings.text(at);
  }

  /** Ids of the types of this name, in order. */
  named(name: string): readonly number[] {
    this.names ??= this.indexNames((own) => own);
    return this.names.get(name) ?? [];
  }

  /** Ids of the types of this name in any flavour, in order. */
  essentiallyNamed(name: string): readonly number[] {
    this.essentialNames ??= this.indexNames(essentialName);
    return this.essentialNames.get(name) ?? [];
  }

  /** The first type of this name and kind. */
  find<K extends BtfType['kind']>(name: string, kind: K): BtfOfKind<K> | null {
    for (const id of this.named(name)) {
      const type = this.type(id);
      if (type.kind === kind) return type as BtfOfKind<K>;
    }
    return null;
  }

  /** Tags of the type with this id, of its members or parameters, in order. */
  tagsOf(id: number): readonly BtfDeclTag[] {
    if (this.tags === null) {
      this.tags = new Map();
      for (const tag of this.all()) {
        if (tag.kind !== 'declTag') continue;
        const others = this.tags.get(tag.type);
        if (others === undefined) this.tags.set(tag.type, [tag]);
        else others.push(tag);
      }
    }
    return this.tags.get(id) ?? [];
  }

  *all(): Generator<BtfType> {
    for (let id = 1; id < this.count; id++) yield this.type(id);
  }

  /**
   * Behind typedefs and qualifiers.
   *
   * @throws BtfError when they go in a circle
   */
  resolve(id: number): BtfType {
    let type = this.type(id);
    for (let depth = 0; isModifier(type); depth++) {
      if (depth === MAX_DEPTH) throw this.refuse(id, `more than ${MAX_DEPTH} typedefs in a row`);
      type = this.type(type.type);
    }
    return type;
  }

  /**
   * Bytes of a value of this type.
   *
   * @throws BtfError when it has no size
   */
  sizeOf(id: number): number {
    let elements = 1;
    let type = this.resolve(id);
    for (let depth = 0; type.kind === 'array'; depth++) {
      if (depth === MAX_DEPTH)
        throw this.refuse(id, `an array of more than ${MAX_DEPTH} dimensions`);
      elements *= type.count;
      type = this.resolve(type.type);
    }
    const size = elements * this.sizeOfOne(type);
    if (size > MAX_SIZE) throw this.refuse(id, `${size} bytes; ${MAX_SIZE} at most`);
    return size;
  }

  private sizeOfOne(type: BtfType): number {
    switch (type.kind) {
      case 'int':
      case 'float':
      case 'enum':
      case 'struct':
      case 'union':
      case 'datasec':
        return type.size;
      case 'ptr':
        return PTR_BYTES;
      case 'var':
        return this.sizeOf(type.type);
      default:
        throw this.refuse(type.id, `a ${type.kind} has no size`);
    }
  }

  /** @param id of the type that the reason is about */
  refuse(id: number, reason: string): BtfError {
    const about = id === 0 ? reason : `type ${id}: ${reason}`;
    return new BtfError(this.file, this.types.name, this.starts[id] ?? 0, about);
  }

  private indexNames(keyOf: (name: string) => string): Map<string, number[]> {
    const names = new Map<string, number[]>();
    for (let id = 1; id < this.count; id++) {
      const name = keyOf(this.strings.text(this.types.u32(this.starts[id]!)));
      if (name === '') continue;
      const ids = names.get(name);
      if (ids === undefined) names.set(name, [id]);
      else ids.push(id);
    }
    return names;
  }
}

/**
 * @param section `.BTF`, or a whole file such as /sys/kernel/btf/vmlinux
 * @throws BtfError
 */
export function readBtf(section: Part): Btf {
  const part = new Part(section.file, section.name, section.bytes, BtfError);
  const magic = part.u16(0);
  if (magic === MAGIC_SWAPPED) throw part.refuse(0, 'big-endian type information');
  if (magic !== MAGIC) throw part.refuse(0, `magic 0x${magic.toString(16)}, not BTF (0xeb9f)`);
  if (part.u8(2) !== 1) throw part.refuse(2, `version ${part.u8(2)} of BTF; 1 is known`);
  const header = part.u32(4);
  if (header < MIN_HEADER)
    throw part.refuse(4, `a header of ${header} bytes; ${MIN_HEADER} needed`);
  part.need(0, header);
  const types = part.sub(`${part.name} types`, header + part.u32(8), part.u32(12));
  const strings = part.sub(`${part.name} strings`, header + part.u32(16), part.u32(20));
  if (strings.length === 0 || strings.u8(0) !== 0) {
    throw strings.refuse(0, 'strings do not begin with the empty one');
  }
  return new Btf(types, strings);
}

/** A file of type information alone. */
export function readBtfFile(bytes: Uint8Array, file: string): Btf {
  return readBtf(new Part(file, 'BTF', bytes));
}

function kernelTakes(btf: Btf): boolean {
  try {
    return kernelFault(btf) === null;
  } catch (error) {
    if (error instanceof BtfError) return false; // a type that does not exist
    throw error;
  }
}

function startsOf(types: Part): Uint32Array {
  const starts = [0];
  for (let at = 0; at < types.length; at += typeBytes(types, at)) starts.push(at);
  return Uint32Array.from(starts);
}
