/**
 * The ownership ledger: in checked mode, who holds each page, and which hand-overs are legal.
 *
 * Every page has exactly one owner. Each seam that hands a page on names the new owner; the ledger
 * knows the old one and refuses a hand-over that the table below does not list: a double recycle,
 * a use after recycle, a return to the wrong pool, a DMA into a page that was not given away.
 *
 * `Ledger` is the mode that costs nothing: `on` is false and nobody calls further.
 * `CheckedLedger` has the same shape; `machine.ts` chooses one when it builds the machine.
 */
import { BugError } from './errors.ts';
import type { HostAddr, HostMemory } from './memory.ts';
import { PAGE_MASK, PAGE_SHIFT, PAGE_SIZE } from './memory.ts';

export const FREE = 0;
/** Taken from the page allocator, not yet in anybody's structure. */
export const OWNED = 1;
export const POOL_CACHE = 2;
export const POOL_RING = 3;
/** Held by the driver: between the ring and wherever the packet goes next. */
export const DRIVER = 4;
/** In a slot of an RX ring; the NIC may write to it once the doorbell has published it. */
export const RX_RING = 5;
/** In an XDP TX ring, and already back in an RX slot whose doorbell is withheld (facts 3.4). */
export const TX_RING = 6;
/** An `xdp_frame` on its way: bulk queue, another device's TX ring, another CPU's queue. */
export const XDP_FRAME = 7;
export const SKB = 8;
/**
 * Cut into pieces with owners of their own; page_pool counts them. What happens to a piece is not
 * followed: only the whole page's return is.
 */
export const SHARED = 9;

export const OWNER_NAMES: readonly string[] = [
  'free',
  'allocator',
  'pool cache',
  'pool ring',
  'driver',
  'RX ring',
  'TX ring',
  'xdp_frame',
  'skb',
  'several pieces',
];

/** From each owner, the owners a page may go to next. */
const LEGAL: readonly (readonly number[])[] = [
  [OWNED],
  [FREE, POOL_CACHE, DRIVER, SKB, XDP_FRAME],
  [DRIVER, FREE, POOL_RING, SHARED],
  [POOL_CACHE, FREE],
  [RX_RING, TX_RING, XDP_FRAME, SKB, POOL_CACHE, POOL_RING, FREE, SHARED],
  [DRIVER, SHARED],
  [RX_RING, POOL_CACHE, POOL_RING, FREE],
  [XDP_FRAME, SKB, POOL_CACHE, POOL_RING, FREE], // a cpumap's program redirects a frame again
  [POOL_CACHE, POOL_RING, FREE, SHARED],
  [POOL_CACHE, POOL_RING, FREE],
];

/** Between these, the pieces of a shared page move without the page. */
const USERS: readonly number[] = [DRIVER, RX_RING, TX_RING, XDP_FRAME, SKB];

/** A piece of a shared page is a packet's as long as the page has not gone back. */
const READABLE: readonly number[] = [TX_RING, XDP_FRAME, SKB, SHARED];

const POISON = 0x5a;

export class Ledger {
  on = false;
  /** Hand `page` to `owner`. @throws BugError when the table does not allow it */
  move(_page: HostAddr, _owner: number): void {}
  /** Assert, without a hand-over, that `owner` holds the page `at` lies in. */
  holds(_at: HostAddr, _owner: number, _who: string): void {}
  /** Assert that the page `at` lies in was handed to a device for reading. */
  readable(_at: HostAddr, _who: string): void {}
  /** Who holds the page `at` lies in. */
  ownerOf(_at: HostAddr): number {
    return FREE;
  }
  /** Pages per owner, in the order of `OWNER_NAMES`. */
  census(): Int32Array {
    return new Int32Array(OWNER_NAMES.length);
  }
}

export class CheckedLedger extends Ledger {
  private readonly owners: Uint8Array;
  private readonly mem: HostMemory;

  constructor(mem: HostMemory) {
    super();
    this.on = true;
    this.mem = mem;
    this.owners = new Uint8Array(mem.bytes >>> PAGE_SHIFT);
  }

  override move(page: HostAddr, owner: number): void {
    const from = this.owners[page >>> PAGE_SHIFT]!;
    if ((page & ~PAGE_MASK) !== 0 || page === 0) {
      throw new BugError(`0x${page.toString(16)} is not a page`);
    }
    if (from === SHARED && USERS.includes(owner)) return;
    if (!LEGAL[from]!.includes(owner)) {
      throw new BugError(
        `page 0x${page.toString(16)}: ${OWNER_NAMES[from]} hands to ${OWNER_NAMES[owner]}, which is no legal hand-over`,
      );
    }
    this.owners[page >>> PAGE_SHIFT] = owner;
    if (owner === FREE) this.mem.fill(page, PAGE_SIZE, POISON);
  }

  override holds(at: HostAddr, owner: number, who: string): void {
    const actual = this.owners[at >>> PAGE_SHIFT]!;
    if (actual !== owner && !(actual === SHARED && USERS.includes(owner))) {
      throw new BugError(
        `${who} uses page 0x${(at & PAGE_MASK).toString(16)}, which belongs to ${OWNER_NAMES[actual]}, not to ${OWNER_NAMES[owner]}`,
      );
    }
  }

  override readable(at: HostAddr, who: string): void {
    const actual = this.owners[at >>> PAGE_SHIFT]!;
    if (!READABLE.includes(actual)) {
      throw new BugError(
        `${who} reads page 0x${(at & PAGE_MASK).toString(16)}, which belongs to ${OWNER_NAMES[actual]}`,
      );
    }
  }

  override ownerOf(at: HostAddr): number {
    return this.owners[at >>> PAGE_SHIFT]!;
  }

  override census(): Int32Array {
    const count = new Int32Array(OWNER_NAMES.length);
    for (const owner of this.owners) count[owner]!++;
    return count;
  }
}
