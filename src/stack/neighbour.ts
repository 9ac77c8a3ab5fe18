/**
 * Neighbours: which MAC address an IP address on a link has, and what waits until that is known.
 *
 *   INCOMPLETE asked for, packets wait → REACHABLE it answered → STALE not heard of for 30 s →
 *   DELAY used again, five seconds' grace → PROBE asked directly → FAILED no answer
 *
 * Packets for an unknown neighbour wait in its queue, 212,992 bytes of `truesize` at most; the
 * oldest gives way. The reachable time is 30 s sharp, where Linux takes a random half to one and a
 * half of it.
 *
 * @linux struct neighbour, struct neigh_table; include/net/neighbour.h. net/core/neighbour.c
 */
import type { Ps } from '../host/clock.ts';
import { PS_PER_SEC } from '../host/clock.ts';
import type { Cpu } from '../host/cpu.ts';
import {
  SKB_DROP_REASON_NEIGH_FAILED,
  SKB_DROP_REASON_NEIGH_QUEUEFULL,
} from '../host/dropReason.ts';
import type { MacAddr } from '../wire/eth.ts';
import { ETH_HLEN, setEthDst, setEthSrc, setEthType } from '../wire/eth.ts';
import { In6Addr } from './in6.ts';
import type { Inet } from './inet.ts';
import type { NetDevice } from './netdevice.ts';
import { SkBuffHead } from './skbList.ts';
import type { SkBuff } from './skbuff.ts';
import { skbPush } from './skbuff.ts';
import { kfreeSkb } from './skbPool.ts';
import type { Timer } from './timers.ts';
import { devQueueXmit } from './xmit.ts';

/** @linux NUD_*; include/uapi/linux/neighbour.h */
const NUD_NONE = 0;
export const NUD_INCOMPLETE = 0x01;
export const NUD_REACHABLE = 0x02;
export const NUD_STALE = 0x04;
export const NUD_DELAY = 0x08;
export const NUD_PROBE = 0x10;
export const NUD_FAILED = 0x20;
export const NUD_PERMANENT = 0x80;
/** Its address is known. */
export const NUD_VALID: number = NUD_PERMANENT | NUD_REACHABLE | NUD_PROBE | NUD_STALE | NUD_DELAY;
const NUD_NAMES: readonly (readonly [number, string])[] = [
  [NUD_INCOMPLETE, 'INCOMPLETE'],
  [NUD_REACHABLE, 'REACHABLE'],
  [NUD_STALE, 'STALE'],
  [NUD_DELAY, 'DELAY'],
  [NUD_PROBE, 'PROBE'],
  [NUD_FAILED, 'FAILED'],
  [NUD_PERMANENT, 'PERMANENT'],
];

/** @linux neigh_parms of arp_tbl and nd_tbl; net/ipv4/arp.c, net/ipv6/ndisc.c */
const REACHABLE_TIME: Ps = 30 * PS_PER_SEC;
const RETRANS_TIME: Ps = PS_PER_SEC;
const DELAY_PROBE_TIME: Ps = 5 * PS_PER_SEC;
const PROBES = 3;
const QUEUE_LEN_BYTES = 212_992;
/** A full table is cleared down to the first number; the second is all it may hold. @linux gc_thresh2, gc_thresh3 */
const GC_THRESH2 = 512;
const GC_THRESH3 = 1024;
/** Entries that were heard of later than this are spared. @linux neigh_forced_gc */
const GC_YOUNG: Ps = 5 * PS_PER_SEC;
/** @linux include/net/neighbour.h */
export const NEIGH_UPDATE_F_OVERRIDE = 0x01;

