/**
 * The softirq dispatcher and its thread.
 *
 * Softirqs run when an interrupt handler returns, in front of any thread, round after round while
 * new ones are raised, but not longer than 10 rounds or 2 ms; the rest is left to ksoftirqd, which
 * shares the CPU with the other threads. As since Linux 6.4, softirqs run at the end of an interrupt
 * or a system call also while ksoftirqd waits for its turn with the very same work.
 *
 * @linux kernel/softirq.c
 */
import { OP_SOFTIRQ } from '../host/cost.ts';
import type { Work } from '../host/cpu.ts';
import { CTX_KSOFTIRQD, CTX_SOFTIRQ } from '../host/cpu.ts';
import { Task } from '../host/runQueue.ts';
import { backlogInit } from './backlog.ts';
import { msecsToJiffies } from './jiffies.ts';
import type { Net } from './net.ts';
import { netRxAction } from './netRxAction.ts';
import { netTxAction } from './netTxAction.ts';
import type { SoftnetData } from './softnet.ts';
import { NET_RX_SOFTIRQ, NET_TX_SOFTIRQ, TIMER_SOFTIRQ } from './softnet.ts';

const MAX_SOFTIRQ_TIME_MS = 2;
const MAX_SOFTIRQ_RESTART = 10;

/** Let every CPU run what its interrupts have raised. @linux irq_exit, invoke_softirq; spawn_ksoftirqd */
export function softirqInit(net: Net): void {
  backlogInit(net);
  for (const sd of net.softnet) {
    const { cpu } = sd;
    cpu.runQueue.init(net.softnet.length, net.hz);
    sd.ksoftirqd = new Task(`ksoftirqd/${cpu.id}`, cpu, CTX_KSOFTIRQD, (task) =>
      runKsoftirqd(net, sd, task),
    );
    cpu.irqExit = (): void => {
      if (cpu.bhOff) return; // the dispatcher runs, and will look
      if (sd.softirqPending === 0) cpu.runQueue.schedule();
      else {
        cpu.bhOff = true;
        cpu.work = doSoftirq(net, sd);
      }
    };
  }
}

/** At the end of an interrupt, in front of whatever runs. @linux do_softirq */
export function* doSoftirq(net: Net, sd: SoftnetData): Work {
  const { cpu } = sd;
  const interrupted = cpu.enter(CTX_SOFTIRQ);
  yield* handleSoftirqs(net, sd);
  if (sd.softirqPending !== 0) wakeupSoftirqd(net, sd);
  cpu.bhOff = false;
  cpu.enter(interrupted);
}

/** @linux wakeup_softirqd */
function wakeupSoftirqd(net: Net, sd: SoftnetData): void {
  sd.ksoftirqdWakeups++;
  sd.cpu.runQueue.wake(sd.ksoftirqd!, sd.cpu, net.irqs);
}

/** The thread `ksoftirqd/N`: the same dispatcher, again and again. @linux run_ksoftirqd */
function* runKsoftirqd(net: Net, sd: SoftnetData, task: Task): Work {
  const { cpu } = sd;
  for (;;) {
    if (sd.softirqPending === 0) task.sleep();
    else {
      cpu.bhOff = true;
      yield* handleSoftirqs(net, sd);
      cpu.bhOff = false;
    }
    yield; // cond_resched
  }
}

/**
 * Rounds of pending softirqs; returns with some left when a limit is reached or a thread is to run.
 *
 * @linux handle_softirqs, __do_softirq
 */
function* handleSoftirqs(net: Net, sd: SoftnetData): Work {
  const { cpu } = sd;
  const { runQueue } = cpu;
  const end = net.jiffies(cpu.now) + msecsToJiffies(MAX_SOFTIRQ_TIME_MS, net.hz);
  let maxRestart = MAX_SOFTIRQ_RESTART;
  cpu.charge(OP_SOFTIRQ);
  do {
    const pending = sd.softirqPending;
    sd.softirqPending = 0;
    if ((pending & (1 << TIMER_SOFTIRQ)) !== 0) net.timers.run(cpu);
    if ((pending & (1 << NET_TX_SOFTIRQ)) !== 0) netTxAction(sd);
    if ((pending & (1 << NET_RX_SOFTIRQ)) !== 0) yield* netRxAction(net, sd);
  } while (
    sd.softirqPending !== 0 &&
    net.jiffies(cpu.now) < end &&
    !runQueue.needResched &&
    --maxRestart > 0
  );
}
