/**
 * The machine's own IP addresses, and who is reached through which device.
 *
 * Each device has at most one IPv4 and one global IPv6 address beside its link-local one; with an
 * address comes the route to its subnet. Other IPv4 routes are in the same table (`fib.ts`); of IPv6
 * there is a default route alone, which may lead through a gateway.
 *
 * @linux struct in_ifaddr, struct inet6_ifaddr; net/ipv4/devinet.c, fib_frontend.c, net/ipv6/addrconf.c
 */
import { EACCES, EHOSTUNREACH, EINVAL, ENETUNREACH } from '../host/errno.ts';
import {
  FibTable,
  RTN_BLACKHOLE,
  RTN_PROHIBIT,
  RTN_UNICAST,
  RTN_UNREACHABLE,
  prefixMask,
} from './fib.ts';
import { In6Addr, in6SamePrefix } from './in6.ts';
import type { NetDevice } from './netdevice.ts';
import { devMcAdd } from './netdevice.ts';

/** MAC of an IPv6 group: 33:33 and its last four bytes. @spec RFC 2464 §7 */
const IPV6_GROUP = 0x3333;
const ALL_NODES = 1;
const LOOPBACK_NET = 127;
const MULTICAST_NET = 0xe;
const LIMITED_BROADCAST = 0xffff_ffff;
/** Subnets of one or two addresses have no broadcast address. */
const SMALL_MASK = 0xffff_fffe;

export interface Ipv4Addr {
  readonly dev: NetDevice;
  readonly addr: number;
  /** Ones where the subnet's prefix is. */
  readonly mask: number;
  /** The subnet's broadcast address. */
  readonly broadcast: number;
}

export interface Ipv6Addr {
  readonly dev: NetDevice;
  readonly addr: In6Addr;
  /** 0 to 128. */
  readonly prefixLen: number;
  /** `ff02::1:ffXX:XXXX`, to which neighbours ask for this address. */
  readonly solicited: In6Addr;
}

/** A way out: the device, and whom on its link to send to; gateway 0 or null: the destination itself. */
export class Nexthop {
  dev: NetDevice | null = null;
  /** Own address to send from. */
  saddr = 0;
  readonly saddr6: In6Addr = new In6Addr();
  gateway = 0;
  /** A packet's sender could have reached it on his own link. */
  redirect = false;
  /** Everybody on its link is meant. */
  broadcast = false;
  readonly gateway6: In6Addr = new In6Addr();
  /** Of the route that leads there, 0 for the default one. */
  prefixLen6 = 0;
}

const isBroadcastOf = ({ broadcast, mask }: Ipv4Addr, addr: number): boolean =>
  addr === broadcast && mask >>> 0 < SMALL_MASK;

export class InetAddrs {
  readonly v4: Ipv4Addr[] = [];
  readonly v6: Ipv6Addr[] = [];
  readonly fib: FibTable = new FibTable();
  private gateway6: { readonly dev: NetDevice; readonly addr: In6Addr } | null = null;

  /** @param prefixLen 0 to 32. @linux inet_insert_ifa */
  addIpv4(dev: NetDevice, addr: number, prefixLen: number): void {
    const mask = prefixMask(prefixLen);
    this.v4.push({ dev, addr, mask, broadcast: (addr | ~mask) >>> 0 });
    const dst = (addr & mask) >>> 0;
    this.fib.insert({ type: RTN_UNICAST, dst, prefixLen, dev, gateway: 0 });
  }

  /** @param prefixLen 0 to 128. @linux ipv6_add_addr */
  addIpv6(dev: NetDevice, addr: In6Addr, prefixLen: number): void {
    const solicited = new In6Addr(0xff02_0000, 0, 1, (0xff00_0000 | (addr.w3 & 0xff_ffff)) >>> 0);
    this.v6.push({ dev, addr, prefixLen, solicited });
    devMcAdd(dev, { hi16: IPV6_GROUP, lo32: ALL_NODES });
    devMcAdd(dev, { hi16: IPV6_GROUP, lo32: solicited.w3 });
  }

  addGateway6(dev: NetDevice, addr: In6Addr): void {
    this.gateway6 ??= { dev, addr };
  }

  /** Is this one of our unicast addresses, on whatever device? @linux RTN_LOCAL */
  isLocal4(addr: number): boolean {
    for (let i = 0; i < this.v4.length; i++) if (this.v4[i]!.addr === addr) return true;
    return false;
  }

