/**
 * IPv4 sends a packet: header, fragments where it is longer than the MTU, neighbour, device.
 *
 * @linux net/ipv4/ip_output.c
 */
import { OP_IP_OUTPUT } from '../host/cost.ts';
import type { Cpu } from '../host/cpu.ts';
import {
  SKB_DROP_REASON_NEIGH_CREATEFAIL,
  SKB_DROP_REASON_NOT_SPECIFIED,
} from '../host/dropReason.ts';
import { EHOSTUNREACH, ENETUNREACH, ENOBUFS, ENOMEM } from '../host/errno.ts';
import { IP_DF, IP_MF, writeIpv4 } from '../wire/ipv4.ts';
import type { Inet } from './inet.ts';
import { devHardHeader } from './neighbour.ts';
import { skbCopyTo } from './skbBytes.ts';
import type { SkBuff } from './skbuff.ts';
import { skbPush, skbPut } from './skbuff.ts';
import { allocSkb, consumeSkb, kfreeSkb } from './skbPool.ts';
import { devQueueXmit } from './xmit.ts';

const HLEN = 20;
const ETH_P_IP = 0x0800;
const LIMITED_BROADCAST = 0xffff_ffff;
/** @linux IPDEFTTL */
export const IPDEFTTL = 64;
/** Room for an IPv4 header in front of everything that is put into an skb. */
export const IPV4_HLEN: number = HLEN;

/**
 * Find the way to `daddr`; it is in `inet.hop` afterwards.
 *
 * @returns 0 or a negative errno
 * @linux ip_route_output_key
 */
export function ipRouteOutput(inet: Inet, daddr: number): number {
  const { addrs, hop } = inet;
  if (daddr === 0 || daddr >>> 28 === 0xe) return -ENETUNREACH;
  if (addrs.isLocal4(daddr) || daddr >>> 24 === 127) return -EHOSTUNREACH; // no loopback device
  if (!addrs.routeOut4(daddr, hop)) {
    inet.mib.ip.OutNoRoutes++;
    return -ENETUNREACH;
  }
  hop.broadcast = daddr === LIMITED_BROADCAST || addrs.isBroadcast4(daddr);
  return 0;
}

/**
 * Takes a packet whose `data` is its transport header; `inet.hop` says where it goes. One that is
 * longer than the MTU must have its checksum already.
 *
 * @param mayFragment false: Don't Fragment, and then the identification says nothing
 * @returns 0, `NET_XMIT_DROP` or a negative errno; the packet is gone whatever it is
 * @linux ip_send_skb, ip_local_out, ip_finish_output
 */
export function ipLocalOut(
  inet: Inet,
  skb: SkBuff,
  saddr: number,
  daddr: number,
  proto: number,
  tos: number,
  mayFragment: boolean,
  cpu: Cpu,
): number {
  const { ip } = inet.mib;
  const tooLong = skb.len + HLEN > inet.hop.dev!.mtu;
  const id = mayFragment || tooLong ? inet.ipId++ & 0xffff : 0;
  ip.OutRequests++;
  let rc: number;
  if (tooLong) rc = ipDoFragment(inet, skb, saddr, daddr, proto, tos, id, cpu);
  else {
    const at = skbPush(skb, HLEN);
    const frag = mayFragment ? 0 : IP_DF;
    writeIpv4(inet.net.mem.view, at, tos, skb.len, id, frag, IPDEFTTL, proto, saddr, daddr);
    rc = ipFinishOutput2(inet, skb, daddr, cpu);
  }
  if (rc !== 0) ip.OutDiscards++;
  return rc;
}

/**
 * Send a packet in pieces, each but the last as long as the MTU allows in steps of eight bytes.
 * Linux's sender writes such a packet in pieces from the start, so the copying costs no time here.
 *
 * @linux ip_do_fragment
 */
function ipDoFragment(
  inet: Inet,
  whole: SkBuff,
  saddr: number,
  daddr: number,
  proto: number,
  tos: number,
  id: number,
  cpu: Cpu,
): number {
  const { ip } = inet.mib;
  const { view } = inet.net.mem;
  const dev = inet.hop.dev!;
  const room = (dev.mtu - HLEN) & ~7;
  let rc = 0;
  for (let offset = 0; offset < whole.len && rc === 0; offset += room) {
    const len = Math.min(room, whole.len - offset);
    const skb = allocSkb(dev, len, cpu);
    if (skb === null) {
      rc = -ENOMEM;
      break;
    }
    skbCopyTo(whole, offset, skbPut(skb, len), len);
    const frag = (offset >>> 3) | (offset + len < whole.len ? IP_MF : 0);
    const at = skbPush(skb, HLEN);
    writeIpv4(view, at, tos, skb.len, id, frag, IPDEFTTL, proto, saddr, daddr);
    rc = ipFinishOutput2(inet, skb, daddr, cpu);
    if (rc === 0) ip.FragCreates++;
  }
  if (rc === 0) {
    ip.FragOKs++;
    consumeSkb(whole, cpu);
  } else {
    ip.FragFails++;
    kfreeSkb(whole, SKB_DROP_REASON_NOT_SPECIFIED, cpu);
  }
  return rc;
}

/** To the neighbour; nobody need be asked where everybody is. @linux ip_finish_output2, arp_constructor */
function ipFinishOutput2(inet: Inet, skb: SkBuff, daddr: number, cpu: Cpu): number {
  const { gateway, broadcast } = inet.hop;
  const dev = inet.hop.dev!;
  cpu.charge(OP_IP_OUTPUT);
  skb.networkHeader = skb.data;
  inet.mib.ip.OutTransmits++;
  if (broadcast && gateway === 0) {
    devHardHeader(skb, dev, ETH_P_IP, 0xffff, 0xffff_ffff);
    return devQueueXmit(skb, cpu);
  }
  const neigh = inet.arp.lookupOrCreate(dev, 0, 0, 0, gateway === 0 ? daddr : gateway, cpu);
  if (neigh !== null) return inet.arp.output(neigh, skb, cpu);
  kfreeSkb(skb, SKB_DROP_REASON_NEIGH_CREATEFAIL, cpu);
  return -ENOBUFS;
}
