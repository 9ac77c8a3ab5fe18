/**
 * Would the kernel load these types? Where it would not, loaders go on without: functions have no
 * prototypes, log lines no C, and maps no locks or timers.
 *
 * The rules of each kind by itself, and of what it refers to. Not checked: offsets and sizes of
 * variables in their sections and externs, which loaders write before they ask; bit fields; section
 * bounds, which reading has checked.
 *
 * @linux btf_check_meta, btf_resolve and their kin; kernel/bpf/btf.c
 */
import type { Btf } from './btf.ts';
import { isSpoilt } from './specialFields.ts';
import * as kinds from './types.ts';
import type { BtfType } from './types.ts';
import { isModifier } from './types.ts';

/** Bits of the second word that mean something: kind_flag, kind, vlen. @linux BTF_INFO_MASK */
const INFO_MASK = 0x9f00ffff;
const INT_MASK = 0x0fffffff;
const MAX_TYPE_ID = 0xfffff;
const MAX_NAME = 512;
const MAX_INT_BITS = 128;
const INT_ENCODINGS: ReadonlySet<number> = new Set([0, 1, 2, 4]);
const FLOAT_SIZES: ReadonlySet<number> = new Set([2, 4, 8, 12, 16]);
const ENUM_SIZES: ReadonlySet<number> = new Set([1, 2, 4, 8]);
const EXTERN = 2;

const NAME = /^[A-Za-z_.][\w.]*$/;
const TAG = /./s;

const vlenOf = (info: number): number => info & 0xffff;
const kindOf = (info: number): number => (info >>> 24) & 31;

/** Kinds without elements. */
const SINGLE: ReadonlySet<number> = new Set([
  kinds.BTF_KIND_INT,
  kinds.BTF_KIND_PTR,
  kinds.BTF_KIND_ARRAY,
  kinds.BTF_KIND_FWD,
  kinds.BTF_KIND_TYPEDEF,
  kinds.BTF_KIND_VOLATILE,
  kinds.BTF_KIND_CONST,
  kinds.BTF_KIND_RESTRICT,
  kinds.BTF_KIND_VAR,
  kinds.BTF_KIND_FLOAT,
  kinds.BTF_KIND_DECL_TAG,
  kinds.BTF_KIND_TYPE_TAG,
]);
/** Kinds whose kind_flag must be 0. */
const FLAGLESS: ReadonlySet<number> = new Set([
  kinds.BTF_KIND_INT,
  kinds.BTF_KIND_PTR,
  kinds.BTF_KIND_ARRAY,
  kinds.BTF_KIND_TYPEDEF,
  kinds.BTF_KIND_VOLATILE,
  kinds.BTF_KIND_CONST,
  kinds.BTF_KIND_RESTRICT,
  kinds.BTF_KIND_FUNC,
  kinds.BTF_KIND_FUNC_PROTO,
  kinds.BTF_KIND_VAR,
  kinds.BTF_KIND_DATASEC,
  kinds.BTF_KIND_FLOAT,
]);

/** The type alone. @returns the kernel's words, or null @linux btf_check_meta */
function metaFault(btf: Btf, id: number): string | null {
  const info = btf.word(id, 1);
  if ((info & ~INFO_MASK) !== 0) return `Invalid btf_info:${info.toString(16)}`;
  const kind = kindOf(info);
  if (SINGLE.has(kind) && vlenOf(info) !== 0) return 'vlen != 0';
  if (FLAGLESS.has(kind) && info >>> 31 === 1) return 'Invalid btf_info kind_flag';
  return kindFault(btf, id, btf.type(id));
}

const isName = (name: string): boolean => NAME.test(name) && name.length < MAX_NAME;
const nameOrNone = (name: string): boolean => name === '' || isName(name);

const named = (ok: boolean): string | null => (ok ? null : 'Invalid name');

