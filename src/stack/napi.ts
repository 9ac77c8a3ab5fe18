/**
 * NAPI: who may poll a queue, and when it may interrupt again.
 *
 * `SCHED` is the ownership bit. Whoever sets it polls, on the CPU that set it, until the poll
 * function completes; whoever finds it set leaves `MISSED` behind, and completing then turns into
 * one more poll. Besides the softirq, a thread may own it (`napiThread.ts`), an application
 * (`busyPoll.ts`), or for a while only a timer (`napiTimer.ts`).
 *
 * @linux struct napi_struct; include/linux/netdevice.h. net/core/dev.c
 */
import type { Ps } from '../host/clock.ts';
import { OP_NAPI_POLL } from '../host/cost.ts';
import type { Cpu } from '../host/cpu.ts';
import { bugOn } from '../host/errors.ts';
import type { Task } from '../host/runQueue.ts';
import { TP_NAPI_COMPLETE, TP_NAPI_POLL } from '../host/trace.ts';
import { groNormalList } from './gro.ts';
import type { NapiConfig } from './napiConfig.ts';
import { napiConfigOf } from './napiConfig.ts';
import { NAPI_POLL_WEIGHT, NapiCounts } from './napiCounts.ts';
import type { NapiList } from './napiList.ts';
import { napiTimerStart } from './napiTimer.ts';
import type { NetDevice } from './netdevice.ts';
import { SkBuffHead } from './skbList.ts';
import { NET_RX_SOFTIRQ, raiseSoftirqIrqoff } from './softnet.ts';

/** Owned: scheduled, being polled, or disabled. */
export const NAPIF_STATE_SCHED: number = 1 << 0;
/** Scheduled again while owned. */
export const NAPIF_STATE_MISSED: number = 1 << 1;
/** Somebody waits to disable it. */
export const NAPIF_STATE_DISABLE: number = 1 << 2;
/** Netpoll owns completion; also set while disabled. */
export const NAPIF_STATE_NPSVC: number = 1 << 3;
/** Known to its device. */
export const NAPIF_STATE_LISTED: number = 1 << 4;
/** A busy-polling thread owns completion. */
export const NAPIF_STATE_IN_BUSY_POLL: number = 1 << 6;
/** An application promises to poll: softirqs give it up sooner. */
export const NAPIF_STATE_PREFER_BUSY_POLL: number = 1 << 7;
/** Polled by its own thread, and scheduled there. */
export const NAPIF_STATE_THREADED: number = 1 << 8;
export const NAPIF_STATE_SCHED_THREADED: number = 1 << 9;

/** @returns packets received; `budget` means poll again, less means the NAPI has been completed */
export type NapiPollFn = (napi: NapiStruct, budget: number) => number;

export class NapiStruct extends NapiCounts {
  readonly dev: NetDevice;
  /** Position among the NAPIs of its device: the queue number, in bnxt. */
  readonly index: number;
  napiId = 0;
  weight: number = NAPI_POLL_WEIGHT;
  /** Disabled from birth: `napiEnable` gives it free. */
  state: number = NAPIF_STATE_SCHED | NAPIF_STATE_NPSVC;
  poll: NapiPollFn = () => 0;
  /** The CPU it was last scheduled on, which is the one that polls it. */
  cpu: Cpu;
  /** Id of the CPU that has it scheduled, -1 when nobody has: page_pool asks. */
  listOwner = -1;
  /** The list it waits on, null while it is being polled or not scheduled. */
  pollList: NapiList | null = null;
  next: NapiStruct | null = null;
  prev: NapiStruct | null = null;
  /** Packets to be passed up together. @linux gro_node.rx_list */
  readonly rxList: SkBuffHead = new SkBuffHead();
  readonly config: NapiConfig;
  /** Polls without work that are left before interrupts come back. */
  deferHardIrqsCount = 0;
  /** Where its timer rings. */
  timerCpu: Cpu | null = null;
  /** `napi/<device>-<id>`, once it is threaded. */
  thread: Task | null = null;
  /** The application that polls it, while `IN_BUSY_POLL` is set. */
  busyPoller: BusyPoller | null = null;
  /** `__napiPoll` wants it polled again. */
  repoll = false;
  /** When it was last given free: a CPU whose clock is behind finds it still owned. */
  freeAt: Ps = 0;

  constructor(dev: NetDevice, index: number) {
    super();
    this.dev = dev;
    this.index = index;
    this.cpu = dev.net.softnet[0]!.cpu;
    this.config = napiConfigOf(dev, index);
  }
}

/** Whoever busy-polls a NAPI, seen from those who want it back. */
export interface BusyPoller {
  /** Let go now: one last poll, as when its time is over. */
  stop(): void;
}

/** @linux napi_disable_pending */
export const napiDisablePending = (napi: NapiStruct): boolean =>
  (napi.state & NAPIF_STATE_DISABLE) !== 0;

/**
 * Try to become the owner.
 *
 * @returns true when this call took ownership: the caller goes on to `__napiSchedule`
 * @linux napi_schedule_prep
 */
export function napiSchedulePrep(napi: NapiStruct): boolean {
  const val = napi.state;
  if ((val & NAPIF_STATE_DISABLE) !== 0) return false;
  const owned = (val & NAPIF_STATE_SCHED) !== 0;
  napi.state = val | NAPIF_STATE_SCHED | (owned ? NAPIF_STATE_MISSED : 0);
  return !owned;
}

/**
 * Queue an owned NAPI on `cpu`, the CPU this code runs on, or wake its thread.
 *
 * @linux __napi_schedule, ____napi_schedule
 */
