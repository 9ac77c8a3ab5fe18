/**
 * The poll loop: from the interrupt to the doorbells that end a poll. `bnxtPoll` is P3/P4's; P5
 * has its own (`pollP5.ts`) around the same walk.
 *
 * Read it from the top: `bnxtMsix` schedules, `bnxtPoll` loops while budget and completions last,
 * `__bnxtPollWork` walks the completion ring, `__bnxtPollWorkDone` frees what was sent and gives
 * buffers back.
 *
 * @linux drivers/net/ethernet/broadcom/bnxt/bnxt.c
 */
import type { Cpu } from '../../host/cpu.ts';
import { dmaRmb, wmb } from '../../host/dma.ts';
import { EBUSY, ENOMEM } from '../../host/errno.ts';
import { TP_IRQ } from '../../host/trace.ts';
import {
  CMP_TYPE_RX_L2_CMP,
  CMP_TYPE_RX_L2_TPA_START_V3_CMP,
  cmpType,
  cmpValid,
} from '../../nic/hsi/rxCmp.ts';
import {
  CMP_TYPE_TX_L2_CMP,
  CMP_TYPE_TX_L2_COAL_CMP,
  txCmpOpaque,
  txCmpSqConsIdx,
} from '../../nic/hsi/txCmp.ts';
import { txOpaqueProd, txOpaqueRing } from '../../nic/hsi/txBd.ts';
import type { NapiStruct } from '../../stack/napi.ts';
import { napiCompleteDone, napiSchedule } from '../../stack/napi.ts';
import { xdpDoFlush } from '../../xdp/redirect.ts';
import type { Bnxt, BnxtCpRingInfo, BnxtNapi } from './bnxt.ts';
import { BNXT_REDIRECT_EVENT, BNXT_RX_EVENT, BNXT_TX_CMP_EVENT, BNXT_TX_EVENT } from './bnxt.ts';
import { bnxtDbCq, bnxtDbCqArm, bnxtDbWrite, bnxtDbWriteRelaxed } from './db.ts';
import { bnxtDimSample } from './dim.ts';
import { bnxtForceRxDiscard, bnxtRxPkt } from './rx.ts';

const CP_SLOT_SHIFT = 4;

/**
 * Is the completion at `rawCons` the NIC's of this lap?
 *
 * A slot that reads empty may only be one the NIC has not been asked about: the bus lets it catch
 * up with this CPU, and the slot is read once more. Nothing else in the driver knows of that.
 *
 * @linux TX_CMP_VALID, RX_CMP_VALID
 */
export function bnxtCmpValid(cpr: BnxtCpRingInfo, rawCons: number): boolean {
  const at = cpr.cpDescRing + ((rawCons & cpr.cpRingMask) << CP_SLOT_SHIFT);
  const lap = (rawCons & cpr.cpBit) === 0 ? 0 : 1;
  if (cmpValid(cpr.words, at, lap)) return true;
  return catchUp(cpr) && cmpValid(cpr.words, at, lap);
}

/** Let the NIC catch up with who polls. @returns false when nothing can have changed */
export const catchUp = (cpr: BnxtCpRingInfo): boolean =>
  cpr.bus.settle(cpr.cpu, cpr.cpDb.doorbell, cpr.cpDb.dbKeyHi);

/** Hard interrupt of one completion ring. The NIC sends one message per arm, so nothing is masked. @linux bnxt_msix */
export function bnxtMsix(bnapi: BnxtNapi): void {
  const cpr = bnapi.cpRing;
  const { cpu } = bnapi.irq;
  cpr.eventCtr++;
  if (bnapi.bp.watch.on) bnapi.bp.watch.point(TP_IRQ, cpu, bnapi.napi.napiId);
  napiSchedule(bnapi.napi, cpu);
}

