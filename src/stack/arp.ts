/**
 * ARP: answers who asks for us, and asks for whom we do not know.
 *
 * @spec RFC 826
 * @linux net/ipv4/arp.c
 */
import type { Ps } from '../host/clock.ts';
import { PS_PER_SEC } from '../host/clock.ts';
import { OP_ARP_RCV } from '../host/cost.ts';
import type { Cpu } from '../host/cpu.ts';
import {
  SKB_DROP_REASON_NOT_SPECIFIED,
  SKB_DROP_REASON_PKT_TOO_SMALL,
  SKB_NOT_DROPPED_YET,
} from '../host/dropReason.ts';
import {
  ARPOP_REPLY,
  ARPOP_REQUEST,
  ARP_LEN,
  arpOp,
  arpSenderIp,
  arpSenderMacHi16,
  arpSenderMacLo32,
  arpTargetIp,
  arpTargetMacHi16,
  arpTargetMacLo32,
  setArpOp,
  setArpSender,
  setArpTarget,
} from '../wire/arp.ts';
import type { HostAddr } from '../host/memory.ts';
import { fibValidateSource } from './fibValidateSource.ts';
import type { Inet } from './inet.ts';
import { ipv4IsLoopback } from './ipInput.ts';
import type { Neigh } from './neighbour.ts';
import { NEIGH_UPDATE_F_OVERRIDE, NUD_REACHABLE, NUD_STALE, devHardHeader } from './neighbour.ts';
import type { NetDevice } from './netdevice.ts';
import type { SkBuff } from './skbuff.ts';
import { PACKET_HOST, PACKET_OTHERHOST, skbPut } from './skbuff.ts';
import { allocSkb, consumeSkb, kfreeSkb } from './skbPool.ts';
import { pskbMayPull } from './skbPull.ts';
import { devQueueXmit } from './xmit.ts';

const ETH_P_ARP = 0x0806;
/** @linux LOCKTIME of arp_tbl */
const LOCKTIME: Ps = PS_PER_SEC;
/** Hardware types an Ethernet device listens to. @linux include/uapi/linux/if_arp.h */
const ARPHRD_ETHER = 1;
const ARPHRD_IEEE802 = 6;
/** Protocol type, and the lengths of both addresses. */
const IPV4_SIX_AND_FOUR = 0x0800_0604;

/** Takes a packet whose `data` is its ARP header. @linux arp_rcv */
export function arpRcv(skb: SkBuff, inet: Inet, cpu: Cpu): void {
  cpu.charge(OP_ARP_RCV);
  if (skb.pktType === PACKET_OTHERHOST) {
    consumeSkb(skb, cpu);
    return;
  }
  if (!pskbMayPull(skb, ARP_LEN, cpu)) {
    kfreeSkb(skb, SKB_DROP_REASON_PKT_TOO_SMALL, cpu);
    return;
  }
  if (!arpProcess(skb, inet, cpu)) {
    kfreeSkb(skb, SKB_DROP_REASON_NOT_SPECIFIED, cpu);
    return;
  }
  consumeSkb(skb, cpu);
}

