/**
 * Fragments that wait for the rest of their packet, of either IP version.
 *
 * A packet's fragments are kept in the order of their offsets, and so are the runs they have formed:
 * as in Linux a fragment joins the last run when it comes right behind it, else it begins one of
 * its own. One that lies within a run is a duplicate; one that overlaps a run in part, or
 * contradicts what is known of the end, spoils the whole packet. All together may hold 4 MiB of
 * `truesize`; what is then still incomplete after 30 seconds is given up.
 *
 * When all are there their data is put into pages of one new skb. Linux only chains them, so that
 * copy costs no time here.
 *
 * @linux struct inet_frag_queue; include/net/inet_frag.h. net/ipv4/inet_fragment.c
 */
import type { Ps } from '../host/clock.ts';
import { PS_PER_SEC } from '../host/clock.ts';
import type { Cpu } from '../host/cpu.ts';
import {
  SKB_DROP_REASON_FRAG_REASM_TIMEOUT,
  SKB_DROP_REASON_NOT_SPECIFIED,
} from '../host/dropReason.ts';
import type { HostAddr } from '../host/memory.ts';
import { PAGE_SIZE } from '../host/memory.ts';
import { In6Addr, in6Equal } from './in6.ts';
import type { Net } from './net.ts';
import { skbCopyTo } from './skbBytes.ts';
import type { SkBuff } from './skbuff.ts';
import { allocSkb, consumeSkb, kfreeSkb } from './skbPool.ts';
import { skbAddPages } from './skbWithFrags.ts';
import type { Timer } from './timers.ts';

/** @linux IP_FRAG_TIME, IPV6_FRAG_TIMEOUT */
export const IP_FRAG_TIME: Ps = 30 * PS_PER_SEC;
export const IPV6_FRAG_TIMEOUT: Ps = 60 * PS_PER_SEC;
/** @linux IPV6_FRAG_HIGH_THRESH, and the same for IPv4 */
const HIGH_THRESH = 4 * 2 ** 20;
/** What a queue itself weighs, so that empty ones are bounded too. */
const QUEUE_BYTES = 256;
const BUCKETS = 1024;

export const FRAG_WAITS = 0;
export const FRAG_COMPLETE = 1;
export const FRAG_DUPLICATE = 2;
export const FRAG_SPOILT = 3;

export class FragQueue implements Timer {
  readonly table: FragTable;
  readonly saddr: In6Addr = new In6Addr();
  readonly daddr: In6Addr = new In6Addr();
  readonly id: number;
  readonly protocol: number;
  /** In the order of their offsets; `skb.fragStart` says where each belongs. */
  readonly frags: SkBuff[] = [];
  /** Of each run where it begins and where it ends. @linux FRAG_CB(skb)->frag_run_len */
  readonly runs: number[] = [];
  /** Bytes of data there, and how many there will be; -1: the last fragment has not come. */
  meat = 0;
  total = -1;
  truesize = 0;
  /** IPv6: what the first fragment's header says follows it. */
  firstProtocol = 0;
  at: Ps = Infinity;
  /** Of its bucket. */
  next: FragQueue | null = null;

  constructor(table: FragTable, id: number, protocol: number) {
    this.table = table;
    this.id = id;
    this.protocol = protocol;
  }

  expire(cpu: Cpu): void {
    this.table.expired(this, cpu);
  }
}

export class FragTable {
  /** Bytes of `truesize` that wait, and of the queues. */
  memory = 0;
  private readonly net: Net;
  private readonly timeout: Ps;
  /** A packet was given up; its first fragment, if that had come, is still there. */
  private readonly onTimeout: (first: SkBuff | null, cpu: Cpu) => void;
  private readonly buckets = Array.from({ length: BUCKETS }, (): FragQueue | null => null);

  constructor(net: Net, timeout: Ps, onTimeout: (first: SkBuff | null, cpu: Cpu) => void) {
    this.net = net;
    this.timeout = timeout;
    this.onTimeout = onTimeout;
  }

  /** @returns null when fragments hold all the memory they may. @linux inet_frag_find */
  find(saddr: In6Addr, daddr: In6Addr, id: number, protocol: number, cpu: Cpu): FragQueue | null {
    if (this.memory > HIGH_THRESH) return null;
    const bucket = bucketOf(id, protocol, saddr, daddr);
    for (let q = this.buckets[bucket] ?? null; q !== null; q = q.next) {
      if (q.id !== id || q.protocol !== protocol) continue;
      if (in6Equal(q.saddr, saddr) && in6Equal(q.daddr, daddr)) return q;
    }
    const q = new FragQueue(this, id, protocol);
    q.saddr.copy(saddr);
    q.daddr.copy(daddr);
    q.next = this.buckets[bucket] ?? null;
    this.buckets[bucket] = q;
    this.memory += QUEUE_BYTES;
    this.net.timers.set(q, cpu.now + this.timeout);
    return q;
  }

  /**
   * One more fragment, its data `skb.data` to its end.
   *
   * @param start where it belongs, `last`: no more follow it
   * @returns `FRAG_*`; a duplicate and a spoiling fragment stay the caller's, the queue of the
   *   latter is gone
   * @linux ip_frag_queue, inet_frag_queue_insert
   */
  insert(q: FragQueue, skb: SkBuff, start: number, last: boolean): number {
    const end = start + skb.len;
    if (last ? contradictsEnd(q, end) : q.total >= 0 && end > q.total) return FRAG_SPOILT;
    if (skb.len === 0) return FRAG_SPOILT;
    if (last) q.total = end;
    const rc = joinRuns(q.runs, start, end);
    if (rc !== FRAG_WAITS) return rc;
    skb.fragStart = start;
    let i = q.frags.length;
    q.frags.push(skb);
    for (; i > 0 && q.frags[i - 1]!.fragStart > start; i--) q.frags[i] = q.frags[i - 1]!;
    q.frags[i] = skb;
    q.meat += skb.len;
    q.truesize += skb.truesize;
    this.memory += skb.truesize;
    return q.meat === q.total ? FRAG_COMPLETE : FRAG_WAITS;
  }

