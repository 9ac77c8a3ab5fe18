/**
 * IPv4 sends a packet: header, neighbour, device.
 *
 * A packet that is longer than the MTU is refused, since nothing is fragmented here.
 *
 * @linux net/ipv4/ip_output.c
 */
import { OP_IP_OUTPUT } from '../host/cost.ts';
import type { Cpu } from '../host/cpu.ts';
import { SKB_DROP_REASON_NEIGH_CREATEFAIL } from '../host/dropReason.ts';
import { EHOSTUNREACH, ENETUNREACH, ENOBUFS } from '../host/errno.ts';
import { IP_DF, writeIpv4 } from '../wire/ipv4.ts';
import type { Inet } from './inet.ts';
import type { SkBuff } from './skbuff.ts';
import { skbPush } from './skbuff.ts';
import { kfreeSkb } from './skbPool.ts';

const HLEN = 20;
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
  if (daddr === 0 || daddr >>> 28 === 0xe || daddr === 0xffff_ffff) return -ENETUNREACH;
  if (inet.addrs.isLocal4(daddr)) return -EHOSTUNREACH; // there is no loopback device
  if (inet.addrs.routeOut4(daddr, inet.hop)) return 0;
  inet.mib.ip.OutNoRoutes++;
  return -ENETUNREACH;
}

/**
 * Takes a packet whose `data` is its transport header; `inet.hop` says where it goes.
 *
 * @param mayFragment false: Don't Fragment, and then the identification says nothing
 * @returns 0 or a negative errno; the packet is gone either way
 * @linux ip_build_and_send_pkt, ip_finish_output2
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
  const { hop, mib } = inet;
  const dev = hop.dev!;
  cpu.charge(OP_IP_OUTPUT);
  mib.ip.OutRequests++;
  const at = skbPush(skb, HLEN);
  skb.networkHeader = at;
  const id = mayFragment ? inet.ipId++ & 0xffff : 0;
  const frag = mayFragment ? 0 : IP_DF;
  writeIpv4(inet.net.mem.view, at, tos, skb.len, id, frag, IPDEFTTL, proto, saddr, daddr);
  const nexthop = hop.gateway === 0 ? daddr : hop.gateway;
  const neigh = inet.arp.lookupOrCreate(dev, 0, 0, 0, nexthop);
  if (neigh === null) {
    mib.ip.OutDiscards++;
    kfreeSkb(skb, SKB_DROP_REASON_NEIGH_CREATEFAIL, cpu);
    return -ENOBUFS;
  }
  mib.ip.OutTransmits++;
  inet.arp.output(neigh, skb, cpu);
  return 0;
}
