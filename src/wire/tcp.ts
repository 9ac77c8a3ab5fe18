/**
 * TCP header: 20 to 60 bytes, big-endian.
 *
 *   +0   source port      +2   destination port
 *   +4   sequence number  +8   acknowledgement number
 *   +12  7:4 data offset in words
 *   +13  CWR | ECE | URG | ACK | PSH | RST | SYN | FIN
 *   +14  window           +16  checksum   +18  urgent pointer   +20  options
 *
 * @spec RFC 9293 §3.1; options: wire/options.ts
 */
const SRC_PORT = 0;
const DST_PORT = 2;
const SEQ = 4;
const ACK = 8;
const DATA_OFFSET = 12;
const FLAGS = 13;
const WINDOW = 14;
const CHECK = 16;
const URGENT = 18;

/** Bytes of a header without options. */
export const TCP_HLEN_MIN: number = 20;

export const TCP_FIN: number = 0x01;
export const TCP_SYN: number = 0x02;
export const TCP_RST: number = 0x04;
export const TCP_PSH: number = 0x08;
export const TCP_ACK: number = 0x10;
export const TCP_URG: number = 0x20;
export const TCP_ECE: number = 0x40;
export const TCP_CWR: number = 0x80;

/** Option kinds. @linux TCPOPT_*; include/net/tcp.h */
export const TCPOPT_EOL: number = 0;
export const TCPOPT_NOP: number = 1;
export const TCPOPT_MSS: number = 2;
export const TCPOPT_WINDOW: number = 3;
export const TCPOPT_SACK_PERM: number = 4;
export const TCPOPT_SACK: number = 5;
export const TCPOPT_TIMESTAMP: number = 8;

export const tcpSrcPort = (view: DataView, at: number): number => view.getUint16(at + SRC_PORT);
export const tcpDstPort = (view: DataView, at: number): number => view.getUint16(at + DST_PORT);
export const tcpSeq = (view: DataView, at: number): number => view.getUint32(at + SEQ);
export const tcpAck = (view: DataView, at: number): number => view.getUint32(at + ACK);
/** Header length in bytes, as the header claims: 0 to 60. */
export const tcpHeaderLen = (view: DataView, at: number): number =>
  (view.getUint8(at + DATA_OFFSET) >> 4) << 2;
export const tcpFlags = (view: DataView, at: number): number => view.getUint8(at + FLAGS);
export const tcpWindow = (view: DataView, at: number): number => view.getUint16(at + WINDOW);
export const tcpCheck = (view: DataView, at: number): number => view.getUint16(at + CHECK);
export const tcpUrgent = (view: DataView, at: number): number => view.getUint16(at + URGENT);

export const setTcpSrcPort = (view: DataView, at: number, port: number): void =>
  view.setUint16(at + SRC_PORT, port);
export const setTcpDstPort = (view: DataView, at: number, port: number): void =>
  view.setUint16(at + DST_PORT, port);
export const setTcpSeq = (view: DataView, at: number, seq: number): void =>
  view.setUint32(at + SEQ, seq);
export const setTcpAck = (view: DataView, at: number, ack: number): void =>
  view.setUint32(at + ACK, ack);
/** Header length in bytes, a multiple of 4 from 20 to 60. */
export const setTcpHeaderLen = (view: DataView, at: number, hlen: number): void =>
  view.setUint8(at + DATA_OFFSET, hlen << 2);
export const setTcpFlags = (view: DataView, at: number, flags: number): void =>
  view.setUint8(at + FLAGS, flags);
export const setTcpWindow = (view: DataView, at: number, window: number): void =>
  view.setUint16(at + WINDOW, window);
export const setTcpCheck = (view: DataView, at: number, check: number): void =>
  view.setUint16(at + CHECK, check);
export const setTcpUrgent = (view: DataView, at: number, pointer: number): void =>
  view.setUint16(at + URGENT, pointer);
