/**
 * Live maps by id, and by the address that stands for a map in a program's register.
 *
 * Each map has a struct of 64 bytes in host memory, whose first word is its id: its address is the
 * map's handle, so that a map-in-map's value can hold it. Handles are used again; ids are not.
 *
 * @linux struct bpf_map; include/linux/bpf.h
 */
import type { HostAddr } from '../../host/memory.ts';
import type { MapArena } from './arena.ts';
import type { BpfMap } from './bpfMap.ts';

const STRUCT_SHIFT = 6;

/** Maps that can be alive at once. */
export const MAX_MAPS = 1024;

/** Bytes of all structs. */
export const MAP_STRUCTS_BYTES: number = MAX_MAPS << STRUCT_SHIFT;

export class MapTable {
  private readonly base: HostAddr;
  private readonly byHandle: (BpfMap | undefined)[] = [];
  private readonly byId: Map<number, BpfMap> = new Map();
  private readonly freed: HostAddr[] = [];

  constructor(arena: MapArena) {
    this.base = arena.alloc(MAP_STRUCTS_BYTES);
  }

  /** The map that `handle` points to; undefined for any other number. */
  at(handle: HostAddr): BpfMap | undefined {
    const offset = handle - this.base;
    return (offset & 63) === 0 ? this.byHandle[offset >> STRUCT_SHIFT] : undefined;
  }

  get(id: number): BpfMap | undefined {
    return this.byId.get(id);
  }

  /** In the order in which they were made. */
  values(): IterableIterator<BpfMap> {
    return this.byId.values();
  }

  /** A struct for a new map, or 0 when there are too many. */
  newHandle(): HostAddr {
    const again = this.freed.pop();
    if (again !== undefined) return again;
    if (this.base === 0 || this.byHandle.length === MAX_MAPS) return 0;
    this.byHandle.push(undefined);
    return this.base + ((this.byHandle.length - 1) << STRUCT_SHIFT);
  }

  /** The map could not be made. */
  giveBack(handle: HostAddr): void {
    this.freed.push(handle);
  }

  add(map: BpfMap): void {
    this.byHandle[(map.handle - this.base) >> STRUCT_SHIFT] = map;
    this.byId.set(map.id, map);
  }

  remove(map: BpfMap): void {
    this.byHandle[(map.handle - this.base) >> STRUCT_SHIFT] = undefined;
    this.byId.delete(map.id);
    this.giveBack(map.handle);
  }
}
