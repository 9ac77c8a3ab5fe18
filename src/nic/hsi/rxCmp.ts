/**
 * Receive completion: what the NIC writes once a frame lies in host memory.
 *
 * Takes two consecutive slots of the completion ring. The ring may wrap between them, so every
 * accessor takes the address of the slot that holds its field (`at` or `ext`).
 *
 *   rx_cmp      +0   len_flags_type  31:16 length | 15:12 itype | 11 metadata | 10 RSS valid | 9:7 placement | 6 error | 5:0 type (17)
 *               +4   opaque          31:0  echoed from the rx_bd whose buffer was filled
 *               +8   misc_v1         23:16 payload offset | 15:9 RSS profile | 5:1 aggregation buffers | 0 V1
 *               +12  rss_hash
 *   rx_cmp_ext  +0   flags2          8 inner IPv6 | 4 metadata is VLAN | 3 tunnel L4, 2 tunnel IP, 1 L4, 0 IP checksum calculated
 *               +4   meta_data       31:16 TPID | 15:0 TCI
 *               +8   errors_v2       31:16 CFA code | 8 CRC | 7 tunnel L4, 6 tunnel IP, 5 L4, 4 IP checksum error | 3:1 buffer error | 0 V
 *               +12  timestamp
 *
 * @linux struct rx_cmp, struct rx_cmp_ext; drivers/net/ethernet/broadcom/bnxt/bnxt.h
 */
import type { HostAddr, HostWords } from '../../host/memory.ts';
import type { Field } from './fields.ts';
import { field } from './fields.ts';

export const CMP_TYPE_RX_L2_CMP = 17;
export const CMP_TYPE_RX_AGG_CMP = 18;
export const CMP_TYPE_RX_L2_TPA_START_CMP = 19;
export const CMP_TYPE_RX_L2_TPA_END_CMP = 21;
export const CMP_TYPE_RX_TPA_AGG_CMP = 22;
export const CMP_TYPE_RX_L2_V3_CMP = 23;
export const CMP_TYPE_RX_L2_TPA_START_V3_CMP = 25;

export const RX_CMP_FLAGS_ERROR: number = 1 << 6;
export const RX_CMP_FLAGS_RSS_VALID: number = 1 << 10;
export const RX_CMP_FLAGS_ITYPE_IP: number = 1 << 12;
export const RX_CMP_FLAGS_ITYPE_TCP: number = 2 << 12;
export const RX_CMP_FLAGS_ITYPE_UDP: number = 3 << 12;
export const RX_CMP_FLAGS_ITYPE_MASK: number = 0xf << 12;

export const RX_CMP_FLAGS2_IP_CS_CALC: number = 1 << 0;
export const RX_CMP_FLAGS2_L4_CS_CALC: number = 1 << 1;
export const RX_CMP_FLAGS2_T_IP_CS_CALC: number = 1 << 2;
export const RX_CMP_FLAGS2_T_L4_CS_CALC: number = 1 << 3;
export const RX_CMP_FLAGS2_META_FORMAT_VLAN: number = 1 << 4;
export const RX_CMP_FLAGS2_IP_TYPE_V6: number = 1 << 8;

export const RX_CMPL_ERRORS_BUFFER_ERROR_MASK: number = 7 << 1;
export const RX_CMPL_ERRORS_BUFFER_ERROR_DID_NOT_FIT: number = 1 << 1;
export const RX_CMPL_ERRORS_BUFFER_ERROR_BAD_FORMAT: number = 3 << 1;
export const RX_CMPL_ERRORS_IP_CS_ERROR: number = 1 << 4;
export const RX_CMPL_ERRORS_L4_CS_ERROR: number = 1 << 5;
export const RX_CMPL_ERRORS_T_IP_CS_ERROR: number = 1 << 6;
export const RX_CMPL_ERRORS_T_L4_CS_ERROR: number = 1 << 7;
export const RX_CMPL_ERRORS_CRC_ERROR: number = 1 << 8;

const L2_ERRORS: number = (7 << 1) | (1 << 8);
const L4_CALC: number = (1 << 1) | (1 << 3);
const L4_ERRORS: number = (1 << 5) | (1 << 7);
const T_L4_CALC_SHIFT = 3;