/** @returns false when it is no ARP we understand. @linux arp_process */
function arpProcess(skb: SkBuff, inet: Inet, cpu: Cpu): boolean {
  const { view } = inet.net.mem;
  const { data: at, dev } = skb;
  const hardware = view.getUint16(at);
  if (hardware !== ARPHRD_ETHER && hardware !== ARPHRD_IEEE802) return false;
  if (view.getUint32(at + 2) !== IPV4_SIX_AND_FOUR) return false;
  const op = arpOp(view, at);
  if (op !== ARPOP_REPLY && op !== ARPOP_REQUEST) return false;
  const sip = arpSenderIp(view, at);
  const tip = arpTargetIp(view, at);
  if (tip >>> 28 === 0xe || tip >>> 24 === 127) return false;
  const hi16 = arpSenderMacHi16(view, at);
  const lo32 = arpSenderMacLo32(view, at);

  if (op === ARPOP_REQUEST && inet.addrs.isLocal4(tip)) {
    if (sip === 0) {
      arpSend(dev, ARPOP_REPLY, tip, hi16, lo32, 0, cpu); // somebody looks for duplicates
      return true;
    }
    if (mayAsk(skb, inet, sip, cpu)) {
      const neigh = inet.arp.lookupOrCreate(dev, 0, 0, 0, sip, cpu);
      if (neigh !== null) {
        inet.arp.update(neigh, hi16, lo32, NUD_STALE, NEIGH_UPDATE_F_OVERRIDE, cpu);
        arpSend(dev, ARPOP_REPLY, tip, hi16, lo32, sip, cpu);
      }
      return true;
    }
  }
  // hearsay updates who is known, and creates nobody
  const neigh = inet.arp.lookup(dev, 0, 0, 0, sip);
  if (neigh !== null) {
    const sure = op === ARPOP_REPLY && skb.pktType === PACKET_HOST;
    // of several answers in a row the first counts; who announces himself is believed at once
    const late = cpu.now - neigh.updated > LOCKTIME || isGarp(view, at, op);
    const flags = late ? NEIGH_UPDATE_F_OVERRIDE : 0;
    inet.arp.update(neigh, hi16, lo32, sure ? NUD_REACHABLE : NUD_STALE, flags, cpu);
  }
  return true;
}

/** Can the question have come from where it says? No counter tells when not. @linux ip_route_input_noref in arp_process */
const mayAsk = (skb: SkBuff, inet: Inet, sip: number, cpu: Cpu): boolean =>
  sip >>> 28 !== 0xe &&
  sip !== 0xffff_ffff &&
  !ipv4IsLoopback(sip) &&
  fibValidateSource(skb, inet, sip, null, cpu) === SKB_NOT_DROPPED_YET;

/** Somebody says, unasked, where he is: an answer must name him as its target too. @linux arp_is_garp */
const isGarp = (view: DataView, at: HostAddr, op: number): boolean =>
  arpSenderIp(view, at) === arpTargetIp(view, at) &&
  (op === ARPOP_REQUEST ||
    (arpSenderMacHi16(view, at) === arpTargetMacHi16(view, at) &&
      arpSenderMacLo32(view, at) === arpTargetMacLo32(view, at)));

/** Ask who has `neigh`'s address; everybody, or the one who had it. @linux arp_solicit */
export function arpSolicit(neigh: Neigh, unicast: boolean, inet: Inet, cpu: Cpu): void {
  const saddr = inet.addrs.select4(neigh.dev);
  const skb = arpCreate(neigh.dev, ARPOP_REQUEST, saddr, 0, 0, neigh.addr.w3, cpu);
  if (skb === null) return;
  if (unicast) devHardHeader(skb, neigh.dev, ETH_P_ARP, neigh.haHi16, neigh.haLo32);
  else devHardHeader(skb, neigh.dev, ETH_P_ARP, 0xffff, 0xffff_ffff);
  devQueueXmit(skb, cpu);
}

/** @linux arp_send_dst */
function arpSend(
  dev: NetDevice,
  op: number,
  sip: number,
  hi16: number,
  lo32: number,
  tip: number,
  cpu: Cpu,
): void {
  const skb = arpCreate(dev, op, sip, hi16, lo32, tip, cpu);
  if (skb === null) return;
  devHardHeader(skb, dev, ETH_P_ARP, hi16, lo32);
  devQueueXmit(skb, cpu);
}

/** The packet without its Ethernet header; null when there is no memory. @linux arp_create */
function arpCreate(
  dev: NetDevice,
  op: number,
  sip: number,
  hi16: number,
  lo32: number,
  tip: number,
  cpu: Cpu,
): SkBuff | null {
  const skb = allocSkb(dev, ARP_LEN, cpu);
  if (skb === null) return null;
  const { view } = dev.net.mem;
  const at = skbPut(skb, ARP_LEN);
  setArpOp(view, at, op);
  setArpSender(view, at, dev.devAddr.hi16, dev.devAddr.lo32, sip);
  setArpTarget(view, at, hi16, lo32, tip);
  return skb;
}
