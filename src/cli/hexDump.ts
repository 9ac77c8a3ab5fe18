/** Bytes as packet tools print them: offset, sixteen in hex, the printable ones. */
const ROW = 16;

export function hexDump(bytes: Uint8Array): string[] {
  return Array.from({ length: Math.ceil(bytes.length / ROW) }, (_, row) => {
    const part = [...bytes.subarray(row * ROW, (row + 1) * ROW)];
    const hex = part.map((byte) => byte.toString(16).padStart(2, '0')).join(' ');
    const text = part.map((b) => (b >= 32 && b < 127 ? String.fromCharCode(b) : '.')).join('');
    const offset = (row * ROW).toString(16).padStart(4, '0');
    return `  ${offset}  ${hex.padEnd(3 * ROW - 1)}  ${text}`;
  });
}
