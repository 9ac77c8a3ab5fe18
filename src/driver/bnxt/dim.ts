/**
 * Adaptive moderation: the driver's side of DIM (`stack/netDim.ts`).
 *
 * A poll samples; the new profile is programmed by the kworker of its CPU, for that ring alone, as
 * soon as that gets the CPU. What the firmware takes to answer is left out.
 *
 * @linux bnxt_dim_work; drivers/net/ethernet/broadcom/bnxt/bnxt_dim.c
 */
import type { Alarm, Ps } from '../../host/clock.ts';
import type { Cpu } from '../../host/cpu.ts';
import { BNXT_NQ_HDL_TYPE_RX } from '../../nic/hsi/nq.ts';
import type { DimCqModer } from '../../stack/netDim.ts';
import {
  NET_DIM_RX_CQE_PROFILES,
  NET_DIM_RX_EQE_PROFILES,
  NET_DIM_TX_EQE_PROFILES,
  netDim,
  netDimGetModeration,
} from '../../stack/netDim.ts';
import type { WorkStruct } from '../../stack/workqueue.ts';
import type { Bnxt, BnxtCpRingInfo, BnxtNapi } from './bnxt.ts';
import { BNXT_FLAG_DIM, bnxtChipP5 } from './bnxt.ts';
import { bnxtHwrmSetRingCoal, countsFromLast } from './coal.ts';

/**
 * The end of a poll: of RX alone, by the interrupts of its NAPI.
 *
 * @linux bnxt_poll, bnxt_poll_p5, dim_update_sample
 */
export function bnxtDimSample(bp: Bnxt, { cpRing, rxRing }: BnxtNapi): void {
  if ((bp.flags & BNXT_FLAG_DIM) === 0 || rxRing === null) return;
  if (bp.pdev.moderation === null || !bnxtChipP5(bp)) sample(bp, rxRing.cpr, cpRing.eventCtr);
}

/**
 * The end of a poll that arms its rings again, for a NIC that is moderated as mlx5 is: each ring by
 * its own events, those of transmission too.
 */
export function dimSampleRings(bp: Bnxt, { cpRing }: BnxtNapi): void {
  if ((bp.flags & BNXT_FLAG_DIM) === 0 || bp.pdev.moderation === null) return;
  for (const cpr of cpRing.cpRingArr) sample(bp, cpr, cpr.eventCtr);
}

function sample(bp: Bnxt, cpr: BnxtCpRingInfo, events: number): void {
  const { cpu } = cpr;
  if (!netDim(cpr.dim, cpu.now, events, cpr.packets, cpr.bytes)) return;
  const { net } = bp.dev;
  net.softnet[cpu.id]!.kworker.scheduleWork((cpr.dimWork ??= new DimWork(cpr)), net.irqs);
  // waking takes time, in which the NIC goes on: whoever samples rings is to see that
  const { doorbell, dbKeyHi } = cpr.bnapi.cpRing.cpDb;
  cpr.bus.settle(cpu, doorbell, dbKeyHi);
}

class DimWork implements WorkStruct {
  private readonly cpr: BnxtCpRingInfo;
  /** The firmware acts when all that comes before is over: this CPU may be ahead of others. */
  private readonly command: Alarm;

  constructor(cpr: BnxtCpRingInfo) {
    this.cpr = cpr;
    this.command = cpr.bnapi.bp.pdev.clock.alarm((at) => this.program(at));
  }

  work({ now }: Cpu): void {
    this.command.set(now);
  }

  cancel(): void {
    this.command.cancel();
  }

  /** @linux bnxt_dim_work */
  private program(now: Ps): void {
    const { cpr } = this;
    const { dim, bnapi } = cpr;
    const { bp } = bnapi;
    dim.profiles = profilesFor(bp, cpr);
    const { usec, pkts } = netDimGetModeration(dim);
    bnxtHwrmSetRingCoal(cpr, usec, pkts, now);
    const ring = cpr === bnapi.rxRing?.cpr ? 'rx' : 'tx';
    bp.dimBooksOf(bnapi.index, ring).moveTo(dim.profileIx, now);
    dim.applied();
  }
}

/** bnxt has but one list; mlx5 has those for transmission, and follows the mode that is set. */
function profilesFor(bp: Bnxt, cpr: BnxtCpRingInfo): typeof NET_DIM_RX_EQE_PROFILES {
  if (bnxtChipP5(bp) && cpr.cpRingType !== BNXT_NQ_HDL_TYPE_RX) return NET_DIM_TX_EQE_PROFILES;
  return countsFromLast(bp) ? NET_DIM_RX_CQE_PROFILES : NET_DIM_RX_EQE_PROFILES;
}

/** What DIM did to one ring. */
export interface RingDim {
  readonly profiles: readonly DimCqModer[];
  /** In force; null: what `ethtool -C` has set, as before the first move. */
  readonly profile: number | null;
  readonly up: number;
  readonly down: number;
  /** Time with what is set, then with profile after profile. */
  readonly spent: Float64Array;
}

/**
 * Of the NAPI with this index; bnxt has DIM move RX rings alone, mlx5 those of transmission too.
 *
 * @returns null without such a ring, and where DIM is off and never moved it
 */
export function ringDim(bp: Bnxt, index: number, ring: 'rx' | 'tx', until: Ps): RingDim | null {
  const cpr = (ring === 'rx' ? bp.rxRing[index] : bp.bnapi[index]?.txRing[0])?.cpr;
  const books = bp.dimBooks[ring][index];
  if (cpr === undefined || books === undefined) return null;
  if (ring === 'tx' && bp.pdev.moderation === null) return null;
  const { profile, up, down } = books;
  if ((bp.flags & BNXT_FLAG_DIM) === 0 && up + down === 0) return null;
  return { profiles: profilesFor(bp, cpr), profile, up, down, spent: books.spentUntil(until) };
}

/** The rings are about to go. @linux cancel_work_sync */
export function bnxtDimCancel(bp: Bnxt): void {
  for (const { cpRing } of bp.bnapi) {
    for (const { dimWork } of [cpRing, ...cpRing.cpRingArr]) {
      if (dimWork === null) continue;
      for (const { kworker } of bp.dev.net.softnet) kworker.cancelWork(dimWork);
      dimWork.cancel();
    }
  }
}