/**
 * One NAPI poll of a P3/P4 completion ring.
 *
 * May walk the ring several times: each pass frees and posts, which lets the NIC complete more.
 *
 * Linux begins with a test for dead firmware, which here never dies.
 *
 * @param budget frames; 0 is netpoll, which wants TX completions only
 * @returns frames received; `budget` means poll again
 * @linux bnxt_poll
 */
export function bnxtPoll(napi: NapiStruct, bnapi: BnxtNapi, budget: number): number {
  const { bp } = bnapi;
  const cpr = bnapi.cpRing;
  const txWakes = napi.endedBy.txWake;
  let workDone = 0;

  cpr.sawPartial = false;
  pollOnCpu(bnapi, napi.cpu);
  for (;;) {
    workDone += bnxtPollWork(bp, cpr, budget - workDone);

    if (workDone >= budget) {
      if (budget === 0) bnxtDbCqArm(bp, cpr, cpr.cpRawCons);
      else if (napi.endedBy.txWake === txWakes) napi.endedBy.budget++;
      break;
    }

    if (!bnxtHasWork(cpr)) {
      if (cpr.sawPartial) napi.endedBy.busy++;
      else napi.endedBy.empty++;
      if (napiCompleteDone(napi, workDone)) bnxtDbCqArm(bp, cpr, cpr.cpRawCons);
      break;
    }
  }
  bnxtDimSample(bp, bnapi);
  return workDone;
}

/** Rings and programs of this NAPI work on `cpu`'s time from here on. */
export function pollOnCpu(bnapi: BnxtNapi, cpu: Cpu): void {
  bnapi.cpRing.cpu = cpu;
  for (const cpr of bnapi.cpRing.cpRingArr) cpr.cpu = cpu;
  if (bnapi.rxRing !== null) bnapi.rxRing.cpu = cpu;
  bnapi.bp.pdev.xdp.cpu = cpu;
}

/** @linux bnxt_has_work */
function bnxtHasWork(cpr: BnxtCpRingInfo): boolean {
  return bnxtCmpValid(cpr, cpr.cpRawCons);
}

/**
 * Walk the completion ring, acknowledge it, and only then free and refill: both let the NIC
 * complete more, and the ring must have room for that.
 *
 * @linux bnxt_poll_work
 */
export function bnxtPollWork(bp: Bnxt, cpr: BnxtCpRingInfo, budget: number): number {
  const rxPkts = __bnxtPollWork(bp, cpr, budget);
  bnxtDbCq(bp, cpr, cpr.cpRawCons);
  __bnxtPollWorkDone(bp, cpr.bnapi, budget);
  return rxPkts;
}

/**
 * Walks one completion ring until it is empty or `budget` frames have been received.
 *
 * A TX completion only moves its ring's `txHwCons`. Packets that are dropped, sent back, redirected or passed
 * up one after the other are walked by `rxWalk.ts`, which does what is said here. Redirects are flushed and XDP
 * transmissions made known once, after the walk.
 *
 * @param budget frames; 0: receive nothing
 * @returns frames received
 * @linux __bnxt_poll_work
 */
