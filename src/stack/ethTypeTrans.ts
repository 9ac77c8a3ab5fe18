/**
 * The Ethernet header's meaning: whom the packet is for, and whose protocol it carries.
 *
 * @linux eth_type_trans; net/ethernet/eth.c
 */
import { bugOn } from '../host/errors.ts';
import type { HostAddr } from '../host/memory.ts';
import {
  ETH_HLEN,
  ethDstHi16,
  ethDstLo32,
  ethType,
  macIsBroadcast,
  macIsMulticast,
} from '../wire/eth.ts';
import type { NetDevice } from './netdevice.ts';
import type { SkBuff } from './skbuff.ts';
import {
  PACKET_BROADCAST,
  PACKET_HOST,
  PACKET_MULTICAST,
  PACKET_OTHERHOST,
  skbHeadlen,
  skbPull,
} from './skbuff.ts';

/** Smaller values of the type field are 802.3 lengths. */
const ETH_P_802_3_MIN = 0x0600;
/** Protocol numbers of our own: a length field, followed by LLC, or by Novell's raw 802.3. */
const ETH_P_802_3 = 0x0001;
const ETH_P_802_2 = 0x0004;

/**
 * Set device, MAC header and packet type, and take the 14-byte header off.
 *
 * @returns the protocol: an EtherType, or one of Linux's numbers for 802.3
 * @linux eth_type_trans
 */
export function ethTypeTrans(skb: SkBuff, dev: NetDevice): number {
  const { view } = dev.net.mem;
  const eth = skb.data;
  skb.dev = dev;
  skb.macHeader = eth;
  bugOn(skbPull(skb, ETH_HLEN) === 0, 'eth_type_trans: less than an Ethernet header is linear');
  skb.pktType = packetType(view, eth, dev);
  return protocolOf(skb, ethType(view, eth));
}

/** The protocol that the two bytes at `at`, right before `data`, name. @linux vlan_set_encap_proto */
export const ethProtocolAt = (skb: SkBuff, at: HostAddr): number =>
  protocolOf(skb, skb.dev.net.mem.view.getUint16(at));

function protocolOf(skb: SkBuff, type: number): number {
  if (type >= ETH_P_802_3_MIN) return type;
  const { view } = skb.dev.net.mem;
  const novell = skbHeadlen(skb) >= 2 && view.getUint16(skb.data) === 0xffff;
  return novell ? ETH_P_802_3 : ETH_P_802_2;
}

function packetType(view: DataView, eth: number, dev: NetDevice): number {
  const hi = ethDstHi16(view, eth);
  const lo = ethDstLo32(view, eth);
  if (hi === dev.devAddr.hi16 && lo === dev.devAddr.lo32) return PACKET_HOST;
  if (macIsBroadcast(hi, lo)) return PACKET_BROADCAST;
  return macIsMulticast(hi) ? PACKET_MULTICAST : PACKET_OTHERHOST;
}
