/**
 * One place in host memory for a key, a next key and a value, shared by all maps: user space's
 * bytes pass through it. It grows to what the largest map needs. Besides, the index that a walk
 * over an array shows its callback, one for each walk inside another.
 */
import type { HostAddr } from '../../host/memory.ts';
import type { MapArena } from './arena.ts';
import { round8 } from './mapDef.ts';

const WALKS = 16;

export class MapScratch {
  private readonly arena: MapArena;
  private keyBytes = 0;
  private valueBytes = 0;
  key: HostAddr = 0;
  nextKey: HostAddr = 0;
  value: HostAddr = 0;
  private readonly walkKeys: HostAddr;
  private walks = 0;

  constructor(arena: MapArena) {
    this.arena = arena;
    this.walkKeys = arena.alloc(WALKS * 8);
    // without memory for maps there is nothing to walk over
    if (this.walkKeys === 0) return;
    arena.open(this.walkKeys, (off, len, write) => !write && (off % 8) + len <= 4);
  }

  /** A word for the walk that begins; calls cannot nest as deep as there are words. */
  enterWalk(): HostAddr {
    return this.walkKeys + (this.walks++ % WALKS) * 8;
  }

  leaveWalk(): void {
    this.walks--;
  }

  /** @param valueBytes as user space sees a value, all CPUs of it @returns false: no memory left */
  ensure(keyBytes: number, valueBytes: number): boolean {
    if (keyBytes <= this.keyBytes && valueBytes <= this.valueBytes) return true;
    const keys = round8(Math.max(keyBytes, this.keyBytes));
    const values = round8(Math.max(valueBytes, this.valueBytes));
    const at = this.arena.alloc(2 * keys + values);
    if (at === 0) return false;
    this.arena.release(this.key);
    this.keyBytes = keys;
    this.valueBytes = values;
    this.key = at;
    this.nextKey = at + keys;
    this.value = at + 2 * keys;
    return true;
  }
}
