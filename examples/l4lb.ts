// A layer-4 load balancer: each TCP or UDP flow goes to one of eight servers, inside an outer IP header.
// Shows parsing, adjust_head, header rewriting, checksums and XDP_TX; the reply would bypass it.
//
//   in    eth [vlan [vlan]]          ip  tcp|udp  data
//   out   eth [vlan [vlan]] outer-ip ip  tcp|udp  data      4in4 or 6in6, RFC 2003 and RFC 2473
//
// Passed: what is neither TCP nor UDP over IPv4 or IPv6, more than two tags, and fragments that are
// not first, which have no ports. Dropped: what is malformed. Aborted, to be seen: no headroom left.
// The inner packet stays as it is, its TTL included: its sender addressed the service, and this
// machine stands for it. There is no path MTU discovery here: a frame that grows past the MTU of the
// wire behind is sent all the same.
import type { XdpContext } from '../src/xdp/context.ts';
import type { XdpProgramSpec } from '../src/xdp/define.ts';
import { defineXdp } from '../src/xdp/define.ts';
import { XDP_ABORTED, XDP_DROP, XDP_PASS, XDP_TX } from '../src/xdp/uapi.ts';

const SERVERS = 8; // 10.0.1.1 to .8, fd00:1::1 to ::8, MACs 02:00:00:00:01:01 to :08
const SERVER_IP4 = 0x0a000101;
const LB_IP4 = 0x0a000001;
const LB_NET6 = 0xfd000000; // fd00::1
const SERVER_NET6 = 0xfd000001;
const SERVER_MAC_HIGH = 0x02000000; // first four bytes
const SERVER_MAC_LOW = 0x0101; // last two

const ETH_HLEN = 14;
const ETH_TYPE = 12;
const ETH_P_IP = 0x0800;
const ETH_P_IPV6 = 0x86dd;
const ETH_P_8021Q = 0x8100;
const ETH_P_8021AD = 0x88a8;
const VLAN_HLEN = 4;
const MAX_TAGS = 2;

const IPPROTO_HOPOPTS = 0;
const IPPROTO_IPIP = 4;
const IPPROTO_TCP = 6;
const IPPROTO_UDP = 17;
const IPPROTO_IPV6 = 41;
const IPPROTO_ROUTING = 43;
const IPPROTO_FRAGMENT = 44;
const IPPROTO_AH = 51;
const IPPROTO_DSTOPTS = 60;
const IP4_HLEN = 20;
const IP6_HLEN = 40;
const IP_DF = 0x4000;
const IP_OFFSET = 0x1fff;
const IP_MF = 0x2000;
const IP6_OFFSET = 0xfff8;
const IP6_MF = 1;
const OUTER_TTL = 64;
const MAX_EXT_HEADERS = 8;

type Packet = XdpContext<Record<never, never>>;

const isTag = (type: number): boolean => type === ETH_P_8021Q || type === ETH_P_8021AD;

function l4lb(ctx: Packet): number {
  let l3 = ETH_HLEN;
  if (ctx.len < l3) return XDP_DROP;
  let type = ctx.u16(ETH_TYPE);
  for (let tags = 0; tags < MAX_TAGS && isTag(type); tags++) {
    l3 += VLAN_HLEN;
    if (ctx.len < l3) return XDP_DROP;
    type = ctx.u16(l3 - 2);
  }
  if (type === ETH_P_IP) return balance4(ctx, l3);
  if (type === ETH_P_IPV6) return balance6(ctx, l3);
  return XDP_PASS;
}

function balance4(ctx: Packet, l3: number): number {
  if (ctx.len < l3 + IP4_HLEN) return XDP_DROP;
  const versionLen = ctx.u8(l3);
  const hlen = (versionLen & 15) * 4;
  const total = ctx.u16(l3 + 2);
  if (versionLen >> 4 !== 4 || hlen < IP4_HLEN || total < hlen) return XDP_DROP;
  if (l3 + total > ctx.len) return XDP_DROP;

  const proto = ctx.u8(l3 + 9);
  if (proto !== IPPROTO_TCP && proto !== IPPROTO_UDP) return XDP_PASS;
  const fragment = ctx.u16(l3 + 6);
  if ((fragment & IP_OFFSET) !== 0) return XDP_PASS;
  if (!l4IsSound(ctx, l3 + hlen, proto, l3 + total, (fragment & IP_MF) !== 0)) return XDP_DROP;

  const addresses = mix(mix(0, ctx.u32(l3 + 12)), ctx.u32(l3 + 16));
  const server = serverOf(mix(mix(addresses, ctx.u32(l3 + hlen)), proto));
  const tos = ctx.u8(l3 + 1);
  if (ctx.adjustHead(-IP4_HLEN) !== 0) return XDP_ABORTED;
  writeL2(ctx, l3, IP4_HLEN, server);
  writeOuter4(ctx, l3, tos, total + IP4_HLEN, server);
  return XDP_TX;
}

/**
 * DF, so that nobody ever needs the identification to tell fragments apart (RFC 6864 §4.1). The
 * checksum is the sum of what is written here, so it never has to be read back.
 */
function writeOuter4(ctx: Packet, at: number, tos: number, total: number, server: number): void {
  const first = ((0x4500 | tos) << 16) | total;
  const ttlProto = (OUTER_TTL << 8) | IPPROTO_IPIP;
  const daddr = SERVER_IP4 + server;
  const words = (0x4500 | tos) + total + IP_DF + ttlProto;
  const addresses = (LB_IP4 >>> 16) + (LB_IP4 & 0xffff) + (daddr >>> 16) + (daddr & 0xffff);
  ctx.setU32(at, first);
  ctx.setU32(at + 4, IP_DF);
  ctx.setU32(at + 8, (ttlProto << 16) | ctx.csumFold(words + addresses));
  ctx.setU32(at + 12, LB_IP4);
  ctx.setU32(at + 16, daddr);
}

