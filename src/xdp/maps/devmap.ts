/**
 * Devices by key, as targets for `bpf_redirect_map`: an array of them, or a hash.
 *
 * An entry keeps the device itself, as in Linux, so that a lookup on a packet's path is one array
 * access; beside it, in host memory, what programs and user space read: struct bpf_devmap_val.
 *
 *   value   +0 ifindex | +4 id of the program to run on the frame, 0: none (values of 8 bytes)
 *
 * @linux struct bpf_dtab; kernel/bpf/devmap.c
 */
import { E2BIG, EBADF, EEXIST, EINVAL, ENOENT } from '../../host/errno.ts';
import type { HostAddr } from '../../host/memory.ts';
import type { Bpf, BpfProgRef } from '../bpf.ts';
import type { RedirectTarget } from '../redirectTarget.ts';
import { arrayNextKey, indexAt, mapStorage } from './arrayMap.ts';
import { BpfMap } from './bpfMap.ts';
import type { MapDef } from './mapDef.ts';
import { BPF_PROG_TYPE_XDP, BPF_XDP_DEVMAP } from '../uapi.ts';
import { BPF_EXIST, BPF_F_RDONLY_PROG, BPF_NOEXIST } from './uapi.ts';
import { openElems } from './openMemory.ts';

/** Bytes of a value in host memory, whatever user space's are. */
export const DEVMAP_VAL_BYTES = 8;
const PROG_ID = 4;

/** What devmaps of both kinds keep: slots of devices and their values. */
export abstract class Dtab extends BpfMap {
  /** Entries may have programs: values have a place for one. */
  readonly hasProgs: boolean;
  protected readonly at: HostAddr;
  protected readonly devices: (RedirectTarget | null)[];
  protected readonly progs: (BpfProgRef | null)[];
  /**
   * By slot: the number of the device's bulk queue (`netContext.ts`), which says all about the entry when
   * it has no program; 0: not known, or there is a program.
   */
  protected readonly bulkNumbers: Int32Array;

  constructor(bpf: Bpf, def: MapDef, handle: HostAddr) {
    // a value is the device's own number: programs must not write it
    super(bpf, { ...def, flags: (def.flags ?? 0) | BPF_F_RDONLY_PROG }, handle);
    this.hasProgs = def.valueSize === DEVMAP_VAL_BYTES;
    const bytes = def.maxEntries * DEVMAP_VAL_BYTES;
    this.at = mapStorage(bpf, def, bytes);
    const layout = { stride: DEVMAP_VAL_BYTES, keyAt: -1, valueAt: 0, bytes };
    bpf.arena.open(this.at, openElems(this, layout));
    this.devices = Array.from({ length: def.maxEntries }, () => null);
    this.progs = Array.from({ length: def.maxEntries }, () => null);
    this.bulkNumbers = new Int32Array(def.maxEntries);
  }

  protected override destroy(): void {
    this.bpf.arena.release(this.at);
    this.order = [];
    this.bulkNumbers.fill(0);
    this.devices.length = 0; // whoever still holds the map finds no entry, nor a place for one
  }

  /** Slots that hold a device, in the order in which Linux walks the map. */
  abstract slotsInOrder(): readonly number[];

  /** The device of a slot in use. */
  targetAt(slot: number): RedirectTarget {
    return this.devices[slot]!;
  }

  progAt(slot: number): BpfProgRef | null {
    return this.progs[slot]!;
  }

  /** The device at `key`, or null. @linux __dev_map_lookup_elem, __dev_map_hash_lookup_elem */
  abstract lookup(key: number): RedirectTarget | null;

  /** The program of the entry at `key`, or null. */
  abstract entryProg(key: number): BpfProgRef | null;

  /** See `bulkNumbers`; 0 without an entry. */
  abstract bulkNumber(key: number): number;

  abstract setBulkNumber(key: number, number: number): void;

  /** @returns the program that a value names, null for none, or a negative errno */
  protected progOf(value: HostAddr): BpfProgRef | null | number {
    const id = this.valueSize === DEVMAP_VAL_BYTES ? this.mem.words[(value + PROG_ID) >> 2]! : 0;
    if (id <= 0) return null;
    const prog = this.bpf.progs.get(id);
    if (prog === undefined) return -EBADF;
    const fits = prog.type === BPF_PROG_TYPE_XDP && prog.attachType === BPF_XDP_DEVMAP;
    return fits ? prog : -EINVAL;
  }

  /** Made anew after each change. */
  protected order: number[] | null = null;

  protected putDevice(slot: number, device: RedirectTarget, prog: BpfProgRef | null): void {
    const value = (this.at + slot * DEVMAP_VAL_BYTES) >> 2;
    this.order = null;
    this.devices[slot] = device;
    this.progs[slot] = prog;
    this.bulkNumbers[slot] = 0;
    this.mem.words[value] = device.ifindex;
    this.mem.words[value + 1] = prog === null ? 0 : prog.id;
  }

  protected clear(slot: number): void {
    this.order = null;
    this.devices[slot] = null;
    this.progs[slot] = null;
    this.bulkNumbers[slot] = 0;
  }

  protected entryValue(slot: number): HostAddr {
    return this.devices[slot] === null ? 0 : this.at + slot * DEVMAP_VAL_BYTES;
  }
}

export class DevMap extends Dtab {
  override slotsInOrder(): readonly number[] {
    this.order ??= this.devices.flatMap((device, slot) => (device === null ? [] : [slot]));
    return this.order;
  }

  override lookup(key: number): RedirectTarget | null {
    return this.devices[key] ?? null;
  }

  override entryProg(key: number): BpfProgRef | null {
    return this.progs[key] ?? null;
  }

