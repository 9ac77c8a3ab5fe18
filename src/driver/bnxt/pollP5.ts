/**
 * The poll loop of P5 chips, where a NAPI has a notification queue and a completion ring for each
 * of its RX and TX rings.
 *
 * A completion ring is walked because it has notified; what a budget leaves in it is walked first
 * the next time. Arms go the other way round: completion rings first, the queue last.
 *
 * @linux bnxt_poll_p5; drivers/net/ethernet/broadcom/bnxt/bnxt.c
 */
import { dmaRmb } from '../../host/dma.ts';
import { BugError } from '../../host/errors.ts';
import {
  BNXT_NQ_HDL_TYPE_RX,
  NQ_CN_TYPE_CQ_NOTIFICATION,
  bnxtNqHdlIdx,
  bnxtNqHdlType,
  nqeCnHandle,
  nqeCnToggle,
  nqeCnType,
} from '../../nic/hsi/nq.ts';
import { DESC_SHIFT } from '../../nic/hsi/ring.ts';
import type { NapiStruct } from '../../stack/napi.ts';
import { napiCompleteDone } from '../../stack/napi.ts';
import type { Bnxt, BnxtNapi } from './bnxt.ts';
import { bnxtDbCqP5, bnxtDbNq, bnxtDbNqArm } from './db.ts';
import { bnxtDimSample, dimSampleRings } from './dim.ts';
import { __bnxtPollWork, __bnxtPollWorkDone, bnxtCmpValid, pollOnCpu } from './poll.ts';

/**
 * One NAPI poll of a P5 notification queue.
 *
 * Firmware that dies and its events are not emulated: notifications are all that comes.
 *
 * @param budget frames; 0 is netpoll, which wants TX completions only
 * @returns frames received; `budget` means poll again
 * @linux bnxt_poll_p5
 */
export function bnxtPollP5(napi: NapiStruct, bnapi: BnxtNapi, budget: number): number {
  const { bp, cpRing: cpr } = bnapi;
  const { words, cpDescRing, cpRingMask } = cpr;
  const txWakes = napi.endedBy.txWake;
  let rawCons = cpr.cpRawCons;
  let workDone = 0;
  const walksAll = bp.pdev.moderation !== null;

  pollOnCpu(bnapi, napi.cpu);
  cpr.sawPartial = false;
  if (cpr.hasMoreWork) {
    cpr.hasMoreWork = false;
    workDone = __bnxtPollCqs(bp, bnapi, budget);
  }
  for (;;) {
    if (!bnxtCmpValid(cpr, rawCons)) {
      if (walksAll && !cpr.hasMoreWork) workDone += pollUnnotified(bp, bnapi, budget - workDone);
      if (cpr.hasMoreWork) break;
      __bnxtPollCqsDone(bp, bnapi, true, budget);
      cpr.cpRawCons = rawCons;
      endedEmpty(bnapi);
      if (napiCompleteDone(napi, workDone)) {
        bnxtDbNqArm(bp, cpr, rawCons);
        dimSampleRings(bp, bnapi);
      }
      bnxtDimSample(bp, bnapi);
      return workDone;
    }
    dmaRmb(cpr.cpu); // V first, the rest of the entry after it

    const at = cpDescRing + ((rawCons & cpRingMask) << DESC_SHIFT);
    if (nqeCnType(words, at) !== NQ_CN_TYPE_CQ_NOTIFICATION)
      throw new BugError(`notification of type ${nqeCnType(words, at)}`);
    const handle = nqeCnHandle(words, at);
    // no budget for RX is left; transmissions need none
    if (budget > 0 && workDone >= budget && bnxtNqHdlType(handle) === BNXT_NQ_HDL_TYPE_RX) break;
    const cpr2 = cpr.cpRingArr[bnxtNqHdlIdx(handle)]!;
    cpr2.hadNqeNotify = true;
    cpr2.eventCtr++;
    cpr2.toggle = nqeCnToggle(words, at);
    workDone += __bnxtPollWork(bp, cpr2, budget - workDone);
    if (cpr2.hasMoreWork) cpr.hasMoreWork = true;
    rawCons++;
  }
  __bnxtPollCqsDone(bp, bnapi, false, budget);
  if (rawCons !== cpr.cpRawCons) {
    cpr.cpRawCons = rawCons;
    bnxtDbNq(bp, cpr, rawCons);
  }
  if (budget > 0 && napi.endedBy.txWake === txWakes) napi.endedBy.budget++;
  bnxtDimSample(bp, bnapi);
  return workDone;
}

/** Walk the rings that have not notified: whatever interrupts, mlx5 looks at all of them. */
function pollUnnotified(bp: Bnxt, { cpRing: cpr }: BnxtNapi, budget: number): number {
  let workDone = 0;
  for (const cpr2 of cpr.cpRingArr) {
    if (cpr2.hadNqeNotify || workDone >= budget) continue;
    cpr2.hadNqeNotify = true;
    workDone += __bnxtPollWork(bp, cpr2, budget - workDone);
    if (cpr2.hasMoreWork) cpr.hasMoreWork = true;
  }
  return workDone;
}

/** Walk every ring that has notified and not been armed since. @linux __bnxt_poll_cqs */
function __bnxtPollCqs(bp: Bnxt, { cpRing: cpr }: BnxtNapi, budget: number): number {
  let workDone = 0;
  for (const cpr2 of cpr.cpRingArr) {
    if (!cpr2.hadNqeNotify) continue;
    workDone += __bnxtPollWork(bp, cpr2, budget - workDone);
    if (cpr2.hasMoreWork) cpr.hasMoreWork = true;
  }
  return workDone;
}

/**
 * Acknowledge every ring that was walked, and only then free and refill, as on P4.
 *
 * @param arm the poll is complete: they may notify again
 * @linux __bnxt_poll_cqs_done
 */
function __bnxtPollCqsDone(bp: Bnxt, bnapi: BnxtNapi, arm: boolean, budget: number): void {
  for (const cpr2 of bnapi.cpRing.cpRingArr) {
    if (!cpr2.hadWorkDone) continue;
    if (arm) cpr2.hadNqeNotify = false;
    bnxtDbCqP5(bp, cpr2, cpr2.cpRawCons, arm, arm ? cpr2.toggle : 0);
    cpr2.hadWorkDone = false;
  }
  __bnxtPollWorkDone(bp, bnapi, budget);
}

function endedEmpty({ napi, cpRing }: BnxtNapi): void {
  let partial = false;
  for (const cpr2 of cpRing.cpRingArr) {
    partial ||= cpr2.sawPartial;
    cpr2.sawPartial = false;
  }
  if (partial) napi.endedBy.busy++;
  else napi.endedBy.empty++;
}
