/**
 * IP in IP: an outer header whose payload is a whole IPv4 or IPv6 packet.
 *
 *   protocol 4    IPv4 inside (4in4, 4in6)
 *   protocol 41   IPv6 inside (6in4, 6in6)
 *
 * The writers fill an outer header in front of a packet that already lies in place: make room,
 * call, done. They never touch the inner packet.
 *
 * @spec RFC 2003, RFC 4213 §3, RFC 2473; ECN as in RFC 6040 §4.1 (normal mode)
 */
import { IP_DF, ipv4DontFragment, ipv4Tos, ipv4TotalLen, ipv4Version, writeIpv4 } from './ipv4.ts';
import { ipv6PayloadLen, ipv6TrafficClass, writeIpv6 } from './ipv6.ts';

const IN_IPV4 = 4;
const IN_IPV6 = 41;
const OUTER4 = 20;
const OUTER6 = 40;
const DF = IP_DF;

/** IP version that a protocol number announces inside: 4, 6, or 0 when it is no tunnel. */
export const ipipInnerVersion = (proto: number): number => {
  if (proto === IN_IPV4) return 4;
  return proto === IN_IPV6 ? 6 : 0;
};

/** Bytes of the IP packet at `inner`, as its own header claims. */
export const ipPacketLen = (view: DataView, inner: number): number =>
  ipv4Version(view, inner) === 4 ? ipv4TotalLen(view, inner) : OUTER6 + ipv6PayloadLen(view, inner);

const innerTos = (view: DataView, inner: number): number =>
  ipv4Version(view, inner) === 4 ? ipv4Tos(view, inner) : ipv6TrafficClass(view, inner);

const innerProto = (view: DataView, inner: number): number =>
  ipv4Version(view, inner) === 4 ? IN_IPV4 : IN_IPV6;

/**
 * Writes the 20-byte outer IPv4 header at `at`, in front of the packet at `at` + 20.
 *
 * DSCP and ECN are the inner packet's; DF is set when the inner one has it or is IPv6.
 */
export function writeIpipOuter4(
  view: DataView,
  at: number,
  id: number,
  ttl: number,
  src: number,
  dst: number,
): void {
  const inner = at + OUTER4;
  const proto = innerProto(view, inner);
  const df = proto === IN_IPV6 || ipv4DontFragment(view, inner) ? DF : 0;
  const total = OUTER4 + ipPacketLen(view, inner);
  writeIpv4(view, at, innerTos(view, inner), total, id, df, ttl, proto, src, dst);
}

/**
 * Writes the 40-byte outer IPv6 header at `at`, in front of the packet at `at` + 40; the caller
 * writes source and destination. The traffic class is the inner packet's.
 */
export function writeIpipOuter6(view: DataView, at: number, hopLimit: number): void {
  const inner = at + OUTER6;
  const len = ipPacketLen(view, inner);
  writeIpv6(view, at, innerTos(view, inner), len, innerProto(view, inner), hopLimit);
}
