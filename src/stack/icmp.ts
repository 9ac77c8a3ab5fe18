/**
 * ICMP receives a message: echoes and timestamps are answered, errors are told to the socket they
 * are about.
 *
 * @spec RFC 792
 * @linux net/ipv4/icmp.c
 */
import { OP_CSUM_64B, OP_ICMP_RCV } from '../host/cost.ts';
import type { Cpu } from '../host/cpu.ts';
import {
  SKB_DROP_REASON_ICMP_CSUM,
  SKB_DROP_REASON_INVALID_PROTO,
  SKB_DROP_REASON_IP_INHDR,
  SKB_DROP_REASON_NOT_SPECIFIED,
  SKB_DROP_REASON_NO_SOCKET,
  SKB_DROP_REASON_PKT_TOO_SMALL,
  SKB_DROP_REASON_UNHANDLED_PROTO,
  SKB_NOT_DROPPED_YET,
} from '../host/dropReason.ts';
import { csumFold, csumPartial } from '../wire/checksum.ts';
import {
  ICMP_ECHO,
  ICMP_ECHOREPLY,
  icmpCode,
  icmpType,
  setIcmpCheck,
  setIcmpCode,
  setIcmpType,
} from '../wire/icmp.ts';
import { IPPROTO_ICMP, IPPROTO_TCP, IPPROTO_UDP } from '../wire/ip.ts';
import { ipv4Dst, ipv4HeaderLen, ipv4Proto, ipv4Src, ipv4Tos } from '../wire/ipv4.ts';
import { udpDstPort, udpSrcPort } from '../wire/udp.ts';
import {
  ICMP_DEST_UNREACH,
  ICMP_EXC_FRAGTIME,
  ICMP_REDIRECT,
  ICMP_TIME_EXCEEDED,
  NR_ICMP_TYPES,
  icmpIsError,
} from './icmpSend.ts';
import type { Inet } from './inet.ts';
import { RTN_LOCAL } from './fib.ts';
import { inetCurrentTimestamp } from './ipOptions.ts';
import { ipLocalOut, ipRouteOutput } from './ipOutput.ts';
import { skbChecksum } from './skbChecksum.ts';
import type { SkBuff } from './skbuff.ts';
import { skbPut } from './skbuff.ts';
import { allocSkb, consumeSkb, kfreeSkb } from './skbPool.ts';
import { pskbMayPull } from './skbPull.ts';
import { skbCopy } from './skbWithFrags.ts';
import { udpErr } from './udpErr.ts';

const ICMP_HLEN = 8;
const IPV4_HLEN_MIN = 20;
const UDP_PORTS = 8;
const NR_ICMP_UNREACH = 15;
const ICMP_TIMESTAMP = 13;
const ICMP_TIMESTAMPREPLY = 14;
/** Offsets of its times behind the sender's, and how long it is. */
const TIMESTAMP_RECEIVED = 12;
const TIMESTAMP_SENT = 16;
const TIMESTAMP_LEN = 20;
const ICMP_ADDRESS = 17;
const ICMP_ADDRESSREPLY = 18;
/** About a device of ours: nobody is told (icmp_echo_enable_probe). @spec RFC 8335 */
const ICMP_EXT_ECHO = 42;
const ICMP_EXT_ECHOREPLY = 43;

/** Takes a message, its `data` the ICMP header. @linux icmp_rcv */
export function icmpRcv(skb: SkBuff, inet: Inet, cpu: Cpu): void {
  const { icmp } = inet.mib;
  cpu.charge(OP_ICMP_RCV);
  icmp.InMsgs++;
  cpu.chargeTimes(OP_CSUM_64B, (skb.len + 63) >>> 6);
  let reason = SKB_NOT_DROPPED_YET;
  if (csumFold(skbChecksum(skb, skb.data, 0)) !== 0) {
    icmp.InCsumErrors++;
    reason = SKB_DROP_REASON_ICMP_CSUM;
  } else if (!pskbMayPull(skb, ICMP_HLEN, cpu)) reason = SKB_DROP_REASON_NOT_SPECIFIED;
  else reason = icmpUnwanted(skb, inet);
  if (reason !== SKB_NOT_DROPPED_YET) {
    icmp.InErrors++;
    kfreeSkb(skb, reason, cpu);
    return;
  }
  reason = icmpHandle(skb, inet, cpu);
  if (reason === SKB_NOT_DROPPED_YET) consumeSkb(skb, cpu);
  else kfreeSkb(skb, reason, cpu);
}

