/**
 * Redirect state of one CPU: what the last helper call chose, and the frames waiting to be sent.
 *
 * What compiled code reads and writes of it lies in host memory, 128 bytes and as many for each bulk
 * queue behind them:
 *
 *   +0    bulk queue of the one device that was chosen; 0: none so far, or no device's alone
 *   +4    map_id
 *   +8    map_type
 *   +12   flags
 *   +64   a frame that goes to its device by itself
 *   +128  bulk queues, in the order of their first use
 *
 * @linux struct bpf_net_context, struct bpf_redirect_info; include/linux/filter.h
 */
import { RangeRefused } from '../host/errors.ts';
import type { HostAddr, HostWords, Region } from '../host/memory.ts';
import type { BpfProgRef } from './bpf.ts';
import { BULK_QUEUE_BYTES, XdpDevBulkQueue } from './bulkQueue.ts';
import type { CpuMapEntry, XdpCpuBulkQueue } from './cpumapEntry.ts';
import type { Dtab } from './maps/devmap.ts';
import { BPF_MAP_TYPE_UNSPEC } from './maps/uapi.ts';
import type { RedirectTarget } from './redirectTarget.ts';

/** Map id that says: no map, `tgtIndex` is an ifindex. No map ever gets it. */
export const MAP_ID_IFINDEX = 0x7fff_ffff;

const BULK_QUEUE = 0;
const MAP_ID = 4;
const MAP_TYPE = 8;
const FLAGS = 12;
const SINGLE = 64;
const BULK_QUEUES = 128;

/** Bytes of host memory for each CPU, with `devices` that frames can be redirected to. */
export const netContextBytes = (devices: number): number =>
  BULK_QUEUES + devices * BULK_QUEUE_BYTES;

/**
 * Written by `bpf_redirect` and `bpf_redirect_map`, used up by `xdp_do_redirect`. It belongs to the
 * CPU, not to the packet: a program that calls the helper and then returns another verdict leaves
 * it behind, and one that returns XDP_REDIRECT without a call finds what was left.
 */
export class RedirectInfo {
  readonly at: HostAddr;
  private readonly words: HostWords;
  tgtIndex = 0;
  tgtValue: RedirectTarget | null = null;
  /** Of the devmap's entry. */
  tgtProg: BpfProgRef | null = null;
  /** Of a cpumap. */
  tgtEntry: CpuMapEntry | null = null;
  /** Of a broadcast. */
  tgtMap: Dtab | null = null;

  constructor(words: HostWords, at: HostAddr) {
    this.words = words;
    this.at = at;
  }

  /** @param bulkQueue of the device that `tgtIndex` names, where there is an ordinary one; else 0 */
  chooseIfindex(bulkQueue: HostAddr): void {
    const { words, at } = this;
    words[(at + BULK_QUEUE) >> 2] = bulkQueue;
    words[(at + MAP_ID) >> 2] = MAP_ID_IFINDEX;
    words[(at + MAP_TYPE) >> 2] = BPF_MAP_TYPE_UNSPEC;
  }

  /** @param bulkQueue of the entry's device, where the frame goes there as it is, and nowhere else; else 0 */
  chooseEntry(mapId: number, mapType: number, flags: number, bulkQueue: HostAddr): void {
    const { words, at } = this;
    words[(at + BULK_QUEUE) >> 2] = bulkQueue;
    words[(at + MAP_ID) >> 2] = mapId;
    words[(at + MAP_TYPE) >> 2] = mapType;
    words[(at + FLAGS) >> 2] = flags;
  }

  /** What was chosen is used up. */
  forget(): void {
    this.chooseEntry(0, BPF_MAP_TYPE_UNSPEC, 0, 0);
  }

  get mapId(): number {
    return this.words[(this.at + MAP_ID) >> 2]!;
  }

  get mapType(): number {
    return this.words[(this.at + MAP_TYPE) >> 2]!;
  }

  get flags(): number {
    return this.words[(this.at + FLAGS) >> 2]!;
  }
}

export class BpfNetContext {
  /** Frames are given back as from outside the pool's NAPI. @linux BPF_RI_F_RF_NO_DIRECT */
  returnFrameNoDirect = false;
  readonly ri: RedirectInfo;
  /** Bulk queues that hold frames; the last to join is sent first. */
  readonly devFlushList: XdpDevBulkQueue[] = [];
  /** Where the address of a frame lies that goes to its device by itself. */
  readonly single: HostAddr;
  readonly cpuMapFlushList: XdpCpuBulkQueue[] = [];
  private readonly words: HostWords;
  private readonly bulkSize: number;
  private readonly bulkQueues: (XdpDevBulkQueue | undefined)[] = [];
  /** From here on up to there is room for more bulk queues. */
  private next: HostAddr;
  private readonly end: HostAddr;

  /** @param region `netContextBytes` at least */
  constructor(words: HostWords, region: Pick<Region, 'at' | 'bytes'>, bulkSize: number) {
    this.words = words;
    this.bulkSize = bulkSize;
    this.ri = new RedirectInfo(words, region.at);
    this.single = region.at + SINGLE;
    this.next = region.at + BULK_QUEUES;
    this.end = region.at + region.bytes;
  }

  /** This CPU's bulk queue for `target`, made at its first use. @throws RangeRefused */
  bulkQueue(target: RedirectTarget): XdpDevBulkQueue {
    return this.bulkQueues[target.ifindex] ?? this.makeBulkQueue(target);
  }

  private makeBulkQueue(target: RedirectTarget): XdpDevBulkQueue {
    const at = this.next;
    if (at + BULK_QUEUE_BYTES > this.end) {
      const allowed = 'as many devices as redirects were told of';
      throw new RangeRefused('bulk queue of device', target.name, allowed);
    }
    this.next += BULK_QUEUE_BYTES;
    const bq = new XdpDevBulkQueue(target, this.words, at, this.bulkSize);
    this.bulkQueues[target.ifindex] = bq;
    return bq;
  }

  /** Where `target`'s bulk queue lies; 0: it has none yet. */
  bulkQueueAt(target: RedirectTarget | null): HostAddr {
    return target === null ? 0 : (this.bulkQueues[target.ifindex]?.at ?? 0);
  }
}
