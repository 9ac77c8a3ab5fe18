/**
 * The options of a received IPv4 header: are they well formed, and do they ask for what is refused?
 * What a packet records on its way is written when it is forwarded.
 *
 * Linux writes what concerns itself when it receives a packet already, so that an error quotes it
 * written; here an error quotes the packet as it came. Replies and errors have no options: they
 * record nothing, and do not go back by the way of a source route.
 *
 * @linux ip_options_compile, ip_options_fragment, ip_forward_options; net/ipv4/ip_options.c
 */
import type { Ps } from '../host/clock.ts';
import { PS_PER_MS } from '../host/clock.ts';
import { updateIpv4Check } from '../wire/ipv4.ts';
import type { InetAddrs } from './inetAddrs.ts';

const HLEN_MIN = 20;
/** @linux include/uapi/linux/ip.h */
const IPOPT_END = 0;
const IPOPT_NOOP = 1;
const IPOPT_RR = 7;
const IPOPT_TIMESTAMP = 68;
const IPOPT_SEC = 130;
const IPOPT_CIPSO = 134;
const IPOPT_LSRR = 131;
const IPOPT_SSRR = 137;
const IPOPT_RA = 148;
/** An option with it is for every fragment. @linux IPOPT_COPIED */
const COPIED = 0x80;
/** What a timestamp option wants, in the low half of its fourth byte; the high half counts who found no room. */
const IPOPT_TS_TSONLY = 0;
const IPOPT_TS_TSANDADDR = 1;
const IPOPT_TS_PRESPEC = 3;
const OVERFLOW_MAX = 15;
const MS_PER_DAY = 86_400_000;
/** Options that have been there, of those that may be there once. */
const SEEN_SOURCE_ROUTE = 1;
const SEEN_RECORD_ROUTE = 2;
const SEEN_TIMESTAMP = 4;
/** Least length of an option, and where its pointer byte may point at the earliest. */
const RR_MIN_LEN = 3;
const RR_MIN_PTR = 4;
const TS_MIN_LEN = 4;
const TS_MIN_PTR = 5;
const CIPSO_MIN_LEN = 8;
/** Where in the option its domain of interpretation is. */
const CIPSO_DOI = 2;

/** Milliseconds since the machine's midnight, which is the start of its time. @linux inet_current_timestamp */
export const inetCurrentTimestamp = (now: Ps): number => Math.floor(now / PS_PER_MS) % MS_PER_DAY;

export const OPTIONS_OK = 0;
/** They ask for a source route, which nobody accepts by default. */
export const OPTIONS_SOURCE_ROUTE = -1;

/**
 * @param at address of the first option, `len` bytes to the end of the header
 * @returns `OPTIONS_OK`, `OPTIONS_SOURCE_ROUTE`, or how far from `at`, plus 1, the offending byte lies
 * @linux ip_options_compile
 */
export function ipOptionsCompile(view: DataView, at: number, len: number): number {
  let seen = 0;
  for (let i = 0; i < len;) {
    const type = view.getUint8(at + i);
    if (type === IPOPT_END) break;
    if (type === IPOPT_NOOP) {
      i++;
      continue;
    }
    if (len - i < 2) return i + 1;
    const optLen = view.getUint8(at + i + 1);
    if (optLen < 2 || optLen > len - i) return i + 1;
    const wrong = badOption(view, at + i, type, optLen, seen);
    if (wrong >= 0) return i + wrong + 1;
    seen |= onceOnly(type);
    i += optLen;
  }
  return (seen & SEEN_SOURCE_ROUTE) === 0 ? OPTIONS_OK : OPTIONS_SOURCE_ROUTE;
}

/** The bit of an option that a header has once at most; 0 for others. */
function onceOnly(type: number): number {
  if (type === IPOPT_SSRR || type === IPOPT_LSRR) return SEEN_SOURCE_ROUTE;
  if (type === IPOPT_RR) return SEEN_RECORD_ROUTE;
  return type === IPOPT_TIMESTAMP ? SEEN_TIMESTAMP : 0;
}

/** Where in the option at `at` its fault lies; -1: it has none. */
function badOption(view: DataView, at: number, type: number, len: number, seen: number): number {
  const again = (seen & onceOnly(type)) !== 0;
  switch (type) {
    case IPOPT_SSRR:
    case IPOPT_LSRR: {
      const wrong = badPointer(view, at, len, RR_MIN_LEN, RR_MIN_PTR, 0);
      return wrong < 0 && again ? 0 : wrong;
    }
    case IPOPT_RR:
      return again ? 0 : badPointer(view, at, len, RR_MIN_LEN, RR_MIN_PTR, 3);
    case IPOPT_TIMESTAMP:
      return again ? 0 : badTimestamp(view, at, len);
    case IPOPT_RA:
      return len < 4 ? 1 : -1;
    case IPOPT_CIPSO:
      return len < CIPSO_MIN_LEN ? 1 : CIPSO_DOI; // no domain is configured, as in a kernel with NetLabel
    case IPOPT_SEC:
    default:
      return -1;
  }
}

