/**
 * IPv6 receives a packet: is it whole, is it for us, what is behind its extension headers?
 *
 * Nothing is forwarded, and no group is joined but all-nodes and the solicited-node groups of our
 * own addresses.
 *
 * @spec RFC 8200
 * @linux net/ipv6/ip6_input.c
 */
import { OP_IP_RCV } from '../host/cost.ts';
import type { Cpu } from '../host/cpu.ts';
import {
  SKB_DROP_REASON_IP_INADDRERRORS,
  SKB_DROP_REASON_IP_INHDR,
  SKB_DROP_REASON_IP_NOPROTO,
  SKB_DROP_REASON_NOT_SPECIFIED,
  SKB_DROP_REASON_NO_SOCKET,
  SKB_DROP_REASON_OTHERHOST,
  SKB_DROP_REASON_PKT_TOO_SMALL,
  SKB_DROP_REASON_UNHANDLED_PROTO,
  SKB_NOT_DROPPED_YET,
} from '../host/dropReason.ts';
import {
  IPPROTO_DSTOPTS,
  IPPROTO_FRAGMENT,
  IPPROTO_HOPOPTS,
  IPPROTO_ICMPV6,
  IPPROTO_NONE,
  IPPROTO_ROUTING,
  IPPROTO_TCP,
  IPPROTO_UDP,
} from '../wire/ip.ts';
import { IPV6_ADDRS, ipv6NextHeader, ipv6PayloadLen, ipv6Version } from '../wire/ipv6.ts';
import { icmpv6Rcv } from './icmpv6.ts';
import {
  ICMPV6_HDR_FIELD,
  ICMPV6_PARAMPROB,
  ICMPV6_UNK_NEXTHDR,
  ICMPV6_UNK_OPTION,
  icmpv6Send,
} from './icmpv6Send.ts';
import { In6Addr, in6IsMulticast } from './in6.ts';
import type { Inet } from './inet.ts';
import { EXTHDR_BAD, EXTHDR_OK, exthdrLen, ip6ParseTlv } from './ipv6Exthdrs.ts';
import { ipv6Defrag } from './ipv6Fragment.ts';
import { IPV6_HLEN } from './ipv6Output.ts';
import type { SkBuff } from './skbuff.ts';
import { PACKET_OTHERHOST, skbPull } from './skbuff.ts';
import { kfreeSkb } from './skbPool.ts';
import { pskbMayPull, pskbTrim } from './skbPull.ts';
import { udpv6Rcv } from './udp.ts';

const NEXT_HEADER_AT = 6;
const HEADERS_MAX = 8;
const ROUTING_SEGMENTS_LEFT = 3;
/** A device with a smaller MTU has no IPv6. @linux addrconf_notify */
export const IPV6_MIN_MTU = 1280;

const saddr: In6Addr = new In6Addr();
const daddr: In6Addr = new In6Addr();

/** Takes a packet whose `data` is its IPv6 header. @linux ipv6_rcv */
export function ipv6Rcv(skb: SkBuff, inet: Inet, cpu: Cpu): void {
  cpu.charge(OP_IP_RCV);
  let reason = ip6RcvCore(skb, inet, cpu);
  if (reason === SKB_NOT_DROPPED_YET) reason = ip6RouteInput(skb, inet);
  if (reason === SKB_NOT_DROPPED_YET) ip6ProtocolDeliver(skb, inet, cpu);
  else kfreeSkb(skb, reason, cpu);
}

