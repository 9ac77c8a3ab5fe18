/**
 * An RX queue as XDP knows it: where a packet came in, and who takes its page back.
 *
 * @linux struct xdp_rxq_info; include/net/xdp.h
 */
import { Histogram } from '../host/histogram.ts';
import type { HostWords } from '../host/memory.ts';
import type { RxStages } from '../host/stages.ts';
import type { RxStamps } from '../host/stamps.ts';
import type { Watch } from '../host/watch.ts';
import type { XdpKernel } from './kernel.ts';

export class XdpRxqInfo {
  readonly xdp: XdpKernel;
  readonly ifindex: number;
  readonly queueIndex: number;
  /** Set by `xdpRxqInfoRegMemModel`; 0 before. */
  memType = 0;
  memId = 0;
  /** When each frame arrived; the NIC writes, `bpfProgRunXdp` reads. */
  readonly stamps: RxStamps;
  /** What each packet needs of `xdp` and `stamps`, one step away. */
  readonly words: HostWords;
  readonly watch: Watch;
  /** By page. */
  readonly arrivedAt: Float64Array;
  /** From the frame's arrival until its verdict. */
  readonly latency: Histogram = new Histogram();
  /** Told the parts of that; null unless asked for. */
  stages: RxStages | null = null;

  constructor(xdp: XdpKernel, ifindex: number, queueIndex: number, stamps: RxStamps) {
    this.xdp = xdp;
    this.ifindex = ifindex;
    this.queueIndex = queueIndex;
    this.stamps = stamps;
    this.words = xdp.mem.words;
    this.watch = xdp.watch;
    this.arrivedAt = stamps.at;
  }

  /** Packets that have a verdict; the next one's number in a `ProgramFault` is one more. */
  get runs(): number {
    return this.latency.count;
  }
}
