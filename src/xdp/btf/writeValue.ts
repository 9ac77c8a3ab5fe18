/** From a value to bytes, by type. What is left out is zero; what does not fit is refused by name. */
import { swapBytes, writeBits } from './bits.ts';
import type { Btf } from './btf.ts';
import { isDeclaredBigEndian } from './readValue.ts';
import type { BtfArray, BtfEnum, BtfMember, BtfType } from './types.ts';
import { isComposite } from './types.ts';
import type { BtfInput } from './value.ts';
import { MAX_NESTING, MAX_PARTS, rangeOf, ValueRefused } from './value.ts';

/**
 * @param path what messages call the value
 * @throws ValueRefused; BtfError when the type has no values
 */
export function writeValue(btf: Btf, type: number, value: BtfInput, path: string): Uint8Array {
  const bytes = new Uint8Array(btf.sizeOf(type));
  new Writer(btf, bytes).value(type, 0, value, path, 0);
  return bytes;
}

class Writer {
  private readonly btf: Btf;
  private readonly bytes: Uint8Array;

  constructor(btf: Btf, bytes: Uint8Array) {
    this.btf = btf;
    this.bytes = bytes;
  }

  /** @param at first byte */
  value(id: number, at: number, value: BtfInput, path: string, depth: number): void {
    const type = this.btf.resolve(id);
    if (depth > MAX_NESTING) throw this.btf.refuse(id, `values nested deeper than ${MAX_NESTING}`);
    const size = this.btf.sizeOf(type.id);
    if (at + size > this.bytes.length) throw this.btf.refuse(id, 'a part reaches over the whole');
    if (value instanceof Uint8Array) {
      if (value.length !== size) throw new ValueRefused(path, `${value.length} bytes, not ${size}`);
      this.bytes.set(value, at);
      return;
    }
    switch (type.kind) {
      case 'array':
        this.array(type, at, value, path, depth);
        return;
      case 'struct':
      case 'union':
        this.members(type.members, at, value, path, depth);
        return;
      case 'var':
        this.value(type.type, at, value, path, depth + 1);
        return;
      case 'float':
        this.float(size, at, value, path);
        return;
      case 'int':
      case 'enum':
      case 'ptr':
        this.scalar(id, type, at * 8, size * 8, value, path);
        return;
      default:
        throw new ValueRefused(path, `a ${type.kind} has no value`);
    }
  }

  private members(
    members: readonly BtfMember[],
    at: number,
    value: BtfInput,
    path: string,
    depth: number,
  ): void {
    if (typeof value !== 'object' || Array.isArray(value) || value instanceof Uint8Array) {
      throw new ValueRefused(
        path,
        `${shown(value)} where a struct of ${namesOf(this.btf, members)} is wanted`,
      );
    }
    const places = placesOf(this.btf, members, at * 8);
    for (const [name, part] of Object.entries(value)) {
      const place = places.get(name);
      if (place === undefined) {
        throw new ValueRefused(
          path,
          `there is no member ${name}; there are ${[...places.keys()].join(', ')}`,
        );
      }
      this.member(place, part, `${path}.${name}`, depth);
    }
  }

  private member({ member, bit }: Place, value: BtfInput, path: string, depth: number): void {
    const type = this.btf.resolve(member.type);
    const bits = type.kind === 'int' && type.bits < type.size * 8 ? type.bits : member.bits;
    if (bits > 0) {
      const first = member.bits > 0 || type.kind !== 'int' ? bit : bit + type.bitOffset;
      this.scalar(member.type, type, first, bits, value, path);
    } else this.value(member.type, bit >>> 3, value, path, depth + 1);
  }

  private array(
    { type: id, count }: BtfArray,
    at: number,
    value: BtfInput,
    path: string,
    depth: number,
  ): void {
    const given = typeof value === 'string' ? this.text(id, value, path) : value;
    if (!Array.isArray(given)) {
      throw new ValueRefused(path, `${shown(value)} where an array of ${count} is wanted`);
    }
    const elements = given as readonly BtfInput[];
    if (elements.length > count) {
      throw new ValueRefused(path, `${elements.length} elements; ${count} at most`);
    }
    if (elements.length > MAX_PARTS) throw new ValueRefused(path, `over ${MAX_PARTS} elements`);
    const size = this.btf.sizeOf(id);
    elements.forEach((element, i) => {
      this.value(id, at + i * size, element, `${path}[${i}]`, depth + 1);
    });
  }

