/**
 * Resets: what breaks a ring, and the slow path that mends it.
 *
 * Linux queues work; here the work is an alarm on the virtual clock, due a little later, so that
 * polls go on meanwhile just as they do there.
 *
 * @linux bnxt_sched_reset_rxr, bnxt_sched_reset_txr, bnxt_sp_task, bnxt_rx_ring_reset; bnxt.c
 */
import { LOST_OUT_OF_ORDER } from '../../host/fates.ts';
import { TP_RESET } from '../../host/trace.ts';
import { DESC_SHIFT } from '../../nic/hsi/ring.ts';
import { CMP_TYPE_RX_L2_CMP, cmpType } from '../../nic/hsi/rxCmp.ts';
import { CMP_TYPE_TX_L2_CMP, CMP_TYPE_TX_L2_COAL_CMP } from '../../nic/hsi/txCmp.ts';
import { XDP_TX } from '../../xdp/uapi.ts';
import type { Bnxt, BnxtRxRingInfo, BnxtTxRingInfo } from './bnxt.ts';
import {
  BNXT_RESET_TASK_SP_EVENT,
  BNXT_RX_EVENT,
  BNXT_RX_RING_RESET_SP_EVENT,
  BNXT_TX_CMP_EVENT,
  RX_CONS_FORCED_ERROR,
  WORKQUEUE_PS,
  bnxtChipP5,
} from './bnxt.ts';
import { bnxtDbWrite } from './db.ts';
import { bnxtCmpValid, bnxtTxCmp } from './poll.ts';
import { bnxtAllocOneRxRing, bnxtFreeOneRxRing } from './rings.ts';
import { setSwRxBdData, swRxBdAt } from './swRxBd.ts';
import { RX_PROD_NONE, setSwTxBdRxProd, swTxBdAction, swTxBdAt, swTxBdRxProd } from './swTxBd.ts';

const WHAT_RX = 0;
const WHAT_TX = 1;

/** The RX ring no longer agrees with its completions; P5 mends that by a reset of the device. @linux bnxt_sched_reset_rxr */
export function bnxtSchedResetRxr(rxr: BnxtRxRingInfo): void {
  const { bp, bnapi } = rxr;
  if (!bnapi.inReset) {
    bnapi.inReset = true;
    if (bp.watch.on) bp.watch.point(TP_RESET, rxr.cpr.cpu, bnapi.index, WHAT_RX);
    const event = bnxtChipP5(bp) ? BNXT_RESET_TASK_SP_EVENT : BNXT_RX_RING_RESET_SP_EVENT;
    queueSpWork(bp, event, rxr.cpr.cpu.now);
  }
  rxr.rxNextCons = RX_CONS_FORCED_ERROR;
}

/**
 * A TX completion for which nothing was queued; `tx_int` is not called again until the device is
 * reset, which is when `tx_resets` counts it.
 *
 * @linux bnxt_sched_reset_txr
 */
export function bnxtSchedResetTxr(txr: BnxtTxRingInfo, curr: number): void {
  const { bp, bnapi } = txr;
  const { cpu } = bnapi.cpRing;
  if (bnapi.txFault) return;
  bp.dev.net.dmesg.once(
    `${bp.dev.name}: Invalid Tx completion (ring:${txr.index} tx_hw_cons:${txr.txHwCons} cons:${txr.txCons} prod:${txr.txProd} curr:${curr})`,
  );
  bnapi.txFault = true;
  if (bp.watch.on) bp.watch.point(TP_RESET, cpu, bnapi.index, WHAT_TX);
  queueSpWork(bp, BNXT_RESET_TASK_SP_EVENT, cpu.now);
}

function queueSpWork(bp: Bnxt, event: number, now: number): void {
  bp.spEvent |= event;
  if (!bp.spTask.armed) bp.spTask.set(now + WORKQUEUE_PS);
}

/** Reset each RX ring that asked for it, without closing the device. @linux bnxt_rx_ring_reset */
export function bnxtRxRingReset(bp: Bnxt): void {
  const { ctlCpu, ctlNow } = bp;
  for (const rxr of bp.rxRing) {
    if (!rxr.bnapi.inReset) continue;
    bp.pdev.hwrm.ringReset(rxr.fwRingId, ctlNow);
    discardUnread(rxr);
    leaveToXdpTx(rxr);
    bnxtFreeOneRxRing(rxr);
    rxr.rxProd = 0;
    rxr.rxNextCons = 0;
    rxr.bnapi.inReset = false;
    bnxtAllocOneRxRing(rxr);
    rxr.cpr.swStats.rxResets++;
    bnxtDbWrite(bp, ctlCpu, rxr.rxDb, rxr.rxProd);
    rxr.bnapi.events &= ~BNXT_RX_EVENT; // left from before; it would publish what XDP_TX sends next
  }
}

/**
 * Pages that wait on the XDP TX ring stand in RX slots as well; they leave those and are given back
 * when they have been sent. Linux frees them here, while the NIC may still read them, and rings the
 * RX doorbell with a producer of before the reset once they are sent: a defect that is not copied.
 */
function leaveToXdpTx({ txr, words, rxBufRing, rxRingMask }: BnxtRxRingInfo): void {
  if (txr === null) return;
  for (let cons = txr.txCons; cons !== txr.txProd; cons = (cons + 1) & 0xffff) {
    const txBuf = swTxBdAt(txr.xdpBufRing, cons & txr.bp.txRingMask);
    const rxProd = swTxBdRxProd(words, txBuf);
    if (swTxBdAction(words, txBuf) !== XDP_TX || rxProd === RX_PROD_NONE) continue;
    setSwRxBdData(words, swRxBdAt(rxBufRing, (rxProd - 1) & rxRingMask), 0);
    setSwTxBdRxProd(words, txBuf, RX_PROD_NONE);
  }
}

/**
 * Completions of before the reset that no poll has read: now that indices start over, one of them
 * could pass for a new packet. Linux leaves that to chance; here they are discarded.
 */
function discardUnread({ bp, bnapi, cpr, words, fates }: BnxtRxRingInfo): void {
  let rawCons = cpr.cpRawCons;
  for (; bnxtCmpValid(cpr, rawCons); rawCons++) {
    const at = cpr.cpDescRing + ((rawCons & cpr.cpRingMask) << DESC_SHIFT);
    const type = cmpType(words, at);
    if (type === CMP_TYPE_RX_L2_CMP) {
      fates.lost[LOST_OUT_OF_ORDER]!++;
      rawCons++;
    } else if (type === CMP_TYPE_TX_L2_CMP || type === CMP_TYPE_TX_L2_COAL_CMP) {
      bnxtTxCmp(bp, cpr, at, type);
      bnapi.events |= BNXT_TX_CMP_EVENT;
    }
  }
  cpr.cpRawCons = rawCons;
}