export class Neigh implements Timer {
  readonly table: NeighTable;
  readonly dev: NetDevice;
  readonly addr: In6Addr = new In6Addr();
  haHi16 = 0;
  haLo32 = 0;
  /** `NUD_*` */
  state: number = NUD_NONE;
  /** When it last answered, and when its state or address last changed by what was heard. */
  confirmed: Ps = 0;
  updated: Ps = 0;
  /** Questions asked since it was last heard of. */
  probes = 0;
  at: Ps = Infinity;
  readonly queue: SkBuffHead = new SkBuffHead();
  queueBytes = 0;
  /** Of its hash bucket. */
  next: Neigh | null = null;

  constructor(table: NeighTable, dev: NetDevice) {
    this.table = table;
    this.dev = dev;
  }

  expire(cpu: Cpu): void {
    this.table.timerHandler(this, cpu);
  }
}

export class NeighTable {
  /** ETH_P_IP or ETH_P_IPV6. */
  readonly protocol: number;
  private readonly inet: Inet;
  /** Ask who has this address; `unicast`: at the address it had. */
  private readonly solicit: (neigh: Neigh, unicast: boolean, inet: Inet, cpu: Cpu) => void;
  /** Tell the sender of a packet that nobody answers. @linux neigh_ops.error_report */
  private readonly errorReport: (skb: SkBuff, inet: Inet, cpu: Cpu) => void;
  private readonly buckets: Map<number, Neigh> = new Map();
  private entries = 0;
  /** A table that was full of entries in use is not searched again before this. */
  private nextGc: Ps = 0;

  constructor(
    inet: Inet,
    protocol: number,
    solicit: (neigh: Neigh, unicast: boolean, inet: Inet, cpu: Cpu) => void,
    errorReport: (skb: SkBuff, inet: Inet, cpu: Cpu) => void,
  ) {
    this.inet = inet;
    this.protocol = protocol;
    this.solicit = solicit;
    this.errorReport = errorReport;
  }

  /** @returns null when there is none. An IPv4 address is the fourth word. @linux neigh_lookup */
  lookup(dev: NetDevice, w0: number, w1: number, w2: number, w3: number): Neigh | null {
    let neigh = this.buckets.get(hashOf(w0, w1, w2, w3)) ?? null;
    while (neigh !== null && (neigh.dev !== dev || !neigh.addr.equals(w0, w1, w2, w3)))
      neigh = neigh.next;
    return neigh;
  }

  /** @returns null when the table is full. @linux neigh_create, neigh_alloc */
  lookupOrCreate(
    dev: NetDevice,
    w0: number,
    w1: number,
    w2: number,
    w3: number,
    cpu: Cpu,
  ): Neigh | null {
    const found = this.lookup(dev, w0, w1, w2, w3);
    if (found !== null) return found;
    if (this.entries >= GC_THRESH3 && !this.forcedGc(cpu.now)) return null;
    const neigh = new Neigh(this, dev);
    const hash = hashOf(w0, w1, w2, w3);
    neigh.addr.set(w0, w1, w2, w3);
    neigh.updated = cpu.now;
    neigh.next = this.buckets.get(hash) ?? null;
    this.buckets.set(hash, neigh);
    this.entries++;
    return neigh;
  }

  /** `ip neigh add … nud permanent`. */
  addPermanent(dev: NetDevice, addr: In6Addr, mac: MacAddr, cpu: Cpu): void {
    const neigh = this.lookupOrCreate(dev, addr.w0, addr.w1, addr.w2, addr.w3, cpu);
    if (neigh === null) return;
    neigh.state = NUD_PERMANENT;
    neigh.haHi16 = mac.hi16;
    neigh.haLo32 = mac.lo32;
  }

  /** All entries, in no particular order but always the same one. */
  *all(): Generator<Neigh> {
    for (const first of this.buckets.values())
      for (let neigh: Neigh | null = first; neigh !== null; neigh = neigh.next) yield neigh;
  }

