/**
 * Arrays whose entries are kernel objects. User space names them by a file descriptor on Linux;
 * here, where there are none, by the object's id, and reads the id back.
 *
 * @linux fd_array_map_alloc_check, bpf_fd_array_map_update_elem; kernel/bpf/arraymap.c
 */
import { E2BIG, EINVAL, ENOENT } from '../../host/errno.ts';
import type { HostAddr } from '../../host/memory.ts';
import type { Bpf } from '../bpf.ts';
import { arrayNextKey, indexAt } from './arrayMap.ts';
import { BpfMap } from './bpfMap.ts';
import type { MapDef } from './mapDef.ts';
import { boundObjects } from './mapDef.ts';
import { BPF_ANY } from './uapi.ts';

export abstract class FdArray<T> extends BpfMap {
  protected readonly entries: (T | null)[];

  /** @throws MapError for too many entries */
  constructor(bpf: Bpf, def: MapDef, handle: HostAddr) {
    super(bpf, def, handle);
    boundObjects(def);
    this.entries = Array.from({ length: def.maxEntries }, () => null);
  }

  protected override destroy(): void {
    for (let index = 0; index < this.entries.length; index++) this.drop(index);
  }

  /** The entry at `index`, or null. */
  get(index: number): T | null {
    return this.entries[index] ?? null;
  }

  /** The object that user space names, or a negative errno. @linux map_fd_get_ptr */
  protected abstract takeEntry(id: number): T | number;

  /** The map no longer holds it. @linux map_fd_put_ptr */
  protected abstract putEntry(entry: T): void;

  protected override copyIn(key: HostAddr, value: HostAddr, flags: number): number {
    if (flags !== BPF_ANY) return -EINVAL;
    const index = indexAt(this.mem, key);
    if (index >= this.maxEntries) return -E2BIG;
    const entry = this.takeEntry(this.mem.words[value >> 2]!);
    if (typeof entry === 'number') return entry;
    this.drop(index);
    this.entries[index] = entry;
    return 0;
  }

  override updateElem(_key: HostAddr, _value: HostAddr, _flags: number): number {
    return -EINVAL;
  }

  override deleteElem(key: HostAddr): number {
    const index = indexAt(this.mem, key);
    if (index >= this.maxEntries) return -E2BIG;
    return this.drop(index) ? 0 : -ENOENT;
  }

  override getNextKey(key: HostAddr, next: HostAddr): number {
    return arrayNextKey(this, key, next);
  }

  private drop(index: number): boolean {
    const old = this.entries[index] ?? null;
    this.entries[index] = null;
    if (old !== null) this.putEntry(old);
    return old !== null;
  }
}
