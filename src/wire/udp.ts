/**
 * UDP header: 8 bytes, big-endian.
 *
 *   +0 source port   +2 destination port   +4 length, header included   +6 checksum
 *
 * A checksum of 0 means that the sender computed none: allowed over IPv4, illegal over IPv6.
 *
 * @spec RFC 768; RFC 8200 §8.1
 */
const SRC_PORT = 0;
const DST_PORT = 2;
const LEN = 4;
const CHECK = 6;

/** Bytes of the header. */
export const UDP_HLEN: number = 8;

export const udpSrcPort = (view: DataView, at: number): number => view.getUint16(at + SRC_PORT);
export const udpDstPort = (view: DataView, at: number): number => view.getUint16(at + DST_PORT);
/** Bytes of header and data, as the header claims. */
export const udpLen = (view: DataView, at: number): number => view.getUint16(at + LEN);
export const udpCheck = (view: DataView, at: number): number => view.getUint16(at + CHECK);

export const setUdpSrcPort = (view: DataView, at: number, port: number): void =>
  view.setUint16(at + SRC_PORT, port);
export const setUdpDstPort = (view: DataView, at: number, port: number): void =>
  view.setUint16(at + DST_PORT, port);
export const setUdpLen = (view: DataView, at: number, len: number): void =>
  view.setUint16(at + LEN, len);
export const setUdpCheck = (view: DataView, at: number, check: number): void =>
  view.setUint16(at + CHECK, check);
