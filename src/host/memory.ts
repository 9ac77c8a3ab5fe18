/**
 * Host memory: one fixed `WebAssembly.Memory`, in which an address is one number.
 *
 * The same number is valid in a descriptor, in TypeScript and in compiled eBPF. Nothing ever
 * grows, so no view goes stale. Memory is laid out once, from the bottom up:
 *
 *   0x0000  null page     never handed out, reads zero
 *   0x1000  regions       one after the other, each a whole number of pages, carved by `region()`
 *
 * Sizes are decided by `machine.ts`; this file only refuses what cannot be addressed.
 */
import { memoryOps } from './memoryOps.ts';
import type { MemoryOps } from './memoryOps.ts';
import { RangeRefused } from './errors.ts';

/** A byte address in host memory; 0 is null. Always a positive int32. */
export type HostAddr = number;

/**
 * Host memory as little-endian 32-bit words: what descriptor accessors read and write through.
 * A word array instead of a DataView saves 5 to 8 % of a packet (bench/hsi.ts); the choice is
 * visible only in `nic/hsi` and the uapi layouts.
 */
export type HostWords = Int32Array;

export const PAGE_SHIFT = 12;
export const PAGE_SIZE: number = 1 << PAGE_SHIFT;
export const PAGE_MASK: number = ~(PAGE_SIZE - 1);

/** The largest memory whose every address is a positive int32: 2^31 - 64 KiB. */
export const MAX_MEMORY_BYTES: number = 2 ** 31 - 65536;

const WASM_PAGE = 65536;

/** A named, contiguous, page-aligned part of host memory. */
export interface Region {
  readonly name: string;
  readonly at: HostAddr;
  readonly bytes: number;
}

export class HostMemory {
  readonly memory: WebAssembly.Memory;
  readonly bytes: number;
  readonly view: DataView;
  readonly u8: Uint8Array;
  readonly words: HostWords;
  readonly doubles: Float64Array;
  readonly ops: MemoryOps;
  readonly regions: Region[] = [];
  private next: HostAddr = PAGE_SIZE;

  /**
   * @param bytes size wanted, rounded up to 64 KiB
   * @throws RangeRefused above `MAX_MEMORY_BYTES`
   */
  constructor(bytes: number) {
    const wasmPages = Math.ceil(bytes / WASM_PAGE);
    if (!(bytes > 0) || wasmPages * WASM_PAGE > MAX_MEMORY_BYTES) {
      throw new RangeRefused('host memory', `${bytes} bytes`, `1 to ${MAX_MEMORY_BYTES}`);
    }
    this.memory = new WebAssembly.Memory({ initial: wasmPages, maximum: wasmPages });
    this.bytes = wasmPages * WASM_PAGE;
    this.view = new DataView(this.memory.buffer);
    this.u8 = new Uint8Array(this.memory.buffer);
    this.words = new Int32Array(this.memory.buffer);
    this.doubles = new Float64Array(this.memory.buffer);
    this.ops = memoryOps(this.memory);
  }

  /**
   * Carve the next region off the unused end of memory.
   *
   * @param bytes rounded up to whole pages
   * @throws RangeRefused when memory was sized too small for it
   */
  region(name: string, bytes: number): Region {
    const size = Math.ceil(bytes / PAGE_SIZE) * PAGE_SIZE;
    if (this.next + size > this.bytes) {
      throw new RangeRefused(
        `host memory region ${name}`,
        `${size} bytes`,
        `${this.bytes - this.next} left`,
      );
    }
    const region: Region = { name, at: this.next, bytes: size };
    this.next += size;
    this.regions.push(region);
    return region;
  }

  /** `count` 32-bit words from `at` on, a multiple of 4. */
  wordsAt(at: HostAddr, count: number): HostWords {
    return this.words.subarray(at >>> 2, (at >>> 2) + count);
  }

  /** `count` doubles from `at` on, a multiple of 8. */
  doublesAt(at: HostAddr, count: number): Float64Array {
    return this.doubles.subarray(at >>> 3, (at >>> 3) + count);
  }

  /** Copy `len` bytes; the ranges may overlap. wasm `memory.copy`, the fastest at every size. */
  copy(dst: HostAddr, src: HostAddr, len: number): void {
    this.ops.copy(dst, src, len);
  }

  fill(at: HostAddr, len: number, byte: number): void {
    this.ops.fill(at, byte, len);
  }

  /** True while nothing has written to the page at address 0: the end-of-run assertion. */
  nullPageIsZero(): boolean {
    for (let i = 0; i < PAGE_SIZE >> 2; i++) if (this.words[i] !== 0) return false;
    return true;
  }
}
