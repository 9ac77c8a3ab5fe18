/** What one NAPI counts: how its polls ended, how long they took and how long it had to wait for them. */
import type { Ps } from '../host/clock.ts';

/** Budget of one poll unless the driver asks for another. */
export const NAPI_POLL_WEIGHT = 64;

const NOT_SCHEDULED: Ps = -1;

/** Why the driver's polls ended; the driver counts. */
export interface NapiEndings {
  budget: number;
  empty: number;
  busy: number;
  txWake: number;
}

export class NapiCounts {
  polls = 0;
  fullPolls = 0;
  packets = 0;
  /** Polls by the packets they received, 0 to the weight; more counts as the weight. */
  byWork: Float64Array = new Float64Array(NAPI_POLL_WEIGHT + 1);
  private fullRun = 0;
  /** Full polls in a row. */
  longestFullRun = 0;
  /** When the present poll began, and how long one ever took. */
  pollAt: Ps = 0;
  longestPoll: Ps = 0;
  private scheduledAt: Ps = NOT_SCHEDULED;
  /** From being scheduled to being polled: the longest, and all together. */
  longestWait: Ps = 0;
  waited: Ps = 0;
  /** Interrupts of its timer. */
  timerIrqs = 0;
  /** Polls by applications, and what they found. @linux LINUX_MIB_BUSYPOLLRXPACKETS */
  busyPolls = 0;
  busyPackets = 0;
  /** Where the last of them was. */
  busyCpu = 0;
  readonly endedBy: NapiEndings = { budget: 0, empty: 0, busy: 0, txWake: 0 };

  /** It waits for its first poll from here on. */
  markScheduled(now: Ps): void {
    this.scheduledAt = now;
  }

  pollBegins(now: Ps): void {
    this.pollAt = now;
    if (this.scheduledAt === NOT_SCHEDULED) return;
    const wait = now - this.scheduledAt;
    this.scheduledAt = NOT_SCHEDULED;
    this.waited += wait;
    if (wait > this.longestWait) this.longestWait = wait;
  }

  pollEnds(work: number, budget: number, now: Ps): void {
    const { byWork } = this;
    this.polls++;
    this.packets += work;
    byWork[Math.min(work, byWork.length - 1)]!++;
    this.longestPoll = Math.max(this.longestPoll, now - this.pollAt);
    if (work < budget) this.fullRun = 0;
    else {
      this.fullPolls++;
      this.longestFullRun = Math.max(this.longestFullRun, ++this.fullRun);
    }
  }
}