function kindFault(btf: Btf, id: number, type: BtfType): string | null {
  switch (type.kind) {
    case 'int':
      return intFault(btf.word(id, 3), type.size);
    case 'float':
      return FLOAT_SIZES.has(type.size) ? null : 'Invalid type_size';
    case 'ptr':
    case 'const':
    case 'volatile':
    case 'restrict':
      return type.type > MAX_TYPE_ID ? 'Invalid type_id' : named(type.name === '');
    case 'typedef':
    case 'fwd':
      return named(isName(type.name));
    case 'typeTag':
      return named(TAG.test(type.name));
    case 'array':
      if (type.type === 0) return 'Invalid elem';
      if (type.indexType === 0) return 'Invalid index';
      return btf.word(id, 2) === 0 ? named(type.name === '') : 'size != 0';
    case 'struct':
    case 'union':
      return (
        named(nameOrNone(type.name)) ??
        named(type.members.every(({ name }) => nameOrNone(name))) ??
        offsetsFault(type)
      );
    case 'enum':
      if (!ENUM_SIZES.has(type.size)) return 'Unexpected size';
      return named(nameOrNone(type.name) && type.values.every(({ name }) => isName(name)));
    case 'func':
      return type.linkage > EXTERN ? 'Invalid func linkage' : named(isName(type.name));
    case 'funcProto':
      return named(type.name === '');
    case 'var':
      if (!isName(type.name)) return 'Invalid name';
      if (type.type === 0 && type.linkage !== EXTERN) return 'Invalid type_id';
      return type.linkage > EXTERN ? 'Linkage not supported' : null;
    case 'datasec':
      return named(type.name !== '');
    case 'declTag':
      if (type.name === '') return 'Invalid value';
      return type.component < -1 ? 'Invalid component_idx' : null;
    default:
      return null;
  }
}

/** @linux btf_int_check_meta */
function intFault(data: number, size: number): string | null {
  if ((data & ~INT_MASK) !== 0) return `Invalid int_data:${data.toString(16)}`;
  const bits = (data & 0xff) + ((data >>> 16) & 0xff);
  if (bits > MAX_INT_BITS) return 'nr_bits exceeds 128';
  if (Math.ceil(bits / 8) > size) return 'nr_bits exceeds type_size';
  return INT_ENCODINGS.has((data >>> 24) & 0xf) ? null : 'Unsupported encoding';
}

type Composite = Extract<BtfType, { kind: 'struct' | 'union' }>;

/** @linux btf_struct_check_meta */
function offsetsFault({ kind, size, members }: Composite): string | null {
  let last = 0;
  for (const { type, bitOffset } of members) {
    if (type === 0 || type > MAX_TYPE_ID) return 'Invalid type_id';
    if ((kind === 'union' && bitOffset !== 0) || bitOffset < last)
      return 'Invalid member bits_offset';
    if (Math.ceil(bitOffset / 8) > size) return 'Member bits_offset exceeds its struct size';
    last = bitOffset;
  }
  return null;
}

/** Nothing but a section or a tag refers to these. @linux btf_type_is_resolve_source_only */
const isSourceOnly = ({ kind }: BtfType): boolean =>
  kind === 'var' || kind === 'declTag' || kind === 'datasec';

/** Bytes of a value of the type, or null where it has none. @linux btf_type_id_size */
function sizeOrNone(btf: Btf, id: number): number | null {
  const type = btf.resolve(id);
  if (type.kind === 'array') {
    const each = sizeOrNone(btf, type.type);
    return each === null ? null : each * type.count;
  }
  const sized = 'size' in type || type.kind === 'ptr';
  return sized && !isSourceOnly(type) ? btf.sizeOf(id) : null;
}

