/**
 * Are two types the same? Loosely, to find a type again (`compatible`), or member by member, to know
 * whether it still is what the program was written for (`match`).
 *
 * @linux __bpf_core_types_are_compat, __bpf_core_types_match; tools/lib/bpf/relo_core.c
 */
import type { Btf } from '../../btf/btf.ts';
import { essentialName } from '../../btf/essentialName.ts';
import type { BtfComposite, BtfEnum, BtfFwd, BtfType } from '../../btf/types.ts';
import { isComposite } from '../../btf/types.ts';

const MAX_DEPTH = 32;
/** Types that one comparison may look at. */
const MAX_VISITS = 1_000_000;

export class Comparison {
  private readonly localBtf: Btf;
  private readonly btf: Btf;
  private visits = 0;

  constructor(localBtf: Btf, btf: Btf) {
    this.localBtf = localBtf;
    this.btf = btf;
  }

  /** Structs, unions and enumerations by kind alone; pointers, arrays and functions by what they are of. */
  compatible(localId: number, id: number, depth = 0): boolean {
    this.visit(id, depth);
    const local = this.localBtf.resolve(localId);
    const target = this.btf.resolve(id);
    if (local.kind !== target.kind) return false;
    switch (local.kind) {
      case 'void':
      case 'struct':
      case 'union':
      case 'enum':
      case 'fwd':
        return true;
      case 'int':
        return local.bitOffset === 0 && target.kind === 'int' && target.bitOffset === 0;
      case 'ptr':
      case 'array':
        return (
          (target.kind === 'ptr' || target.kind === 'array') &&
          this.compatible(local.type, target.type, depth + 1)
        );
      case 'funcProto':
        return (
          target.kind === 'funcProto' &&
          local.params.length === target.params.length &&
          local.params.every(({ type }, i) =>
            this.compatible(type, target.params[i]!.type, depth + 1),
          ) &&
          this.compatible(local.returns, target.returns, depth + 1)
        );
      default:
        return false;
    }
  }

  /** What the program knows of the type is there, of the same name, size and kind. */
  match(localId: number, id: number, behindPointer = false, depth = 0): boolean {
    this.visit(id, depth);
    const local = this.localBtf.resolve(localId);
    const target = this.btf.resolve(id);
    if (!sameName(local, target)) return false;
    switch (local.kind) {
      case 'void':
        return target.kind === 'void';
      case 'fwd':
        return target.kind === 'fwd'
          ? local.union === target.union
          : behindPointer && target.kind === kindOfFwd(local);
      case 'enum':
        return target.kind === 'enum' && enumsMatch(local, target);
      case 'struct':
      case 'union':
        if (behindPointer) {
          return target.kind === 'fwd'
            ? local.kind === kindOfFwd(target)
            : local.kind === target.kind;
        }
        return (
          isComposite(target) &&
          local.kind === target.kind &&
          this.membersMatch(local, target, depth)
        );
      case 'int':
        return (
          target.kind === 'int' && local.size === target.size && local.signed === target.signed
        );
      case 'ptr':
        return target.kind === 'ptr' && this.match(local.type, target.type, true, depth + 1);
      case 'array':
        return (
          target.kind === 'array' &&
          local.count === target.count &&
          this.match(local.type, target.type, false, depth + 1)
        );
      case 'funcProto':
        return (
          target.kind === 'funcProto' &&
          local.params.length === target.params.length &&
          local.params.every(({ type }, i) =>
            this.match(type, target.params[i]!.type, false, depth + 1),
          ) &&
          this.match(local.returns, target.returns, false, depth + 1)
        );
      default:
        return false;
    }
  }

  private membersMatch(local: BtfComposite, target: BtfComposite, depth: number): boolean {
    return (
      local.members.length <= target.members.length &&
      local.members.every((member) =>
        target.members.some(
          (other) =>
            sameName(member, other) && this.match(member.type, other.type, false, depth + 1),
        ),
      )
    );
  }

  private visit(id: number, depth: number): void {
    if (depth > MAX_DEPTH) throw this.btf.refuse(id, `types nested deeper than ${MAX_DEPTH}`);
    if (++this.visits <= MAX_VISITS) return;
    throw this.btf.refuse(id, `over ${MAX_VISITS} types compared`);
  }
}

const sameName = (a: { readonly name: string }, b: { readonly name: string }): boolean =>
  essentialName(a.name) === essentialName(b.name);

const kindOfFwd = ({ union }: BtfFwd): BtfType['kind'] => (union ? 'union' : 'struct');

/** @linux bpf_core_enums_match */
function enumsMatch(local: BtfEnum, target: BtfEnum): boolean {
  if (local.size !== target.size || local.values.length > target.values.length) return false;
  const names = new Set(target.values.map(({ name }) => essentialName(name)));
  return local.values.every(({ name }) => names.has(essentialName(name)));
}
