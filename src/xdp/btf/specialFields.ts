/**
 * Fields of a type that the kernel keeps for itself: locks, timers, pointers, heads of lists and trees.
 * It looks into structs and arrays, and into the variables of a data section; not into unions, and not
 * behind qualifiers or typedefs. What it cannot place spoils the whole: then it finds nothing.
 *
 * Two of a kind that may stand once are spoilt within one struct only, as in Linux.
 *
 * @linux btf_parse_fields, btf_find_field_one, btf_get_field_type, btf_find_kptr; kernel/bpf/btf.c
 */
import type { KptrTag, SpecialField, SpecialKind } from '../maps/mapDef.ts';
import type { Btf } from './btf.ts';
import type { BtfComposite, BtfType } from './types.ts';

interface Known {
  readonly kind: SpecialKind;
  readonly align: number;
  /** May stand once in a struct, and not in an array. */
  readonly once: boolean;
}

const BY_NAME: Readonly<Record<string, Known>> = {
  bpf_spin_lock: { kind: 'spin_lock', align: 4, once: true },
  bpf_res_spin_lock: { kind: 'res_spin_lock', align: 4, once: true },
  bpf_timer: { kind: 'timer', align: 8, once: true },
  bpf_wq: { kind: 'wq', align: 8, once: true },
  bpf_task_work: { kind: 'task_work', align: 8, once: true },
  bpf_list_head: { kind: 'list_head', align: 8, once: false },
  bpf_rb_root: { kind: 'rb_root', align: 8, once: false },
  bpf_refcount: { kind: 'refcount', align: 4, once: false },
};
/** Links, which objects of programs have and values of maps have not. */
const LINKS: Readonly<Record<string, Known>> = {
  bpf_list_node: { kind: 'list_node', align: 8, once: false },
  bpf_rb_node: { kind: 'rb_node', align: 8, once: false },
};
/** Fields that arrays may repeat. @linux btf_repeat_fields */
const REPEATABLE: readonly SpecialKind[] = ['kptr', 'list_head', 'rb_root'];
/** Tags of pointers that the kernel keeps. */
const KPTR_TAGS: readonly string[] = ['kptr', 'kptr_untrusted', 'percpu_kptr', 'uptr'];
const POINTER_BYTES = 8;
/** @linux BTF_FIELDS_MAX */
const MOST_FIELDS = 11;
/** @linux MAX_RESOLVE_DEPTH */
const DEEPEST = 32;

type Found = readonly SpecialField[];
/** Member number of a tag that is the whole's. */
const WHOLE = -1;

class Search {
  private readonly btf: Btf;
  private readonly object: boolean;

  /** @param object of programs, rather than a map's value */
  constructor(btf: Btf, object: boolean) {
    this.btf = btf;
    this.object = object;
  }

  /** @returns null where the type is spoilt */
  struct(struct: BtfComposite, depth: number): Found | null {
    const seen = new Set<SpecialKind>();
    const found: SpecialField[] = [];
    for (const [index, { type, bitOffset }] of struct.members.entries()) {
      if (bitOffset % 8 !== 0) return null;
      const part = this.one(this.btf.type(type), bitOffset / 8, 0, seen, depth);
      if (part === null) return null;
      found.push(...part.map((field) => this.withTarget(field, struct.id, index)));
    }
    return found;
  }

  /** Tag `contains:STRUCT:MEMBER` of a head or root. @linux btf_parse_graph_root */
  withTarget(field: SpecialField, owner: number, index: number): SpecialField {
    if ((field.kind !== 'list_head' && field.kind !== 'rb_root') || field.graph) return field;
    const { btf } = this;
    for (const tag of btf.all()) {
      if (tag.kind !== 'declTag' || tag.type !== owner || tag.component !== index) continue;
      const [, name, link] = /^contains:(.+):(.+)$/.exec(tag.name) ?? [];
      const target = name === undefined ? null : btf.find(name, 'struct');
      if (target?.kind !== 'struct') continue;
      const member = target.members.find((one) => one.name === link);
      if (member === undefined) continue;
      return { ...field, graph: { id: target.id, name: target.name, at: member.bitOffset / 8 } };
    }
    return field;
  }

