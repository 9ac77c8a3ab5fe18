/**
 * A notification queue inside a P5 NIC: completion rings write into it, and it interrupts.
 *
 * Two arms make one interrupt. An armed completion ring posts one notification, when its
 * coalescing says so, and is then no longer armed. An armed queue with a notification that has not
 * been acknowledged sends one message, and is then no longer armed.
 *
 * It never waits for room: the driver arms a completion ring only after it has read what that
 * notified, so a lap later nothing unread is written over. bnxt acknowledges none while the core
 * keeps the NAPI from completing (deferred interrupts, a busy poller), which may be for many laps.
 *
 * @linux DBR_TYPE_NQ, DBR_TYPE_NQ_ARM, DBR_TYPE_CQ_ARMALL; struct nqe_cn
 */
import type { Ps } from '../host/clock.ts';
import type { IrqLine } from '../host/irq.ts';
import type { HostAddr, HostWords } from '../host/memory.ts';
import { BELL_NQ } from './bell.ts';
import type { CompletionRing } from './completionRing.ts';
import { nqeCnWrite } from './hsi/nq.ts';
import { DESC_SHIFT } from './hsi/ring.ts';
import type { LookAhead } from './lookAhead.ts';

export class NotificationQueue {
  readonly bell: typeof BELL_NQ = BELL_NQ;
  readonly id: number;
  readonly base: HostAddr;
  readonly slots: number;
  readonly mask: number;
  readonly irq: IrqLine;
  /** The completion rings that notify it; of two that do so at once, the first one first. */
  readonly rings: CompletionRing[] = [];
  /** Notifications written and acknowledged; both count on for ever, the first by laps ahead perhaps. */
  prod = 0;
  cons = 0;
  armed = false;
  armedAt: Ps = 0;
  /** When the notification in each slot became visible. */
  private readonly stamps: Float64Array;
  private readonly ahead: LookAhead;

  constructor(id: number, base: HostAddr, slots: number, irq: IrqLine, ahead: LookAhead) {
    this.id = id;
    this.base = base;
    this.slots = slots;
    this.mask = slots - 1;
    this.irq = irq;
    this.ahead = ahead;
    this.stamps = new Float64Array(slots);
  }

  /** Notifications up to the one with masked index `index` belong to the NIC again: no message comes of that. */
  acknowledge(index: number): void {
    this.cons = this.prod - ((this.prod - index) & this.mask);
  }

  /** Its rings may have been armed long before, while nobody looked for its message. */
  arm(now: Ps): void {
    this.armed = true;
    this.armedAt = now;
    this.ahead.forget();
  }

  /** Its message leaves at `_at`: notifications never gather. */
  disarm(_at: Ps): void {
    this.armed = false;
  }

  /** The message leaves, if it is armed, with a notification that is visible from `at` on. */
  due(at: Ps): Ps {
    return at > this.armedAt ? at : this.armedAt;
  }

  /** When the next message leaves, as far as visible notifications tell; Infinity when none will. */
  fireAt(): Ps {
    if (!this.armed || this.prod === this.cons) return Infinity;
    return this.due(this.stamps[this.cons & this.mask]!);
  }

  /** A ring is armed, and will notify. */
  awaits(): boolean {
    for (const cp of this.rings) if (cp.armed) return true;
    return false;
  }

  /** The ring that notifies next, if at or before `now`; null when none does. */
  nextRing(now: Ps): CompletionRing | null {
    let first: CompletionRing | null = null;
    let at = Infinity;
    for (const cp of this.rings) {
      const due = cp.fireAt();
      if (due <= now && due < at) {
        first = cp;
        at = due;
      }
    }
    return first;
  }

  /** `cp` notifies: its one arm is used up. */
  notify(words: HostWords, cp: CompletionRing): void {
    const at = cp.fireAt();
    const slot = this.prod & this.mask;
    const v = (this.prod & this.slots) === 0 ? 1 : 0;
    nqeCnWrite(words, this.base + (slot << DESC_SHIFT), cp.handle, ++cp.toggle, v);
    this.stamps[slot] = at;
    this.prod++;
    cp.disarm(at);
  }
}
