/**
 * IPv4 receives a packet: is it whole and right, is it for us, and whose is it?
 *
 * What is for others is `ipForward.ts`'s.
 *
 * @linux net/ipv4/ip_input.c; ip_route_input_slow; net/ipv4/route.c
 */
import { OP_IP_RCV, OP_NF_HOOK } from '../host/cost.ts';
import type { Cpu } from '../host/cpu.ts';
import {
  SKB_DROP_REASON_IP_CSUM,
  SKB_DROP_REASON_IP_INHDR,
  SKB_DROP_REASON_IP_INVALID_DEST,
  SKB_DROP_REASON_IP_INVALID_SOURCE,
  SKB_DROP_REASON_IP_LOCALNET,
  SKB_DROP_REASON_IP_NOPROTO,
  SKB_DROP_REASON_IP_RPFILTER,
  SKB_DROP_REASON_NETFILTER_DROP,
  SKB_DROP_REASON_NOT_SPECIFIED,
  SKB_DROP_REASON_NO_SOCKET,
  SKB_DROP_REASON_OTHERHOST,
  SKB_DROP_REASON_PKT_TOO_SMALL,
  SKB_NOT_DROPPED_YET,
} from '../host/dropReason.ts';
import { IPPROTO_ICMP, IPPROTO_IGMP, IPPROTO_TCP, IPPROTO_UDP } from '../wire/ip.ts';
import {
  ipv4CheckOk,
  ipv4Dst,
  ipv4HeaderLen,
  ipv4IsFragment,
  ipv4Proto,
  ipv4Src,
  ipv4TotalLen,
  ipv4Version,
} from '../wire/ipv4.ts';
import { ICMP_DEST_UNREACH, ICMP_PARAMETERPROB, ICMP_PROT_UNREACH, icmpSend } from './icmpSend.ts';
import { icmpRcv } from './icmp.ts';
import { igmpRcv } from './igmp.ts';
import { RTN_BLACKHOLE, RTN_BROADCAST, RTN_LOCAL, RTN_MULTICAST, RTN_UNICAST } from './fib.ts';
import { fibValidateSource } from './fibValidateSource.ts';
import type { Inet } from './inet.ts';
import { ipError, ipForward, ipRouteForward } from './ipForward.ts';
import { ipDefrag } from './ipFragment.ts';
import { OPTIONS_OK, OPTIONS_SOURCE_ROUTE, ipOptionsCompile } from './ipOptions.ts';
import { NF_ACCEPT } from './net.ts';
import type { SkBuff } from './skbuff.ts';
import { PACKET_OTHERHOST, skbPull } from './skbuff.ts';
import { kfreeSkb } from './skbPool.ts';
import { pskbMayPull, pskbTrim } from './skbPull.ts';
import { udpRcv } from './udp.ts';

const HLEN_MIN = 20;
const ALL_HOSTS = 0xe000_0001;
const LIMITED_BROADCAST = 0xffff_ffff;

export const ipv4IsMulticast = (addr: number): boolean => addr >>> 28 === 0xe;
export const ipv4IsLoopback = (addr: number): boolean => addr >>> 24 === 127;
/** The rest of 0.0.0.0/8 are addresses like any other. @linux ipv4_is_zeronet */
const isZeronet = (addr: number): boolean => addr === 0;

/** Takes a packet whose `data` is its IPv4 header. @linux ip_rcv */
export function ipRcv(skb: SkBuff, inet: Inet, cpu: Cpu): void {
  const { preRouting } = inet.net;
  cpu.charge(OP_IP_RCV);
  const reason = ipRcvCore(skb, inet, cpu);
  if (reason !== SKB_NOT_DROPPED_YET) {
    kfreeSkb(skb, reason, cpu);
    return;
  }
  if (preRouting !== null) {
    cpu.charge(OP_NF_HOOK);
    if (preRouting.onSkb(skb, cpu) !== NF_ACCEPT) {
      kfreeSkb(skb, SKB_DROP_REASON_NETFILTER_DROP, cpu);
      return;
    }
  }
  ipRcvFinish(skb, inet, cpu);
}

