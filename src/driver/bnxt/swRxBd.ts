/**
 * The driver's notes on one slot of an RX ring, 16 bytes each: what stands in it, since a descriptor
 * tells only the NIC.
 *
 *   +0   data       the page in page mode, else the buffer; 0 while the packet is in the poll or further up
 *   +4   data_ptr   first byte of the packet
 *   +8   mapping    DMA address given to the NIC
 *   +12  not used
 *
 * Words of host memory cost a packet less than objects, and `rxWalk.ts` moves them too; the NIC never
 * sees them.
 *
 * @linux struct bnxt_sw_rx_bd; drivers/net/ethernet/broadcom/bnxt/bnxt.h
 */
import type { HostAddr, HostWords } from '../../host/memory.ts';

const DATA = 0;
const DATA_PTR = 4;
const MAPPING = 8;
const SHIFT = 4;

export const SW_RX_BD_DATA_PTR: number = DATA_PTR;
export const SW_RX_BD_MAPPING: number = MAPPING;
export const SW_RX_BD_SHIFT: number = SHIFT;
export const SW_RX_BD_BYTES: number = 1 << SHIFT;

/** Where slot `slot`'s notes lie in those of a ring. */
export const swRxBdAt = (ring: HostAddr, slot: number): HostAddr => ring + (slot << SHIFT);

export const swRxBdData = (words: HostWords, at: HostAddr): HostAddr => words[(at + DATA) >> 2]!;
export const swRxBdDataPtr = (words: HostWords, at: HostAddr): HostAddr =>
  words[(at + DATA_PTR) >> 2]!;
export const swRxBdMapping = (words: HostWords, at: HostAddr): HostAddr =>
  words[(at + MAPPING) >> 2]!;

export const setSwRxBdData = (words: HostWords, at: HostAddr, data: HostAddr): void => {
  words[(at + DATA) >> 2] = data;
};

/** All of it: a buffer stands there. */
export function swRxBdSet(
  words: HostWords,
  at: HostAddr,
  data: HostAddr,
  dataPtr: HostAddr,
  mapping: HostAddr,
): void {
  words[(at + DATA) >> 2] = data;
  words[(at + DATA_PTR) >> 2] = dataPtr;
  words[(at + MAPPING) >> 2] = mapping;
}