export function __bnxtPollWork(bp: Bnxt, cpr: BnxtCpRingInfo, budget: number): number {
  const { bnapi, words, cpu, cpDescRing, cpRingMask, cpBit } = cpr;
  const rxr = bnapi.rxRing;
  const walk = rxr?.walk?.begin(cpr, budget) === true ? rxr.walk : null;
  let rawCons = cpr.cpRawCons;
  let rxPkts = 0;
  let event = 0;

  cpr.hasMoreWork = false;
  cpr.hadWorkDone = true;
  for (;;) {
    const at = cpDescRing + ((rawCons & cpRingMask) << CP_SLOT_SHIFT);
    const lap = (rawCons & cpBit) === 0 ? 0 : 1;
    if (!cmpValid(words, at, lap) && !bnxtCmpValid(cpr, rawCons)) break;
    if (walk !== null && walk.isWorthIt(rawCons, budget - rxPkts)) {
      rxr!.rawCons = rawCons;
      rxr!.event = event;
      rxPkts += walk.run(budget - rxPkts);
      event = rxr!.event;
      const isMoved = rawCons !== rxr!.rawCons;
      rawCons = rxr!.rawCons;
      cpr.hasMoreWork = rxPkts === budget;
      if (cpr.hasMoreWork || walk.foundEmpty) break;
      if (isMoved) continue;
    }
    dmaRmb(cpu); // V first, the rest of the slot after it
    const type = cmpType(words, at);

    if (type === CMP_TYPE_TX_L2_CMP || type === CMP_TYPE_TX_L2_COAL_CMP) {
      event |= BNXT_TX_CMP_EVENT;
      if (bnxtTxCmp(bp, cpr, at, type) >= bp.txWakeThresh) {
        // half a ring is free: report a full budget, so that the core polls again at once
        rxPkts = budget;
        rawCons++;
        if (budget > 0) cpr.hasMoreWork = true;
        bnapi.napi.endedBy.txWake++;
        break;
      }
    } else if (type >= CMP_TYPE_RX_L2_CMP && type <= CMP_TYPE_RX_L2_TPA_START_V3_CMP) {
      rxr!.rawCons = rawCons;
      rxr!.event = event;
      const rc = budget > 0 ? bnxtRxPkt(rxr!) : bnxtForceRxDiscard(rxr!);
      rawCons = rxr!.rawCons;
      event = rxr!.event;
      if (rc >= 0) rxPkts += rc;
      else if (rc === -ENOMEM && budget > 0)
        rxPkts++; // charged, or an empty pool would keep us here for ever
      else if (rc === -EBUSY) {
        cpr.sawPartial = true;
        break; // the second slot is not written yet: leave both
      }
    }
    rawCons++;

    if (rxPkts > 0 && rxPkts === budget) {
      cpr.hasMoreWork = true;
      break;
    }
  }

  if ((event & BNXT_REDIRECT_EVENT) !== 0) {
    xdpDoFlush(bp.pdev.xdp, cpu);
    event &= ~BNXT_REDIRECT_EVENT;
  }
  if ((event & BNXT_TX_EVENT) !== 0) {
    const txr = bnapi.txRing[0]!;
    wmb();
    bnxtDbWriteRelaxed(bp, cpu, txr.txDb, txr.txProd);
    event &= ~BNXT_TX_EVENT;
  }
  cpr.cpRawCons = rawCons;
  bnapi.events |= event;
  return rxPkts;
}

/** Take the consumer index out of a TX completion. @returns descriptors now free @linux __bnxt_poll_work, its TX branch */
export function bnxtTxCmp(bp: Bnxt, cpr: BnxtCpRingInfo, at: number, type: number): number {
  const opaque = txCmpOpaque(cpr.words, at);
  const txr = cpr.bnapi.txRing[txOpaqueRing(opaque)]!;
  txr.txHwCons =
    type === CMP_TYPE_TX_L2_COAL_CMP
      ? txCmpSqConsIdx(cpr.words, at) & bp.txRingMask
      : txOpaqueProd(opaque, bp.txRingMask);
  return (txr.txHwCons - txr.txCons) & bp.txRingMask;
}

/** Free what was sent, then give buffers back to the NIC. @linux __bnxt_poll_work_done */
export function __bnxtPollWorkDone(bp: Bnxt, bnapi: BnxtNapi, budget: number): void {
  if ((bnapi.events & BNXT_TX_CMP_EVENT) !== 0 && !bnapi.txFault) bnapi.txInt(bnapi, budget);

  if ((bnapi.events & BNXT_RX_EVENT) !== 0 && !bnapi.inReset) {
    const rxr = bnapi.rxRing!;
    bnxtDbWrite(bp, bnapi.cpRing.cpu, rxr.rxDb, rxr.rxProd);
    bp.rxDoorbellPolls++;
    bnapi.events &= ~BNXT_RX_EVENT;
  }
}
