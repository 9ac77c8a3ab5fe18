/**
 * Applications send datagrams: the system calls.
 *
 * There is no limit on what may be under way to the device but the device's own queue. A datagram
 * that this queue refuses counts as an error, yet the caller hears nothing of it.
 *
 * @linux udp_sendmsg, udp_send_skb; net/ipv4/udp.c. udpv6_sendmsg, udp_v6_send_skb; net/ipv6/udp.c
 */
import { OP_CSUM_64B, OP_SOCK_SEND } from '../host/cost.ts';
import type { Cpu } from '../host/cpu.ts';
import { EACCES, EDESTADDRREQ, EINVAL, EMSGSIZE, ENOBUFS } from '../host/errno.ts';
import type { HostAddr } from '../host/memory.ts';
import { csumFold, csumFrom32to16, csumTcpudpNofold } from '../wire/checksum.ts';
import { IPPROTO_UDP } from '../wire/ip.ts';
import { UDP_HLEN, setUdpCheck, setUdpDstPort, setUdpLen, setUdpSrcPort } from '../wire/udp.ts';
import { addrSum } from './icmpv6Send.ts';
import type { In6Addr } from './in6.ts';
import { in6IsV4mapped } from './in6.ts';
import type { Inet } from './inet.ts';
import { IPV4_HLEN, ipLocalOut, ipRouteOutput } from './ipOutput.ts';
import { IPV6_HLEN, ip6LocalOut, ip6RouteOutput } from './ipv6Output.ts';
import type { NetDevice } from './netdevice.ts';
import { skbChecksum } from './skbChecksum.ts';
import type { SkBuff } from './skbuff.ts';
import { CHECKSUM_NONE, CHECKSUM_PARTIAL } from './skbuff.ts';
import { allocSkbWithFrags, skbStoreBits } from './skbWithFrags.ts';
import type { UdpMib } from './snmp.ts';
import type { UdpSock } from './udpSock.ts';
import { sockError } from './udpSock.ts';

const UDP_CHECK_OFFSET = 6;
const UDP_MAX = 65_507;
const UDP6_MAX = 65_527;

/**
 * Send `len` bytes at `from` to an IPv4 address.
 *
 * @returns `len`, or a negative errno
 * @linux udp_sendmsg, udp_send_skb
 */
export function udpSendmsg(
  sk: UdpSock,
  inet: Inet,
  from: HostAddr,
  len: number,
  daddr: number,
  dport: number,
  cpu: Cpu,
): number {
  const { udp } = inet.mib;
  cpu.charge(OP_SOCK_SEND);
  if (len < 0 || len > UDP_MAX) return -EMSGSIZE;
  if (dport === 0) return -EINVAL;
  const rc = ipRouteOutput(inet, daddr);
  if (rc !== 0) return rc;
  if (inet.hop.broadcast) return -EACCES; // nobody has set SO_BROADCAST
  if (sk.err !== 0) return -sockError(sk);
  const dev = inet.hop.dev!;
  const skb = allocSkbWithFrags(dev, UDP_HLEN + len, cpu);
  if (skb === null) {
    udp.SndbufErrors++;
    return -ENOBUFS;
  }
  const saddr = sk.rcvSaddr === 0 ? inet.hop.saddr : sk.rcvSaddr;
  const pseudo = csumTcpudpNofold(saddr, daddr, skb.len, IPPROTO_UDP, 0);
  fillDatagram(sk, skb, from, dport, pseudo, skb.len + IPV4_HLEN > dev.mtu, cpu);
  return sent(sk, len, udp, ipLocalOut(inet, skb, saddr, daddr, IPPROTO_UDP, 0, false, cpu));
}

/**
 * The same to an IPv6 address.
 *
 * @param dev the device a link-local address is meant on
 * @linux udpv6_sendmsg, udp_v6_send_skb
 */
