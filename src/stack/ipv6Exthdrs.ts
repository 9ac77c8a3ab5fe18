/**
 * Extension headers of a received IPv6 packet, one at a time.
 *
 * @spec RFC 8200 §4
 * @linux net/ipv6/exthdrs.c
 */
import type { Cpu } from '../host/cpu.ts';
import type { SkBuff } from './skbuff.ts';
import { pskbMayPull } from './skbPull.ts';

const TLV_PAD1 = 0;
const TLV_PADN = 1;
const TLV_ROUTERALERT = 5;
/** Padding in one go; more looks like somebody hiding something. @linux ip6_parse_tlv */
const PADDING_MAX = 7;

export const EXTHDR_OK = 0;
/** Cut short, or lengths that do not fit. */
export const EXTHDR_BAD = -1;
/** An option we do not know, which says: drop the packet. */
export const EXTHDR_DROP = -2;

/**
 * The header at `skb.data` is made linear as a whole.
 *
 * @returns its length; 0 when the packet is shorter
 */
export function exthdrLen(skb: SkBuff, cpu: Cpu): number {
  if (!pskbMayPull(skb, 8, cpu)) return 0;
  const len = (skb.dev.net.mem.view.getUint8(skb.data + 1) + 1) << 3;
  return pskbMayPull(skb, len, cpu) ? len : 0;
}

/**
 * The options of a hop-by-hop or destination header.
 *
 * @param at address of the header, `len` bytes of it
 * @returns `EXTHDR_OK`, `_BAD`, `_DROP`, or how far into the header the option lies about which its
 *   sender wants to hear
 * @linux ip6_parse_tlv, ip6_tlvopt_unknown
 */
export function ip6ParseTlv(
  view: DataView,
  at: number,
  len: number,
  hopByHop: boolean,
  multicast: boolean,
): number {
  let padding = 0;
  for (let i = 2; i < len;) {
    const type = view.getUint8(at + i);
    if (type === TLV_PAD1) {
      if (++padding > PADDING_MAX) return EXTHDR_BAD;
      i++;
      continue;
    }
    if (len - i < 2) return EXTHDR_BAD;
    const size = view.getUint8(at + i + 1) + 2;
    if (size > len - i) return EXTHDR_BAD;
    if (type === TLV_PADN) {
      padding += size;
      if (padding > PADDING_MAX) return EXTHDR_BAD;
      for (let k = 2; k < size; k++) if (view.getUint8(at + i + k) !== 0) return EXTHDR_BAD;
    } else {
      padding = 0;
      const known = hopByHop && type === TLV_ROUTERALERT;
      if (known && size !== 4) return EXTHDR_DROP;
      const action = known ? 0 : type >> 6; // the top bits say what to do with a stranger
      if (action === 1 || (action === 3 && multicast)) return EXTHDR_DROP;
      if (action !== 0) return i;
    }
    i += size;
  }
  return EXTHDR_OK;
}