/** Header and length. @returns why the packet goes no further. @linux ip6_rcv_core */
function ip6RcvCore(skb: SkBuff, inet: Inet, cpu: Cpu): number {
  const { ip6 } = inet.mib;
  const { view } = inet.net.mem;
  if (skb.pktType === PACKET_OTHERHOST) {
    skb.dev.rxOtherhostDropped++;
    return SKB_DROP_REASON_OTHERHOST;
  }
  ip6.InReceives++;
  if (skb.dev.mtu < IPV6_MIN_MTU) {
    ip6.InDiscards++;
    return SKB_DROP_REASON_NOT_SPECIFIED;
  }
  if (!pskbMayPull(skb, IPV6_HLEN, cpu)) return inhdrError(inet, SKB_DROP_REASON_IP_INHDR);
  const at = skb.data;
  if (ipv6Version(view, at) !== 6) return inhdrError(inet, SKB_DROP_REASON_UNHANDLED_PROTO);
  saddr.read(view, at + IPV6_ADDRS);
  daddr.read(view, at + IPV6_ADDRS + 16);
  if (isLoopback(saddr) || isLoopback(daddr) || in6IsMulticast(saddr.w0))
    return inhdrError(inet, SKB_DROP_REASON_IP_INHDR);
  const scope = (daddr.w0 >>> 16) & 0xf;
  if (in6IsMulticast(daddr.w0) && scope <= 1) return inhdrError(inet, SKB_DROP_REASON_IP_INHDR);

  const payload = ipv6PayloadLen(view, at);
  skb.upperProtocol = ipv6NextHeader(view, at);
  if (payload !== 0 || skb.upperProtocol !== IPPROTO_HOPOPTS) {
    if (payload + IPV6_HLEN > skb.len) {
      ip6.InTruncatedPkts++;
      return SKB_DROP_REASON_PKT_TOO_SMALL;
    }
    pskbTrim(skb, payload + IPV6_HLEN, cpu); // Ethernet padding ends here
  }
  skb.networkHeader = at;
  skb.transportHeader = at + IPV6_HLEN;
  return SKB_NOT_DROPPED_YET;
}

function inhdrError(inet: Inet, reason: number): number {
  inet.mib.ip6.InHdrErrors++;
  return reason;
}

const isLoopback = ({ w0, w1, w2, w3 }: In6Addr): boolean =>
  w0 === 0 && w1 === 0 && w2 === 0 && w3 === 1;

/** Is it for us? `saddr` and `daddr` are still those of this packet. @linux ip6_route_input, ip6_mc_input, ip6_forward */
function ip6RouteInput(skb: SkBuff, inet: Inet): number {
  const { ip6 } = inet.mib;
  const { w0, w1, w2, w3 } = daddr;
  if (in6IsMulticast(w0)) {
    ip6.InMcastPkts++;
    const joined = inet.addrs.joined6(skb.dev, w0, w1, w2, w3);
    return joined ? SKB_NOT_DROPPED_YET : SKB_DROP_REASON_NOT_SPECIFIED;
  }
  if (inet.addrs.local6(w0, w1, w2, w3) !== null) return SKB_NOT_DROPPED_YET;
  ip6.InAddrErrors++;
  return SKB_DROP_REASON_IP_INADDRERRORS;
}

/**
 * Past the extension headers to the upper layer, whose header `data` is from there on.
 *
 * @linux ip6_protocol_deliver_rcu
 */
function ip6ProtocolDeliver(skb: SkBuff, inet: Inet, cpu: Cpu): void {
  let nextHeaderAt = NEXT_HEADER_AT;
  skbPull(skb, IPV6_HLEN);
  for (let passed = 0; passed < HEADERS_MAX; passed++) {
    const at = skb.data - skb.networkHeader; // pulling headers may move them all
    skb.transportHeader = skb.data;
    switch (skb.upperProtocol) {
      case IPPROTO_HOPOPTS:
        if (passed !== 0) break; // only right behind the IPv6 header
        if (!passOptions(skb, inet, true, cpu)) return;
        nextHeaderAt = at;
        continue;
      case IPPROTO_DSTOPTS:
        if (!passOptions(skb, inet, false, cpu)) return;
        nextHeaderAt = at;
        continue;
      case IPPROTO_ROUTING:
        if (!passRouting(skb, inet, cpu)) return;
        nextHeaderAt = at;
        continue;
      case IPPROTO_FRAGMENT: {
        const whole = ipv6Defrag(skb, inet, cpu);
        if (whole === null) return;
        if (whole !== skb) {
          upperLayer(whole, inet, NEXT_HEADER_AT, cpu);
          return;
        }
        nextHeaderAt = at;
        continue;
      }
      default:
    }
    break;
  }
  upperLayer(skb, inet, nextHeaderAt, cpu);
}

