/**
 * Probing: the device as the stack sees it, and the operations the stack may call.
 *
 * @linux bnxt_init_one, bnxt_netdev_ops; drivers/net/ethernet/broadcom/bnxt/bnxt.c
 */
import { EINVAL } from '../../host/errno.ts';
import { RangeRefused } from '../../host/errors.ts';
import type { MacAddr, NetDeviceOps } from '../../stack/netdevice.ts';
import {
  NETIF_F_HW_VLAN_CTAG_RX,
  NETIF_F_HW_VLAN_CTAG_TX,
  NETIF_F_HW_VLAN_STAG_RX,
  NETIF_F_IPV6_CSUM,
  NETIF_F_IP_CSUM,
  NETIF_F_NTUPLE,
  NETIF_F_RXCSUM,
  NETIF_F_RXHASH,
  NetDevice,
  registerNetdevice,
} from '../../stack/netdevice.ts';
import type { Net } from '../../stack/net.ts';
import {
  NETDEV_XDP_ACT_BASIC,
  NETDEV_XDP_ACT_REDIRECT,
  NETDEV_XDP_ACT_RX_SG,
} from '../../xdp/uapi.ts';
import type { BnxtPdev } from './bnxt.ts';
import {
  BCM57508,
  BNXT_FLAG_CHIP_P5_PLUS,
  BNXT_RESET_TASK_SP_EVENT,
  BNXT_RX_RING_RESET_SP_EVENT,
  Bnxt,
} from './bnxt.ts';
import { dfltRxCoal, dfltTxCoal } from './coal.ts';
import { bnxtGetStats64 } from './ethtoolGet.ts';
import { bnxtCfgRxMode, bnxtCloseNic, bnxtOpenNic } from './open.ts';
import { bnxtRxRingReset } from './reset.ts';
import {
  BNXT_MAX_MTU,
  BNXT_MAX_RX_DESC_CNT,
  BNXT_MAX_TX_DESC_CNT,
  BNXT_MIN_TX_DESC_CNT,
  bnxtCheckMtu,
} from './rings.ts';
import { bnxtFillRssKey, bnxtSetDfltRssHashType } from './rss.ts';
import { bnxtStartXmit } from './tx.ts';
import { bnxtXdpXmit } from './xdp.ts';
import { bnxtXdp } from './xdpSet.ts';

/** An int, and nothing else bounds it. @linux struct napi_struct, weight */
const WEIGHT_MAX = 2 ** 31 - 1;

/** Ring and queue counts, as `ethtool -G` and `-L` set them. */
export interface BnxtParams {
  readonly queues: number;
  readonly rxRing: number;
  readonly txRing: number;
  readonly mtu: number;
  readonly rxvlan: boolean;
  readonly weight: number;
}

/** @throws RangeRefused for ring sizes the driver does not take @linux bnxt_init_one */
export function bnxtInitOne(
  net: Net,
  name: string,
  mac: MacAddr,
  pdev: BnxtPdev,
  params: BnxtParams,
): Bnxt {
  checkRange(`${name} rx ring`, params.rxRing, 1, BNXT_MAX_RX_DESC_CNT);
  checkRange(`${name} tx ring`, params.txRing, BNXT_MIN_TX_DESC_CNT, BNXT_MAX_TX_DESC_CNT);
  checkRange(`${name} queues`, params.queues, 1, pdev.vectors.length / 2);
  checkRange(`${name} NAPI weight`, params.weight, 1, WEIGHT_MAX);
  let bp: Bnxt;
  const dev = new NetDevice(
    net,
    name,
    bnxtNetdevOps(() => bp),
    mac,
  );
  dev.maxMtu = BNXT_MAX_MTU;
  dev.minMtu = 60;
  checkRange(`${name} mtu`, params.mtu, dev.minMtu, dev.maxMtu);
  dev.mtu = params.mtu;
  dev.features = NETIF_F_RXCSUM | NETIF_F_RXHASH | NETIF_F_NTUPLE;
  dev.features |= NETIF_F_IP_CSUM | NETIF_F_IPV6_CSUM | NETIF_F_HW_VLAN_CTAG_TX;
  if (params.rxvlan) dev.features |= NETIF_F_HW_VLAN_CTAG_RX | NETIF_F_HW_VLAN_STAG_RX;
  dev.xdpFeatures = NETDEV_XDP_ACT_BASIC | NETDEV_XDP_ACT_REDIRECT | NETDEV_XDP_ACT_RX_SG;
  const coal = { rx: dfltRxCoal(pdev.moderation?.mostFrames), tx: dfltTxCoal() };
  bp = new Bnxt(dev, pdev, coal, bnxtSpTask);
  if (pdev.device === BCM57508) bp.flags |= BNXT_FLAG_CHIP_P5_PLUS;
  bp.rxRingSize = params.rxRing;
  bp.txRingSize = params.txRing;
  bp.rxNrRings = params.queues;
  bp.txNrRingsPerTc = params.queues;
  bp.napiWeight = params.weight;
  bnxtFillRssKey(bp);
  bnxtSetDfltRssHashType(bp);
  registerNetdevice(dev);
  return bp;
}

function checkRange(what: string, value: number, min: number, max: number): void {
  if (!Number.isInteger(value) || value < min || value > max)
    throw new RangeRefused(what, value, `${min} to ${max}`);
}

/** @linux bnxt_netdev_ops */
const bnxtNetdevOps = (bp: () => Bnxt): NetDeviceOps => ({
  ndoOpen: () => bnxtOpenNic(bp()),
  ndoStop: () => {
    bnxtCloseNic(bp());
    return 0;
  },
  ndoStartXmit: (skb, _dev, cpu, more) => bnxtStartXmit(bp(), skb, cpu, more),
  ndoChangeMtu: (_dev, mtu) => bnxtChangeMtu(bp(), mtu),
  ndoSetRxMode: () => bnxtCfgRxMode(bp()),
  ndoGetStats64: (_dev, stats) => bnxtGetStats64(bp(), stats),
  ndoBpf: (_dev, bpf) => bnxtXdp(bp(), bpf),
  ndoXdpXmit: (_dev, cpu, frames, n, flags) => bnxtXdpXmit(bp(), cpu, frames, n, flags),
});

/** Buffers change their size, so a running device is closed and opened again. @linux bnxt_change_mtu */
function bnxtChangeMtu(bp: Bnxt, mtu: number): number {
  if (mtu > bp.dev.maxMtu) return -EINVAL;
  bnxtCheckMtu(bp, mtu); // before anything is closed
  const running = bp.open;
  if (running) bnxtCloseNic(bp);
  bp.dev.mtu = mtu;
  return running ? bnxtOpenNic(bp) : 0;
}

/** Slow-path work that polls have asked for. @linux bnxt_sp_task */
function bnxtSpTask(bp: Bnxt): void {
  const events = bp.spEvent;
  bp.spEvent = 0;
  if (!bp.open) return;
  if ((events & BNXT_RX_RING_RESET_SP_EVENT) !== 0) bnxtRxRingReset(bp);
  if ((events & BNXT_RESET_TASK_SP_EVENT) !== 0) bnxtReset(bp);
}

/** Everything from the start. @linux bnxt_reset_task, bnxt_reset */
function bnxtReset(bp: Bnxt): void {
  bnxtCloseNic(bp);
  bnxtOpenNic(bp);
}
