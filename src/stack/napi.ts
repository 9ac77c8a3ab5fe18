/**
 * NAPI: who may poll a queue, and when it may interrupt again.
 *
 * `SCHED` is the ownership bit. Whoever sets it polls, on the CPU that set it, until the poll
 * function completes; whoever finds it set leaves `MISSED` behind, and completing then turns into
 * one more poll. Busy polling, threaded NAPI and deferred interrupts have no code here yet; their
 * places in `napiCompleteDone` and `__napiPoll` are named there.
 *
 * @linux struct napi_struct; include/linux/netdevice.h. net/core/dev.c
 */
import type { Ps } from '../host/clock.ts';
import { OP_NAPI_POLL } from '../host/cost.ts';
import type { Cpu } from '../host/cpu.ts';
import { CTX_SOFTIRQ } from '../host/cpu.ts';
import { bugOn } from '../host/errors.ts';
import { TP_NAPI_COMPLETE, TP_NAPI_POLL } from '../host/trace.ts';
import { groNormalList } from './gro.ts';
import { NapiList } from './napiList.ts';
import type { NetDevice } from './netdevice.ts';
import { SkBuffHead } from './skbList.ts';
import { NET_RX_SOFTIRQ, raiseSoftirqIrqoff } from './softnet.ts';

/** Budget of one poll unless the driver asks for another. */
export const NAPI_POLL_WEIGHT = 64;

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

/** @returns packets received; `budget` means poll again, less means the NAPI has been completed */
export type NapiPollFn = (napi: NapiStruct, budget: number) => number;

/** Why the driver's polls ended; the driver counts. */
export interface NapiEndings {
  budget: number;
  empty: number;
  busy: number;
  txWake: number;
}

export class NapiStruct {
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
  polls = 0;
  fullPolls = 0;
  packets = 0;
  /** Polls by the packets they received, 0 to `weight`; more counts as `weight`. */
  byWork: Float64Array = new Float64Array(NAPI_POLL_WEIGHT + 1);
  private fullRun = 0;
  /** Full polls in a row. */
  longestFullRun = 0;
  /** When the present poll began, and how long one ever took. */
  pollAt: Ps = 0;
  longestPoll: Ps = 0;
  readonly endedBy: NapiEndings = { budget: 0, empty: 0, busy: 0, txWake: 0 };

  constructor(dev: NetDevice, index: number) {
    this.dev = dev;
    this.index = index;
    this.cpu = dev.net.softnet[0]!.cpu;
  }

  countPoll(work: number): void {
    const { weight } = this;
    this.polls++;
    this.packets += work;
    this.byWork[Math.min(work, weight)]!++;
    this.longestPoll = Math.max(this.longestPoll, this.cpu.now - this.pollAt);
    if (work < weight) this.fullRun = 0;
    else {
      this.fullPolls++;
      this.longestFullRun = Math.max(this.longestFullRun, ++this.fullRun);
    }
  }
}

/**
 * Make a NAPI known to its device. It stays disabled.
 *
 * @param weight budget of one poll; above 64 Linux complains once and goes on
 * @linux netif_napi_add, netif_napi_add_weight
 */
export function netifNapiAdd(
  napi: NapiStruct,
  poll: NapiPollFn,
  weight: number = NAPI_POLL_WEIGHT,
): void {
  if ((napi.state & NAPIF_STATE_LISTED) !== 0) return;
  const { dev } = napi;
  if (weight > NAPI_POLL_WEIGHT) {
    complain(napi, 'netif_napi_add_weight() called with weight', weight);
  }
  napi.state = NAPIF_STATE_SCHED | NAPIF_STATE_NPSVC | NAPIF_STATE_LISTED;
  napi.poll = poll;
  napi.weight = weight;
  napi.byWork = new Float64Array(weight + 1);
  napi.napiId = dev.net.newNapiId();
  dev.napis.push(napi);
}

/** The NAPI must be disabled. @linux netif_napi_del */
export function netifNapiDel(napi: NapiStruct): void {
  if ((napi.state & NAPIF_STATE_LISTED) === 0) return;
  bugOn((napi.state & NAPIF_STATE_NPSVC) === 0, 'netif_napi_del: the NAPI is not disabled');
  napi.state &= ~NAPIF_STATE_LISTED;
  const { napis } = napi.dev;
  napis.splice(napis.indexOf(napi), 1);
}

/** @linux napi_enable */
export function napiEnable(napi: NapiStruct): void {
  bugOn((napi.state & NAPIF_STATE_SCHED) === 0, 'napi_enable: the NAPI is enabled already');
  napi.state &= ~(NAPIF_STATE_SCHED | NAPIF_STATE_NPSVC);
}

