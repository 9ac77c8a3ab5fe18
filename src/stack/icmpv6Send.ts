/**
 * ICMPv6 messages of our own: errors about what came in, not too often, and what else is answered.
 *
 * @spec RFC 4443 §2.4
 * @linux icmp6_send, icmpv6_xrlim_allow; net/ipv6/icmp.c
 */
import { OP_CSUM_64B } from '../host/cost.ts';
import type { Cpu } from '../host/cpu.ts';
import { csumFold } from '../wire/checksum.ts';
import { setIcmpCheck, setIcmpCode, setIcmpType } from '../wire/icmp.ts';
import { IPPROTO_ICMPV6 } from '../wire/ip.ts';
import { IPV6_ADDRS } from '../wire/ipv6.ts';
import { In6Addr, in6IsMulticast } from './in6.ts';
import type { Inet } from './inet.ts';
import { IPV6_HLEN, ip6LocalOut, ip6RouteOutput } from './ipv6Output.ts';
import { skbChecksum } from './skbChecksum.ts';
import { skbCopyOut } from './skbBytes.ts';
import type { SkBuff } from './skbuff.ts';
import { PACKET_HOST, skbPut } from './skbuff.ts';
import { allocSkb } from './skbPool.ts';

/** @linux include/uapi/linux/icmpv6.h */
export const ICMPV6_DEST_UNREACH = 1;
export const ICMPV6_PKT_TOOBIG = 2;
export const ICMPV6_TIME_EXCEED = 3;
export const ICMPV6_PARAMPROB = 4;
export const ICMPV6_PORT_UNREACH = 4;
export const ICMPV6_EXC_FRAGTIME = 1;
export const ICMPV6_HDR_FIELD = 0;
export const ICMPV6_UNK_NEXTHDR = 1;
export const ICMPV6_UNK_OPTION = 2;
const ICMP_HLEN = 8;
/** An error is at most this long, IPv6 header included. @linux IPV6_MIN_MTU */
const ERROR_MAX = 1280;
/** @linux net.ipv6.icmp.ratelimit, 1000 ms */
const RATELIMIT_SECONDS = 1;

const saddr: In6Addr = new In6Addr();
const daddr: In6Addr = new In6Addr();
const from: In6Addr = new In6Addr();

/** Error messages have the top bit clear. @linux ICMPV6_INFOMSG_MASK */
export const icmpv6IsError = (type: number): boolean => (type & 0x80) === 0;

/**
 * Tell the sender of `skb`, which stays the caller's.
 *
 * @param info the message's second word
 * @linux icmpv6_send, icmp6_send
 */
export function icmpv6Send(
  skb: SkBuff,
  inet: Inet,
  type: number,
  code: number,
  info: number,
  cpu: Cpu,
): void {
  const { view } = inet.net.mem;
  const { icmp6 } = inet.mib;
  const ip = skb.networkHeader;
  saddr.read(view, ip + IPV6_ADDRS);
  daddr.read(view, ip + IPV6_ADDRS + 16);
  if (!maySend(skb, type, code)) return;
  const jiffies = inet.net.jiffies(cpu.now);
  if (!inet.icmpLimits.globalAllow(jiffies)) {
    inet.mib.icmp.OutRateLimitGlobal++; // one counter for both versions, as in Linux
    return;
  }
  if (ip6RouteOutput(inet, saddr, skb.dev) !== 0) return;
  // who is reached by a wide route shares it with many, and may get more
  const timeout = (RATELIMIT_SECONDS * inet.net.hz) >> ((128 - inet.hop.prefixLen6) >> 5);
  const host = `${saddr.w0}:${saddr.w1}:${saddr.w2}:${saddr.w3}`;
  if (!inet.icmpLimits.peerAllow(host, timeout, jiffies)) {
    icmp6.OutRateLimitHost++;
    return;
  }
  inet.icmpLimits.globalConsume();

  const quoted = Math.min(skb.len + (skb.data - ip), ERROR_MAX - IPV6_HLEN - ICMP_HLEN);
  const len = ICMP_HLEN + quoted;
  const error = allocSkb(inet.hop.dev!, len, cpu);
  if (error === null) {
    icmp6.OutErrors++;
    return;
  }
  const at = skbPut(error, len);
  setIcmpType(view, at, type);
  setIcmpCode(view, at, code);
  view.setUint32(at + 4, info);
  skbCopyOut(skb, ip - skb.data, at + ICMP_HLEN, quoted, cpu);
  const own = inet.addrs.local6(daddr.w0, daddr.w1, daddr.w2, daddr.w3);
  from.copy(own === null ? inet.hop.saddr6 : own.addr);
  finishIcmpv6(inet, error, from, saddr, cpu);
  ip6LocalOut(inet, error, from, saddr, IPPROTO_ICMPV6, 0, cpu);
}

/** Count the message, and write its checksum. @linux icmpv6_push_pending_frames, icmp6_out_count */
export function finishIcmpv6(inet: Inet, skb: SkBuff, src: In6Addr, dst: In6Addr, cpu: Cpu): void {
  const { view } = inet.net.mem;
  const { icmp6 } = inet.mib;
  const { data: at, len } = skb;
  icmp6.OutMsgs++;
  icmp6.outType[view.getUint8(at)]!++;
  setIcmpCheck(view, at, 0);
  cpu.chargeTimes(OP_CSUM_64B, (len + 63) >>> 6);
  const pseudo = addrSum(src) + addrSum(dst) + len + IPPROTO_ICMPV6;
  setIcmpCheck(view, at, csumFold(skbChecksum(skb, at, pseudo)));
}

/** An address as the words of a running checksum. */
export const addrSum = ({ w0, w1, w2, w3 }: In6Addr): number =>
  halves(w0) + halves(w1) + halves(w2) + halves(w3);
const halves = (word: number): number => (word >>> 16) + (word & 0xffff);

/** No errors about what was not for us alone, from nobody in particular, or about errors. @linux icmp6_send, is_ineligible */
function maySend(skb: SkBuff, type: number, code: number): boolean {
  const forMany = in6IsMulticast(daddr.w0) || skb.pktType !== PACKET_HOST;
  if (forMany && !(type === ICMPV6_PARAMPROB && code === ICMPV6_UNK_OPTION)) return false;
  if (saddr.isAny || in6IsMulticast(saddr.w0)) return false;
  const { view } = skb.dev.net.mem;
  if (skb.upperProtocol !== IPPROTO_ICMPV6) return true;
  return skb.transportHeader < skb.tail && !icmpv6IsError(view.getUint8(skb.transportHeader));
}
