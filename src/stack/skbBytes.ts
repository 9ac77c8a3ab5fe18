/**
 * A packet's bytes in a row, wherever they lie: for taps, captures and applications.
 *
 * @linux skb_copy_bits; net/core/skbuff.c
 */
import { OP_COPY_64B } from '../host/cost.ts';
import type { Cpu } from '../host/cpu.ts';
import type { HostAddr, HostMemory } from '../host/memory.ts';
import type { SkBuff } from './skbuff.ts';
import { skbHeadlen } from './skbuff.ts';

const VLAN_OFFSET = 12;
const VLAN_HLEN = 4;

/**
 * Copy `len` bytes from `offset` on, counted from `skb.data`; negative offsets reach the headers
 * in front of it.
 *
 * @returns false, and nothing is copied, when the packet has fewer
 * @linux skb_copy_bits
 */
export function skbCopyBits(
  mem: HostMemory,
  skb: SkBuff,
  offset: number,
  to: Uint8Array,
  toAt: number,
  len: number,
): boolean {
  const headlen = skbHeadlen(skb);
  if (offset < skb.head - skb.data || offset + len > skb.len || toAt + len > to.length) {
    return false;
  }
  const linear = Math.max(0, Math.min(len, headlen - offset));
  to.set(mem.u8.subarray(skb.data + offset, skb.data + offset + linear), toAt);

  let start = headlen; // of the frag, counted from skb.data
  let done = linear;
  for (let i = 0; done < len; i++) {
    const skip = offset + done - start;
    const size = skb.fragSize[i]!;
    start += size;
    if (skip >= size) continue;
    const n = Math.min(size - skip, len - done);
    const at = skb.fragPage[i]! + skb.fragOffset[i]! + skip;
    to.set(mem.u8.subarray(at, at + n), toAt + done);
    done += n;
  }
  return true;
}

/**
 * The frame as it was on the wire: from its MAC header on, a tag that hardware took out put back.
 *
 * @returns its length; `to` must have room for it, 4 bytes more than `len` and the MAC header
 */
export function skbFrameBytes(mem: HostMemory, skb: SkBuff, to: Uint8Array): number {
  const macLen = skb.macHeader === 0 ? 0 : skb.data - skb.macHeader;
  const len = macLen + skb.len;
  if (skb.vlanProto === 0) {
    skbCopyBits(mem, skb, -macLen, to, 0, len);
    return len;
  }
  skbCopyBits(mem, skb, -macLen, to, 0, VLAN_OFFSET);
  to[VLAN_OFFSET] = skb.vlanProto >>> 8;
  to[VLAN_OFFSET + 1] = skb.vlanProto;
  to[VLAN_OFFSET + 2] = skb.vlanTci >>> 8;
  to[VLAN_OFFSET + 3] = skb.vlanTci;
  const rest = VLAN_OFFSET + VLAN_HLEN;
  skbCopyBits(mem, skb, VLAN_OFFSET - macLen, to, rest, len - VLAN_OFFSET);
  return len + VLAN_HLEN;
}

/** Copy `len` bytes from `offset` on to another place in host memory; the packet must have them. @linux skb_copy_datagram_iter */
export function skbCopyOut(skb: SkBuff, offset: number, to: HostAddr, len: number, cpu: Cpu): void {
  cpu.chargeTimes(OP_COPY_64B, (len + 63) >>> 6);
  skbCopyTo(skb, offset, to, len);
}

/** The same where Linux does not copy, and no time passes. */
export function skbCopyTo(skb: SkBuff, offset: number, to: HostAddr, len: number): void {
  const { mem } = skb.dev.net;
  const headlen = skbHeadlen(skb);
  let done = 0;
  if (offset < headlen) {
    done = Math.min(len, headlen - offset);
    mem.copy(to, skb.data + offset, done);
  }
  let start = headlen; // of the frag, counted from skb.data
  for (let i = 0; done < len; i++) {
    const skip = offset + done - start;
    const size = skb.fragSize[i]!;
    start += size;
    if (skip >= size) continue;
    const n = Math.min(size - skip, len - done);
    mem.copy(to + done, skb.fragPage[i]! + skb.fragOffset[i]! + skip, n);
    done += n;
  }
}
