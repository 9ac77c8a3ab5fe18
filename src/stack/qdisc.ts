/**
 * What waits in front of one TX queue, and how it is handed to the driver.
 *
 * The queue discipline is the default one, `pfifo_fast`, with one band instead of three: packets
 * have no priority here. A packet that finds it empty goes straight to the driver; what had to wait
 * is sent in bulks, as many bytes as the byte queue limit allows, and only the last packet of a
 * bulk rings the doorbell (`more`). The watchdog that resets a ring which never completes is left
 * out.
 *
 * @linux struct Qdisc; include/net/sch_generic.h. net/sched/sch_generic.c
 */
import type { Cpu } from '../host/cpu.ts';
import { LOST_QDISC_DROP, LOST_TX_DEVICE_CLOSED } from '../host/fates.ts';
import { SKB_DROP_REASON_DEV_READY, SKB_DROP_REASON_QDISC_DROP } from '../host/dropReason.ts';
import type { NetdevQueue } from './netdevQueue.ts';
import { kfreeSkb } from './skbPool.ts';
import type { SkBuff } from './skbuff.ts';
import { NET_TX_SOFTIRQ, raiseSoftirq } from './softnet.ts';
import { devHardStartXmit, devXmitComplete } from './xmitOne.ts';

/** @linux enum net_xmit_qdisc_t and NET_XMIT_*; include/linux/netdevice.h */
export const NET_XMIT_SUCCESS = 0;
export const NET_XMIT_DROP = 1;
/** Packets one run may send before others get their turn. @linux dev_tx_weight */
const DEV_TX_WEIGHT = 64;

export class Qdisc {
  readonly txq: NetdevQueue;
  /** Waits for the TX softirq. */
  scheduled = false;
  /** Somebody sends from it right now: a packet sent from inside a transmission waits. */
  running = false;
  /** What `tc -s qdisc` shows. */
  sent = 0;
  dropped = 0;
  requeues = 0;
  private ring: (SkBuff | null)[] = [];
  private head = 0;
  private tail = 0;

  constructor(txq: NetdevQueue) {
    this.txq = txq;
  }

  get length(): number {
    return this.tail - this.head;
  }

  /** @returns false when `dev.txQueueLen` packets wait already. @linux pfifo_fast_enqueue */
  enqueue(skb: SkBuff): boolean {
    const limit = this.txq.dev.txQueueLen;
    if (this.length >= limit) return false;
    if (this.ring.length < limit) this.resize(limit);
    this.ring[this.tail++ % this.ring.length] = skb;
    return true;
  }

  /** @linux pfifo_fast_dequeue */
  dequeue(): SkBuff | null {
    if (this.head === this.tail) return null;
    const i = this.head++ % this.ring.length;
    const skb = this.ring[i]!;
    this.ring[i] = null;
    return skb;
  }

  /** The driver did not take it: first in line again, even where the limit is reached. @linux dev_requeue_skb */
  requeue(skb: SkBuff): void {
    this.requeues++;
    if (this.length >= this.ring.length) this.resize(this.length + 1);
    if (this.head === 0) {
      this.head += this.ring.length;
      this.tail += this.ring.length;
    }
    this.ring[--this.head % this.ring.length] = skb;
  }

  private resize(slots: number): void {
    const waiting: SkBuff[] = [];
    for (let skb = this.dequeue(); skb !== null; skb = this.dequeue()) waiting.push(skb);
    this.ring = [...waiting, ...Array.from({ length: slots - waiting.length }, () => null)];
    this.head = 0;
    this.tail = waiting.length;
  }
}

/**
 * A packet for this queue: to the driver, or behind those that wait.
 *
 * @returns `NET_XMIT_*`
 * @linux __dev_xmit_skb
 */
export function __devXmitSkb(q: Qdisc, skb: SkBuff, cpu: Cpu): number {
  if (q.length === 0 && !q.running && q.txq.state === 0) {
    q.running = true;
    q.sent++;
    const went = schDirectXmit(q, skb, false, cpu);
    q.running = false;
    if (went && q.length > 0) qdiscRun(q, cpu); // what was sent from inside
    return NET_XMIT_SUCCESS;
  }
  if (!q.enqueue(skb)) {
    q.dropped++;
    skb.dev.txFates.lost[LOST_QDISC_DROP]!++;
    skb.dev.stats.txDropped++;
    kfreeSkb(skb, SKB_DROP_REASON_QDISC_DROP, cpu);
    return NET_XMIT_DROP;
  }
  qdiscRun(q, cpu);
  return NET_XMIT_SUCCESS;
}

/** Send what waits, until nothing does, the queue is stopped, or it is others' turn. @linux qdisc_run, __qdisc_run */
export function qdiscRun(q: Qdisc, cpu: Cpu): void {
  if (q.running) return;
  q.running = true;
  let quota = DEV_TX_WEIGHT;
  while (quota > 0) {
    const sent = qdiscRestart(q, cpu);
    if (sent === 0) break;
    quota -= sent;
  }
  q.running = false;
  if (quota <= 0 && q.length > 0) netifSchedule(q, cpu);
}

/**
 * Send one bulk: the next packet, and those behind it that the byte limit lets through with it.
 *
 * @returns packets the driver took
 * @linux qdisc_restart, dequeue_skb, try_bulk_dequeue_skb
 */
function qdiscRestart(q: Qdisc, cpu: Cpu): number {
  const { txq } = q;
  let sent = 0;
  let budget = txq.dql.avail;
  while (txq.state === 0) {
    const skb = q.dequeue();
    if (skb === null) return sent;
    budget -= skb.len;
    const more = q.length > 0 && budget > 0;
    q.sent++;
    if (!schDirectXmit(q, skb, more, cpu)) return sent;
    sent++;
    if (!more) return sent;
  }
  return sent;
}

/** @returns false when the driver was busy, and the packet waits again. @linux sch_direct_xmit */
function schDirectXmit(q: Qdisc, skb: SkBuff, more: boolean, cpu: Cpu): boolean {
  const { txq } = q;
  txq.xmitLock.lock();
  const rc = devHardStartXmit(skb, cpu, more);
  txq.xmitLock.unlock();
  if (devXmitComplete(rc)) return true;
  q.sent--;
  q.requeue(skb);
  netifSchedule(q, cpu);
  return false;
}

/** Let the TX softirq of `cpu` look at it. @linux __netif_schedule, __netif_reschedule */
export function netifSchedule(q: Qdisc, cpu: Cpu): void {
  if (q.scheduled) return;
  q.scheduled = true;
  const sd = q.txq.dev.net.softnet[cpu.id]!;
  sd.outputQueue.push(q);
  raiseSoftirq(sd, NET_TX_SOFTIRQ);
}

/** The device goes down: what waits is lost. @linux qdisc_reset, dev_deactivate */
export function qdiscReset(q: Qdisc, cpu: Cpu): void {
  for (let skb = q.dequeue(); skb !== null; skb = q.dequeue()) {
    skb.dev.txFates.lost[LOST_TX_DEVICE_CLOSED]!++;
    kfreeSkb(skb, SKB_DROP_REASON_DEV_READY, cpu);
  }
}
