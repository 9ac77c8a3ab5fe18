/**
 * Completions gather in the NIC before it writes them to their ring.
 *
 * While a ring's interrupt is on its way or being served (from its message, on P5 its notification,
 * until the ring is armed again), a completion is not written when its DMA is done, but together with
 * others: as soon as there are `gatherRecords` records of 16 bytes, or `gatherTimerPs` after the first
 * of them, whichever comes first. All that are due by then are written then, in their order. A frame is
 * two records, a transmission one; RX and TX completions of one ring gather together.
 *
 * Arming the ring writes what has gathered, since the interrupt that it asks for tells of it; so do
 * new limits, and the end of the RX ring. While a ring is armed, completions are written as they come:
 * nobody looks before the message, and the message brings all. A full ring takes what there is room
 * for; the rest follows with the acknowledgement. The records' own times stay those of their DMA: how
 * long an interrupt waits does not depend on how they were written.
 *
 * What has gathered are those of the pending completions that are due and not written: there is no
 * other buffer. `releasedTo` is the time up to which they have been let through.
 *
 * @linux num_cmpl_dma_aggr_during_int, cmpl_aggr_dma_tmr_during_int; struct hwrm_ring_cmpl_ring_cfg_aggint_params_input
 */
import type { Ps } from '../host/clock.ts';
import type { CompletionRing } from './completionRing.ts';

/** Can a completion have to wait for another? Two records are one frame: it waits for nothing. */
export const gathers = (cp: CompletionRing): boolean =>
  cp.gatherRecords > 2 || (cp.gatherRecords === 2 && cp.txHead !== cp.txTail);

/** Completions due by then are written as they come, or have been; an armed ring's until its message leaves. */
export function releasedTo(cp: CompletionRing): Ps {
  if (!cp.armed) return cp.releasedTo;
  const at = cp.fireAt();
  return at > cp.releasedTo ? at : cp.releasedTo;
}

/** When the next completion, which is due at `due`, is written, as far as those tell that are pending now. */
export function writtenAt(cp: CompletionRing, due: Ps): Ps {
  return !gathers(cp) || due <= releasedTo(cp) ? due : gatheredAt(cp, due);
}

/** When what gathers from `first` on, when the next completion is due, is written. */
function gatheredAt(cp: CompletionRing, first: Ps): Ps {
  const { lane, gatherRecords, txTail, mask } = cp;
  const ring = lane === null ? null : lane.ring;
  const over = first + cp.gatherTimerPs;
  const pendingTail = ring === null ? 0 : ring.pendingTail;
  let pending = ring === null ? 0 : ring.pendingHead;
  let tx = cp.txHead;
  let records = 0;
  for (;;) {
    const rxAt = pending === pendingTail ? Infinity : ring!.pendingAt(pending);
    const txAt = tx === txTail ? Infinity : cp.txAt[tx & mask]!;
    const isRx = rxAt <= txAt;
    const at = isRx ? rxAt : txAt;
    if (at > over) return over;
    records += isRx ? 2 : 1;
    if (records >= gatherRecords) return at;
    if (isRx) pending = (pending + 1) | 0;
    else tx = (tx + 1) | 0;
  }
}
