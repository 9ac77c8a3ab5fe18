/**
 * Integers of any width at any bit of little-endian bytes: what ints, enumerations, pointers and
 * bitfields are made of.
 */

/** @param at first bit @param bits 0 to 128; types of hostile objects have none, and are 0 */
export function readBits(bytes: Uint8Array, at: number, bits: number, signed: boolean): bigint {
  if (bits === 0) return 0n;
  let value = 0n;
  const last = (at + bits - 1) >>> 3;
  for (let i = last; i >= at >>> 3; i--) value = (value << 8n) | BigInt(bytes[i]!);
  value >>= BigInt(at & 7);
  return signed ? BigInt.asIntN(bits, value) : BigInt.asUintN(bits, value);
}

/** Leaves the bits around as they are. */
export function writeBits(bytes: Uint8Array, at: number, bits: number, value: bigint): void {
  let rest = BigInt.asUintN(bits, value);
  for (let bit = at; bit < at + bits;) {
    const inByte = bit & 7;
    const taken = Math.min(8 - inByte, at + bits - bit);
    const mask = ((1 << taken) - 1) << inByte;
    const byte = (Number(rest & 0xffn) << inByte) & mask;
    bytes[bit >>> 3] = (bytes[bit >>> 3]! & ~mask) | byte;
    rest >>= BigInt(taken);
    bit += taken;
  }
}

/** The same value with its bytes the other way round. */
export function swapBytes(value: bigint, bytes: number, signed: boolean): bigint {
  let swapped = 0n;
  let rest = BigInt.asUintN(bytes * 8, value);
  for (let i = 0; i < bytes; i++, rest >>= 8n) swapped = (swapped << 8n) | (rest & 0xffn);
  return signed ? BigInt.asIntN(bytes * 8, swapped) : swapped;
}
