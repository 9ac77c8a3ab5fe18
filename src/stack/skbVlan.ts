/**
 * A VLAN tag between the skb's field and its bytes.
 *
 * @linux __vlan_hwaccel_push_inside, skb_vlan_untag; include/linux/if_vlan.h, net/core/skbuff.c
 */
import type { Cpu } from '../host/cpu.ts';
import { SKB_DROP_REASON_NOT_SPECIFIED } from '../host/dropReason.ts';
import { ethProtocolAt } from './ethTypeTrans.ts';
import type { SkBuff } from './skbuff.ts';
import { skbHeadroom, skbPull, skbPush } from './skbuff.ts';
import { kfreeSkb } from './skbPool.ts';
import { pskbMayPull } from './skbPull.ts';

const ETH_ALEN_2 = 12;
const VLAN_HLEN = 4;

/**
 * Insert the tag behind the addresses.
 *
 * @returns false when the headroom has no four bytes left
 * @linux __vlan_hwaccel_push_inside, vlan_insert_tag
 */
export function __vlanHwaccelPushInside(skb: SkBuff): boolean {
  if (skbHeadroom(skb) < VLAN_HLEN) return false;
  const { mem } = skb.dev.net;
  const at = skbPush(skb, VLAN_HLEN);
  mem.copy(at, at + VLAN_HLEN, ETH_ALEN_2);
  mem.view.setUint16(at + ETH_ALEN_2, skb.vlanProto);
  mem.view.setUint16(at + ETH_ALEN_2 + 2, skb.vlanTci);
  skb.vlanProto = 0;
  skb.vlanTci = 0;
  return true;
}

/**
 * Take the tag that begins at `data` out of the packet: the addresses move up to the inner type.
 *
 * @returns false when the packet was too short for a tag and is gone
 * @linux skb_vlan_untag
 */
export function skbVlanUntag(skb: SkBuff, cpu: Cpu): boolean {
  if (skb.vlanProto !== 0) return true; // hardware took one out: this one is left for later
  if (!pskbMayPull(skb, VLAN_HLEN + 2, cpu)) {
    kfreeSkb(skb, SKB_DROP_REASON_NOT_SPECIFIED, cpu);
    return false;
  }
  const { mem } = skb.dev.net;
  const tag = skb.data;
  skb.vlanProto = skb.protocol;
  skb.vlanTci = mem.view.getUint16(tag);
  skbPull(skb, VLAN_HLEN);
  mem.copy(skb.macHeader + VLAN_HLEN, skb.macHeader, ETH_ALEN_2);
  skb.macHeader += VLAN_HLEN;
  skb.protocol = ethProtocolAt(skb, tag + 2);
  return true;
}
