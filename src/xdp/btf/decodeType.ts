/**
 * One type of BTF from its bytes: the common 12, then what its kind adds.
 *
 *   int 4   +0 27:24 encoding, 23:16 bit offset, 7:0 bits
 *   array 12   +0 element type | +4 index type | +8 count
 *   struct, union 12 a member   +0 name | +4 type | +8 bit offset; with kind_flag 31:24 bits, 23:0 offset
 *   enum 8 a value   +0 name | +4 value      enum64 12   +0 name | +4 low | +8 high
 *   func_proto 8 a parameter   +0 name | +4 type
 *   var 4   +0 linkage      datasec 12 a variable   +0 type | +4 offset | +8 size
 *   decl_tag 4   +0 component
 *
 * @linux include/uapi/linux/btf.h
 */
import type { Part } from '../elf/part.ts';
import * as btf from './types.ts';
import type { BtfInt, BtfMember, BtfModifier, BtfType } from './types.ts';

const COMMON = 12;
const INT_SIGNED = 1;
const INT_CHAR = 2;
const INT_BOOL = 4;

const kindOf = (info: number): number => (info >>> 24) & 31;
const vlenOf = (info: number): number => info & 0xffff;
const flagOf = (info: number): boolean => info >>> 31 === 1;

/** Bytes that follow the common ones: fixed, or per element. */
const FIXED: Readonly<Record<number, number>> = {
  [btf.BTF_KIND_INT]: 4,
  [btf.BTF_KIND_PTR]: 0,
  [btf.BTF_KIND_ARRAY]: 12,
  [btf.BTF_KIND_FWD]: 0,
  [btf.BTF_KIND_TYPEDEF]: 0,
  [btf.BTF_KIND_VOLATILE]: 0,
  [btf.BTF_KIND_CONST]: 0,
  [btf.BTF_KIND_RESTRICT]: 0,
  [btf.BTF_KIND_FUNC]: 0,
  [btf.BTF_KIND_VAR]: 4,
  [btf.BTF_KIND_FLOAT]: 0,
  [btf.BTF_KIND_DECL_TAG]: 4,
  [btf.BTF_KIND_TYPE_TAG]: 0,
};
const EACH: Readonly<Record<number, number>> = {
  [btf.BTF_KIND_STRUCT]: 12,
  [btf.BTF_KIND_UNION]: 12,
  [btf.BTF_KIND_ENUM]: 8,
  [btf.BTF_KIND_FUNC_PROTO]: 8,
  [btf.BTF_KIND_DATASEC]: 12,
  [btf.BTF_KIND_ENUM64]: 12,
};

/**
 * Bytes of the type at `at`.
 *
 * @throws BtfError for an unknown kind, or when it reaches over the end
 */
export function typeBytes(types: Part, at: number): number {
  const info = types.u32(at + 4);
  const kind = kindOf(info);
  const more = FIXED[kind] ?? vlenOf(info) * (EACH[kind] ?? NaN);
  if (Number.isNaN(more)) throw types.refuse(at, `a type of kind ${kind}, which is not known`);
  types.need(at, COMMON + more);
  return COMMON + more;
}

const MODIFIERS: Readonly<Record<number, BtfModifier['kind']>> = {
  [btf.BTF_KIND_TYPEDEF]: 'typedef',
  [btf.BTF_KIND_VOLATILE]: 'volatile',
  [btf.BTF_KIND_CONST]: 'const',
  [btf.BTF_KIND_RESTRICT]: 'restrict',
  [btf.BTF_KIND_TYPE_TAG]: 'typeTag',
};

