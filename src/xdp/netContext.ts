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
 *   +16   tgt_index
 *   +64   a frame that goes to its device by itself
 *   +128  bulk queues, a device's at the same place for each CPU
 *
 * @linux struct bpf_net_context, struct bpf_redirect_info; include/linux/filter.h
 */
import { RangeRefused } from '../host/errors.ts';
import type { HostAddr, HostWords, Region } from '../host/memory.ts';
import type { BpfProgRef } from './bpf.ts';
import { BULK_QUEUE_BYTES, XdpDevBulkQueue } from './bulkQueue.ts';
import type { CpuMapEntry, XdpCpuBulkQueue } from './cpumapEntry.ts';
import type { BpfMap } from './maps/bpfMap.ts';
import type { Dtab } from './maps/devmap.ts';
import { BPF_MAP_TYPE_UNSPEC } from './maps/uapi.ts';
import type { RedirectTarget } from './redirectTarget.ts';

/** Map id that says: no map, `tgtIndex` is an ifindex. No map ever gets it. */
export const MAP_ID_IFINDEX = 0x7fff_ffff;

/** Words of what was chosen, the first four of which are used up with it. */
const BULK_QUEUE = 0;
const MAP_ID = 1;
const MAP_TYPE = 2;
const FLAGS = 3;
const TGT_INDEX = 4;
const WORDS = 5;
const USED_UP = 4;
const SINGLE = 64;
const BULK_QUEUES = 128;

/** Offsets, for code that is compiled: the bulk queue, and the four words that `forget` clears. */
export const RI_BULK_QUEUE: number = BULK_QUEUE * 4;
export const RI_USED_UP: number = BULK_QUEUE * 4;

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
  /** Of a choice that is not a bulk queue: the entry's device and its program. */
  tgtValue: RedirectTarget | null = null;
  tgtProg: BpfProgRef | null = null;
  /** Of a cpumap. */
  tgtEntry: CpuMapEntry | null = null;
  /** Of a broadcast. */
  tgtMap: Dtab | null = null;

  constructor(words: HostWords, at: HostAddr) {
    this.words = words.subarray(at >> 2, (at >> 2) + WORDS);
    this.at = at;
  }

  /** Nothing, or what `tgtIndex` names. @param bulkQueue of an ordinary device, if it has one already; else 0 */
  chooseIfindex(bulkQueue: HostAddr): void {
    const { words } = this;
    words[BULK_QUEUE] = bulkQueue;
    words[MAP_ID] = MAP_ID_IFINDEX;
    words[MAP_TYPE] = BPF_MAP_TYPE_UNSPEC;
  }

  /** @param bulkQueue if the frame goes there as it is, and nowhere else; else 0 */
  chooseEntry({ id, type }: BpfMap, key: number, flags: number, bulkQueue: HostAddr): void {
    const { words } = this;
    words[BULK_QUEUE] = bulkQueue;
    words[MAP_ID] = id;
    words[MAP_TYPE] = type;
    words[FLAGS] = flags;
    words[TGT_INDEX] = key;
  }

  /** What was chosen is used up. */
  forget(): void {
    this.words.fill(0, 0, USED_UP);
  }

  get bulkQueue(): HostAddr {
    return this.words[BULK_QUEUE]!;
  }

  get mapId(): number {
    return this.words[MAP_ID]!;
  }

  get mapType(): number {
    return this.words[MAP_TYPE]!;
  }

  get flags(): number {
    return this.words[FLAGS]!;
  }

  /** An ifindex, or a key. */
  get tgtIndex(): number {
    return this.words[TGT_INDEX]! >>> 0;
  }

  set tgtIndex(index: number) {
    this.words[TGT_INDEX] = index;
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
  /** By ifindex of their devices, and by number: as they lie one behind the other, from 1. */
  private readonly byIfindex: (XdpDevBulkQueue | undefined)[] = [];
  private readonly byNumber: (XdpDevBulkQueue | null)[] = [null];
  /** Where number 0 would lie. */
  private readonly base: HostAddr;
  private readonly end: HostAddr;

  /** @param region `netContextBytes` at least */
  constructor(words: HostWords, region: Pick<Region, 'at' | 'bytes'>, bulkSize: number) {
    this.words = words;
    this.bulkSize = bulkSize;
    this.ri = new RedirectInfo(words, region.at);
    this.single = region.at + SINGLE;
    this.base = region.at + BULK_QUEUES - BULK_QUEUE_BYTES;
    this.end = region.at + region.bytes;
  }

  /** A device that frames are redirected to for the first time: its queue. Memory is planned for the machine's NICs: a device too many is refused in the middle of a poll. @throws RangeRefused */
  addBulkQueue(target: RedirectTarget): void {
    const at = this.bulkQueueAt(this.byNumber.length);
    if (at + BULK_QUEUE_BYTES > this.end) {
      const allowed = `for ${this.byNumber.length - 1} devices that frames are redirected to`;
      throw new RangeRefused('bulk queue of device', target.name, allowed);
    }
    const bq = new XdpDevBulkQueue(target, this.words, at, this.bulkSize);
    this.byIfindex[target.ifindex] = bq;
    this.byNumber.push(bq);
  }

  /** This CPU's bulk queue for `target`; undefined: nothing was redirected there so far. */
  bulkQueueOf(target: RedirectTarget): XdpDevBulkQueue | undefined {
    return this.byIfindex[target.ifindex];
  }

  /** The number of `target`'s queue, the same on each CPU; 0: it has none so far. */
  bulkNumber(target: RedirectTarget): number {
    const bq = this.byIfindex[target.ifindex];
    return bq === undefined ? 0 : (bq.at - this.base) / BULK_QUEUE_BYTES;
  }

  /** Where the queue of this number lies. */
  bulkQueueAt(number: number): HostAddr {
    return this.base + number * BULK_QUEUE_BYTES;
  }

  /** The queue that lies there. */
  bulkQueueFrom(at: HostAddr): XdpDevBulkQueue {
    return this.byNumber[(at - this.base) / BULK_QUEUE_BYTES]!;
  }

  /** See `XdpDevBulkQueue.askRoom`. */
  askRooms(except: number): void {
    const { byNumber } = this;
    for (let i = 1; i < byNumber.length; i++) byNumber[i]!.askRoom(except);
  }
}
