/**
 * The number that a relocation puts into an instruction, and what the instruction should hold
 * already.
 *
 * @linux bpf_core_calc_relo, bpf_core_calc_field_relo; tools/lib/bpf/relo_core.c
 */
import type { Btf } from '../../btf/btf.ts';
import type { BtfType } from '../../btf/types.ts';
import { isComposite } from '../../btf/types.ts';
import type { Access } from './access.ts';
import * as core from './kinds.ts';

/** What one side of a relocation says. */
export interface Value {
  readonly value: bigint;
  /** Bytes of the field, where a load's or store's size may have to follow; 0 where it may not. */
  readonly size: number;
  /** Of that field. */
  readonly type: BtfType | null;
  /** False where the compiler may rightly have another idea of it. */
  readonly certain: boolean;
}

const plain = (value: number | bigint, certain = true): Value => ({
  value: BigInt(value),
  size: 0,
  type: null,
  certain,
});

/**
 * @param access null: the kernel has no such type or field
 * @returns null when there is no number, and the instruction is poisoned
 * @throws BtfError when the question makes no sense
 */
export function valueOf(kind: number, access: Access | null): Value | null {
  if (kind === core.BPF_CORE_FIELD_EXISTS || kind === core.BPF_CORE_ENUMVAL_EXISTS) {
    return plain(access === null ? 0 : 1);
  }
  if (core.isFieldKind(kind)) return access === null ? null : fieldValue(kind, access);
  if (kind === core.BPF_CORE_ENUMVAL_VALUE)
    return access === null ? null : plain(enumValue(access));
  if (access === null) return plain(0);
  switch (kind) {
    case core.BPF_CORE_TYPE_ID_LOCAL:
    case core.BPF_CORE_TYPE_ID_TARGET:
      return plain(access.root, false);
    case core.BPF_CORE_TYPE_EXISTS:
    case core.BPF_CORE_TYPE_MATCHES:
      return plain(1);
    case core.BPF_CORE_TYPE_SIZE:
      return plain(access.btf.sizeOf(access.root));
    default:
      throw access.btf.refuse(access.root, `a relocation of kind ${kind}, which is not known`);
  }
}

/** As the kernel reads it: 4 bytes, signed, or 8. */
function enumValue({ btf, steps }: Access): bigint {
  const { type: id, index } = steps[0]!;
  const type = btf.type(id);
  if (type.kind !== 'enum') throw btf.refuse(id, 'no enumeration');
  const value = BigInt(type.values[index]!.value);
  return type.size > 4 ? value : BigInt.asIntN(32, value);
}

function fieldValue(kind: number, { btf, steps, bitOffset }: Access): Value {
  const { name, index, type: id } = steps.at(-1)!;
  if (name === null) return elementValue(kind, btf, id, bitOffset);
  const holder = btf.type(id);
  const member = isComposite(holder) ? holder.members[index] : undefined;
  if (member === undefined) throw btf.refuse(id, 'no such member');
  const type = btf.resolve(member.type);
  const bitfield = member.bits > 0;
  const size = btf.sizeOf(type.id);
  const bits = bitfield ? member.bits : size * 8;
  const word = bitfield
    ? wordAround(btf, id, bitOffset, bits, size)
    : { at: byteOf(bitOffset), size };
  switch (kind) {
    case core.BPF_CORE_FIELD_BYTE_OFFSET: {
      if (bitfield) return plain(word.at, false);
      const element = elementOf(btf, type);
      return { value: BigInt(word.at), size: btf.sizeOf(element.id), type, certain: true };
    }
    case core.BPF_CORE_FIELD_BYTE_SIZE:
      return plain(word.size, !bitfield);
    case core.BPF_CORE_FIELD_SIGNED:
      return plain((type.kind === 'int' || type.kind === 'enum') && type.signed ? 1 : 0);
    case core.BPF_CORE_FIELD_LSHIFT_U64:
      return plain(64 - (bitOffset + bits - word.at * 8), !bitfield);
    default:
      return plain(64 - bits);
  }
}

/** What is no bitfield begins at a byte; damaged types may say otherwise. */
const byteOf = (bitOffset: number): number => Math.floor(bitOffset / 8);

function elementValue(kind: number, btf: Btf, id: number, bitOffset: number): Value {
  const size = btf.sizeOf(id);
  if (kind === core.BPF_CORE_FIELD_BYTE_SIZE) return plain(size);
  if (kind === core.BPF_CORE_FIELD_BYTE_OFFSET) {
    return { value: BigInt(byteOf(bitOffset)), size, type: btf.resolve(id), certain: true };
  }
  throw btf.refuse(id, `${core.CORE_KIND_NAMES[kind]} of an element of an array`);
}

/** The smallest aligned load that holds a bitfield. */
function wordAround(
  btf: Btf,
  id: number,
  bitOffset: number,
  bits: number,
  declared: number,
): { readonly at: number; readonly size: number } {
  for (let size = declared; size >= 1 && size <= 8; size *= 2) {
    const at = Math.floor(bitOffset / 8 / size) * size;
    if (bitOffset + bits <= (at + size) * 8) return { at, size };
  }
  throw btf.refuse(id, 'a bitfield that no load of 64 bits reads');
}

function elementOf(btf: Btf, type: BtfType): BtfType {
  let element = type;
  for (let depth = 0; element.kind === 'array' && depth < 32; depth++) {
    element = btf.resolve(element.type);
  }
  return element;
}

/**
 * May a load or store change its size with the field's? Where the upper bits are zero either way.
 *
 * @linux bpf_core_calc_relo: fail_memsz_adjust
 */
export function sizeMayFollow(local: Value, target: Value): boolean {
  const [a, b] = [local.type, target.type];
  if (a?.kind === 'ptr' && b?.kind === 'ptr') return true;
  return a?.kind === 'int' && b?.kind === 'int' && !a.signed && !b.signed;
}