  /**
   * Entries that nobody will miss make room. A search in vain is not repeated for a tick, where
   * Linux repeats it with every packet.
   *
   * @returns whether there is any
   * @linux neigh_forced_gc
   */
  private forcedGc(now: Ps): boolean {
    if (now < this.nextGc) return false;
    for (const first of this.buckets.values()) {
      for (let neigh: Neigh | null = first; neigh !== null; neigh = neigh.next)
        if (nobodyMisses(neigh, now)) this.remove(neigh);
      if (this.entries <= GC_THRESH2) break;
    }
    if (this.entries < GC_THRESH3) return true;
    this.nextGc = now + PS_PER_SEC / this.inet.net.hz;
    return false;
  }

  private remove(neigh: Neigh): void {
    const { w0, w1, w2, w3 } = neigh.addr;
    const hash = hashOf(w0, w1, w2, w3);
    const first = this.buckets.get(hash)!;
    if (first !== neigh) {
      let place = first;
      while (place.next !== neigh) place = place.next!;
      place.next = neigh.next;
    } else if (neigh.next === null) this.buckets.delete(hash);
    else this.buckets.set(hash, neigh.next);
    this.inet.net.timers.stop(neigh);
    this.entries--;
  }

  /**
   * What was heard of a neighbour: its address, and how sure that is.
   *
   * @param state `NUD_REACHABLE` when it answered, `NUD_STALE` when it only spoke
   * @param flags `NEIGH_UPDATE_F_OVERRIDE`: another address than the one that is known counts
   * @linux neigh_update
   */
  update(neigh: Neigh, hi16: number, lo32: number, state: number, flags: number, cpu: Cpu): void {
    if (neigh.state === NUD_PERMANENT) return;
    const wasValid = (neigh.state & NUD_VALID) !== 0;
    const same = wasValid && neigh.haHi16 === hi16 && neigh.haLo32 === lo32;
    if (state === NUD_REACHABLE) neigh.confirmed = cpu.now;
    if (wasValid && !same && (flags & NEIGH_UPDATE_F_OVERRIDE) === 0) return;
    // hearsay about what is known already does not make it less sure
    if (same && (state === NUD_STALE || state === neigh.state)) return;
    neigh.updated = cpu.now;
    neigh.haHi16 = hi16;
    neigh.haLo32 = lo32;
    neigh.state = state;
    neigh.probes = 0;
    this.inet.net.timers.stop(neigh);
    for (let skb = neigh.queue.dequeue(); skb !== null; skb = neigh.queue.dequeue()) {
      neigh.queueBytes -= skb.truesize;
      this.output(neigh, skb, cpu);
    }
  }

  /**
   * Send a packet whose `data` is its IP header to this neighbour, as soon as that is possible.
   *
   * @returns 0, also while it waits; else `NET_XMIT_DROP`
   * @linux neigh_resolve_output
   */
  output(neigh: Neigh, skb: SkBuff, cpu: Cpu): number {
    if (neigh.state === NUD_REACHABLE && cpu.now - neigh.confirmed > REACHABLE_TIME)
      neigh.state = NUD_STALE;
    switch (neigh.state) {
      case NUD_STALE:
        neigh.state = NUD_DELAY;
        this.inet.net.timers.set(neigh, cpu.now + DELAY_PROBE_TIME);
        break;
      case NUD_NONE:
      case NUD_FAILED:
        neigh.state = NUD_INCOMPLETE;
        neigh.probes = 0;
        this.enqueue(neigh, skb, cpu);
        this.probe(neigh, cpu);
        return 0;
      case NUD_INCOMPLETE:
        this.enqueue(neigh, skb, cpu);
        return 0;
      default:
    }
    return this.transmit(neigh, skb, cpu);
  }

  /** @linux neigh_timer_handler */
  timerHandler(neigh: Neigh, cpu: Cpu): void {
    if (neigh.state === NUD_DELAY) {
      if (cpu.now - neigh.confirmed < DELAY_PROBE_TIME) {
        neigh.state = NUD_REACHABLE;
        return;
      }
      neigh.state = NUD_PROBE;
      neigh.probes = 0;
    } else if (neigh.probes >= PROBES) {
      this.invalidate(neigh, cpu);
      return;
    }
    this.probe(neigh, cpu);
  }

