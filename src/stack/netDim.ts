/**
 * Dynamic interrupt moderation: from what the last interrupts brought, which coalescing comes next.
 *
 * A hill climber over five profiles. Each 64 interrupts make a window; if more bytes a millisecond
 * came than in the window before (or, bytes being equal, more packets; or, these being equal too,
 * fewer interrupts), it goes on in its direction, else it turns. Once it has found the top it parks
 * there until the load changes by more than a tenth.
 *
 * @linux net_dim; lib/dim/net_dim.c, lib/dim/dim.c, include/linux/dim.h
 */
import type { Ps } from '../host/clock.ts';
import { PS_PER_NS } from '../host/clock.ts';

/** Interrupts in a window. */
const DIM_NEVENTS = 64;
export const NET_DIM_PARAMS_NUM_PROFILES = 5;
const USEC_PER_MSEC = 1000;
const NSEC_PER_USEC = 1000;

/** @linux enum dim_state */
const DIM_START_MEASURE = 0;
const DIM_MEASURE_IN_PROGRESS = 1;
const DIM_APPLY_NEW_PROFILE = 2;

/** @linux enum dim_tune_state */
export const DIM_PARKING_ON_TOP = 0;
export const DIM_PARKING_TIRED = 1;
export const DIM_GOING_RIGHT = 2;
export const DIM_GOING_LEFT = 3;

type Compared = 'worse' | 'same' | 'better';
type Stepped = 'stepped' | 'too tired' | 'on edge';

/** @linux struct dim_cq_moder */
export interface DimCqModer {
  readonly usec: number;
  readonly pkts: number;
}

/** Rings whose timer starts with the first completion. @linux NET_DIM_RX_EQE_PROFILES */
export const NET_DIM_RX_EQE_PROFILES: readonly DimCqModer[] = [
  { usec: 1, pkts: 256 },
  { usec: 8, pkts: 256 },
  { usec: 64, pkts: 256 },
  { usec: 128, pkts: 256 },
  { usec: 256, pkts: 256 },
];

/** Rings whose timer starts anew with each completion. @linux NET_DIM_RX_CQE_PROFILES */
export const NET_DIM_RX_CQE_PROFILES: readonly DimCqModer[] = [
  { usec: 2, pkts: 256 },
  { usec: 8, pkts: 128 },
  { usec: 16, pkts: 64 },
  { usec: 32, pkts: 64 },
  { usec: 64, pkts: 64 },
];

/** @linux NET_DIM_TX_EQE_PROFILES */
export const NET_DIM_TX_EQE_PROFILES: readonly DimCqModer[] = [
  { usec: 1, pkts: 128 },
  { usec: 8, pkts: 128 },
  { usec: 32, pkts: 128 },
  { usec: 64, pkts: 128 },
  { usec: 128, pkts: 128 },
];

/** Counters at one moment; they count on for ever, as u16 (events) and u32. @linux struct dim_sample */
interface DimSample {
  at: Ps;
  events: number;
  packets: number;
  bytes: number;
}

/** Per millisecond. @linux struct dim_stats */
interface DimStats {
  readonly ppms: number;
  readonly bpms: number;
  readonly epms: number;
}

/** One moderated ring. All that a zeroed structure has is where it begins. @linux struct dim */
export class Dim {
  state: number = DIM_START_MEASURE;
  tuneState: number = DIM_PARKING_ON_TOP;
  /** The five settings it chooses from. */
  profiles: readonly DimCqModer[] = NET_DIM_RX_EQE_PROFILES;
  profileIx = 0;
  stepsRight = 0;
  stepsLeft = 0;
  tired = 0;
  prevStats: DimStats = { ppms: 0, bpms: 0, epms: 0 };
  readonly start: DimSample = { at: 0, events: 0, packets: 0, bytes: 0 };

  /** The driver has programmed the profile: measure anew. */
  applied(): void {
    this.state = DIM_START_MEASURE;
  }
}

/** What `dim` wants now. @linux net_dim_get_rx_moderation, net_dim_get_tx_moderation */
export const netDimGetModeration = ({ profiles, profileIx }: Dim): DimCqModer =>
  profiles[profileIx]!;

/**
 * One sample, taken at the end of each poll.
 *
 * @returns true when there is a new profile: the driver programs it and calls `applied`
 * @linux net_dim
 */
