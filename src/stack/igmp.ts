/**
 * IGMP receives a message: queries are heard, and others' reports to a group; the rest is dropped.
 *
 * The only group a machine is in is 224.0.0.1, of which nobody reports, so that no query has an
 * answer. That a query of an older version makes Linux take the next ones for as old is left out,
 * and what the message costs beside its checksum.
 *
 *   +0 type   +1 code   +2 checksum   +4 group   +8 flags   +10 number of sources   +12 sources
 *
 * @spec RFC 2236 §2, RFC 3376 §4.1
 * @linux net/ipv4/igmp.c
 */
import { OP_CSUM_64B } from '../host/cost.ts';
import type { Cpu } from '../host/cpu.ts';
import { SKB_DROP_REASON_NOT_SPECIFIED } from '../host/dropReason.ts';
import { csumFold } from '../wire/checksum.ts';
import type { Inet } from './inet.ts';
import { skbChecksum } from './skbChecksum.ts';
import type { SkBuff } from './skbuff.ts';
import { PACKET_BROADCAST, PACKET_MULTICAST } from './skbuff.ts';
import { consumeSkb, kfreeSkb } from './skbPool.ts';
import { pskbMayPull } from './skbPull.ts';

const IGMP_HOST_MEMBERSHIP_QUERY = 0x11;
const IGMP_HOST_MEMBERSHIP_REPORT = 0x12;
const IGMPV2_HOST_MEMBERSHIP_REPORT = 0x16;
const IGMP_HLEN = 8;
const IGMPV3_QUERY_HLEN = 12;
const GROUP = 4;
const NSRCS = 10;
const SOURCE_BYTES = 4;

/** Takes a message, its `data` the IGMP header. @linux igmp_rcv */
export function igmpRcv(skb: SkBuff, inet: Inet, cpu: Cpu): void {
  cpu.chargeTimes(OP_CSUM_64B, (skb.len + 63) >>> 6);
  if (igmpHeard(skb, inet, cpu)) consumeSkb(skb, cpu);
  else kfreeSkb(skb, SKB_DROP_REASON_NOT_SPECIFIED, cpu);
}

function igmpHeard(skb: SkBuff, inet: Inet, cpu: Cpu): boolean {
  if (!pskbMayPull(skb, IGMP_HLEN, cpu)) return false;
  if (csumFold(skbChecksum(skb, skb.data, 0)) !== 0) return false;
  const type = inet.net.mem.view.getUint8(skb.data);
  if (type === IGMP_HOST_MEMBERSHIP_QUERY) return igmpHeardQuery(skb, inet, cpu);
  const report = type === IGMP_HOST_MEMBERSHIP_REPORT || type === IGMPV2_HOST_MEMBERSHIP_REPORT;
  return report && (skb.pktType === PACKET_MULTICAST || skb.pktType === PACKET_BROADCAST);
}

/** Is the query whole? @linux igmp_heard_query */
function igmpHeardQuery(skb: SkBuff, inet: Inet, cpu: Cpu): boolean {
  const { view } = inet.net.mem;
  if (skb.len === IGMP_HLEN) return true;
  if (!pskbMayPull(skb, IGMPV3_QUERY_HLEN, cpu)) return false;
  const sources = view.getUint16(skb.data + NSRCS);
  if (sources === 0) return true;
  const general = view.getUint32(skb.data + GROUP) === 0;
  return !general && pskbMayPull(skb, IGMPV3_QUERY_HLEN + sources * SOURCE_BYTES, cpu);
}
