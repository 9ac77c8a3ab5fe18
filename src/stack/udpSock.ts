/**
 * UDP sockets: which of them a datagram is for, and how much may wait in front of a reader.
 *
 * A socket belongs to a thread of an application; those that share a port (SO_REUSEPORT) to the
 * threads of one. Every socket is dual-stack, as one bound to `::` without IPV6_V6ONLY is, unless it
 * is bound to an IPv4 address.
 *
 * @linux struct udp_sock, struct udp_table; include/linux/udp.h. net/ipv4/udp.c, net/core/sock.c
 */
import { EADDRINUSE, EINVAL } from '../host/errno.ts';
import type { Ps } from '../host/clock.ts';
import type { Cpu } from '../host/cpu.ts';
import type { Task } from '../host/runQueue.ts';
import { In6Addr, in6Equal } from './in6.ts';
import type { Inet } from './inet.ts';
import { SkBuffHead } from './skbList.ts';

/** What a socket may hold unless told otherwise, in bytes of `truesize`. @linux net.core.rmem_default */
export const RMEM_DEFAULT = 212_992;
const PORTS = 65_536;
/** First and last of the ports a socket gets by itself. @linux net.ipv4.ip_local_port_range */
const LOCAL_PORT_FIRST = 32_768;
const LOCAL_PORT_LAST = 60_999;

export class UdpSock {
  /** Local port. */
  readonly num: number;
  /** Own address it is bound to; 0 and `::`: any of either family. @linux inet_rcv_saddr, sk_v6_rcv_saddr */
  rcvSaddr: number;
  readonly rcvSaddr6: In6Addr = new In6Addr();
  /** Who is at the other end, once connected; port 0: nobody. */
  readonly daddr6: In6Addr = new In6Addr();
  daddr = 0;
  dport = 0;
  /** The other end's family, of a connected socket: 4 or 6; 0: not connected. */
  peerFamily = 0;
  /** Bytes of `truesize` that may wait; a single datagram always may. */
  rcvbuf: number;
  /** Bytes that wait, and datagrams that found no room. */
  rmemAlloc = 0;
  drops = 0;
  /** What an error message said, for the next call to return; 0: nothing. @linux sk_err */
  err = 0;
  readonly receiveQueue: SkBuffHead = new SkBuffHead();
  /** The thread that sleeps on it. */
  reader: Task | null = null;
  /** When what it answers next arrived on the wire, where stages are told; else 0. */
  answersAt: Ps = 0;
  /** NAPI that received the last datagram, 0: none. @linux sk_napi_id */
  napiId = 0;
  next: UdpSock | null = null;
  /** Those that share its port, itself among them; null: it has it alone. @linux SO_REUSEPORT */
  reuse: UdpSock[] | null = null;
  /** Most bytes that ever waited. */
  rmemMax = 0;
  received = 0;
  receivedBytes = 0;
  sent = 0;

  constructor(num: number, rcvSaddr: number, rcvbuf: number) {
    this.num = num;
    this.rcvSaddr = rcvSaddr;
    this.rcvbuf = rcvbuf;
  }
}

/** The error that waits, taken. @linux sock_error */
export function sockError(sk: UdpSock): number {
  const { err } = sk;
  sk.err = 0;
  return err;
}

/** Something is there to be read: whoever sleeps on it wakes up. @linux sock_def_readable, sk_error_report */
export function sockDefReadable({ reader }: UdpSock, inet: Inet, cpu: Cpu): void {
  if (reader !== null) reader.cpu.runQueue.wake(reader, cpu, inet.net.irqs);
}

export class UdpTable {
  /** By local port, several linked through `next`. */
  private readonly byPort: (UdpSock | null)[] = Array.from({ length: PORTS }, () => null);
  readonly socks: UdpSock[] = [];

  /**
   * A socket bound to `port`, 0 for any that is free.
   *
   * @returns a negative errno when another socket has that place, or no port is free
   * @linux udp_lib_get_port
   */
  bind(
    port: number,
    rcvSaddr: number,
    rcvbuf: number,
    group: UdpSock[] | null = null,
  ): UdpSock | number {
    const num = port === 0 ? this.freePort() : port;
    if (num <= 0) return -EADDRINUSE;
    if (num >= PORTS || rcvbuf < 1) return -EINVAL;
    for (let sk = this.byPort[num] ?? null; sk !== null; sk = sk.next)
      if (group !== null && sk.reuse === group) continue;
      else if (sk.rcvSaddr === 0 || rcvSaddr === 0 || sk.rcvSaddr === rcvSaddr) return -EADDRINUSE;
    const sk = new UdpSock(num, rcvSaddr, rcvbuf);
    sk.reuse = group;
    group?.push(sk);
    sk.next = this.byPort[num] ?? null;
    this.byPort[num] = sk;
    this.socks.push(sk);
    return sk;
  }

  /** The socket is looked up no more; what waits in it is its owner's to free. @linux udp_lib_unhash */
  unhash(sk: UdpSock): void {
    let place = this.byPort[sk.num]!;
    if (place === sk) this.byPort[sk.num] = sk.next;
    else {
      while (place.next !== sk) place = place.next!;
      place.next = sk.next;
    }
    sk.next = null;
    this.socks.splice(this.socks.indexOf(sk), 1);
  }

  /**
   * Whom an IPv4 datagram is for: a socket bound to its destination before one bound to any, and
   * among those a connected one.
   *
   * @linux __udp4_lib_lookup, compute_score
   */
  lookup4(saddr: number, sport: number, daddr: number, dport: number): UdpSock | null {
    let best: UdpSock | null = null;
    let bestScore = -1;
    for (let sk = this.byPort[dport] ?? null; sk !== null; sk = sk.next) {
      let score = sk.rcvSaddr === 0 ? 0 : 8;
      if (sk.rcvSaddr !== 0 && sk.rcvSaddr !== daddr) continue;
      if (sk.peerFamily !== 0) {
        if (sk.peerFamily !== 4 || sk.daddr !== saddr || sk.dport !== sport) continue;
        score += 4;
      }
      if (score > bestScore) {
        best = sk;
        bestScore = score;
      }
    }
    return best;
  }

  /** @linux __udp6_lib_lookup, compute_score */
  lookup6(saddr: In6Addr, sport: number, daddr: In6Addr, dport: number): UdpSock | null {
    let best: UdpSock | null = null;
    for (let sk = this.byPort[dport] ?? null; sk !== null; sk = sk.next) {
      if (sk.rcvSaddr !== 0) continue;
      if (sk.peerFamily === 0) best ??= sk;
      else if (sk.peerFamily === 6 && sk.dport === sport) {
        if (in6Equal(sk.daddr6, saddr) && in6Equal(sk.rcvSaddr6, daddr)) return sk;
      }
    }
    return best;
  }

  private freePort(): number {
    for (let port = LOCAL_PORT_FIRST; port <= LOCAL_PORT_LAST; port++)
      if (this.byPort[port] === null) return port;
    return -1;
  }
}
