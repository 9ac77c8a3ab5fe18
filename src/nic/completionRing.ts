/**
 * A completion ring inside the NIC: what has been written, acknowledged and armed, and when the
 * interrupt is due.
 *
 * Coalescing: a message is due once `coalRecords` unacknowledged records are visible, or
 * `coalTimerPs` after the first of them became visible, whichever comes first, and never before
 * the ring was armed. One arm buys one message.
 *
 * @linux hwrm_ring_cmpl_ring_cfg_aggint_params, BNXT_DB_CQ_ARM
 */
import type { Ps } from '../host/clock.ts';
import type { IrqLine } from '../host/irq.ts';
import type { HostAddr, HostWords } from '../host/memory.ts';
import { CMP_TYPE_TX_L2_CMP, txCmpWrite } from './hsi/txCmp.ts';
import { DESC_SHIFT } from './hsi/ring.ts';
import type { Lane } from './lane.ts';

export class CompletionRing {
  readonly id: number;
  readonly base: HostAddr;
  readonly slots: number;
  readonly mask: number;
  readonly irq: IrqLine;
  /** The RX queue it serves; null for a ring that serves transmission alone. */
  lane: Lane | null = null;
  /** Records written and records acknowledged; both count on for ever. */
  prod = 0;
  cons = 0;
  armed = false;
  armedAt: Ps = 0;
  coalRecords = 1;
  coalTimerPs: Ps = 0;
  /**
   * What a look ahead has found: the next message leaves at `irqAt` (Infinity: not known), or none
   * leaves up to `quietTo`. Forgotten by whatever may change that; that time passes does not.
   */
  irqAt: Ps = Infinity;
  quietTo: Ps = -1;
  /** When the record in each slot became visible. */
  readonly stamps: Float64Array;
  /** TX completions not yet visible, in order: [txHead, txTail), free running. */
  txAt: Float64Array = new Float64Array(256);
  txOpaque: Int32Array = new Int32Array(256);
  txHead = 0;
  txTail = 0;
  /** When the late second half of the last RX completion becomes visible; Infinity when none is late. */
  halfAt: Ps = Infinity;
  halfFrame = 0;
  halfErrors = 0;

  constructor(id: number, base: HostAddr, slots: number, irq: IrqLine) {
    this.id = id;
    this.base = base;
    this.slots = slots;
    this.mask = slots - 1;
    this.irq = irq;
    this.stamps = new Float64Array(slots);
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
    return this.prod - this.cons + records <= this.slots;
  }

  /** Records up to the one with masked index `index` belong to the NIC again. */
  acknowledge(index: number): void {
    this.cons = this.prod - ((this.prod - index) & this.mask);
    this.forgetIrq();
  }

  arm(now: Ps): void {
    this.armed = true;
    this.armedAt = now;
    this.forgetIrq();
  }

  forgetIrq(): void {
    this.irqAt = Infinity;
    this.quietTo = -1;
  }

  /** When the next message leaves, as far as visible records tell; Infinity when none will. */
  fireAt(): Ps {
    if (!this.armed || this.prod === this.cons) return Infinity;
    let due = this.stamps[this.cons & this.mask]! + this.coalTimerPs;
    if (this.prod - this.cons >= this.coalRecords) {
      const full = this.stamps[(this.cons + this.coalRecords - 1) & this.mask]!;
      if (full < due) due = full;
    }
    return due > this.armedAt ? due : this.armedAt;
  }

  pendTx(at: Ps, opaque: number): void {
    const size = this.txAt.length;
    if (this.txTail - this.txHead === size) this.growTx();
    const i = this.txTail++ & (this.txAt.length - 1);
    this.txAt[i] = at;
    this.txOpaque[i] = opaque;
    this.forgetIrq();
  }

  txHeadAt(): Ps {
    return this.txHead === this.txTail
      ? Infinity
      : this.txAt[this.txHead & (this.txAt.length - 1)]!;
  }

  /** Make the oldest pending TX completion visible. */
  writeTx(words: HostWords): void {
    const i = this.txHead++ & (this.txAt.length - 1);
    const raw = this.prod;
    txCmpWrite(words, this.slotAt(raw), CMP_TYPE_TX_L2_CMP, this.txOpaque[i]!, 0, this.lapV(raw));
    this.stamps[raw & this.mask] = this.txAt[i]!;
    this.prod = raw + 1;
  }

  private growTx(): void {
    const old = this.txAt.length;
    const at = new Float64Array(old * 2);
    const opaque = new Int32Array(old * 2);
    for (let i = 0; i < old; i++) {
      at[i] = this.txAt[(this.txHead + i) & (old - 1)]!;
      opaque[i] = this.txOpaque[(this.txHead + i) & (old - 1)]!;
    }
    this.txAt = at;
    this.txOpaque = opaque;
    this.txTail = old;
    this.txHead = 0;
  }
}
