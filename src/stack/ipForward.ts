/**
 * IPv4 forwards: a packet that is for somebody else goes on to where the routing table says.
 *
 * As with `net.ipv4.ip_forward=1` and all else as the kernel has it: redirects sent, directed
 * broadcasts not forwarded, the device's MTU and no path's, no multicast routes. Linux makes room in
 * front of a packet that has less than 16 bytes of it; what is received here always has more.
 *
 * @linux net/ipv4/ip_forward.c; ip_mkroute_input, ip_error, ip_rt_send_redirect; net/ipv4/route.c
 */
import { OP_FIB_LOOKUP, OP_IP_FORWARD } from '../host/cost.ts';
import type { Cpu } from '../host/cpu.ts';
import {
  SKB_DROP_REASON_IP_INADDRERRORS,
  SKB_DROP_REASON_IP_INHDR,
  SKB_DROP_REASON_IP_INNOROUTES,
  SKB_DROP_REASON_NOT_SPECIFIED,
  SKB_DROP_REASON_PKT_TOO_BIG,
  SKB_NOT_DROPPED_YET,
} from '../host/dropReason.ts';
import { ipDecreaseTtl, ipv4DontFragment, ipv4Dst, ipv4Src, ipv4Ttl } from '../wire/ipv4.ts';
import { RTN_BLACKHOLE, RTN_PROHIBIT, RTN_THROW, RTN_UNICAST, RTN_UNREACHABLE } from './fib.ts';
import { fibValidateSource } from './fibValidateSource.ts';
import {
  ICMP_DEST_UNREACH,
  ICMP_EXC_TTL,
  ICMP_FRAG_NEEDED,
  ICMP_HOST_UNREACH,
  ICMP_NET_UNREACH,
  ICMP_PKT_FILTERED,
  ICMP_REDIRECT,
  ICMP_REDIR_HOST,
  ICMP_TIME_EXCEEDED,
  icmpSend,
} from './icmpSend.ts';
import type { Inet } from './inet.ts';
import { inetCurrentTimestamp, ipOptionsRecord } from './ipOptions.ts';
import { ipFinishOutput } from './ipOutput.ts';
import type { SkBuff } from './skbuff.ts';
import { PACKET_HOST } from './skbuff.ts';
import { kfreeSkb } from './skbPool.ts';

const HLEN_MIN = 20;

/**
 * Where a packet that is not for this machine goes: sets `routeType`, and `inet.onward` when it is
 * to be forwarded.
 *
 * @returns why it goes no further at once
 * @linux ip_route_input_slow, ip_mkroute_input, __mkroute_input
 */
export function ipRouteForward(
  skb: SkBuff,
  inet: Inet,
  daddr: number,
  saddr: number,
  cpu: Cpu,
): number {
  if (!inet.ipForward) {
    skb.routeType = RTN_UNREACHABLE;
    return SKB_NOT_DROPPED_YET;
  }
  const { addrs, onward } = inet;
  cpu.charge(OP_FIB_LOOKUP);
  const route = addrs.fib.lookup(daddr);
  if (route === null || route.type !== RTN_UNICAST) {
    skb.routeType = route === null ? RTN_THROW : route.type;
    return SKB_NOT_DROPPED_YET;
  }
  onward.dev = route.dev!;
  onward.gateway = route.gateway;
  skb.routeType = RTN_UNICAST;
  return fibValidateSource(skb, inet, saddr, onward.dev, cpu);
}

