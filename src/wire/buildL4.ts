/** What an IP packet carries, from a plain description; checksums are computed by what carries it. */
import { checkInt } from './checkInt.ts';
import { csumFold, csumPartial, csumUdp } from './checksum.ts';
import {
  ICMP_ECHO,
  ICMP_ECHOREPLY,
  ICMP_HLEN,
  ICMPV6_ECHO_REPLY,
  ICMPV6_ECHO_REQUEST,
  setIcmpCheck,
  setIcmpEchoId,
  setIcmpEchoSeq,
  setIcmpType,
} from './icmp.ts';
import { IPPROTO_ICMP, IPPROTO_ICMPV6, IPPROTO_TCP, IPPROTO_UDP } from './ip.ts';
import {
  setTcpAck,
  setTcpCheck,
  setTcpDstPort,
  setTcpFlags,
  setTcpHeaderLen,
  setTcpSeq,
  setTcpSrcPort,
  setTcpUrgent,
  setTcpWindow,
  TCP_ACK,
  TCP_HLEN_MIN,
} from './tcp.ts';
import { setUdpCheck, setUdpDstPort, setUdpLen, setUdpSrcPort, UDP_HLEN } from './udp.ts';

/** A UDP datagram; `noChecksum` sends the 0 that says so. */
interface UdpSpec {
  readonly kind: 'udp';
  readonly srcPort: number;
  readonly dstPort: number;
  readonly payload?: Uint8Array | number;
  readonly noChecksum?: boolean;
}

/** A TCP segment; `flags` is ACK unless given, `options` a multiple of 4 bytes up to 40. */
interface TcpSpec {
  readonly kind: 'tcp';
  readonly srcPort: number;
  readonly dstPort: number;
  readonly seq?: number;
  readonly ack?: number;
  readonly flags?: number;
  readonly window?: number;
  readonly urgent?: number;
  readonly options?: Uint8Array;
  readonly payload?: Uint8Array | number;
}

/** An echo request or reply: ICMP in IPv4, ICMPv6 in IPv6. */
interface EchoSpec {
  readonly kind: 'echo';
  readonly reply?: boolean;
  readonly id?: number;
  readonly seq?: number;
  readonly payload?: Uint8Array | number;
}

/** Any protocol, its bytes as given: fragments' data, for one. */
interface BytesSpec {
  readonly kind: 'bytes';
  readonly proto: number;
  readonly payload?: Uint8Array | number;
}

export type L4Spec = UdpSpec | TcpSpec | EchoSpec | BytesSpec;

/** Running sum of the pseudo-header for a protocol and a length; IPv4 or IPv6 supplies it. */
export type PseudoSum = (proto: number, len: number) => number;

const PAYLOAD_MAX = 65_535;

/** The payload asked for: bytes as they are, a number of pattern bytes, or else `fill` of them. */
export function payloadBytes(payload: Uint8Array | number | undefined, fill: number): Uint8Array {
  if (payload instanceof Uint8Array) return payload;
  const len =
    payload === undefined ? Math.max(0, fill) : checkInt('payload', payload, 0, PAYLOAD_MAX);
  return Uint8Array.from({ length: len }, (_, i) => i & 0xff);
}

/** Protocol number of a body, by the IP version that carries it. */
export function protoOf(l4: L4Spec, version: 4 | 6): number {
  switch (l4.kind) {
    case 'udp':
      return IPPROTO_UDP;
    case 'tcp':
      return IPPROTO_TCP;
    case 'echo':
      return version === 4 ? IPPROTO_ICMP : IPPROTO_ICMPV6;
    case 'bytes':
      return checkInt('proto', l4.proto, 0, 255);
  }
}

/**
 * Builds header and payload, checksum included.
 *
 * @param room bytes to fill when no payload was given, or undefined for none
 */
export function buildL4(
  l4: L4Spec,
  version: 4 | 6,
  room: number | undefined,
  pseudo: PseudoSum,
): Uint8Array {
  const options = l4.kind === 'tcp' ? checkedOptions(l4.options) : new Uint8Array();
  const hlen = headerLen(l4) + options.length;
  const payload = payloadBytes(l4.payload, (room ?? hlen) - hlen);
  const bytes = new Uint8Array(hlen + payload.length);
  const view = new DataView(bytes.buffer);
  bytes.set(options, hlen - options.length);
  bytes.set(payload, hlen);
  if (l4.kind === 'udp') writeUdp(view, l4, pseudo);
  else if (l4.kind === 'tcp') writeTcp(view, l4, hlen, pseudo);
  else if (l4.kind === 'echo') writeEcho(view, l4, version, pseudo);
  return bytes;
}

function headerLen(l4: L4Spec): number {
  if (l4.kind === 'udp') return UDP_HLEN;
  if (l4.kind === 'tcp') return TCP_HLEN_MIN;
  return l4.kind === 'echo' ? ICMP_HLEN : 0;
}

/** Option bytes of an IPv4 or TCP header: none, or a multiple of 4 up to 40. */
export function checkedOptions(options: Uint8Array | undefined): Uint8Array {
  if (options === undefined) return new Uint8Array();
  checkInt('options, in 4-byte words', options.length / 4, 0, 10);
  return options;
}

const port = (what: string, value: number): number => checkInt(what, value, 0, 0xffff);

function writeUdp(view: DataView, udp: UdpSpec, pseudo: PseudoSum): void {
  const len = view.byteLength;
  setUdpSrcPort(view, 0, port('srcPort', udp.srcPort));
  setUdpDstPort(view, 0, port('dstPort', udp.dstPort));
  setUdpLen(view, 0, len);
  if (udp.noChecksum) return;
  setUdpCheck(view, 0, csumUdp(csumPartial(view, 0, len, pseudo(IPPROTO_UDP, len))));
}

function writeTcp(view: DataView, tcp: TcpSpec, hlen: number, pseudo: PseudoSum): void {
  const len = view.byteLength;
  setTcpSrcPort(view, 0, port('srcPort', tcp.srcPort));
  setTcpDstPort(view, 0, port('dstPort', tcp.dstPort));
  setTcpSeq(view, 0, tcp.seq ?? 0);
  setTcpAck(view, 0, tcp.ack ?? 0);
  setTcpHeaderLen(view, 0, hlen);
  setTcpFlags(view, 0, tcp.flags ?? TCP_ACK);
  setTcpWindow(view, 0, tcp.window ?? 0xffff);
  setTcpUrgent(view, 0, tcp.urgent ?? 0);
  setTcpCheck(view, 0, csumFold(csumPartial(view, 0, len, pseudo(IPPROTO_TCP, len))));
}

function writeEcho(view: DataView, echo: EchoSpec, version: 4 | 6, pseudo: PseudoSum): void {
  const len = view.byteLength;
  const request = version === 4 ? ICMP_ECHO : ICMPV6_ECHO_REQUEST;
  const reply = version === 4 ? ICMP_ECHOREPLY : ICMPV6_ECHO_REPLY;
  setIcmpType(view, 0, echo.reply ? reply : request);
  setIcmpEchoId(view, 0, port('id', echo.id ?? 0));
  setIcmpEchoSeq(view, 0, port('seq', echo.seq ?? 0));
  const start = version === 4 ? 0 : pseudo(IPPROTO_ICMPV6, len);
  setIcmpCheck(view, 0, csumFold(csumPartial(view, 0, len, start)));
}
