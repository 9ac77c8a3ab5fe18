/**
 * Queues and stacks of values without keys, in one ring.
 *
 *   head    where the next value goes
 *   tail    the oldest value; equal to head when there is none, so one slot stays empty
 *
 * @linux kernel/bpf/queue_stack_maps.c
 */
import { E2BIG, EINVAL, ENOENT } from '../../host/errno.ts';
import type { HostAddr } from '../../host/memory.ts';
import type { Bpf } from '../bpf.ts';
import { mapStorage } from './arrayMap.ts';
import { BpfMap, copyBytes } from './bpfMap.ts';
import type { MapDef } from './mapDef.ts';
import { round8 } from './mapDef.ts';
import { BPF_EXIST, BPF_MAP_TYPE_STACK, BPF_NOEXIST } from './uapi.ts';

export class QueueStackMap extends BpfMap {
  private readonly at: HostAddr;
  private readonly stride: number;
  private readonly slots: number;
  private readonly lifo: boolean;
  private head = 0;
  private tail = 0;

  /** @throws MapError without memory */
  constructor(bpf: Bpf, def: MapDef, handle: HostAddr) {
    super(bpf, def, handle);
    this.stride = round8(def.valueSize);
    this.slots = def.maxEntries + 1;
    this.lifo = def.type === BPF_MAP_TYPE_STACK;
    this.at = mapStorage(bpf, def, this.slots * this.stride);
  }

  protected override destroy(): void {
    this.bpf.arena.release(this.at);
  }

  /** @param flags BPF_EXIST: a full map forgets its oldest value @linux queue_stack_map_push_elem */
  override pushElem(value: HostAddr, flags: number): number {
    if ((flags & BPF_NOEXIST) !== 0 || flags >>> 0 > BPF_EXIST) return -EINVAL;
    const next = this.after(this.head);
    if (next === this.tail) {
      if ((flags & BPF_EXIST) === 0) return -E2BIG;
      this.tail = this.after(this.tail);
    }
    copyBytes(this.mem, this.at + this.head * this.stride, value, this.valueSize);
    this.head = next;
    return 0;
  }

  override popElem(value: HostAddr): number {
    const rc = this.peekElem(value);
    if (rc !== 0) return rc;
    if (this.lifo) this.head = this.newest;
    else this.tail = this.after(this.tail);
    return 0;
  }

  /** An empty map fills `value` with zeros. @linux __queue_map_get, __stack_map_get */
  override peekElem(value: HostAddr): number {
    if (this.head === this.tail) {
      this.mem.fill(value, this.valueSize, 0);
      return -ENOENT;
    }
    const slot = this.lifo ? this.newest : this.tail;
    copyBytes(this.mem, value, this.at + slot * this.stride, this.valueSize);
    return 0;
  }

  override updateElem(_key: HostAddr, _value: HostAddr, _flags: number): number {
    return -EINVAL;
  }

  override deleteElem(_key: HostAddr): number {
    return -EINVAL;
  }

  override getNextKey(_key: HostAddr, _next: HostAddr): number {
    return -EINVAL;
  }

  protected override copyOut(_key: HostAddr, into: HostAddr): number {
    return this.peekElem(into);
  }

  protected override copyIn(_key: HostAddr, value: HostAddr, flags: number): number {
    return this.pushElem(value, flags);
  }

  /** Without flags: there is nothing to lock. */
  override sysLookupAndDelete(key: Uint8Array, flags: number = 0): Uint8Array | null {
    return super.sysLookupAndDelete(key, flags === 0 ? 0 : -1);
  }

  protected override takeOut(_key: HostAddr, into: HostAddr): number {
    return this.popElem(into);
  }

  private after(slot: number): number {
    return slot + 1 === this.slots ? 0 : slot + 1;
  }

  private get newest(): number {
    return this.head === 0 ? this.slots - 1 : this.head - 1;
  }
}
