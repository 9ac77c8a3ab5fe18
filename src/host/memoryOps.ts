/**
 * Bulk memory operations as a hand-encoded WebAssembly module of three functions.
 *
 *   copy(dst, src, len)   memory.copy; the ranges may overlap
 *   fill(at, byte, len)   memory.fill
 *   csum(at, len)         sum of little-endian 16-bit words, folded to 16 bits, not complemented
 *
 * `memory.copy` called from JavaScript beats every JavaScript copy at every frame size
 * (64 B: 9 ns against 24 for `copyWithin`), which is why the module exists.
 */
import { I32, I64, WasmCode, WasmModule } from './wasm.ts';

export interface MemoryOps {
  copy(dst: number, src: number, len: number): void;
  fill(at: number, byte: number, len: number): void;
  csum(at: number, len: number): number;
}

const EMPTY = 0x40;

const get = (i: number): number[] => [0x20, i];
const set = (i: number): number[] => [0x21, i];
/** @param n below 64, one byte of signed LEB128 */
const i32 = (n: number): number[] => [0x41, n];
const MEMORY_COPY = [0xfc, 0x0a, 0, 0];
const MEMORY_FILL = [0xfc, 0x0b, 0];

const AT = 0;
const LEN = 1;
const SUM = 2; // i64: 2^32 words of 32 bits fit before it could wrap

/** `while (len >= step) { sum += load(at); at += step; len -= step }` */
const sumLoop = (step: number, load: number[]): number[] => [
  ...[0x02, EMPTY, 0x03, EMPTY],
  ...[...get(LEN), ...i32(step), 0x49, 0x0d, 1], // i32.lt_u, br_if out
  ...[...get(SUM), ...get(AT), ...load, 0x7c, ...set(SUM)], // i64.add
  ...[...get(AT), ...i32(step), 0x6a, ...set(AT)],
  ...[...get(LEN), ...i32(step), 0x6b, ...set(LEN)],
  ...[0x0c, 0, 0x0b, 0x0b],
];

/** `sum = (sum & mask(bits)) + (sum >> bits)` */
const fold = (bits: number, mask: number[]): number[] => [
  ...[...get(SUM), 0x42, ...mask, 0x83], // i64.const, i64.and
  ...[...get(SUM), 0x42, bits, 0x88, 0x7c, ...set(SUM)], // i64.shr_u, i64.add
];
const MASK_32 = [0xff, 0xff, 0xff, 0xff, 0x0f];
const MASK_16 = [0xff, 0xff, 0x03];

const CSUM = [
  ...sumLoop(4, [0x35, 0, 0]), // i64.load32_u, unaligned
  ...sumLoop(2, [0x33, 0, 0]), // i64.load16_u
  ...sumLoop(1, [0x31, 0, 0]), // i64.load8_u: an odd last byte is the low half of a word
  ...fold(32, MASK_32),
  ...fold(32, MASK_32),
  ...fold(16, MASK_16),
  ...fold(16, MASK_16),
  ...fold(16, MASK_16),
  ...[...get(SUM), 0xa7], // i32.wrap_i64
];

function encodeModule(): Uint8Array<ArrayBuffer> {
  const module = new WasmModule();
  const three = module.type([I32, I32, I32], []);
  const sum = module.type([I32, I32], [I32]);
  const add = (name: string, type: number, locals: number[], code: number[]): void => {
    const own = module.declare();
    module.define(own, type, locals, new WasmCode().raw(code));
    module.exportFunction(name, own);
  };
  module.importMemory('host', 'memory');
  add('copy', three, [], [...get(0), ...get(1), ...get(2), ...MEMORY_COPY]);
  add('fill', three, [], [...get(0), ...get(1), ...get(2), ...MEMORY_FILL]);
  add('csum', sum, [I64], CSUM);
  return module.encode();
}

const MODULE = encodeModule();

/** Instantiate the module over `memory`. Synchronous: it is under 300 bytes. */
export function memoryOps(memory: WebAssembly.Memory): MemoryOps {
  const instance = new WebAssembly.Instance(new WebAssembly.Module(MODULE), { host: { memory } });
  return instance.exports as unknown as MemoryOps;
}
