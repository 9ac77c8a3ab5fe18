/**
 * Transmission for the stack: completion of what `bnxt_start_xmit` queued.
 *
 * Sending itself comes with the protocols that send; the rings, their NAPIs and their completion
 * are in place.
 *
 * @linux bnxt_tx_int, __bnxt_tx_int; bnxt.c
 */
import { dmaUnmapSingle } from '../../host/dma.ts';
import { napiConsumeSkb } from '../../stack/skbPool.ts';
import type { BnxtNapi, BnxtTxRingInfo } from './bnxt.ts';
import { BNXT_TX_CMP_EVENT } from './bnxt.ts';
import { bnxtSchedResetTxr } from './reset.ts';

/** Free what was sent on each TX ring of this NAPI. @linux bnxt_tx_int */
export function bnxtTxInt(bnapi: BnxtNapi, budget: number): void {
  let more = false;
  for (const txr of bnapi.txRing) {
    if ((txr.txCons & bnapi.bp.txRingMask) !== txr.txHwCons)
      more = __bnxtTxInt(bnapi, txr, budget) || more;
  }
  if (!more) bnapi.events &= ~BNXT_TX_CMP_EVENT;
}

/** @returns true when a packet must be looked at again @linux __bnxt_tx_int */
function __bnxtTxInt(bnapi: BnxtNapi, txr: BnxtTxRingInfo, budget: number): boolean {
  const { bp } = bnapi;
  const { cpu } = bnapi.cpRing;
  let txCons = txr.txCons;
  while ((txCons & bp.txRingMask) !== txr.txHwCons) {
    const txBuf = txr.txBufRing[txCons & bp.txRingMask]!;
    const { skb } = txBuf;
    if (skb === null) {
      bnxtSchedResetTxr(txr, txCons);
      return false;
    }
    txBuf.skb = null;
    dmaUnmapSingle(cpu);
    napiConsumeSkb(skb, budget, cpu);
    txCons = (txCons + 2 + txBuf.nrFrags) & 0xffff; // long BD, ext BD, one per frag
  }
  txr.txCons = txCons;
  return false;
}
