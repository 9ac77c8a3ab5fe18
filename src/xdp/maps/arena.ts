/**
 * The memory of maps: blocks of any size out of one region, first fit, given back whole.
 *
 * Every block starts on a 64-byte boundary and is zero. Free runs are kept in address order and
 * merged with their neighbours, so that maps which come and go do not wear the region out.
 */
import { bugOn } from '../../host/errors.ts';
import type { HostAddr, HostMemory, Region } from '../../host/memory.ts';
import type { Opened } from './openMemory.ts';
import { OpenMemory } from './openMemory.ts';

/** Blocks begin and end at multiples of this. */
export const ARENA_GRAIN: number = 64;

interface Run {
  at: HostAddr;
  bytes: number;
}

export class MapArena {
  readonly region: Region;
  private readonly mem: HostMemory;
  private readonly free: Run[];
  private readonly taken: Map<HostAddr, number> = new Map();
  private readonly opened = new OpenMemory();
  /** Memory from here on was never handed out: it is zero, and costs the host nothing yet. */
  private untouched: HostAddr;

  constructor(mem: HostMemory, region: Region) {
    this.mem = mem;
    this.region = region;
    this.free = [{ at: region.at, bytes: region.bytes }];
    this.untouched = region.at;
  }

  /** Bytes that nobody holds; not all of them need be in one piece. */
  get freeBytes(): number {
    return this.free.reduce((sum, run) => sum + run.bytes, 0);
  }

  /** @returns a zeroed block, or 0 when no free run is long enough */
  alloc(bytes: number): HostAddr {
    const size = Math.max(ARENA_GRAIN, Math.ceil(bytes / ARENA_GRAIN) * ARENA_GRAIN);
    const i = this.free.findIndex((run) => run.bytes >= size);
    if (i < 0) return 0;
    const run = this.free[i]!;
    const at = run.at;
    run.at += size;
    run.bytes -= size;
    if (run.bytes === 0) this.free.splice(i, 1);
    this.taken.set(at, size);
    this.mem.fill(at, Math.min(size, Math.max(0, this.untouched - at)), 0);
    this.untouched = Math.max(this.untouched, at + size);
    return at;
  }

  /** Programs may touch the block at `at` where `opened` says so; other blocks nowhere. */
  open(at: HostAddr, opened: Opened): void {
    const bytes = this.taken.get(at);
    bugOn(bytes === undefined, 'map memory opened that was not allocated');
    this.opened.add(at, bytes!, opened);
  }

  /** May a program touch these bytes? For checked mode. */
  allows(at: HostAddr, len: number, write: boolean): boolean {
    return this.opened.allows(at, len, write);
  }

  /** Give a block back. 0 is nothing. */
  release(at: HostAddr): void {
    if (at === 0) return;
    const bytes = this.taken.get(at);
    bugOn(bytes === undefined, 'map memory freed that was not allocated');
    this.taken.delete(at);
    this.opened.remove(at);
    let i = this.free.findIndex((run) => run.at > at);
    if (i < 0) i = this.free.length;
    this.free.splice(i, 0, { at, bytes: bytes! });
    this.merge(i);
    this.merge(i - 1);
  }

  /** Join run `i` with the one behind it when they touch. */
  private merge(i: number): void {
    const run = this.free[i];
    const next = this.free[i + 1];
    if (run === undefined || next === undefined || run.at + run.bytes !== next.at) return;
    run.bytes += next.bytes;
    this.free.splice(i + 1, 1);
  }
}
