/**
 * Compiled modules by their content: machines of one layout that load the same program share what
 * the engine made of it.
 */
interface Entry {
  readonly bytes: Uint8Array;
  readonly module: WebAssembly.Module;
}

/** Modules kept; the oldest goes first. */
const MOST = 256;

const entries: Map<number, Entry> = new Map();

export function moduleOf(bytes: Uint8Array<ArrayBuffer>): WebAssembly.Module {
  const key = hashOf(bytes);
  const known = entries.get(key);
  if (known !== undefined && isEqual(known.bytes, bytes)) return known.module;
  const module = new WebAssembly.Module(bytes);
  entries.delete(key);
  if (entries.size >= MOST) entries.delete(entries.keys().next().value!);
  entries.set(key, { bytes, module });
  return module;
}

/** FNV-1a. */
function hashOf(bytes: Uint8Array): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < bytes.length; i++) hash = Math.imul(hash ^ bytes[i]!, 0x01000193);
  return hash;
}

const isEqual = (a: Uint8Array, b: Uint8Array): boolean =>
  a.length === b.length && a.every((byte, i) => byte === b[i]);
