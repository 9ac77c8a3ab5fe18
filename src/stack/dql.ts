/**
 * Byte queue limits: how many bytes a TX queue may have in flight, found by watching it.
 *
 * The limit should be just high enough that the hardware never runs dry. It grows when a completion
 * finds the queue empty although senders had been held back, and shrinks by the smallest surplus
 * seen over a second. All counters go on for ever, in bytes.
 *
 * @linux struct dql; include/linux/dynamic_queue_limits.h, lib/dynamic_queue_limits.c
 */

const positive = (n: number): number => (n > 0 ? n : 0);

export class Dql {
  numQueued = 0;
  numCompleted = 0;
  limit = 0;
  /** Ticks for which a surplus must be seen before the limit shrinks: HZ. */
  private readonly slackHoldTime: number;
  private lastObjCnt = 0;
  /** As of the completion before this one. */
  private prevNumQueued = 0;
  private prevLastObjCnt = 0;
  private prevOvlimit = 0;
  private lowestSlack = Infinity;
  private slackStartTime = 0;

  constructor(slackHoldTime: number) {
    this.slackHoldTime = slackHoldTime;
  }

  /** Bytes that may still be queued; negative once the limit has been passed. @linux dql_avail */
  get avail(): number {
    return this.limit + this.numCompleted - this.numQueued;
  }

  /** @linux dql_queued */
  queued(bytes: number): void {
    this.lastObjCnt = bytes;
    this.numQueued += bytes;
  }

  /** @param jiffies now, in ticks. @linux dql_completed */
  completed(bytes: number, jiffies: number): void {
    const was = this.numCompleted;
    const completed = was + bytes;
    const overLimit = positive(this.numQueued - was - this.limit);
    const inFlight = this.numQueued - completed;
    const allPrevDone = completed >= this.prevNumQueued;
    let limit = this.limit;
    if ((overLimit > 0 && inFlight === 0) || (this.prevOvlimit > 0 && allPrevDone)) {
      limit += positive(completed - this.prevNumQueued) + this.prevOvlimit;
      this.restartSlack(jiffies);
    } else if (inFlight > 0 && this.prevNumQueued > was && !allPrevDone) {
      limit = this.shrunk(bytes, jiffies);
    }
    this.prevOvlimit = limit === this.limit ? overLimit : 0;
    this.limit = limit;
    this.prevLastObjCnt = this.lastObjCnt;
    this.numCompleted = completed;
    this.prevNumQueued = this.numQueued;
  }

  /** The queue closes, and with it what was in flight. @param jiffies now, in ticks. @linux dql_reset */
  reset(jiffies: number): void {
    this.limit = 0;
    this.numQueued = 0;
    this.numCompleted = 0;
    this.lastObjCnt = 0;
    this.prevNumQueued = 0;
    this.prevLastObjCnt = 0;
    this.prevOvlimit = 0;
    this.restartSlack(jiffies);
  }

  /** The hardware stayed busy with some to spare: note how much, and give it up once it has lasted. */
  private shrunk(bytes: number, jiffies: number): number {
    const surplus = positive(this.limit + this.prevOvlimit - 2 * bytes);
    const lastPacket = this.prevOvlimit > 0 ? positive(this.prevLastObjCnt - this.prevOvlimit) : 0;
    this.lowestSlack = Math.min(this.lowestSlack, Math.max(surplus, lastPacket));
    if (jiffies <= this.slackStartTime + this.slackHoldTime) return this.limit;
    const limit = positive(this.limit - this.lowestSlack);
    this.restartSlack(jiffies);
    return limit;
  }

  private restartSlack(jiffies: number): void {
    this.slackStartTime = jiffies;
    this.lowestSlack = Infinity;
  }
}
