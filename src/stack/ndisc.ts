/**
 * Neighbour discovery: answers who asks for us, and asks for whom we do not know.
 *
 *   NS and NA  +0 type | +1 code | +2 checksum | +4 flags | +8 target (16) | +24 options
 *   option     +0 type | +1 units of 8 bytes | +2 data; 1 source and 2 target MAC address
 *
 * Routers are neither sought nor believed: what they announce is read and left alone.
 *
 * @spec RFC 4861
 * @linux net/ipv6/ndisc.c
 */
import { OP_ARP_RCV } from '../host/cost.ts';
import type { Cpu } from '../host/cpu.ts';
import {
  SKB_DROP_REASON_IPV6_NDISC_BAD_CODE,
  SKB_DROP_REASON_IPV6_NDISC_BAD_OPTIONS,
  SKB_DROP_REASON_IPV6_NDISC_HOP_LIMIT,
  SKB_DROP_REASON_IPV6_NDISC_NS_OTHERHOST,
  SKB_DROP_REASON_NOT_SPECIFIED,
  SKB_DROP_REASON_PKT_TOO_SMALL,
  SKB_NOT_DROPPED_YET,
} from '../host/dropReason.ts';
import type { HostAddr } from '../host/memory.ts';
import { macHi16, macLo32, setMac } from '../wire/eth.ts';
import { icmpCode, icmpType, setIcmpType } from '../wire/icmp.ts';
import { IPPROTO_ICMPV6 } from '../wire/ip.ts';
import { IPV6_ADDRS, ipv6HopLimit } from '../wire/ipv6.ts';
import { finishIcmpv6 } from './icmpv6Send.ts';
import { In6Addr, in6IsMulticast, writeIn6 } from './in6.ts';
import type { Inet } from './inet.ts';
import { ip6SendTo } from './ipv6Output.ts';
import type { Neigh } from './neighbour.ts';
import {
  NEIGH_UPDATE_F_OVERRIDE,
  NUD_FAILED,
  NUD_REACHABLE,
  NUD_STALE,
  NUD_VALID,
} from './neighbour.ts';
import type { NetDevice } from './netdevice.ts';
import type { SkBuff } from './skbuff.ts';
import { skbPut } from './skbuff.ts';
import { allocSkb } from './skbPool.ts';
import { pskbMayPull } from './skbPull.ts';

const NEIGHBOUR_SOLICITATION = 135;
const NEIGHBOUR_ADVERTISEMENT = 136;
const FLAGS = 4;
const TARGET = 8;
const OPTIONS = 24;
const SOLICITED = 0x40;
const OVERRIDE = 0x20;
const ND_OPT_SOURCE_LL_ADDR = 1;
const ND_OPT_TARGET_LL_ADDR = 2;
const MSG_LEN = 32;
const HOP_LIMIT = 255;

const saddr: In6Addr = new In6Addr();
const daddr: In6Addr = new In6Addr();
const target: In6Addr = new In6Addr();
const ALL_NODES: In6Addr = new In6Addr(0xff02_0000, 0, 0, 1);

/** The skb stays the caller's. @returns why it is to be dropped. @linux ndisc_rcv */
export function ndiscRcv(skb: SkBuff, inet: Inet, cpu: Cpu): number {
  const { view } = inet.net.mem;
  cpu.charge(OP_ARP_RCV);
  if (!pskbMayPull(skb, skb.len, cpu)) return SKB_DROP_REASON_NOT_SPECIFIED;
  if (ipv6HopLimit(view, skb.networkHeader) !== HOP_LIMIT)
    return SKB_DROP_REASON_IPV6_NDISC_HOP_LIMIT; // it has come from another link
  if (icmpCode(view, skb.data) !== 0) return SKB_DROP_REASON_IPV6_NDISC_BAD_CODE;
  saddr.read(view, skb.networkHeader + IPV6_ADDRS);
  daddr.read(view, skb.networkHeader + IPV6_ADDRS + 16);
  switch (icmpType(view, skb.data)) {
    case NEIGHBOUR_SOLICITATION:
      return ndiscRecvNs(skb, inet, cpu);
    case NEIGHBOUR_ADVERTISEMENT:
      return ndiscRecvNa(skb, inet, cpu);
    default:
      return SKB_NOT_DROPPED_YET;
  }
}

