/**
 * What applications do with UDP sockets: the system calls.
 *
 * A reader on another CPU may be behind the CPU that has filled the queue, by as much as one NAPI
 * poll. A datagram is never read before the moment it was queued: its reader waits for it, idle.
 * There is no limit on what may be under way to the device but the device's own queue.
 *
 * @linux udp_recvmsg, udp_sendmsg, udpv6_sendmsg, udp_destroy_sock
 */
import type { Ps } from '../host/clock.ts';
import { OP_COPY_64B, OP_SOCK_RECV, OP_SOCK_SEND } from '../host/cost.ts';
import type { Cpu } from '../host/cpu.ts';
import { CTX_IDLE } from '../host/cpu.ts';
import { SKB_DROP_REASON_SOCKET_CLOSE } from '../host/dropReason.ts';
import { EAGAIN, EMSGSIZE, ENOBUFS } from '../host/errno.ts';
import type { HostAddr, HostMemory } from '../host/memory.ts';
import { TP_SOCK_RECV } from '../host/trace.ts';
import { csumFrom32to16, csumTcpudpNofold } from '../wire/checksum.ts';
import { IPPROTO_UDP } from '../wire/ip.ts';
import { ipv4Dst, ipv4Src } from '../wire/ipv4.ts';
import {
  UDP_HLEN,
  setUdpCheck,
  setUdpDstPort,
  setUdpLen,
  setUdpSrcPort,
  udpSrcPort,
} from '../wire/udp.ts';
import { IPV6_ADDRS } from '../wire/ipv6.ts';
import { addrSum } from './icmpv6Send.ts';
import { In6Addr } from './in6.ts';
import type { Inet } from './inet.ts';
import { IPV4_HLEN, ipLocalOut, ipRouteOutput } from './ipOutput.ts';
import { IPV6_HLEN, ip6LocalOut, ip6RouteOutput } from './ipv6Output.ts';
import type { NetDevice } from './netdevice.ts';
import { skbCopyOut } from './skbBytes.ts';
import type { SkBuff } from './skbuff.ts';
import { CHECKSUM_PARTIAL, skbPut } from './skbuff.ts';
import { allocSkb, consumeSkb, kfreeSkb } from './skbPool.ts';
import { udpDequeue } from './udp.ts';
import type { UdpSock } from './udpSock.ts';

const ETH_P_IPV6 = 0x86dd;
const UDP_CHECK_OFFSET = 6;
const UDP_MAX = 65_507;

/** What is known of a datagram beside its bytes; one object serves any number of reads. */
export class UdpMsg {
  /** 4 or 6 */
  family = 4;
  saddr = 0;
  daddr = 0;
  readonly saddr6: In6Addr = new In6Addr();
  readonly daddr6: In6Addr = new In6Addr();
  sport = 0;
  /** The device it came in on; null before the first read. @linux IP_PKTINFO */
  dev: NetDevice | null = null;
  /** Bytes of the datagram, even if fewer fitted. @linux MSG_TRUNC */
  len = 0;
  /** When it was queued. */
  tstamp: Ps = 0;
}

/**
 * Read one datagram.
 *
 * @param to where its bytes go, `room` of them at most; the rest is lost
 * @returns bytes copied, or a negative errno: -EAGAIN when nothing waits
 * @linux udp_recvmsg, udpv6_recvmsg
 */
export function udpRecvmsg(
  sk: UdpSock,
  inet: Inet,
  to: HostAddr,
  room: number,
  msg: UdpMsg,
  cpu: Cpu,
): number {
  if (sk.err !== 0) {
    const { err } = sk;
    sk.err = 0;
    return -err;
  }
  const skb = udpDequeue(sk, inet, cpu);
  if (skb === null) return -EAGAIN;
  if (skb.tstamp > cpu.now) waitUntil(cpu, skb.tstamp);

  const { view } = inet.net.mem;
  cpu.charge(OP_SOCK_RECV);
  const len = skb.len - UDP_HLEN;
  const copied = Math.min(len, room);
  msg.len = len;
  msg.sport = udpSrcPort(view, skb.data);
  msg.tstamp = skb.tstamp;
  msg.dev = skb.dev;
  if (skb.protocol === ETH_P_IPV6) {
    msg.family = 6;
    msg.saddr6.read(view, skb.networkHeader + IPV6_ADDRS);
    msg.daddr6.read(view, skb.networkHeader + IPV6_ADDRS + 16);
  } else {
    msg.family = 4;
    msg.saddr = ipv4Src(view, skb.networkHeader);
    msg.daddr = ipv4Dst(view, skb.networkHeader);
  }
  skbCopyOut(skb, UDP_HLEN, to, copied, cpu);
  sk.received++;
  sk.receivedBytes += len;
  if (inet.net.watch.on) inet.net.watch.point(TP_SOCK_RECV, cpu, sk.num, len);
  consumeSkb(skb, cpu);
  return copied;
}