/**
 * Take a NAPI out of service; on return nobody polls it.
 *
 * Linux sleeps until its owner completes. Here the caller cannot sleep, so the owner's remaining
 * polls run now, on the owner's CPU and time; with `DISABLE` set a full poll completes too.
 *
 * @linux napi_disable
 */
export function napiDisable(napi: NapiStruct): void {
  napi.state |= NAPIF_STATE_DISABLE;
  const none = new NapiList();
  while ((napi.state & (NAPIF_STATE_SCHED | NAPIF_STATE_NPSVC)) !== 0) {
    bugOn(napi.pollList === null, 'napi_disable: the NAPI is owned, but nobody will poll it');
    const interrupted = napi.cpu.enter(CTX_SOFTIRQ);
    napiPoll(napi, none);
    napi.cpu.enter(interrupted);
  }
  napi.state |= NAPIF_STATE_SCHED | NAPIF_STATE_NPSVC;
  napi.state &= ~NAPIF_STATE_DISABLE;
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

/** Queue an owned NAPI on `cpu`, the CPU this code runs on. @linux __napi_schedule, ____napi_schedule */
export function __napiSchedule(napi: NapiStruct, cpu: Cpu): void {
  const sd = napi.dev.net.softnet[cpu.id]!;
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
 * What was collected goes up first. Linux chooses between interrupt and timer before it clears
 * `SCHED` (`napi_defer_hard_irqs`, `gro_flush_timeout`): nothing holds packets or defers interrupts
 * yet, so ownership is all that is left to give.
 *
 * @param workDone packets of this poll; with a budget of 0 the driver must not call this at all
 * @returns true when the caller may enable interrupts; false when somebody else will poll again
 * @linux napi_complete_done
 */
export function napiCompleteDone(napi: NapiStruct, workDone: number): boolean {
  const val = napi.state;
  if ((val & (NAPIF_STATE_NPSVC | NAPIF_STATE_IN_BUSY_POLL)) !== 0) return false;
  if (napi.rxList.qlen > 0) groNormalList(napi);
  if (napi.pollList !== null) napi.pollList.remove(napi);
  napi.listOwner = -1;

  bugOn((val & NAPIF_STATE_SCHED) === 0, 'napi_complete_done: nobody owns the NAPI');
  const { watch } = napi.dev.net;
  if (watch.on) watch.point(TP_NAPI_COMPLETE, napi.cpu, napi.napiId, workDone);
  napi.state = val & ~(NAPIF_STATE_MISSED | NAPIF_STATE_SCHED);
  if ((val & NAPIF_STATE_MISSED) === 0) return true;

  // somebody scheduled it while it was polled: stay the owner, for one more poll
  napi.state |= NAPIF_STATE_SCHED;
  __napiSchedule(napi, napi.cpu);
  return false;
}

/**
 * One poll of one NAPI.
 *
 * A poll that used its weight stays owned by the core and asks to be polled again, unless somebody
 * waits to disable it. Linux ends a preferred busy poll and flushes GRO here too; neither exists yet.
 *
 * @param repoll where it goes when it must be polled again
 * @returns packets received
 * @linux __napi_poll
 */
export function __napiPoll(napi: NapiStruct, repoll: NapiList): number {
  const { weight } = napi;
  let work = 0;
  napi.cpu.charge(OP_NAPI_POLL);
  if ((napi.state & NAPIF_STATE_SCHED) !== 0) {
    napi.pollAt = napi.cpu.now;
    work = napi.poll(napi, weight);
    const { watch } = napi.dev.net;
    if (watch.on) watch.point(TP_NAPI_POLL, napi.cpu, napi.napiId, work, weight);
    napi.countPoll(work);
  }
  if (work < weight) return work;
  if (work > weight) complain(napi, 'poll function exceeded its budget, it returned', work);

  if (napi.rxList.qlen > 0) groNormalList(napi);
  if (napiDisablePending(napi)) napiComplete(napi);
  else if (napi.pollList !== null) complain(napi, 'Budget exhausted after napi rescheduled:', work);
  else repoll.addTail(napi);
  return work;
}

function complain(napi: NapiStruct, what: string, n: number): void {
  napi.dev.net.dmesg.once(`${napi.dev.name}: NAPI ${napi.index}: ${what} ${n}`, what);
}

/** Take a NAPI off its list and poll it. @linux napi_poll */
export function napiPoll(napi: NapiStruct, repoll: NapiList): number {
  napi.pollList?.remove(napi);
  return __napiPoll(napi, repoll);
}
