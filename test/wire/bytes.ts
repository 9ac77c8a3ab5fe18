/** The bytes of a hex dump, in a view that holds exactly them: any read outside throws. */
export function hex(...lines: readonly string[]): DataView {
  const digits = lines.join('').replaceAll(/\s/g, '');
  const bytes = Uint8Array.from(digits.match(/../g) ?? [], (byte) => parseInt(byte, 16));
  return new DataView(bytes.buffer);
}

/** A view over a copy of exactly these bytes. */
export function exactView(bytes: Uint8Array): DataView {
  return new DataView(Uint8Array.from(bytes).buffer);
}

/** Hex digits of a view's bytes, without spaces. */
export function toHex(view: DataView): string {
  const bytes = new Uint8Array(view.buffer, view.byteOffset, view.byteLength);
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}
