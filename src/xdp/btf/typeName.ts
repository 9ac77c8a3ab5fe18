/** A type as C writes it: `struct flow`, `__u32`, `char[16]`, `struct device *`. */
import type { Btf } from './btf.ts';
import { MAX_NESTING } from './value.ts';

/** @throws BtfError when the type is nested without end */
export function typeName(btf: Btf, id: number, depth = 0): string {
  if (depth > MAX_NESTING) throw btf.refuse(id, `types nested deeper than ${MAX_NESTING}`);
  const type = btf.type(id);
  const of = (inner: number): string => typeName(btf, inner, depth + 1);
  switch (type.kind) {
    case 'struct':
    case 'union':
    case 'enum':
      return type.name === '' ? `${type.kind} {…}` : `${type.kind} ${type.name}`;
    case 'fwd':
      return `${type.union ? 'union' : 'struct'} ${type.name}`;
    case 'ptr':
      return `${of(type.type)} *`;
    case 'array': {
      // the outer dimension stands first
      const element = of(type.type);
      const at = element.indexOf('[');
      const dimension = `[${type.count}]`;
      return at < 0 ? element + dimension : element.slice(0, at) + dimension + element.slice(at);
    }
    case 'const':
    case 'volatile':
    case 'restrict':
      return `${type.kind} ${of(type.type)}`;
    case 'typeTag':
    case 'var':
      return of(type.type);
    case 'funcProto':
      return `${of(type.returns)} (*)(${type.params.map((param) => of(param.type)).join(', ')})`;
    case 'void':
      return 'void';
    default:
      return type.name;
  }
}
