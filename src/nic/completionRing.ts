/**
 * A completion ring inside the NIC: what has been written, acknowledged and armed, and when the
 * interrupt is due.
 *
 * Coalescing: a message is due once `coalRecords` unacknowledged records are visible, or
 * `coalTimerPs` after the first of them was due (with `timerReset`: after the last one, every
 * record starting the timer anew until it has run out), whichever comes first, and never before the
 * ring was armed. With `fromMessage` the timer has run since the ring's last message: a record that
 * comes later than that buys one at once. One arm buys one message. On P5 the message is a
 * notification (`notificationQueue.ts`), on P4 the interrupt itself. What happens between a message
 * and the next arm is told in `gathering.ts`.
 *
 * @linux hwrm_ring_cmpl_ring_cfg_aggint_params, BNXT_DB_CQ_ARM
 */
import type { Ps } from '../host/clock.ts';
import type { IrqLine } from '../host/irq.ts';
import { bugOn } from '../host/errors.ts';
import type { HostAddr, HostMemory, HostWords } from '../host/memory.ts';
import { BELL_CP } from './bell.ts';
import { CMP_TYPE_TX_L2_CMP, txCmpWrite } from './hsi/txCmp.ts';
import { DESC_SHIFT } from './hsi/ring.ts';
import type { Lane } from './lane.ts';
import type { LookAhead } from './lookAhead.ts';
import type { NotificationQueue } from './notificationQueue.ts';

/** Bytes of host memory that a ring of `slots` wants for what is not yet visible, and when the rest became so. */
export const completionRingBytes = (slots: number): number => CP_STATE_BYTES + slots * 20;

/** Bytes of its block where compiled loops find it (`rxBulkComplete.ts`, `txBulk.ts`); the arrays lie behind. */
export const CP_BASE = 0;
export const CP_SLOTS = 4;
export const CP_PROD = 8;
export const CP_CONS = 12;
export const CP_TX_HEAD = 16;
export const CP_TX_TAIL = 20;
export const CP_STAMPS = 24;
export const CP_TX_AT = 28;
export const CP_TX_OPAQUE = 32;
export const CP_GATHER_RECORDS = 36;
export const CP_RELEASED_TO = 40;
export const CP_GATHER_TIMER = 48;
const CP_STATE_BYTES = 56;

/** When a ring interrupts, and how its records gather until it is armed again. */
export interface Coalescing {
  readonly records: number;
  readonly timerPs: Ps;
  readonly timerReset: boolean;
  readonly gatherRecords: number;
  readonly gatherTimerPs: Ps;
}

export class CompletionRing {
  readonly bell: typeof BELL_CP = BELL_CP;
  readonly id: number;
  readonly base: HostAddr;
  readonly slots: number;
  readonly mask: number;
  readonly irq: IrqLine;
  /** P5: where it posts notifications, under which name, and how many it has; null where it interrupts itself. */
  nq: NotificationQueue | null = null;
  handle = 0;
  toggle = 0;
  /** The RX queue it serves; null for a ring that serves transmission alone. */
  lane: Lane | null = null;
  armed = false;
  armedAt: Ps = 0;
  coalRecords = 1;
  coalTimerPs: Ps = 0;
  timerReset = false;
  fromMessage = false;
  /** When the last message left. */
  private messageAt: Ps = -Infinity;
  /**
   * What a look ahead has found: the next message leaves at `irqAt` (Infinity: not known), or none
   * leaves up to `quietTo`. Forgotten by whatever may change that while it is armed; that time passes
   * does not.
   */
  irqAt: Ps = Infinity;
  quietTo: Ps = -1;
  /**
   * All that happens before then has happened, of what arrives and what is completed. Known after a
   * look that found nothing to do, while nothing is being sent.
   */
  idleTo: Ps = -1;
  /** When the record in each slot was due, gathered or not. */
  readonly stamps: Float64Array;
  /**
   * TX completions not yet visible, in order: [txHead, txTail), free running. A ring has room for
   * all descriptors of the TX rings it serves, and so have these.
   */
  readonly txAt: Float64Array;
  readonly txOpaque: Int32Array;
  /** When the late second half of the last RX completion becomes visible; Infinity when none is late. */
  halfAt: Ps = Infinity;
  halfFrame = 0;
  halfErrors = 0;

  /** Its block of host memory. */
  readonly block: HostAddr;
  private readonly ahead: LookAhead;
  private readonly state: HostWords;
  private readonly times: Float64Array;

  /** @param block `completionRingBytes(slots)` of host memory, the device's own */
  constructor(
    id: number,
    base: HostAddr,
    slots: number,
    irq: IrqLine,
    mem: HostMemory,
    block: HostAddr,
    ahead: LookAhead,
  ) {
    this.id = id;
    this.base = base;
    this.slots = slots;
    this.mask = slots - 1;
    this.irq = irq;
    this.block = block;
    this.ahead = ahead;
    const arrays = block + CP_STATE_BYTES;
    this.stamps = mem.doublesAt(arrays, slots);
    this.txAt = mem.doublesAt(arrays + slots * 8, slots);
    this.txOpaque = mem.wordsAt(arrays + slots * 16, slots);
    this.state = mem.wordsAt(block, CP_STATE_BYTES / 4);
    this.times = mem.doublesAt(block, CP_STATE_BYTES / 8);
    this.state[CP_BASE / 4] = base;
    this.state[CP_SLOTS / 4] = slots;
    this.state[CP_STAMPS / 4] = this.stamps.byteOffset;
    this.state[CP_TX_AT / 4] = this.txAt.byteOffset;
    this.state[CP_TX_OPAQUE / 4] = this.txOpaque.byteOffset;
  }

