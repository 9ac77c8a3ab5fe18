/**
 * The cold description of a layout: for dumps, the study page, and the test that holds the
 * accessors against it.
 */
export interface Field {
  readonly name: string;
  /** Byte offset of the 32-bit word within the structure. */
  readonly byte: number;
  /** Highest and lowest bit, inclusive. */
  readonly hi: number;
  readonly lo: number;
  readonly means: string;
}

export const field = (
  name: string,
  byte: number,
  hi: number,
  lo: number,
  means: string,
): Field => ({
  name,
  byte,
  hi,
  lo,
  means,
});

/** Value of a field in a structure at `at`. */
export function readField(words: Int32Array, at: number, f: Field): number {
  const word = words[(at + f.byte) >> 2]! >>> 0;
  const width = f.hi - f.lo + 1;
  return Math.floor(word / 2 ** f.lo) % 2 ** width;
}