/** @param nextHeaderAt where behind the IPv6 header's beginning the protocol is named */
function upperLayer(skb: SkBuff, inet: Inet, nextHeaderAt: number, cpu: Cpu): void {
  const { ip6 } = inet.mib;
  const { view } = inet.net.mem;
  const multicast = view.getUint8(skb.networkHeader + IPV6_ADDRS + 16) === 0xff;
  skb.transportHeader = skb.data;
  switch (skb.upperProtocol) {
    case IPPROTO_UDP:
      ip6.InDelivers++;
      udpv6Rcv(skb, inet, multicast, cpu);
      return;
    case IPPROTO_ICMPV6:
      ip6.InDelivers++;
      icmpv6Rcv(skb, inet, cpu);
      return;
    case IPPROTO_TCP:
      ip6.InDelivers++; // no TCP is built, so nobody listens; the reset Linux would send is left out
      kfreeSkb(skb, SKB_DROP_REASON_NO_SOCKET, cpu);
      return;
    case IPPROTO_NONE:
      ip6.InDelivers++;
      kfreeSkb(skb, SKB_DROP_REASON_NOT_SPECIFIED, cpu);
      return;
    default: {
      ip6.InUnknownProtos++;
      icmpv6Send(skb, inet, ICMPV6_PARAMPROB, ICMPV6_UNK_NEXTHDR, nextHeaderAt, cpu);
      kfreeSkb(skb, SKB_DROP_REASON_IP_NOPROTO, cpu);
    }
  }
}

/** A hop-by-hop or destination header. @returns false when the packet is gone. @linux ipv6_parse_hopopts, ipv6_destopt_rcv */
function passOptions(skb: SkBuff, inet: Inet, hopByHop: boolean, cpu: Cpu): boolean {
  const { view } = inet.net.mem;
  const len = exthdrLen(skb, cpu);
  const multicast = view.getUint8(skb.networkHeader + IPV6_ADDRS + 16) === 0xff;
  const verdict = len === 0 ? EXTHDR_BAD : ip6ParseTlv(view, skb.data, len, hopByHop, multicast);
  if (verdict === EXTHDR_OK) {
    skb.upperProtocol = view.getUint8(skb.data);
    skbPull(skb, len);
    return true;
  }
  inet.mib.ip6.InHdrErrors++;
  if (verdict > 0) {
    const pointer = skb.data + verdict - skb.networkHeader;
    icmpv6Send(skb, inet, ICMPV6_PARAMPROB, ICMPV6_UNK_OPTION, pointer, cpu);
  }
  if (len === 0) kfreeSkb(skb, SKB_DROP_REASON_NOT_SPECIFIED, cpu);
  else if (verdict === EXTHDR_BAD) kfreeSkb(skb, SKB_DROP_REASON_IP_INHDR, cpu);
  else kfreeSkb(skb, SKB_DROP_REASON_UNHANDLED_PROTO, cpu);
  return false;
}

/** A routing header that has still somewhere to go is refused, as accept_source_route is 0. @linux ipv6_rthdr_rcv */
function passRouting(skb: SkBuff, inet: Inet, cpu: Cpu): boolean {
  const { view } = inet.net.mem;
  const len = exthdrLen(skb, cpu);
  const at = skb.data;
  if (len > 0 && view.getUint8(at + ROUTING_SEGMENTS_LEFT) === 0) {
    skb.upperProtocol = view.getUint8(at);
    skbPull(skb, len);
    return true;
  }
  inet.mib.ip6.InHdrErrors++;
  if (len > 0) {
    const pointer = at + 2 - skb.networkHeader;
    icmpv6Send(skb, inet, ICMPV6_PARAMPROB, ICMPV6_HDR_FIELD, pointer, cpu);
  }
  kfreeSkb(skb, SKB_DROP_REASON_NOT_SPECIFIED, cpu);
  return false;
}