  /** Records written and records acknowledged: free running, of 32 bits. */
  get prod(): number {
    return this.state[CP_PROD / 4]!;
  }

  set prod(prod: number) {
    this.state[CP_PROD / 4] = prod;
  }

  get cons(): number {
    return this.state[CP_CONS / 4]!;
  }

  set cons(cons: number) {
    this.state[CP_CONS / 4] = cons;
  }

  get txHead(): number {
    return this.state[CP_TX_HEAD / 4]!;
  }

  set txHead(txHead: number) {
    this.state[CP_TX_HEAD / 4] = txHead;
  }

  get txTail(): number {
    return this.state[CP_TX_TAIL / 4]!;
  }

  set txTail(txTail: number) {
    this.state[CP_TX_TAIL / 4] = txTail;
  }

  /** So many records, or so long a time, gather between a message and the next arm. */
  get gatherRecords(): number {
    return this.state[CP_GATHER_RECORDS / 4]!;
  }

  get gatherTimerPs(): Ps {
    return this.times[CP_GATHER_TIMER / 8]!;
  }

  /** Records due by then do not gather, or have been written; an armed ring's never do. */
  get releasedTo(): Ps {
    return this.times[CP_RELEASED_TO / 8]!;
  }

  /** What is due by `at` gathers no more. */
  release(at: Ps): void {
    if (at > this.releasedTo) this.times[CP_RELEASED_TO / 8] = at;
  }

  /** Records written and not acknowledged. */
  get unread(): number {
    return (this.prod - this.cons) | 0;
  }

  slotAt(raw: number): HostAddr {
    return this.base + ((raw & this.mask) << DESC_SHIFT);
  }

  /** Valid bit of the writer's lap: 1 on even laps. */
  lapV(raw: number): number {
    return (raw & this.slots) === 0 ? 1 : 0;
  }

  /** The ring can hold `records` more before the driver acknowledges. */
  room(records: number): boolean {
    return this.unread + records <= this.slots;
  }

  /** Records up to the one with masked index `index` belong to the NIC again. */
  acknowledge(index: number): void {
    this.cons = this.prod - ((this.prod - index) & this.mask);
    this.forgetIrq();
  }

  /** From `now` on: what is due by these limits already is due now, and what has gathered is written. */
  coalesce(limits: Coalescing, now: Ps): void {
    this.coalRecords = limits.records;
    this.coalTimerPs = limits.timerPs;
    this.timerReset = limits.timerReset;
    this.state[CP_GATHER_RECORDS / 4] = limits.gatherRecords;
    this.times[CP_GATHER_TIMER / 8] = limits.gatherTimerPs;
    this.release(now);
    if (this.armed && now > this.armedAt) this.armedAt = now;
    this.forgetIrq();
  }

  arm(now: Ps): void {
    this.armed = true;
    this.armedAt = now;
    this.release(now);
    this.forgetIrq();
  }

  /** Its message leaves at `at`: from then on records gather. */
  disarm(at: Ps): void {
    this.armed = false;
    this.messageAt = at;
    this.release(at);
  }

  forgetIrq(): void {
    if (!this.armed) return;
    this.irqAt = Infinity;
    this.quietTo = -1;
    this.ahead.forget();
  }

  /** Nothing is known of what comes: the traffic or the configuration are about to change. */
  forgetAhead(): void {
    this.idleTo = -1;
    this.forgetIrq();
  }

  /** Since when the timer runs, as far as visible records tell; Infinity when there are none. */
  timerFrom(): Ps {
    const { cons, unread, mask, stamps } = this;
    if (unread === 0) return Infinity;
    let from = this.timerStart(stamps[cons & mask]!);
    if (!this.timerReset) return from;
    for (let i = 1; i < unread; i++) {
      const at = stamps[(cons + i) & mask]!;
      if (at > from + this.coalTimerPs) break;
      from = at;
    }
    return from;
  }

  /** Since when the timer runs where the first unacknowledged record became visible at `at`. */
  timerStart(at: Ps): Ps {
    if (!this.fromMessage || this.timerReset) return at;
    return Math.max(at - this.coalTimerPs, this.messageAt);
  }

  /** When the next message leaves, as far as visible records tell; Infinity when none will. */
  fireAt(): Ps {
    const { unread } = this;
    if (!this.armed || unread === 0) return Infinity;
    let due = this.timerFrom() + this.coalTimerPs;
    if (unread >= this.coalRecords) {
      const full = this.stamps[(this.cons + this.coalRecords - 1) & this.mask]!;
      if (full < due) due = full;
    }
    return due > this.armedAt ? due : this.armedAt;
  }

  pendTx(at: Ps, opaque: number): void {
    bugOn(
      ((this.txTail - this.txHead) | 0) === this.slots,
      'more TX completions than completion slots',
    );
    const i = this.txTail++ & this.mask;
    this.txAt[i] = at;
    this.txOpaque[i] = opaque;
    this.txPended();
  }

  /** TX completions have been added to those not yet visible. */
  txPended(): void {
    this.idleTo = -1;
    this.forgetIrq();
  }

  txHeadAt(): Ps {
    return this.txHead === this.txTail ? Infinity : this.txAt[this.txHead & this.mask]!;
  }

  /** Make the oldest pending TX completion visible. */
  writeTx(words: HostWords): void {
    const i = this.txHead++ & this.mask;
    const raw = this.prod;
    txCmpWrite(words, this.slotAt(raw), CMP_TYPE_TX_L2_CMP, this.txOpaque[i]!, 0, this.lapV(raw));
    this.stamps[raw & this.mask] = this.txAt[i]!;
    this.prod = raw + 1;
  }
}
