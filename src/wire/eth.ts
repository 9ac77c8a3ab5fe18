/**
 * Ethernet II header: 14 bytes, big-endian.
 *
 *   +0   destination MAC   6 bytes
 *   +6   source MAC        6 bytes
 *   +12  EtherType         2 bytes; below 0x0600 it is an 802.3 length instead
 *
 * A MAC address is handled as two numbers, its first 16 bits and its last 32, so that no packet's
 * path needs an object, a string or a BigInt for it.
 *
 * @spec IEEE Std 802.3-2022 §3.2
 */
import { AddressError } from './addressError.ts';

const DST = 0;
const SRC = 6;
const TYPE = 12;
const MAC_LO = 2;

/** Bytes of the header without tags. */
export const ETH_HLEN: number = 14;
/** Shortest frame without its FCS; a sender pads up to it. */
export const ETH_ZLEN: number = 60;

/** EtherTypes this project knows. @linux ETH_P_*; include/uapi/linux/if_ether.h */
export const ETH_P_IP: number = 0x0800;
export const ETH_P_ARP: number = 0x0806;
export const ETH_P_8021Q: number = 0x8100;
export const ETH_P_IPV6: number = 0x86dd;
export const ETH_P_8021AD: number = 0x88a8;

/** A MAC address as its first 16 bits and its last 32. */
export interface MacAddr {
  readonly hi16: number;
  readonly lo32: number;
}

/** First 16 bits of the MAC address that lies at `at`. */
export const macHi16 = (view: DataView, at: number): number => view.getUint16(at);
/** Last 32 bits of the MAC address that lies at `at`. */
export const macLo32 = (view: DataView, at: number): number => view.getUint32(at + MAC_LO);

/** Writes a MAC address at `at`. */
export const setMac = (view: DataView, at: number, hi16: number, lo32: number): void => {
  view.setUint16(at, hi16);
  view.setUint32(at + MAC_LO, lo32);
};

/** Do the same six bytes lie at both addresses? */
export const macEqual = (view: DataView, a: number, b: number): boolean =>
  view.getUint32(a + MAC_LO) === view.getUint32(b + MAC_LO) &&
  view.getUint16(a) === view.getUint16(b);

/** Group bit of a MAC address: multicast, broadcast included. */
export const macIsMulticast = (hi16: number): boolean => (hi16 & 0x0100) !== 0;
/** Are all 48 bits set? */
export const macIsBroadcast = (hi16: number, lo32: number): boolean =>
  hi16 === 0xffff && lo32 === 0xffff_ffff;

/** First 16 bits of the destination MAC. */
export const ethDstHi16 = (view: DataView, at: number): number => view.getUint16(at + DST);
/** Last 32 bits of the destination MAC. */
export const ethDstLo32 = (view: DataView, at: number): number => view.getUint32(at + DST + MAC_LO);
/** First 16 bits of the source MAC. */
export const ethSrcHi16 = (view: DataView, at: number): number => view.getUint16(at + SRC);
/** Last 32 bits of the source MAC. */
export const ethSrcLo32 = (view: DataView, at: number): number => view.getUint32(at + SRC + MAC_LO);
/** The type field as it stands: a tag's TPID when the frame is tagged. */
export const ethType = (view: DataView, at: number): number => view.getUint16(at + TYPE);

/** Writes the destination MAC. */
export const setEthDst = (view: DataView, at: number, hi16: number, lo32: number): void =>
  setMac(view, at + DST, hi16, lo32);
/** Writes the source MAC. */
export const setEthSrc = (view: DataView, at: number, hi16: number, lo32: number): void =>
  setMac(view, at + SRC, hi16, lo32);
/** Writes the type field. */
export const setEthType = (view: DataView, at: number, type: number): void =>
  view.setUint16(at + TYPE, type);

/** Exchanges destination and source MAC, as a frame that is sent back needs. */
export function ethSwapMacs(view: DataView, at: number): void {
  const dstHi = ethDstHi16(view, at);
  const dstLo = ethDstLo32(view, at);
  setEthDst(view, at, ethSrcHi16(view, at), ethSrcLo32(view, at));
  setEthSrc(view, at, dstHi, dstLo);
}

/** `02:00:00:00:00:01`. Not for a packet's path. */
export function formatMac(hi16: number, lo32: number): string {
  const digits = hi16.toString(16).padStart(4, '0') + lo32.toString(16).padStart(8, '0');
  return (digits.match(/../g) ?? []).join(':');
}

/**
 * Reads `02:00:00:00:00:01` or `02-00-00-00-00-01`, digits of either case.
 *
 * @throws AddressError when the text has another form
 */
export function parseMac(text: string): MacAddr {
  const form = /^[0-9a-f]{2}([:-])[0-9a-f]{2}(\1[0-9a-f]{2}){4}$/i;
  if (!form.test(text)) throw new AddressError('MAC', text, '02:00:00:00:00:01');
  const digits = text.replaceAll(/[:-]/g, '');
  return { hi16: parseInt(digits.slice(0, 4), 16), lo32: parseInt(digits.slice(4), 16) };
}
