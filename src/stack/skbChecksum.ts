/**
 * Checksums over a packet that may lie in pieces.
 *
 * @linux skb_checksum, skb_checksum_help; net/core/skbuff.c, net/core/dev.c
 */
import { OP_COPY_64B } from '../host/cost.ts';
import type { Cpu } from '../host/cpu.ts';
import type { HostAddr } from '../host/memory.ts';
import { csumFold, csumFrom32to16, csumPartial } from '../wire/checksum.ts';
import type { SkBuff } from './skbuff.ts';
import { CHECKSUM_NONE } from './skbuff.ts';

/**
 * The running sum from `from` on, an address in the linear part, to the end of the packet.
 *
 * @linux skb_checksum
 */
export function skbChecksum(skb: SkBuff, from: HostAddr, sum: number): number {
  const { view } = skb.dev.net.mem;
  let odd = ((skb.tail - from) & 1) !== 0;
  let total = csumFrom32to16(csumPartial(view, from, skb.tail - from, sum));
  for (let i = 0; i < skb.nrFrags; i++) {
    const size = skb.fragSize[i]!;
    let part = csumFrom32to16(csumPartial(view, skb.fragPage[i]! + skb.fragOffset[i]!, size, 0));
    if (odd) part = ((part << 8) | (part >>> 8)) & 0xffff; // begins in the middle of a word
    total += part;
    if ((size & 1) !== 0) odd = !odd;
  }
  return total;
}

/**
 * Finish a checksum that was left to hardware: the field holds the pseudo-header's sum so far.
 *
 * @linux skb_checksum_help
 */
export function skbChecksumHelp(skb: SkBuff, cpu: Cpu): void {
  cpu.chargeTimes(OP_COPY_64B, (skb.len + 63) >>> 6);
  const check = csumFold(skbChecksum(skb, skb.csumStart, 0));
  skb.dev.net.mem.view.setUint16(skb.csumStart + skb.csumOffset, check === 0 ? 0xffff : check);
  skb.ipSummed = CHECKSUM_NONE;
}
