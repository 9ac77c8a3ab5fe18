/**
 * UDP receives a datagram: length, checksum, socket, and room in it.
 *
 * A short datagram's checksum is verified at once, a long one's when the application reads it,
 * because then the bytes are touched anyway; what hardware has verified is not looked at again.
 *
 * @linux net/ipv4/udp.c, net/ipv6/udp.c
 */
import { OP_CSUM_64B, OP_SOCK_QUEUE, OP_UDP_RCV } from '../host/cost.ts';
import type { Cpu } from '../host/cpu.ts';
import {
  SKB_DROP_REASON_NOT_SPECIFIED,
  SKB_DROP_REASON_NO_SOCKET,
  SKB_DROP_REASON_PKT_TOO_SMALL,
  SKB_DROP_REASON_SOCKET_RCVBUFF,
  SKB_DROP_REASON_UDP_CSUM,
} from '../host/dropReason.ts';
import { TP_SOCK_QUEUE } from '../host/trace.ts';
import { csumFold, csumIpv6Nofold, csumTcpudpNofold } from '../wire/checksum.ts';
import { IPPROTO_UDP } from '../wire/ip.ts';
import { ipv4Dst, ipv4Src } from '../wire/ipv4.ts';
import { IPV6_ADDRS } from '../wire/ipv6.ts';
import { UDP_HLEN, udpCheck, udpDstPort, udpLen, udpSrcPort } from '../wire/udp.ts';
import { ICMP_DEST_UNREACH, ICMP_PORT_UNREACH, icmpSend } from './icmpSend.ts';
import { ICMPV6_DEST_UNREACH, ICMPV6_PORT_UNREACH, icmpv6Send } from './icmpv6Send.ts';
import { In6Addr } from './in6.ts';
import type { Inet } from './inet.ts';
import { RTN_LOCAL } from './fib.ts';
import { skbChecksum } from './skbChecksum.ts';
import type { SkBuff } from './skbuff.ts';
import { CHECKSUM_UNNECESSARY } from './skbuff.ts';
import { kfreeSkb, skbArrived } from './skbPool.ts';
import { pskbMayPull, pskbTrim, skbCondense } from './skbPull.ts';
import type { UdpMib } from './snmp.ts';
import type { UdpSock } from './udpSock.ts';
import { sockDefReadable } from './udpSock.ts';

const ETH_P_IPV6 = 0x86dd;
/** Up to this length a checksum is verified on arrival. @linux CHECKSUM_BREAK */
const CHECKSUM_BREAK = 76;

const saddr6: In6Addr = new In6Addr();
const daddr6: In6Addr = new In6Addr();

/** Takes a datagram over IPv4, its `data` the UDP header. @linux udp_rcv, __udp4_lib_rcv */
export function udpRcv(skb: SkBuff, inet: Inet, cpu: Cpu): void {
  const { view } = inet.net.mem;
  cpu.charge(OP_UDP_RCV);
  if (!udpHeaderOk(skb, inet, inet.mib.udp, cpu)) return;
  const ip = skb.networkHeader;
  const udp = skb.data;
  const saddr = ipv4Src(view, ip);
  const daddr = ipv4Dst(view, ip);
  const sk = inet.udp.lookup4(saddr, udpSrcPort(view, udp), daddr, udpDstPort(view, udp));
  if (sk !== null) {
    udpQueueRcvSkb(reuseportSelectSock(sk, skb), skb, inet, inet.mib.udp, cpu);
    return;
  }
  if (skb.routeType !== RTN_LOCAL) {
    inet.mib.udp.IgnoredMulti++;
    kfreeSkb(skb, SKB_DROP_REASON_NOT_SPECIFIED, cpu);
    return;
  }
  if (!udpLibChecksumComplete(skb, cpu)) {
    csumError(skb, inet.mib.udp, cpu);
    return;
  }
  inet.mib.udp.NoPorts++;
  icmpSend(skb, inet, ICMP_DEST_UNREACH, ICMP_PORT_UNREACH, 0, cpu);
  kfreeSkb(skb, SKB_DROP_REASON_NO_SOCKET, cpu);
}

/**
 * Of sockets that share a port, the one that goes with the RX queue, as a program of
 * SO_ATTACH_REUSEPORT_CBPF says that loads SKF_AD_QUEUE.
 *
 * @linux reuseport_select_sock
 */
function reuseportSelectSock(sk: UdpSock, { queueMapping }: SkBuff): UdpSock {
  const { reuse } = sk;
  return reuse === null ? sk : reuse[Math.max(0, queueMapping - 1) % reuse.length]!;
}

/** The same over IPv6. @param multicast the destination is a group. @linux udpv6_rcv, __udp6_lib_rcv */
export function udpv6Rcv(skb: SkBuff, inet: Inet, multicast: boolean, cpu: Cpu): void {
  const { view } = inet.net.mem;
  const { udp6 } = inet.mib;
  cpu.charge(OP_UDP_RCV);
  if (!udpHeaderOk(skb, inet, udp6, cpu)) return;
  const udp = skb.data;
  saddr6.read(view, skb.networkHeader + IPV6_ADDRS);
  daddr6.read(view, skb.networkHeader + IPV6_ADDRS + 16);
  const sk = inet.udp.lookup6(saddr6, udpSrcPort(view, udp), daddr6, udpDstPort(view, udp));
  if (sk !== null) {
    if (udpCheck(view, udp) === 0) {
      csumError(skb, udp6, cpu);
      return;
    }
    udpQueueRcvSkb(reuseportSelectSock(sk, skb), skb, inet, udp6, cpu);
    return;
  }
  if (multicast) {
    udp6.IgnoredMulti++;
    kfreeSkb(skb, SKB_DROP_REASON_NOT_SPECIFIED, cpu);
    return;
  }
  if (udpCheck(view, udp) === 0 || !udpLibChecksumComplete(skb, cpu)) {
    csumError(skb, udp6, cpu, SKB_DROP_REASON_NO_SOCKET);
    return;
  }
  udp6.NoPorts++;
  icmpv6Send(skb, inet, ICMPV6_DEST_UNREACH, ICMPV6_PORT_UNREACH, 0, cpu);
  kfreeSkb(skb, SKB_DROP_REASON_NO_SOCKET, cpu);
}

