/**
 * Busy polling: an application polls the NAPI of its socket instead of waiting for it.
 *
 * It takes `SCHED` together with `IN_BUSY_POLL`, polls with a small budget, and while it holds both
 * the driver's `napi_complete_done` always answers false, so interrupts stay off. When it lets go,
 * one more poll without `IN_BUSY_POLL` lets the driver arm; if that poll uses its budget, or if the
 * application prefers busy polling, the timer or the softirq goes on instead.
 *
 * @linux napi_busy_loop, busy_poll_stop, napi_suspend_irqs, napi_resume_irqs; net/core/dev.c
 */
import type { Ps } from '../host/clock.ts';
import { PS_PER_NS } from '../host/clock.ts';
import { OP_NAPI_POLL } from '../host/cost.ts';
import type { Cpu, Work } from '../host/cpu.ts';
import type { Task } from '../host/runQueue.ts';
import { groNormalList } from './gro.ts';
import type { BusyPoller, NapiStruct } from './napi.ts';
import {
  NAPIF_STATE_DISABLE,
  NAPIF_STATE_IN_BUSY_POLL,
  NAPIF_STATE_MISSED,
  NAPIF_STATE_PREFER_BUSY_POLL,
  NAPIF_STATE_SCHED,
  __napiSchedule,
  napiSchedule,
  pollAndCount,
} from './napi.ts';
import { napiTimerStart } from './napiTimer.ts';
import type { Net } from './net.ts';

/** Packets of one poll unless the application asks for more. */
export const BUSY_POLL_BUDGET = 8;

/** Owned by somebody: a busy poller looks again later. */
const TAKEN: number = NAPIF_STATE_DISABLE | NAPIF_STATE_SCHED | NAPIF_STATE_IN_BUSY_POLL;

/** The clock of busy loops: a shift instead of a division, so its microseconds have 1024 ns. @linux busy_loop_current_time */
export const busyLoopCurrentTime = (now: Ps): number => Math.floor(now / PS_PER_NS / 1024);

/** One thread's busy loop over one NAPI. */
class BusyLoop implements BusyPoller {
  private readonly napi: NapiStruct;
  private readonly cpu: Cpu;
  private readonly budget: number;
  private readonly prefer: boolean;

  constructor(napi: NapiStruct, cpu: Cpu, budget: number, prefer: boolean) {
    this.napi = napi;
    this.cpu = cpu;
    this.budget = budget;
    this.prefer = prefer;
  }

  /** One turn: own it, and poll. */
  turn(): void {
    const { napi, cpu } = this;
    cpu.charge(OP_NAPI_POLL);
    if (napi.busyPoller !== this && !this.take()) return;
    const work = pollAndCount(napi, this.budget);
    napi.busyPolls++;
    napi.busyPackets += work;
    napi.busyCpu = cpu.id;
    groNormalList(napi);
  }

  private take(): boolean {
    const { napi, cpu } = this;
    if (cpu.now < napi.freeAt) return false; // given free on a CPU that is ahead
    if ((napi.state & TAKEN) !== 0) {
      if (this.prefer) napi.state |= NAPIF_STATE_PREFER_BUSY_POLL;
      return false;
    }
    napi.state |= NAPIF_STATE_IN_BUSY_POLL | NAPIF_STATE_SCHED;
    napi.busyPoller = this;
    napi.cpu = cpu;
    return true;
  }

  /**
   * Let go, if it is ours. What interrupts missed meanwhile the last poll finds.
   *
   * @linux busy_poll_stop, __busy_poll_stop
   */
  stop(): void {
    const { napi, cpu, budget } = this;
    const { config } = napi;
    if (napi.busyPoller !== this) return;
    let skipSchedule = false;
    napi.busyPoller = null;
    napi.state &= ~(NAPIF_STATE_MISSED | NAPIF_STATE_IN_BUSY_POLL);
    if (this.prefer) {
      napi.deferHardIrqsCount = config.deferHardIrqs;
      if (napi.deferHardIrqsCount > 0 && config.groFlushTimeout > 0) {
        napiTimerStart(napi, config.groFlushTimeout, cpu);
        skipSchedule = true;
      }
    }
    if (pollAndCount(napi, budget) < budget) return;
    groNormalList(napi);
    if (skipSchedule) {
      napi.state &= ~NAPIF_STATE_SCHED;
      napi.freeAt = cpu.now;
    } else __napiSchedule(napi, cpu);
  }
}

/**
 * Poll NAPI number `napiId` until `loopEnd` says so, or it is gone. Each turn is a step: softirqs
 * come in between two, another thread only when the slice is over, after letting go.
 *
 * @param prefer NAPI_F_PREFER_BUSY_POLL
 * @linux napi_busy_loop, __napi_busy_loop
 */
export function* napiBusyLoop(
  net: Net,
  napiId: number,
  loopEnd: () => boolean,
  task: Task,
  budget: number,
  prefer: boolean,
): Work {
  const { cpu } = task;
  const { runQueue } = cpu;
  for (;;) {
    const napi = net.napiById(napiId);
    if (napi === null) return;
    const loop = new BusyLoop(napi, cpu, budget, prefer);
    task.preemptOff = true;
    for (;;) {
      loop.turn();
      if (loopEnd() || runQueue.needResched) break;
      yield;
    }
    const ended = loopEnd();
    loop.stop();
    task.preemptOff = false;
    yield; // local_bh_enable, and where the slice is over cond_resched
    if (ended || loopEnd()) return;
  }
}

/**
 * The application got work from its poll: interrupts may stay off for longer, as long as it comes
 * back before the timer.
 *
 * @linux napi_suspend_irqs
 */
export function napiSuspendIrqs(net: Net, napiId: number, cpu: Cpu): void {
  const napi = net.napiById(napiId);
  if (napi === null || napi.config.irqSuspendTimeout === 0) return;
  napiTimerStart(napi, napi.config.irqSuspendTimeout, cpu);
}

/** The application found nothing and goes to sleep: softirqs take over, and then interrupts. @linux napi_resume_irqs */
export function napiResumeIrqs(net: Net, napiId: number, cpu: Cpu): void {
  const napi = net.napiById(napiId);
  if (napi === null || napi.config.irqSuspendTimeout === 0) return;
  cpu.idleUntil(napi.freeAt); // on a CPU that is ahead it is still owned
  napiSchedule(napi, cpu);
}
