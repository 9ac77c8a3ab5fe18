/**
 * A packet enters the stack proper: the hooks that see it, in Linux's order.
 *
 *   tag removal → taps → traffic control ingress → VLAN devices → protocols
 *
 * Generic XDP, which Linux runs first, and rx_handlers (bridge, bond) are not built; no VLAN device
 * can be made, so a tagged packet with a VLAN id is for somebody else, as on a Linux without them.
 *
 * @linux __netif_receive_skb_core; net/core/dev.c
 */
import { OP_NETIF_RECEIVE, OP_NF_HOOK, OP_STACK_COLD } from '../host/cost.ts';
import type { Cpu } from '../host/cpu.ts';
import { SKB_DROP_REASON_TC_INGRESS, SKB_DROP_REASON_UNHANDLED_PROTO } from '../host/dropReason.ts';
import { TP_NETIF_RECEIVE_SKB } from '../host/trace.ts';
import { arpRcv } from './arp.ts';
import type { Inet } from './inet.ts';
import { ipRcv } from './ipInput.ts';
import { ipv6Rcv } from './ipv6Input.ts';
import { TC_ACT_OK } from './net.ts';
import type { SkBuff } from './skbuff.ts';
import { PACKET_OTHERHOST } from './skbuff.ts';
import { consumeSkb, kfreeSkb } from './skbPool.ts';
import { skbVlanUntag } from './skbVlan.ts';

const ETH_P_IP = 0x0800;
const ETH_P_ARP = 0x0806;
const ETH_P_IPV6 = 0x86dd;
const ETH_P_8021Q = 0x8100;
const ETH_P_8021AD = 0x88a8;
const VLAN_VID_MASK = 0xfff;

/** Takes the skb. @param cpu the one this code runs on. @linux __netif_receive_skb */
export function netifReceiveSkb(skb: SkBuff, cpu: Cpu): void {
  const { net } = skb.dev;
  cpu.charge(OP_NETIF_RECEIVE);
  if (cpu.stackCold) {
    cpu.stackCold = false;
    cpu.charge(OP_STACK_COLD);
  }
  if (net.watch.on) net.watch.point(TP_NETIF_RECEIVE_SKB, cpu, skb.len, skb.protocol);
  net.softnet[cpu.id]!.processed++;
  if (ethTypeVlan(skb.protocol) && !skbVlanUntag(skb, cpu)) return;
  for (let i = 0; i < net.taps.length; i++) net.taps[i]!.onSkb(skb, cpu);
  const { ingress } = net;
  if (ingress !== null) {
    cpu.charge(OP_NF_HOOK);
    if (ingress.onSkb(skb, cpu) !== TC_ACT_OK) {
      kfreeSkb(skb, SKB_DROP_REASON_TC_INGRESS, cpu);
      return;
    }
  }
  if (net.inet === null) {
    consumeSkb(skb, cpu); // nobody behind the hooks: it has arrived
    return;
  }
  if (skb.vlanProto !== 0 && !vlanDoReceive(skb, cpu)) return;
  deliverSkb(skb, net.inet, cpu);
}

/** @linux eth_type_vlan */
const ethTypeVlan = (protocol: number): boolean =>
  protocol === ETH_P_8021Q || protocol === ETH_P_8021AD;

/**
 * A tag that no device takes: with a VLAN id the packet is for somebody else; with id 0 the tag
 * only carried a priority, and there may be another behind it.
 *
 * @returns false when the packet is gone
 * @linux __netif_receive_skb_core, check_vlan_id
 */
function vlanDoReceive(skb: SkBuff, cpu: Cpu): boolean {
  while (skb.vlanProto !== 0) {
    if ((skb.vlanTci & VLAN_VID_MASK) !== 0) {
      skb.pktType = PACKET_OTHERHOST;
      skb.vlanProto = 0;
    } else {
      skb.vlanProto = 0;
      if (ethTypeVlan(skb.protocol) && !skbVlanUntag(skb, cpu)) return false;
    }
  }
  return true;
}

/** To whoever has registered for the protocol. @linux deliver_skb, struct packet_type */
function deliverSkb(skb: SkBuff, inet: Inet, cpu: Cpu): void {
  switch (skb.protocol) {
    case ETH_P_IP:
      ipRcv(skb, inet, cpu);
      return;
    case ETH_P_IPV6:
      ipv6Rcv(skb, inet, cpu);
      return;
    case ETH_P_ARP:
      arpRcv(skb, inet, cpu);
      return;
    default:
      skb.dev.stats.rxDropped++;
      kfreeSkb(skb, SKB_DROP_REASON_UNHANDLED_PROTO, cpu);
  }
}
