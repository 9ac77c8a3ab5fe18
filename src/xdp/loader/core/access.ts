/**
 * A place in a type: how an access such as `&s->a[3].b` walks from a struct to a field.
 *
 * The object says it as indices of members and elements, "0:1:3:0". Names are what another version
 * of the type is searched by, so anonymous structs on the way leave no step of their own.
 *
 * @linux bpf_core_parse_spec, struct bpf_core_spec; tools/lib/bpf/relo_core.c
 */
import type { Btf } from '../../btf/btf.ts';
import type { BtfArray } from '../../btf/types.ts';
import { isComposite } from '../../btf/types.ts';
import type { CoreRelo } from '../spec.ts';
import { isEnumKind, isFieldKind } from './kinds.ts';

/** @linux BPF_CORE_SPEC_MAX_LEN */
export const MAX_STEPS = 64;

export interface Step {
  /** A member of this name, a value of this name; null for an element of an array. */
  readonly name: string | null;
  readonly index: number;
  /** Of a member its struct, of an element its own type, of an enumeration's value the enumeration. */
  readonly type: number;
}

export interface Access {
  readonly btf: Btf;
  readonly root: number;
  readonly steps: readonly Step[];
  readonly bitOffset: number;
}

/**
 * @param file what messages call the object
 * @throws BtfError for an access that the type does not have
 */
export function readAccess(btf: Btf, relo: CoreRelo): Access {
  const { type: root, kind, access } = relo;
  if (!/^\d{1,9}(:\d{1,9})*$/.test(access)) throw btf.refuse(root, `access "${access}" is no path`);
  const path = access.split(':').map(Number);
  if (path.length > MAX_STEPS)
    throw btf.refuse(root, `access "${access}" has over ${MAX_STEPS} steps`);
  const refuse = (): Error => btf.refuse(root, `access "${access}" leads to nothing`);
  if (isEnumKind(kind)) {
    const type = btf.resolve(root);
    const value = type.kind === 'enum' ? type.values[path[0]!] : undefined;
    if (value === undefined || path.length > 1) throw refuse();
    const steps = [{ name: value.name, index: path[0]!, type: type.id }];
    return { btf, root, steps, bitOffset: 0 };
  }
  if (!isFieldKind(kind)) {
    if (access !== '0') throw refuse();
    return { btf, root, steps: [], bitOffset: 0 };
  }
  return readField(btf, root, path, refuse);
}

function readField(btf: Btf, root: number, path: readonly number[], refuse: () => Error): Access {
  let type = btf.resolve(root);
  const steps: Step[] = [{ name: null, index: path[0]!, type: type.id }];
  let bitOffset = path[0]! * btf.sizeOf(type.id) * 8;
  for (const index of path.slice(1)) {
    if (isComposite(type)) {
      const member = type.members[index];
      if (member === undefined) throw refuse();
      bitOffset += member.bitOffset;
      if (member.name !== '') steps.push({ name: member.name, index, type: type.id });
      type = btf.resolve(member.type);
    } else if (type.kind === 'array') {
      if (index >= type.count && !isFlexible(btf, steps.at(-1), type)) throw refuse();
      type = btf.resolve(type.type);
      steps.push({ name: null, index, type: type.id });
      bitOffset += index * btf.sizeOf(type.id) * 8;
    } else throw refuse();
  }
  return { btf, root, steps, bitOffset };
}

/** An array of no elements at a struct's end has as many as one likes. @linux is_flex_arr */
export function isFlexible(btf: Btf, before: Step | undefined, array: BtfArray): boolean {
  if (before === undefined || before.name === null || array.count > 0) return false;
  const holder = btf.type(before.type);
  return isComposite(holder) && before.index === holder.members.length - 1;
}
