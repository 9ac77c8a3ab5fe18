/**
 * An RX queue as XDP knows it: where a packet came in, and who takes its page back.
 *
 * @linux struct xdp_rxq_info; include/net/xdp.h
 */
import { Histogram } from '../host/histogram.ts';
import type { RxStamps } from '../host/stamps.ts';
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
  /** From the frame's arrival until its verdict. */
  readonly latency: Histogram = new Histogram();

  constructor(xdp: XdpKernel, ifindex: number, queueIndex: number, stamps: RxStamps) {
    this.xdp = xdp;
    this.ifindex = ifindex;
    this.queueIndex = queueIndex;
    this.stamps = stamps;
  }

  /** Packets that have a verdict; the next one's number in a `ProgramFault` is one more. */
  get runs(): number {
    return this.latency.count;
  }
}
