/**
 * Where skbs come from and where they go: pooled objects, their heads, and their pages' way home.
 *
 * Once warm nothing here allocates. A head is a slot of 1, 2 or 4 KiB (`napiAllocSkb`) or a buffer
 * the driver already had (`napiBuildSkb`).
 *
 * @linux net/core/skbuff.c
 */
import { OP_SKB_ALLOC, OP_SKB_FREE } from '../host/cost.ts';
import type { Cpu } from '../host/cpu.ts';
import { DROP_REASON_COUNT } from '../host/dropReason.ts';
import { bugOn } from '../host/errors.ts';
import { DROP_REASONS_FROM } from '../host/fates.ts';
import type { Faults } from '../host/faults.ts';
import { FAULT_SKB_ALLOC } from '../host/faults.ts';
import { SKB } from '../host/ledger.ts';
import type { HostAddr } from '../host/memory.ts';
import { PAGE_MASK, PAGE_SIZE } from '../host/memory.ts';
import type { PageAllocator } from '../host/pages.ts';
import { TP_KFREE_SKB } from '../host/trace.ts';
import type { Watch } from '../host/watch.ts';
import { SKB_SHARED_INFO_SIZE } from '../xdp/uapi.ts';
import { HeadSlab } from './headSlab.ts';
import type { NapiStruct } from './napi.ts';
import type { Net } from './net.ts';
import type { NetDevice } from './netdevice.ts';
import type { PpPages } from './ppPages.ts';
import { SkBuff, skbInit, skbReserve } from './skbuff.ts';

/** Headroom of an allocated skb; `NET_IP_ALIGN` is 0 on x86-64. @linux NET_SKB_PAD; include/linux/skbuff.h */
export const NET_SKB_PAD = 64;
/** Headroom of a packet that is built to be sent: room for all headers in front of its data. @linux MAX_HEADER; include/linux/netdevice.h */
const MAX_HEADER = 128;
/** `struct sk_buff` itself, rounded up to cache lines: its share of `truesize`. */
const SK_BUFF_BYTES = 256;
const SLOT_BYTES: readonly number[] = [1024, 2048, PAGE_SIZE];

export interface SkbHost {
  readonly pages: PageAllocator;
  readonly watch: Watch;
  readonly faults: Faults;
}

export class SkbPool {
  /** skbs somebody holds. */
  live = 0;
  /** Drops per reason, indexed by `SKB_DROP_REASON_*`. */
  readonly drops: Float64Array = new Float64Array(DROP_REASON_COUNT);
  /** Of them those of the stack's own packets before a device had them: no book of a device has these. */
  readonly unsent: Float64Array = new Float64Array(DROP_REASON_COUNT);
  readonly watch: Watch;
  readonly faults: Faults;
  private readonly pages: PageAllocator;
  private readonly pp: PpPages;
  /** Objects nobody holds, `idle` of them; what lies behind is left over. */
  private readonly free: SkBuff[] = [];
  private idle = 0;
  /** Every object ever made, in use or not. */
  private readonly all: SkBuff[] = [];
  private readonly slabs: readonly HeadSlab[];
  private readonly smallest: HeadSlab;

  constructor(host: SkbHost, pp: PpPages) {
    this.pages = host.pages;
    this.watch = host.watch;
    this.faults = host.faults;
    this.pp = pp;
    this.slabs = SLOT_BYTES.map((bytes) => new HeadSlab(bytes, host.pages, host.watch));
    this.smallest = this.slabs[0]!;
  }

  /** Pages held for small heads: not leaked, and given back by `reap`. */
  get slabPages(): number {
    return this.slabs.reduce((n, slab) => n + slab.pageCount, 0);
  }

  /** End of a run: give the slab pages back. @returns whether none is left */
  reap(): boolean {
    for (const slab of this.slabs) slab.reap();
    return this.slabPages === 0;
  }

  /** The pages that packets in somebody's hands hold, small heads aside. */
  heldPages(): Set<HostAddr> {
    const held = new Set<HostAddr>();
    for (const skb of this.all) {
      if (skb.head === 0) continue;
      if (skb.headFrag) held.add(skb.head & PAGE_MASK);
      for (let i = 0; i < skb.nrFrags; i++) held.add(skb.fragPage[i]!);
    }
    return held;
  }

