/**
 * Receive buffer descriptor, 16 bytes: the driver offers one free buffer.
 *
 *   +0   len_flags_type   31:16 length | 9:8 buffers | 7 EOP | 6 SOP or AGG_EOP | 5:0 type
 *   +4   opaque           31:0  slot number, echoed in the completion
 *   +8   haddr            63:0  DMA address (the upper word is 0: host memory is 31 bits)
 *
 * Stamped once when the ring is set up; posting a buffer rewrites only the address.
 *
 * @linux struct rx_bd; drivers/net/ethernet/broadcom/bnxt/bnxt.h
 */
import { OP_BD_POST } from '../../host/cost.ts';
import type { Cpu } from '../../host/cpu.ts';
import type { HostAddr, HostWords } from '../../host/memory.ts';
import type { Field } from './fields.ts';
import { field } from './fields.ts';

export const RX_BD_TYPE_RX_PACKET_BD = 0x4;
export const RX_BD_TYPE_RX_AGG_BD = 0x6;
export const RX_BD_FLAGS_SOP: number = 1 << 6;
export const RX_BD_FLAGS_AGG_EOP: number = 1 << 6;
export const RX_BD_FLAGS_EOP: number = 1 << 7;

const LEN_FLAGS_TYPE = 0;
const OPAQUE = 4;
const HADDR_LO = 8;
const HADDR_HI = 12;
const LEN_SHIFT = 16;

/** Set up a descriptor for good. @param flags `RX_BD_FLAGS_*` and type @linux bnxt_init_rxbd_pages */
export function rxBdInit(
  words: HostWords,
  at: HostAddr,
  flags: number,
  lenBytes: number,
  opaque: number,
): void {
  words[(at + LEN_FLAGS_TYPE) >> 2] = (lenBytes << LEN_SHIFT) | flags;
  words[(at + OPAQUE) >> 2] = opaque;
  words[(at + HADDR_HI) >> 2] = 0;
}

/** Offer the buffer at `haddr`: the seam at which posting takes its time. */
export function rxBdPost(cpu: Cpu, words: HostWords, at: HostAddr, haddr: HostAddr): void {
  cpu.charge(OP_BD_POST);
  words[(at + HADDR_LO) >> 2] = haddr;
}

export const rxBdHaddr = (words: HostWords, at: HostAddr): HostAddr => words[(at + HADDR_LO) >> 2]!;

/** Bytes the buffer holds. */
export const rxBdLen = (words: HostWords, at: HostAddr): number =>
  words[(at + LEN_FLAGS_TYPE) >> 2]! >>> LEN_SHIFT;

export const rxBdOpaque = (words: HostWords, at: HostAddr): number => words[(at + OPAQUE) >> 2]!;

export const RX_BD_FIELDS: readonly Field[] = [
  field('type', 0, 5, 0, '4 packet, 5 buffer, 6 aggregation'),
  field('sop', 0, 6, 6, 'start of packet, or end of an aggregation buffer'),
  field('eop', 0, 7, 7, 'end of packet'),
  field('buffers', 0, 9, 8, 'buffers per packet, less one'),
  field('len', 0, 31, 16, 'bytes the buffer holds'),
  field('opaque', 4, 31, 0, 'echoed in the completion'),
  field('haddrLo', 8, 31, 0, 'DMA address'),
  field('haddrHi', 12, 31, 0, 'DMA address, upper word'),
];