/** What must not be sent to many, and unknown types. */
function icmpUnwanted(skb: SkBuff, inet: Inet): number {
  const type = icmpType(inet.net.mem.view, skb.data);
  inet.mib.icmp.inType[type]!++;
  if (type === ICMP_EXT_ECHO) return SKB_NOT_DROPPED_YET;
  // echoes to many are ignored (icmp_echo_ignore_broadcasts), and of the rest only these make sense
  const harmless = type === ICMP_ADDRESS || type === ICMP_ADDRESSREPLY;
  if (skb.routeType !== RTN_LOCAL && !harmless) return SKB_DROP_REASON_INVALID_PROTO;
  const known = type <= NR_ICMP_TYPES || type === ICMP_EXT_ECHOREPLY;
  return known ? SKB_NOT_DROPPED_YET : SKB_DROP_REASON_UNHANDLED_PROTO;
}

/** @linux icmp_pointers[].handler */
function icmpHandle(skb: SkBuff, inet: Inet, cpu: Cpu): number {
  const type = icmpType(inet.net.mem.view, skb.data);
  if (type === ICMP_ECHO) return icmpEcho(skb, inet, cpu);
  if (type === ICMP_TIMESTAMP) return icmpTimestamp(skb, inet, cpu);
  if (type === ICMP_ECHOREPLY || type === ICMP_EXT_ECHOREPLY) return pingRcv(skb, inet, cpu);
  if (icmpIsError(type)) return icmpUnreach(skb, inet, cpu);
  return SKB_NOT_DROPPED_YET;
}

/** The same bytes back, the type exchanged; in fragments where they came in some. @linux icmp_echo, icmp_reply */
function icmpEcho(skb: SkBuff, inet: Inet, cpu: Cpu): number {
  const { view } = inet.net.mem;
  const { icmp } = inet.mib;
  const ip = skb.networkHeader;
  const saddr = ipv4Src(view, ip);
  if (ipRouteOutput(inet, saddr) !== 0) return SKB_NOT_DROPPED_YET;
  const reply = skbCopy(skb, inet.hop.dev!, cpu);
  if (reply === null) {
    icmp.OutErrors++;
    return SKB_NOT_DROPPED_YET;
  }
  const at = reply.data;
  setIcmpType(view, at, ICMP_ECHOREPLY);
  setIcmpCheck(view, at, 0);
  cpu.chargeTimes(OP_CSUM_64B, (skb.len + 63) >>> 6);
  setIcmpCheck(view, at, csumFold(skbChecksum(reply, at, 0)));
  icmp.OutMsgs++;
  icmp.outType[ICMP_ECHOREPLY]!++;
  ipLocalOut(inet, reply, ipv4Dst(view, ip), saddr, IPPROTO_ICMP, ipv4Tos(view, ip), true, cpu);
  return SKB_NOT_DROPPED_YET;
}

