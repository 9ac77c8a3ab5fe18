/**
 * IPv6 fragments become packets again.
 *
 * @spec RFC 8200 §4.5
 * @linux net/ipv6/reassembly.c
 */
import type { Cpu } from '../host/cpu.ts';
import {
  SKB_DROP_REASON_DUP_FRAG,
  SKB_DROP_REASON_NOT_SPECIFIED,
  SKB_DROP_REASON_PKT_TOO_SMALL,
} from '../host/dropReason.ts';
import { IPV6_ADDRS, setIpv6NextHeader, setIpv6PayloadLen } from '../wire/ipv6.ts';
import { FRAG_COMPLETE, FRAG_DUPLICATE, FRAG_SPOILT } from './fragQueue.ts';
import {
  ICMPV6_EXC_FRAGTIME,
  ICMPV6_HDR_FIELD,
  ICMPV6_PARAMPROB,
  ICMPV6_TIME_EXCEED,
  icmpv6Send,
} from './icmpv6Send.ts';
import { In6Addr } from './in6.ts';
import type { Inet } from './inet.ts';
import { IPV6_HLEN } from './ipv6Output.ts';
import type { SkBuff } from './skbuff.ts';
import { skbPull } from './skbuff.ts';
import { kfreeSkb } from './skbPool.ts';
import { pskbMayPull } from './skbPull.ts';

const FRAG_HLEN = 8;
const FRAG_WORD = 2;
const FRAG_ID = 4;
const MORE = 1;
const OFFSET_MASK = 0xfff8;
const LEN_MAX = 65_535;
const PAYLOAD_LEN_AT = 4;

const saddr: In6Addr = new In6Addr();
const daddr: In6Addr = new In6Addr();

/**
 * Takes a packet whose `data` is its fragment header.
 *
 * Headers in front of the fragment header other than IPv6's own are left out of the whole.
 *
 * @returns the whole packet, its `data` the header that followed, once nothing is missing
 * @linux ipv6_frag_rcv, ip6_frag_queue
 */
export function ipv6Defrag(skb: SkBuff, inet: Inet, cpu: Cpu): SkBuff | null {
  const { view } = inet.net.mem;
  const { ip6 } = inet.mib;
  ip6.ReasmReqds++;
  if (!pskbMayPull(skb, FRAG_HLEN, cpu)) {
    ip6.InHdrErrors++;
    kfreeSkb(skb, SKB_DROP_REASON_PKT_TOO_SMALL, cpu);
    return null;
  }
  const at = skb.data;
  const ip = skb.networkHeader;
  const word = view.getUint16(at + FRAG_WORD);
  const proto = view.getUint8(at);
  skb.upperProtocol = proto;
  if ((word & (OFFSET_MASK | MORE)) === 0) {
    skbPull(skb, FRAG_HLEN); // a fragment that is the whole packet (RFC 6946)
    ip6.ReasmOKs++;
    return skb;
  }
  const start = word & OFFSET_MASK;
  const last = (word & MORE) === 0;
  const id = view.getUint32(at + FRAG_ID);
  skbPull(skb, FRAG_HLEN);
  // looked at before a queue is made: nothing is kept of what cannot be right
  if ((!last && (skb.len & 7) !== 0) || start + skb.len > LEN_MAX) {
    ip6.InHdrErrors++;
    const pointer = last ? at + FRAG_WORD - ip : PAYLOAD_LEN_AT;
    icmpv6Send(skb, inet, ICMPV6_PARAMPROB, ICMPV6_HDR_FIELD, pointer, cpu);
    kfreeSkb(skb, SKB_DROP_REASON_NOT_SPECIFIED, cpu);
    return null;
  }
  saddr.read(view, ip + IPV6_ADDRS);
  daddr.read(view, ip + IPV6_ADDRS + 16);
  const q = inet.frags6.find(saddr, daddr, id, 0, cpu);
  if (q === null) return spoilt(skb, inet, cpu);
  if (start === 0) q.firstProtocol = proto;
  const rc = inet.frags6.insert(q, skb, start, last);
  if (rc === FRAG_DUPLICATE) {
    kfreeSkb(skb, SKB_DROP_REASON_DUP_FRAG, cpu);
    return null;
  }
  if (rc === FRAG_SPOILT) {
    inet.frags6.kill(q, SKB_DROP_REASON_NOT_SPECIFIED, cpu);
    return spoilt(skb, inet, cpu);
  }
  return rc === FRAG_COMPLETE ? wholeOf(q.firstProtocol, inet, q, cpu) : null;
}

function wholeOf(
  proto: number,
  inet: Inet,
  q: Parameters<Inet['frags6']['reassemble']>[0],
  cpu: Cpu,
): SkBuff | null {
  const { view } = inet.net.mem;
  const { ip6 } = inet.mib;
  const first = q.frags[0]!;
  const whole = inet.frags6.reassemble(q, first.networkHeader, IPV6_HLEN, cpu);
  if (whole === null) {
    ip6.ReasmFails++;
    return null;
  }
  const at = whole.data;
  whole.networkHeader = at;
  whole.upperProtocol = proto;
  setIpv6NextHeader(view, at, proto);
  setIpv6PayloadLen(view, at, whole.len - IPV6_HLEN);
  skbPull(whole, IPV6_HLEN);
  ip6.ReasmOKs++;
  return whole;
}

function spoilt(skb: SkBuff, inet: Inet, cpu: Cpu): null {
  inet.mib.ip6.ReasmFails++;
  kfreeSkb(skb, SKB_DROP_REASON_NOT_SPECIFIED, cpu);
  return null;
}

/** @linux ip6frag_expire_frag_queue */
export function ip6FragExpire(inet: Inet, first: SkBuff | null, cpu: Cpu): void {
  inet.mib.ip6.ReasmTimeout++;
  inet.mib.ip6.ReasmFails++;
  if (first !== null) icmpv6Send(first, inet, ICMPV6_TIME_EXCEED, ICMPV6_EXC_FRAGTIME, 0, cpu);
}