function balance6(ctx: Packet, l3: number): number {
  if (ctx.len < l3 + IP6_HLEN || ctx.u8(l3) >> 4 !== 6) return XDP_DROP;
  const payload = ctx.u16(l3 + 4);
  const end = l3 + IP6_HLEN + payload;
  if (end > ctx.len) return XDP_DROP;
  return balance6Payload(ctx, l3, payload, ctx.u8(l3 + 6), end);
}

/** Extension headers between the IPv6 header and the ports, each at least 8 bytes. */
function balance6Payload(
  ctx: Packet,
  l3: number,
  payload: number,
  next: number,
  end: number,
): number {
  let at = l3 + IP6_HLEN;
  let moreFragments = false;
  for (let n = 0; n < MAX_EXT_HEADERS && isExtension(next); n++) {
    if (at + 8 > end) return XDP_DROP;
    if (next === IPPROTO_FRAGMENT) {
      const fragment = ctx.u16(at + 2);
      if ((fragment & IP6_OFFSET) !== 0) return XDP_PASS;
      moreFragments = (fragment & IP6_MF) !== 0;
    }
    const len = extensionLen(ctx, at, next);
    next = ctx.u8(at);
    at += len;
  }
  if (next !== IPPROTO_TCP && next !== IPPROTO_UDP) return XDP_PASS;
  if (!l4IsSound(ctx, at, next, end, moreFragments)) return XDP_DROP;
  return send6(ctx, l3, payload, at, next);
}

const isExtension = (next: number): boolean =>
  next === IPPROTO_HOPOPTS ||
  next === IPPROTO_ROUTING ||
  next === IPPROTO_FRAGMENT ||
  next === IPPROTO_AH ||
  next === IPPROTO_DSTOPTS;

function extensionLen(ctx: Packet, at: number, next: number): number {
  if (next === IPPROTO_FRAGMENT) return 8;
  return next === IPPROTO_AH ? (ctx.u8(at + 1) + 2) * 4 : (ctx.u8(at + 1) + 1) * 8;
}

function send6(ctx: Packet, l3: number, payload: number, l4: number, proto: number): number {
  let hash = mix(mix(0, ctx.u32(l4)), proto);
  for (let word = l3 + 8; word < l3 + IP6_HLEN; word += 4) hash = mix(hash, ctx.u32(word));
  const server = serverOf(hash);
  const trafficClass = ctx.u32(l3) & 0x0ff00000;
  if (ctx.adjustHead(-IP6_HLEN) !== 0) return XDP_ABORTED;
  writeL2(ctx, l3, IP6_HLEN, server);
  writeOuter6(ctx, l3, trafficClass | (hash & 0xfffff), payload + IP6_HLEN, server);
  return XDP_TX;
}

/** The flow label carries the inner flow's hash, so that routers spread the tunnel (RFC 6438). */
function writeOuter6(ctx: Packet, at: number, flow: number, payload: number, server: number): void {
  ctx.setU32(at, 0x60000000 | flow);
  ctx.setU32(at + 4, (payload << 16) | (IPPROTO_IPV6 << 8) | OUTER_TTL);
  writeAddress6(ctx, at + 8, LB_NET6, 1);
  writeAddress6(ctx, at + 24, SERVER_NET6, server + 1);
}

function writeAddress6(ctx: Packet, at: number, net: number, host: number): void {
  ctx.setU32(at, net);
  ctx.setU32(at + 4, 0);
  ctx.setU32(at + 8, 0);
  ctx.setU32(at + 12, host);
}

/**
 * Is the transport header all there, with lengths that fit the packet? The first of several
 * fragments holds less than its UDP length says.
 */
function l4IsSound(ctx: Packet, at: number, proto: number, end: number, more: boolean): boolean {
  if (proto === IPPROTO_UDP) {
    if (at + 8 > end) return false;
    const len = ctx.u16(at + 4);
    return len >= 8 && (more || at + len <= end);
  }
  if (at + 20 > end) return false;
  const hlen = (ctx.u8(at + 12) >> 4) * 4;
  return hlen >= 20 && at + hlen <= end;
}

/** Move the Ethernet header and its tags to the new front: from the address it came to, to the server. */
function writeL2(ctx: Packet, len: number, moved: number, server: number): void {
  const ownHigh = ctx.u16(moved);
  const ownLow = ctx.u32(moved + 2);
  ctx.setU32(0, SERVER_MAC_HIGH);
  ctx.setU32(4, ((SERVER_MAC_LOW + server) << 16) | ownHigh);
  ctx.setU32(8, ownLow);
  for (let at = ETH_TYPE; at < len; at += 2) ctx.setU16(at, ctx.u16(at + moved));
}

/** One round of a multiply-and-rotate hash over 32 bits. */
function mix(hash: number, word: number): number {
  const k = Math.imul(word, 0xcc9e2d51);
  const h = hash ^ Math.imul((k << 15) | (k >>> 17), 0x1b873593);
  return (Math.imul((h << 13) | (h >>> 19), 5) + 0x64b54ab5) | 0;
}

/** Spread a hash over the servers: finish mixing, then scale its upper half. */
function serverOf(hash: number): number {
  const h = Math.imul(hash ^ (hash >>> 16), 0x7feb352d);
  const scrambled = Math.imul(h ^ (h >>> 15), 0x846ca68b);
  return Math.imul(scrambled >>> 16, SERVERS) >>> 16;
}

const program: XdpProgramSpec = defineXdp(l4lb, { name: 'l4lb' });

export default program;