  /** Forget a queue; its fragments, if any are left, are dropped. @linux inet_frag_kill */
  kill(q: FragQueue, reason: number, cpu: Cpu): void {
    const bucket = bucketOf(q.id, q.protocol, q.saddr, q.daddr);
    let place: FragQueue = this.buckets[bucket]!;
    if (place === q) this.buckets[bucket] = q.next;
    else {
      while (place.next !== q) place = place.next!;
      place.next = q.next;
    }
    this.net.timers.stop(q);
    this.memory -= q.truesize + QUEUE_BYTES;
    for (let i = 0; i < q.frags.length; i++) kfreeSkb(q.frags[i]!, reason, cpu);
    q.frags.length = 0;
  }

  /** Drop what waits. @linux fqdir_exit */
  flush(cpu: Cpu): void {
    for (const first of this.buckets)
      for (let q = first; q !== null; q = q.next) this.kill(q, SKB_DROP_REASON_NOT_SPECIFIED, cpu);
  }

  /**
   * One packet of all fragments of a complete queue, behind the first one's headers. The other
   * fragments have arrived; the packet goes on with the first one's fate.
   *
   * @param headers where the first fragment's headers begin, `headerLen` of them
   * @returns null when there is no memory; everything is then dropped
   * @linux inet_frag_reasm_prepare, inet_frag_reasm_finish
   */
  reassemble(q: FragQueue, headers: HostAddr, headerLen: number, cpu: Cpu): SkBuff | null {
    const first = q.frags[0]!;
    const { mem } = this.net;
    const whole = allocSkb(first.dev, headerLen, cpu);
    if (whole === null || !skbAddPages(whole, q.total)) {
      if (whole !== null) this.net.skbs.release(whole, cpu); // no packet yet: the fragments are
      this.kill(q, SKB_DROP_REASON_NOT_SPECIFIED, cpu);
      return null;
    }
    mem.copy(whole.data, headers, headerLen);
    whole.tail += headerLen;
    whole.len += headerLen;
    for (let i = 0; i < q.frags.length; i++) copyInto(whole, q.frags[i]!);
    whole.fates = first.fates;
    first.fates = null;
    whole.pktType = first.pktType;
    whole.routeType = first.routeType;
    whole.protocol = first.protocol;
    for (let i = 0; i < q.frags.length; i++) consumeSkb(q.frags[i]!, cpu);
    q.frags.length = 0;
    this.kill(q, SKB_DROP_REASON_NOT_SPECIFIED, cpu);
    return whole;
  }

  /** @linux ip_expire */
  expired(q: FragQueue, cpu: Cpu): void {
    const first = q.frags[0];
    this.onTimeout(first !== undefined && first.fragStart === 0 ? first : null, cpu);
    this.kill(q, SKB_DROP_REASON_FRAG_REASM_TIMEOUT, cpu);
  }
}

/** Any of them may be the sender's choice, so all take part. @linux ip4_obj_hashfn, jhash2 */
function bucketOf(id: number, protocol: number, saddr: In6Addr, daddr: In6Addr): number {
  let hash = mix(id ^ protocol, saddr.w3);
  hash = mix(hash, daddr.w3);
  hash = mix(mix(hash, saddr.w0 ^ saddr.w1), saddr.w2);
  return mix(mix(hash, daddr.w0 ^ daddr.w1), daddr.w2) & (BUCKETS - 1);
}

/** One round of a multiplicative hash. */
function mix(hash: number, word: number): number {
  const h = Math.imul(hash ^ word, 0x9e37_79b1);
  return h ^ (h >>> 15);
}

/** @returns `FRAG_WAITS` when nothing is there yet of what the fragment brings. @linux inet_frag_queue_insert */
function joinRuns(runs: number[], start: number, end: number): number {
  const tail = runs.length - 1;
  if (tail > 0 && start === runs[tail]) {
    runs[tail] = end;
    return FRAG_WAITS;
  }
  let i = runs.length;
  for (; i > 0 && runs[i - 2]! >= end; i -= 2);
  if (i > 0 && runs[i - 1]! > start)
    return runs[i - 2]! <= start && end <= runs[i - 1]! ? FRAG_DUPLICATE : FRAG_SPOILT;
  runs.push(start, end);
  for (let at = runs.length - 2; at > i; at -= 2) {
    runs[at] = runs[at - 2]!;
    runs[at + 1] = runs[at - 1]!;
  }
  runs[i] = start;
  runs[i + 1] = end;
  return FRAG_WAITS;
}

/** The last fragment says where the packet ends; what has come must lie before it. */
function contradictsEnd(q: FragQueue, end: number): boolean {
  if (q.total >= 0) return end !== q.total;
  const last = q.frags.at(-1);
  return last !== undefined && last.fragStart + last.len > end;
}

/** A fragment's data to its place in the pages of the whole. */
function copyInto(whole: SkBuff, skb: SkBuff): void {
  for (let done = 0; done < skb.len;) {
    const to = skb.fragStart + done;
    const n = Math.min(skb.len - done, PAGE_SIZE - (to % PAGE_SIZE));
    skbCopyTo(skb, done, whole.fragPage[Math.floor(to / PAGE_SIZE)]! + (to % PAGE_SIZE), n);
    done += n;
  }
}
