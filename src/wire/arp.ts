/**
 * ARP for IPv4 over Ethernet: 28 bytes, big-endian.
 *
 *   +0   hardware type    1 Ethernet
 *   +2   protocol type    0x0800
 *   +4   address lengths  6 | 4
 *   +6   operation        1 request, 2 reply
 *   +8   sender MAC       +14 sender IPv4
 *   +18  target MAC       +24 target IPv4
 *
 * @spec RFC 826
 */
import { macHi16, macLo32, setMac } from './eth.ts';

const HTYPE = 0;
const PTYPE = 2;
const LENGTHS = 4;
const OP = 6;
const SENDER_MAC = 8;
const SENDER_IP = 14;
const TARGET_MAC = 18;
const TARGET_IP = 24;
const ETHERNET = 1;
const IPV4 = 0x0800;
const SIX_AND_FOUR = 0x0604;

/** Bytes of the packet. */
export const ARP_LEN: number = 28;
export const ARPOP_REQUEST: number = 1;
export const ARPOP_REPLY: number = 2;

/** Is this ARP of the one kind the other accessors understand? */
export const arpIsEthIpv4 = (view: DataView, at: number): boolean =>
  view.getUint16(at + HTYPE) === ETHERNET &&
  view.getUint16(at + PTYPE) === IPV4 &&
  view.getUint16(at + LENGTHS) === SIX_AND_FOUR;

export const arpOp = (view: DataView, at: number): number => view.getUint16(at + OP);
export const arpSenderMacHi16 = (view: DataView, at: number): number =>
  macHi16(view, at + SENDER_MAC);
export const arpSenderMacLo32 = (view: DataView, at: number): number =>
  macLo32(view, at + SENDER_MAC);
export const arpSenderIp = (view: DataView, at: number): number => view.getUint32(at + SENDER_IP);
export const arpTargetMacHi16 = (view: DataView, at: number): number =>
  macHi16(view, at + TARGET_MAC);
export const arpTargetMacLo32 = (view: DataView, at: number): number =>
  macLo32(view, at + TARGET_MAC);
export const arpTargetIp = (view: DataView, at: number): number => view.getUint32(at + TARGET_IP);

/** Writes the eight bytes that say Ethernet and IPv4, and the operation. */
export const setArpOp = (view: DataView, at: number, op: number): void => {
  view.setUint16(at + HTYPE, ETHERNET);
  view.setUint16(at + PTYPE, IPV4);
  view.setUint16(at + LENGTHS, SIX_AND_FOUR);
  view.setUint16(at + OP, op);
};

/** Writes who asks or answers. */
export const setArpSender = (
  view: DataView,
  at: number,
  hi16: number,
  lo32: number,
  ip: number,
): void => {
  setMac(view, at + SENDER_MAC, hi16, lo32);
  view.setUint32(at + SENDER_IP, ip);
};

/** Writes who is asked for or answered; a request leaves the MAC zero. */
export const setArpTarget = (
  view: DataView,
  at: number,
  hi16: number,
  lo32: number,
  ip: number,
): void => {
  setMac(view, at + TARGET_MAC, hi16, lo32);
  view.setUint32(at + TARGET_IP, ip);
};
