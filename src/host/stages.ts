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
 *   wire       arrival on the wire until its last bit is on a wire again, by XDP_TX, redirect or
 *              forwarding, or until that of an application's answer is; a fragment counts as a packet.
 *              Where the sender measures (`SenderView`): by its own clock
 */
import type { Ps } from './clock.ts';
import { Histogram } from './histogram.ts';

/** Stages to the verdict: a packet has one value of each in `waiting`, next to each other. */
const STAGES = 4;
/** Packets that may wait before their stages are sorted into buckets. */
const WAITING = 256;

/** A sender whose own clock tells more, or other things, than the wire shows. */
export interface SenderView {
  /** What it measures of a packet that arrived and was sent at these times. */
  wayPs(arrived: Ps, sent: Ps): Ps;
}

export class StageTimes {
  private readonly dma: Histogram = new Histogram();
  private readonly interrupt: Histogram = new Histogram();
  private readonly poll: Histogram = new Histogram();
  private readonly verdict: Histogram = new Histogram();
  readonly socket: Histogram = new Histogram();
  private readonly wire: Histogram = new Histogram();
  private readonly sender: SenderView | null;
  private readonly waiting: Float64Array = new Float64Array(STAGES * WAITING);
  private readonly words: Int32Array = new Int32Array(this.waiting.buffer);
  private waits = 0;

  constructor(sender: SenderView | null = null) {
    this.sender = sender;
  }

  /** A packet that had arrived is on a wire again. */
  backOnWire(arrived: Ps, sent: Ps): void {
    const { sender } = this;
    this.wire.record(sender === null ? sent - arrived : sender.wayPs(arrived, sent));
  }

  /** The ways of one packet, in the order of time. */
  toVerdict(arrived: Ps, dmaDone: Ps, irqAt: Ps, pollAt: Ps, now: Ps): void {
    const handled = irqAt > dmaDone ? irqAt : dmaDone;
    const polled = pollAt > handled ? pollAt : handled;
    const { waiting, waits } = this;
    waiting[waits] = dmaDone - arrived;
    waiting[waits + 1] = handled - dmaDone;
    waiting[waits + 2] = polled - handled;
    waiting[waits + 3] = now - polled;
    this.waits = waits + STAGES;
    if (waits === STAGES * (WAITING - 1)) this.sort();
  }

  /** All stages, in the order of time. */
  histograms(): readonly (readonly [stage: string, times: Histogram])[] {
    this.sort();
    const { dma, interrupt, poll, verdict, socket, wire } = this;
    return Object.entries({ dma, interrupt, poll, verdict, socket, wire });
  }

  private sort(): void {
    const { dma, interrupt, poll, verdict, waiting, words, waits } = this;
    Histogram.recordRows([dma, interrupt, poll, verdict], waiting, words, waits / STAGES);
    this.waits = 0;
  }
}

/** What tells the stages of one RX queue's packets. */
export interface RxStages {
  /** A packet that arrived then has its verdict now. */
  verdict(arrived: Ps, now: Ps): void;
}
