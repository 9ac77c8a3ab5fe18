/**
 * ICMP and ICMPv6 messages: 8 bytes of header for the messages known here, big-endian.
 *
 *   +0 type   +1 code   +2 checksum   +4 identifier   +6 sequence number   (echo and its reply)
 *
 * ICMP sums over the message alone; ICMPv6 adds the IPv6 pseudo-header.
 *
 * @spec RFC 792; RFC 4443 §2.3, §4
 */
import { csumFold, csumIpv6Nofold, csumPartial } from './checksum.ts';
import { IPPROTO_ICMPV6 } from './ip.ts';
import { IPV6_ADDRS } from './ipv6.ts';

const TYPE = 0;
const CODE = 1;
const CHECK = 2;
const ID = 4;
const SEQ = 6;

/** Bytes of an echo header, and the least any message has here. */
export const ICMP_HLEN: number = 8;

export const ICMP_ECHOREPLY: number = 0;
export const ICMP_ECHO: number = 8;
export const ICMPV6_ECHO_REQUEST: number = 128;
export const ICMPV6_ECHO_REPLY: number = 129;

export const icmpType = (view: DataView, at: number): number => view.getUint8(at + TYPE);
export const icmpCode = (view: DataView, at: number): number => view.getUint8(at + CODE);
export const icmpCheck = (view: DataView, at: number): number => view.getUint16(at + CHECK);
export const icmpEchoId = (view: DataView, at: number): number => view.getUint16(at + ID);
export const icmpEchoSeq = (view: DataView, at: number): number => view.getUint16(at + SEQ);

export const setIcmpType = (view: DataView, at: number, type: number): void =>
  view.setUint8(at + TYPE, type);
export const setIcmpCode = (view: DataView, at: number, code: number): void =>
  view.setUint8(at + CODE, code);
export const setIcmpCheck = (view: DataView, at: number, check: number): void =>
  view.setUint16(at + CHECK, check);
export const setIcmpEchoId = (view: DataView, at: number, id: number): void =>
  view.setUint16(at + ID, id);
export const setIcmpEchoSeq = (view: DataView, at: number, seq: number): void =>
  view.setUint16(at + SEQ, seq);

/** Checksum over an ICMP message as it stands: 0 when the field in it is right. */
export const icmpSum = (view: DataView, at: number, len: number): number =>
  csumFold(csumPartial(view, at, len, 0));

/**
 * Checksum over an ICMPv6 message and its pseudo-header: 0 when the field in it is right.
 *
 * @param ip address of the IPv6 header that carries the message
 */
export const icmpv6Sum = (view: DataView, ip: number, at: number, len: number): number =>
  csumFold(
    csumIpv6Nofold(view, ip + IPV6_ADDRS, len, IPPROTO_ICMPV6, csumPartial(view, at, len, 0)),
  );