/** Takes a packet whose `data` is its IPv4 header, right after its route was looked up. @linux ip_forward */
export function ipForward(skb: SkBuff, inet: Inet, cpu: Cpu): void {
  const { view } = inet.net.mem;
  const { ip } = inet.mib;
  const { onward } = inet;
  const at = skb.networkHeader;
  cpu.charge(OP_IP_FORWARD);
  if (skb.pktType !== PACKET_HOST) {
    kfreeSkb(skb, SKB_DROP_REASON_NOT_SPECIFIED, cpu);
    return;
  }
  if (ipv4Ttl(view, at) <= 1) {
    ip.InHdrErrors++;
    icmpSend(skb, inet, ICMP_TIME_EXCEEDED, ICMP_EXC_TTL, 0, cpu);
    kfreeSkb(skb, SKB_DROP_REASON_IP_INHDR, cpu);
    return;
  }
  ip.ForwDatagrams++;
  const { mtu } = onward.dev!;
  if (skb.len > mtu && ipv4DontFragment(view, at)) {
    ip.FragFails++;
    icmpSend(skb, inet, ICMP_DEST_UNREACH, ICMP_FRAG_NEEDED, mtu, cpu);
    kfreeSkb(skb, SKB_DROP_REASON_PKT_TOO_BIG, cpu);
    return;
  }
  ipDecreaseTtl(view, at);
  if (onward.redirect) ipRtSendRedirect(skb, inet, cpu);
  ipForwardFinish(skb, inet, cpu);
}

/** @linux ip_forward_finish, ip_forward_options */
function ipForwardFinish(skb: SkBuff, inet: Inet, cpu: Cpu): void {
  const { addrs, onward } = inet;
  const at = skb.networkHeader;
  const options = skb.transportHeader - at - HLEN_MIN;
  if (options > 0) {
    const ms = inetCurrentTimestamp(cpu.now);
    const { view } = inet.net.mem;
    const back = addrs.fib.lookup(ipv4Src(view, at))?.dev ?? skb.dev;
    const leaves = addrs.select4(onward.dev!);
    ipOptionsRecord(view, at, options, addrs, leaves, addrs.select4(back), ms);
  }
  ipFinishOutput(inet, onward, skb, cpu);
}

/** The sender could go a shorter way; whoever does not listen is told ever more rarely. @linux ip_rt_send_redirect */
function ipRtSendRedirect(skb: SkBuff, inet: Inet, cpu: Cpu): void {
  const { view } = inet.net.mem;
  const saddr = ipv4Src(view, skb.networkHeader);
  if (!inet.icmpLimits.redirectAllow(saddr, inet.net.jiffies(cpu.now))) return;
  const { gateway } = inet.onward;
  const better = gateway === 0 ? ipv4Dst(view, skb.networkHeader) : gateway;
  icmpSend(skb, inet, ICMP_REDIRECT, ICMP_REDIR_HOST, better, cpu);
}

/** There is no way: a router tells the sender, another host only counts. @linux ip_error */
export function ipError(skb: SkBuff, inet: Inet, cpu: Cpu): void {
  const { ip } = inet.mib;
  if (!inet.ipForward) {
    ip.InAddrErrors++;
    kfreeSkb(skb, SKB_DROP_REASON_IP_INADDRERRORS, cpu);
    return;
  }
  const none = skb.routeType === RTN_THROW;
  if (none) ip.InNoRoutes++;
  const code = unreachCode(skb.routeType);
  const saddr = ipv4Src(inet.net.mem.view, skb.networkHeader);
  if (code >= 0 && inet.icmpLimits.errorAllow(saddr, inet.net.jiffies(cpu.now)))
    icmpSend(skb, inet, ICMP_DEST_UNREACH, code, 0, cpu);
  kfreeSkb(skb, none ? SKB_DROP_REASON_IP_INNOROUTES : SKB_DROP_REASON_NOT_SPECIFIED, cpu);
}

/** Nobody answered at the address that it was to go to next. @linux ipv4_link_failure, arp_error_report */
export function ipv4LinkFailure(skb: SkBuff, inet: Inet, cpu: Cpu): void {
  if (skb.routeType !== RTN_UNICAST) return; // a packet of our own: its socket is not told here
  icmpSend(skb, inet, ICMP_DEST_UNREACH, ICMP_HOST_UNREACH, 0, cpu);
}

/** -1: a black hole says nothing. */
function unreachCode(routeType: number): number {
  if (routeType === RTN_BLACKHOLE) return -1;
  if (routeType === RTN_PROHIBIT) return ICMP_PKT_FILTERED;
  return routeType === RTN_UNREACHABLE ? ICMP_HOST_UNREACH : ICMP_NET_UNREACH;
}