  override bulkNumber(key: number): number {
    const { bulkNumbers } = this;
    return key < bulkNumbers.length ? bulkNumbers[key]! : 0;
  }

  override setBulkNumber(key: number, number: number): void {
    this.bulkNumbers[key] = number;
  }

  /** Put in a device by itself. @returns 0; -E2BIG when `key` is past the end */
  update(key: number, target: RedirectTarget): number {
    if (!this.has(key)) return -E2BIG;
    this.putDevice(key, target, null);
    return 0;
  }

  /** @returns 0; -EINVAL when `key` is past the end. @linux dev_map_delete_elem */
  delete(key: number): number {
    if (!this.has(key)) return -EINVAL;
    this.clear(key);
    return 0;
  }

  override lookupElem(key: HostAddr): HostAddr {
    const index = indexAt(this.mem, key);
    return index < this.maxEntries ? this.entryValue(index) : 0;
  }

  /** @linux __dev_map_update_elem */
  override updateElem(key: HostAddr, value: HostAddr, flags: number): number {
    const index = indexAt(this.mem, key);
    if (flags >>> 0 > BPF_EXIST) return -EINVAL;
    if (index >= this.maxEntries) return -E2BIG;
    if (flags === BPF_NOEXIST) return -EEXIST;
    const ifindex = this.mem.words[value >> 2]!;
    const prog = this.progOf(value);
    if (ifindex === 0) {
      if (prog !== null) return -EINVAL;
      this.clear(index);
      return 0;
    }
    const device = this.bpf.xdp.devices.devGetByIndex(ifindex);
    if (device === null) return -EINVAL;
    if (typeof prog === 'number') return prog;
    this.putDevice(index, device, prog);
    return 0;
  }

  override deleteElem(key: HostAddr): number {
    return this.delete(indexAt(this.mem, key));
  }

  override getNextKey(key: HostAddr, next: HostAddr): number {
    return arrayNextKey(this, key, next);
  }

  private has(key: number): boolean {
    return key >>> 0 === key && key < this.devices.length;
  }
}

/** Any 32-bit key, up to `maxEntries` of them. Walked in chains as Linux walks them. */
export class DevMapHash extends Dtab {
  private readonly slots: Map<number, number> = new Map();
  private readonly free: number[];
  /** Keys by chain, the youngest first. */
  private readonly chains: (number[] | undefined)[] = [];
  private readonly mask: number;

  /** @throws MapError without memory */
  constructor(bpf: Bpf, def: MapDef, handle: HostAddr) {
    super(bpf, def, handle);
    this.free = Array.from({ length: def.maxEntries }, (_, i) => def.maxEntries - 1 - i);
    this.mask = 2 ** (32 - Math.clz32(def.maxEntries - 1)) - 1;
  }

  override slotsInOrder(): readonly number[] {
    this.order ??= this.chains.flatMap((chain) => (chain ?? []).map((key) => this.slots.get(key)!));
    return this.order;
  }

  override lookup(key: number): RedirectTarget | null {
    const slot = this.slots.get(key);
    return slot === undefined ? null : this.devices[slot]!;
  }

  override entryProg(key: number): BpfProgRef | null {
    const slot = this.slots.get(key);
    return slot === undefined ? null : this.progs[slot]!;
  }

  override bulkNumber(key: number): number {
    const slot = this.slots.get(key);
    return slot === undefined ? 0 : this.bulkNumbers[slot]!;
  }

  override setBulkNumber(key: number, number: number): void {
    this.bulkNumbers[this.slots.get(key)!] = number;
  }

  override lookupElem(key: HostAddr): HostAddr {
    const slot = this.slots.get(indexAt(this.mem, key));
    return slot === undefined ? 0 : this.entryValue(slot);
  }

  /** @linux __dev_map_hash_update_elem */
  override updateElem(key: HostAddr, value: HostAddr, flags: number): number {
    const index = indexAt(this.mem, key);
    const ifindex = this.mem.words[value >> 2]!;
    if (flags >>> 0 > BPF_EXIST || ifindex === 0) return -EINVAL;
    const old = this.slots.get(index);
    if (old !== undefined && flags === BPF_NOEXIST) return -EEXIST;
    const device = this.bpf.xdp.devices.devGetByIndex(ifindex);
    if (device === null) return -EINVAL;
    const prog = this.progOf(value);
    if (typeof prog === 'number') return prog;
    if (old !== undefined) this.unlink(index);
    const slot = old ?? this.free.pop();
    if (slot === undefined) return -E2BIG;
    this.slots.set(index, slot);
    (this.chains[index & this.mask] ??= []).unshift(index);
    this.putDevice(slot, device, prog);
    return 0;
  }

  override deleteElem(key: HostAddr): number {
    const index = indexAt(this.mem, key);
    const slot = this.slots.get(index);
    if (slot === undefined) return -ENOENT;
    this.unlink(index);
    this.slots.delete(index);
    this.clear(slot);
    this.free.push(slot);
    return 0;
  }

  /** @linux dev_map_hash_get_next_key */
  override getNextKey(key: HostAddr, next: HostAddr): number {
    const index = key === 0 ? -1 : indexAt(this.mem, key);
    const here = this.slots.has(index) ? this.chains[index & this.mask]! : [];
    let found = here[here.indexOf(index) + 1];
    let bucket = here.length === 0 ? 0 : (index & this.mask) + 1;
    for (; found === undefined && bucket <= this.mask; bucket++) found = this.chains[bucket]?.[0];
    if (found === undefined) return -ENOENT;
    this.mem.words[next >> 2] = found;
    return 0;
  }

  private unlink(index: number): void {
    const chain = this.chains[index & this.mask]!;
    chain.splice(chain.indexOf(index), 1);
  }
}