/** Header and lengths. @returns why the packet goes no further. @linux ip_rcv_core */
function ipRcvCore(skb: SkBuff, inet: Inet, cpu: Cpu): number {
  const { ip } = inet.mib;
  const { view } = inet.net.mem;
  if (skb.pktType === PACKET_OTHERHOST) {
    skb.dev.rxOtherhostDropped++;
    return SKB_DROP_REASON_OTHERHOST;
  }
  ip.InReceives++;
  if (!pskbMayPull(skb, HLEN_MIN, cpu)) return inhdrError(inet);
  const hlen = ipv4HeaderLen(view, skb.data);
  if (hlen < HLEN_MIN || ipv4Version(view, skb.data) !== 4) return inhdrError(inet);
  if (!pskbMayPull(skb, hlen, cpu)) return inhdrError(inet);

  const at = skb.data;
  if (!ipv4CheckOk(view, at)) {
    ip.InCsumErrors++;
    ip.InHdrErrors++;
    return SKB_DROP_REASON_IP_CSUM;
  }
  const len = ipv4TotalLen(view, at);
  if (skb.len < len) {
    ip.InTruncatedPkts++;
    return SKB_DROP_REASON_PKT_TOO_SMALL;
  }
  if (len < hlen) return inhdrError(inet);
  pskbTrim(skb, len, cpu); // Ethernet padding ends here
  skb.networkHeader = at;
  skb.transportHeader = at + hlen;
  return SKB_NOT_DROPPED_YET;
}

function inhdrError(inet: Inet): number {
  inet.mib.ip.InHdrErrors++;
  return SKB_DROP_REASON_IP_INHDR;
}

/** Route, then options, then the way it goes. @linux ip_rcv_finish, ip_rcv_finish_core, dst_input */
function ipRcvFinish(skb: SkBuff, inet: Inet, cpu: Cpu): void {
  const { view } = inet.net.mem;
  const at = skb.networkHeader;
  const reason = ipRouteInput(skb, inet, ipv4Dst(view, at), ipv4Src(view, at), cpu);
  if (reason !== SKB_NOT_DROPPED_YET) {
    if (reason === SKB_DROP_REASON_IP_RPFILTER) inet.mib.net.IPReversePathFilter++;
    kfreeSkb(skb, reason, cpu);
    return;
  }
  const options = skb.transportHeader - at - HLEN_MIN;
  if (options > 0 && !ipRcvOptions(skb, inet, at + HLEN_MIN, options, cpu)) return;
  if (skb.routeType === RTN_MULTICAST) inet.mib.ip.InMcastPkts++;
  else if (skb.routeType === RTN_BROADCAST) inet.mib.ip.InBcastPkts++;
  if (skb.routeType === RTN_UNICAST) ipForward(skb, inet, cpu);
  else if (skb.routeType >= RTN_BLACKHOLE) ipError(skb, inet, cpu);
  else ipLocalDeliver(skb, inet, cpu);
}

/** @returns false when the packet is gone. @linux ip_rcv_options */
function ipRcvOptions(skb: SkBuff, inet: Inet, at: number, len: number, cpu: Cpu): boolean {
  const verdict = ipOptionsCompile(inet.net.mem.view, at, len);
  if (verdict === OPTIONS_OK) return true;
  if (verdict !== OPTIONS_SOURCE_ROUTE) {
    inet.mib.ip.InHdrErrors++;
    const pointer = HLEN_MIN + verdict - 1;
    icmpSend(skb, inet, ICMP_PARAMETERPROB, 0, (pointer << 24) >>> 0, cpu);
  }
  const known = verdict !== OPTIONS_SOURCE_ROUTE;
  kfreeSkb(skb, known ? SKB_DROP_REASON_IP_INHDR : SKB_DROP_REASON_NOT_SPECIFIED, cpu);
  return false;
}

/**
 * Whom is the packet for, and can it have come from where it says? Sets `routeType`.
 *
 * @linux ip_route_input_noref, ip_route_input_slow, ip_mc_validate_source
 */