const LEN_FLAGS_TYPE = 0;
const OPAQUE = 4;
const MISC_V1 = 8;
const RSS_HASH = 12;
const FLAGS2 = 0;
const META_DATA = 4;
const ERRORS_V2 = 8;
const TIMESTAMP = 12;
const TYPE = 0x3f;
const LEN_SHIFT = 16;
const AGG_BUFS_SHIFT = 1;
const AGG_BUFS = 0x1f;
const PAYLOAD_SHIFT = 16;
const PAYLOAD = 0xff;
const V = 1;

/** Type of any 16-byte entry of a completion ring. @linux TX_CMP_TYPE, RX_CMP_TYPE */
export const cmpType = (words: HostWords, at: HostAddr): number =>
  words[(at + LEN_FLAGS_TYPE) >> 2]! & TYPE;

/**
 * Did the NIC write this slot on the reader's current lap of the ring?
 * V is 1 on even laps and 0 on odd ones: what the last lap left behind reads as empty, so nobody
 * ever has to clear a slot.
 *
 * @param lap 0 or 1, parity of the reader's lap
 * @linux TX_CMP_VALID, RX_CMP_VALID
 */
export const cmpValid = (words: HostWords, at: HostAddr, lap: number): boolean =>
  (words[(at + MISC_V1) >> 2]! & V) !== lap;

/** Frame length in bytes, without the FCS. */
export const rxCmpLen = (words: HostWords, at: HostAddr): number =>
  words[(at + LEN_FLAGS_TYPE) >> 2]! >>> LEN_SHIFT;
export const rxCmpFlags = (words: HostWords, at: HostAddr): number =>
  words[(at + LEN_FLAGS_TYPE) >> 2]! & 0xffff;
export const rxCmpOpaque = (words: HostWords, at: HostAddr): number => words[(at + OPAQUE) >> 2]!;
/** Aggregation completions that follow this one, 0 to 31. */
export const rxCmpAggBufs = (words: HostWords, at: HostAddr): number =>
  (words[(at + MISC_V1) >> 2]! >> AGG_BUFS_SHIFT) & AGG_BUFS;
/** Length of the headers as the NIC parsed them; 0 when it did not. */
export const rxCmpPayloadOffset = (words: HostWords, at: HostAddr): number =>
  (words[(at + MISC_V1) >> 2]! >> PAYLOAD_SHIFT) & PAYLOAD;
export const rxCmpRssHash = (words: HostWords, at: HostAddr): number =>
  words[(at + RSS_HASH) >> 2]! >>> 0;

export const rxCmpExtFlags2 = (words: HostWords, ext: HostAddr): number =>
  words[(ext + FLAGS2) >> 2]!;
/** TCI in the lower half, TPID in the upper; meaningful with `RX_CMP_FLAGS2_META_FORMAT_VLAN`. */
export const rxCmpExtMetaData = (words: HostWords, ext: HostAddr): number =>
  words[(ext + META_DATA) >> 2]!;
export const rxCmpExtErrors = (words: HostWords, ext: HostAddr): number =>
  words[(ext + ERRORS_V2) >> 2]! & 0xffff;

/** Buffer or CRC error: the packet is unusable. @linux RX_CMP_L2_ERRORS */
export const rxCmpL2Errors = (words: HostWords, ext: HostAddr): number =>
  words[(ext + ERRORS_V2) >> 2]! & L2_ERRORS;

/** An L4 checksum was calculated, inner or outer, and none was wrong. @linux RX_CMP_L4_CS_OK */
export const rxCmpL4CsOk = (words: HostWords, ext: HostAddr): boolean =>
  (words[(ext + FLAGS2) >> 2]! & L4_CALC) !== 0 &&
  (words[(ext + ERRORS_V2) >> 2]! & L4_ERRORS) === 0;

export const rxCmpL4CsErr = (words: HostWords, ext: HostAddr): boolean =>
  (words[(ext + ERRORS_V2) >> 2]! & L4_ERRORS) !== 0;

