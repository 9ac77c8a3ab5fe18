/**
 * The transmit softirq: queues that were stopped, and may send again.
 *
 * Freeing of skbs that a hard interrupt completed is left out: drivers here free in their polls.
 *
 * @linux net_tx_action; net/core/dev.c
 */
import { OP_SOFTIRQ } from '../host/cost.ts';
import { qdiscRun } from './qdisc.ts';
import type { SoftnetData } from './softnet.ts';

/** @linux net_tx_action */
export function netTxAction(sd: SoftnetData): void {
  const { cpu, outputQueue } = sd;
  cpu.charge(OP_SOFTIRQ);
  const count = outputQueue.length; // what these runs schedule anew waits for the next
  for (let i = 0; i < count; i++) {
    const q = outputQueue[i]!;
    q.scheduled = false;
    qdiscRun(q, cpu);
  }
  outputQueue.copyWithin(0, count);
  outputQueue.length -= count;
}
