/**
 * IPv4 fragments become packets again.
 *
 * @spec RFC 791 §3.2
 * @linux net/ipv4/ip_fragment.c
 */
import type { Cpu } from '../host/cpu.ts';
import { SKB_DROP_REASON_DUP_FRAG, SKB_DROP_REASON_NOT_SPECIFIED } from '../host/dropReason.ts';
import {
  ipv4Dst,
  ipv4FragOffset,
  ipv4Id,
  ipv4MoreFragments,
  ipv4Proto,
  ipv4Src,
  setIpv4FragWord,
  setIpv4TotalLen,
  updateIpv4Check,
} from '../wire/ipv4.ts';
import { FRAG_COMPLETE, FRAG_DUPLICATE, FRAG_SPOILT } from './fragQueue.ts';
import { ICMP_EXC_FRAGTIME, ICMP_TIME_EXCEEDED, icmpSend } from './icmpSend.ts';
import { In6Addr } from './in6.ts';
import type { Inet } from './inet.ts';
import type { SkBuff } from './skbuff.ts';
import { skbPull } from './skbuff.ts';
import { kfreeSkb } from './skbPool.ts';
import { pskbTrim } from './skbPull.ts';

const LEN_MAX = 65_535;

const saddr: In6Addr = new In6Addr();
const daddr: In6Addr = new In6Addr();

/**
 * Takes a fragment whose `data` is its IPv4 header.
 *
 * @returns the whole packet, its `data` its IPv4 header, once this was the last piece missing
 * @linux ip_defrag
 */
export function ipDefrag(skb: SkBuff, inet: Inet, cpu: Cpu): SkBuff | null {
  const { view } = inet.net.mem;
  const { ip } = inet.mib;
  const at = skb.networkHeader;
  const headerLen = skb.transportHeader - at;
  const start = ipv4FragOffset(view, at);
  const more = ipv4MoreFragments(view, at);
  ip.ReasmReqds++;
  saddr.set(0, 0, 0, ipv4Src(view, at));
  daddr.set(0, 0, 0, ipv4Dst(view, at));
  const q = inet.frags4.find(saddr, daddr, ipv4Id(view, at), ipv4Proto(view, at), cpu);
  if (q === null) return spoilt(skb, inet, cpu);
  skbPull(skb, headerLen);
  if (more) pskbTrim(skb, skb.len & ~7, cpu); // only the last may end between two units
  const rc =
    start + skb.len + headerLen > LEN_MAX ? FRAG_SPOILT : inet.frags4.insert(q, skb, start, !more);
  if (rc === FRAG_DUPLICATE) {
    kfreeSkb(skb, SKB_DROP_REASON_DUP_FRAG, cpu);
    return null;
  }
  if (rc === FRAG_SPOILT) {
    inet.frags4.kill(q, SKB_DROP_REASON_NOT_SPECIFIED, cpu);
    return spoilt(skb, inet, cpu);
  }
  if (rc !== FRAG_COMPLETE) return null;

  const first = q.frags[0]!;
  const firstLen = first.transportHeader - first.networkHeader;
  const whole = inet.frags4.reassemble(q, first.networkHeader, firstLen, cpu);
  if (whole === null) {
    ip.ReasmFails++;
    return null;
  }
  whole.networkHeader = whole.data;
  whole.transportHeader = whole.data + firstLen;
  setIpv4TotalLen(view, whole.data, whole.len);
  setIpv4FragWord(view, whole.data, 0);
  updateIpv4Check(view, whole.data);
  ip.ReasmOKs++;
  return whole;
}

function spoilt(skb: SkBuff, inet: Inet, cpu: Cpu): null {
  inet.mib.ip.ReasmFails++;
  kfreeSkb(skb, SKB_DROP_REASON_NOT_SPECIFIED, cpu);
  return null;
}

/** Half a minute, and the packet is not whole: its sender hears of it if its beginning is known. @linux ip_expire */
export function ipFragExpire(inet: Inet, first: SkBuff | null, cpu: Cpu): void {
  inet.mib.ip.ReasmTimeout++;
  inet.mib.ip.ReasmFails++;
  if (first !== null) icmpSend(first, inet, ICMP_TIME_EXCEEDED, ICMP_EXC_FRAGTIME, 0, cpu);
}