function waitUntil(cpu: Cpu, at: Ps): void {
  const context = cpu.enter(CTX_IDLE);
  cpu.idleUntil(at);
  cpu.enter(context);
}

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
  const { mem } = inet.net;
  const { udp } = inet.mib;
  cpu.charge(OP_SOCK_SEND);
  if (len < 0 || len > UDP_MAX) return -EMSGSIZE;
  const rc = ipRouteOutput(inet, daddr);
  if (rc !== 0) return rc;
  const dev = inet.hop.dev!;
  if (len + UDP_HLEN + IPV4_HLEN > dev.mtu) {
    inet.mib.ip.FragFails++;
    return -EMSGSIZE;
  }
  const skb = allocSkb(dev, UDP_HLEN + len, cpu);
  if (skb === null) {
    udp.SndbufErrors++;
    return -ENOBUFS;
  }
  const saddr = sk.rcvSaddr === 0 ? inet.hop.saddr : sk.rcvSaddr;
  const pseudo = csumTcpudpNofold(saddr, daddr, UDP_HLEN + len, IPPROTO_UDP, 0);
  fillDatagram(sk, skb, mem, from, len, dport, pseudo, cpu);
  udp.OutDatagrams++;
  const out = ipLocalOut(inet, skb, saddr, daddr, IPPROTO_UDP, 0, false, cpu);
  return out === 0 ? len : out;
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
  const { mem } = inet.net;
  const { udp6 } = inet.mib;
  cpu.charge(OP_SOCK_SEND);
  if (len < 0 || len > UDP_MAX) return -EMSGSIZE;
  const rc = ip6RouteOutput(inet, daddr, dev);
  if (rc !== 0) return rc;
  const out = inet.hop.dev!;
  if (len + UDP_HLEN + IPV6_HLEN > out.mtu) {
    inet.mib.ip6.FragFails++;
    return -EMSGSIZE;
  }
  const skb = allocSkb(out, UDP_HLEN + len, cpu);
  if (skb === null) {
    udp6.SndbufErrors++;
    return -ENOBUFS;
  }
  const saddr = inet.hop.saddr6;
  const pseudo = addrSum(saddr) + addrSum(daddr) + UDP_HLEN + len + IPPROTO_UDP;
  fillDatagram(sk, skb, mem, from, len, dport, pseudo, cpu);
  udp6.OutDatagrams++;
  const sent = ip6LocalOut(inet, skb, saddr, daddr, IPPROTO_UDP, 0, cpu);
  return sent === 0 ? len : sent;
}

/** Header and data; the checksum is left to whoever sends it, who needs the pseudo-header's sum. @linux udp_send_skb, udp4_hwcsum */
function fillDatagram(
  sk: UdpSock,
  skb: SkBuff,
  mem: HostMemory,
  from: HostAddr,
  len: number,
  dport: number,
  pseudo: number,
  cpu: Cpu,
): void {
  const ulen = UDP_HLEN + len;
  const at = skbPut(skb, ulen);
  cpu.chargeTimes(OP_COPY_64B, (len + 63) >>> 6);
  mem.copy(at + UDP_HLEN, from, len);
  setUdpSrcPort(mem.view, at, sk.num);
  setUdpDstPort(mem.view, at, dport);
  setUdpLen(mem.view, at, ulen);
  setUdpCheck(mem.view, at, csumFrom32to16(pseudo));
  skb.transportHeader = at;
  skb.ipSummed = CHECKSUM_PARTIAL;
  skb.csumStart = at;
  skb.csumOffset = UDP_CHECK_OFFSET;
  sk.sent++;
}

/** What nobody will read any more is dropped. @linux udp_destroy_sock, sk_stream_kill_queues */
export function udpClose(sk: UdpSock, inet: Inet, cpu: Cpu): void {
  inet.udp.unhash(sk);
  for (let skb = sk.receiveQueue.dequeue(); skb !== null; skb = sk.receiveQueue.dequeue())
    kfreeSkb(skb, SKB_DROP_REASON_SOCKET_CLOSE, cpu);
  sk.rmemAlloc = 0;
}
