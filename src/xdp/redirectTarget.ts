import type { Cpu } from '../host/cpu.ts';
import type { HostAddr } from '../host/memory.ts';

/** A device as a redirect sees it: what is asked before a frame is queued, and where frames go. */
export interface RedirectTarget {
  readonly ifindex: number;
  readonly name: string;
  /** IFF_UP */
  readonly up: boolean;
  readonly mtu: number;
  /** Bytes of link-layer header, 14 for Ethernet. */
  readonly hardHeaderLen: number;
  /** `NETDEV_XDP_ACT_*` */
  readonly xdpFeatures: number;
  /**
   * Queue for transmission the `n` frames whose addresses lie at `frames`, in a word each. The target owns what it took; the
   * caller gives back the rest.
   *
   * @param flags `XDP_XMIT_FLUSH`: tell the hardware now
   * @returns how many it took, from the front; a negative errno: none
   * @linux ndo_xdp_xmit
   */
  ndoXdpXmit(cpu: Cpu, frames: HostAddr, n: number, flags: number): number;
}
