/**
 * The softirq dispatcher and its thread.
 *
 * Softirqs run when an interrupt handler returns, in front of any thread, round after round while
 * new ones are raised, but not longer than 10 rounds or 2 ms; the rest is left to ksoftirqd. Here
 * that thread simply goes on, even where applications wait: nobody shares the CPU fairly yet.
 * Switching to it costs nothing.
 *
 * @linux kernel/softirq.c
 */
import { OP_SOFTIRQ } from '../host/cost.ts';
import type { Work } from '../host/cpu.ts';
import { CTX_KSOFTIRQD, CTX_SOFTIRQ } from '../host/cpu.ts';
import { backlogInit } from './backlog.ts';
import { msecsToJiffies } from './jiffies.ts';
import type { Net } from './net.ts';
import { netRxAction } from './netRxAction.ts';
import { netTxAction } from './netTxAction.ts';
import type { SoftnetData } from './softnet.ts';
import { NET_RX_SOFTIRQ, NET_TX_SOFTIRQ, TIMER_SOFTIRQ } from './softnet.ts';

const MAX_SOFTIRQ_TIME_MS = 2;
const MAX_SOFTIRQ_RESTART = 10;

/** Let every CPU run what its interrupts have raised. @linux irq_exit, invoke_softirq */
export function softirqInit(net: Net): void {
  backlogInit(net);
  for (const sd of net.softnet) {
    const { cpu } = sd;
    cpu.irqExit = (): void => {
      if (cpu.work !== null && cpu.work !== cpu.runQueue.work) return; // the dispatcher runs, and will look
      cpu.work = sd.softirqPending !== 0 ? doSoftirq(net, sd) : cpu.runQueue.pick();
    };
  }
}

/** From the end of an interrupt until nothing is pending, the thread's share included. @linux do_softirq */
export function* doSoftirq(net: Net, sd: SoftnetData): Work {
  const interrupted = sd.cpu.enter(CTX_SOFTIRQ);
  yield* handleSoftirqs(net, sd);
  sd.cpu.enter(interrupted);
  if (sd.softirqPending === 0) return;
  sd.ksoftirqdWakeups++;
  yield* runKsoftirqd(net, sd);
}

/** The thread `ksoftirqd/N`: the same dispatcher, again and again. @linux run_ksoftirqd */
export function* runKsoftirqd(net: Net, sd: SoftnetData): Work {
  const interrupted = sd.cpu.enter(CTX_KSOFTIRQD);
  while (sd.softirqPending !== 0) {
    yield* handleSoftirqs(net, sd);
    yield; // cond_resched
  }
  sd.cpu.enter(interrupted);
}

/**
 * Rounds of pending softirqs; returns with some left when a limit is reached.
 *
 * @linux handle_softirqs, __do_softirq
 */
function* handleSoftirqs(net: Net, sd: SoftnetData): Work {
  const { cpu } = sd;
  const end = net.jiffies(cpu.now) + msecsToJiffies(MAX_SOFTIRQ_TIME_MS, net.hz);
  let maxRestart = MAX_SOFTIRQ_RESTART;
  cpu.charge(OP_SOFTIRQ);
  do {
    const pending = sd.softirqPending;
    sd.softirqPending = 0;
    if ((pending & (1 << TIMER_SOFTIRQ)) !== 0) net.timers.run(cpu);
    if ((pending & (1 << NET_TX_SOFTIRQ)) !== 0) netTxAction(sd);
    if ((pending & (1 << NET_RX_SOFTIRQ)) !== 0) yield* netRxAction(net, sd);
  } while (sd.softirqPending !== 0 && net.jiffies(cpu.now) < end && --maxRestart > 0);
}
