/**
 * The stages of one queue's packets, from what hardware, interrupt line and NAPI know: the driver
 * only says that a packet has its verdict.
 */
import type { BnxtRxRingInfo } from '../driver/bnxt/bnxt.ts';
import type { Ps } from '../host/clock.ts';
import type { IrqLine } from '../host/irq.ts';
import type { RxStages, StageTimes } from '../host/stages.ts';
import type { CompletionRing } from '../nic/completionRing.ts';
import type { Nic } from '../nic/nic.ts';

export class QueueStages implements RxStages {
  private readonly times: StageTimes;
  private readonly line: IrqLine;
  private readonly rxr: BnxtRxRingInfo;
  /** Its stamps say when each completion was written, also once the NIC has given the ring up. */
  private readonly completions: CompletionRing;

  /** @param rxr a ring that `nic` has */
  constructor(times: StageTimes, nic: Nic, line: IrqLine, rxr: BnxtRxRingInfo) {
    this.times = times;
    this.line = line;
    this.rxr = rxr;
    this.completions = nic.completionRings.find(({ id }) => id === rxr.cpr.fwRingId)!;
  }

  verdict(arrived: Ps, now: Ps): void {
    const { rxr, completions, line } = this;
    const dmaDone = completions.stamps[rxr.rawCons & completions.mask]!;
    this.times.toVerdict(arrived, dmaDone, line.deliveredAt, rxr.bnapi.napi.pollAt, now);
  }
}