/** 1 when the checksum that was verified lies inside a tunnel. @linux RX_CMP_ENCAP */
export const rxCmpEncap = (words: HostWords, ext: HostAddr): number =>
  (words[(ext + FLAGS2) >> 2]! >> T_L4_CALC_SHIFT) & 1;

/**
 * Write the second slot, its valid bit last.
 *
 * @param v valid bit of the writer's lap: 1 on even laps
 */
export function rxCmpExtWrite(
  words: HostWords,
  ext: HostAddr,
  flags2: number,
  metaData: number,
  errors: number,
  v: number,
): void {
  words[(ext + FLAGS2) >> 2] = flags2;
  words[(ext + META_DATA) >> 2] = metaData;
  words[(ext + TIMESTAMP) >> 2] = 0;
  words[(ext + ERRORS_V2) >> 2] = errors | v;
}

/**
 * Write the first slot, its valid bit last.
 *
 * @param lenFlags length in the upper half, flags and itype in the lower, type added here
 * @param misc payload offset and aggregation count in place, without V
 */
export function rxCmpWrite(
  words: HostWords,
  at: HostAddr,
  lenFlags: number,
  opaque: number,
  hash: number,
  misc: number,
  v: number,
): void {
  words[(at + LEN_FLAGS_TYPE) >> 2] = lenFlags | 17;
  words[(at + OPAQUE) >> 2] = opaque;
  words[(at + RSS_HASH) >> 2] = hash;
  words[(at + MISC_V1) >> 2] = misc | v;
}

/** OR error bits into a completion that is already written (netpoll discards). @linux bnxt_force_rx_discard */
export function rxCmpExtForceErrors(words: HostWords, ext: HostAddr, errors: number): void {
  words[(ext + ERRORS_V2) >> 2]! |= errors;
}

/** Payload offset in its place within `misc`. */
export const rxCmpMisc = (payloadOffset: number): number =>
  (payloadOffset & PAYLOAD) << PAYLOAD_SHIFT;

export const RX_CMP_FIELDS: readonly Field[] = [
  field('type', 0, 5, 0, '17'),
  field('error', 0, 6, 6, 'some error bit is set'),
  field('placement', 0, 9, 7, 'how the frame was placed in buffers'),
  field('rssValid', 0, 10, 10, 'rssHash holds a hash'),
  field('itype', 0, 15, 12, '1 IP, 2 TCP, 3 UDP'),
  field('len', 0, 31, 16, 'bytes of the frame, without FCS'),
  field('opaque', 4, 31, 0, 'slot of the RX ring'),
  field('v1', 8, 0, 0, 'valid on this lap'),
  field('aggBufs', 8, 5, 1, 'aggregation completions that follow'),
  field('payloadOffset', 8, 23, 16, 'bytes of headers'),
  field('rssHash', 12, 31, 0, 'Toeplitz hash'),
];

export const RX_CMP_EXT_FIELDS: readonly Field[] = [
  field('ipCsCalc', 0, 0, 0, 'IP checksum was calculated'),
  field('l4CsCalc', 0, 1, 1, 'L4 checksum was calculated'),
  field('tIpCsCalc', 0, 2, 2, 'tunnel IP checksum was calculated'),
  field('tL4CsCalc', 0, 3, 3, 'tunnel L4 checksum was calculated'),
  field('metaVlan', 0, 4, 4, 'metaData is a VLAN tag'),
  field('ipTypeV6', 0, 8, 8, 'inner IP is v6'),
  field('tci', 4, 15, 0, 'VLAN tag'),
  field('tpid', 4, 31, 16, 'VLAN protocol'),
  field('v', 8, 0, 0, 'valid on this lap'),
  field('bufferError', 8, 3, 1, '1 did not fit, 2 not on chip, 3 bad format'),
  field('ipCsError', 8, 4, 4, 'IP checksum wrong'),
  field('l4CsError', 8, 5, 5, 'L4 checksum wrong'),
  field('crcError', 8, 8, 8, 'FCS wrong'),
  field('cfaCode', 8, 31, 16, 'flow action code'),
  field('timestamp', 12, 31, 0, 'hardware time'),
];
