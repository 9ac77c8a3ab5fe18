/**
 * IPv4 sends a packet: header, fragments where it is longer than the MTU, neighbour, device.
 *
 * @linux net/ipv4/ip_output.c
 */
import { OP_IP_OUTPUT } from '../host/cost.ts';
import type { Cpu } from '../host/cpu.ts';
import {
  SKB_DROP_REASON_NEIGH_CREATEFAIL,
  SKB_DROP_REASON_NOT_SPECIFIED,
} from '../host/dropReason.ts';
import { EHOSTUNREACH, ENETUNREACH, ENOBUFS, ENOMEM } from '../host/errno.ts';
import {
  IP_DF,
  IP_MF,
  ipv4Dst,
  ipv4FragOffset,
  ipv4FragWord,
  ipv4HeaderLen,
  setIpv4FragWord,
  setIpv4TotalLen,
  updateIpv4Check,
  writeIpv4,
} from '../wire/ipv4.ts';
import type { Inet } from './inet.ts';
import type { Nexthop } from './inetAddrs.ts';
import { ipOptionsFragment } from './ipOptions.ts';
import { devHardHeader } from './neighbour.ts';
import { skbCopyOut, skbCopyTo } from './skbBytes.ts';
import type { SkBuff } from './skbuff.ts';
import { skbPush, skbPut } from './skbuff.ts';
import { allocSkb, consumeSkb, kfreeSkb, skbForwarded } from './skbPool.ts';
import { devQueueXmit } from './xmit.ts';

const HLEN = 20;
const ETH_P_IP = 0x0800;
const LIMITED_BROADCAST = 0xffff_ffff;
/** @linux IPDEFTTL */
export const IPDEFTTL = 64;
/** Room for an IPv4 header in front of everything that is put into an skb. */
export const IPV4_HLEN: number = HLEN;

/**
 * Find the way to `daddr`; it is in `inet.hop` afterwards.
 *
 * @returns 0 or a negative errno
 * @linux ip_route_output_key
 */
export function ipRouteOutput(inet: Inet, daddr: number): number {
  const { addrs, hop } = inet;
  if (daddr === 0 || daddr >>> 28 === 0xe) return -ENETUNREACH;
  if (addrs.isLocal4(daddr) || daddr >>> 24 === 127) return -EHOSTUNREACH; // no loopback device
  const rc = addrs.routeOut4(daddr, hop);
  if (rc !== 0) {
    if (rc === -ENETUNREACH) inet.mib.ip.OutNoRoutes++;
    return rc;
  }
  hop.broadcast = daddr === LIMITED_BROADCAST || addrs.isBroadcast4(daddr);
  return 0;
}

/**
 * Takes a packet whose `data` is its transport header; `inet.hop` says where it goes. One that is
 * longer than the MTU must have its checksum already.
 *
 * @param mayFragment false: Don't Fragment, and then the identification says nothing
 * @returns 0, `NET_XMIT_DROP` or a negative errno; the packet is gone whatever it is
 * @linux ip_send_skb, ip_local_out, ip_finish_output
 */
export function ipLocalOut(
  inet: Inet,
  skb: SkBuff,
  saddr: number,
  daddr: number,
  proto: number,
  tos: number,
  mayFragment: boolean,
  cpu: Cpu,
): number {
  const { ip } = inet.mib;
  const { hop } = inet;
  const tooLong = skb.len + HLEN > hop.dev!.mtu;
  const id = mayFragment || tooLong ? inet.ipId++ & 0xffff : 0;
  const frag = mayFragment || tooLong ? 0 : IP_DF;
  const at = skbPush(skb, HLEN);
  writeIpv4(inet.net.mem.view, at, tos, skb.len, id, frag, IPDEFTTL, proto, saddr, daddr);
  ip.OutRequests++;
  const rc = ipFinishOutput(inet, hop, skb, cpu);
  if (rc !== 0) ip.OutDiscards++;
  return rc;
}

