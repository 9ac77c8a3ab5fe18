/**
 * Where a packet's time goes, from the wire to its verdict and beyond: one histogram a stage.
 *
 * The first four follow each other and add up to the latency to the verdict. A packet that arrives
 * while its queue is being polled waits for no interrupt, and its wait for the poll is then 0.
 *
 *   dma        arrival on the wire until frame and completion lie in host memory
 *   interrupt  until the queue's interrupt handler runs: coalescing, MSI-X, hardirq entry
 *   poll       until the poll begins that reads it: softirq, other queues, ksoftirqd's turn
 *   verdict    until the program's verdict: packets before it in the poll, then itself
 *   socket     arrival on the wire until an application has read it
 *   wire       arrival on the wire until its last bit is on a wire again, by XDP_TX or redirect
 */
import type { Ps } from './clock.ts';
import { Histogram } from './histogram.ts';

export class StageTimes {
  readonly dma: Histogram = new Histogram();
  readonly interrupt: Histogram = new Histogram();
  readonly poll: Histogram = new Histogram();
  readonly verdict: Histogram = new Histogram();
  readonly socket: Histogram = new Histogram();
  readonly wire: Histogram = new Histogram();

  /** The ways of one packet, in the order of time. */
  toVerdict(arrived: Ps, dmaDone: Ps, irqAt: Ps, pollAt: Ps, now: Ps): void {
    const handled = Math.max(dmaDone, irqAt);
    const polled = Math.max(handled, pollAt);
    this.dma.record(dmaDone - arrived);
    this.interrupt.record(handled - dmaDone);
    this.poll.record(polled - handled);
    this.verdict.record(now - polled);
  }
}

/** What tells the stages of one RX queue's packets. */
export interface RxStages {
  /** A packet that arrived then has its verdict now. */
  verdict(arrived: Ps, now: Ps): void;
}