/** With an address it needs more room; a full one that cannot say so once more is wrong as well. */
function badTimestamp(view: DataView, at: number, len: number): number {
  const wrong = badPointer(view, at, len, TS_MIN_LEN, TS_MIN_PTR, 3);
  if (wrong >= 0) return wrong;
  const ptr = view.getUint8(at + 2);
  const flags = view.getUint8(at + 3);
  const wants = flags & 0xf;
  if (ptr > len) return wants !== IPOPT_TS_PRESPEC && flags >> 4 === OVERFLOW_MAX ? 3 : -1;
  if (wants === IPOPT_TS_TSONLY) return -1;
  if (wants !== IPOPT_TS_TSANDADDR && wants !== IPOPT_TS_PRESPEC) return -1; // nobody's concern
  return ptr + 7 > len ? 2 : -1;
}

/** A pointer may stand behind the option: then it is full. Inside, `need` more bytes must fit. */
function badPointer(
  view: DataView,
  at: number,
  len: number,
  minLen: number,
  minPtr: number,
  need: number,
): number {
  if (len < minLen) return 1;
  const ptr = view.getUint8(at + 2);
  if (ptr < minPtr) return 2;
  return ptr <= len && ptr + need > len ? 2 : -1;
}

/** Options that are for the first fragment alone become no-operations. @linux ip_options_fragment */
export function ipOptionsFragment(view: DataView, at: number, len: number): void {
  for (let i = 0; i < len;) {
    const type = view.getUint8(at + i);
    if (type === IPOPT_END) return;
    const optLen = type === IPOPT_NOOP ? 1 : view.getUint8(at + i + 1);
    if ((type & COPIED) === 0)
      for (let k = 0; k < optLen; k++) view.setUint8(at + i + k, IPOPT_NOOP);
    i += optLen;
  }
}

/**
 * Write into the options of a packet that is forwarded what they ask for: to record its route the
 * address it leaves from; beside a time the address that its sender reaches this machine at.
 *
 * @param ip address of its header, whose options have been found well formed
 * @param len bytes of options
 * @param leaves address of the device it leaves by
 * @param reached the machine's address towards its sender
 * @param ms the time of day
 * @linux ip_forward_options, ip_rt_get_source, __ip_options_compile, fib_compute_spec_dst
 */
export function ipOptionsRecord(
  view: DataView,
  ip: number,
  len: number,
  addrs: InetAddrs,
  leaves: number,
  reached: number,
  ms: number,
): void {
  const first = ip + HLEN_MIN;
  let changed = false;
  for (let i = 0; i < len;) {
    const type = view.getUint8(first + i);
    if (type === IPOPT_END) {
      changed = clearBehind(view, first + i, len - i) || changed;
      break;
    }
    const optLen = type === IPOPT_NOOP ? 1 : view.getUint8(first + i + 1);
    if (type === IPOPT_RR) changed = recordRoute(view, first + i, optLen, leaves) || changed;
    if (type === IPOPT_TIMESTAMP)
      changed = recordTime(view, first + i, optLen, addrs, reached, ms) || changed;
    i += optLen;
  }
  if (changed) updateIpv4Check(view, ip);
}

/** Behind the last option there is nothing. @returns whether there was something */
function clearBehind(view: DataView, at: number, len: number): boolean {
  let cleared = false;
  for (let i = 0; i < len; i++) {
    if (view.getUint8(at + i) === IPOPT_END) continue;
    view.setUint8(at + i, IPOPT_END);
    cleared = true;
  }
  return cleared;
}

/** @returns false when it is full. */
function recordRoute(view: DataView, at: number, len: number, from: number): boolean {
  const ptr = view.getUint8(at + 2);
  if (ptr > len) return false;
  view.setUint32(at + ptr - 1, from);
  view.setUint8(at + 2, ptr + 4);
  return true;
}

/** @returns false when it asks for another's time, or is full and says so already. */
function recordTime(
  view: DataView,
  at: number,
  len: number,
  addrs: InetAddrs,
  from: number,
  ms: number,
): boolean {
  const ptr = view.getUint8(at + 2);
  const flags = view.getUint8(at + 3);
  const wants = flags & 0xf;
  if (ptr > len) {
    if (wants === IPOPT_TS_PRESPEC) return false;
    view.setUint8(at + 3, flags + 0x10);
    return true;
  }
  if (wants !== IPOPT_TS_TSONLY && wants !== IPOPT_TS_TSANDADDR && wants !== IPOPT_TS_PRESPEC)
    return false;
  let timeAt = ptr - 1;
  if (wants === IPOPT_TS_TSANDADDR) view.setUint32(at + ptr - 1, from);
  if (wants !== IPOPT_TS_TSONLY) timeAt += 4;
  if (wants === IPOPT_TS_PRESPEC && addrs.isForeign4(view.getUint32(at + ptr - 1))) return false;
  view.setUint32(at + timeAt, ms);
  view.setUint8(at + 2, ptr + (wants === IPOPT_TS_TSONLY ? 4 : 8));
  return true;
}