export function udpv6Sendmsg(
  sk: UdpSock,
  inet: Inet,
  from: HostAddr,
  len: number,
  daddr: In6Addr,
  dport: number,
  dev: NetDevice,
  cpu: Cpu,
): number {
  if (in6IsV4mapped(daddr)) return udpSendmsg(sk, inet, from, len, daddr.w3, dport, cpu);
  const { udp6 } = inet.mib;
  cpu.charge(OP_SOCK_SEND);
  if (len < 0 || len > UDP6_MAX) return -EMSGSIZE;
  if (dport === 0) return -EINVAL;
  const rc = ip6RouteOutput(inet, daddr, dev);
  if (rc !== 0) return rc;
  if (sk.err !== 0) return -sockError(sk);
  const out = inet.hop.dev!;
  const skb = allocSkbWithFrags(out, UDP_HLEN + len, cpu);
  if (skb === null) {
    udp6.SndbufErrors++;
    return -ENOBUFS;
  }
  const saddr = sk.rcvSaddr6.isAny ? inet.hop.saddr6 : sk.rcvSaddr6;
  const pseudo = addrSum(saddr) + addrSum(daddr) + skb.len + IPPROTO_UDP;
  fillDatagram(sk, skb, from, dport, pseudo, skb.len + IPV6_HLEN > out.mtu, cpu);
  return sent(sk, len, udp6, ip6LocalOut(inet, skb, saddr, daddr, IPPROTO_UDP, 0, cpu));
}

/**
 * Send to the peer of a connected socket.
 *
 * @param dev the device a link-local peer is on
 * @linux udp_sendmsg, udpv6_sendmsg without an address
 */
export function udpSend(
  sk: UdpSock,
  inet: Inet,
  from: HostAddr,
  len: number,
  dev: NetDevice,
  cpu: Cpu,
): number {
  if (sk.peerFamily === 4) return udpSendmsg(sk, inet, from, len, sk.daddr, sk.dport, cpu);
  if (sk.peerFamily === 6) return udpv6Sendmsg(sk, inet, from, len, sk.daddr6, sk.dport, dev, cpu);
  return -EDESTADDRREQ;
}

/**
 * Header and data. Whoever sends it sums them up, to which end the field holds the pseudo-header's
 * sum; but what will be sent in pieces must be summed up here.
 *
 * @linux udp_send_skb, udp4_hwcsum, udp_csum
 */
function fillDatagram(
  sk: UdpSock,
  skb: SkBuff,
  from: HostAddr,
  dport: number,
  pseudo: number,
  inPieces: boolean,
  cpu: Cpu,
): void {
  const { view } = skb.dev.net.mem;
  const { data: at, len } = skb;
  skbStoreBits(skb, UDP_HLEN, from, len - UDP_HLEN, cpu);
  setUdpSrcPort(view, at, sk.num);
  setUdpDstPort(view, at, dport);
  setUdpLen(view, at, len);
  skb.wireAt = sk.answersAt;
  skb.transportHeader = at;
  skb.csumStart = at;
  skb.csumOffset = UDP_CHECK_OFFSET;
  if (!inPieces) {
    setUdpCheck(view, at, csumFrom32to16(pseudo));
    skb.ipSummed = CHECKSUM_PARTIAL;
    return;
  }
  setUdpCheck(view, at, 0);
  cpu.chargeTimes(OP_CSUM_64B, (len + 63) >>> 6);
  setUdpCheck(view, at, csumFold(skbChecksum(skb, at, pseudo)) || 0xffff);
  skb.ipSummed = CHECKSUM_NONE;
}

/** @param rc what became of it: 0, `NET_XMIT_DROP` or a negative errno. @linux udp_send_skb, net_xmit_errno */
function sent(sk: UdpSock, len: number, mib: UdpMib, rc: number): number {
  if (rc < 0 && rc !== -ENOBUFS) return rc;
  if (rc === 0) mib.OutDatagrams++;
  else mib.SndbufErrors++;
  sk.sent++;
  return len;
}
