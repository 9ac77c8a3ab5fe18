/**
 * IPv6 sends a packet: header, fragments where it is longer than the MTU, neighbour, device.
 *
 * @linux net/ipv6/ip6_output.c
 */
import { OP_IP_OUTPUT } from '../host/cost.ts';
import type { Cpu } from '../host/cpu.ts';
import {
  SKB_DROP_REASON_NEIGH_CREATEFAIL,
  SKB_DROP_REASON_NOT_SPECIFIED,
} from '../host/dropReason.ts';
import { EHOSTUNREACH, ENETUNREACH, ENOBUFS, ENOMEM } from '../host/errno.ts';
import { IPPROTO_FRAGMENT } from '../wire/ip.ts';
import { IPV6_ADDRS, writeIpv6 } from '../wire/ipv6.ts';
import { In6Addr, in6IsLinkScoped, in6IsMulticast, writeIn6 } from './in6.ts';
import type { Inet } from './inet.ts';
import type { Neigh } from './neighbour.ts';
import { devHardHeader } from './neighbour.ts';
import type { NetDevice } from './netdevice.ts';
import { skbCopyTo } from './skbBytes.ts';
import type { SkBuff } from './skbuff.ts';
import { skbPush, skbPut } from './skbuff.ts';
import { allocSkb, consumeSkb, kfreeSkb } from './skbPool.ts';
import { devQueueXmit } from './xmit.ts';

const HLEN = 40;
const ETH_P_IPV6 = 0x86dd;
/** @linux IPV6_DEFAULT_HOPLIMIT */
const HOP_LIMIT = 64;
const FRAGMENT_HLEN = 8;
const MORE_FRAGMENTS = 1;

const source: In6Addr = new In6Addr();

/** Room for the header in front of everything that is put into an skb. */
export const IPV6_HLEN: number = HLEN;

/**
 * Find the way to `daddr`; it is in `inet.hop` afterwards.
 *
 * @param dev where the packet came from that is answered: a link-local address is meant there
 * @returns 0 or a negative errno
 * @linux ip6_route_output
 */
export function ip6RouteOutput(inet: Inet, daddr: In6Addr, dev: NetDevice): number {
  const { w0, w1, w2, w3 } = daddr;
  if (daddr.isAny || in6IsMulticast(w0)) return -ENETUNREACH;
  if (inet.addrs.local6(w0, w1, w2, w3) !== null) return -EHOSTUNREACH; // there is no loopback device
  if (inet.addrs.routeOut6(daddr, in6IsLinkScoped(w0) ? dev : null, inet.hop)) return 0;
  inet.mib.ip6.OutNoRoutes++;
  return -ENETUNREACH;
}

/**
 * Takes a packet whose `data` is its upper-layer header; `inet.hop` says where it goes. One that is
 * longer than the MTU must have its checksum already.
 *
 * @returns 0, `NET_XMIT_DROP` or a negative errno; the packet is gone whatever it is
 * @linux ip6_send_skb, ip6_finish_output
 */
export function ip6LocalOut(
  inet: Inet,
  skb: SkBuff,
  saddr: In6Addr,
  daddr: In6Addr,
  proto: number,
  trafficClass: number,
  cpu: Cpu,
): number {
  const { hop, mib } = inet;
  const dev = hop.dev!;
  mib.ip6.OutRequests++;
  const next = hop.gateway6.isAny ? daddr : hop.gateway6;
  const neigh = inet.nd.lookupOrCreate(dev, next.w0, next.w1, next.w2, next.w3, cpu);
  let rc: number;
  if (neigh === null) {
    mib.ip6.OutTransmits++;
    kfreeSkb(skb, SKB_DROP_REASON_NEIGH_CREATEFAIL, cpu);
    rc = -ENOBUFS;
  } else if (skb.len + HLEN > dev.mtu) {
    rc = ip6Fragment(inet, skb, neigh, saddr, daddr, proto, trafficClass, cpu);
  } else {
    pushIpv6(inet, skb, saddr, daddr, proto, trafficClass, HOP_LIMIT, cpu);
    rc = inet.nd.output(neigh, skb, cpu);
  }
  if (rc !== 0) mib.ip6.OutDiscards++;
  return rc;
}

