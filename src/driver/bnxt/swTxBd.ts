/**
 * The driver's notes on one slot of an XDP TX ring, 16 bytes each; a ring of the stack has its packets
 * in `txBufRing` instead.
 *
 *   +0   action   0, XDP_TX or XDP_REDIRECT
 *   +4   rx_prod  XDP_TX: the RX producer to publish once the packet is sent, or `RX_PROD_NONE`
 *   +8   page     XDP_TX: of the packet; XDP_REDIRECT: its `xdp_frame`
 *   +12  not used
 *
 * Words of host memory as in `swRxBd.ts`; the NIC never sees them.
 *
 * @linux struct bnxt_sw_tx_bd; drivers/net/ethernet/broadcom/bnxt/bnxt.h
 */
import type { HostAddr, HostWords } from '../../host/memory.ts';

const ACTION = 0;
const RX_PROD = 4;
const PAGE = 8;
const SHIFT = 4;

/** The RX ring was reset while the packet waited: its page stands in no slot, and TX gives it back. */
export const RX_PROD_NONE = -1;

/** Offsets, for code that is compiled. */
export const SW_TX_BD_RX_PROD: number = RX_PROD;
export const SW_TX_BD_PAGE: number = PAGE;
export const SW_TX_BD_SHIFT: number = SHIFT;
export const SW_TX_BD_BYTES: number = 1 << SHIFT;

/** Where slot `slot`'s notes lie in those of a ring. */
export const swTxBdAt = (ring: HostAddr, slot: number): HostAddr => ring + (slot << SHIFT);

export const swTxBdAction = (words: HostWords, at: HostAddr): number => words[(at + ACTION) >> 2]!;
export const swTxBdRxProd = (words: HostWords, at: HostAddr): number => words[(at + RX_PROD) >> 2]!;
/** Of XDP_TX: the page. */
export const swTxBdPage = (words: HostWords, at: HostAddr): HostAddr => words[(at + PAGE) >> 2]!;
/** Of XDP_REDIRECT: the frame. */
export const swTxBdXdpf = (words: HostWords, at: HostAddr): HostAddr => words[(at + PAGE) >> 2]!;

/** Nothing waits there any more. */
export const swTxBdClear = (words: HostWords, at: HostAddr): void => {
  words[(at + ACTION) >> 2] = 0;
};

export const setSwTxBdRxProd = (words: HostWords, at: HostAddr, rxProd: number): void => {
  words[(at + RX_PROD) >> 2] = rxProd;
};

/** A packet waits there. @param page of XDP_REDIRECT, its frame */
export function swTxBdSet(
  words: HostWords,
  at: HostAddr,
  action: number,
  rxProd: number,
  page: HostAddr,
): void {
  words[(at + ACTION) >> 2] = action;
  words[(at + RX_PROD) >> 2] = rxProd;
  words[(at + PAGE) >> 2] = page;
}