/**
 * Takes a packet whose `data` is its IPv4 header, and sends it where `hop` says, in fragments when
 * it is too long.
 *
 * @returns 0, `NET_XMIT_DROP` or a negative errno; the packet is gone whatever it is
 * @linux ip_output, ip_finish_output
 */
export function ipFinishOutput(inet: Inet, hop: Nexthop, skb: SkBuff, cpu: Cpu): number {
  if (skb.len > hop.dev!.mtu) return ipDoFragment(inet, hop, skb, cpu);
  return ipFinishOutput2(inet, hop, skb, cpu);
}

/**
 * Send a packet in pieces, each but the last as long as the MTU allows in steps of eight bytes; one
 * that is a fragment itself becomes smaller ones. Linux's sender writes a packet of its own in
 * pieces from the start, so only what is forwarded takes the time of copying.
 *
 * @linux ip_do_fragment, ip_frag_next
 */
function ipDoFragment(inet: Inet, hop: Nexthop, whole: SkBuff, cpu: Cpu): number {
  const { ip } = inet.mib;
  const { mem } = inet.net;
  const { view } = mem;
  const dev = hop.dev!;
  const from = whole.data;
  const hlen = ipv4HeaderLen(view, from);
  const word = ipv4FragWord(view, from);
  const start = ipv4FragOffset(view, from);
  const bytes = whole.len - hlen;
  const room = dev.mtu - hlen;
  let rc = 0;
  for (let offset = 0; offset < bytes && rc === 0;) {
    const left = bytes - offset;
    const len = left > room ? room & ~7 : left;
    const skb = allocSkb(dev, hlen + len, cpu);
    if (skb === null) {
      rc = -ENOMEM;
      break;
    }
    const at = skbPut(skb, hlen + len);
    mem.copy(at, from, hlen);
    if (whole.fates === null) skbCopyTo(whole, hlen + offset, at + hlen, len);
    else skbCopyOut(whole, hlen + offset, at + hlen, len, cpu);
    // behind the first, only options remain that are for every fragment; what is none had them taken
    if (offset > 0 && start === 0) ipOptionsFragment(view, at + HLEN, hlen - HLEN);
    setIpv4TotalLen(view, at, hlen + len);
    setIpv4FragWord(view, at, ((start + offset) >>> 3) | (len < left ? IP_MF : word & IP_MF));
    updateIpv4Check(view, at);
    skb.transportHeader = at + hlen;
    skb.routeType = whole.routeType;
    skb.wireAt = whole.wireAt;
    skb.hash = whole.hash;
    skb.queueMapping = whole.queueMapping;
    rc = ipFinishOutput2(inet, hop, skb, cpu);
    if (rc === 0) ip.FragCreates++;
    offset += len;
  }
  if (rc === 0) {
    ip.FragOKs++;
    skbForwarded(whole);
    consumeSkb(whole, cpu);
  } else {
    ip.FragFails++;
    kfreeSkb(whole, SKB_DROP_REASON_NOT_SPECIFIED, cpu);
  }
  return rc;
}

/** To the neighbour; nobody need be asked where everybody is. @linux ip_finish_output2, arp_constructor */
function ipFinishOutput2(inet: Inet, hop: Nexthop, skb: SkBuff, cpu: Cpu): number {
  const { gateway, broadcast } = hop;
  const dev = hop.dev!;
  cpu.charge(OP_IP_OUTPUT);
  skb.networkHeader = skb.data;
  inet.mib.ip.OutTransmits++;
  if (broadcast && gateway === 0) {
    devHardHeader(skb, dev, ETH_P_IP, 0xffff, 0xffff_ffff);
    return devQueueXmit(skb, cpu);
  }
  const daddr = gateway === 0 ? ipv4Dst(inet.net.mem.view, skb.data) : gateway;
  const neigh = inet.arp.lookupOrCreate(dev, 0, 0, 0, daddr, cpu);
  if (neigh !== null) return inet.arp.output(neigh, skb, cpu);
  kfreeSkb(skb, SKB_DROP_REASON_NEIGH_CREATEFAIL, cpu);
  return -ENOBUFS;
}
