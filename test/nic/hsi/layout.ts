/** Memory for one descriptor, and its fields by name as the cold table tells them. */
import type { Field } from '../../../src/nic/hsi/fields.ts';
import { readField } from '../../../src/nic/hsi/fields.ts';

/** Somewhere in the middle: an accessor that forgets its address reads zeros, or writes elsewhere. */
export const AT = 64;
export const EXT = 128;

export const words = (): Int32Array => new Int32Array(64);

export const fieldNamed = (fields: readonly Field[], name: string): Field => {
  const found = fields.find((f) => f.name === name);
  if (found === undefined) throw new Error(`no field ${name}`);
  return found;
};

/** Set one field's bits, the others untouched. */
export function writeField(mem: Int32Array, at: number, f: Field, value: number): void {
  const mask = f.hi - f.lo === 31 ? -1 : ((1 << (f.hi - f.lo + 1)) - 1) << f.lo;
  const i = (at + f.byte) >> 2;
  mem[i] = (mem[i]! & ~mask) | ((value << f.lo) & mask);
}

/** Every field of the structure at `at`, by name. */
export const fieldsAt = (mem: Int32Array, at: number, fields: readonly Field[]) =>
  Object.fromEntries(fields.map((f) => [f.name, readField(mem, at, f)]));

/** Fields whose bits lie over one another, or outside their word. */
export function misplaced(fields: readonly Field[]): string[] {
  const bad: string[] = [];
  const taken = new Map<number, string>();
  for (const f of fields) {
    if (f.byte % 4 !== 0 || f.byte > 12 || f.lo < 0 || f.hi > 31 || f.hi < f.lo) bad.push(f.name);
    for (let bit = f.byte * 8 + f.lo; bit <= f.byte * 8 + f.hi; bit++) {
      if (taken.has(bit)) bad.push(`${f.name} over ${taken.get(bit)}`);
      taken.set(bit, f.name);
    }
  }
  return bad;
}
