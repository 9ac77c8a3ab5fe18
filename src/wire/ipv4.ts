/**
 * IPv4 header: 20 to 60 bytes, big-endian.
 *
 *   +0   7:4 version | 3:0 header length in words
 *   +1   7:2 DSCP | 1:0 ECN
 *   +2   total length in bytes, header included
 *   +4   identification
 *   +6   14 DF | 13 MF | 12:0 fragment offset in units of 8 bytes
 *   +8   TTL       +9  protocol
 *   +10  header checksum
 *   +12  source    +16 destination    +20 options
 *
 * An address is one number below 2^32, its first octet the highest.
 *
 * @spec RFC 791 §3.1
 */
import { AddressError } from './addressError.ts';
import { csumFold, csumPartial, csumReplace2 } from './checksum.ts';

const VER_IHL = 0;
const TOS = 1;
const TOTAL_LEN = 2;
const ID = 4;
const FRAG = 6;
const TTL = 8;
const PROTO = 9;
const CHECK = 10;
const SRC = 12;
const DST = 16;
const HLEN_MIN = 20;
const DF = 0x4000;
const MF = 0x2000;
const OFFSET_MASK = 0x1fff;

/** Bytes of a header without options. */
export const IPV4_HLEN_MIN: number = HLEN_MIN;
/** Flags as they stand in the fragment word. @linux IP_DF, IP_MF; include/net/ip.h */
export const IP_DF: number = DF;
export const IP_MF: number = MF;

export const ipv4Version = (view: DataView, at: number): number => view.getUint8(at + VER_IHL) >> 4;
/** Header length in bytes, as the header claims: 0 to 60. */
export const ipv4HeaderLen = (view: DataView, at: number): number =>
  (view.getUint8(at + VER_IHL) & 0xf) << 2;
/** DSCP and ECN together. */
export const ipv4Tos = (view: DataView, at: number): number => view.getUint8(at + TOS);
/** Bytes of the whole packet, as the header claims. */
export const ipv4TotalLen = (view: DataView, at: number): number => view.getUint16(at + TOTAL_LEN);
export const ipv4Id = (view: DataView, at: number): number => view.getUint16(at + ID);
/** Flags and fragment offset as they stand. */
export const ipv4FragWord = (view: DataView, at: number): number => view.getUint16(at + FRAG);
export const ipv4DontFragment = (view: DataView, at: number): boolean =>
  (view.getUint16(at + FRAG) & DF) !== 0;
export const ipv4MoreFragments = (view: DataView, at: number): boolean =>
  (view.getUint16(at + FRAG) & MF) !== 0;
/** Where this fragment's data lies in the original packet's, in bytes. */
export const ipv4FragOffset = (view: DataView, at: number): number =>
  (view.getUint16(at + FRAG) & OFFSET_MASK) << 3;
/** Is this packet a part of another: more follow, or it does not begin at 0? */
export const ipv4IsFragment = (view: DataView, at: number): boolean =>
  (view.getUint16(at + FRAG) & (MF | OFFSET_MASK)) !== 0;
export const ipv4Ttl = (view: DataView, at: number): number => view.getUint8(at + TTL);
export const ipv4Proto = (view: DataView, at: number): number => view.getUint8(at + PROTO);
export const ipv4Check = (view: DataView, at: number): number => view.getUint16(at + CHECK);
export const ipv4Src = (view: DataView, at: number): number => view.getUint32(at + SRC);
export const ipv4Dst = (view: DataView, at: number): number => view.getUint32(at + DST);

/** Version 4 and a header length in bytes, a multiple of 4 from 20 to 60. */
export const setIpv4HeaderLen = (view: DataView, at: number, hlen: number): void =>
  view.setUint8(at + VER_IHL, 0x40 | (hlen >> 2));
export const setIpv4Tos = (view: DataView, at: number, tos: number): void =>
  view.setUint8(at + TOS, tos);
export const setIpv4TotalLen = (view: DataView, at: number, len: number): void =>
  view.setUint16(at + TOTAL_LEN, len);
export const setIpv4Id = (view: DataView, at: number, id: number): void =>
  view.setUint16(at + ID, id);
export const setIpv4FragWord = (view: DataView, at: number, word: number): void =>
  view.setUint16(at + FRAG, word);
export const setIpv4Ttl = (view: DataView, at: number, ttl: number): void =>
  view.setUint8(at + TTL, ttl);
export const setIpv4Proto = (view: DataView, at: number, proto: number): void =>
  view.setUint8(at + PROTO, proto);
export const setIpv4Check = (view: DataView, at: number, check: number): void =>
  view.setUint16(at + CHECK, check);
export const setIpv4Src = (view: DataView, at: number, addr: number): void =>
  view.setUint32(at + SRC, addr);
export const setIpv4Dst = (view: DataView, at: number, addr: number): void =>
  view.setUint32(at + DST, addr);

/** Computes the header checksum afresh, over the length the header claims, and writes it. */
export function updateIpv4Check(view: DataView, at: number): void {
  view.setUint16(at + CHECK, 0);
  view.setUint16(at + CHECK, csumFold(csumPartial(view, at, ipv4HeaderLen(view, at), 0)));
}

/** One hop less, the checksum made right by the difference. @linux ip_decrease_ttl */
export function ipDecreaseTtl(view: DataView, at: number): void {
  const word = view.getUint16(at + TTL);
  const less = word - 0x100;
  view.setUint16(at + CHECK, csumReplace2(view.getUint16(at + CHECK), word, less));
  view.setUint16(at + TTL, less);
}

/** Is the header checksum right? The claimed header must lie within the packet. */
export const ipv4CheckOk = (view: DataView, at: number): boolean =>
  csumFold(csumPartial(view, at, ipv4HeaderLen(view, at), 0)) === 0;

/**
 * Writes a header without options, its checksum included; the fields come in the order of the wire.
 *
 * @param totalLen bytes, this header included
 * @param fragWord flags and fragment offset, `IP_DF` or 0 for a whole packet
 */
export function writeIpv4(
  view: DataView,
  at: number,
  tos: number,
  totalLen: number,
  id: number,
  fragWord: number,
  ttl: number,
  proto: number,
  src: number,
  dst: number,
): void {
  setIpv4HeaderLen(view, at, HLEN_MIN);
  setIpv4Tos(view, at, tos);
  setIpv4TotalLen(view, at, totalLen);
  setIpv4Id(view, at, id);
  setIpv4FragWord(view, at, fragWord);
  setIpv4Ttl(view, at, ttl);
  setIpv4Proto(view, at, proto);
  setIpv4Src(view, at, src);
  setIpv4Dst(view, at, dst);
  updateIpv4Check(view, at);
}

/** `192.0.2.1`. Not for a packet's path. */
export const formatIpv4 = (addr: number): string =>
  `${addr >>> 24}.${(addr >>> 16) & 0xff}.${(addr >>> 8) & 0xff}.${addr & 0xff}`;

/**
 * Reads four decimal numbers with dots between; leading zeros are refused, since some systems take
 * them for octal.
 *
 * @throws AddressError when the text has another form
 */
export function parseIpv4Addr(text: string): number {
  const parts = text.split('.');
  const wellFormed = parts.length === 4 && parts.every((p) => /^(0|[1-9]\d{0,2})$/.test(p));
  const octets = parts.map(Number);
  if (!wellFormed || octets.some((o) => o > 255)) {
    throw new AddressError('IPv4', text, '192.0.2.1 (four numbers from 0 to 255)');
  }
  return octets.reduce((addr, octet) => addr * 256 + octet, 0);
}
