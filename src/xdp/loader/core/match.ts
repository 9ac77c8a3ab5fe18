/**
 * The same place in another version of a type: by names, through anonymous structs, whatever else
 * has changed around it.
 *
 * @linux bpf_core_spec_match, bpf_core_match_member, bpf_core_fields_are_compat; tools/lib/bpf/relo_core.c
 */
import type { Btf } from '../../btf/btf.ts';
import { essentialName } from '../../btf/essentialName.ts';
import { isComposite } from '../../btf/types.ts';
import type { Access, Step } from './access.ts';
import { isFlexible, MAX_STEPS } from './access.ts';
import { BPF_CORE_TYPE_MATCHES, isEnumKind, isFieldKind } from './kinds.ts';
import { Comparison } from './types.ts';

/** Members that one search may look at: anonymous structs can nest without end. */
const MAX_VISITS = 1_000_000;

/**
 * @param target a type of `btf` of the same name
 * @returns null when it has no such place
 */
export function matchAccess(local: Access, kind: number, btf: Btf, target: number): Access | null {
  const here = { btf, root: target, steps: [], bitOffset: 0 };
  if (isEnumKind(kind)) return matchValue(local, here);
  if (isFieldKind(kind)) return new FieldSearch(local, btf, target).find();
  const comparison = new Comparison(local.btf, btf);
  const same =
    kind === BPF_CORE_TYPE_MATCHES
      ? comparison.match(local.root, target)
      : comparison.compatible(local.root, target);
  return same ? here : null;
}

function matchValue(local: Access, here: Access): Access | null {
  const type = here.btf.resolve(here.root);
  if (type.kind !== 'enum') return null;
  const wanted = essentialName(local.steps[0]!.name!);
  const index = type.values.findIndex(({ name }) => essentialName(name) === wanted);
  if (index < 0) return null;
  return { ...here, steps: [{ name: type.values[index]!.name, index, type: type.id }] };
}

class FieldSearch {
  private readonly local: Access;
  private readonly btf: Btf;
  private readonly root: number;
  private readonly steps: Step[] = [];
  private bitOffset = 0;
  /** Type that the steps so far lead to. */
  private at: number;
  private visits = 0;

  constructor(local: Access, btf: Btf, root: number) {
    this.local = local;
    this.btf = btf;
    this.root = root;
    this.at = root;
  }

  find(): Access | null {
    const { btf, root, steps } = this;
    for (const [i, step] of this.local.steps.entries()) {
      const found =
        step.name === null ? this.toElement(step.index, i) : this.toMember(step, this.at, 0);
      if (!found) return null;
    }
    return { btf, root, steps, bitOffset: this.bitOffset };
  }

  /** The first step is an index too, but of the whole: `s[0]`. */
  private toElement(index: number, i: number): boolean {
    const { btf } = this;
    let type = btf.resolve(this.at);
    if (i > 0) {
      if (type.kind !== 'array') return false;
      if (index >= type.count && !isFlexible(btf, this.steps.at(-1), type)) return false;
      type = btf.resolve(type.type);
    }
    this.at = type.id;
    this.steps.push({ name: null, index, type: type.id });
    this.bitOffset += index * btf.sizeOf(type.id) * 8;
    return true;
  }

  private toMember(wanted: Step, struct: number, depth: number): boolean {
    const { btf } = this;
    const type = btf.resolve(struct);
    if (!isComposite(type)) return false;
    if (depth === MAX_STEPS) throw btf.refuse(struct, `structs nested deeper than ${MAX_STEPS}`);
    for (const [index, member] of type.members.entries()) {
      if (++this.visits > MAX_VISITS) {
        throw btf.refuse(struct, `over ${MAX_VISITS} members searched for ${wanted.name}`);
      }
      if (member.name === '') {
        this.bitOffset += member.bitOffset;
        if (this.toMember(wanted, member.type, depth + 1)) return true;
        this.bitOffset -= member.bitOffset;
      } else if (member.name === wanted.name) {
        if (!this.fits(wanted, member.type)) return false;
        this.bitOffset += member.bitOffset;
        this.steps.push({ name: member.name, index, type: type.id });
        this.at = member.type;
        return true;
      }
    }
    return false;
  }

  private fits({ type, index }: Step, target: number): boolean {
    const local = this.local.btf.type(type);
    const member = isComposite(local) ? local.members[index] : undefined;
    return member !== undefined && fieldsFit(this.local.btf, member.type, this.btf, target);
  }
}

/** @linux bpf_core_fields_are_compat */
function fieldsFit(localBtf: Btf, localId: number, btf: Btf, id: number): boolean {
  let local = localBtf.resolve(localId);
  let target = btf.resolve(id);
  for (let depth = 0; local.kind === 'array' && target.kind === 'array'; depth++) {
    if (depth === MAX_STEPS) return false;
    local = localBtf.resolve(local.type);
    target = btf.resolve(target.type);
  }
  if (isComposite(local) && isComposite(target)) return true;
  if (local.kind === 'int' && target.kind === 'int') {
    return local.bitOffset === 0 && target.bitOffset === 0;
  }
  if (local.kind !== target.kind) return false;
  switch (local.kind) {
    case 'ptr':
    case 'float':
      return true;
    case 'fwd':
    case 'enum': {
      const [name, other] = [essentialName(local.name), essentialName(target.name)];
      return name === '' || other === '' || name === other;
    }
    default:
      return false;
  }
}
