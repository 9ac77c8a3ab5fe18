/**
 * Adaptive RX: the driver's side of DIM (`stack/netDim.ts`).
 *
 * A poll samples; the new profile is programmed by a worker a little later, for that ring alone.
 * Linux has a work item for each ring; here one worker runs for all that wait.
 *
 * @linux bnxt_dim_work; drivers/net/ethernet/broadcom/bnxt/bnxt_dim.c
 */
import type { Ps } from '../../host/clock.ts';
import { netDim, netDimGetRxModeration } from '../../stack/netDim.ts';
import type { Bnxt, BnxtCpRingInfo } from './bnxt.ts';
import { WORKQUEUE_PS } from './bnxt.ts';
import { bnxtHwrmSetRingCoal } from './coal.ts';

/**
 * The end of a poll, when `BNXT_FLAG_DIM` is set.
 *
 * @param cpr the NAPI's own ring, which counts interrupts
 * @param rx the completion ring of its RX ring: the same one on P4
 * @linux bnxt_poll, bnxt_poll_p5, dim_update_sample
 */
export function bnxtDimSample(bp: Bnxt, cpr: BnxtCpRingInfo, rx: BnxtCpRingInfo): void {
  const { now } = cpr.cpu;
  if (!netDim(cpr.dim, now, cpr.eventCtr, rx.rxPackets, rx.rxBytes)) return;
  bp.dimQueue.push(cpr.bnapi);
  if (!bp.dimWork.armed) bp.dimWork.set(now + WORKQUEUE_PS);
}

/** @linux bnxt_dim_work */
export function bnxtDimWork(bp: Bnxt, now: Ps): void {
  for (const bnapi of bp.dimQueue.splice(0)) {
    const { dim } = bnapi.cpRing;
    const { usec, pkts } = netDimGetRxModeration(dim);
    bnxtHwrmSetRingCoal(bnapi, usec, pkts, now);
    dim.applied();
  }
}

/** The rings are about to go. @linux cancel_work_sync */
export function bnxtDimCancel(bp: Bnxt): void {
  bp.dimQueue.length = 0;
  bp.dimWork.cancel();
}