export function netDim(dim: Dim, now: Ps, events: number, packets: number, bytes: number): boolean {
  const { start } = dim;
  if (dim.state === DIM_APPLY_NEW_PROFILE) return false;
  if (dim.state === DIM_MEASURE_IN_PROGRESS) {
    if (((events - start.events) & 0xffff) < DIM_NEVENTS) return false;
    const deltaUs = ktimeUsDelta(now, start.at);
    if (deltaUs === 0) return false;
    const perMs = (count: number): number => Math.ceil((count * USEC_PER_MSEC) / deltaUs);
    const stats = {
      ppms: perMs((packets - start.packets) >>> 0),
      bpms: perMs((bytes - start.bytes) >>> 0),
      epms: perMs(DIM_NEVENTS),
    };
    if (netDimDecision(dim, stats)) {
      dim.state = DIM_APPLY_NEW_PROFILE;
      return true;
    }
  }
  start.at = now;
  start.events = events;
  start.packets = packets;
  start.bytes = bytes;
  dim.state = DIM_MEASURE_IN_PROGRESS;
  return false;
}

/** Clocks read nanoseconds. @linux ktime_us_delta */
const ktimeUsDelta = (later: Ps, earlier: Ps): number =>
  Math.floor((Math.floor(later / PS_PER_NS) - Math.floor(earlier / PS_PER_NS)) / NSEC_PER_USEC);

/** @returns true when the profile has changed @linux net_dim_decision */
function netDimDecision(dim: Dim, stats: DimStats): boolean {
  const before = { state: dim.tuneState, ix: dim.profileIx };
  if (before.state === DIM_PARKING_ON_TOP) {
    if (netDimStatsCompare(stats, dim.prevStats) !== 'same') netDimExitParking(dim);
  } else if (before.state === DIM_PARKING_TIRED) {
    dim.tired--;
    if (dim.tired === 0) netDimExitParking(dim);
  } else {
    if (netDimStatsCompare(stats, dim.prevStats) !== 'better') dimTurn(dim);
    if (dimOnTop(dim)) dimPark(dim, DIM_PARKING_ON_TOP);
    else {
      const step = netDimStep(dim);
      if (step === 'on edge') dimPark(dim, DIM_PARKING_ON_TOP);
      else if (step === 'too tired') dimPark(dim, DIM_PARKING_TIRED);
    }
  }
  // on top, windows are held against the one that led there, so that a slow drift shows as well
  if (before.state !== DIM_PARKING_ON_TOP || dim.tuneState !== DIM_PARKING_ON_TOP)
    dim.prevStats = stats;
  return dim.profileIx !== before.ix;
}

/** More than ten per cent, in whole per cent. @linux IS_SIGNIFICANT_DIFF */
const significant = (value: number, reference: number): boolean =>
  Math.floor((100 * Math.abs(value - reference)) / reference) > 10;

/** @linux net_dim_stats_compare */
function netDimStatsCompare(now: DimStats, before: DimStats): Compared {
  for (const key of ['bpms', 'ppms'] as const) {
    if (before[key] === 0) return now[key] > 0 ? 'better' : 'same';
    if (significant(now[key], before[key])) return now[key] > before[key] ? 'better' : 'worse';
  }
  if (before.epms === 0 || !significant(now.epms, before.epms)) return 'same';
  return now.epms < before.epms ? 'better' : 'worse';
}

/** @linux net_dim_step */
function netDimStep(dim: Dim): Stepped {
  if (dim.tired === NET_DIM_PARAMS_NUM_PROFILES * 2) return 'too tired';
  if (dim.tuneState === DIM_GOING_RIGHT) {
    if (dim.profileIx === NET_DIM_PARAMS_NUM_PROFILES - 1) return 'on edge';
    dim.profileIx++;
    dim.stepsRight++;
  } else if (dim.tuneState === DIM_GOING_LEFT) {
    if (dim.profileIx === 0) return 'on edge';
    dim.profileIx--;
    dim.stepsLeft++;
  }
  dim.tired++;
  return 'stepped';
}

/** @linux net_dim_exit_parking */
function netDimExitParking(dim: Dim): void {
  dim.tuneState = dim.profileIx > 0 ? DIM_GOING_LEFT : DIM_GOING_RIGHT;
  netDimStep(dim);
}

/** Never called while parking. @linux dim_turn */
function dimTurn(dim: Dim): void {
  if (dim.tuneState === DIM_GOING_RIGHT) {
    dim.tuneState = DIM_GOING_LEFT;
    dim.stepsLeft = 0;
  } else {
    dim.tuneState = DIM_GOING_RIGHT;
    dim.stepsRight = 0;
  }
}

/** It has turned twice, with but one step since: the top is where it stands. @linux dim_on_top */
const dimOnTop = ({ tuneState, stepsLeft, stepsRight }: Dim): boolean =>
  tuneState === DIM_GOING_RIGHT
    ? stepsLeft > 1 && stepsRight === 1
    : stepsRight > 1 && stepsLeft === 1;

/** A tired one keeps its tiredness, and rests it off. @linux dim_park_on_top, dim_park_tired */
function dimPark(dim: Dim, where: number): void {
  dim.stepsRight = 0;
  dim.stepsLeft = 0;
  if (where === DIM_PARKING_ON_TOP) dim.tired = 0;
  dim.tuneState = where;
}
