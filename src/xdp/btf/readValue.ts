/** From bytes to a value, by type. */
import { readBits, swapBytes } from './bits.ts';
import type { Btf } from './btf.ts';
import type { BtfArray, BtfEnum, BtfMember, BtfType } from './types.ts';
import { isModifier } from './types.ts';
import type { BtfValue } from './value.ts';
import { isBigEndian, MAX_NESTING, MAX_PARTS } from './value.ts';

/**
 * @param bytes of one value of the type
 * @throws BtfError when the type has no values, or is nested without end
 */
export function readValue(btf: Btf, type: number, bytes: Uint8Array): BtfValue {
  const size = btf.sizeOf(type);
  if (bytes.length < size)
    throw btf.refuse(type, `${size} bytes a value; there are ${bytes.length}`);
  return new Reader(btf, bytes).value(type, 0, 0);
}

const utf8: TextDecoder = new TextDecoder('utf-8', { fatal: true });

class Reader {
  private readonly btf: Btf;
  private readonly bytes: Uint8Array;
  private parts = 0;

  constructor(btf: Btf, bytes: Uint8Array) {
    this.btf = btf;
    this.bytes = bytes;
  }

  /** @param at first byte */
  value(id: number, at: number, depth: number): BtfValue {
    const type = this.btf.resolve(id);
    if (depth > MAX_NESTING) throw this.btf.refuse(id, `values nested deeper than ${MAX_NESTING}`);
    if (++this.parts > MAX_PARTS) throw this.btf.refuse(id, `a value of over ${MAX_PARTS} parts`);
    this.within(type, at);
    switch (type.kind) {
      case 'array':
        return this.array(type, at, depth);
      case 'struct':
      case 'union':
        return this.members(type.members, at, depth);
      case 'datasec':
        return Object.fromEntries(
          type.vars.map((entry) => [
            this.btf.type(entry.type).name,
            this.value(entry.type, at + entry.offset, depth + 1),
          ]),
        );
      case 'var':
        return this.value(type.type, at, depth + 1);
      case 'float':
        return this.float(type, at);
      default:
        return this.scalar(id, type, at * 8, this.btf.sizeOf(type.id) * 8);
    }
  }

  private within(type: BtfType, at: number): void {
    const size = this.btf.sizeOf(type.id);
    if (at + size <= this.bytes.length) return;
    throw this.btf.refuse(
      type.id,
      `a part at byte ${at} reaches over the ${this.bytes.length} of the whole`,
    );
  }

  private members(members: readonly BtfMember[], at: number, depth: number): BtfValue {
    const entries = members.flatMap((member): [string, BtfValue][] => {
      const value = this.member(member, at, depth);
      const isAnonymous = member.name === '' && typeof value === 'object' && !Array.isArray(value);
      return isAnonymous ? Object.entries(value) : [[member.name, value]];
    });
    return Object.fromEntries(entries);
  }

  private member({ type: id, bitOffset, bits }: BtfMember, at: number, depth: number): BtfValue {
    const type = this.btf.resolve(id);
    if (bits > 0) return this.scalar(id, type, at * 8 + bitOffset, bits);
    if (type.kind === 'int' && type.bits < type.size * 8) {
      return this.scalar(id, type, at * 8 + bitOffset + type.bitOffset, type.bits);
    }
    return this.value(id, at + (bitOffset >>> 3), depth + 1);
  }

  private array({ type: id, count }: BtfArray, at: number, depth: number): BtfValue {
    const element = this.btf.resolve(id);
    if (element.kind === 'int' && element.size === 1 && element.name === 'char') {
      const text = textOf(this.bytes.subarray(at, at + count));
      if (text !== null) return text;
    }
    const size = this.btf.sizeOf(id);
    return Array.from({ length: Math.min(count, MAX_PARTS) }, (_, i) =>
      this.value(id, at + i * size, depth + 1),
    );
  }

  private scalar(id: number, type: BtfType, bit: number, bits: number): BtfValue {
    const signed = (type.kind === 'int' || type.kind === 'enum') && type.signed;
    if (bit + bits > this.bytes.length * 8) throw this.btf.refuse(id, 'a bitfield over the end');
    const raw = readBits(this.bytes, bit, bits, signed);
    if (type.kind === 'int' && type.bool) return raw !== 0n;
    if (type.kind === 'enum') return nameOf(type, raw) ?? exact(raw);
    const swapped = isDeclaredBigEndian(this.btf, id);
    return exact(swapped ? swapBytes(raw, bits / 8, signed) : raw);
  }

  private float(type: BtfType, at: number): BtfValue {
    const view = new DataView(this.bytes.buffer, this.bytes.byteOffset + at);
    const size = this.btf.sizeOf(type.id);
    if (size === 4) return view.getFloat32(0, true);
    if (size === 8) return view.getFloat64(0, true);
    throw this.btf.refuse(type.id, `a float of ${size} bytes`);
  }
}

const exact = (value: bigint): number | bigint => {
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : value;
};

const nameOf = ({ values }: BtfEnum, raw: bigint): string | undefined =>
  values.find(({ value }) => BigInt(value) === raw)?.name;

/** A text that its bytes can be made from again: valid, and nothing but zeros behind it. */
function textOf(bytes: Uint8Array): string | null {
  const end = bytes.indexOf(0);
  const text = end < 0 ? bytes : bytes.subarray(0, end);
  if (end >= 0 && bytes.subarray(end).some((byte) => byte !== 0)) return null;
  try {
    return utf8.decode(text);
  } catch {
    return null; // no UTF-8: its bytes are shown as numbers
  }
}

/** Is the type, on the way to its int, called `__be16`, `__be32` or `__be64`? */
export function isDeclaredBigEndian(btf: Btf, id: number): boolean {
  let type = btf.type(id);
  for (let depth = 0; isModifier(type) && depth < MAX_NESTING; depth++) {
    if (type.kind === 'typedef' && isBigEndian(type.name)) return true;
    type = btf.type(type.type);
  }
  return false;
}