/**
 * Send a packet in pieces, each but the last as long as the MTU allows in steps of eight bytes.
 * Linux's sender writes such a packet in pieces from the start, so the copying costs no time here.
 *
 *   fragment header   +0 next header | +2 15:3 offset, 0 more | +4 identification
 *
 * @spec RFC 8200 §4.5
 * @linux ip6_fragment
 */
function ip6Fragment(
  inet: Inet,
  whole: SkBuff,
  neigh: Neigh,
  saddr: In6Addr,
  daddr: In6Addr,
  proto: number,
  trafficClass: number,
  cpu: Cpu,
): number {
  const { ip6 } = inet.mib;
  const { view } = inet.net.mem;
  const { dev } = neigh;
  const room = (dev.mtu - HLEN - FRAGMENT_HLEN) & ~7;
  const id = inet.ip6Id++ >>> 0;
  source.copy(saddr); // it may be the route's, and asking for a neighbour finds another
  let rc = 0;
  for (let offset = 0; offset < whole.len && rc === 0; offset += room) {
    const len = Math.min(room, whole.len - offset);
    const skb = allocSkb(dev, FRAGMENT_HLEN + len, cpu);
    if (skb === null) {
      rc = -ENOMEM;
      break;
    }
    const at = skbPut(skb, FRAGMENT_HLEN + len);
    view.setUint16(at, proto << 8);
    view.setUint16(at + 2, offset | (offset + len < whole.len ? MORE_FRAGMENTS : 0));
    view.setUint32(at + 4, id);
    skbCopyTo(whole, offset, at + FRAGMENT_HLEN, len);
    pushIpv6(inet, skb, source, daddr, IPPROTO_FRAGMENT, trafficClass, HOP_LIMIT, cpu);
    rc = inet.nd.output(neigh, skb, cpu);
    if (rc === 0) ip6.FragCreates++;
  }
  if (rc === 0) {
    ip6.FragOKs++;
    consumeSkb(whole, cpu);
  } else {
    ip6.FragFails++;
    kfreeSkb(whole, SKB_DROP_REASON_NOT_SPECIFIED, cpu);
  }
  return rc;
}

/** The same to a MAC address that is known, out of `dev`: what neighbour discovery itself sends. @linux ndisc_send_skb */
export function ip6SendTo(
  inet: Inet,
  skb: SkBuff,
  dev: NetDevice,
  saddr: In6Addr,
  daddr: In6Addr,
  proto: number,
  hopLimit: number,
  macHi16: number,
  macLo32: number,
  cpu: Cpu,
): void {
  inet.mib.ip6.OutRequests++;
  pushIpv6(inet, skb, saddr, daddr, proto, 0, hopLimit, cpu);
  devHardHeader(skb, dev, ETH_P_IPV6, macHi16, macLo32);
  devQueueXmit(skb, cpu);
}

function pushIpv6(
  inet: Inet,
  skb: SkBuff,
  saddr: In6Addr,
  daddr: In6Addr,
  proto: number,
  trafficClass: number,
  hopLimit: number,
  cpu: Cpu,
): void {
  const { view } = inet.net.mem;
  cpu.charge(OP_IP_OUTPUT);
  inet.mib.ip6.OutTransmits++;
  const { len } = skb;
  const at = skbPush(skb, HLEN);
  skb.networkHeader = at;
  writeIpv6(view, at, trafficClass, len, proto, hopLimit);
  writeIn6(view, at + IPV6_ADDRS, saddr);
  writeIn6(view, at + IPV6_ADDRS + 16, daddr);
}
