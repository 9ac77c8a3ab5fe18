/**
 * One TX ring inside the NIC: descriptors that doorbells have published and that are not yet sent.
 *
 * Doorbells are kept with their times, because what TX rings share (the wire) is settled only up
 * to the smallest of all CPU clocks, and a doorbell may come from a CPU that is ahead of it.
 */
import type { Ps } from '../host/clock.ts';
import type { HostAddr } from '../host/memory.ts';
import type { CompletionRing } from './completionRing.ts';
import type { RingStats } from './stats.ts';

export class TxRing {
  readonly id: number;
  readonly base: HostAddr;
  readonly mask: number;
  readonly cp: CompletionRing;
  readonly stats: RingStats;
  /** Next descriptor to fetch, masked. */
  cons = 0;
  /** Producer of the newest doorbell, masked. */
  prod = 0;
  private bellAt: Float64Array = new Float64Array(16);
  private bellProd: Int32Array = new Int32Array(16);
  private bellHead = 0;
  private bellTail = 0;

  constructor(id: number, base: HostAddr, slots: number, cp: CompletionRing, stats: RingStats) {
    this.id = id;
    this.base = base;
    this.mask = slots - 1;
    this.cp = cp;
    this.stats = stats;
  }

  /** Descriptors up to `prod` can be on the wire from `readyAt` on. */
  publish(prod: number, readyAt: Ps): void {
    if (prod === this.prod) return;
    if (this.bellTail - this.bellHead === this.bellAt.length) this.growBells();
    const i = this.bellTail++ & (this.bellAt.length - 1);
    this.bellAt[i] = readyAt;
    this.bellProd[i] = prod;
    this.prod = prod;
  }

  /** When the next packet can be on the wire; Infinity when nothing waits. */
  readyAt(): Ps {
    return this.bellHead === this.bellTail
      ? Infinity
      : this.bellAt[this.bellHead & (this.bellAt.length - 1)]!;
  }

  /** The consumer has moved to `cons`; forget the doorbell it has thereby used up. */
  advance(cons: number): void {
    this.cons = cons;
    if (cons === this.bellProd[this.bellHead & (this.bellAt.length - 1)]!) this.bellHead++;
  }

  private growBells(): void {
    const old = this.bellAt.length;
    const at = new Float64Array(old * 2);
    const prod = new Int32Array(old * 2);
    for (let i = 0; i < old; i++) {
      at[i] = this.bellAt[(this.bellHead + i) & (old - 1)]!;
      prod[i] = this.bellProd[(this.bellHead + i) & (old - 1)]!;
    }
    this.bellAt = at;
    this.bellProd = prod;
    this.bellTail = old;
    this.bellHead = 0;
  }
}
