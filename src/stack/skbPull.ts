/**
 * Making headers linear, and packets shorter.
 *
 * A protocol reads headers through one address, so before it looks it pulls what it needs out of
 * the frags. Only the frags' ends move; their bytes stay in the page.
 *
 * @linux net/core/skbuff.c
 */
import { OP_COPY_64B } from '../host/cost.ts';
import type { Cpu } from '../host/cpu.ts';
import type { SkBuff } from './skbuff.ts';
import { skbHeadlen } from './skbuff.ts';

/**
 * Are the first `len` bytes linear? If not, they are made so.
 *
 * @returns false when the packet is shorter, or there is no memory for a longer head
 * @linux pskb_may_pull
 */
export function pskbMayPull(skb: SkBuff, len: number, cpu: Cpu): boolean {
  const headlen = skbHeadlen(skb);
  if (len <= headlen) return true;
  if (len > skb.len) return false;
  return __pskbPullTail(skb, len - headlen, cpu);
}

/** Move `delta` bytes from the frags to the end of the linear part. @linux __pskb_pull_tail */
function __pskbPullTail(skb: SkBuff, delta: number, cpu: Cpu): boolean {
  const { skbs, mem } = skb.dev.net;
  if (skb.tail + delta > skb.end && !skbs.expandHead(skb, delta, cpu)) return false;
  cpu.chargeTimes(OP_COPY_64B, (delta + 63) >>> 6);
  let left = delta;
  let eaten = 0;
  while (left > 0) {
    const i = eaten;
    const n = Math.min(left, skb.fragSize[i]!);
    mem.copy(skb.tail, skb.fragPage[i]! + skb.fragOffset[i]!, n);
    skb.tail += n;
    skb.fragOffset[i]! += n;
    skb.fragSize[i]! -= n;
    left -= n;
    if (skb.fragSize[i] === 0) eaten++;
  }
  skb.dataLen -= delta;
  if (eaten > 0) skbs.dropFrags(skb, 0, eaten, cpu);
  return true;
}

/** Cut the packet to `len` bytes; a longer one is asked for in vain. @linux pskb_trim */
export function pskbTrim(skb: SkBuff, len: number, cpu: Cpu): void {
  if (len >= skb.len) return;
  const headlen = skbHeadlen(skb);
  if (len <= headlen) {
    if (skb.nrFrags > 0) skb.dev.net.skbs.dropFrags(skb, 0, skb.nrFrags, cpu);
    skb.dataLen = 0;
    skb.tail = skb.data + len;
  } else {
    let keep = len - headlen;
    let i = 0;
    for (; keep > 0; i++) {
      if (skb.fragSize[i]! > keep) skb.fragSize[i] = keep;
      keep -= skb.fragSize[i]!;
    }
    if (i < skb.nrFrags) skb.dev.net.skbs.dropFrags(skb, i, skb.nrFrags, cpu);
    skb.dataLen = len - headlen;
  }
  skb.len = len;
}

/**
 * Put a packet that waits for long into as little memory as it needs: frags that fit behind the
 * linear bytes are copied there, and their pages go home.
 *
 * @linux skb_condense
 */
export function skbCondense(skb: SkBuff, cpu: Cpu): void {
  if (skb.dataLen === 0 || skb.dataLen > skb.end - skb.tail) return;
  __pskbPullTail(skb, skb.dataLen, cpu);
  skb.truesize = skb.dev.net.skbs.headTruesize(skb);
}
