/**
 * Maps of maps. A program that looks up gets the inner map's handle, and uses it like any map.
 *
 * All inner maps are like the one that the outer was made with. An outer map keeps its inner maps
 * alive.
 *
 * @linux kernel/bpf/map_in_map.c, array_of_maps_map_ops, htab_of_maps_map_ops
 */
import { EBADF, EINVAL, ENOENT, ENOMEM } from '../../host/errno.ts';
import type { HostAddr } from '../../host/memory.ts';
import type { Bpf } from '../bpf.ts';
import { indexAt } from './arrayMap.ts';
import type { BpfMap } from './bpfMap.ts';
import { ElemSlab } from './elemSlab.ts';
import { FdArray } from './fdArray.ts';
import { elemsOf, hashElemBytes } from './hashMap.ts';
import { ELEM_HEAD_BYTES, Htab } from './htab.ts';
import type { MapDef } from './mapDef.ts';
import { BPF_F_INNER_MAP, BPF_MAP_TYPE_ARRAY } from './uapi.ts';

/** @linux bpf_map_meta_equal, array_map_meta_equal */
function metaEqual(meta: MapDef, map: BpfMap): boolean {
  const same =
    meta.type === map.type &&
    meta.keySize === map.keySize &&
    meta.valueSize === map.valueSize &&
    meta.flags === map.flags;
  const sized = meta.type === BPF_MAP_TYPE_ARRAY && (meta.flags & BPF_F_INNER_MAP) === 0;
  return same && (!sized || meta.maxEntries === map.maxEntries);
}

/** @returns the map with one more holder, or a negative errno @linux bpf_map_fd_get_ptr */
function takeInner(outer: BpfMap, id: number): BpfMap | number {
  const map = outer.bpf.maps.get(id);
  if (map === undefined) return -EBADF;
  if (!metaEqual(outer.inner!, map)) return -EINVAL;
  map.hold();
  return map;
}

export class ArrayOfMaps extends FdArray<BpfMap> {
  override lookupElem(key: HostAddr): HostAddr {
    const map = this.get(indexAt(this.mem, key));
    return map === null ? 0 : map.handle;
  }

  protected override takeEntry(id: number): BpfMap | number {
    return takeInner(this, id);
  }

  protected override putEntry(map: BpfMap): void {
    map.release();
  }

  protected override copyOut(key: HostAddr, into: HostAddr): number {
    const map = this.get(indexAt(this.mem, key));
    if (map === null) return -ENOENT;
    this.mem.words[into >> 2] = map.id;
    return 0;
  }
}

/** Elements hold the inner map's handle; an update of a present key writes it in place. */
export class HashOfMaps extends Htab {
  private readonly elems: ElemSlab;
  private count = 0;

  /** @throws MapError without memory */
  constructor(bpf: Bpf, def: MapDef, handle: HostAddr) {
    super(bpf, def, handle, ELEM_HEAD_BYTES, def.valueSize);
    this.elems = elemsOf(bpf, def, hashElemBytes(def, 1), def.maxEntries);
  }

  protected override destroy(): void {
    for (let bucket = 0; bucket < this.bucketCount; bucket++)
      for (let elem = this.firstOf(bucket); elem !== 0; elem = this.nextOf(elem))
        this.innerOf(elem).release();
    super.destroy();
    this.elems.destroy();
  }

  override lookupElem(key: HostAddr): HostAddr {
    const elem = this.lookup(key);
    return elem === 0 ? 0 : this.words[(elem + this.valueAt) >> 2]!;
  }

  override updateElem(_key: HostAddr, _value: HostAddr, _flags: number): number {
    return -EINVAL;
  }

  /** @linux bpf_fd_htab_map_update_elem */
  protected override copyIn(key: HostAddr, value: HostAddr, flags: number): number {
    const inner = takeInner(this, this.words[value >> 2]!);
    if (typeof inner === 'number') return inner;
    const rc = this.store(key, inner.handle, flags);
    if (rc !== 0) inner.release();
    return rc;
  }

  private store(key: HostAddr, inner: HostAddr, flags: number): number {
    const bad = this.badFlags(flags);
    if (bad !== 0) return bad;
    const at = this.wordKey(key);
    const hash = this.hashOf(at);
    let elem = this.find(at, hash);
    const rc = this.refused(elem, flags);
    if (rc !== 0) return rc;
    if (elem !== 0) this.innerOf(elem).release();
    else {
      if (this.count === this.maxEntries) return Htab.FULL;
      elem = this.elems.alloc();
      if (elem === 0) return -ENOMEM;
      this.count++;
      this.link(elem, at, hash);
    }
    this.words[(elem + this.valueAt) >> 2] = inner;
    return 0;
  }

  protected override freeElem(elem: HostAddr): void {
    this.innerOf(elem).release();
    this.elems.release(elem);
    this.count--;
  }

  /** User space reads the inner map's id. @linux bpf_fd_htab_map_lookup_elem */
  protected override elemValueOut(elem: HostAddr, into: HostAddr): void {
    this.words[into >> 2] = this.innerOf(elem).id;
  }

  private innerOf(elem: HostAddr): BpfMap {
    return this.bpf.maps.at(this.words[(elem + this.valueAt) >> 2]!)!;
  }
}