export function __napiSchedule(napi: NapiStruct, cpu: Cpu): void {
  const sd = napi.dev.net.softnet[cpu.id]!;
  napi.markScheduled(cpu.now);
  if ((napi.state & NAPIF_STATE_THREADED) !== 0) {
    const thread = napi.thread!;
    napi.state |= NAPIF_STATE_SCHED_THREADED;
    thread.cpu.runQueue.wake(thread, cpu, napi.dev.net.irqs);
    return;
  }
  napi.cpu = cpu;
  sd.pollList.addTail(napi);
  napi.listOwner = cpu.id;
  if (!sd.inNetRxAction) raiseSoftirqIrqoff(sd, NET_RX_SOFTIRQ);
}

/** @returns true when this call scheduled it. @linux napi_schedule */
export function napiSchedule(napi: NapiStruct, cpu: Cpu): boolean {
  if (!napiSchedulePrep(napi)) return false;
  __napiSchedule(napi, cpu);
  return true;
}

/** @linux napi_complete */
export const napiComplete = (napi: NapiStruct): boolean => napiCompleteDone(napi, 0);

/**
 * The driver found its ring empty and gives the NAPI back.
 *
 * What was collected goes up first. Nothing is held back for merging yet, so the timer is chosen
 * for deferred interrupts alone.
 *
 * @param workDone packets of this poll; with a budget of 0 the driver must not call this at all
 * @returns true when the caller may enable interrupts; false when somebody else will poll again
 * @linux napi_complete_done
 */
export function napiCompleteDone(napi: NapiStruct, workDone: number): boolean {
  const { config, cpu } = napi;
  let timeout: Ps = 0;
  if ((napi.state & (NAPIF_STATE_NPSVC | NAPIF_STATE_IN_BUSY_POLL)) !== 0) return false;
  if (workDone > 0) napi.deferHardIrqsCount = config.deferHardIrqs;
  if (napi.deferHardIrqsCount > 0) {
    napi.deferHardIrqsCount--;
    timeout = config.groFlushTimeout;
  }
  if (napi.rxList.qlen > 0) groNormalList(napi);
  if (napi.pollList !== null) napi.pollList.remove(napi);
  napi.listOwner = -1;

  const val = napi.state;
  bugOn((val & NAPIF_STATE_SCHED) === 0, 'napi_complete_done: nobody owns the NAPI');
  const { watch } = napi.dev.net;
  if (watch.on) watch.point(TP_NAPI_COMPLETE, cpu, napi.napiId, workDone);
  napi.state = val & ~COMPLETED;
  if ((val & NAPIF_STATE_MISSED) === 0) {
    if (timeout === 0) return true;
    napiTimerStart(napi, timeout, cpu);
    return false;
  }

  // somebody scheduled it while it was polled: stay the owner, for one more poll
  napi.state |= NAPIF_STATE_SCHED;
  __napiSchedule(napi, cpu);
  return false;
}

/** What completing takes back. */
const COMPLETED: number =
  NAPIF_STATE_MISSED |
  NAPIF_STATE_SCHED |
  NAPIF_STATE_SCHED_THREADED |
  NAPIF_STATE_PREFER_BUSY_POLL;

/**
 * One poll of one NAPI, on the CPU it belongs to.
 *
 * A poll that used its weight stays owned by the core and asks, in `repoll`, to be polled again,
 * unless somebody waits to disable it or an application prefers to poll it.
 *
 * @returns packets received
 * @linux __napi_poll
 */
export function __napiPoll(napi: NapiStruct): number {
  const { weight, cpu } = napi;
  let work = 0;
  napi.repoll = false;
  cpu.charge(OP_NAPI_POLL);
  if ((napi.state & NAPIF_STATE_SCHED) !== 0) work = pollAndCount(napi, weight);
  if (work < weight) return work;
  if (work > weight) complainOf(napi, work, weight);

  if (napiDisablePending(napi)) {
    napiComplete(napi);
    return work;
  }
  if ((napi.state & NAPIF_STATE_PREFER_BUSY_POLL) !== 0) {
    // without a timer nobody else would come back
    if (napiCompleteDone(napi, work)) napiSchedule(napi, cpu);
    return work;
  }
  if (napi.rxList.qlen > 0) groNormalList(napi);
  if (napi.pollList !== null)
    napi.dev.net.dmesg.once(
      `${napi.dev.name}: Budget exhausted after napi rescheduled`,
      'rescheduled',
    );
  else napi.repoll = true;
  return work;
}

/** Call the driver, whoever polls. @returns packets received */
export function pollAndCount(napi: NapiStruct, budget: number): number {
  const { cpu } = napi;
  const { watch } = napi.dev.net;
  napi.pollBegins(cpu.now);
  const work = napi.poll(napi, budget);
  if (watch.on) watch.point(TP_NAPI_POLL, cpu, napi.napiId, work, budget);
  napi.pollEnds(work, budget, cpu.now);
  if ((napi.state & NAPIF_STATE_SCHED) === 0) {
    napi.freeAt = cpu.now;
    cpu.pollOver();
  }
  return work;
}

/** Linux names the function as well. */
function complainOf({ dev }: NapiStruct, work: number, weight: number): void {
  const says = `NAPI poll function returned ${work}, exceeding its budget of ${weight}.`;
  dev.net.dmesg.once(`${dev.name}: ${says}`, 'exceeding its budget');
}

/**
 * Take a NAPI off its list and poll it.
 *
 * @param repoll where it goes when it must be polled again
 * @linux napi_poll
 */
export function napiPoll(napi: NapiStruct, repoll: NapiList): number {
  napi.pollList?.remove(napi);
  const work = __napiPoll(napi);
  if (napi.repoll) repoll.addTail(napi);
  return work;
}
