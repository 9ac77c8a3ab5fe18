/**
 * What applications do with UDP sockets beside sending: read, connect and close.
 *
 * A reader on another CPU may be behind the CPU that has filled the queue, by as much as one NAPI
 * poll. A datagram is never read before the moment it was queued: its reader waits for it, idle.
 *
 * @linux udp_recvmsg, udpv6_recvmsg, ip4_datagram_connect, ip6_datagram_connect, udp_destroy_sock
 */
import type { Ps } from '../host/clock.ts';
import { OP_SOCK_RECV } from '../host/cost.ts';
import type { Cpu } from '../host/cpu.ts';
import { CTX_IDLE } from '../host/cpu.ts';
import { SKB_DROP_REASON_SOCKET_CLOSE } from '../host/dropReason.ts';
import { EACCES, EAGAIN } from '../host/errno.ts';
import type { HostAddr } from '../host/memory.ts';
import { TP_SOCK_RECV } from '../host/trace.ts';
import { ipv4Dst, ipv4Src } from '../wire/ipv4.ts';
import { IPV6_ADDRS } from '../wire/ipv6.ts';
import { UDP_HLEN, udpSrcPort } from '../wire/udp.ts';
import { In6Addr, in6IsV4mapped } from './in6.ts';
import type { Inet } from './inet.ts';
import { ipRouteOutput } from './ipOutput.ts';
import { ip6RouteOutput } from './ipv6Output.ts';
import type { NetDevice } from './netdevice.ts';
import { skbCopyOut } from './skbBytes.ts';
import { consumeSkb, kfreeSkb } from './skbPool.ts';
import { udpDequeue } from './udp.ts';
import type { UdpSock } from './udpSock.ts';
import { sockError } from './udpSock.ts';

const ETH_P_IPV6 = 0x86dd;

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
  /** When it arrived on the wire, where stages are told; else 0. */
  wireAt: Ps = 0;
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
  if (sk.err !== 0) return -sockError(sk);
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
  msg.wireAt = skb.wireAt;
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
 * From here on the socket hears one peer alone, speaks to it from one address, and is told when an
 * ICMP error says that this is in vain.
 *
 * @returns 0 or a negative errno
 * @linux __ip4_datagram_connect
 */
export function udpConnect(sk: UdpSock, inet: Inet, daddr: number, dport: number): number {
  const rc = ipRouteOutput(inet, daddr);
  if (rc !== 0) return rc;
  if (inet.hop.broadcast) return -EACCES;
  if (sk.rcvSaddr === 0) sk.rcvSaddr = inet.hop.saddr;
  sk.daddr = daddr;
  sk.dport = dport;
  sk.peerFamily = 4;
  return 0;
}

/**
 * The same with an IPv6 peer.
 *
 * @param dev the device a link-local address is meant on
 * @linux __ip6_datagram_connect
 */
export function udpv6Connect(
  sk: UdpSock,
  inet: Inet,
  daddr: In6Addr,
  dport: number,
  dev: NetDevice,
): number {
  if (in6IsV4mapped(daddr)) return udpConnect(sk, inet, daddr.w3, dport);
  const rc = ip6RouteOutput(inet, daddr, dev);
  if (rc !== 0) return rc;
  if (sk.rcvSaddr6.isAny) sk.rcvSaddr6.copy(inet.hop.saddr6);
  sk.daddr6.copy(daddr);
  sk.dport = dport;
  sk.peerFamily = 6;
  return 0;
}

/** What nobody will read any more is dropped. @linux udp_destroy_sock, sk_stream_kill_queues */
export function udpClose(sk: UdpSock, inet: Inet, cpu: Cpu): void {
  inet.udp.unhash(sk);
  for (let skb = sk.receiveQueue.dequeue(); skb !== null; skb = sk.receiveQueue.dequeue())
    kfreeSkb(skb, SKB_DROP_REASON_SOCKET_CLOSE, cpu);
  sk.rmemAlloc = 0;
}
