/**
 * Hash maps, shared and per CPU.
 *
 * Preallocated by default: all elements exist from the start, and one more per CPU, which an update
 * of a present key writes and puts in the old element's place; the old one becomes that CPU's
 * spare. So a program that still holds the old value's address sees the old value, as on Linux.
 * With BPF_F_NO_PREALLOC elements are taken as they are needed, see `elemSlab.ts`.
 *
 *   element   +0 next | +4 hash | key, padded to 8 | value, padded to 8, once or once per CPU
 *
 * @linux htab_map_update_elem, __htab_percpu_map_update_elem; kernel/bpf/hashtab.c
 */
import { EINVAL, ENOMEM } from '../../host/errno.ts';
import type { HostAddr } from '../../host/memory.ts';
import type { Bpf } from '../bpf.ts';
import { copyBytes } from './bpfMap.ts';
import { ElemSlab, onDemandElems } from './elemSlab.ts';
import { ELEM_HEAD_BYTES, Htab } from './htab.ts';
import type { MapDef } from './mapDef.ts';
import { MapError, round8 } from './mapDef.ts';
import { BPF_EXIST, BPF_F_LOCK, BPF_F_NO_PREALLOC } from './uapi.ts';

/** Bytes of one element of a hash map. */
export const hashElemBytes = (def: MapDef, values: number): number =>
  ELEM_HEAD_BYTES + round8(def.keySize) + values * round8(def.valueSize);

export const isPrealloc = (def: MapDef): boolean => (def.flags & BPF_F_NO_PREALLOC) === 0;

/** @throws MapError when memory ends before all elements are there */
export function elemsOf(bpf: Bpf, def: MapDef, elemBytes: number, count: number): ElemSlab {
  const valueAt = ELEM_HEAD_BYTES + round8(def.keySize);
  const elem = { bytes: elemBytes, keyAt: ELEM_HEAD_BYTES, valueAt };
  const prealloc = isPrealloc(def);
  const room = prealloc ? count : onDemandElems(count, elemBytes);
  const elems = new ElemSlab(bpf.mem, bpf.arena, def, elem, room);
  if (prealloc && !elems.prealloc()) {
    const left = bpf.arena.freeBytes;
    const needs = `${count} elements of ${elemBytes} bytes`;
    throw new MapError(def, ENOMEM, `needs ${needs} of map memory, ${left} bytes are left`);
  }
  return elems;
}

export class HashMap extends Htab {
  private readonly elems: ElemSlab;
  /** One element that is in no chain for each CPU; none when elements are allocated on demand. */
  private readonly spare: HostAddr[] = [];
  private count = 0;

  /** @throws MapError without memory */
  constructor(bpf: Bpf, def: MapDef, handle: HostAddr) {
    super(bpf, def, handle, ELEM_HEAD_BYTES, def.valueSize);
    const spares = isPrealloc(def) ? bpf.cpus : 0;
    // on demand, a new element exists for a moment beside the one it replaces
    const count = def.maxEntries + Math.max(1, spares);
    this.elems = elemsOf(bpf, def, hashElemBytes(def, 1), count);
    for (let cpu = 0; cpu < spares; cpu++) this.spare.push(this.elems.alloc());
  }

  protected override destroy(): void {
    super.destroy();
    this.elems.destroy();
  }

  override lookupElem(key: HostAddr): HostAddr {
    const elem = this.lookup(key);
    return elem === 0 ? 0 : elem + this.valueAt;
  }

  override updateElem(key: HostAddr, value: HostAddr, flags: number): number {
    const bad = this.badFlags(flags);
    if (bad !== 0) return bad;
    const at = this.wordKey(key);
    const hash = this.hashOf(at);
    const old = this.find(at, hash);
    const rc = this.refused(old, flags);
    if (rc !== 0) return rc;
    if (old !== 0 && (flags & BPF_F_LOCK) !== 0) {
      this.copyMapValue(old + this.valueAt, value);
      return 0;
    }
    const elem = this.takeElem(old);
    if (elem <= 0) return elem;
    this.initSpecial(elem + this.valueAt);
    this.copyMapValue(elem + this.valueAt, value);
    this.link(elem, at, hash);
    if (old !== 0) this.replace(old);
    return 0;
  }

