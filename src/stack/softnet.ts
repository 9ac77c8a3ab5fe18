/**
 * What each CPU keeps for networking: its poll list, its pending softirqs, its counters.
 *
 * @linux struct softnet_data; include/linux/netdevice.h. net/core/net-procfs.c
 */
import type { Ps } from '../host/clock.ts';
import type { Cpu } from '../host/cpu.ts';
import { CTX_HARDIRQ } from '../host/cpu.ts';
import type { Task } from '../host/runQueue.ts';
import type { Backlog } from './backlog.ts';
import { NapiList } from './napiList.ts';
import type { Qdisc } from './qdisc.ts';
import { Kworker } from './workqueue.ts';

/** Numbers of the softirqs that exist here. @linux include/linux/interrupt.h */
export const TIMER_SOFTIRQ = 1;
export const NET_TX_SOFTIRQ = 2;
export const NET_RX_SOFTIRQ = 3;

export class SoftnetData {
  readonly cpu: Cpu;
  /** NAPIs waiting for their turn on this CPU; `net_rx_action` takes the whole list. */
  readonly pollList: NapiList = new NapiList();
  /** TX queues that may send again; `net_tx_action` takes the whole list. */
  readonly outputQueue: Qdisc[] = [];
  /** Somebody is in `net_rx_action`, who will look at the list again: no need to raise the softirq. */
  inNetRxAction = false;
  /** The same for the thread of a NAPI, which sends RPS's interrupts when its poll ends. */
  inNapiThreadedPoll = false;
  /** Bit per softirq number. @linux local_softirq_pending */
  softirqPending = 0;
  /** The thread that takes over; set by `softirqInit`. */
  ksoftirqd: Task | null = null;
  /** The thread for work that is put off. */
  readonly kworker: Kworker;
  /** Times the dispatcher left its rest to the thread. */
  ksoftirqdWakeups = 0;
  /** Packets that entered the stack on this CPU. */
  processed = 0;
  /** Set by `backlogInit`. */
  backlog: Backlog | null = null;
  /** Packets this CPU's backlog refused, and interrupts that RPS sent it. */
  dropped = 0;
  receivedRps = 0;
  /** Runs of `net_rx_action` that ended at a limit with work left. */
  timeSqueeze = 0;
  /** Of these, the runs whose packets were used up; the others ran out of time alone. */
  budgetSqueeze = 0;

  constructor(cpu: Cpu) {
    this.cpu = cpu;
    this.kworker = new Kworker(cpu);
  }
}

/** @linux raise_softirq_irqoff; outside an interrupt the caller goes on to `cpu.irqExit()` */
export function raiseSoftirqIrqoff(sd: SoftnetData, nr: number): void {
  sd.softirqPending |= 1 << nr;
}

/**
 * The same from anywhere. Inside an interrupt, a softirq or a system call somebody will look at it
 * on the way out; outside of all, it is the next thing this CPU does.
 *
 * @linux raise_softirq, wakeup_softirqd
 */
export function raiseSoftirq(sd: SoftnetData, nr: number): void {
  raiseSoftirqIrqoff(sd, nr);
  const { cpu } = sd;
  if (!cpu.stepping && cpu.context !== CTX_HARDIRQ) cpu.irqExit();
}

/** A timer is due on this CPU, which may be asleep. @linux run_local_timers */
export function raiseTimerSoftirq(sd: SoftnetData, at: Ps): void {
  sd.cpu.idleUntil(at);
  raiseSoftirqIrqoff(sd, TIMER_SOFTIRQ);
  sd.cpu.irqExit();
}

/**
 * One line of `/proc/net/softnet_stat` as 15 numbers; the file prints them in hex.
 *
 *   0 processed | 1 dropped | 2 time_squeeze | 3-8 zero | 9 received_rps | 10 flow limit |
 *   11 backlog length | 12 CPU | 13 input queue length | 14 process queue length
 *
 * @linux softnet_seq_show; net/core/net-procfs.c
 */
export function softnetStat(sd: SoftnetData): number[] {
  const head = [sd.processed, sd.dropped, sd.timeSqueeze];
  const input = sd.backlog?.inputPktQueue.qlen ?? 0;
  const process = sd.backlog?.processQueue.qlen ?? 0;
  const tail = [sd.receivedRps, 0, input + process, sd.cpu.id, input, process];
  return [...head, 0, 0, 0, 0, 0, 0, ...tail];
}
