/**
 * Can a packet have come from where it says? Nobody else sends as this machine, and by reverse path
 * filtering the way back to the sender leads out of the device that the packet came in by.
 *
 * Who looks the way back up pays for it: with filtering, and for packets that leave by the device
 * they came in by, whose sender may have to be told of a shorter way. Every device has an address
 * here; `accept_local` is off.
 *
 * @linux fib_validate_source, __fib_validate_source; net/ipv4/fib_frontend.c
 */
import { OP_FIB_LOOKUP } from '../host/cost.ts';
import type { Cpu } from '../host/cpu.ts';
import {
  SKB_DROP_REASON_IP_INVALID_SOURCE,
  SKB_DROP_REASON_IP_LOCAL_SOURCE,
  SKB_DROP_REASON_IP_RPFILTER,
  SKB_NOT_DROPPED_YET,
} from '../host/dropReason.ts';
import { RTN_UNICAST } from './fib.ts';
import type { Inet } from './inet.ts';
import type { NetDevice } from './netdevice.ts';
import type { SkBuff } from './skbuff.ts';

/** @linux sysctl net.ipv4.conf.all.rp_filter; RFC 3704 */
export const RP_FILTER_OFF = 0;
/** The best way back leads out of the device that the packet came in by; with 2, loose, any way back will do. */
const RP_FILTER_STRICT = 1;

export type RpFilter = 'off' | 'strict' | 'loose';
/** By value of the sysctl. */
export const RP_FILTERS: readonly RpFilter[] = ['off', 'strict', 'loose'];

/** An own address as well, though there is no loopback device here. */
const LOCALHOST = 0x7f00_0001;
const LOOPBACK_NET = 127;
const LOOPBACK_BROADCAST = 0x7fff_ffff;

/**
 * Sets `inet.onward.redirect`: the sender is on the link that the packet leaves by, and could have
 * sent it there himself.
 *
 * @param out the device that the packet leaves by; null: it is for this machine
 * @returns `SKB_NOT_DROPPED_YET`, or why the source cannot be
 */
export function fibValidateSource(
  skb: SkBuff,
  inet: Inet,
  saddr: number,
  out: NetDevice | null,
  cpu: Cpu,
): number {
  const { addrs, onward, rpFilter } = inet;
  onward.redirect = false;
  if (rpFilter !== RP_FILTER_OFF || out === skb.dev)
    return lookBack(skb, inet, saddr, out === skb.dev, cpu);
  const own = saddr === LOCALHOST || addrs.isLocal4(saddr);
  return own ? SKB_DROP_REASON_IP_LOCAL_SOURCE : SKB_NOT_DROPPED_YET;
}

/** @param sameWay it leaves by the device that it came in by */
function lookBack(skb: SkBuff, inet: Inet, saddr: number, sameWay: boolean, cpu: Cpu): number {
  const { addrs, onward, rpFilter } = inet;
  cpu.charge(OP_FIB_LOOKUP);
  if (saddr === LOOPBACK_BROADCAST || addrs.isBroadcast4(saddr))
    return SKB_DROP_REASON_IP_INVALID_SOURCE;
  if (saddr >>> 24 === LOOPBACK_NET || addrs.isLocal4(saddr))
    return SKB_DROP_REASON_IP_LOCAL_SOURCE;
  const back = addrs.fib.lookup(saddr);
  if (back === null || back.type !== RTN_UNICAST)
    return rpFilter === RP_FILTER_OFF ? SKB_NOT_DROPPED_YET : SKB_DROP_REASON_IP_RPFILTER;
  if (back.dev === skb.dev) {
    onward.redirect = sameWay && back.gateway === 0;
    return SKB_NOT_DROPPED_YET;
  }
  if (rpFilter === RP_FILTER_STRICT) return SKB_DROP_REASON_IP_RPFILTER;
  cpu.charge(OP_FIB_LOOKUP);
  const near = addrs.fib.lookup(saddr, skb.dev);
  onward.redirect = sameWay && near !== null && near.type === RTN_UNICAST && near.gateway === 0;
  return SKB_NOT_DROPPED_YET;
}