  /** The slab whose slots hold `size` bytes. */
  slabFor(size: number): HeadSlab {
    if (size <= SLOT_BYTES[0]!) return this.smallest;
    let i = 1;
    while (i < SLOT_BYTES.length && SLOT_BYTES[i]! < size) i++;
    bugOn(i === SLOT_BYTES.length, 'an skb head is longer than a page');
    return this.slabs[i]!;
  }

  take(dev: NetDevice, head: HostAddr, size: number): SkBuff {
    const skb = this.idle > 0 ? this.free[--this.idle]! : this.make(dev);
    this.live++;
    skbInit(skb, dev, head, head + size - SKB_SHARED_INFO_SIZE, size + SK_BUFF_BYTES);
    return skb;
  }

  private make(dev: NetDevice): SkBuff {
    const skb = new SkBuff(dev);
    this.all.push(skb);
    return skb;
  }

  /** Everything the skb holds goes back to where it came from, frags first. @linux __kfree_skb, skb_release_data */
  release(skb: SkBuff, cpu: Cpu): void {
    bugOn(skb.head === 0, 'an skb is freed twice');
    cpu.charge(OP_SKB_FREE);
    for (let i = 0; i < skb.nrFrags; i++) this.putPage(skb.fragPage[i]!, skb.ppRecycle, cpu);
    this.releaseHead(skb, cpu);
    skb.head = 0;
    this.live--;
    this.free[this.idle++] = skb;
  }

  private releaseHead(skb: SkBuff, cpu: Cpu): void {
    if (skb.headFrag) this.putPage(skb.head & PAGE_MASK, skb.ppRecycle, cpu);
    else this.slabFor(skb.end + SKB_SHARED_INFO_SIZE - skb.head).release(skb.head);
  }

  /** What the skb takes with its linear part alone. @linux SKB_TRUESIZE(skb_end_offset(skb)) */
  headTruesize(skb: SkBuff): number {
    return skb.end + SKB_SHARED_INFO_SIZE - skb.head + SK_BUFF_BYTES;
  }

  /** Frags `from` to `to` - 1 go back to where they came from; those behind them move up. @linux skb_frag_unref */
  dropFrags(skb: SkBuff, from: number, to: number, cpu: Cpu): void {
    for (let i = from; i < to; i++) this.putPage(skb.fragPage[i]!, skb.ppRecycle, cpu);
    skb.fragPage.copyWithin(from, to, skb.nrFrags);
    skb.fragOffset.copyWithin(from, to, skb.nrFrags);
    skb.fragSize.copyWithin(from, to, skb.nrFrags);
    skb.nrFrags -= to - from;
  }

  /**
   * A longer head, with room for `more` bytes behind the linear ones; what lay at an address lies
   * elsewhere afterwards.
   *
   * @returns false when there is no memory, or no head of that length
   * @linux pskb_expand_head
   */
  expandHead(skb: SkBuff, more: number, cpu: Cpu): boolean {
    const size = skb.tail - skb.head + more + SKB_SHARED_INFO_SIZE;
    if (size > PAGE_SIZE) return false;
    const slab = this.slabFor(size);
    const head = slab.alloc(cpu);
    if (head === 0) return false;
    const { head: old } = skb;
    skb.dev.net.mem.copy(head, old, skb.tail - old);
    this.releaseHead(skb, cpu);
    const moved = head - old;
    skb.data += moved;
    skb.tail += moved;
    if (skb.macHeader !== 0) skb.macHeader += moved;
    if (skb.networkHeader !== 0) skb.networkHeader += moved;
    if (skb.transportHeader !== 0) skb.transportHeader += moved;
    skb.head = head;
    skb.end = head + slab.slotBytes - SKB_SHARED_INFO_SIZE;
    skb.headFrag = false;
    skb.truesize += slab.slotBytes;
    return true;
  }

  /** @linux skb_pp_recycle, napi_pp_put_page, page_frag_free */
  private putPage(page: HostAddr, recycle: boolean, cpu: Cpu): void {
    const pool = this.pp.poolOf(page);
    bugOn(pool !== null && !recycle, 'a page_pool page is freed without skb_mark_for_recycle');
    if (pool === null) this.pages.release(page);
    else pool.put(page, false, cpu);
  }
}

/**
 * An empty skb with room for `len` bytes behind a headroom of 64.
 *
 * @param len 0 to 3712
 * @returns null when host memory has no page left, or the fault point `skbAlloc` fires
 * @linux napi_alloc_skb
 */
