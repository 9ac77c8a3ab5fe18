/**
 * What lies at an offset in a struct of the kernel whose types were given: through structs and arrays
 * down to a number or a pointer.
 *
 * "access beyond struct %s at off %u size %u", "cannot access ptr member %s with moff %u in struct %s with
 * off %u size %u", "access beyond the end of member %s (mend:%u) in struct %s with off %u size %u", "struct
 * %s doesn't have field at offset %d".
 *
 * @linux btf_struct_walk; kernel/bpf/btf.c
 */
import { EINVAL } from '../../host/errno.ts';
import type { Btf } from '../btf/btf.ts';
import type { BtfComposite, BtfMember, BtfType } from '../btf/types.ts';
import { isComposite } from '../btf/types.ts';
import type { Env } from './env.ts';

export interface Found {
  /** Member of the innermost struct. */
  readonly member: string;
  /** The innermost struct. */
  readonly struct: string;
  /** What a pointer points to; null for a number. */
  readonly target: BtfType | null;
  /** Of the pointer's type: `rcu`, `user`, `percpu`. */
  readonly tags: ReadonlySet<string>;
}

const POINTER_BYTES = 8;

/** Of arrays the element, however often they are nested. */
function elementOf(types: Btf, id: number): { type: BtfType; bytes: number } {
  let type = types.resolve(id);
  while (type.kind === 'array') type = types.resolve(type.type);
  return { type, bytes: type.kind === 'void' ? 0 : types.sizeOf(type.id) };
}

function tagsOf(types: Btf, pointee: number): Set<string> {
  const tags = new Set<string>();
  let type = types.type(pointee);
  while ('type' in type && type.kind !== 'ptr' && type.kind !== 'func') {
    if (type.kind === 'typeTag') tags.add(type.name);
    type = types.type(type.type);
  }
  return tags;
}

/** The member that holds byte `at`, or the struct refused. */
function memberAt(types: Btf, struct: BtfComposite, at: number, size: number): BtfMember | null {
  for (const member of struct.members) {
    const from = Math.floor(member.bitOffset / 8);
    if (member.bits > 0) {
      const end = Math.ceil((member.bitOffset + member.bits) / 8);
      if (at <= from && end <= at + size) return member;
      continue;
    }
    if (at < from) return null;
    if (at < from + types.sizeOf(member.type)) return member;
  }
  return null;
}

export function walkStruct(
  env: Env,
  types: Btf,
  outer: BtfComposite,
  off: number,
  size: number,
): Found {
  let struct = outer;
  let at = off;
  for (;;) {
    if (at + size > struct.size)
      env.deny(`access beyond struct ${struct.name} at off ${at} size ${size}`);
    const member = memberAt(types, struct, at, size);
    if (member === null)
      return env.refuse(EINVAL, `struct ${struct.name} doesn't have field at offset ${at}`);
    const found = {
      member: member.name,
      struct: struct.name,
      target: null,
      tags: new Set<string>(),
    };
    if (member.bits > 0) return found;
    const { type, bytes } = elementOf(types, member.type);
    const start = Math.floor(member.bitOffset / 8);
    const from = bytes === 0 ? start : start + Math.floor((at - start) / bytes) * bytes;
    if (isComposite(type)) {
      struct = type;
      at -= from;
      continue;
    }
    const where = `in struct ${struct.name} with off ${at} size ${size}`;
    if (type.kind === 'ptr') {
      if (size !== POINTER_BYTES || at !== from)
        env.deny(`cannot access ptr member ${member.name} with moff ${from} ${where}`);
      return { ...found, target: types.resolve(type.type), tags: tagsOf(types, type.type) };
    }
    const end = start + types.sizeOf(member.type);
    if (at + size > end)
      env.deny(`access beyond the end of member ${member.name} (mend:${end}) ${where}`);
    return found;
  }
}
