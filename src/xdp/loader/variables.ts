/**
 * Global variables by name and type: of a blueprint, before it is loaded, and of a live collection
 * while its programs run.
 *
 * Setting `const volatile` variables before loading is how a program is configured; the verifier
 * then sees them as constants.
 */
import { readValue } from '../btf/readValue.ts';
import type { BtfInput, BtfValue } from '../btf/value.ts';
import { ValueRefused } from '../btf/value.ts';
import { writeValue } from '../btf/writeValue.ts';
import { MapError } from '../maps/mapDef.ts';
import { KCONFIG } from './externs.ts';
import type { Collection } from './load.ts';
import type { CollectionSpec, VariableSpec } from './spec.ts';

/** Data maps have one value, at key 0. */
const KEY: Uint8Array = new Uint8Array(4);

/** @throws ValueRefused when there is no such variable */
export function getVariable(of: CollectionSpec | Collection, name: string): BtfValue | Uint8Array {
  const { spec, contents } = sourceOf(of, name);
  const { offset, size, type } = variableOf(spec, name);
  const bytes = contents.subarray(offset, offset + size);
  return spec.btf === null || type === 0 ? bytes.slice() : readValue(spec.btf, type, bytes);
}

/**
 * @throws ValueRefused when there is no such variable, or the value does not fit; MapError when the
 *   live map is frozen, as read-only data is
 */
export function setVariable(of: CollectionSpec | Collection, name: string, value: BtfInput): void {
  const { spec, contents, store } = sourceOf(of, name);
  const { map, offset, size, type } = variableOf(spec, name);
  if (map === KCONFIG && spec === of)
    throw new ValueRefused(
      name,
      'is a setting of the kernel: loadCollection takes it in `kconfig`',
    );
  const bytes =
    spec.btf === null || type === 0
      ? bytesOf(name, value, size)
      : writeValue(spec.btf, type, value, name);
  contents.set(bytes, offset);
  store(contents);
}

interface Source {
  readonly spec: CollectionSpec;
  /** Of the whole section. */
  readonly contents: Uint8Array;
  readonly store: (contents: Uint8Array) => void;
}

function sourceOf(of: CollectionSpec | Collection, name: string): Source {
  if (!('spec' in of)) {
    const { map } = variableOf(of, name);
    const contents = of.maps[map]?.contents;
    if (contents) return { spec: of, contents, store: () => {} };
    throw new ValueRefused(name, `its section ${map} has no contents`);
  }
  const map = of.maps[variableOf(of.spec, name).map]!;
  const store = (contents: Uint8Array): void => {
    const rc = map.sysUpdate(KEY, contents);
    if (rc !== 0) throw new MapError(map, -rc, `${name} cannot be set`);
  };
  return { spec: of.spec, contents: map.sysLookup(KEY)!, store };
}

function variableOf({ variables }: CollectionSpec, name: string): VariableSpec {
  if (Object.hasOwn(variables, name)) return variables[name]!;
  const known = Object.keys(variables).join(', ');
  throw new ValueRefused(name, `no such variable; the object has ${known || 'none'}`);
}

function bytesOf(name: string, value: BtfInput, size: number): Uint8Array {
  if (value instanceof Uint8Array && value.length === size) return value;
  throw new ValueRefused(name, `without a type it is ${size} bytes, given as such`);
}
