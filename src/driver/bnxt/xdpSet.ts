/**
 * Attaching a program: the rules, and the close, exchange and open that it takes.
 *
 * @linux bnxt_xdp, bnxt_xdp_set; drivers/net/ethernet/broadcom/bnxt/bnxt_xdp.c
 */
import { EOPNOTSUPP } from '../../host/errno.ts';
import { NETDEV_XDP_ACT_NDO_XMIT, NETDEV_XDP_ACT_NDO_XMIT_SG } from '../../xdp/uapi.ts';
import type { XdpProg } from '../../xdp/program.ts';
import type { NetdevBpf } from '../../stack/netdevice.ts';
import type { Bnxt } from './bnxt.ts';
import { BNXT_FLAG_RX_PAGE_MODE, BNXT_FLAG_SHARED_RINGS } from './bnxt.ts';
import { bnxtCloseNic, bnxtOpenNic } from './open.ts';
import { BNXT_MAX_MTU, BNXT_MAX_PAGE_MODE_MTU } from './rings.ts';

/** @linux bnxt_xdp */
export function bnxtXdp(bp: Bnxt, bpf: NetdevBpf): number {
  return bnxtXdpSet(bp, bpf);
}

/**
 * Exchange the program. A running device is closed and opened again, because buffers, rings and
 * the number of completion rings differ; what arrives meanwhile is lost.
 *
 * @returns 0 or -EOPNOTSUPP, explained in `extack`
 * @linux bnxt_xdp_set
 */
function bnxtXdpSet(bp: Bnxt, { prog, extack }: NetdevBpf): number {
  const { dev } = bp;
  if (prog !== null && !prog.hasFrags && dev.mtu > BNXT_MAX_PAGE_MODE_MTU) {
    extack.msg = `MTU ${dev.mtu} larger than ${BNXT_MAX_PAGE_MODE_MTU} without XDP frag support.`;
    return -EOPNOTSUPP;
  }
  if (prog !== null && dev.mtu > BNXT_MAX_PAGE_MODE_MTU) {
    extack.msg = `MTU ${dev.mtu} larger than ${BNXT_MAX_PAGE_MODE_MTU}: packets in several buffers are not built yet`;
    return -EOPNOTSUPP;
  }
  if ((bp.flags & BNXT_FLAG_SHARED_RINGS) === 0) {
    extack.msg = 'ethtool rx/tx channels must be combined to support XDP.';
    return -EOPNOTSUPP;
  }
  const running = bp.open;
  if (running) bnxtCloseNic(bp);
  bnxtExchange(bp, prog);
  return running ? bnxtOpenNic(bp) : 0;
}

/** Page mode, XDP TX rings and redirect-target features come and go with the program. */
function bnxtExchange(bp: Bnxt, prog: XdpProg | null): void {
  const { dev } = bp;
  bp.xdpProg = prog;
  if (prog === null) {
    bp.flags &= ~BNXT_FLAG_RX_PAGE_MODE;
    bp.txNrRingsXdp = 0;
    dev.xdpFeatures &= ~(NETDEV_XDP_ACT_NDO_XMIT | NETDEV_XDP_ACT_NDO_XMIT_SG);
    dev.maxMtu = BNXT_MAX_MTU;
  } else {
    bp.flags |= BNXT_FLAG_RX_PAGE_MODE;
    bp.txNrRingsXdp = bp.rxNrRings;
    dev.xdpFeatures |= NETDEV_XDP_ACT_NDO_XMIT | NETDEV_XDP_ACT_NDO_XMIT_SG;
    dev.maxMtu = BNXT_MAX_PAGE_MODE_MTU;
  }
  bp.xdpLockingKey = bp.txNrRingsXdp > 0 && bp.txNrRingsXdp < bp.cpus.length;
}