function ipRouteInput(skb: SkBuff, inet: Inet, daddr: number, saddr: number, cpu: Cpu): number {
  if (ipv4IsMulticast(daddr)) return ipRouteInputMc(skb, inet, daddr, saddr, cpu);
  if (ipv4IsMulticast(saddr) || saddr === LIMITED_BROADCAST)
    return SKB_DROP_REASON_IP_INVALID_SOURCE;
  if (daddr === LIMITED_BROADCAST || (daddr === 0 && saddr === 0)) {
    return validSource(skb, inet, saddr, RTN_BROADCAST, cpu);
  }
  if (isZeronet(saddr)) return SKB_DROP_REASON_IP_INVALID_SOURCE;
  if (isZeronet(daddr)) return SKB_DROP_REASON_IP_INVALID_DEST;
  if (ipv4IsLoopback(daddr) || ipv4IsLoopback(saddr)) return SKB_DROP_REASON_IP_LOCALNET;
  if (inet.addrs.isLocal4(daddr)) return validSource(skb, inet, saddr, RTN_LOCAL, cpu);
  if (inet.addrs.isBroadcast4(daddr)) return validSource(skb, inet, saddr, RTN_BROADCAST, cpu);
  return ipRouteForward(skb, inet, daddr, saddr, cpu);
}

/** Of a packet for this machine; who asks for an address still has none. @linux ip_route_input_slow, brd_input */
function validSource(skb: SkBuff, inet: Inet, saddr: number, type: number, cpu: Cpu): number {
  skb.routeType = type;
  if (isZeronet(saddr)) return SKB_NOT_DROPPED_YET;
  return fibValidateSource(skb, inet, saddr, null, cpu);
}

/** The only group every machine has joined is 224.0.0.1, and who asks for an address may send to it. @linux ip_mc_validate_source, ip_check_mc_rcu, ip_route_input_mc */
function ipRouteInputMc(skb: SkBuff, inet: Inet, daddr: number, saddr: number, cpu: Cpu): number {
  if (daddr !== ALL_HOSTS) return SKB_DROP_REASON_NOT_SPECIFIED;
  if (ipv4IsMulticast(saddr) || saddr === LIMITED_BROADCAST)
    return SKB_DROP_REASON_IP_INVALID_SOURCE;
  if (ipv4IsLoopback(saddr)) return SKB_DROP_REASON_IP_LOCALNET;
  return validSource(skb, inet, saddr, RTN_MULTICAST, cpu);
}

/** Fragments are collected first. @linux ip_local_deliver */
function ipLocalDeliver(skb: SkBuff, inet: Inet, cpu: Cpu): void {
  if (!ipv4IsFragment(inet.net.mem.view, skb.networkHeader)) {
    ipLocalDeliverFinish(skb, inet, cpu);
    return;
  }
  const whole = ipDefrag(skb, inet, cpu);
  if (whole !== null) ipLocalDeliverFinish(whole, inet, cpu);
}

/** To the protocol, whose header `data` is from here on. @linux ip_local_deliver_finish, ip_protocol_deliver_rcu */
function ipLocalDeliverFinish(skb: SkBuff, inet: Inet, cpu: Cpu): void {
  const { ip } = inet.mib;
  const protocol = ipv4Proto(inet.net.mem.view, skb.networkHeader);
  if (protocol === IPPROTO_UDP) {
    skbPull(skb, skb.transportHeader - skb.data);
    ip.InDelivers++;
    udpRcv(skb, inet, cpu);
  } else if (protocol === IPPROTO_ICMP) {
    skbPull(skb, skb.transportHeader - skb.data);
    ip.InDelivers++;
    icmpRcv(skb, inet, cpu);
  } else if (protocol === IPPROTO_IGMP) {
    skbPull(skb, skb.transportHeader - skb.data);
    ip.InDelivers++;
    igmpRcv(skb, inet, cpu);
  } else if (protocol === IPPROTO_TCP) {
    ip.InDelivers++; // no TCP is built, so nobody listens; the reset Linux would send is left out
    kfreeSkb(skb, SKB_DROP_REASON_NO_SOCKET, cpu);
  } else {
    ip.InUnknownProtos++;
    icmpSend(skb, inet, ICMP_DEST_UNREACH, ICMP_PROT_UNREACH, 0, cpu);
    kfreeSkb(skb, SKB_DROP_REASON_IP_NOPROTO, cpu);
  }
}