  /** @param bytes that the section gives the variable; 0 of a member */
  one(
    outer: BtfType,
    at: number,
    bytes: number,
    seen: Set<SpecialKind>,
    depth: number,
  ): Found | null {
    let type = outer;
    let count = 1;
    for (let i = 0; type.kind === 'array'; i++) {
      if (i === DEEPEST) return null;
      count *= type.count;
      type = this.btf.type(type.type);
    }
    if (count === 0) return [];
    const known = BY_NAME[type.name] ?? (this.object ? LINKS[type.name] : undefined);
    if (known === undefined && type.kind === 'struct') {
      if (bytes !== 0 && bytes !== type.size * count) return [];
      return depth + 1 >= DEEPEST ? null : this.nested(type, at, count, depth + 1);
    }
    if (known?.once === true) {
      if (seen.has(known.kind)) return null;
      seen.add(known.kind);
    }
    const size = 'size' in type ? type.size : POINTER_BYTES;
    if (bytes !== 0 && bytes !== size * count) return [];
    if (at % (known?.align ?? POINTER_BYTES) !== 0) return [];
    if (known === undefined) return this.pointers(type, at, count);
    if (type.kind !== 'struct') return [];
    return repeated([{ kind: known.kind, at, bytes: size }], count, size);
  }

  private nested(struct: BtfComposite, at: number, count: number, depth: number): Found | null {
    const found = this.struct(struct, depth);
    if (found === null) return null;
    const moved = found.map((field) => ({ ...field, at: field.at + at }));
    return repeated(moved, count, struct.size);
  }

  /** Pointers that the kernel keeps, if they are. */
  private pointers(outer: BtfType, at: number, count: number): Found | null {
    const { btf } = this;
    const type = outer.kind === 'volatile' ? btf.type(outer.type) : outer;
    if (type.kind !== 'ptr') return [];
    const tag = btf.type(type.type);
    if (tag.kind !== 'typeTag') return [];
    if (btf.type(tag.type).kind === 'typeTag' || !KPTR_TAGS.includes(tag.name)) return null;
    const { kind, id, name } = btf.resolve(tag.type);
    if (kind !== 'struct') return null;
    const kptr = { tag: tag.name as KptrTag, id, name };
    return repeated([{ kind: 'kptr', at, bytes: POINTER_BYTES, kptr }], count, POINTER_BYTES);
  }
}

/** The fields of one element, of all elements. */
function repeated(fields: Found, count: number, stride: number): Found | null {
  if (count === 1 || fields.length === 0) return fields;
  if (fields.length * count > MOST_FIELDS) return null;
  if (!fields.every(({ kind }) => REPEATABLE.includes(kind))) return null;
  return Array.from({ length: count }, (_, i) =>
    fields.map((field) => ({ ...field, at: field.at + i * stride })),
  ).flat();
}

function sectionFields(btf: Btf, type: BtfType & { kind: 'datasec' }): Found | null {
  const search = new Search(btf, false);
  const seen = new Set<SpecialKind>();
  const found: SpecialField[] = [];
  for (const { type: id, offset, size } of type.vars) {
    const variable = btf.type(id);
    if (variable.kind !== 'var') continue;
    const part = search.one(btf.type(variable.type), offset, size, seen, 0);
    if (part === null) return null;
    found.push(...part.map((field) => search.withTarget(field, id, WHOLE)));
  }
  return found;
}

/** In the order of their places; none where the kernel finds none. @param id of a map's values, or of an object */
export function specialFields(btf: Btf, id: number, object: boolean = false): Found {
  const type = btf.resolve(id);
  let found: Found | null = [];
  if (type.kind === 'struct') found = new Search(btf, object).struct(type, 0);
  if (type.kind === 'datasec') found = sectionFields(btf, type);
  if (found === null || found.length > MOST_FIELDS) return [];
  const apart = found.every(({ at }, i) => i === 0 || at >= found[i - 1]!.at + found[i - 1]!.bytes);
  return apart ? found : [];
}

/** Structs of these, if they are spoilt, spoil all of the BTF. @linux btf_parse_struct_metas */
const HELD_BY_OBJECTS: readonly string[] = [
  ...['bpf_spin_lock', 'bpf_list_head', 'bpf_rb_root', 'bpf_refcount'],
];

/** Has a struct a field that the kernel keeps, but cannot place? */
export function isSpoilt(btf: Btf, struct: BtfComposite): boolean {
  const holds = struct.members.some(({ type: id }) => {
    const type = btf.type(id);
    return type.kind === 'struct' && HELD_BY_OBJECTS.includes(type.name);
  });
  return holds && specialFields(btf, struct.id).length === 0;
}
