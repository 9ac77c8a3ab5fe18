/**
 * One TX ring inside the NIC: descriptors that doorbells have published and that are not yet sent.
 *
 * Doorbells are kept with their times, because what TX rings share (the wire) is settled only up
 * to the smallest of all CPU clocks, and a doorbell may come from a CPU that is ahead of it.
 */
import type { Ps } from '../host/clock.ts';
import type { HostAddr, HostMemory, HostWords } from '../host/memory.ts';
import { BELL_TX } from './bell.ts';
import type { CompletionRing } from './completionRing.ts';
import type { RingStats } from './stats.ts';
import { BELL_HEAD, BELL_TAIL, TX_BLOCK, TX_CONS } from './txBulk.ts';

/** Bytes of host memory that a ring of `slots` wants for the doorbells not yet followed. */
export const txRingBytes = (slots: number): number => TX_BLOCK + slots * 12;

export class TxRing {
  readonly bell: typeof BELL_TX = BELL_TX;
  readonly id: number;
  readonly base: HostAddr;
  readonly mask: number;
  readonly cp: CompletionRing;
  readonly stats: RingStats;
  /** Producer of the newest doorbell, masked. */
  prod = 0;
  /** The frame before has been read, and its queue's slot is over. */
  freeAt: Ps = 0;
  /** Doorbells [bellHead, bellTail), free running; each has published a descriptor or more. */
  readonly bellAt: Float64Array;
  readonly bellProd: Int32Array;
  /** Its block of host memory, in which the NIC's loop finds and moves its state (`txBulk.ts`). */
  readonly block: HostAddr;
  private readonly state: HostWords;

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
    this.state = mem.wordsAt(block, TX_BLOCK / 4);
    this.bellAt = mem.doublesAt(block + TX_BLOCK, slots);
    this.bellProd = mem.wordsAt(block + TX_BLOCK + slots * 8, slots);
  }

  /** Next descriptor to fetch, masked. */
  get cons(): number {
    return this.state[TX_CONS / 4]!;
  }

  set cons(cons: number) {
    this.state[TX_CONS / 4] = cons;
  }

  get bellHead(): number {
    return this.state[BELL_HEAD / 4]!;
  }

  set bellHead(bellHead: number) {
    this.state[BELL_HEAD / 4] = bellHead;
  }

  get bellTail(): number {
    return this.state[BELL_TAIL / 4]!;
  }

  set bellTail(bellTail: number) {
    this.state[BELL_TAIL / 4] = bellTail;
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
    if (this.bellHead === this.bellTail) return Infinity;
    const at = this.followedAt();
    return at > this.freeAt ? at : this.freeAt;
  }

  /** When the doorbell that published the next packet has been followed. */
  followedAt(): Ps {
    return this.bellAt[this.bellHead & this.mask]!;
  }

  /** The consumer has moved to `cons`; forget the doorbell it has thereby used up. */
  advance(cons: number): void {
    this.cons = cons;
    if (cons === this.bellProd[this.bellHead & this.mask]!) this.bellHead++;
  }
}
