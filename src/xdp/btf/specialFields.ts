/**
 * Fields of a type that the kernel keeps for itself: locks, timers, pointers, heads of lists and trees.
 * It looks into structs and arrays, and into the variables of a data section; not into unions, and not
 * behind qualifiers or typedefs. What it cannot place spoils the whole: then it finds nothing. So does
 * what does not fit together: heads and roots without a lock beside them, or whose tag does not say what
 * hangs there; locks of two kinds; links of two kinds without a count.
 *
 * Two of a kind that may stand once are spoilt within one struct only, as in Linux.
 *
 * @linux btf_parse_fields, btf_find_field_one, btf_get_field_type, btf_find_kptr, btf_find_graph_root,
 * btf_parse_graph_root, btf_check_and_fixup_fields; kernel/bpf/btf.c
 */
import type { GraphTarget, KptrTag, SpecialField, SpecialKind } from '../maps/mapDef.ts';
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
/** Fields of values of maps, which are mere bytes in objects. */
const OF_MAPS: readonly string[] = ['bpf_timer', 'bpf_wq', 'bpf_task_work'];
/** Heads and roots, and what links objects there. */
const LINK_OF: ReadonlyMap<SpecialKind, string> = new Map([
  ['list_head', 'bpf_list_node'],
  ['rb_root', 'bpf_rb_node'],
]);
const LINK_ALIGN = 8;
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
const CONTAINS = 'contains:';
/** Member number of a tag that is the whole's. */
const WHOLE = -1;

class Search {
  private readonly btf: Btf;
  private readonly object: boolean;
  /** What structs hold, by id and depth: the same ones may be met again and again. */
  private readonly structs = new Map<number, Found | null>();

  /** @param object of programs, rather than a map's value */
  constructor(btf: Btf, object: boolean) {
    this.btf = btf;
    this.object = object;
  }

  /** @returns null where the type is spoilt */
  struct(struct: BtfComposite, depth: number): Found | null {
    const key = struct.id * DEEPEST + depth;
    let found = this.structs.get(key);
    if (found === undefined) this.structs.set(key, (found = this.members(struct, depth)));
    return found;
  }

  private members(struct: BtfComposite, depth: number): Found | null {
    const seen = new Set<SpecialKind>();
    const found: SpecialField[] = [];
    for (const [index, { type, bitOffset }] of struct.members.entries()) {
      if (bitOffset % 8 !== 0) return null;
      const part = this.one(this.btf.type(type), bitOffset / 8, 0, seen, depth);
      if (part === null) return null;
      const whole = this.withTargets(part, struct.id, index);
      if (whole === null) return null;
      found.push(...whole);
      if (found.length > MOST_FIELDS) return null;
    }
    return found;
  }

  /** With what hangs on heads and roots. @returns null where a tag does not say */
  withTargets(fields: Found, owner: number, index: number): Found | null {
    const found: SpecialField[] = [];
    for (const field of fields) {
      const link = LINK_OF.get(field.kind);
      if (link === undefined || field.graph !== undefined) {
        found.push(field);
        continue;
      }
      const graph = this.target(link, owner, index);
      if (graph === null) return null;
      found.push({ ...field, graph });
    }
    return found;
  }

