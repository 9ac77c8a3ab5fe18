/**
 * A packet enters the stack proper.
 *
 * Of the hooks in their order (generic XDP, tag removal, taps, traffic control, VLAN devices,
 * rx_handler, protocols) only the taps exist so far; behind them the packet has arrived.
 *
 * @linux __netif_receive_skb_core; net/core/dev.c
 */
import { OP_NETIF_RECEIVE } from '../host/cost.ts';
import type { Cpu } from '../host/cpu.ts';
import { TP_NETIF_RECEIVE_SKB } from '../host/trace.ts';
import type { SkBuff } from './skbuff.ts';
import { consumeSkb } from './skbPool.ts';

/** Takes the skb. @param cpu the one this code runs on. @linux netif_receive_skb */
export function netifReceiveSkb(skb: SkBuff, cpu: Cpu): void {
  const { net } = skb.dev;
  cpu.charge(OP_NETIF_RECEIVE);
  if (net.watch.on) net.watch.point(TP_NETIF_RECEIVE_SKB, cpu, skb.len, skb.protocol);
  net.softnet[cpu.id]!.processed++;
  for (let i = 0; i < net.taps.length; i++) net.taps[i]!.onSkb(skb, cpu);
  if (skb.fates !== null) skb.fates.toStack++;
  consumeSkb(skb, cpu);
}
