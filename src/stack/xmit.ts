/**
 * Sending: from whoever has a finished frame to the queue of its device.
 *
 * A sender gets an skb from `allocSkb`, puts its headers in front of the data with `skbPush`, sets
 * `skb.dev`, and calls `devQueueXmit` with `skb.data` at the Ethernet header.
 *
 * @linux __dev_queue_xmit; net/core/dev.c
 */
import { OP_DEV_QUEUE_XMIT } from '../host/cost.ts';
import type { Cpu } from '../host/cpu.ts';
import { LOST_TX_DEVICE_CLOSED } from '../host/fates.ts';
import { TP_NET_DEV_QUEUE } from '../host/trace.ts';
import { SKB_DROP_REASON_DEV_READY } from '../host/dropReason.ts';
import type { NetDevice } from './netdevice.ts';
import { NETIF_F_HW_VLAN_CTAG_TX, NETIF_F_IPV6_CSUM, NETIF_F_IP_CSUM } from './netdevice.ts';
import { NET_XMIT_DROP, __devXmitSkb } from './qdisc.ts';
import { skbChecksumHelp } from './skbChecksum.ts';
import { kfreeSkb, skbForwarded } from './skbPool.ts';
import type { SkBuff } from './skbuff.ts';
import { CHECKSUM_PARTIAL } from './skbuff.ts';
import { __vlanHwaccelPushInside } from './skbVlan.ts';
import { devHardStartXmit, devXmitComplete, devXmitDrop } from './xmitOne.ts';

const ETH_P_IP = 0x0800;
const ETH_P_IPV6 = 0x86dd;

/**
 * Takes the skb, whatever becomes of it: `stackTx` of its device counts it here, and the wire or
 * one cause of loss later.
 *
 * A device without queues (`noQueue`) is called at once, on the sender's stack.
 *
 * @param cpu the one this code runs on
 * @returns `NET_XMIT_SUCCESS` or `NET_XMIT_DROP`
 * @linux dev_queue_xmit, __dev_queue_xmit
 */
export function devQueueXmit(skb: SkBuff, cpu: Cpu): number {
  const { dev } = skb;
  const { watch } = dev.net;
  cpu.charge(OP_DEV_QUEUE_XMIT);
  if (watch.on) watch.point(TP_NET_DEV_QUEUE, cpu, dev.ifindex, skb.len);
  dev.txFates.stackTx++;
  skb.queued = true;
  skbForwarded(skb);
  if (!dev.up) {
    dev.txFates.lost[LOST_TX_DEVICE_CLOSED]!++;
    kfreeSkb(skb, SKB_DROP_REASON_DEV_READY, cpu);
    return NET_XMIT_DROP;
  }
  if (!validateXmitSkb(skb, cpu)) return NET_XMIT_DROP;
  const queue = netdevCorePickTx(dev, skb, cpu);
  skb.queueMapping = queue;
  if (!dev.noQueue) return __devXmitSkb(dev.tx[queue]!.qdisc, skb, cpu);
  const rc = devHardStartXmit(skb, cpu, false);
  if (devXmitComplete(rc)) return rc;
  devXmitDrop(skb, cpu); // there is no queue in which it could wait
  return NET_XMIT_DROP;
}

/**
 * The TX queue for a packet: the sending CPU's, where the driver has named one; else one by the RX
 * queue the packet came in on, or by its flow's hash.
 *
 * @linux netdev_core_pick_tx, netdev_pick_tx, get_xps_queue, skb_tx_hash
 */
function netdevCorePickTx(dev: NetDevice, skb: SkBuff, cpu: Cpu): number {
  const count = dev.tx.length;
  if (count === 1) return 0;
  const byCpu = dev.xpsCpus[cpu.id];
  if (byCpu !== undefined) return byCpu;
  if (skb.queueMapping > 0) return (skb.queueMapping - 1) % count;
  return Math.floor(((skb.hash >>> 0) * count) / 2 ** 32); // reciprocal_scale
}

/**
 * Do in software what the device cannot: tags and checksums.
 *
 * @returns false when there was no memory for a tag's four bytes; the packet is then gone
 * @linux validate_xmit_skb, harmonize_features, skb_csum_hwoffload_help
 */
function validateXmitSkb(skb: SkBuff, cpu: Cpu): boolean {
  const { features } = skb.dev;
  if (skb.vlanProto !== 0 && (features & NETIF_F_HW_VLAN_CTAG_TX) === 0) {
    if (!__vlanHwaccelPushInside(skb)) {
      devXmitDrop(skb, cpu);
      return false;
    }
  }
  if (skb.ipSummed === CHECKSUM_PARTIAL && !canChecksumProtocol(features, skb.protocol))
    skbChecksumHelp(skb, cpu);
  return true;
}

/** @linux can_checksum_protocol */
function canChecksumProtocol(features: number, protocol: number): boolean {
  if (protocol === ETH_P_IP) return (features & NETIF_F_IP_CSUM) !== 0;
  return protocol === ETH_P_IPV6 && (features & NETIF_F_IPV6_CSUM) !== 0;
}