  /**
   * Own, of loopback, or of everybody on a link.
   *
   * @param via only what this device has
   * @linux RT_TABLE_LOCAL
   */
  inLocalTable4(addr: number, via: NetDevice | null = null): boolean {
    if (via === null && addr >>> 24 === LOOPBACK_NET) return true;
    for (let i = 0; i < this.v4.length; i++) {
      const own = this.v4[i]!;
      if (via !== null && own.dev !== via) continue;
      if (own.addr === addr || isBroadcastOf(own, addr)) return true;
    }
    return false;
  }

  /** Of one host, and not of this one. @linux inet_addr_type, RTN_UNICAST */
  isForeign4(addr: number): boolean {
    const nobody = addr === 0 || addr === LIMITED_BROADCAST || addr >>> 28 === MULTICAST_NET;
    return !nobody && !this.inLocalTable4(addr);
  }

  /** A subnet's broadcast address; its first one is like any other since Linux 5.14. @linux RTN_BROADCAST */
  isBroadcast4(addr: number): boolean {
    for (let i = 0; i < this.v4.length; i++) if (isBroadcastOf(this.v4[i]!, addr)) return true;
    return false;
  }

  local6(w0: number, w1: number, w2: number, w3: number): Ipv6Addr | null {
    for (let i = 0; i < this.v6.length; i++)
      if (this.v6[i]!.addr.equals(w0, w1, w2, w3)) return this.v6[i]!;
    return null;
  }

  /** Have we joined this group on `dev`: all nodes, or an own address's solicited-node group? @linux ipv6_chk_mcast_addr */
  joined6(dev: NetDevice, w0: number, w1: number, w2: number, w3: number): boolean {
    if (w0 === 0xff02_0000 && w1 === 0 && w2 === 0 && w3 === 1) return true;
    for (let i = 0; i < this.v6.length; i++) {
      const own = this.v6[i]!;
      if (own.dev === dev && own.solicited.equals(w0, w1, w2, w3)) return true;
    }
    return false;
  }

  /** The device's own address to speak from; 0 when it has none. @linux inet_select_addr */
  select4(dev: NetDevice): number {
    for (const own of this.v4) if (own.dev === dev) return own.addr;
    return 0;
  }

  /**
   * The way to `daddr`, as `hop` says afterwards.
   *
   * @returns 0 or a negative errno
   * @linux fib_lookup, fib_props
   */
  routeOut4(daddr: number, hop: Nexthop): number {
    const route = this.fib.lookup(daddr);
    if (route === null || route.type !== RTN_UNICAST) return noWay(route?.type ?? 0);
    hop.dev = route.dev!;
    hop.saddr = this.select4(hop.dev);
    hop.gateway = route.gateway;
    return 0;
  }

  /**
   * @param dev for link-local and multicast destinations, which exist on every link; null elsewhere
   * @linux fib6_lookup, ipv6_dev_get_saddr
   */
  routeOut6(daddr: In6Addr, dev: NetDevice | null, hop: Nexthop): boolean {
    hop.gateway6.set(0, 0, 0, 0);
    for (let i = 0; i < this.v6.length; i++) {
      const own = this.v6[i]!;
      if (dev !== null && own.dev !== dev) continue;
      if (!in6SamePrefix(own.addr, daddr, own.prefixLen) && daddr.w0 >>> 24 !== 0xff) continue;
      hop.dev = own.dev;
      hop.saddr6.copy(own.addr);
      hop.prefixLen6 = own.prefixLen;
      return true;
    }
    if (this.gateway6 === null || (dev !== null && dev !== this.gateway6.dev)) return false;
    hop.dev = this.gateway6.dev;
    hop.gateway6.copy(this.gateway6.addr);
    hop.prefixLen6 = 0;
    const own = this.v6.find((a) => a.dev === hop.dev && a.addr.w0 >>> 22 !== 0x3fa);
    if (own === undefined) return false;
    hop.saddr6.copy(own.addr);
    return true;
  }
}

/** What a route that leads nowhere says. */
function noWay(type: number): number {
  if (type === RTN_UNREACHABLE) return -EHOSTUNREACH;
  if (type === RTN_PROHIBIT) return -EACCES;
  return type === RTN_BLACKHOLE ? -EINVAL : -ENETUNREACH;
}
