/**
 * Interrupt coalescing: what ethtool sets, and what the firmware is told.
 *
 * The firmware is told everything that Linux tells it. The NIC emulated here acts on the number of
 * records and on the longest wait until an interrupt, and on the `-irq` values: so many records, or
 * so long a time, gather between an interrupt and the next arm before they are written to the ring
 * (`nic/gathering.ts` says exactly what happens when). bnxt's default for RX, two records, is one
 * packet, which waits for nothing; but TX completions wait for another or for 2 us, on a ring that
 * they share with RX for another, a packet, or 1 us. Rounding is bnxt's: a frame is two records, at
 * most 63 records gather, and times are whole ticks of 80 ns, at least one.
 *
 * The shortest wait, the idle timer and the limits of gathering while interrupts are on change
 * nothing. Those limits are invisible: nobody looks at an armed ring before its interrupt, and that
 * brings all that has gathered. (A busy poller does look: it finds completions up to a quarter of
 * the interrupt's timer earlier here.) TIMER_RESET, which Linux sets from the start where firmware
 * offers it, is off here until `ethtool -C` asks for CQE mode.
 *
 * @linux struct bnxt_coal, bnxt_hwrm_set_coal_params, bnxt_set_coalesce; bnxt.c, bnxt_ethtool.c
 */
import type { Ps } from '../../host/clock.ts';
import { PS_PER_US } from '../../host/clock.ts';
import { RING_CMPL_RING_CFG_AGGINT_PARAMS_REQ_FLAGS_TIMER_RESET as TIMER_RESET } from '../../nic/hsi/hwrm.ts';
import type { Hwrm, HwrmRingAggintQcapsOutput } from '../../nic/hsi/hwrm.ts';
import type { Bnxt, BnxtCpRingInfo } from './bnxt.ts';
import { BNXT_FLAG_DIM, bnxtChipP5 } from './bnxt.ts';

/** @linux RING_CMPL_RING_CFG_AGGINT_PARAMS_REQ_FLAGS_RING_IDLE, _IS_NQ */
const RING_IDLE = 2;
const IS_NQ = 4;

export interface BnxtCoal {
  /** Microseconds. */
  coalTicks: number;
  coalTicksIrq: number;
  /** Completion records. */
  coalBufs: number;
  coalBufsIrq: number;
  /** With fewer ticks than this, an idle timer as well. */
  idleThresh: number;
  /** TIMER_RESET or none. */
  flags: number;
  readonly bufsPerRecord: number;
  /** Frames of a poll, more of which are never gathered; 0: 128. */
  readonly budget: number;
}

/**
 * 10 us and 15 frames; an RX completion is two records.
 *
 * @param mostFrames what a NIC whose timing is looked at takes instead of the driver's limit
 * @linux bnxt_init_dflt_coal
 */
export const dfltRxCoal = (mostFrames: number = 64): BnxtCoal => ({
  coalTicks: 10,
  coalTicksIrq: 1,
  coalBufs: 30,
  coalBufsIrq: 2,
  idleThresh: 50,
  flags: 0,
  bufsPerRecord: 2,
  budget: mostFrames,
});

/** 28 us and 30 frames; no idle timer, and no poll limits the records. @linux bnxt_init_dflt_coal */
export const dfltTxCoal = (): BnxtCoal => ({
  coalTicks: 28,
  coalTicksIrq: 2,
  coalBufs: 30,
  coalBufsIrq: 2,
  idleThresh: 0,
  flags: 0,
  bufsPerRecord: 1,
  budget: 0,
});

/** Program one completion ring. @linux bnxt_hwrm_set_coal_params */
function bnxtHwrmSetCoalParams(
  hwrm: Hwrm,
  caps: HwrmRingAggintQcapsOutput,
  coal: BnxtCoal,
  ringId: number,
  now: Ps,
): void {
  const most = Math.min(
    coal.bufsPerRecord * (coal.budget === 0 ? 128 : coal.budget),
    caps.numCmplAggrIntMax,
  );
  const records = clamp(coal.coalBufs, 1, most);
  const ticks = clamp(usecToCoalTmr(caps, coal.coalTicks), 1, caps.intLatTmrMaxMax);
  const req = {
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
    flags: coal.flags | (coal.coalTicks < coal.idleThresh ? RING_IDLE : 0),
  };
  hwrm.ringCmplRingCfgAggintParams(req, now);
}

/** In 16 bits, before any limit is looked at: what is too long comes out short. @linux bnxt_usec_to_coal_tmr */
const usecToCoalTmr = (caps: HwrmRingAggintQcapsOutput, usec: number): number =>
  Math.floor((usec * PS_PER_US) / caps.timerUnitPs) & 0xffff;

const clamp = (value: number, min: number, max: number): number =>
  Math.min(Math.max(value, min), max);