export function napiAllocSkb(napi: NapiStruct, len: number): SkBuff | null {
  const pool = napi.dev.net.skbs;
  napi.cpu.charge(OP_SKB_ALLOC);
  napi.cpu.touchPacket();
  if (pool.faults.armed && pool.faults.fires(FAULT_SKB_ALLOC)) return null;
  const slab = skbHeadSlab(napi.dev.net, len);
  const head = slab.alloc(napi.cpu);
  return head === 0 ? null : skbOverHead(napi.dev, slab, head);
}

/** Where the head of an skb with room for `len` bytes comes from. */
export const skbHeadSlab = (net: Net, len: number): HeadSlab =>
  net.skbs.slabFor(NET_SKB_PAD + len + SKB_SHARED_INFO_SIZE);

/** An empty skb over a head of `slab`. */
export function skbOverHead(dev: NetDevice, slab: HeadSlab, head: HostAddr): SkBuff {
  const skb = dev.net.skbs.take(dev, head, slab.slotBytes);
  skbReserve(skb, NET_SKB_PAD);
  return skb;
}

/**
 * An empty skb to be sent, with room for `len` bytes behind a headroom of 128.
 *
 * @param len 0 to 3648
 * @returns null when host memory has no page left, or the fault point `skbAlloc` fires
 * @linux alloc_skb, skb_reserve
 */
export function allocSkb(dev: NetDevice, len: number, cpu: Cpu): SkBuff | null {
  const pool = dev.net.skbs;
  cpu.charge(OP_SKB_ALLOC);
  if (pool.faults.armed && pool.faults.fires(FAULT_SKB_ALLOC)) return null;
  const slab = pool.slabFor(MAX_HEADER + len + SKB_SHARED_INFO_SIZE);
  const head = slab.alloc(cpu);
  if (head === 0) return null;
  const skb = pool.take(dev, head, slab.slotBytes);
  skbReserve(skb, MAX_HEADER);
  return skb;
}

/**
 * An empty skb around a buffer that already holds a packet: the caller reserves and puts.
 *
 * @param data first byte of the buffer, a page or a piece of one; the skb owns it from here on
 * @param fragSize bytes of the buffer, its last 320 for the shared info
 * @returns null when the fault point `skbAlloc` fires; the buffer then stays the caller's
 * @linux napi_build_skb
 */
export function napiBuildSkb(napi: NapiStruct, data: HostAddr, fragSize: number): SkBuff | null {
  const pool = napi.dev.net.skbs;
  napi.cpu.charge(OP_SKB_ALLOC);
  napi.cpu.touchPacket();
  if (pool.faults.armed && pool.faults.fires(FAULT_SKB_ALLOC)) return null;
  const skb = pool.take(napi.dev, data, fragSize);
  skb.headFrag = true;
  if (pool.watch.on) pool.watch.page(data & PAGE_MASK, SKB);
  return skb;
}

/**
 * The packet has reached the queue of whom it is for. Should it be dropped there all the same, that
 * is taken back.
 */
export function skbArrived(skb: SkBuff): void {
  if (skb.fates === null || skb.arrived) return;
  skb.arrived = true;
  skb.fates.toStack++;
}

/** A received packet leaves through another device, or this one: the books of the one that sends it have it now. */
export function skbForwarded(skb: SkBuff): void {
  if (skb.fates === null) return;
  skb.fates.forwarded++;
  skb.fates = null;
}

/** The packet reached whom it was for. @linux consume_skb */
export function consumeSkb(skb: SkBuff, cpu: Cpu): void {
  skbArrived(skb);
  skb.dev.net.skbs.release(skb, cpu);
}

/** `consumeSkb` of a NAPI poll; with a budget of 0 (netpoll) Linux frees later instead. @linux napi_consume_skb */
export function napiConsumeSkb(skb: SkBuff, _budget: number, cpu: Cpu): void {
  consumeSkb(skb, cpu);
}

/** The packet is lost. @param reason `SKB_DROP_REASON_*`. @linux sk_skb_reason_drop, kfree_skb_reason */
export function kfreeSkb(skb: SkBuff, reason: number, cpu: Cpu): void {
  const pool = skb.dev.net.skbs;
  const { fates } = skb;
  pool.drops[reason]!++;
  if (fates !== null) {
    if (skb.arrived) fates.toStack--;
    fates.lost[DROP_REASONS_FROM + reason]!++;
  } else if (!skb.queued) pool.unsent[reason]!++;
  if (pool.watch.on) pool.watch.point(TP_KFREE_SKB, cpu, skb.len, reason);
  pool.release(skb, cpu);
}