  /** @returns an element, or a negative errno @linux alloc_htab_elem */
  private takeElem(old: HostAddr): HostAddr {
    const spare = this.spare[this.bpf.xdp.cpu.id];
    if (old !== 0 && spare !== undefined) return spare;
    if (old === 0 && this.count === this.maxEntries) return Htab.FULL;
    const elem = this.elems.alloc();
    if (elem === 0) return -ENOMEM;
    this.count++;
    return elem;
  }

  private replace(old: HostAddr): void {
    this.unlink(old);
    if (this.spare.length === 0) return this.freeElem(old);
    if (this.special.length !== 0) this.freeSpecial(old + this.valueAt);
    this.spare[this.bpf.xdp.cpu.id] = old;
  }

  protected override freeElem(elem: HostAddr): void {
    if (this.special.length !== 0) this.freeSpecial(elem + this.valueAt);
    this.elems.release(elem);
    this.count--;
  }
}

export class PercpuHashMap extends Htab {
  private readonly elems: ElemSlab;
  /** Bytes of one CPU's value. */
  private readonly stride: number;
  private count = 0;

  /** @throws MapError without memory */
  constructor(bpf: Bpf, def: MapDef, handle: HostAddr) {
    super(bpf, def, handle, ELEM_HEAD_BYTES, round8(def.valueSize) * bpf.cpus);
    this.stride = round8(def.valueSize);
    this.elems = elemsOf(bpf, def, hashElemBytes(def, bpf.cpus), def.maxEntries);
  }

  protected override destroy(): void {
    super.destroy();
    this.elems.destroy();
  }

  override lookupElem(key: HostAddr): HostAddr {
    const elem = this.lookup(key);
    return elem === 0 ? 0 : this.elemValue(elem);
  }

  override lookupPercpuElem(key: HostAddr, cpu: number): HostAddr {
    const elem = cpu < this.bpf.cpus ? this.lookup(key) : 0;
    return elem === 0 ? 0 : elem + this.valueAt + cpu * this.stride;
  }

  override updateElem(key: HostAddr, value: HostAddr, flags: number): number {
    return this.update(key, value, flags, false);
  }

  protected override copyIn(key: HostAddr, value: HostAddr, flags: number): number {
    return this.update(key, value, flags, true);
  }

  /**
   * @param all `value` holds all CPUs' values; else the running CPU's, and the others of a new
   *   element become zero
   * @linux __htab_percpu_map_update_elem, pcpu_init_value
   */
  private update(key: HostAddr, value: HostAddr, flags: number, all: boolean): number {
    if (flags >>> 0 > BPF_EXIST) return -EINVAL;
    const at = this.wordKey(key);
    const hash = this.hashOf(at);
    let elem = this.find(at, hash);
    const rc = this.refused(elem, flags);
    if (rc !== 0) return rc;
    if (elem === 0) {
      if (this.count === this.maxEntries) return Htab.FULL;
      elem = this.elems.alloc();
      if (elem === 0) return -ENOMEM;
      this.count++;
      if (!all) this.mem.fill(elem + this.valueAt, this.bpf.cpus * this.stride, 0);
      this.link(elem, at, hash);
    }
    if (all) copyBytes(this.mem, elem + this.valueAt, value, this.userValueSize);
    else copyBytes(this.mem, this.elemValue(elem), value, this.valueSize);
    return 0;
  }

  protected override freeElem(elem: HostAddr): void {
    this.elems.release(elem);
    this.count--;
  }

  protected override elemValue(elem: HostAddr): HostAddr {
    return elem + this.valueAt + this.bpf.xdp.cpu.id * this.stride;
  }

  /** @linux bpf_percpu_hash_copy */
  protected override elemValueOut(elem: HostAddr, into: HostAddr): void {
    this.mem.copy(into, elem + this.valueAt, this.userValueSize);
  }
}
