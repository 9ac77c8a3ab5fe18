/**
 * One TX ring inside the NIC: descriptors that doorbells have published and that are not yet sent.
 *
 * Doorbells are kept with their times, because what TX rings share (the wire) is settled only up
 * to the smallest of all CPU clocks, and a doorbell may come from a CPU that is ahead of it.
 */
import type { Ps } from '../host/clock.ts';
import type { HostAddr, HostMemory } from '../host/memory.ts';
import type { CompletionRing } from './completionRing.ts';
import type { RingStats } from './stats.ts';
import { TX_BLOCK } from './txBulk.ts';

/** Bytes of host memory that a ring of `slots` wants for the doorbells not yet followed. */
export const txRingBytes = (slots: number): number => TX_BLOCK + slots * 12;

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
  /** Doorbells [bellHead, bellTail), free running; each has published a descriptor or more. */
  readonly bellAt: Float64Array;
  readonly bellProd: Int32Array;
  bellHead = 0;
  bellTail = 0;
  /** Its block of host memory. */
  readonly block: HostAddr;

  /** @param block `txRingBytes(slots)` of host memory, the device's own */
  constructor(
    id: number,
    base: HostAddr,
    slots: number,
    cp: CompletionRing,
    stats: RingStats,
    mem: HostMemory,
    block: HostAddr,
  ) {
    this.id = id;
    this.base = base;
    this.mask = slots - 1;
    this.cp = cp;
    this.stats = stats;
    this.block = block;
    this.bellAt = mem.doublesAt(block + TX_BLOCK, slots);
    this.bellProd = mem.wordsAt(block + TX_BLOCK + slots * 8, slots);
  }

  /** Descriptors up to `prod` can be on the wire from `readyAt` on. */
  publish(prod: number, readyAt: Ps): void {
    if (prod === this.prod) return;
    const i = this.bellTail++ & this.mask;
    this.bellAt[i] = readyAt;
    this.bellProd[i] = prod;
    this.prod = prod;
  }

  /** When the next packet can be on the wire; Infinity when nothing waits. */
  readyAt(): Ps {
    return this.bellHead === this.bellTail ? Infinity : this.bellAt[this.bellHead & this.mask]!;
  }

  /** The consumer has moved to `cons`; forget the doorbell it has thereby used up. */
  advance(cons: number): void {
    this.cons = cons;
    if (cons === this.bellProd[this.bellHead & this.mask]!) this.bellHead++;
  }
}
