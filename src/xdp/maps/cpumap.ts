/**
 * CPUs to hand frames to, each with a queue and, if wanted, a program to run there.
 *
 * What programs and user space read of an entry lies in host memory; its queue and thread are a
 * `CpuMapEntry`. Each update makes a new one, and the old one is worked off.
 *
 *   value   +0 slots of the queue | +4 id of the program, 0: none (values of 8 bytes)
 *
 * @linux struct bpf_cpu_map; kernel/bpf/cpumap.c
 */
import { E2BIG, EBADF, EEXIST, EINVAL, ENODEV, EOVERFLOW } from '../../host/errno.ts';
import type { HostAddr } from '../../host/memory.ts';
import type { Bpf } from '../bpf.ts';
import { arrayNextKey, indexAt, mapStorage } from './arrayMap.ts';
import { BpfMap } from './bpfMap.ts';
import type { MapDef } from './mapDef.ts';
import { CpuMapEntry } from '../cpumapEntry.ts';
import { REDIRECTOR } from '../redirect.ts';
import { BPF_PROG_TYPE_XDP, BPF_XDP_CPUMAP } from '../uapi.ts';
import { BPF_EXIST, BPF_NOEXIST } from './uapi.ts';

/** Bytes of a value in host memory, whatever user space's are. */
export const CPUMAP_VAL_BYTES = 8;
const QSIZE_MAX = 16384;

export class CpuMap extends BpfMap {
  private readonly at: HostAddr;
  private readonly entries: (CpuMapEntry | undefined)[] = [];

  /** @throws MapError without memory */
  constructor(bpf: Bpf, def: MapDef, handle: HostAddr) {
    super(bpf, def, handle);
    this.at = mapStorage(bpf, def, def.maxEntries * CPUMAP_VAL_BYTES);
  }

  protected override destroy(): void {
    this.bpf.arena.release(this.at);
    for (const entry of this.entries) entry?.retire();
    this.entries.length = 0; // whoever still holds the map finds no entry
  }

  /** @linux __cpu_map_lookup_elem */
  entryAt(cpu: number): CpuMapEntry | null {
    return this.entries[cpu] ?? null;
  }

  override lookupElem(key: HostAddr): HostAddr {
    const cpu = indexAt(this.mem, key);
    if (cpu >= this.maxEntries) return 0;
    const value = this.at + cpu * CPUMAP_VAL_BYTES;
    return this.mem.words[value >> 2] === 0 ? 0 : value;
  }

  /** @linux cpu_map_update_elem */
  override updateElem(key: HostAddr, value: HostAddr, flags: number): number {
    const { words } = this.mem;
    const cpu = indexAt(this.mem, key);
    const qsize = words[value >> 2]! >>> 0;
    const prog = this.valueSize === CPUMAP_VAL_BYTES ? words[(value >> 2) + 1]! : 0;
    if (flags >>> 0 > BPF_EXIST) return -EINVAL;
    if (cpu >= this.maxEntries) return -E2BIG;
    if (flags === BPF_NOEXIST) return -EEXIST;
    if (qsize > QSIZE_MAX) return -EOVERFLOW;
    if (cpu >= this.bpf.cpus) return -ENODEV;
    const rc = qsize === 0 || prog <= 0 ? 0 : this.checkProg(prog);
    if (rc !== 0) return rc;
    const to = (this.at + cpu * CPUMAP_VAL_BYTES) >> 2;
    words[to] = qsize;
    words[to + 1] = qsize === 0 ? 0 : Math.max(prog, 0);
    this.exchange(cpu, qsize, prog);
    return 0;
  }

  override deleteElem(key: HostAddr): number {
    const cpu = indexAt(this.mem, key);
    if (cpu >= this.maxEntries) return -EINVAL;
    const at = (this.at + cpu * CPUMAP_VAL_BYTES) >> 2;
    this.mem.words[at] = 0;
    this.mem.words[at + 1] = 0;
    this.exchange(cpu, 0, 0);
    return 0;
  }

  override getNextKey(key: HostAddr, next: HostAddr): number {
    return arrayNextKey(this, key, next);
  }

  /** @linux __cpu_map_entry_replace */
  private exchange(cpu: number, qsize: number, prog: number): void {
    const { bpf } = this;
    this.entries[cpu]?.retire();
    this.entries[cpu] = undefined;
    if (qsize === 0) return;
    const runs = this.bpf.progs.get(prog) ?? null;
    const { xdp } = bpf;
    this.entries[cpu] = new CpuMapEntry(xdp, xdp.cpus[cpu]!, this.id, qsize, runs, REDIRECTOR);
  }

  private checkProg(id: number): number {
    const prog = this.bpf.progs.get(id);
    if (prog === undefined) return -EBADF;
    return prog.type === BPF_PROG_TYPE_XDP && prog.attachType === BPF_XDP_CPUMAP ? 0 : -EINVAL;
  }
}