/** Somebody asks for an address. @linux ndisc_recv_ns */
function ndiscRecvNs(skb: SkBuff, inet: Inet, cpu: Cpu): number {
  const { view } = inet.net.mem;
  const { data: at, dev } = skb;
  if (skb.len < OPTIONS) return SKB_DROP_REASON_PKT_TOO_SMALL;
  target.read(view, at + TARGET);
  if (in6IsMulticast(target.w0)) return SKB_DROP_REASON_NOT_SPECIFIED;
  const dad = saddr.isAny; // somebody looks whether the address is free
  const toSolicited = daddr.w0 === 0xff02_0000 && daddr.w2 === 1 && daddr.w3 >>> 24 === 0xff;
  if (dad && !toSolicited) return SKB_DROP_REASON_NOT_SPECIFIED;
  const mac = findLinkAddr(view, at + OPTIONS, skb.len - OPTIONS, ND_OPT_SOURCE_LL_ADDR);
  if (mac === BAD_OPTIONS) return SKB_DROP_REASON_IPV6_NDISC_BAD_OPTIONS;
  if (dad && mac !== 0) return SKB_DROP_REASON_NOT_SPECIFIED;
  const own = inet.addrs.local6(target.w0, target.w1, target.w2, target.w3);
  if (own === null || own.dev !== dev) return SKB_DROP_REASON_IPV6_NDISC_NS_OTHERHOST;
  if (dad) {
    sendNa(inet, dev, ALL_NODES, OVERRIDE, 0x3333, 1, cpu);
    return SKB_NOT_DROPPED_YET;
  }
  const neigh =
    mac === 0
      ? inet.nd.lookup(dev, saddr.w0, saddr.w1, saddr.w2, saddr.w3)
      : inet.nd.lookupOrCreate(dev, saddr.w0, saddr.w1, saddr.w2, saddr.w3, cpu);
  if (neigh === null) return SKB_NOT_DROPPED_YET;
  if (mac !== 0)
    inet.nd.update(
      neigh,
      macHi16(view, mac),
      macLo32(view, mac),
      NUD_STALE,
      NEIGH_UPDATE_F_OVERRIDE,
      cpu,
    );
  sendNa(inet, dev, saddr, SOLICITED | OVERRIDE, neigh.haHi16, neigh.haLo32, cpu);
  return SKB_NOT_DROPPED_YET;
}

/** Somebody says which MAC address an address has. @linux ndisc_recv_na */
function ndiscRecvNa(skb: SkBuff, inet: Inet, cpu: Cpu): number {
  const { view } = inet.net.mem;
  const { data: at, dev } = skb;
  if (skb.len < OPTIONS) return SKB_DROP_REASON_PKT_TOO_SMALL;
  target.read(view, at + TARGET);
  const flags = view.getUint8(at + FLAGS);
  if (in6IsMulticast(target.w0)) return SKB_DROP_REASON_NOT_SPECIFIED;
  if (in6IsMulticast(daddr.w0) && (flags & SOLICITED) !== 0) return SKB_DROP_REASON_NOT_SPECIFIED;
  const mac = findLinkAddr(view, at + OPTIONS, skb.len - OPTIONS, ND_OPT_TARGET_LL_ADDR);
  if (mac === BAD_OPTIONS) return SKB_DROP_REASON_IPV6_NDISC_BAD_OPTIONS;
  const neigh = inet.nd.lookup(dev, target.w0, target.w1, target.w2, target.w3);
  if (neigh === null || neigh.state === NUD_FAILED) return SKB_NOT_DROPPED_YET;
  const known = (neigh.state & NUD_VALID) !== 0;
  // who answers a unicast solicitation may leave its address out: it is the one that was asked
  if (mac === 0 && !known) return SKB_NOT_DROPPED_YET;
  const hi16 = mac === 0 ? neigh.haHi16 : macHi16(view, mac);
  const lo32 = mac === 0 ? neigh.haLo32 : macLo32(view, mac);
  const other = known && (hi16 !== neigh.haHi16 || lo32 !== neigh.haLo32);
  if (other && (flags & OVERRIDE) === 0) {
    // another address that does not override only raises doubt (RFC 4861 section 7.2.5)
    if (neigh.state === NUD_REACHABLE) neigh.state = NUD_STALE;
    return SKB_NOT_DROPPED_YET;
  }
  const state = (flags & SOLICITED) !== 0 ? NUD_REACHABLE : NUD_STALE;
  inet.nd.update(neigh, hi16, lo32, state, NEIGH_UPDATE_F_OVERRIDE, cpu);
  return SKB_NOT_DROPPED_YET;
}