  /** Of the one tag `contains:STRUCT:MEMBER` of a head or root. @linux btf_parse_graph_root */
  private target(link: string, owner: number, index: number): GraphTarget | null {
    const { btf } = this;
    const tags = btf
      .tagsOf(owner)
      .filter(({ component, name }) => component === index && name.startsWith(CONTAINS));
    if (tags.length !== 1) return null;
    const said = tags[0]!.name.slice(CONTAINS.length);
    const colon = said.indexOf(':');
    const struct = colon < 0 ? null : btf.find(said.slice(0, colon), 'struct');
    if (struct?.kind !== 'struct') return null;
    const members = struct.members.filter(({ name }) => name === said.slice(colon + 1));
    const type = members.length === 1 ? btf.type(members[0]!.type) : null;
    const at = members.length === 1 ? members[0]!.bitOffset / 8 : 0;
    if (type?.kind !== 'struct' || type.name !== link || at % LINK_ALIGN !== 0) return null;
    return { id: struct.id, name: struct.name, at };
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
    const known = this.known(type.name);
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

  private known(name: string): Known | undefined {
    if (!this.object) return BY_NAME[name];
    return OF_MAPS.includes(name) ? undefined : (BY_NAME[name] ?? LINKS[name]);
  }

  private nested(struct: BtfComposite, at: number, count: number, depth: number): Found | null {
    const found = this.struct(struct, depth);
    if (found === null) return null;
    const moved = found.map((field) => ({ ...field, at: field.at + at }));
    return repeated(moved, count, struct.size);
  }

  /** Pointers that the kernel keeps, if they are. */
  pointers(outer: BtfType, at: number, count: number): Found | null {
    const { btf } = this;
    const type = outer.kind === 'volatile' ? btf.type(outer.type) : outer;
    if (type.kind !== 'ptr') return [];
    const tag = btf.type(type.type);
    if (tag.kind !== 'typeTag') return [];
    if (btf.type(tag.type).kind === 'typeTag' || !KPTR_TAGS.includes(tag.name)) return null;
    if (this.object && tag.name === 'uptr') return [];
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
    const whole = search.withTargets(part, id, WHOLE);
    if (whole === null) return null;
    found.push(...whole);
  }
  return found;
}

/** Do they go together? */
function fit(found: Found): boolean {
  const has = (kind: SpecialKind): boolean => found.some((field) => field.kind === kind);
  if (has('spin_lock') && has('res_spin_lock')) return false;
  if (hasRoot(found) && !has('spin_lock') && !has('res_spin_lock')) return false;
  return !(has('list_node') && has('rb_node')) || has('refcount');
}

const hasRoot = (found: Found): boolean => found.some(({ kind }) => LINK_OF.has(kind));
const hasLink = (found: Found): boolean =>
  found.some(({ kind }) => kind === 'list_node' || kind === 'rb_node');

/** @returns null where the kernel gives up @linux btf_parse_fields */
function parsed(btf: Btf, id: number, object: boolean): Found | null {
  const type = btf.resolve(id);
  let found: Found | null = [];
  if (type.kind === 'struct') found = new Search(btf, object).struct(type, 0);
  if (type.kind === 'datasec') found = sectionFields(btf, type);
  if (found === null || found.length > MOST_FIELDS) return null;
  const apart = found.every(({ at }, i) => i === 0 || at >= found[i - 1]!.at + found[i - 1]!.bytes);
  return apart && fit(found) ? found : null;
}

/** In the order of their places; none where the kernel finds none. @param id of a map's values, or of an object */
export const specialFields = (btf: Btf, id: number, object: boolean = false): Found =>
  parsed(btf, id, object) ?? [];

/** Structs of these, if they are spoilt, spoil all of the BTF. @linux btf_parse_struct_metas */
const HELD_BY_OBJECTS: readonly string[] = [
  ...['bpf_spin_lock', 'bpf_list_head', 'bpf_list_node', 'bpf_rb_root', 'bpf_rb_node'],
  'bpf_refcount',
];

/** Has a struct a field that the kernel keeps, but cannot place? */
export function isSpoilt(btf: Btf, struct: BtfComposite): boolean {
  const search = new Search(btf, true);
  const holds = struct.members.some(({ type: id }) => {
    const type = btf.type(id);
    if (type.kind === 'struct') return HELD_BY_OBJECTS.includes(type.name);
    return (search.pointers(type, 0, 1)?.length ?? 0) > 0;
  });
  if (!holds) return false;
  const found = parsed(btf, struct.id, true);
  if (found === null || found.length === 0) return true;
  // what hangs somewhere may own only what owns nothing
  const owns = ({ graph }: SpecialField): boolean =>
    graph !== undefined && hasRoot(parsed(btf, graph.id, true) ?? []);
  return hasLink(found) && found.some(owns);
}
