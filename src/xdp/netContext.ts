/**
 * Redirect state of one CPU: what the last helper call chose, and the frames waiting to be sent.
 *
 * @linux struct bpf_net_context, struct bpf_redirect_info; include/linux/filter.h
 */
import type { BpfProgRef } from './bpf.ts';
import type { CpuMapEntry, XdpCpuBulkQueue } from './cpumapEntry.ts';
import type { Dtab } from './maps/devmap.ts';
import { BPF_MAP_TYPE_UNSPEC } from './maps/uapi.ts';
import { XdpDevBulkQueue } from './bulkQueue.ts';
import type { RedirectTarget } from './redirectTarget.ts';

/** Map id that says: no map, `tgtIndex` is an ifindex. No map ever gets it. */
export const MAP_ID_IFINDEX = 0x7fff_ffff;

/**
 * Written by `bpf_redirect` and `bpf_redirect_map`, used up by `xdp_do_redirect`. It belongs to the
 * CPU, not to the packet: a program that calls the helper and then returns another verdict leaves
 * it behind, and one that returns XDP_REDIRECT without a call finds what was left.
 */
export class RedirectInfo {
  tgtIndex = 0;
  tgtValue: RedirectTarget | null = null;
  /** Of the devmap's entry. */
  tgtProg: BpfProgRef | null = null;
  /** Of a cpumap. */
  tgtEntry: CpuMapEntry | null = null;
  /** Of a broadcast. */
  tgtMap: Dtab | null = null;
  mapId = 0;
  mapType: number = BPF_MAP_TYPE_UNSPEC;
  flags = 0;
}

export class BpfNetContext {
  /** Frames are given back as from outside the pool's NAPI. @linux BPF_RI_F_RF_NO_DIRECT */
  returnFrameNoDirect = false;
  readonly ri: RedirectInfo = new RedirectInfo();
  /** Bulk queues that hold frames; the last to join is sent first. */
  readonly devFlushList: XdpDevBulkQueue[] = [];
  /** A frame that goes to its device by itself. */
  readonly single: Int32Array = new Int32Array(1);
  readonly cpuMapFlushList: XdpCpuBulkQueue[] = [];
  private readonly bulkQueues: (XdpDevBulkQueue | undefined)[] = [];

  /** This CPU's bulk queue for `target`, made at its first use. */
  bulkQueue(target: RedirectTarget): XdpDevBulkQueue {
    return (this.bulkQueues[target.ifindex] ??= new XdpDevBulkQueue(target));
  }
}
