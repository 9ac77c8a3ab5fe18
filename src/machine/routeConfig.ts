/**
 * Routes and permanent neighbours as a machine is given them, and which of them Linux refuses.
 *
 * A gateway has to be on a link: found by a NIC's own network or by a route without a gateway, the
 * longest prefix first. Routes through other gateways and those that lead nowhere are not looked
 * at when a gateway is sought (their scope is too wide), so that order matters as with
 * `ip route add`. There is no loopback device: a gateway of 127.0.0.0/8, which Linux takes, is refused.
 *
 * @linux inet_rtm_newroute, fib_check_nh_v4_gw, neigh_add; net/ipv4/fib_semantics.c, net/core/neighbour.c
 */
import { RTN_UNICAST, prefixMask } from '../stack/fib.ts';
import type { MacAddr } from '../wire/eth.ts';
import { formatIpv4 } from '../wire/ipv4.ts';

/** A route as `ip route add` takes it. */
export interface RouteConfig {
  /** `RTN_UNICAST`, or one that leads nowhere. */
  readonly type: number;
  readonly dst: number;
  readonly prefixLen: number;
  /** 0: none. */
  readonly gateway: number;
  /** The device's name; empty: the one on whose link the gateway is. */
  readonly dev: string;
}

/** A neighbour as `ip neigh add` takes it, permanent. */
export interface NeighConfig {
  readonly addr: number;
  readonly mac: MacAddr;
  readonly dev: string;
}

/** A NIC's name and IPv4 address. */
export interface Link {
  readonly name: string;
  readonly addr: number;
  /** 0 to 32. */
  readonly prefixLen: number;
}

export interface RouteWay {
  readonly route: RouteConfig;
  /** Number of the NIC; -1: nowhere. */
  readonly nic: number;
  /** 0: the destination is on the link. */
  readonly gateway: number;
  /** The gateway that was given and is this NIC's own address; 0: none such. */
  readonly ownGateway: number;
}

/** Which of several is wrong, and why, with the kernel's words for it. */
export interface WrongEntry {
  readonly index: number;
  readonly why: string;
}

/** A route or a neighbour that Linux would refuse. */
export class RouteRefused extends Error {
  constructor(what: string, { index, why }: WrongEntry) {
    super(`${what}[${index}]: ${why}`);
    this.name = 'RouteRefused';
  }
}

/** Where each route leads, up to the first that is wrong. */
export function planRoutes(
  routes: readonly RouteConfig[],
  links: readonly Link[],
): { readonly ways: readonly RouteWay[]; readonly wrong: WrongEntry | null } {
  const ways: RouteWay[] = [];
  for (const [index, route] of routes.entries()) {
    const way = existing(route, ways, links) ?? wayOf(route, ways, links);
    if (typeof way === 'string')
      return { ways, wrong: { index, why: `${routeText(route)}: ${way}` } };
    ways.push(way);
  }
  return { ways, wrong: null };
}

/** The first neighbour that is wrong; null when none is. */
export function wrongNeigh(
  neighbours: readonly NeighConfig[],
  links: readonly Link[],
): WrongEntry | null {
  const seen = new Map<string, number>();
  for (const [index, { addr, dev }] of neighbours.entries()) {
    const text = `${formatIpv4(addr)} dev ${dev}`;
    if (nicNamed(dev, links) < 0) return { index, why: `${text}: ${noDevice(dev, links)}` };
    const earlier = seen.get(text);
    if (earlier !== undefined)
      return { index, why: `${text}: neigh[${earlier}] is the same neighbour (File exists)` };
    seen.set(text, index);
  }
  return null;
}

/** @returns what leads to the same network already */
function existing(
  { dst, prefixLen }: RouteConfig,
  ways: readonly RouteWay[],
  links: readonly Link[],
): string | null {
  const twin = ways.findIndex(({ route: r }) => r.dst === dst && r.prefixLen === prefixLen);
  if (twin >= 0) return `route[${twin}] is to the same network (File exists)`;
  const own = links.find((link) => link.prefixLen === prefixLen && networkOf(link) === dst);
  return own === undefined ? null : `is ${own.name}'s own network (File exists)`;
}

/** @returns why there is none */
function wayOf(
  route: RouteConfig,
  ways: readonly RouteWay[],
  links: readonly Link[],
): RouteWay | string {
  const { type, gateway, dev } = route;
  const nowhere: RouteWay = { route, nic: -1, gateway: 0, ownGateway: 0 };
  if (type !== RTN_UNICAST) return nowhere;
  const named = nicNamed(dev, links);
  if (dev !== '' && named < 0) return noDevice(dev, links);
  if (gateway === 0 && named < 0)
    return 'needs dev, or a gateway other than 0.0.0.0 (No such device)';
  if (gateway === 0) return { ...nowhere, nic: named };

  const own = links.findIndex(({ addr }, i) => addr === gateway && (named < 0 || i === named));
  if (own >= 0) return { ...nowhere, nic: own, ownGateway: gateway };
  const nic = onLink(gateway, named, ways, links);
  if (nic < 0) return `${onNoLink(named, links)} (Nexthop has invalid gateway)`;
  if (gateway >>> 28 >= 0xe || links.some((link) => gateway === broadcastOf(link)))
    return 'the gateway is a broadcast or multicast address (Nexthop has invalid gateway)';
  return { ...nowhere, nic, gateway };
}

/** @returns number of the NIC on whose link `addr` is by the longest prefix, -1 when on none */
function onLink(
  addr: number,
  named: number,
  ways: readonly RouteWay[],
  links: readonly Link[],
): number {
  const routed = ways.filter(({ gateway, ownGateway }) => gateway === 0 && ownGateway === 0);
  const networks = [
    ...links.map((link, nic) => ({ nic, dst: networkOf(link), prefixLen: link.prefixLen })),
    ...routed.map(({ nic, route: { dst, prefixLen } }) => ({ nic, dst, prefixLen })),
  ];
  let best = { nic: -1, prefixLen: -1 };
  for (const { nic, dst, prefixLen } of networks) {
    if (nic < 0 || (named >= 0 && nic !== named) || prefixLen <= best.prefixLen) continue;
    if ((addr & prefixMask(prefixLen)) >>> 0 === dst) best = { nic, prefixLen };
  }
  return best.nic;
}

const onNoLink = (named: number, links: readonly Link[]): string =>
  named < 0
    ? `the gateway is on the link of none of ${links.map(({ name }) => name).join(', ')}`
    : `the gateway is not on ${links[named]!.name}'s link`;

const networkOf = ({ addr, prefixLen }: Link): number => (addr & prefixMask(prefixLen)) >>> 0;

/** @returns -1 for a subnet of one or two addresses, which has none */
const broadcastOf = ({ addr, prefixLen }: Link): number =>
  prefixLen >= 31 ? -1 : (addr | ~prefixMask(prefixLen)) >>> 0;

const nicNamed = (dev: string, links: readonly Link[]): number =>
  links.findIndex(({ name }) => name === dev);

const noDevice = (dev: string, links: readonly Link[]): string =>
  `${dev} is not one of ${links.map(({ name }) => name).join(', ')}`;

function routeText({ dst, prefixLen, gateway, dev }: RouteConfig): string {
  const via = gateway === 0 ? '' : ` via ${formatIpv4(gateway)}`;
  return `${formatIpv4(dst)}/${prefixLen}${via}${dev === '' ? '' : ` dev ${dev}`}`;
}
