/**
 * ICMP errors: telling a sender why its packet went nowhere, not too often.
 *
 * @spec RFC 792; RFC 1812 §4.3.2.7, what no error is sent about
 * @linux __icmp_send, icmpv4_global_allow, icmpv4_xrlim_allow; net/ipv4/icmp.c
 */
import { OP_COPY_64B } from '../host/cost.ts';
import type { Cpu } from '../host/cpu.ts';
import { csumFold, csumPartial } from '../wire/checksum.ts';
import { setIcmpCheck, setIcmpCode, setIcmpType, icmpType } from '../wire/icmp.ts';
import { IPPROTO_ICMP } from '../wire/ip.ts';
import { ipv4Dst, ipv4FragOffset, ipv4Proto, ipv4Src, ipv4Tos } from '../wire/ipv4.ts';
import { RTN_BROADCAST, RTN_MULTICAST } from './fib.ts';
import type { Inet } from './inet.ts';
import { ipLocalOut, ipRouteOutput } from './ipOutput.ts';
import { skbCopyOut } from './skbBytes.ts';
import type { SkBuff } from './skbuff.ts';
import { PACKET_HOST, skbPut } from './skbuff.ts';
import { allocSkb } from './skbPool.ts';

/** @linux include/uapi/linux/icmp.h */
export const ICMP_DEST_UNREACH = 3;
const ICMP_SOURCE_QUENCH = 4;
export const ICMP_REDIRECT = 5;
export const ICMP_TIME_EXCEEDED = 11;
export const ICMP_PARAMETERPROB = 12;
export const NR_ICMP_TYPES = 18;
export const ICMP_NET_UNREACH = 0;
export const ICMP_HOST_UNREACH = 1;
export const ICMP_PROT_UNREACH = 2;
export const ICMP_PORT_UNREACH = 3;
export const ICMP_FRAG_NEEDED = 4;
export const ICMP_PKT_FILTERED = 13;
export const ICMP_REDIR_HOST = 1;
export const ICMP_EXC_TTL = 0;
export const ICMP_EXC_FRAGTIME = 1;
const ICMP_HLEN = 8;
const IPV4_HLEN = 20;
/** An error is at most this long, IP header included, and never longer than the MTU. @linux __icmp_send */
const ERROR_MAX = 576;
/** Network control, as all errors are sent. @linux IPTOS_PREC_INTERNETCONTROL */
const TOS_INTERNETCONTROL = 0xc0;
const TOS_MASK = 0x1e;
/** One error a second to a host, after a burst. @linux sysctl icmp_ratelimit, 1000 ms */
const RATELIMIT_SECONDS = 1;

/** Is a message of this type about another packet? @linux icmp_pointers[].error */
export const icmpIsError = (type: number): boolean =>
  type === ICMP_DEST_UNREACH ||
  type === ICMP_SOURCE_QUENCH ||
  type === ICMP_REDIRECT ||
  type === ICMP_TIME_EXCEEDED ||
  type === ICMP_PARAMETERPROB;

/**
 * Tell the sender of `skb`, which stays the caller's.
 *
 * @param info the message's second word
 * @linux icmp_send
 */
export function icmpSend(
  skb: SkBuff,
  inet: Inet,
  type: number,
  code: number,
  info: number,
  cpu: Cpu,
): void {
  if (!maySend(skb, inet)) return;
  const { view } = inet.net.mem;
  const { icmp } = inet.mib;
  const jiffies = inet.net.jiffies(cpu.now);
  const ip = skb.networkHeader;
  const saddr = ipv4Src(view, ip);
  const limited = isLimited(type, code);
  if (limited && !inet.icmpLimits.globalAllow(jiffies)) {
    icmp.OutRateLimitGlobal++;
    return;
  }
  if (ipRouteOutput(inet, saddr) !== 0) return;
  if (limited && !inet.icmpLimits.peerAllow(saddr, RATELIMIT_SECONDS * inet.net.hz, jiffies)) {
    icmp.OutRateLimitHost++;
    return;
  }
  if (limited) inet.icmpLimits.globalConsume();

  const whole = skb.len + (skb.data - ip);
  const dev = inet.hop.dev!;
  const quoted = Math.min(whole, Math.min(ERROR_MAX, dev.mtu) - IPV4_HLEN - ICMP_HLEN);
  const len = ICMP_HLEN + quoted;
  const error = allocSkb(dev, len, cpu);
  if (error === null) {
    icmp.OutErrors++;
    return;
  }
  const at = skbPut(error, len);
  setIcmpType(view, at, type);
  setIcmpCode(view, at, code);
  setIcmpCheck(view, at, 0);
  view.setUint32(at + 4, info);
  skbCopyOut(skb, ip - skb.data, at + ICMP_HLEN, quoted, cpu);
  cpu.chargeTimes(OP_COPY_64B, (len + 63) >>> 6);
  setIcmpCheck(view, at, csumFold(csumPartial(view, at, len, 0)));
  icmp.OutMsgs++;
  icmp.outType[type]!++;
  const tos = (ipv4Tos(view, ip) & TOS_MASK) | TOS_INTERNETCONTROL;
  const from = inet.addrs.isLocal4(ipv4Dst(view, ip)) ? ipv4Dst(view, ip) : inet.hop.saddr;
  ipLocalOut(inet, error, from, saddr, IPPROTO_ICMP, tos, true, cpu);
}

/** Redirects have a limit of their own, and a path's MTU must be known. @linux icmpv4_mask_allow, sysctl icmp_ratemask */
const isLimited = (type: number, code: number): boolean =>
  type !== ICMP_REDIRECT && (type !== ICMP_DEST_UNREACH || code !== ICMP_FRAG_NEEDED);

/** No errors about what was not for one host alone, about later fragments, or about errors. */
function maySend(skb: SkBuff, inet: Inet): boolean {
  const { view } = inet.net.mem;
  const ip = skb.networkHeader;
  if (skb.pktType !== PACKET_HOST) return false;
  if (skb.routeType === RTN_BROADCAST || skb.routeType === RTN_MULTICAST) return false;
  if (ipv4FragOffset(view, ip) !== 0) return false;
  if (ipv4Proto(view, ip) !== IPPROTO_ICMP) return true;
  const end = skb.tail;
  if (skb.transportHeader >= end) return false;
  const type = icmpType(view, skb.transportHeader);
  return type <= NR_ICMP_TYPES && !icmpIsError(type); // what nobody knows may be an error
}
