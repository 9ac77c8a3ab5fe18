/**
 * The last step before the driver, for every way that leads to it.
 *
 * @linux dev_hard_start_xmit, xmit_one; net/core/dev.c
 */
import type { Cpu } from '../host/cpu.ts';
import { LOST_XMIT_DROP } from '../host/fates.ts';
import { TP_NET_DEV_XMIT } from '../host/trace.ts';
import { SKB_DROP_REASON_NOT_SPECIFIED } from '../host/dropReason.ts';
import { kfreeSkb } from './skbPool.ts';
import type { SkBuff } from './skbuff.ts';

/** @linux enum netdev_tx; include/linux/netdevice.h */
export const NETDEV_TX_OK = 0;
export const NETDEV_TX_BUSY = 0x10;

/** Is the skb the driver's, sent or dropped, and not the caller's? @linux dev_xmit_complete */
export const devXmitComplete = (rc: number): boolean => rc < NETDEV_TX_BUSY;

/**
 * Hand a packet to its device's driver. A device that cannot send drops it.
 *
 * @param more another packet for the same queue follows at once: the doorbell may wait for it
 * @returns `NETDEV_TX_*`; after BUSY the skb is still the caller's
 * @linux dev_hard_start_xmit, xmit_one, netdev_start_xmit
 */
export function devHardStartXmit(skb: SkBuff, cpu: Cpu, more: boolean): number {
  const { dev } = skb;
  const { netdevOps } = dev;
  if (netdevOps.ndoStartXmit === undefined) {
    devXmitDrop(skb, cpu);
    return NETDEV_TX_OK;
  }
  const { watch } = dev.net;
  if (watch.on) watch.point(TP_NET_DEV_XMIT, cpu, dev.ifindex, skb.len);
  return netdevOps.ndoStartXmit(skb, dev, cpu, more);
}

/** A driver, or the device's absence of one, gives a packet up: `tx_dropped`. @linux dev_core_stats_tx_dropped_inc */
export function devXmitDrop(skb: SkBuff, cpu: Cpu): void {
  skb.dev.txFates.lost[LOST_XMIT_DROP]!++;
  skb.dev.stats.txDropped++;
  kfreeSkb(skb, SKB_DROP_REASON_NOT_SPECIFIED, cpu);
}
