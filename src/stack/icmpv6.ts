/**
 * ICMPv6 receives a message: echoes are answered, neighbour discovery has its own file.
 *
 * @spec RFC 4443
 * @linux net/ipv6/icmp.c
 */
import { OP_CSUM_64B, OP_ICMP_RCV } from '../host/cost.ts';
import type { Cpu } from '../host/cpu.ts';
import {
  SKB_DROP_REASON_ICMP_CSUM,
  SKB_DROP_REASON_NOT_SPECIFIED,
  SKB_DROP_REASON_NO_SOCKET,
  SKB_NOT_DROPPED_YET,
} from '../host/dropReason.ts';
import { csumFold, csumIpv6Nofold } from '../wire/checksum.ts';
import {
  ICMPV6_ECHO_REPLY,
  ICMPV6_ECHO_REQUEST,
  icmpCode,
  icmpType,
  setIcmpType,
} from '../wire/icmp.ts';
import { IPPROTO_ICMPV6, IPPROTO_UDP } from '../wire/ip.ts';
import { IPV6_ADDRS, ipv6NextHeader, ipv6TrafficClass } from '../wire/ipv6.ts';
import { udpDstPort, udpSrcPort } from '../wire/udp.ts';
import { finishIcmpv6, icmpv6IsError } from './icmpv6Send.ts';
import { In6Addr } from './in6.ts';
import type { Inet } from './inet.ts';
import { IPV6_HLEN, ip6LocalOut, ip6RouteOutput } from './ipv6Output.ts';
import { ndiscRcv } from './ndisc.ts';
import { skbChecksum } from './skbChecksum.ts';
import type { SkBuff } from './skbuff.ts';
import { consumeSkb, kfreeSkb } from './skbPool.ts';
import { pskbMayPull } from './skbPull.ts';
import { skbCopy } from './skbWithFrags.ts';
import { udpv6Err } from './udpErr.ts';

const ICMP_HLEN = 8;
const UDP_PORTS = 8;
const MLD_FIRST = 130;
const MLD_LAST = 132;
const NDISC_FIRST = 133;
const NDISC_LAST = 137;
const MLD2_REPORT = 143;

const saddr: In6Addr = new In6Addr();
const daddr: In6Addr = new In6Addr();
const from: In6Addr = new In6Addr();

/** Takes a message, its `data` the ICMPv6 header. @linux icmpv6_rcv */
export function icmpv6Rcv(skb: SkBuff, inet: Inet, cpu: Cpu): void {
  const { icmp6 } = inet.mib;
  const { view } = inet.net.mem;
  cpu.charge(OP_ICMP_RCV);
  icmp6.InMsgs++;
  cpu.chargeTimes(OP_CSUM_64B, (skb.len + 63) >>> 6);
  const addrs = skb.networkHeader + IPV6_ADDRS;
  const pseudo = csumIpv6Nofold(view, addrs, skb.len, IPPROTO_ICMPV6, 0);
  if (csumFold(skbChecksum(skb, skb.data, pseudo)) !== 0) {
    icmp6.InCsumErrors++;
    icmp6.InErrors++;
    kfreeSkb(skb, SKB_DROP_REASON_ICMP_CSUM, cpu);
    return;
  }
  if (!pskbMayPull(skb, ICMP_HLEN, cpu)) {
    icmp6.InErrors++;
    kfreeSkb(skb, SKB_DROP_REASON_NOT_SPECIFIED, cpu);
    return;
  }
  const type = icmpType(view, skb.data);
  icmp6.inType[type]!++;
  const reason = icmpv6Handle(skb, inet, type, cpu);
  if (reason === SKB_NOT_DROPPED_YET) consumeSkb(skb, cpu);
  else kfreeSkb(skb, reason, cpu);
}

/** @returns why the message is to be dropped */
function icmpv6Handle(skb: SkBuff, inet: Inet, type: number, cpu: Cpu): number {
  if (type === ICMPV6_ECHO_REQUEST) return icmpv6EchoReply(skb, inet, cpu);
  if (type === ICMPV6_ECHO_REPLY) return pingRcv(skb, inet, cpu);
  if (type >= NDISC_FIRST && type <= NDISC_LAST) return ndiscRcv(skb, inet, cpu);
  if (icmpv6IsError(type)) return icmpv6Notify(skb, inet, cpu);
  const groups = (type >= MLD_FIRST && type <= MLD_LAST) || type === MLD2_REPORT;
  return groups ? SKB_NOT_DROPPED_YET : SKB_DROP_REASON_NOT_SPECIFIED;
}

/** The same bytes back, the type exchanged; in fragments where they came in some. @linux icmpv6_echo_reply */
function icmpv6EchoReply(skb: SkBuff, inet: Inet, cpu: Cpu): number {
  const { view } = inet.net.mem;
  const ip = skb.networkHeader;
  saddr.read(view, ip + IPV6_ADDRS);
  daddr.read(view, ip + IPV6_ADDRS + 16);
  if (ip6RouteOutput(inet, saddr, skb.dev) !== 0) return SKB_NOT_DROPPED_YET;
  const dev = inet.hop.dev!;
  const own = inet.addrs.local6(daddr.w0, daddr.w1, daddr.w2, daddr.w3);
  from.copy(own === null ? inet.hop.saddr6 : own.addr); // who asks a group is answered by one
  const reply = skbCopy(skb, dev, cpu);
  if (reply === null) {
    inet.mib.icmp6.OutErrors++;
    return SKB_NOT_DROPPED_YET;
  }
  setIcmpType(view, reply.data, ICMPV6_ECHO_REPLY);
  finishIcmpv6(inet, reply, from, saddr, cpu);
  ip6LocalOut(inet, reply, from, saddr, IPPROTO_ICMPV6, ipv6TrafficClass(view, ip), cpu);
  return SKB_NOT_DROPPED_YET;
}

/** Whoever has asked gets the answer. @linux ping_rcv */
function pingRcv(skb: SkBuff, inet: Inet, cpu: Cpu): number {
  if (inet.ping === null) return SKB_DROP_REASON_NO_SOCKET;
  return inet.ping.onReply(skb, cpu) ? SKB_NOT_DROPPED_YET : SKB_DROP_REASON_NO_SOCKET;
}

/** An error about a packet of ours: the socket that sent it hears of it. @linux icmpv6_notify, udpv6_err */
function icmpv6Notify(skb: SkBuff, inet: Inet, cpu: Cpu): number {
  const { view } = inet.net.mem;
  if (!pskbMayPull(skb, ICMP_HLEN + IPV6_HLEN + UDP_PORTS, cpu)) {
    inet.mib.icmp6.InErrors++;
    return SKB_DROP_REASON_NOT_SPECIFIED;
  }
  const at = skb.data;
  const ip = at + ICMP_HLEN;
  if (ipv6NextHeader(view, ip) !== IPPROTO_UDP) return SKB_NOT_DROPPED_YET;
  saddr.read(view, ip + IPV6_ADDRS);
  daddr.read(view, ip + IPV6_ADDRS + 16);
  const udp = ip + IPV6_HLEN;
  const sk = inet.udp.lookup6(daddr, udpDstPort(view, udp), saddr, udpSrcPort(view, udp));
  if (sk === null) inet.mib.icmp6.InErrors++;
  else udpv6Err(sk, icmpType(view, at), icmpCode(view, at), inet, cpu);
  return SKB_NOT_DROPPED_YET;
}
