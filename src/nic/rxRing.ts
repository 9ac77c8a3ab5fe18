/**
 * One RX ring inside the NIC: the buffers it may take, and frames whose DMA is under way.
 *
 * A frame has two moments: *accepted*, when it arrives, a buffer is taken and the bytes are
 * copied, and *written*, when DMA is done and its completion becomes visible. Between the two it
 * waits in `pending`, because a completion must not lie in memory early.
 */
import type { Ps } from '../host/clock.ts';
import type { HostAddr, HostMemory, HostWords } from '../host/memory.ts';
import { BELL_RX } from './bell.ts';
import {
  BULK_BLOCK,
  DMA_FREE_AT,
  PENDING_BYTES,
  PENDING_FRAME,
  PENDING_HEAD,
  PENDING_OPAQUE,
  PENDING_TAIL,
  RX_CONS,
  RX_PROD,
} from './rxBulkBlock.ts';
import type { CompletionRing } from './completionRing.ts';

/** Bytes of host memory that a ring of `slots` wants for what it has accepted and not yet written. */
export const rxRingBytes = (slots: number): number => BULK_BLOCK + slots * PENDING_BYTES;

export class RxRing {
  readonly bell: typeof BELL_RX = BELL_RX;
  readonly id: number;
  readonly base: HostAddr;
  readonly mask: number;
  readonly cp: CompletionRing;
  /** Its block of host memory, in which the NIC's loops find and move its state (`rxBulkBlock.ts`). */
  readonly block: HostAddr;
  private readonly state: HostWords;
  private readonly times: Float64Array;
  private readonly pendingTimes: Float64Array;
  private readonly pendingWords: HostWords;

  /** @param block `rxRingBytes(slots)` of host memory, the device's own */
  constructor(
    id: number,
    base: HostAddr,
    slots: number,
    cp: CompletionRing,
    mem: HostMemory,
    block: HostAddr,
  ) {
    this.id = id;
    this.base = base;
    this.mask = slots - 1;
    this.cp = cp;
    this.block = block;
    this.state = mem.wordsAt(block, BULK_BLOCK / 4);
    this.times = mem.doublesAt(block, BULK_BLOCK / 8);
    const pending = block + BULK_BLOCK;
    this.pendingTimes = mem.doublesAt(pending, (slots * PENDING_BYTES) / 8);
    this.pendingWords = mem.wordsAt(pending, (slots * PENDING_BYTES) / 4);
  }

  /** Next descriptor to take, masked; equal to `prod` when no buffer is left. */
  get cons(): number {
    return this.state[RX_CONS / 4]!;
  }

  set cons(cons: number) {
    this.state[RX_CONS / 4] = cons;
  }

  /** Last published producer, masked: moved by the doorbell alone. */
  get prod(): number {
    return this.state[RX_PROD / 4]!;
  }

  set prod(prod: number) {
    this.state[RX_PROD / 4] = prod;
  }

  /** Free running; entries [pendingHead, pendingTail) are accepted and not yet written. */
  get pendingHead(): number {
    return this.state[PENDING_HEAD / 4]!;
  }

  set pendingHead(pendingHead: number) {
    this.state[PENDING_HEAD / 4] = pendingHead;
  }

  get pendingTail(): number {
    return this.state[PENDING_TAIL / 4]!;
  }

  set pendingTail(pendingTail: number) {
    this.state[PENDING_TAIL / 4] = pendingTail;
  }

  /** When the completion of pending frame `i`, free running, is due. */
  pendingAt(i: number): Ps {
    return this.pendingTimes[(i & this.mask) * (PENDING_BYTES / 8)]!;
  }

  /** Number of pending frame `i`; negative, `~n`, if it did not fit its buffer. */
  pendingFrame(i: number): number {
    return this.pendingWords[((i & this.mask) * PENDING_BYTES + PENDING_FRAME) >> 2]!;
  }

  /** Opaque of the buffer that it lies in. */
  pendingOpaque(i: number): number {
    return this.pendingWords[((i & this.mask) * PENDING_BYTES + PENDING_OPAQUE) >> 2]!;
  }

  /** Another frame is pending. */
  pend(at: Ps, frame: number, opaque: number): void {
    const i = this.pendingTail++ & this.mask;
    this.pendingTimes[i * (PENDING_BYTES / 8)] = at;
    this.pendingWords[(i * PENDING_BYTES + PENDING_FRAME) >> 2] = frame;
    this.pendingWords[(i * PENDING_BYTES + PENDING_OPAQUE) >> 2] = opaque;
  }

  /** When the DMA engine of this queue is free for the next frame. */
  get dmaFreeAt(): number {
    return this.times[DMA_FREE_AT / 8]!;
  }

  set dmaFreeAt(dmaFreeAt: number) {
    this.times[DMA_FREE_AT / 8] = dmaFreeAt;
  }

  get pendingCount(): number {
    return (this.pendingTail - this.pendingHead) | 0;
  }

  /** Descriptors that hold a buffer and have not been taken. */
  get free(): number {
    return (this.prod - this.cons) & this.mask;
  }

  /** When the oldest pending completion becomes visible; Infinity when there is none. */
  pendingHeadAt(): Ps {
    return this.pendingHead === this.pendingTail ? Infinity : this.pendingAt(this.pendingHead);
  }

  /** Accepted frames whose completions are due by `at` and have not been written. */
  dueBy(at: Ps): number {
    let count = 0;
    for (let i = this.pendingHead; i !== this.pendingTail; i++, count++) {
      if (this.pendingAt(i) > at) break;
    }
    return count;
  }

  /** Back to an empty ring at index 0. */
  reset(): void {
    this.cons = 0;
    this.prod = 0;
  }
}
