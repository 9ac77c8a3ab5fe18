/**
 * IPv6 sends a packet: header, neighbour, device.
 *
 * A packet that is longer than the MTU is refused, since nothing is fragmented here.
 *
 * @linux net/ipv6/ip6_output.c
 */
import { OP_IP_OUTPUT } from '../host/cost.ts';
import type { Cpu } from '../host/cpu.ts';
import { SKB_DROP_REASON_NEIGH_CREATEFAIL } from '../host/dropReason.ts';
import { EHOSTUNREACH, ENETUNREACH, ENOBUFS } from '../host/errno.ts';
import { IPV6_ADDRS, writeIpv6 } from '../wire/ipv6.ts';
import type { In6Addr } from './in6.ts';
import { in6IsLinkScoped, in6IsMulticast, writeIn6 } from './in6.ts';
import type { Inet } from './inet.ts';
import { devHardHeader } from './neighbour.ts';
import type { NetDevice } from './netdevice.ts';
import type { SkBuff } from './skbuff.ts';
import { skbPush } from './skbuff.ts';
import { kfreeSkb } from './skbPool.ts';
import { devQueueXmit } from './xmit.ts';

const HLEN = 40;
const ETH_P_IPV6 = 0x86dd;
/** @linux IPV6_DEFAULT_HOPLIMIT */
const HOP_LIMIT = 64;

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
 * Takes a packet whose `data` is its upper-layer header; `inet.hop` says where it goes.
 *
 * @returns 0 or a negative errno; the packet is gone either way
 * @linux ip6_xmit, ip6_finish_output2
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
  pushIpv6(inet, skb, saddr, daddr, proto, trafficClass, HOP_LIMIT, cpu);
  const next = hop.gateway6.isAny ? daddr : hop.gateway6;
  const neigh = inet.nd.lookupOrCreate(dev, next.w0, next.w1, next.w2, next.w3);
  if (neigh === null) {
    mib.ip6.OutDiscards++;
    kfreeSkb(skb, SKB_DROP_REASON_NEIGH_CREATEFAIL, cpu);
    return -ENOBUFS;
  }
  mib.ip6.OutTransmits++;
  inet.nd.output(neigh, skb, cpu);
  return 0;
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
  pushIpv6(inet, skb, saddr, daddr, proto, 0, hopLimit, cpu);
  inet.mib.ip6.OutTransmits++;
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
  inet.mib.ip6.OutRequests++;
  const { len } = skb;
  const at = skbPush(skb, HLEN);
  skb.networkHeader = at;
  writeIpv6(view, at, trafficClass, len, proto, hopLimit);
  writeIn6(view, at + IPV6_ADDRS, saddr);
  writeIn6(view, at + IPV6_ADDRS + 16, daddr);
}
