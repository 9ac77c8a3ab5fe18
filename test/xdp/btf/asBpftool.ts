/** A type in the words of `bpftool -j btf dump file`. */
import type { BtfInt, BtfType } from '../../../src/xdp/btf/types.ts';

const KINDS: Readonly<Record<string, string>> = {
  funcProto: 'FUNC_PROTO',
  declTag: 'DECL_TAG',
  typeTag: 'TYPE_TAG',
};
const VAR_LINKAGE = ['static', 'global', 'extern'];

const encodingOf = ({ signed, char, bool }: BtfInt): string =>
  signed ? 'SIGNED' : char ? 'CHAR' : bool ? 'BOOL' : '(none)';

export function asBpftool(type: BtfType): object {
  const kind =
    type.kind === 'enum' && type.size > 4
      ? 'ENUM64'
      : (KINDS[type.kind] ?? type.kind.toUpperCase());
  return { id: type.id, kind, name: type.name === '' ? '(anon)' : type.name, ...rest(type) };
}

function rest(type: BtfType): object {
  switch (type.kind) {
    case 'void':
      return {};
    case 'int':
      return {
        size: type.size,
        bits_offset: type.bitOffset,
        nr_bits: type.bits,
        encoding: encodingOf(type),
      };
    case 'float':
      return { size: type.size };
    case 'array':
      return { type_id: type.type, index_type_id: type.indexType, nr_elems: type.count };
    case 'struct':
    case 'union':
      return {
        size: type.size,
        vlen: type.members.length,
        members: type.members.map(({ name, type: id, bitOffset, bits }) => ({
          name: name === '' ? '(anon)' : name,
          type_id: id,
          bits_offset: bitOffset,
          ...(bits === 0 ? {} : { bitfield_size: bits }),
        })),
      };
    case 'enum':
      return {
        encoding: type.signed ? 'SIGNED' : 'UNSIGNED',
        size: type.size,
        vlen: type.values.length,
        values: type.values.map(({ name, value }) => ({ name, val: Number(value) })),
      };
    case 'fwd':
      return { fwd_kind: type.union ? 'union' : 'struct' };
    case 'func':
      return { type_id: type.type, linkage: VAR_LINKAGE[type.linkage] };
    case 'funcProto':
      return {
        ret_type_id: type.returns,
        vlen: type.params.length,
        params: type.params.map(({ name, type: id }) => ({
          name: name === '' ? '(anon)' : name,
          type_id: id,
        })),
      };
    case 'var':
      return { type_id: type.type, linkage: VAR_LINKAGE[type.linkage] };
    case 'datasec':
      return {
        size: type.size,
        vlen: type.vars.length,
        vars: type.vars.map(({ type: id, offset, size }) => ({ type_id: id, offset, size })),
      };
    case 'declTag':
      return { type_id: type.type, component_idx: type.component };
    default:
      return { type_id: type.type };
  }
}