/** Every completion ring of the device: RX settings where it serves an RX ring, else those for TX. @linux bnxt_hwrm_set_coal */
export function bnxtHwrmSetCoal(bp: Bnxt): void {
  const { hwrm } = bp.pdev;
  const caps = hwrm.ringAggintQcaps();
  const now = bp.ctlNow;
  for (const { index, rxRing, txRing, cpRing } of bp.bnapi) {
    if (rxRing !== null) bp.dimBooksOf(index, 'rx').setBack(rxRing.cpr.dim.profileIx, now);
    if (txRing.length > 0) bp.dimBooksOf(index, 'tx').setBack(txRing[0]!.cpr.dim.profileIx, now);
    const coal = rxRing === null ? bp.txCoal : bp.rxCoal;
    const cpr = rxRing === null ? txRing[0]!.cpr : rxRing.cpr;
    bnxtHwrmSetCoalParams(hwrm, caps, coal, cpr.fwRingId, now);
    if (!bnxtChipP5(bp)) continue;
    if (rxRing !== null && txRing.length > 0)
      bnxtHwrmSetCoalParams(hwrm, caps, bp.txCoal, txRing[0]!.cpr.fwRingId, now);
    bnxtHwrmSetCoalNq(hwrm, caps, coal, cpRing.fwRingId, now);
  }
}

/** A notification queue has a shortest wait alone: half of what its first ring waits. @linux __bnxt_hwrm_set_coal_nq */
function bnxtHwrmSetCoalNq(
  hwrm: Hwrm,
  caps: HwrmRingAggintQcapsOutput,
  coal: BnxtCoal,
  ringId: number,
  now: Ps,
): void {
  const ticks = Math.floor(usecToCoalTmr(caps, coal.coalTicks) / 2);
  const req = {
    ringId,
    intLatTmrMin: clamp(ticks, 1, caps.intLatTmrMinMax),
    flags: IS_NQ,
    ...{ numCmplAggrInt: 0, numCmplDmaAggr: 0, numCmplDmaAggrDuringInt: 0 },
    ...{ intLatTmrMax: 0, cmplAggrDmaTmr: 0, cmplAggrDmaTmrDuringInt: 0 },
  };
  hwrm.ringCmplRingCfgAggintParams(req, now);
}

/**
 * One ring as DIM wants it. bnxt takes DIM's numbers for records, and limits them like any; a NIC
 * with limits of its own takes them for frames.
 *
 * @linux bnxt_hwrm_set_ring_coal
 */
export function bnxtHwrmSetRingCoal(
  cpr: BnxtCpRingInfo,
  usec: number,
  pkts: number,
  now: Ps,
): void {
  const { bp, rxRing } = cpr.bnapi;
  const { hwrm, moderation } = bp.pdev;
  const set = cpr === rxRing?.cpr ? bp.rxCoal : bp.txCoal;
  const records = moderation === null ? pkts : pkts * set.bufsPerRecord;
  const coal = { ...set, coalTicks: usec, coalBufs: records };
  bnxtHwrmSetCoalParams(hwrm, hwrm.ringAggintQcaps(), coal, cpr.fwRingId, now);
}

/** Does DIM count from the last completion? bnxt's never does; mlx5's follows the mode that is set. */
export const countsFromLast = ({ pdev, rxCoal }: Bnxt): boolean =>
  pdev.moderation !== null && rxCoal.flags === TIMER_RESET;

/** What `ethtool -C` can set; what is left out stays as it is. Times in microseconds. */
export interface BnxtCoalesce {
  readonly adaptiveRx?: boolean | undefined;
  readonly rxUsecs?: number | undefined;
  readonly rxFrames?: number | undefined;
  readonly rxUsecsIrq?: number | undefined;
  readonly rxFramesIrq?: number | undefined;
  readonly txUsecs?: number | undefined;
  readonly txFrames?: number | undefined;
  readonly txUsecsIrq?: number | undefined;
  readonly txFramesIrq?: number | undefined;
  /** Interrupt that long after the last completion instead of the first. */
  readonly cqeModeRx?: boolean | undefined;
  readonly cqeModeTx?: boolean | undefined;
}

/**
 * `ethtool -C`. As read, switching DIM off sets every ring back to what was set before, and what
 * else the same command asks for is ignored.
 *
 * @linux bnxt_set_coalesce
 */
export function bnxtSetCoalesce(bp: Bnxt, c: BnxtCoalesce): void {
  const { rxCoal, txCoal } = bp;
  const wasOn = (bp.flags & BNXT_FLAG_DIM) !== 0;
  const on = c.adaptiveRx ?? wasOn;
  if (on) bp.flags |= BNXT_FLAG_DIM;
  else bp.flags &= ~BNXT_FLAG_DIM;
  if (on || !wasOn) {
    setCoal(rxCoal, c.rxUsecs, c.rxFrames, c.rxUsecsIrq, c.rxFramesIrq);
    setCoal(txCoal, c.txUsecs, c.txFrames, c.txUsecsIrq, c.txFramesIrq);
    setCqeMode(rxCoal, c.cqeModeRx);
    setCqeMode(txCoal, c.cqeModeTx);
  }
  if (bp.open) bnxtHwrmSetCoal(bp);
}

function setCqeMode(coal: BnxtCoal, on: boolean | undefined): void {
  if (on !== undefined) coal.flags = on ? TIMER_RESET : 0;
}

function setCoal(
  coal: BnxtCoal,
  ticks: number = coal.coalTicks,
  frames: number = coal.coalBufs / coal.bufsPerRecord,
  ticksIrq: number = coal.coalTicksIrq,
  framesIrq: number = coal.coalBufsIrq / coal.bufsPerRecord,
): void {
  coal.coalTicks = ticks;
  coal.coalBufs = frames * coal.bufsPerRecord;
  coal.coalTicksIrq = ticksIrq;
  coal.coalBufsIrq = framesIrq * coal.bufsPerRecord;
}
