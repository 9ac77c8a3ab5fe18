/**
 * Arrays: values by a 32-bit index, all of them there from the start. Global data is an array of
 * one value.
 *
 *   shared    value i at  at + i * stride
 *   per CPU   value i of CPU c at  at + c * perCpuStride + i * stride: one CPU's values together
 *
 * @linux struct bpf_array; kernel/bpf/arraymap.c
 */
import { E2BIG, EEXIST, EINVAL, ENOENT, ENOMEM } from '../../host/errno.ts';
import type { HostAddr, HostMemory } from '../../host/memory.ts';
import type { Bpf } from '../bpf.ts';
import type { ElemVisitor, InlineValues } from './bpfMap.ts';
import { BpfMap } from './bpfMap.ts';
import type { MapDef } from './mapDef.ts';
import { MapError, round8 } from './mapDef.ts';
import { openElems } from './openMemory.ts';
import { BPF_EXIST, BPF_F_LOCK, BPF_NOEXIST } from './uapi.ts';

const NO_INDEX = -1;

/** Keys may lie anywhere: in a packet, for one. */
export function indexAt(mem: HostMemory, key: HostAddr): number {
  return (key & 3) === 0 ? mem.words[key >> 2]! >>> 0 : mem.view.getUint32(key, true);
}

/** @linux array_map_get_next_key */
export function arrayNextKey(map: BpfMap, key: HostAddr, next: HostAddr): number {
  const words = map.mem.words;
  const index = key === 0 ? NO_INDEX : indexAt(map.mem, key);
  if (index === map.maxEntries - 1) return -ENOENT;
  words[next >> 2] = index === NO_INDEX || index >= map.maxEntries ? 0 : index + 1;
  return 0;
}

/** Storage of `bytes` for `map`, or the kernel's refusal. */
export function mapStorage(bpf: Bpf, map: MapDef, bytes: number): HostAddr {
  const at = bpf.arena.alloc(bytes);
  if (at === 0) {
    const left = bpf.arena.freeBytes;
    throw new MapError(map, ENOMEM, `needs ${bytes} bytes of map memory, ${left} are left`);
  }
  return at;
}

/** Programs may touch the values that lie in `bytes` at `at`. */
function openValues(bpf: Bpf, def: MapDef, at: HostAddr, bytes: number): void {
  const stride = round8(def.valueSize);
  bpf.arena.open(at, openElems(def, { stride, keyAt: -1, valueAt: 0, bytes }));
}

/** @linux bpf_for_each_array_elem */
function forEachIndex(map: BpfMap, visit: ElemVisitor, at: HostAddr, stride: number): number {
  const { scratch } = map.bpf;
  const key = scratch.enterWalk();
  try {
    for (let index = 0; index < map.maxEntries; index++) {
      map.mem.words[key >> 2] = index;
      if (visit(key, at + index * stride) !== 0) return index + 1;
    }
    return map.maxEntries;
  } finally {
    scratch.leaveWalk();
  }
}

/** Flags that an update of an array refuses, and an index past its end. */
function refusedUpdate(map: BpfMap, index: number, flags: number, locks: boolean): number {
  if ((flags & ~BPF_F_LOCK) >>> 0 > BPF_EXIST) return -EINVAL;
  if (index >= map.maxEntries) return -E2BIG;
  if ((flags & BPF_NOEXIST) !== 0) return -EEXIST;
  return (flags & BPF_F_LOCK) === 0 || locks ? 0 : -EINVAL;
}

export class ArrayMap extends BpfMap {
  override readonly inline: InlineValues;
  private readonly at: HostAddr;
  private readonly stride: number;

  /** @throws MapError without memory */
  constructor(bpf: Bpf, def: MapDef, handle: HostAddr) {
    super(bpf, def, handle);
    this.stride = round8(def.valueSize);
    this.at = mapStorage(bpf, def, this.stride * def.maxEntries);
    openValues(bpf, def, this.at, this.stride * def.maxEntries);
    const { at, stride, maxEntries } = this;
    this.inline = { at, stride, perCpuStride: 0, maxEntries };
  }

  protected override destroy(): void {
    this.bpf.arena.release(this.at);
  }

