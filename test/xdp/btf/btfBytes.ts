/** Type information written by hand: each type as 32-bit words, names as offsets into `strings`. */
export function btfBytes(types: readonly (readonly number[])[], strings = '\0'): Uint8Array {
  const words = types.flat();
  const text = new TextEncoder().encode(strings);
  const bytes = new Uint8Array(24 + words.length * 4 + text.length);
  const view = new DataView(bytes.buffer);
  view.setUint16(0, 0xeb9f, true);
  view.setUint8(2, 1);
  [24, 0, words.length * 4, words.length * 4, text.length].forEach((value, i) =>
    view.setUint32(4 + i * 4, value, true),
  );
  words.forEach((word, i) => view.setUint32(24 + i * 4, word, true));
  bytes.set(text, 24 + words.length * 4);
  return bytes;
}
