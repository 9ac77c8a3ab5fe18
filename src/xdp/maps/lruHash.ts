/**
 * Hash maps that make room by forgetting what was not used for long, shared and per CPU.
 *
 * A lookup by a program is a use; one by user space is not. Which element goes is `LruList`'s.
 *
 *   element   +0 next | +4 hash | 16 bytes of LRU | key, padded to 8 | value, once or once per CPU
 *
 * @linux htab_lru_map_update_elem, __htab_lru_percpu_map_update_elem; kernel/bpf/hashtab.c
 */
import { EINVAL, ENOMEM } from '../../host/errno.ts';
import type { HostAddr } from '../../host/memory.ts';
import type { Bpf } from '../bpf.ts';
import { mapStorage } from './arrayMap.ts';
import { copyBytes } from './bpfMap.ts';
import { Htab } from './htab.ts';
import { LRU_HEAD_BYTES, LruList, lruHeadsBytes } from './lruList.ts';
import type { MapDef } from './mapDef.ts';
import { round8 } from './mapDef.ts';
import { openElems } from './openMemory.ts';
import { BPF_EXIST, BPF_F_NO_COMMON_LRU } from './uapi.ts';

/** Bytes of one element of an LRU map. */
const lruElemBytes = (def: MapDef, values: number): number =>
  LRU_HEAD_BYTES + round8(def.keySize) + values * round8(def.valueSize);

/** Lists per CPU want the same number of elements each: up to the next multiple. */
const lruEntries = (def: MapDef, cpus: number): number =>
  (def.flags & BPF_F_NO_COMMON_LRU) === 0
    ? def.maxEntries
    : Math.ceil(def.maxEntries / cpus) * cpus;

/** Bytes of elements and list heads. */
export const lruBytes = (def: MapDef, values: number, cpus: number): number =>
  lruEntries(def, cpus) * lruElemBytes(def, values) + lruHeadsBytes(cpus);

abstract class LruHtab extends Htab {
  protected readonly lru: LruList;
  private readonly storage: HostAddr;

  /** @param values of an element: one, or one for each CPU */
  constructor(bpf: Bpf, def: MapDef, handle: HostAddr, values: number, userValueSize: number) {
    const count = lruEntries(def, bpf.cpus);
    super(bpf, { ...def, maxEntries: count }, handle, LRU_HEAD_BYTES, userValueSize);
    this.storage = mapStorage(bpf, def, lruBytes(def, values, bpf.cpus));
    const elemBytes = lruElemBytes(def, values);
    const at = this.storage + lruHeadsBytes(bpf.cpus);
    const valueAt = LRU_HEAD_BYTES + round8(def.keySize);
    const bytes = count * elemBytes;
    const opened = openElems(def, { stride: elemBytes, keyAt: LRU_HEAD_BYTES, valueAt, bytes });
    const heads = lruHeadsBytes(bpf.cpus);
    bpf.arena.open(
      this.storage,
      (off, len, write) => off >= heads && opened(off - heads, len, write),
    );
    const perCpu = (def.flags & BPF_F_NO_COMMON_LRU) !== 0;
    const evict = (elem: HostAddr): void => {
      this.unlink(elem);
      this.endElem(elem);
    };
    this.lru = new LruList(bpf, this.storage, { at, count, elemBytes }, perCpu, evict);
  }

  protected override destroy(): void {
    super.destroy();
    this.bpf.arena.release(this.storage);
  }

  override lookupElem(key: HostAddr): HostAddr {
    const elem = this.lookup(key);
    if (elem === 0) return 0;
    this.lru.touch(elem);
    return this.elemValue(elem);
  }

  protected override freeElem(elem: HostAddr): void {
    this.endElem(elem);
    this.lru.push(elem);
  }

  private endElem(elem: HostAddr): void {
    if (this.special.length !== 0) this.freeSpecial(elem + this.valueAt);
  }
}

export class LruHashMap extends LruHtab {
  /** @throws MapError without memory */
  constructor(bpf: Bpf, def: MapDef, handle: HostAddr) {
    super(bpf, def, handle, 1, def.valueSize);
  }

  /** The new element is taken before the old one is looked for: that may be the one to go. */
  override updateElem(key: HostAddr, value: HostAddr, flags: number): number {
    if (flags >>> 0 > BPF_EXIST) return -EINVAL;
    const at = this.wordKey(key);
    const hash = this.hashOf(at);
    const elem = this.lru.pop();
    if (elem === 0) return -ENOMEM;
    this.initSpecial(elem + this.valueAt);
    this.copyMapValue(elem + this.valueAt, value);
    const old = this.find(at, hash);
    const rc = this.refused(old, flags);
    if (rc !== 0) {
      this.lru.push(elem);
      return rc;
    }
    this.link(elem, at, hash);
    if (old !== 0) {
      this.lru.touch(elem);
      this.unlink(old);
      this.freeElem(old);
    }
    return 0;
  }
}

export class LruPercpuHashMap extends LruHtab {
  /** Bytes of one CPU's value. */
  private readonly stride: number;

  /** @throws MapError without memory */
  constructor(bpf: Bpf, def: MapDef, handle: HostAddr) {
    super(bpf, def, handle, bpf.cpus, bpf.cpus * round8(def.valueSize));
    this.stride = round8(def.valueSize);
  }

  override lookupPercpuElem(key: HostAddr, cpu: number): HostAddr {
    const elem = cpu < this.bpf.cpus ? this.lookup(key) : 0;
    if (elem === 0) return 0;
    this.lru.touch(elem);
    return elem + this.valueAt + cpu * this.stride;
  }

  override updateElem(key: HostAddr, value: HostAddr, flags: number): number {
    return this.update(key, value, flags, false);
  }

  protected override copyIn(key: HostAddr, value: HostAddr, flags: number): number {
    return this.update(key, value, flags, true);
  }

  private update(key: HostAddr, value: HostAddr, flags: number, all: boolean): number {
    if (flags >>> 0 > BPF_EXIST) return -EINVAL;
    const at = this.wordKey(key);
    const hash = this.hashOf(at);
    const fresh = flags === BPF_EXIST ? 0 : this.lru.pop();
    if (fresh === 0 && flags !== BPF_EXIST) return -ENOMEM;
    const old = this.find(at, hash);
    const rc = this.refused(old, flags);
    const elem = old === 0 ? fresh : old;
    if (rc === 0) {
      if (old !== 0) this.lru.touch(old);
      else this.link(fresh, at, hash);
      this.write(elem, value, all, old === 0);
    }
    if (fresh !== 0 && (rc !== 0 || old !== 0)) this.lru.push(fresh);
    return rc;
  }

  private write(elem: HostAddr, value: HostAddr, all: boolean, fresh: boolean): void {
    if (all) copyBytes(this.mem, elem + this.valueAt, value, this.userValueSize);
    else {
      if (fresh) this.mem.fill(elem + this.valueAt, this.userValueSize, 0);
      copyBytes(this.mem, this.elemValue(elem), value, this.valueSize);
    }
  }

  protected override elemValue(elem: HostAddr): HostAddr {
    return elem + this.valueAt + this.bpf.xdp.cpu.id * this.stride;
  }

  protected override elemValueOut(elem: HostAddr, into: HostAddr): void {
    this.mem.copy(into, elem + this.valueAt, this.userValueSize);
  }
}