  override lookupElem(key: HostAddr): HostAddr {
    const index = indexAt(this.mem, key);
    return index >= this.maxEntries ? 0 : this.at + index * this.stride;
  }

  override updateElem(key: HostAddr, value: HostAddr, flags: number): number {
    const index = indexAt(this.mem, key);
    const rc = refusedUpdate(this, index, flags, this.hasSpinLock);
    if (rc !== 0) return rc;
    this.copyMapValue(this.at + index * this.stride, value);
    if (this.special.length !== 0) this.freeSpecial(this.at + index * this.stride);
    return 0;
  }

  override deleteElem(_key: HostAddr): number {
    return -EINVAL;
  }

  override getNextKey(key: HostAddr, next: HostAddr): number {
    return arrayNextKey(this, key, next);
  }

  override forEachElem(visit: ElemVisitor): number {
    return forEachIndex(this, visit, this.at, this.stride);
  }
}

export class PercpuArrayMap extends BpfMap {
  override readonly inline: InlineValues;
  private readonly at: HostAddr;
  private readonly stride: number;
  private readonly perCpuStride: number;

  /** @throws MapError without memory */
  constructor(bpf: Bpf, def: MapDef, handle: HostAddr) {
    super(bpf, def, handle, round8(def.valueSize) * bpf.cpus);
    this.stride = round8(def.valueSize);
    this.perCpuStride = this.stride * def.maxEntries;
    this.at = mapStorage(bpf, def, this.perCpuStride * bpf.cpus);
    openValues(bpf, def, this.at, this.perCpuStride * bpf.cpus);
    const { at, stride, perCpuStride, maxEntries } = this;
    this.inline = { at, stride, perCpuStride, maxEntries };
  }

  protected override destroy(): void {
    this.bpf.arena.release(this.at);
  }

  override lookupElem(key: HostAddr): HostAddr {
    return this.lookupPercpuElem(key, this.bpf.xdp.cpu.id);
  }

  override lookupPercpuElem(key: HostAddr, cpu: number): HostAddr {
    const index = indexAt(this.mem, key);
    if (index >= this.maxEntries || cpu >= this.bpf.cpus) return 0;
    return this.at + cpu * this.perCpuStride + index * this.stride;
  }

  override updateElem(key: HostAddr, value: HostAddr, flags: number): number {
    const index = indexAt(this.mem, key);
    const rc = refusedUpdate(this, index, flags, this.hasSpinLock);
    if (rc !== 0) return rc;
    const cpu = this.bpf.xdp.cpu.id;
    this.copyMapValue(this.at + cpu * this.perCpuStride + index * this.stride, value);
    return 0;
  }

  override deleteElem(_key: HostAddr): number {
    return -EINVAL;
  }

  override getNextKey(key: HostAddr, next: HostAddr): number {
    return arrayNextKey(this, key, next);
  }

  override forEachElem(visit: ElemVisitor): number {
    const at = this.at + this.bpf.xdp.cpu.id * this.perCpuStride;
    return forEachIndex(this, visit, at, this.stride);
  }

  /** All CPUs' values, one after the other, their padding too. @linux bpf_percpu_array_copy */
  protected override copyOut(key: HostAddr, into: HostAddr): number {
    const index = indexAt(this.mem, key);
    if (index >= this.maxEntries) return -ENOENT;
    for (let cpu = 0; cpu < this.bpf.cpus; cpu++) {
      const value = this.at + cpu * this.perCpuStride + index * this.stride;
      this.mem.copy(into + cpu * this.stride, value, this.stride);
    }
    return 0;
  }

  /** @linux bpf_percpu_array_update */
  protected override copyIn(key: HostAddr, value: HostAddr, flags: number): number {
    if (flags >>> 0 > BPF_EXIST) return -EINVAL;
    const index = indexAt(this.mem, key);
    if (index >= this.maxEntries) return -E2BIG;
    if (flags === BPF_NOEXIST) return -EEXIST;
    for (let cpu = 0; cpu < this.bpf.cpus; cpu++) {
      const to = this.at + cpu * this.perCpuStride + index * this.stride;
      this.mem.copy(to, value + cpu * this.stride, this.stride);
    }
    return 0;
  }
}
