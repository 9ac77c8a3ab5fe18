/**
 * Ring geometry and the phase bit, common to every ring of the contract.
 *
 * A slot is 16 bytes. A ring has a power of two of them, in units of 256 (one 4 KiB page); the
 * emulator lays those pages out back to back, so a slot's address is base + 16 * index. Hardware
 * takes a page table here; nothing else depends on it.
 *
 * @linux RING_CMP, CMP_TYPE, RX_CMP_VALID, bnxt_calc_nr_ring_pages; bnxt.h, bnxt.c
 */
import { RangeRefused } from '../../host/errors.ts';

export const DESC_BYTES = 16;
export const DESC_SHIFT = 4;
/** RX_DESC_CNT, TX_DESC_CNT, CP_DESC_CNT: descriptors in one 4 KiB page. */
export const DESC_CNT = 256;

/** Pages of a ring that must hold `size` descriptors: 2^n - 1 wastes nothing. @linux bnxt_calc_nr_ring_pages */
export function bnxtCalcNrRingPages(size: number, descPerPage: number): number {
  let pages = Math.floor(size / descPerPage);
  if (pages === 0) return 1;
  pages++;
  while ((pages & (pages - 1)) !== 0) pages++;
  return pages;
}

/** @throws RangeRefused when `slots` is no ring size */
export function checkedSlots(what: string, slots: number): number {
  if (slots < DESC_CNT || (slots & (slots - 1)) !== 0) {
    throw new RangeRefused(what, `${slots} slots`, 'a power of two of at least 256');
  }
  return slots;
}
