/**
 * An ICMP error is about a datagram of ours: the socket that sent it hears of it.
 *
 * As long as nobody asks for more (IP_RECVERR), only connected sockets hear, and only of errors that
 * trying again would not help. The next call on the socket returns the error.
 *
 * @linux __udp4_lib_err, icmp_err_convert; net/ipv4/udp.c, icmp.c. __udp6_lib_err; net/ipv6/udp.c
 */
import type { Cpu } from '../host/cpu.ts';
import {
  EACCES,
  ECONNREFUSED,
  EHOSTDOWN,
  EHOSTUNREACH,
  EMSGSIZE,
  ENETUNREACH,
  ENONET,
  ENOPROTOOPT,
  EPROTO,
} from '../host/errno.ts';
import { ICMP_DEST_UNREACH, ICMP_PARAMETERPROB } from './icmpSend.ts';
import { ICMPV6_DEST_UNREACH, ICMPV6_PARAMPROB, ICMPV6_PKT_TOOBIG } from './icmpv6Send.ts';
import type { Inet } from './inet.ts';
import type { UdpSock } from './udpSock.ts';
import { sockDefReadable } from './udpSock.ts';

/**
 * By code of "destination unreachable"; 0: may pass by itself, and is not told. Our sockets send with
 * DF, so "fragmentation needed" is told, though nothing is learned about the path's MTU.
 *
 * @linux icmp_err_convert; for code 4 __udp4_lib_err
 */
const UNREACHABLE: readonly number[] = [
  ...[0, 0, ENOPROTOOPT, ECONNREFUSED, EMSGSIZE, 0, ENETUNREACH, EHOSTDOWN, ENONET],
  ...[ENETUNREACH, EHOSTUNREACH, 0, 0, EHOSTUNREACH, EHOSTUNREACH, EHOSTUNREACH],
];
/** @linux tab_unreach; net/ipv6/icmp.c */
const UNREACHABLE6: readonly number[] = [0, EACCES, 0, 0, ECONNREFUSED, EACCES, EACCES];

/** @linux __udp4_lib_err */
export function udpErr(sk: UdpSock, type: number, code: number, inet: Inet, cpu: Cpu): void {
  if (type === ICMP_DEST_UNREACH) hear(sk, UNREACHABLE[code] ?? 0, inet, cpu);
  else if (type === ICMP_PARAMETERPROB) hear(sk, EPROTO, inet, cpu);
}

/** @linux __udp6_lib_err, icmpv6_err_convert */
export function udpv6Err(sk: UdpSock, type: number, code: number, inet: Inet, cpu: Cpu): void {
  if (type === ICMPV6_DEST_UNREACH) hear(sk, UNREACHABLE6[code] ?? EPROTO, inet, cpu);
  else if (type === ICMPV6_PKT_TOOBIG) hear(sk, EMSGSIZE, inet, cpu);
  else if (type === ICMPV6_PARAMPROB) hear(sk, EPROTO, inet, cpu);
}

function hear(sk: UdpSock, err: number, inet: Inet, cpu: Cpu): void {
  if (err === 0 || sk.peerFamily === 0) return;
  sk.err = err;
  sockDefReadable(sk, inet, cpu);
}
