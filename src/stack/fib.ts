/**
 * The IPv4 routing table: which way packets for an address go, the longest prefix first.
 *
 * The networks of the devices' addresses and the routes that were added; a machine's own and
 * broadcast addresses are `inetAddrs.ts`'s. There is one table and no rule, so that `throw` means
 * that there is no route. Two routes to one network do not exist: there are no metrics.
 *
 * @linux struct fib_table, struct fib_info; net/ipv4/fib_trie.c, fib_semantics.c
 */
import type { NetDevice } from './netdevice.ts';

/** What a route, or an address, is. @linux RTN_*; include/uapi/linux/rtnetlink.h */
export const RTN_UNICAST = 1;
export const RTN_LOCAL = 2;
export const RTN_BROADCAST = 3;
export const RTN_MULTICAST = 5;
export const RTN_BLACKHOLE = 6;
export const RTN_UNREACHABLE = 7;
export const RTN_PROHIBIT = 8;
export const RTN_THROW = 9;

/** Longest prefix. */
const BITS = 32;

export interface FibRoute {
  /** `RTN_UNICAST`, or one that leads nowhere. */
  readonly type: number;
  readonly dst: number;
  /** 0 to 32. */
  readonly prefixLen: number;
  /** Where it leads; null when nowhere. */
  readonly dev: NetDevice | null;
  /** 0: the destination is on the device's own link. */
  readonly gateway: number;
  /**
   * The gateway it was given, when that is the machine's own address, or 0: packets go to the link
   * as without one, and only `bpf_fib_lookup` tells of it.
   */
  readonly ownGateway?: number;
}

/** @param prefixLen 0 to 32. @linux inet_make_mask */
export const prefixMask = (prefixLen: number): number =>
  prefixLen === 0 ? 0 : (-1 << (BITS - prefixLen)) >>> 0;

export class FibTable {
  /** By length of their prefixes, then by network. */
  private readonly byLength: Map<number, FibRoute>[] = Array.from(
    { length: BITS + 1 },
    () => new Map(),
  );
  /** Lengths in use, longest first. */
  private lengths: number[] = [];

  /** @returns false when there is a route to this network already. @linux fib_table_insert */
  insert(route: FibRoute): boolean {
    const routes = this.byLength[route.prefixLen]!;
    if (routes.has(route.dst)) return false;
    routes.set(route.dst, route);
    if (routes.size === 1)
      this.lengths = [...this.lengths, route.prefixLen].toSorted((a, b) => b - a);
    return true;
  }

  /**
   * @param via the device it has to lead through, if it leads anywhere; null: any
   * @returns null when no prefix matches
   * @linux fib_table_lookup, fib_lookup_good_nhc
   */
  lookup(addr: number, via: NetDevice | null = null): FibRoute | null {
    const { lengths } = this;
    for (let i = 0; i < lengths.length; i++) {
      const len = lengths[i]!;
      const route = this.byLength[len]!.get((addr & prefixMask(len)) >>> 0);
      if (route === undefined) continue;
      if (via === null || route.dev === null || route.dev === via) return route;
    }
    return null;
  }
}