/**
 * Header there, length believable, checksum as far as it is looked at now. Bytes behind the
 * datagram's own length are cut off.
 *
 * @returns false when the packet is gone
 */
function udpHeaderOk(skb: SkBuff, inet: Inet, mib: UdpMib, cpu: Cpu): boolean {
  const { view } = inet.net.mem;
  if (!pskbMayPull(skb, UDP_HLEN, cpu)) {
    mib.InErrors++;
    kfreeSkb(skb, SKB_DROP_REASON_NOT_SPECIFIED, cpu);
    return false;
  }
  const ulen = udpLen(view, skb.data);
  // over IPv6 a length of 0 stands for a jumbogram's, which then is the packet's
  const len = ulen === 0 && skb.protocol === ETH_P_IPV6 ? skb.len : ulen;
  if (len > skb.len || len < UDP_HLEN) {
    mib.InErrors++;
    kfreeSkb(skb, SKB_DROP_REASON_PKT_TOO_SMALL, cpu);
    return false;
  }
  pskbTrim(skb, len, cpu);
  if (udpCsumInit(skb, cpu)) return true;
  csumError(skb, mib, cpu);
  return false;
}

/** @returns false when a checksum has been verified, and is wrong. @linux udp4_csum_init, udp6_csum_init */
function udpCsumInit(skb: SkBuff, cpu: Cpu): boolean {
  if (udpCheck(skb.dev.net.mem.view, skb.data) === 0) {
    skb.csumValid = true; // over IPv6 it is the socket that refuses (RFC 6936)
    return true;
  }
  if (skb.ipSummed === CHECKSUM_UNNECESSARY) {
    skb.csumValid = true;
    return true;
  }
  return skb.len > CHECKSUM_BREAK || udpLibChecksumComplete(skb, cpu);
}

/** Verify the checksum, unless that has been done. @linux udp_lib_checksum_complete */
function udpLibChecksumComplete(skb: SkBuff, cpu: Cpu): boolean {
  if (!skb.csumValid) {
    const { view } = skb.dev.net.mem;
    const ip = skb.networkHeader;
    cpu.chargeTimes(OP_CSUM_64B, (skb.len + 63) >>> 6);
    const pseudo =
      skb.protocol === ETH_P_IPV6
        ? csumIpv6Nofold(view, ip + IPV6_ADDRS, skb.len, IPPROTO_UDP, 0)
        : csumTcpudpNofold(ipv4Src(view, ip), ipv4Dst(view, ip), skb.len, IPPROTO_UDP, 0);
    skb.csumValid = csumFold(skbChecksum(skb, skb.data, pseudo)) === 0;
  }
  return skb.csumValid;
}

/** @param reason another where that nobody listens is known already */
function csumError(
  skb: SkBuff,
  mib: UdpMib,
  cpu: Cpu,
  reason: number = SKB_DROP_REASON_UDP_CSUM,
): void {
  mib.InCsumErrors++;
  mib.InErrors++;
  kfreeSkb(skb, reason, cpu);
}

/** Into the socket's queue, if there is room, and its reader awake. @linux udp_queue_rcv_skb, __udp_enqueue_schedule_skb */
function udpQueueRcvSkb(sk: UdpSock, skb: SkBuff, inet: Inet, mib: UdpMib, cpu: Cpu): void {
  const { watch } = inet.net;
  cpu.charge(OP_SOCK_QUEUE);
  if (sk.rmemAlloc > 0 && sk.rmemAlloc + skb.truesize > sk.rcvbuf) {
    sk.drops++;
    mib.RcvbufErrors++;
    mib.InErrors++;
    kfreeSkb(skb, SKB_DROP_REASON_SOCKET_RCVBUFF, cpu);
    return;
  }
  if (sk.rmemAlloc > sk.rcvbuf >> 1) skbCondense(skb, cpu);
  sk.rmemAlloc += skb.truesize;
  if (sk.rmemAlloc > sk.rmemMax) sk.rmemMax = sk.rmemAlloc;
  sk.napiId = skb.napiId;
  skb.tstamp = cpu.now;
  skbArrived(skb);
  sk.receiveQueue.queueTail(skb);
  if (watch.on) watch.point(TP_SOCK_QUEUE, cpu, sk.num, skb.len, sk.rmemAlloc);
  sockDefReadable(sk, inet, cpu);
}

/**
 * The next datagram for its reader, verified; the caller owns it.
 *
 * @returns null when the queue is empty. A datagram that proves wrong only now is dropped on the way.
 * @linux __skb_recv_udp, udp_recvmsg
 */
export function udpDequeue(sk: UdpSock, inet: Inet, cpu: Cpu): SkBuff | null {
  for (;;) {
    const skb = sk.receiveQueue.dequeue();
    if (skb === null) return null;
    sk.rmemAlloc -= skb.truesize;
    const mib = skb.protocol === ETH_P_IPV6 ? inet.mib.udp6 : inet.mib.udp;
    if (udpLibChecksumComplete(skb, cpu)) {
      mib.InDatagrams++;
      return skb;
    }
    csumError(skb, mib, cpu);
  }
}