/** When it was asked, by the sender's clock, and what the time is here, twice. @linux icmp_timestamp */
function icmpTimestamp(skb: SkBuff, inet: Inet, cpu: Cpu): number {
  const { mem } = inet.net;
  const { view } = mem;
  const { icmp } = inet.mib;
  if (!pskbMayPull(skb, TIMESTAMP_RECEIVED, cpu)) {
    icmp.InErrors++;
    return SKB_DROP_REASON_PKT_TOO_SMALL;
  }
  const ip = skb.networkHeader;
  const saddr = ipv4Src(view, ip);
  if (ipRouteOutput(inet, saddr) !== 0) return SKB_NOT_DROPPED_YET;
  const reply = allocSkb(inet.hop.dev!, TIMESTAMP_LEN, cpu);
  if (reply === null) {
    icmp.OutErrors++;
    return SKB_NOT_DROPPED_YET;
  }
  const at = skbPut(reply, TIMESTAMP_LEN);
  const ms = inetCurrentTimestamp(cpu.now);
  mem.copy(at, skb.data, TIMESTAMP_RECEIVED);
  setIcmpType(view, at, ICMP_TIMESTAMPREPLY);
  setIcmpCode(view, at, 0);
  setIcmpCheck(view, at, 0);
  view.setUint32(at + TIMESTAMP_RECEIVED, ms);
  view.setUint32(at + TIMESTAMP_SENT, ms);
  cpu.charge(OP_CSUM_64B);
  setIcmpCheck(view, at, csumFold(csumPartial(view, at, TIMESTAMP_LEN, 0)));
  icmp.OutMsgs++;
  icmp.outType[ICMP_TIMESTAMPREPLY]!++;
  ipLocalOut(inet, reply, ipv4Dst(view, ip), saddr, IPPROTO_ICMP, ipv4Tos(view, ip), true, cpu);
  return SKB_NOT_DROPPED_YET;
}

/** Whoever has asked gets the answer. @linux ping_rcv */
function pingRcv(skb: SkBuff, inet: Inet, cpu: Cpu): number {
  if (inet.ping === null) return SKB_DROP_REASON_NO_SOCKET;
  return inet.ping.onReply(skb, cpu) ? SKB_NOT_DROPPED_YET : SKB_DROP_REASON_NO_SOCKET;
}

/**
 * An error about a packet of ours, or a redirect: the socket that sent it hears of it.
 *
 * @linux icmp_unreach, icmp_redirect, icmp_socket_deliver, udp_err
 */
function icmpUnreach(skb: SkBuff, inet: Inet, cpu: Cpu): number {
  const { view } = inet.net.mem;
  const { icmp } = inet.mib;
  const inner = ICMP_HLEN;
  const redirect = icmpType(view, skb.data) === ICMP_REDIRECT;
  if (!pskbMayPull(skb, inner + IPV4_HLEN_MIN, cpu)) {
    icmp.InErrors++;
    return redirect ? SKB_DROP_REASON_PKT_TOO_SMALL : SKB_DROP_REASON_NOT_SPECIFIED;
  }
  const hlen = ipv4HeaderLen(view, skb.data + inner);
  if (!redirect && hlen < IPV4_HLEN_MIN) {
    icmp.InErrors++;
    return SKB_DROP_REASON_IP_INHDR;
  }
  if (isNobodysConcern(icmpType(view, skb.data), icmpCode(view, skb.data)))
    return SKB_NOT_DROPPED_YET;
  if (!pskbMayPull(skb, inner + hlen + UDP_PORTS, cpu)) {
    icmp.InErrors++;
    return SKB_NOT_DROPPED_YET;
  }
  const at = skb.data;
  const ip = at + inner;
  const proto = ipv4Proto(view, ip);
  if (proto === IPPROTO_TCP) icmp.InErrors++; // no TCP is built, so nobody has sent it
  if (proto !== IPPROTO_UDP) return SKB_NOT_DROPPED_YET;
  const udp = ip + hlen;
  const sk = inet.udp.lookup4(
    ipv4Dst(view, ip),
    udpDstPort(view, udp),
    ipv4Src(view, ip),
    udpSrcPort(view, udp),
  );
  if (sk === null) icmp.InErrors++;
  else udpErr(sk, icmpType(view, at), icmpCode(view, at), inet, cpu);
  return SKB_NOT_DROPPED_YET;
}

/** An unknown code, or fragments that never became whole. */
const isNobodysConcern = (type: number, code: number): boolean =>
  (type === ICMP_DEST_UNREACH && code > NR_ICMP_UNREACH) ||
  (type === ICMP_TIME_EXCEEDED && code === ICMP_EXC_FRAGTIME);
