/**
 * A VLAN tag from the skb's field into its bytes.
 *
 * @linux __vlan_hwaccel_push_inside; include/linux/if_vlan.h
 */
import type { SkBuff } from './skbuff.ts';
import { skbHeadroom, skbPush } from './skbuff.ts';

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