  /** @linux neigh_probe */
  private probe(neigh: Neigh, cpu: Cpu): void {
    neigh.probes++;
    this.inet.net.timers.set(neigh, cpu.now + RETRANS_TIME);
    this.solicit(neigh, neigh.state === NUD_PROBE, this.inet, cpu);
  }

  /** Drop what waits for anybody. @linux neigh_ifdown */
  flush(cpu: Cpu): void {
    for (const neigh of this.all()) {
      this.inet.net.timers.stop(neigh);
      if (neigh.state === NUD_PERMANENT) continue;
      neigh.state = NUD_FAILED;
      this.purge(neigh, cpu);
    }
  }

  /**
   * It does not answer: the senders of what waits hear of it. Telling one may lead to this very
   * neighbour, who is then asked for anew; the rest goes unreported.
   *
   * @linux neigh_invalidate
   */
  private invalidate(neigh: Neigh, cpu: Cpu): void {
    neigh.state = NUD_FAILED;
    for (let skb = this.nextFailed(neigh); skb !== null; skb = this.nextFailed(neigh)) {
      neigh.queueBytes -= skb.truesize;
      this.errorReport(skb, this.inet, cpu);
      kfreeSkb(skb, SKB_DROP_REASON_NEIGH_FAILED, cpu);
    }
    this.purge(neigh, cpu);
  }

  private nextFailed(neigh: Neigh): SkBuff | null {
    return neigh.state === NUD_FAILED ? neigh.queue.dequeue() : null;
  }

  private purge(neigh: Neigh, cpu: Cpu): void {
    for (let skb = neigh.queue.dequeue(); skb !== null; skb = neigh.queue.dequeue())
      kfreeSkb(skb, SKB_DROP_REASON_NEIGH_FAILED, cpu);
    neigh.queueBytes = 0;
  }

  /** @linux __neigh_event_send */
  private enqueue(neigh: Neigh, skb: SkBuff, cpu: Cpu): void {
    while (neigh.queueBytes + skb.truesize > QUEUE_LEN_BYTES) {
      const oldest = neigh.queue.dequeue();
      if (oldest === null) break;
      neigh.queueBytes -= oldest.truesize;
      kfreeSkb(oldest, SKB_DROP_REASON_NEIGH_QUEUEFULL, cpu);
    }
    neigh.queue.queueTail(skb);
    neigh.queueBytes += skb.truesize;
  }

  private transmit(neigh: Neigh, skb: SkBuff, cpu: Cpu): number {
    devHardHeader(skb, neigh.dev, this.protocol, neigh.haHi16, neigh.haLo32);
    return devQueueXmit(skb, cpu);
  }
}

/** Gone astray, or silent for a while and not in use. */
const nobodyMisses = ({ state, updated }: Neigh, now: Ps): boolean =>
  state === NUD_FAILED || (state === NUD_STALE && now - updated > GC_YOUNG);

const hashOf = (w0: number, w1: number, w2: number, w3: number): number =>
  (w0 ^ w1 ^ w2 ^ w3) >>> 0;

/** Put the Ethernet header in front. @linux dev_hard_header, eth_header */
export function devHardHeader(
  skb: SkBuff,
  dev: NetDevice,
  protocol: number,
  dstHi16: number,
  dstLo32: number,
): void {
  const { view } = dev.net.mem;
  const at = skbPush(skb, ETH_HLEN);
  skb.macHeader = at;
  skb.dev = dev;
  skb.protocol = protocol;
  setEthDst(view, at, dstHi16, dstLo32);
  setEthSrc(view, at, dev.devAddr.hi16, dev.devAddr.lo32);
  setEthType(view, at, protocol);
}

/** As `ip neigh` names it. */
export const nudName = (state: number): string =>
  NUD_NAMES.find(([bit]) => bit === state)?.[1] ?? 'NONE';
