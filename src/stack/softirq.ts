/**
 * The softirq dispatcher and its thread.
 *
 * Softirqs run when an interrupt handler returns, in front of any thread, round after round while
 * new ones are raised, but not longer than 10 rounds or 2 ms; the rest is left to ksoftirqd, which
 * shares the CPU with the other threads. As since Linux 6.4, softirqs run at the end of an interrupt
 * or a system call also while ksoftirqd waits for its turn with the very same work; in a kernel of
 * the time before (`deferToKsoftirqd`) they are left to it, and an application gets its share.
 *
 * @linux kernel/softirq.c
 */
import { OP_SOFTIRQ } from '../host/cost.ts';
import type { Stepped, Steps } from '../host/cpu.ts';
import { CTX_IDLE, CTX_KSOFTIRQD, CTX_SOFTIRQ, STEPS_OVER, STEP_MADE } from '../host/cpu.ts';
import { Task } from '../host/runQueue.ts';
import { backlogInit } from './backlog.ts';
import { msecsToJiffies } from './jiffies.ts';
import type { Net } from './net.ts';
import { NetRxAction } from './netRxAction.ts';
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
    const softirqs = new Softirqs(net, sd);
    const atInterrupt = new DoSoftirq(net, sd, softirqs);
    cpu.runQueue.init(net.softnet.length, net.hz, net.cfs);
    const name = `ksoftirqd/${cpu.id}`;
    sd.ksoftirqd = new Task(name, cpu, CTX_KSOFTIRQD, (task) => new Ksoftirqd(sd, softirqs, task));
    cpu.irqExit = (): void => {
      if (cpu.bhOff) return; // the dispatcher runs, and will look
      if (sd.softirqPending === 0 || ksoftirqdRunning(net, sd)) cpu.runQueue.schedule();
      else cpu.work = atInterrupt.begin();
    };
  }
}

/** Has it been woken for what is pending, and does the kernel's age let it have that? @linux ksoftirqd_running */
const ksoftirqdRunning = ({ deferToKsoftirqd }: Net, { ksoftirqd }: SoftnetData): boolean =>
  deferToKsoftirqd && ksoftirqd!.runnable;

/** At the end of an interrupt, in front of whatever runs. @linux do_softirq */
class DoSoftirq implements Steps {
  private readonly net: Net;
  private readonly sd: SoftnetData;
  private readonly softirqs: Softirqs;
  private begun = false;
  private interrupted = CTX_IDLE;

  constructor(net: Net, sd: SoftnetData, softirqs: Softirqs) {
    this.net = net;
    this.sd = sd;
    this.softirqs = softirqs;
  }

  begin(): this {
    this.sd.cpu.bhOff = true;
    this.begun = false;
    return this;
  }

  next(): Stepped {
    const { sd, softirqs } = this;
    const { cpu } = sd;
    if (!this.begun) {
      this.begun = true;
      this.interrupted = cpu.enter(CTX_SOFTIRQ);
      softirqs.begin();
    }
    if (softirqs.next() === STEP_MADE) return STEP_MADE;
    if (sd.softirqPending !== 0) wakeupSoftirqd(this.net, sd);
    cpu.bhOff = false;
    cpu.enter(this.interrupted);
    return STEPS_OVER;
  }
}

/** @linux wakeup_softirqd */
function wakeupSoftirqd(net: Net, sd: SoftnetData): void {
  sd.ksoftirqdWakeups++;
  sd.cpu.runQueue.wake(sd.ksoftirqd!, sd.cpu, net.irqs);
}

/**
 * The thread `ksoftirqd/N`: the same dispatcher, again and again; between two runs, and once it has
 * nothing to do, another thread may have the CPU (cond_resched).
 *
 * @linux run_ksoftirqd
 */
class Ksoftirqd implements Steps {
  private readonly sd: SoftnetData;
  private readonly softirqs: Softirqs;
  private readonly task: Task;

  constructor(sd: SoftnetData, softirqs: Softirqs, task: Task) {
    this.sd = sd;
    this.softirqs = softirqs;
    this.task = task;
  }

  next(): Stepped {
    const { sd, softirqs } = this;
    const { cpu } = sd;
    if (!cpu.bhOff) {
      if (sd.softirqPending === 0) {
        this.task.sleep();
        return STEP_MADE;
      }
      cpu.bhOff = true;
      softirqs.begin();
    }
    if (softirqs.next() !== STEP_MADE) cpu.bhOff = false;
    return STEP_MADE;
  }
}

/**
 * Rounds of pending softirqs on one CPU, for whoever runs them there; over with some left when a
 * limit is reached or a thread is to run.
 *
 * @linux handle_softirqs, __do_softirq
 */
class Softirqs implements Steps {
  private readonly net: Net;
  private readonly sd: SoftnetData;
  private readonly netRxAction: NetRxAction;
  private inNetRxAction = false;
  private end = 0;
  private maxRestart = 0;

  constructor(net: Net, sd: SoftnetData) {
    this.net = net;
    this.sd = sd;
    this.netRxAction = new NetRxAction(net, sd);
  }

  begin(): void {
    const { net, sd } = this;
    this.end = net.jiffies(sd.cpu.now) + msecsToJiffies(MAX_SOFTIRQ_TIME_MS, net.hz);
    this.maxRestart = MAX_SOFTIRQ_RESTART;
    sd.cpu.charge(OP_SOFTIRQ);
  }

  next(): Stepped {
    do {
      if (!this.inNetRxAction) this.beginRound();
      if (this.inNetRxAction && this.netRxAction.next() === STEP_MADE) return STEP_MADE;
      this.inNetRxAction = false;
    } while (this.mayRestart());
    return STEPS_OVER;
  }

  private beginRound(): void {
    const { net, sd } = this;
    const pending = sd.softirqPending;
    sd.softirqPending = 0;
    if ((pending & (1 << TIMER_SOFTIRQ)) !== 0) net.timers.run(sd.cpu);
    if ((pending & (1 << NET_TX_SOFTIRQ)) !== 0) netTxAction(sd);
    if ((pending & (1 << NET_RX_SOFTIRQ)) === 0) return;
    this.netRxAction.begin();
    this.inNetRxAction = true;
  }

  private mayRestart(): boolean {
    const { net, sd } = this;
    return (
      sd.softirqPending !== 0 &&
      net.jiffies(sd.cpu.now) < this.end &&
      !sd.cpu.runQueue.needResched &&
      --this.maxRestart > 0
    );
  }
}
