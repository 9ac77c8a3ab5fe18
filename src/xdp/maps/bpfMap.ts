/**
 * A map: the side that programs see, on addresses, and the side that user space sees, on bytes.
 *
 * Programs' operations are called on the packet's path and answer as the kernel's do: an address
 * or 0, and 0 or a negative errno. User space's go through `bpf(2)`'s own checks first. A kind
 * overrides what it can do; the rest answers as a kind without that operation.
 *
 * @linux struct bpf_map_ops; include/linux/bpf.h, kernel/bpf/syscall.c
 */
import { EINVAL, ENOENT, ENOTSUPP, EOPNOTSUPP, EPERM } from '../../host/errno.ts';
import type { HostAddr, HostMemory } from '../../host/memory.ts';
import type { Bpf } from '../bpf.ts';
import type { MapDef, SpecialField } from './mapDef.ts';
import { MapError } from './mapDef.ts';
import { BPF_F_LOCK, BPF_F_RDONLY, BPF_F_WRONLY } from './uapi.ts';

/** Values that code can reach without a call: address = at + index * stride + cpu * perCpuStride. */
export interface InlineValues {
  readonly at: HostAddr;
  readonly stride: number;
  /** 0 for values that all CPUs share. */
  readonly perCpuStride: number;
  readonly maxEntries: number;
}

/** Visits one element of `bpf_for_each_map_elem`; 1 ends the walk. */
export type ElemVisitor = (key: HostAddr, value: HostAddr) => number;

/** Copies of at most this many bytes are cheaper word by word than by a call. */
const WORDWISE_BYTES = 32;

/** What a value keeps of its timer: a number, see `helpers/timers.ts`. */
const TIMER_NUMBER_BYTES = 4;

export abstract class BpfMap implements MapDef {
  readonly bpf: Bpf;
  readonly mem: HostMemory;
  readonly id: number;
  /** The map pointer of programs. */
  readonly handle: HostAddr;
  readonly name: string;
  readonly type: number;
  readonly keySize: number;
  readonly valueSize: number;
  readonly maxEntries: number;
  readonly flags: number;
  readonly mapExtra: number;
  readonly inner?: MapDef;
  readonly special: readonly SpecialField[];
  readonly untyped: boolean;
  /** Bytes of one value in user space's hands. */
  readonly userValueSize: number;
  readonly inline: InlineValues | null = null;
  /** User space may not write any more. */
  frozen = false;
  private holders = 1;

  /** @param userValueSize more than `valueSize` where a value has a part per CPU */
  constructor(bpf: Bpf, def: MapDef, handle: HostAddr, userValueSize: number = def.valueSize) {
    this.bpf = bpf;
    this.mem = bpf.mem;
    this.id = bpf.xdp.newMapId();
    this.handle = handle;
    this.name = def.name;
    this.type = def.type;
    this.keySize = def.keySize;
    this.valueSize = def.valueSize;
    this.maxEntries = def.maxEntries;
    this.flags = def.flags;
    this.mapExtra = def.mapExtra ?? 0;
    if (def.inner !== undefined) this.inner = def.inner;
    this.special = def.special ?? [];
    this.untyped = def.untyped ?? false;
    this.userValueSize = userValueSize;
  }

  /** Another holder: a map-in-map, a program. @linux bpf_map_inc */
  hold(): void {
    this.holders++;
  }

  /** A holder lets go; after the last, nothing may touch the map. @linux bpf_map_put */
  release(): void {
    if (--this.holders !== 0) return;
    if (this.special.length !== 0) this.bpf.timers.forget(this);
    this.bpf.maps.remove(this);
    this.destroy();
  }

  /** Give all memory back. */
  protected abstract destroy(): void;

  // What programs call.

  /** The value at `key`, or 0. @linux map_lookup_elem */
  lookupElem(_key: HostAddr): HostAddr {
    return 0;
  }

  /** @linux map_update_elem */
  updateElem(_key: HostAddr, _value: HostAddr, _flags: number): number {
    return -EOPNOTSUPP;
  }

