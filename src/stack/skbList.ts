/**
 * A queue of packets, linked through the packets themselves: a packet is on one queue at a time.
 *
 * @linux struct sk_buff_head; include/linux/skbuff.h
 */
import type { SkBuff } from './skbuff.ts';

export class SkBuffHead {
  private first: SkBuff | null = null;
  private last: SkBuff | null = null;
  qlen = 0;

  peek(): SkBuff | null {
    return this.first;
  }

  /** @linux __skb_queue_tail */
  queueTail(skb: SkBuff): void {
    skb.next = null;
    if (this.last === null) this.first = skb;
    else this.last.next = skb;
    this.last = skb;
    this.qlen++;
  }

  /** @linux __skb_dequeue */
  dequeue(): SkBuff | null {
    const skb = this.first;
    if (skb === null) return null;
    this.first = skb.next;
    if (this.first === null) this.last = null;
    skb.next = null;
    this.qlen--;
    return skb;
  }

  /** Move all of `other` behind our own. @linux skb_queue_splice_tail_init */
  spliceTail(other: SkBuffHead): void {
    if (other.first === null) return;
    if (this.last === null) this.first = other.first;
    else this.last.next = other.first;
    this.last = other.last;
    this.qlen += other.qlen;
    other.first = null;
    other.last = null;
    other.qlen = 0;
  }
}
