/**
 * Elements of one size for one map: a free list through their first words, the last freed first
 * reused, as preallocated elements are in Linux.
 *
 * A map that allocates on demand grows by chunks, up to 256 MiB: that much is set aside for it, and
 * further elements are refused as when Linux is out of memory. What a program still points to after
 * a delete stays readable, but may belong to another element by then.
 *
 * @linux pcpu_freelist; kernel/bpf/percpu_freelist.c
 */
import type { HostAddr, HostMemory } from '../../host/memory.ts';
import type { MapArena } from './arena.ts';
import { ARENA_GRAIN } from './arena.ts';
import type { MapDef } from './mapDef.ts';
import { openElems } from './openMemory.ts';

const CHUNK_BYTES = 65536;

/** What a map that allocates on demand may take for elements. */
const ON_DEMAND_BYTES = 256 * 2 ** 20;

const elemsInChunk = (elemBytes: number): number =>
  Math.max(1, Math.floor(CHUNK_BYTES / elemBytes));

/** How many of `wanted` elements a map that allocates on demand can come to have. */
export const onDemandElems = (wanted: number, elemBytes: number): number =>
  Math.min(wanted, Math.floor(ON_DEMAND_BYTES / elemBytes));

/** Bytes that they take, and the ends of chunks. */
export function onDemandBytes(wanted: number, elemBytes: number): number {
  const elems = onDemandElems(wanted, elemBytes);
  const chunks = Math.ceil(elems / elemsInChunk(elemBytes));
  return elems * elemBytes + chunks * ARENA_GRAIN;
}

export class ElemSlab {
  private readonly mem: HostMemory;
  private readonly arena: MapArena;
  private readonly elemBytes: number;
  private readonly def: MapDef;
  private readonly keyAt: number;
  private readonly valueAt: number;
  /** Elements that may still be added. */
  private room: number;
  private readonly chunks: HostAddr[] = [];
  private free: HostAddr = 0;

  /**
   * @param elem its bytes, a multiple of 8, and where in it programs find key and value
   * @param maxElems how many there may be at once
   */
  constructor(
    mem: HostMemory,
    arena: MapArena,
    def: MapDef,
    elem: { readonly bytes: number; readonly keyAt: number; readonly valueAt: number },
    maxElems: number,
  ) {
    this.mem = mem;
    this.arena = arena;
    this.def = def;
    this.elemBytes = elem.bytes;
    this.keyAt = elem.keyAt;
    this.valueAt = elem.valueAt;
    this.room = maxElems;
  }

  /** Take the memory of all elements now. @returns false: there is not enough */
  prealloc(): boolean {
    return this.room === 0 || this.grow(this.room);
  }

  /** An element with unspecified content, or 0: none left, or no memory. */
  alloc(): HostAddr {
    if (this.free === 0 && !this.growChunk()) return 0;
    const elem = this.free;
    this.free = this.mem.words[elem >> 2]!;
    return elem;
  }

  release(elem: HostAddr): void {
    this.mem.words[elem >> 2] = this.free;
    this.free = elem;
  }

  destroy(): void {
    for (const chunk of this.chunks) this.arena.release(chunk);
  }

  private growChunk(): boolean {
    const n = Math.min(this.room, elemsInChunk(this.elemBytes));
    return n !== 0 && this.grow(n);
  }

  private grow(n: number): boolean {
    const chunk = this.arena.alloc(n * this.elemBytes);
    if (chunk === 0) return false;
    this.chunks.push(chunk);
    const { def, elemBytes: stride, keyAt, valueAt } = this;
    this.arena.open(chunk, openElems(def, { stride, keyAt, valueAt, bytes: n * stride }));
    this.room -= n;
    for (let i = n - 1; i >= 0; i--) this.release(chunk + i * this.elemBytes);
    return true;
  }
}