  /** @linux map_delete_elem */
  deleteElem(_key: HostAddr): number {
    return -EOPNOTSUPP;
  }

  /** @linux map_push_elem */
  pushElem(_value: HostAddr, _flags: number): number {
    return -EOPNOTSUPP;
  }

  /** @linux map_pop_elem */
  popElem(_value: HostAddr): number {
    return -EOPNOTSUPP;
  }

  /** @linux map_peek_elem */
  peekElem(_value: HostAddr): number {
    return -EOPNOTSUPP;
  }

  /** The value of another CPU, or 0. @linux map_lookup_percpu_elem */
  lookupPercpuElem(_key: HostAddr, _cpu: number): HostAddr {
    return 0;
  }

  /** @returns elements visited @linux map_for_each_callback */
  forEachElem(_visit: ElemVisitor): number {
    return -EOPNOTSUPP;
  }

  // What bpf(2) calls on the kind, with key and value in host memory.

  /** Write what user space reads at `key`. @linux bpf_map_copy_value */
  protected copyOut(key: HostAddr, into: HostAddr): number {
    const value = this.lookupElem(key);
    if (value === 0) return -ENOENT;
    this.copyMapValueOut(into, value);
    return 0;
  }

  /** @linux bpf_map_update_value */
  protected copyIn(key: HostAddr, value: HostAddr, flags: number): number {
    return this.updateElem(key, value, flags);
  }

  /** @param key 0: before the first @linux map_get_next_key */
  getNextKey(_key: HostAddr, _next: HostAddr): number {
    return -EOPNOTSUPP;
  }

  /** @linux map_lookup_and_delete_elem */
  protected takeOut(_key: HostAddr, _into: HostAddr): number {
    return -ENOTSUPP;
  }

  // User space.

  /**
   * @returns the value, or null where there is none
   * @throws MapError on any other refusal
   * @linux BPF_MAP_LOOKUP_ELEM
   */
  sysLookup(key: Uint8Array, flags: number = 0): Uint8Array | null {
    const rc = (flags & ~BPF_F_LOCK) === 0 ? this.readable() || this.lockable(flags) : -EINVAL;
    const at = this.stageKey(key);
    return this.answer(rc || this.copyOut(at, this.bpf.scratch.value), 'lookup');
  }

  /** @returns 0 or a negative errno @linux BPF_MAP_UPDATE_ELEM */
  sysUpdate(key: Uint8Array, value: Uint8Array, flags: number = 0): number {
    const rc = this.writable() || this.lockable(flags);
    const at = this.stageKey(key);
    return rc || this.copyIn(at, this.stageValue(value), flags);
  }

  /** @returns 0 or a negative errno @linux BPF_MAP_DELETE_ELEM */
  sysDelete(key: Uint8Array): number {
    const rc = this.writable();
    return rc || this.deleteElem(this.stageKey(key));
  }

  /**
   * @param key null for the first
   * @returns null after the last
   * @throws MapError where the kind has no order
   * @linux BPF_MAP_GET_NEXT_KEY
   */
  sysGetNextKey(key: Uint8Array | null): Uint8Array | null {
    const rc = this.readable();
    const at = key === null ? 0 : this.stageKey(key);
    const { nextKey } = this.bpf.scratch;
    const err = rc || this.getNextKey(at, nextKey);
    if (err === -ENOENT) return null;
    if (err !== 0) throw new MapError(this, -err, 'no next key');
    return this.mem.u8.slice(nextKey, nextKey + this.keySize);
  }

  /**
   * @returns the value that was there, or null
   * @throws MapError on any other refusal
   * @linux BPF_MAP_LOOKUP_AND_DELETE_ELEM
   */
  sysLookupAndDelete(key: Uint8Array, flags: number = 0): Uint8Array | null {
    const rc =
      (flags & ~BPF_F_LOCK) === 0
        ? this.readable() || this.writable() || this.lockable(flags)
        : -EINVAL;
    const at = this.stageKey(key);
    return this.answer(rc || this.takeOut(at, this.bpf.scratch.value), 'lookup and delete');
  }