/** @param at where type `id` begins; `typeBytes` has found it whole */
export function decodeType(types: Part, at: number, id: number, strings: Part): BtfType {
  const info = types.u32(at + 4);
  const name = strings.text(types.u32(at));
  /** Bytes for some kinds, another type's id for others. */
  const size = types.u32(at + 8);
  const type = size;
  const more = at + COMMON;
  const each = <T>(bytes: number, read: (at: number) => T): T[] =>
    Array.from({ length: vlenOf(info) }, (_, i) => read(more + i * bytes));
  const kind = kindOf(info);
  switch (kind) {
    case btf.BTF_KIND_INT:
      return decodeInt({ id, name, size }, types.u32(more));
    case btf.BTF_KIND_PTR:
      return { kind: 'ptr', id, name, type };
    case btf.BTF_KIND_ARRAY:
      return {
        kind: 'array',
        id,
        name,
        type: types.u32(more),
        indexType: types.u32(more + 4),
        count: types.u32(more + 8),
      };
    case btf.BTF_KIND_STRUCT:
    case btf.BTF_KIND_UNION: {
      const members = each(12, (m) => decodeMember(types, m, flagOf(info), strings));
      return { kind: kind === btf.BTF_KIND_UNION ? 'union' : 'struct', id, name, size, members };
    }
    case btf.BTF_KIND_ENUM: {
      const signed = flagOf(info);
      const values = each(8, (v) => ({
        name: strings.text(types.u32(v)),
        value: signed ? types.i32(v + 4) : types.u32(v + 4),
      }));
      return { kind: 'enum', id, name, size, signed, values };
    }
    case btf.BTF_KIND_ENUM64: {
      const signed = flagOf(info);
      const values = each(12, (v) => ({
        name: strings.text(types.u32(v)),
        value: enum64Value(types, v, signed),
      }));
      return { kind: 'enum', id, name, size, signed, values };
    }
    case btf.BTF_KIND_FWD:
      return { kind: 'fwd', id, name, union: flagOf(info) };
    case btf.BTF_KIND_FUNC:
      return { kind: 'func', id, name, type, linkage: vlenOf(info) };
    case btf.BTF_KIND_FUNC_PROTO: {
      const params = each(8, (p) => ({
        name: strings.text(types.u32(p)),
        type: types.u32(p + 4),
      }));
      return { kind: 'funcProto', id, name, returns: type, params };
    }
    case btf.BTF_KIND_VAR:
      return { kind: 'var', id, name, type, linkage: types.u32(more) };
    case btf.BTF_KIND_DATASEC: {
      const vars = each(12, (v) => ({
        type: types.u32(v),
        offset: types.u32(v + 4),
        size: types.u32(v + 8),
      }));
      return { kind: 'datasec', id, name, size, vars };
    }
    case btf.BTF_KIND_FLOAT:
      return { kind: 'float', id, name, size };
    case btf.BTF_KIND_DECL_TAG:
      return { kind: 'declTag', id, name, type, component: types.i32(more) };
    default:
      return { kind: MODIFIERS[kind]!, id, name, type };
  }
}

function decodeInt(
  common: { readonly id: number; readonly name: string; readonly size: number },
  data: number,
): BtfInt {
  const encoding = data >>> 24;
  return {
    kind: 'int',
    ...common,
    signed: (encoding & INT_SIGNED) !== 0,
    char: (encoding & INT_CHAR) !== 0,
    bool: (encoding & INT_BOOL) !== 0,
    bitOffset: (data >>> 16) & 0xff,
    bits: data & 0xff,
  };
}

function decodeMember(types: Part, at: number, bitfields: boolean, strings: Part): BtfMember {
  const offset = types.u32(at + 8);
  return {
    name: strings.text(types.u32(at)),
    type: types.u32(at + 4),
    bitOffset: bitfields ? offset & 0xffffff : offset,
    bits: bitfields ? offset >>> 24 : 0,
  };
}

function enum64Value(types: Part, at: number, signed: boolean): number | bigint {
  const low = types.u32(at + 4);
  const high = signed ? types.i32(at + 8) : types.u32(at + 8);
  const value = high * 2 ** 32 + low;
  return Number.isSafeInteger(value) ? value : (BigInt(high) << 32n) | BigInt(low);
}
