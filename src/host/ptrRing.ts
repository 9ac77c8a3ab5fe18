/**
 * A bounded first-in first-out queue of addresses between two contexts: pages that others give back to
 * a pool, frames that others hand to a CPU.
 *
 * Words, in host memory where compiled code uses them too:
 *
 *   0   head   slot of the oldest
 *   1   used   slots that hold an address
 *   2   size   slots
 *   3   slots
 *
 * A slot is free again as soon as it was read; Linux frees slots in groups of 16.
 *
 * @linux struct ptr_ring; include/linux/ptr_ring.h
 */
import type { HostAddr, HostWords } from './memory.ts';

const HEAD = 0;
const USED = 1;
const SIZE = 2;
const SLOTS = 3;

/** Offsets, for code that is compiled. */
export const PTR_RING_HEAD: number = 4 * HEAD;
export const PTR_RING_USED: number = 4 * USED;
export const PTR_RING_SIZE: number = 4 * SIZE;
export const PTR_RING_SLOTS: number = 4 * SLOTS;

/** Words of a ring with `size` slots. */
export const ptrRingWords = (size: number): number => SLOTS + size;

export class PtrRing {
  readonly size: number;
  private readonly words: HostWords;

  /** @param words `ptrRingWords` of them, zeroed */
  constructor(words: HostWords) {
    this.words = words;
    this.size = words.length - SLOTS;
    words[SIZE] = this.size;
  }

  get length(): number {
    return this.words[USED]!;
  }

  /** @returns false when the ring is full. @linux ptr_ring_produce */
  produce(page: HostAddr): boolean {
    const { words, size } = this;
    const used = words[USED]!;
    if (used === size) return false;
    const tail = words[HEAD]! + used;
    words[USED] = used + 1;
    words[SLOTS + (tail < size ? tail : tail - size)] = page;
    return true;
  }

  /** @returns 0 when the ring is empty. @linux __ptr_ring_consume */
  consume(): HostAddr {
    const { words } = this;
    if (words[USED] === 0) return 0;
    const head = words[HEAD]!;
    words[USED]!--;
    words[HEAD] = head + 1 === this.size ? 0 : head + 1;
    return words[SLOTS + head]!;
  }
}