  /** User space gives up writing for good. @linux BPF_MAP_FREEZE */
  freeze(): number {
    if (this.special.length !== 0) return -ENOTSUPP;
    if ((this.flags & BPF_F_RDONLY) !== 0) return -EPERM;
    if (this.frozen) return -EPERM;
    this.frozen = true;
    return 0;
  }

  /** May user space read? @linux FMODE_CAN_READ */
  readable(): number {
    return (this.flags & BPF_F_WRONLY) === 0 ? 0 : -EPERM;
  }

  /** @linux FMODE_CAN_WRITE, map_get_sys_perms */
  writable(): number {
    return (this.flags & BPF_F_RDONLY) === 0 && !this.frozen ? 0 : -EPERM;
  }

  /** BPF_F_LOCK wants a lock in the value. */
  lockable(flags: number): number {
    return (flags & BPF_F_LOCK) === 0 || this.hasSpinLock ? 0 : -EINVAL;
  }

  protected get hasSpinLock(): boolean {
    return this.special.some(({ kind }) => kind === 'spin_lock');
  }

  /** Put a key where the kind can read it. */
  protected stageKey(key: Uint8Array): HostAddr {
    const at = this.bpf.scratch.key;
    if (key.length !== this.keySize)
      throw new MapError(this, EINVAL, `a key of ${key.length} bytes, not ${this.keySize}`);
    this.mem.u8.set(key, at);
    return at;
  }

  protected stageValue(value: Uint8Array): HostAddr {
    const at = this.bpf.scratch.value;
    if (value.length !== this.userValueSize)
      throw new MapError(
        this,
        EINVAL,
        `a value of ${value.length} bytes, not ${this.userValueSize}`,
      );
    this.mem.u8.set(value, at);
    return at;
  }

  private answer(err: number, what: string): Uint8Array | null {
    if (err === -ENOENT) return null;
    if (err < 0) throw new MapError(this, -err, `${what} refused`);
    const { value } = this.bpf.scratch;
    return this.mem.u8.slice(value, value + this.userValueSize);
  }

  // Copies.

  /** A whole value, but what the kernel keeps in it. @linux copy_map_value */
  protected copyMapValue(dst: HostAddr, src: HostAddr): void {
    if (this.special.length === 0) copyBytes(this.mem, dst, src, this.valueSize);
    else this.copyAround(dst, src);
  }

  /** The same towards user space, which sees zeros there. @linux copy_map_value, check_and_init_map_value */
  protected copyMapValueOut(into: HostAddr, value: HostAddr): void {
    this.mem.copy(into, value, this.valueSize);
    for (const { at, bytes } of this.special) this.mem.fill(into + at, bytes, 0);
  }

  /** A timer does not outlive its value. @linux bpf_obj_free_fields */
  protected freeSpecial(value: HostAddr): void {
    for (const { kind, at } of this.special) {
      if (kind !== 'timer') continue;
      const timer = this.bpf.timers.at(value + at);
      if (timer !== null) this.bpf.timers.cancel(timer);
      this.mem.fill(value + at, TIMER_NUMBER_BYTES, 0);
    }
  }

  private copyAround(dst: HostAddr, src: HostAddr): void {
    let from = 0;
    for (const { at, bytes } of this.special) {
      this.mem.copy(dst + from, src + from, at - from);
      from = at + bytes;
    }
    this.mem.copy(dst + from, src + from, this.valueSize - from);
  }
}

/** Copy `len` bytes between places that do not overlap. */
export function copyBytes(mem: HostMemory, dst: HostAddr, src: HostAddr, len: number): void {
  if (len <= WORDWISE_BYTES && ((dst | src | len) & 3) === 0) {
    const words = mem.words;
    const to = dst >> 2;
    const from = src >> 2;
    const n = len >> 2;
    for (let i = 0; i < n; i++) words[to + i] = words[from + i]!;
  } else mem.copy(dst, src, len);
}