const BAD_OPTIONS = -1;

/** Address of the MAC address in the option of this type; 0: there is none; `BAD_OPTIONS`. @linux ndisc_parse_options */
function findLinkAddr(view: DataView, at: HostAddr, len: number, wanted: number): HostAddr {
  let found = 0;
  for (let i = 0; i < len;) {
    if (len - i < 2) return BAD_OPTIONS;
    const size = view.getUint8(at + i + 1) << 3;
    if (size === 0 || size > len - i) return BAD_OPTIONS;
    if (view.getUint8(at + i) === wanted && found === 0)
      found = size === 8 ? at + i + 2 : BAD_OPTIONS;
    if (found === BAD_OPTIONS) return BAD_OPTIONS;
    i += size;
  }
  return found;
}

/** Tell `to` that `target` is ours. @linux ndisc_send_na */
function sendNa(
  inet: Inet,
  dev: NetDevice,
  to: In6Addr,
  flags: number,
  hi16: number,
  lo32: number,
  cpu: Cpu,
): void {
  const skb = ndiscMsg(dev, NEIGHBOUR_ADVERTISEMENT, target, ND_OPT_TARGET_LL_ADDR, cpu);
  if (skb === null) return;
  inet.net.mem.view.setUint8(skb.data + FLAGS, flags);
  finishIcmpv6(inet, skb, target, to, cpu);
  ip6SendTo(inet, skb, dev, target, to, IPPROTO_ICMPV6, HOP_LIMIT, hi16, lo32, cpu);
}

/** Ask who has `neigh`'s address; the group it listens to, or the one who had it. @linux ndisc_solicit */
export function ndiscSolicit(neigh: Neigh, unicast: boolean, inet: Inet, cpu: Cpu): void {
  const { dev, addr } = neigh;
  if (!inet.addrs.routeOut6(addr, dev, inet.hop)) return;
  const from = inet.hop.saddr6;
  const skb = ndiscMsg(dev, NEIGHBOUR_SOLICITATION, addr, ND_OPT_SOURCE_LL_ADDR, cpu);
  if (skb === null) return;
  const low = addr.w3 & 0xff_ffff;
  const group = new In6Addr(0xff02_0000, 0, 1, (0xff00_0000 | low) >>> 0);
  const to = unicast ? addr : group;
  const hi16 = unicast ? neigh.haHi16 : 0x3333;
  const lo32 = unicast ? neigh.haLo32 : group.w3;
  finishIcmpv6(inet, skb, from, to, cpu);
  ip6SendTo(inet, skb, dev, from, to, IPPROTO_ICMPV6, HOP_LIMIT, hi16, lo32, cpu);
}

/** A message about `about` with our MAC address as its option; null when there is no memory. */
function ndiscMsg(
  dev: NetDevice,
  type: number,
  about: In6Addr,
  option: number,
  cpu: Cpu,
): SkBuff | null {
  const skb = allocSkb(dev, MSG_LEN, cpu);
  if (skb === null) return null;
  const { view } = dev.net.mem;
  const at = skbPut(skb, MSG_LEN);
  view.setUint32(at, 0);
  view.setUint32(at + FLAGS, 0);
  setIcmpType(view, at, type);
  writeIn6(view, at + TARGET, about);
  view.setUint8(at + OPTIONS, option);
  view.setUint8(at + OPTIONS + 1, 1);
  setMac(view, at + OPTIONS + 2, dev.devAddr.hi16, dev.devAddr.lo32);
  return skb;
}
