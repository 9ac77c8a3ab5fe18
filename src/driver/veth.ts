/**
 * A pair of devices back to back: what one sends, the other receives on the same CPU's backlog.
 *
 * Neither has queues or interrupts. Without native XDP, whose NAPI and rings are left out: a program
 * is refused, and so are frames redirected here.
 *
 * @linux drivers/net/veth.c
 */
import type { Cpu } from '../host/cpu.ts';
import { NET_RX_DROP, netifRx } from '../stack/backlog.ts';
import { ethTypeTrans } from '../stack/ethTypeTrans.ts';
import type { Net } from '../stack/net.ts';
import type { MacAddr } from '../stack/netdevice.ts';
import {
  NETIF_F_HW_VLAN_CTAG_TX,
  NETIF_F_IPV6_CSUM,
  NETIF_F_IP_CSUM,
  NetDevice,
  registerNetdevice,
} from '../stack/netdevice.ts';
import { NET_XMIT_DROP } from '../stack/qdisc.ts';
import type { SkBuff } from '../stack/skbuff.ts';
import { CHECKSUM_PARTIAL, CHECKSUM_UNNECESSARY } from '../stack/skbuff.ts';
import { NETDEV_TX_OK, devXmitDrop } from '../stack/xmitOne.ts';

const VLAN_HLEN = 4;
const ETH_MAX_MTU = 65_535;

export interface VethEnd {
  readonly name: string;
  readonly mac: MacAddr;
}

/** Make a pair; both ends are down. @linux veth_newlink */
export function vethNewlink(net: Net, first: VethEnd, second: VethEnd): [NetDevice, NetDevice] {
  const ends: NetDevice[] = [];
  const end = ({ name, mac }: VethEnd, peer: number): NetDevice => {
    const dev = new NetDevice(
      net,
      name,
      {
        ndoOpen: () => 0,
        ndoStop: () => 0,
        ndoStartXmit: (skb, own, cpu) => vethXmit(skb, own, ends[peer]!, cpu),
      },
      mac,
    );
    dev.noQueue = true;
    dev.maxMtu = ETH_MAX_MTU;
    dev.features = NETIF_F_IP_CSUM | NETIF_F_IPV6_CSUM | NETIF_F_HW_VLAN_CTAG_TX;
    registerNetdevice(dev);
    ends.push(dev);
    return dev;
  };
  return [end(first, 1), end(second, 0)];
}

/** @linux veth_xmit, veth_forward_skb */
function vethXmit(skb: SkBuff, dev: NetDevice, peer: NetDevice, cpu: Cpu): number {
  const { len } = skb;
  if (!isSkbForwardable(peer, len)) {
    devXmitDrop(skb, cpu);
    return NETDEV_TX_OK;
  }
  dev.txFates.toOther++;
  __devForwardSkb(skb, peer);
  if (netifRx(skb, cpu) === NET_RX_DROP) {
    dev.stats.txDropped++; // a loss of the peer's, yet the sender hears of it
    return NET_XMIT_DROP;
  }
  dev.stats.txPackets++;
  dev.stats.txBytes += len;
  peer.stats.rxPackets++;
  peer.stats.rxBytes += len;
  return NETDEV_TX_OK;
}

/** Up, and no longer than its MTU lets a frame be, a tag counted. @linux is_skb_forwardable */
const isSkbForwardable = ({ up, mtu, hardHeaderLen }: NetDevice, len: number): boolean =>
  up && len <= mtu + hardHeaderLen + VLAN_HLEN;

/**
 * A sent packet becomes a received one. Nobody can have damaged it on the way, so a checksum that
 * was left to hardware counts as right.
 *
 * @linux __dev_forward_skb, skb_scrub_packet
 */
function __devForwardSkb(skb: SkBuff, peer: NetDevice): void {
  const books = peer.rxFates;
  books.offered++;
  books.received++;
  books.noProgram++;
  skb.fates = books;
  skb.queueMapping = 0;
  if (skb.ipSummed === CHECKSUM_PARTIAL) skb.ipSummed = CHECKSUM_UNNECESSARY;
  skb.protocol = ethTypeTrans(skb, peer);
}
