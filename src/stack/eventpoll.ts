/**
 * An application that waits in `epoll_wait`, for one socket, and may busy-poll meanwhile.
 *
 * With busy polling the wait begins with a busy loop over the NAPI that the last packet came from,
 * and sleeps only when that found nothing for `busyPollUsecs`. With `preferBusyPoll` and an
 * `irq-suspend-timeout` the NAPI's interrupts stay suspended from one successful wait to the next.
 * A blocking `recvmsg` with `SO_BUSY_POLL` is the same without the suspension.
 *
 * @linux ep_poll, ep_busy_loop, ep_suspend_napi_irqs; fs/eventpoll.c. struct epoll_params
 */
import type { Ps } from '../host/clock.ts';
import { OP_SYSCALL } from '../host/cost.ts';
import type { Work } from '../host/cpu.ts';
import type { Task } from '../host/runQueue.ts';
import { busyLoopCurrentTime, napiBusyLoop, napiResumeIrqs, napiSuspendIrqs } from './busyPoll.ts';
import type { Net } from './net.ts';
import type { UdpSock } from './udpSock.ts';

/** @linux EPIOCSPARAMS */
export interface EpollParams {
  /** Longest time without a packet that it polls before it sleeps. */
  readonly busyPollUsecs: number;
  readonly busyPollBudget: number;
  /** Softirqs keep away; with a time of 0 it still polls once before it sleeps. */
  readonly preferBusyPoll: boolean;
}

/** Does who waits like this poll at all? @linux ep_busy_loop_on */
export const epBusyLoopOn = ({ busyPollUsecs, preferBusyPoll }: EpollParams): boolean =>
  busyPollUsecs > 0 || preferBusyPoll;

export class Eventpoll {
  private readonly net: Net;
  private readonly sk: UdpSock;
  private readonly params: EpollParams;
  /** The NAPI to poll, 0: not known. */
  private napiId = 0;

  constructor(net: Net, sk: UdpSock, params: EpollParams) {
    this.net = net;
    this.sk = sk;
    this.params = params;
  }

  private get eventsAvailable(): boolean {
    return this.sk.receiveQueue.qlen > 0;
  }

  /** Returns when the socket has something to read. @linux ep_poll */
  *wait(task: Task): Work {
    const { net, params } = this;
    task.cpu.charge(OP_SYSCALL);
    for (;;) {
      if (this.eventsAvailable) {
        this.napiId = this.sk.napiId;
        if (params.preferBusyPoll) napiSuspendIrqs(net, this.napiId, task.cpu);
        return;
      }
      if (this.napiId !== 0 && epBusyLoopOn(params)) yield* this.busyLoop(task);
      if (this.eventsAvailable) continue;
      task.sleep();
      yield;
    }
  }

  /** @linux ep_busy_loop, ep_busy_loop_end, busy_loop_ep_timeout */
  private *busyLoop(task: Task): Work {
    const { net, napiId } = this;
    const { busyPollUsecs, busyPollBudget, preferBusyPoll } = this.params;
    const { cpu } = task;
    const end = busyLoopCurrentTime(cpu.now) + busyPollUsecs;
    const timedOut = (now: Ps): boolean => busyPollUsecs === 0 || busyLoopCurrentTime(now) > end;
    const loopEnd = (): boolean => this.eventsAvailable || timedOut(cpu.now);
    yield* napiBusyLoop(net, napiId, loopEnd, task, busyPollBudget, preferBusyPoll);
    if (this.eventsAvailable) return;
    if (preferBusyPoll) napiResumeIrqs(net, napiId, cpu);
    this.napiId = 0;
  }
}
