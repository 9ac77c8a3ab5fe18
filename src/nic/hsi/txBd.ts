/**
 * Transmit buffer descriptor, 16 bytes: one piece of a packet.
 *
 *   +0   len_flags_type   31:16 length | 15 COAL_NOW | 14:13 LHINT | 12:8 BD count | 7 NO_CMPL | 6 PACKET_END | 5:0 type
 *   +4   opaque           31:24 ring index in its NAPI | 23:16 BD count | 15:0 first BD
 *   +8   haddr            63:0  DMA address
 *
 * XDP uses short descriptors only. A long one (type 0x10, stack traffic) is followed by a tx_bd_ext.
 *
 * @linux struct tx_bd; drivers/net/ethernet/broadcom/bnxt/bnxt.h
 */
import { OP_XDP_XMIT } from '../../host/cost.ts';
import type { Cpu } from '../../host/cpu.ts';
import type { HostAddr, HostWords } from '../../host/memory.ts';
import type { Field } from './fields.ts';
import { field } from './fields.ts';

export const TX_BD_TYPE_SHORT_TX_BD = 0x00;
export const TX_BD_TYPE_LONG_TX_BD = 0x10;
export const TX_BD_FLAGS_PACKET_END: number = 1 << 6;
export const TX_BD_FLAGS_NO_CMPL: number = 1 << 7;
export const TX_BD_FLAGS_BD_CNT_SHIFT = 8;
export const TX_BD_FLAGS_LHINT_512_AND_SMALLER: number = 0 << 13;
export const TX_BD_FLAGS_LHINT_512_TO_1023: number = 1 << 13;
export const TX_BD_FLAGS_LHINT_1024_TO_2047: number = 2 << 13;
export const TX_BD_FLAGS_LHINT_2048_AND_LARGER: number = 3 << 13;
export const TX_BD_FLAGS_COAL_NOW: number = 1 << 15;
/** Most descriptors a packet may have; 32 is stored as 0. */
export const TX_MAX_BD_CNT = 32;
/** Longest frame the length hint has an entry for: 19 * 512 - 1. */
export const TX_MAX_LEN = 9727;

const LEN_FLAGS_TYPE = 0;
const OPAQUE = 4;
const HADDR_LO = 8;
const HADDR_HI = 12;
const LEN_SHIFT = 16;
const CNT_SHIFT = 8;
const CNT = 0x1f;
const OPAQUE_IDX = 0xffff;
const OPAQUE_BDS_SHIFT = 16;
const OPAQUE_BDS = 0xff;
const OPAQUE_RING_SHIFT = 24;

/** Write a descriptor: the seam at which queueing takes its time. */
export function txBdPost(
  cpu: Cpu,
  words: HostWords,
  at: HostAddr,
  lenBytes: number,
  flags: number,
  opaque: number,
  haddr: HostAddr,
): void {
  cpu.charge(OP_XDP_XMIT);
  words[(at + LEN_FLAGS_TYPE) >> 2] = (lenBytes << LEN_SHIFT) | flags;
  words[(at + OPAQUE) >> 2] = opaque;
  words[(at + HADDR_LO) >> 2] = haddr;
  words[(at + HADDR_HI) >> 2] = 0;
}

/** Write one descriptor of a packet whose queueing takes its time as a whole. */
export function txBdWrite(
  words: HostWords,
  at: HostAddr,
  lenBytes: number,
  flags: number,
  opaque: number,
  haddr: HostAddr,
): void {
  words[(at + LEN_FLAGS_TYPE) >> 2] = (lenBytes << LEN_SHIFT) | flags;
  words[(at + OPAQUE) >> 2] = opaque;
  words[(at + HADDR_LO) >> 2] = haddr;
  words[(at + HADDR_HI) >> 2] = 0;
}

export function txBdAddFlags(words: HostWords, at: HostAddr, flags: number): void {
  words[(at + LEN_FLAGS_TYPE) >> 2]! |= flags;
}

export function txBdClearFlags(words: HostWords, at: HostAddr, flags: number): void {
  words[(at + LEN_FLAGS_TYPE) >> 2]! &= ~flags;
}

export const txBdLen = (words: HostWords, at: HostAddr): number =>
  words[(at + LEN_FLAGS_TYPE) >> 2]! >>> LEN_SHIFT;
export const txBdFlags = (words: HostWords, at: HostAddr): number =>
  words[(at + LEN_FLAGS_TYPE) >> 2]! & 0xffff;
/** Descriptors of the packet this one begins; 0 in the field means 32. */
export const txBdCount = (words: HostWords, at: HostAddr): number =>
  (words[(at + LEN_FLAGS_TYPE) >> 2]! >> CNT_SHIFT) & CNT || TX_MAX_BD_CNT;
export const txBdOpaque = (words: HostWords, at: HostAddr): number => words[(at + OPAQUE) >> 2]!;
export const txBdHaddr = (words: HostWords, at: HostAddr): HostAddr => words[(at + HADDR_LO) >> 2]!;

const LHINT_STEP = 9;

/** Length hint by 512-byte steps. @linux bnxt_lhint_arr */
export function bnxtLhint(lenBytes: number): number {
  const step = lenBytes >> LHINT_STEP;
  if (step === 0) return 0;
  if (step === 1) return 1 << 13;
  return step < 4 ? 2 << 13 : 3 << 13;
}

/** @param napiIdx index in `bnapi->tx_ring[]` @param prod masked index of the first descriptor @linux SET_TX_OPAQUE */
export const setTxOpaque = (napiIdx: number, prod: number, bds: number): number =>
  (napiIdx << OPAQUE_RING_SHIFT) | (bds << OPAQUE_BDS_SHIFT) | prod;

/** Consumer position after the packet. @linux TX_OPAQUE_PROD */
export const txOpaqueProd = (opaque: number, mask: number): number =>
  ((opaque & OPAQUE_IDX) + ((opaque >> OPAQUE_BDS_SHIFT) & OPAQUE_BDS)) & mask;

/** @linux TX_OPAQUE_RING */
export const txOpaqueRing = (opaque: number): number => opaque >>> OPAQUE_RING_SHIFT;

export const TX_BD_FIELDS: readonly Field[] = [
  field('type', 0, 5, 0, '0 short, 0x10 long'),
  field('packetEnd', 0, 6, 6, 'last descriptor of the packet'),
  field('noCmpl', 0, 7, 7, 'no completion wanted'),
  field('bdCnt', 0, 12, 8, 'descriptors of the packet, 32 as 0'),
  field('lhint', 0, 14, 13, 'length class'),
  field('coalNow', 0, 15, 15, 'complete promptly'),
  field('len', 0, 31, 16, 'bytes of this piece'),
  field('opaqueIdx', 4, 15, 0, 'first descriptor'),
  field('opaqueBds', 4, 23, 16, 'descriptors'),
  field('opaqueRing', 4, 31, 24, 'TX ring within its NAPI'),
  field('haddrLo', 8, 31, 0, 'DMA address'),
  field('haddrHi', 12, 31, 0, 'DMA address, upper word'),
];
