/**
 * Interrupt coalescing: what ethtool shows, and what the firmware is told.
 *
 * The idle timer (`idle_thresh`) and the timers for records that arrive while an interrupt is
 * pending are programmed as Linux does, but the NIC emulated here does not act on them.
 *
 * @linux struct bnxt_coal, bnxt_hwrm_set_coal_params; bnxt.c
 */
import { PS_PER_US } from '../../host/clock.ts';
import type { Hwrm, HwrmRingAggintQcapsOutput } from '../../nic/hsi/hwrm.ts';
import type { Bnxt } from './bnxt.ts';

const RING_IDLE = 1;

export interface BnxtCoal {
  /** Microseconds. */
  coalTicks: number;
  coalTicksIrq: number;
  /** Completion records. */
  coalBufs: number;
  coalBufsIrq: number;
  idleThresh: number;
  readonly bufsPerRecord: number;
  readonly budget: number;
}

/** 10 us and 15 frames; an RX completion is two records. @linux bnxt_init_dflt_coal */
export const dfltRxCoal = (): BnxtCoal => ({
  coalTicks: 10,
  coalTicksIrq: 1,
  coalBufs: 30,
  coalBufsIrq: 2,
  idleThresh: 50,
  bufsPerRecord: 2,
  budget: 64,
});

/** 28 us and 30 frames. @linux bnxt_init_dflt_coal */
export const dfltTxCoal = (): BnxtCoal => ({
  coalTicks: 28,
  coalTicksIrq: 2,
  coalBufs: 30,
  coalBufsIrq: 2,
  idleThresh: 50,
  bufsPerRecord: 1,
  budget: 64,
});

/** Program one completion ring. @linux bnxt_hwrm_set_coal_params */
function bnxtHwrmSetCoalParams(
  hwrm: Hwrm,
  caps: HwrmRingAggintQcapsOutput,
  coal: BnxtCoal,
  ringId: number,
): void {
  const most = Math.min(
    coal.bufsPerRecord * (coal.budget === 0 ? 128 : coal.budget),
    caps.numCmplAggrIntMax,
  );
  const records = clamp(coal.coalBufs, 1, most);
  const ticks = clamp(usecToCoalTmr(caps, coal.coalTicks), 1, caps.intLatTmrMaxMax);
  hwrm.ringCmplRingCfgAggintParams({
    ringId,
    numCmplAggrInt: records,
    numCmplDmaAggr: Math.min(records, caps.numCmplDmaAggrMax),
    numCmplDmaAggrDuringInt: clamp(coal.coalBufsIrq, 1, caps.numCmplDmaAggrDuringIntMax),
    intLatTmrMax: ticks,
    intLatTmrMin: clamp(Math.floor(ticks / 2), 1, caps.intLatTmrMinMax),
    cmplAggrDmaTmr: clamp(Math.floor(ticks / 4), 1, caps.cmplAggrDmaTmrMax),
    cmplAggrDmaTmrDuringInt: clamp(
      usecToCoalTmr(caps, coal.coalTicksIrq),
      1,
      caps.cmplAggrDmaTmrDuringIntMax,
    ),
    flags: coal.coalTicks < coal.idleThresh ? RING_IDLE : 0,
  });
}

/** @linux bnxt_usec_to_coal_tmr */
const usecToCoalTmr = (caps: HwrmRingAggintQcapsOutput, usec: number): number =>
  Math.floor((usec * PS_PER_US) / caps.timerUnitPs);

const clamp = (value: number, min: number, max: number): number =>
  Math.min(Math.max(value, min), max);

/** Every completion ring of the device: RX settings where it serves an RX ring, else those for TX. @linux bnxt_hwrm_set_coal */
export function bnxtHwrmSetCoal(bp: Bnxt): void {
  const { hwrm } = bp.pdev;
  const caps = hwrm.ringAggintQcaps();
  for (const bnapi of bp.bnapi) {
    const coal = bnapi.rxRing === null ? bp.txCoal : bp.rxCoal;
    bnxtHwrmSetCoalParams(hwrm, caps, coal, bnapi.cpRing.fwRingId);
  }
}