  private text(id: number, value: string, path: string): number[] {
    const element = this.btf.resolve(id);
    if (element.kind !== 'int' || element.size !== 1) {
      throw new ValueRefused(path, `"${value}" where an array of numbers is wanted`);
    }
    return [...new TextEncoder().encode(value)].map((byte) =>
      element.signed && byte > 127 ? byte - 256 : byte,
    );
  }

  private scalar(
    id: number,
    type: BtfType,
    bit: number,
    bits: number,
    value: BtfInput,
    path: string,
  ): void {
    if (bit + bits > this.bytes.length * 8) throw this.btf.refuse(id, 'a bitfield over the end');
    const signed = (type.kind === 'int' || type.kind === 'enum') && type.signed;
    const raw = type.kind === 'enum' ? enumNumber(type, value, path) : numberOf(value, path);
    const [least, most] = rangeOf(bits, signed);
    if (raw < least || raw > most) {
      throw new ValueRefused(path, `${raw} is out of range (${least} to ${most})`);
    }
    const swapped = type.kind === 'int' && isDeclaredBigEndian(this.btf, id);
    writeBits(this.bytes, bit, bits, swapped ? swapBytes(raw, bits / 8, signed) : raw);
  }

  private float(size: number, at: number, value: BtfInput, path: string): void {
    if (typeof value !== 'number') throw new ValueRefused(path, `${shown(value)} is no number`);
    const view = new DataView(this.bytes.buffer, at);
    if (size === 4) view.setFloat32(0, value, true);
    else if (size === 8) view.setFloat64(0, value, true);
    else throw new ValueRefused(path, `a float of ${size} bytes`);
  }
}

interface Place {
  readonly member: BtfMember;
  /** First bit, from the start of the whole value. */
  readonly bit: number;
}

/** Members by name; those of anonymous structs and unions stand among them. */
function placesOf(btf: Btf, members: readonly BtfMember[], bit: number): Map<string, Place> {
  const places = new Map<string, Place>();
  let visits = 0;
  const add = (inside: readonly BtfMember[], from: number, depth: number): void => {
    for (const member of inside) {
      if (++visits > MAX_PARTS || depth > MAX_NESTING) {
        throw btf.refuse(member.type, 'anonymous structs nested without end');
      }
      const type = btf.resolve(member.type);
      const place = { member, bit: from + member.bitOffset };
      if (member.name !== '') places.set(member.name, place);
      else if (isComposite(type)) add(type.members, place.bit, depth + 1);
    }
  };
  add(members, bit, 0);
  return places;
}

const namesOf = (btf: Btf, members: readonly BtfMember[]): string =>
  [...placesOf(btf, members, 0).keys()].join(', ');

function enumNumber({ values }: BtfEnum, value: BtfInput, path: string): bigint {
  if (typeof value !== 'string') return numberOf(value, path);
  const found = values.find(({ name }) => name === value);
  if (found !== undefined) return BigInt(found.value);
  throw new ValueRefused(path, `${value} is none of ${values.map(({ name }) => name).join(', ')}`);
}

function numberOf(value: BtfInput, path: string): bigint {
  if (typeof value === 'bigint') return value;
  if (typeof value === 'boolean') return value ? 1n : 0n;
  if (typeof value !== 'number') throw new ValueRefused(path, `${shown(value)} is no number`);
  if (Number.isSafeInteger(value)) return BigInt(value);
  throw new ValueRefused(path, `${value} is no exact integer; a bigint is, beyond 2^53`);
}

const shown = (value: BtfInput): string => {
  if (typeof value === 'string') return `"${value}"`;
  if (typeof value !== 'object') return String(value);
  return Array.isArray(value) || value instanceof Uint8Array ? 'an array' : 'an object';
};
