/**
 * The stages of one queue's packets, from what hardware, interrupt line and NAPI know: the driver
 * only says that a packet has its verdict.
 */
import type { Bnxt, BnxtRxRingInfo } from '../driver/bnxt/bnxt.ts';
import type { Ps } from '../host/clock.ts';
import type { IrqLine } from '../host/irq.ts';
import type { RxStages, StageTimes } from '../host/stages.ts';
import type { CompletionRing } from '../nic/completionRing.ts';
import type { Nic } from '../nic/nic.ts';

export class QueueStages implements RxStages {
  private readonly times: StageTimes;
  private readonly nic: Nic;
  private readonly line: IrqLine;
  private readonly bp: () => Bnxt;
  private readonly queue: number;
  /** Found at the first packet of each open; the ring's stamps say when each completion was written. */
  private rxr: BnxtRxRingInfo | null = null;
  private completions: CompletionRing | null = null;

  constructor(times: StageTimes, nic: Nic, line: IrqLine, bp: () => Bnxt, queue: number) {
    this.times = times;
    this.nic = nic;
    this.line = line;
    this.bp = bp;
    this.queue = queue;
  }

  verdict(arrived: Ps, now: Ps): void {
    const rxr = this.rxr ?? this.find();
    const { stamps, mask } = this.completions!;
    const dmaDone = stamps[rxr.rawCons & mask]!;
    this.times.toVerdict(arrived, dmaDone, this.line.deliveredAt, rxr.bnapi.napi.pollAt, now);
  }

  private find(): BnxtRxRingInfo {
    const rxr = this.bp().rxRing[this.queue]!;
    this.rxr = rxr;
    this.completions = this.nic.completionRings.find(({ id }) => id === rxr.cpr.fwRingId)!;
    return rxr;
  }
}