/** What the type refers to. @linux btf_resolve */
function referenceFault(btf: Btf, type: BtfType): string | null {
  const sized = (id: number): boolean => sizeOrNone(btf, id) !== null;
  switch (type.kind) {
    case 'array': {
      const index = btf.resolve(type.indexType);
      if (index.kind !== 'int') return 'Invalid index';
      const bytes = sizeOrNone(btf, type.type);
      if (bytes === null) return 'Invalid elem';
      return bytes * type.count > 0xffffffff ? 'Array size overflows U32_MAX' : null;
    }
    case 'struct':
    case 'union':
      return membersFault(btf, type);
    case 'func': {
      const proto = btf.type(type.type);
      if (proto.kind !== 'funcProto') return 'Invalid type_id';
      if (type.linkage === EXTERN) return null;
      const unnamed = proto.params.findIndex((param) => param.type !== 0 && param.name === '');
      return unnamed < 0 ? null : `Invalid arg#${unnamed + 1}`;
    }
    case 'funcProto': {
      if (type.returns !== 0 && btf.resolve(type.returns).kind !== 'void' && !sized(type.returns))
        return 'Invalid return type';
      const wrong = type.params.findIndex(({ type: id, name }, i) =>
        id === 0 ? i < type.params.length - 1 || name !== '' : !nameOrNone(name) || !sized(id),
      );
      return wrong < 0 ? null : `Invalid arg#${wrong + 1}`;
    }
    case 'var':
      return type.linkage === EXTERN || sized(type.type) ? null : 'Invalid type_id';
    case 'datasec': {
      const other = type.vars.some(({ type: id }) => !['var', 'func'].includes(btf.type(id).kind));
      return other ? 'Not a VAR kind member' : null;
    }
    case 'declTag':
      return ['struct', 'union', 'func', 'var', 'typedef'].includes(btf.type(type.type).kind)
        ? null
        : 'Invalid type_id';
    default: {
      if (type.kind !== 'ptr' && !isModifier(type)) return null;
      const to = btf.resolve(type.type);
      return isSourceOnly(to) || to.kind === 'func' ? 'Invalid type_id' : null;
    }
  }
}

/** @linux btf_struct_resolve, btf_generic_check_kflag_member */
function membersFault(btf: Btf, { size, members }: Composite): string | null {
  for (const { type, bitOffset, bits } of members) {
    const bytes = sizeOrNone(btf, type);
    if (bytes === null) return 'Invalid member';
    const { kind } = btf.resolve(type);
    if (bits !== 0 || kind === 'int') continue; // of bits, not bytes
    if (bitOffset % 8 !== 0) return 'Member is not byte aligned';
    if (bitOffset / 8 + bytes > size) return 'Member exceeds struct_size';
  }
  return null;
}

/** A struct of which one member is the struct itself, over arrays and qualifiers. */
function holdsItself(btf: Btf): number | null {
  const done = new Set<number>();
  const open = new Set<number>();
  const visit = (id: number): boolean => {
    const type = btf.resolve(id);
    if (type.kind === 'array') return visit(type.type);
    if ((type.kind !== 'struct' && type.kind !== 'union') || done.has(type.id)) return false;
    if (open.has(type.id)) return true;
    open.add(type.id);
    const found = type.members.some((member) => visit(member.type));
    open.delete(type.id);
    done.add(type.id);
    return found;
  };
  for (const type of btf.all()) {
    if ((type.kind === 'struct' || type.kind === 'union') && visit(type.id)) return type.id;
  }
  return null;
}

/** @returns why the kernel refuses the types: which, and its words; null when it takes them @throws BtfError for a type that does not exist */
export function kernelFault(btf: Btf): string | null {
  for (let id = 1; id < btf.count; id++) {
    const fault = metaFault(btf, id);
    if (fault !== null) return `[${id}] ${fault}`;
  }
  for (const type of btf.all()) {
    const fault = referenceFault(btf, type);
    if (fault !== null) return `[${type.id}] ${fault}`;
  }
  const loop = holdsItself(btf);
  if (loop !== null) return `[${loop}] Loop detected`;
  for (const type of btf.all())
    if (type.kind === 'struct' && isSpoilt(btf, type)) return `[${type.id}] Special fields`;
  return null;
}
