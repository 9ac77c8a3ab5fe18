/**
 * IPv6 header: 40 bytes, big-endian.
 *
 *   +0   31:28 version | 27:20 traffic class | 19:0 flow label
 *   +4   payload length in bytes, extension headers included
 *   +6   next header   +7  hop limit
 *   +8   source        +24 destination
 *
 * An address is handled as the place where its 16 bytes lie, or word by word.
 *
 * @spec RFC 8200 §3
 */
const WORD0 = 0;
const PAYLOAD_LEN = 4;
const NEXT_HEADER = 6;
const HOP_LIMIT = 7;
const SRC = 8;
const DST = 24;
const VERSION = 0x6000_0000;

/** Bytes of the fixed header. */
export const IPV6_HLEN: number = 40;
/** Where source and, right after it, destination lie in the header. */
export const IPV6_ADDRS: number = SRC;

export const ipv6Version = (view: DataView, at: number): number => view.getUint8(at + WORD0) >> 4;
export const ipv6TrafficClass = (view: DataView, at: number): number =>
  (view.getUint32(at + WORD0) >>> 20) & 0xff;
export const ipv6FlowLabel = (view: DataView, at: number): number =>
  view.getUint32(at + WORD0) & 0xf_ffff;
/** Bytes after the fixed header, as the header claims. */
export const ipv6PayloadLen = (view: DataView, at: number): number =>
  view.getUint16(at + PAYLOAD_LEN);
export const ipv6NextHeader = (view: DataView, at: number): number =>
  view.getUint8(at + NEXT_HEADER);
export const ipv6HopLimit = (view: DataView, at: number): number => view.getUint8(at + HOP_LIMIT);
/** One of the four words of the source, 0 the first. */
export const ipv6SrcWord = (view: DataView, at: number, word: number): number =>
  view.getUint32(at + SRC + (word << 2));
/** One of the four words of the destination, 0 the first. */
export const ipv6DstWord = (view: DataView, at: number, word: number): number =>
  view.getUint32(at + DST + (word << 2));

/** Version 6, traffic class and flow label. */
export const setIpv6Class = (
  view: DataView,
  at: number,
  trafficClass: number,
  flowLabel: number,
): void => view.setUint32(at + WORD0, VERSION | (trafficClass << 20) | flowLabel);
export const setIpv6PayloadLen = (view: DataView, at: number, len: number): void =>
  view.setUint16(at + PAYLOAD_LEN, len);
export const setIpv6NextHeader = (view: DataView, at: number, proto: number): void =>
  view.setUint8(at + NEXT_HEADER, proto);
export const setIpv6HopLimit = (view: DataView, at: number, hops: number): void =>
  view.setUint8(at + HOP_LIMIT, hops);
export const setIpv6SrcWord = (view: DataView, at: number, word: number, value: number): void =>
  view.setUint32(at + SRC + (word << 2), value);
export const setIpv6DstWord = (view: DataView, at: number, word: number, value: number): void =>
  view.setUint32(at + DST + (word << 2), value);

/** Writes all of the header but its addresses; the flow label is 0. */
export function writeIpv6(
  view: DataView,
  at: number,
  trafficClass: number,
  payloadLen: number,
  nextHeader: number,
  hopLimit: number,
): void {
  setIpv6Class(view, at, trafficClass, 0);
  setIpv6PayloadLen(view, at, payloadLen);
  setIpv6NextHeader(view, at, nextHeader);
  setIpv6HopLimit(view, at, hopLimit);
}
