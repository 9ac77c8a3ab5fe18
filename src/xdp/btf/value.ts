/** Values of C types in JavaScript, and how one that does not fit is refused. */

/**
 * int        number, where it is exact; otherwise bigint           bool, bit of a flag   boolean
 * enum       the name of its value, or a number without one        float                 number
 * pointer    number or bigint, as an int of 8 bytes
 * array      array; of char, a text, if it is one with zeros behind
 * struct     object, the members of anonymous ones among its own   union                 object of all
 */
export type BtfValue =
  | number
  | bigint
  | boolean
  | string
  | readonly BtfValue[]
  | { readonly [member: string]: BtfValue };

/** What may stand for a value: as above, or its bytes; members and elements left out are zero. */
export type BtfInput =
  | number
  | bigint
  | boolean
  | string
  | Uint8Array
  | readonly BtfInput[]
  | { readonly [member: string]: BtfInput };

/** A value that its type cannot hold; the message names the place in it. */
export class ValueRefused extends Error {
  constructor(path: string, reason: string) {
    super(`${path}: ${reason}`);
    this.name = 'ValueRefused';
  }
}

/** Structs in structs, arrays in arrays. */
export const MAX_NESTING = 64;
/** Numbers in one value: hostile types can name the same bytes over and over. */
export const MAX_PARTS: number = 1 << 20;

/** Declared in network byte order, and so read as what they mean. */
const BIG_ENDIAN: readonly string[] = ['__be16', '__be32', '__be64'];

export const isBigEndian = (typedef: string): boolean => BIG_ENDIAN.includes(typedef);

/** The range of an integer of so many bits. */
export const rangeOf = (bits: number, signed: boolean): readonly [least: bigint, most: bigint] => {
  const half = 1n << BigInt(bits - 1);
  return signed ? [-half, half - 1n] : [0n, 2n * half - 1n];
};
