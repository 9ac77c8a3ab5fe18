/**
 * Fragments that wait for the rest of their packet, of either IP version.
 *
 * A packet's fragments are kept in the order of their offsets. One that overlaps another, or
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
import { In6Addr } from './in6.ts';
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
  /** Bytes of data there, and how many there will be; -1: the last fragment has not come. */
  meat = 0;
  total = -1;
  truesize = 0;
  /** IPv6: what the first fragment's header says follows it. */
  firstProtocol = 0;
  at: Ps = Infinity;

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
  private readonly queues: Map<number, FragQueue[]> = new Map();

  constructor(net: Net, timeout: Ps, onTimeout: (first: SkBuff | null, cpu: Cpu) => void) {
    this.net = net;
    this.timeout = timeout;
    this.onTimeout = onTimeout;
  }

  /** @returns null when fragments hold all the memory they may. @linux inet_frag_find */
  find(saddr: In6Addr, daddr: In6Addr, id: number, protocol: number, cpu: Cpu): FragQueue | null {
    if (this.memory > HIGH_THRESH) return null;
    const hash = (id ^ saddr.w3 ^ daddr.w3 ^ protocol) >>> 0;
    const chain = this.queues.get(hash) ?? [];
    const found = chain.find(
      (q) =>
        q.id === id &&
        q.protocol === protocol &&
        q.saddr.equals(saddr.w0, saddr.w1, saddr.w2, saddr.w3) &&
        q.daddr.equals(daddr.w0, daddr.w1, daddr.w2, daddr.w3),
    );
    if (found !== undefined) return found;
    const q = new FragQueue(this, id, protocol);
    q.saddr.copy(saddr);
    q.daddr.copy(daddr);
    chain.push(q);
    this.queues.set(hash, chain);
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
    let i = q.frags.length;
    while (i > 0 && q.frags[i - 1]!.fragStart >= start) i--;
    const before = q.frags[i - 1];
    const after = q.frags[i];
    if (after !== undefined && after.fragStart === start && after.len === skb.len)
      return FRAG_DUPLICATE;
    if (before !== undefined && before.fragStart + before.len > start) return FRAG_SPOILT;
    if (after !== undefined && after.fragStart < end) return FRAG_SPOILT;
    if (last) q.total = end;
    skb.fragStart = start;
    q.frags.splice(i, 0, skb);
    q.meat += skb.len;
    q.truesize += skb.truesize;
    this.memory += skb.truesize;
    return q.meat === q.total ? FRAG_COMPLETE : FRAG_WAITS;
  }

  /** Forget a queue; its fragments, if any are left, are dropped. @linux inet_frag_kill */
  kill(q: FragQueue, reason: number, cpu: Cpu): void {
    const hash = (q.id ^ q.saddr.w3 ^ q.daddr.w3 ^ q.protocol) >>> 0;
    const chain = this.queues.get(hash)!.filter((other) => other !== q);
    if (chain.length === 0) this.queues.delete(hash);
    else this.queues.set(hash, chain);
    this.net.timers.stop(q);
    this.memory -= q.truesize + QUEUE_BYTES;
    for (const skb of q.frags) kfreeSkb(skb, reason, cpu);
    q.frags.length = 0;
  }

  /** Drop what waits. @linux fqdir_exit */
  flush(cpu: Cpu): void {
    for (const chain of [...this.queues.values()])
      for (const q of chain) this.kill(q, SKB_DROP_REASON_NOT_SPECIFIED, cpu);
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
      if (whole !== null) kfreeSkb(whole, SKB_DROP_REASON_NOT_SPECIFIED, cpu);
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
    for (const skb of q.frags) consumeSkb(skb, cpu);
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
