/**
 * Perf events: one ring per CPU, which loses and counts what does not fit.
 *
 * On Linux user space opens an event on each CPU and puts it into the map; here `open` does both.
 * A ring holds records as the kernel's does, and only their sizes are simulated: what matters to a
 * program is whether its sample found room.
 *
 *   sample   8 header | 4 length | data and padding, together a multiple of 8
 *   lost     8 header | 8 id | 8 count; written before the next sample that fits
 *
 * @linux bpf_perf_event_output, perf_event_array_map_ops; kernel/events/ring_buffer.c
 */
import { E2BIG, EBADF, ENOENT, ENOSPC, ENOTSUPP, EOPNOTSUPP } from '../../host/errno.ts';
import type { HostAddr } from '../../host/memory.ts';
import { PAGE_SIZE } from '../../host/memory.ts';
import { FdArray } from './fdArray.ts';

const HEADER_BYTES = 8;
const LOST_BYTES = 24;
const LENGTH_BYTES = 4;

/** What user space reads. */
export type PerfRecord =
  | {
      readonly type: 'sample';
      readonly cpu: number;
      /** The data a program gave, then the packet's bytes, then zeros as the kernel pads. */
      readonly data: Uint8Array;
    }
  | { readonly type: 'lost'; readonly cpu: number; readonly count: number };

class PerfRing {
  readonly cpu: number;
  readonly records: PerfRecord[] = [];
  private free: number;
  private lost = 0;

  constructor(cpu: number, bytes: number) {
    this.cpu = cpu;
    // one byte stays free, to tell a full ring from an empty one
    this.free = bytes - 1;
  }

  /** Room for a sample of `bytes`, headers included? What finds none is lost. @linux perf_output_begin */
  begin(bytes: number): boolean {
    const all = bytes + (this.lost === 0 ? 0 : LOST_BYTES);
    if (all > this.free) {
      this.lost++;
      return false;
    }
    if (this.lost !== 0) this.records.push({ type: 'lost', cpu: this.cpu, count: this.lost });
    this.lost = 0;
    this.free -= all;
    return true;
  }

  sample(data: Uint8Array): void {
    this.records.push({ type: 'sample', cpu: this.cpu, data });
  }

  take(): PerfRecord | undefined {
    const record = this.records.shift();
    if (record === undefined) return undefined;
    this.free +=
      record.type === 'lost' ? LOST_BYTES : HEADER_BYTES + LENGTH_BYTES + record.data.length;
    return record;
  }
}

export class PerfEventArrayMap extends FdArray<PerfRing> {
  /** Called for each sample that found room. */
  onWakeup: (() => void) | null = null;

  /** Open an event on each CPU that has an index, with rings of so many pages. */
  open(pages: number): void {
    const n = Math.min(this.maxEntries, this.bpf.cpus);
    for (let cpu = 0; cpu < n; cpu++) this.entries[cpu] = new PerfRing(cpu, pages * PAGE_SIZE);
  }

  /**
   * A sample of `len` bytes at `data`, then `packetLen` at `packet`.
   *
   * @param index CPU whose event gets it; it must be the one that runs
   * @linux bpf_perf_event_output, __bpf_perf_event_output
   */
  output(index: number, data: HostAddr, len: number, packet: HostAddr, packetLen: number): number {
    if (index >= this.maxEntries) return -E2BIG;
    const ring = this.get(index);
    if (ring === null) return -ENOENT;
    if (ring.cpu !== this.bpf.xdp.cpu.id) return -EOPNOTSUPP;
    const raw = Math.ceil((len + packetLen + LENGTH_BYTES) / 8) * 8 - LENGTH_BYTES;
    if (!ring.begin(HEADER_BYTES + LENGTH_BYTES + raw)) return -ENOSPC;
    const bytes = new Uint8Array(raw);
    bytes.set(this.mem.u8.subarray(data, data + len));
    bytes.set(this.mem.u8.subarray(packet, packet + packetLen), len);
    ring.sample(bytes);
    if (this.onWakeup !== null) this.onWakeup();
    return 0;
  }

  /** User space reads all rings, CPU by CPU. @returns records read */
  consume(visit: (record: PerfRecord) => void): number {
    let n = 0;
    for (const ring of this.entries)
      for (let record = ring?.take(); record !== undefined; record = ring?.take(), n++)
        visit(record);
    return n;
  }

  /** There are no perf events to put in but those of `open`. */
  protected override takeEntry(_id: number): number {
    return -EBADF;
  }

  protected override putEntry(_ring: PerfRing): void {}

  protected override copyOut(_key: HostAddr, _into: HostAddr): number {
    return -ENOTSUPP;
  }
}
