/**
 * Packets of our own that are too long for one page: what does not fit the head lies in pages.
 *
 * Only what is fragmented before it reaches a device is made so.
 *
 * @linux alloc_skb_with_frags, skb_store_bits, skb_copy; net/core/skbuff.c
 */
import { OP_COPY_64B } from '../host/cost.ts';
import type { Cpu } from '../host/cpu.ts';
import { SKB_DROP_REASON_NOT_SPECIFIED } from '../host/dropReason.ts';
import type { HostAddr } from '../host/memory.ts';
import { PAGE_SIZE } from '../host/memory.ts';
import type { NetDevice } from './netdevice.ts';
import { skbCopyTo } from './skbBytes.ts';
import type { SkBuff } from './skbuff.ts';
import { skbAddRxFrag, skbHeadlen, skbPut } from './skbuff.ts';
import { allocSkb, kfreeSkb } from './skbPool.ts';

/** What `allocSkb` can make linear. */
const LINEAR_MAX = 3648;
/** Of a longer packet its headers are linear. */
const HEADERS = 64;

/**
 * A packet of `len` bytes to be written to.
 *
 * @returns null when host memory has no page left, or the fault point `skbAlloc` fires
 * @linux alloc_skb_with_frags
 */
export function allocSkbWithFrags(dev: NetDevice, len: number, cpu: Cpu): SkBuff | null {
  const linear = len <= LINEAR_MAX ? len : HEADERS;
  const skb = allocSkb(dev, linear, cpu);
  if (skb === null) return null;
  skbPut(skb, linear);
  if (skbAddPages(skb, len - linear)) return skb;
  kfreeSkb(skb, SKB_DROP_REASON_NOT_SPECIFIED, cpu);
  return null;
}

/**
 * Pages of its own for `bytes` more bytes of the skb, whatever is in them.
 *
 * @returns false when host memory has no page left; the skb then holds what there was
 */
export function skbAddPages(skb: SkBuff, bytes: number): boolean {
  const { pages } = skb.dev.net;
  for (let left = bytes; left > 0; left -= PAGE_SIZE) {
    const page = pages.alloc();
    if (page === 0) return false;
    skbAddRxFrag(skb, page, 0, Math.min(left, PAGE_SIZE), PAGE_SIZE);
  }
  return true;
}

/** Write `len` bytes at `from` to the packet, from `offset` on; all must lie in it. @linux skb_store_bits */
export function skbStoreBits(
  skb: SkBuff,
  offset: number,
  from: HostAddr,
  len: number,
  cpu: Cpu,
): void {
  const { mem } = skb.dev.net;
  cpu.chargeTimes(OP_COPY_64B, (len + 63) >>> 6);
  const linear = Math.max(0, Math.min(len, skbHeadlen(skb) - offset));
  mem.copy(skb.data + offset, from, linear);
  for (let done = linear; done < len;) {
    const at = offset + done - skbHeadlen(skb);
    const n = Math.min(len - done, PAGE_SIZE - (at % PAGE_SIZE));
    mem.copy(skb.fragPage[Math.floor(at / PAGE_SIZE)]! + (at % PAGE_SIZE), from + done, n);
    done += n;
  }
}

/** A packet with the same bytes, to be sent out of `dev`; null when there is no memory. @linux skb_copy */
export function skbCopy(skb: SkBuff, dev: NetDevice, cpu: Cpu): SkBuff | null {
  const copy = allocSkbWithFrags(dev, skb.len, cpu);
  if (copy === null) return null;
  cpu.chargeTimes(OP_COPY_64B, (skb.len + 63) >>> 6);
  const linear = skbHeadlen(copy);
  skbCopyTo(skb, 0, copy.data, linear);
  for (let i = 0; i < copy.nrFrags; i++)
    skbCopyTo(skb, linear + i * PAGE_SIZE, copy.fragPage[i]!, copy.fragSize[i]!);
  return copy;
}
