/**
 * How a machine is reached by IP, and who listens on it.
 *
 * Unless told otherwise NIC i has 10.0.i.1/24 and fd00:i::1/64, beside the link-local address that
 * follows from its MAC, none of them in the networks that generated traffic comes from (10.1.0.0,
 * fd00:0:0:1::); the default route leads out of the first NIC through 10.0.0.254 and
 * fd00::fe, whose MAC 02:00:00:00:00:fe is known from the start: it is the generator's, so replies
 * to generated traffic need no ARP. On the links of the other NICs 10.0.i.254 is as well known, so
 * that routes may lead there.
 */
import { BUSY_POLL_BUDGET } from '../stack/busyPoll.ts';
import { RTN_UNICAST } from '../stack/fib.ts';
import type { RpFilter } from '../stack/fibValidateSource.ts';
import { RP_FILTERS } from '../stack/fibValidateSource.ts';
import type { Net } from '../stack/net.ts';
import { In6Addr } from '../stack/in6.ts';
import type { Inet } from '../stack/inet.ts';
import { inetInit } from '../stack/inet.ts';
import { IPV6_MIN_MTU } from '../stack/ipv6Input.ts';
import type { NetDevice } from '../stack/netdevice.ts';
import { RMEM_DEFAULT } from '../stack/udpSock.ts';
import type { MacAddr } from '../wire/eth.ts';
import { formatIpv4 } from '../wire/ipv4.ts';
import { formatIpv6 } from '../wire/ipv6Text.ts';
import type { NeighConfig, RouteConfig } from './routeConfig.ts';
import { RouteRefused, planRoutes, wrongNeigh } from './routeConfig.ts';
import type { Datagram } from './udpApp.ts';

export type AppKind = 'sink' | 'echo' | 'server' | 'memcached' | 'capture' | 'callback';

export interface UdpPeer {
  readonly version: 4 | 6;
  /** Four words; an IPv4 address is the last. */
  readonly addr: readonly [number, number, number, number];
  readonly port: number;
}

/** As `connect` takes it: `10.0.0.9:4000`, `[fd00::9]:4000`. */
export function peerText({ version, addr, port }: UdpPeer): string {
  if (version === 4) return `${formatIpv4(addr[3])}:${port}`;
  const view = new DataView(new ArrayBuffer(16));
  addr.forEach((word, i) => view.setUint32(4 * i, word));
  return `[${formatIpv6(view, 0)}]:${port}`;
}

/** One application on one UDP port. */
export interface AppConfig {
  readonly kind: AppKind;
  /** UDP port. */
  readonly udp: number;
  readonly cpu: number;
  /** Where its threads may wake, the first of them on the first; none: they are bound to `cpu`. */
  readonly cpus: readonly number[];
  /** Each with a socket of its own, for the RX queues that are its number modulo their number. */
  readonly threads: number;
  /** Bytes of `truesize` its socket may hold, as `ss -m` shows it (rb): twice an SO_RCVBUF. */
  readonly rcvbuf: number;
  /** Datagrams of one system call. */
  readonly batch: number;
  /** Waits in `epoll_wait`, and polls for so long before it sleeps; 0: it blocks in `recvmmsg`. */
  readonly busyPollUsecs: number;
  readonly busyPollBudget: number;
  readonly preferBusyPoll: boolean;
  /** Length of a server's replies; of memcached's, what stands around the value. */
  readonly replyBytes: number;
  /** Datagrams that a capture keeps. */
  readonly keep: number;
  /** Its socket is connected: it hears this peer alone, and of ICMP errors about what it sent there. */
  readonly connect?: UdpPeer | undefined;
  /** What a callback does with each datagram. */
  readonly onDatagram?: ((datagram: Datagram) => void) | undefined;
  /** Called after each system call that read something. */
  readonly onBatchEnd?: (() => void) | undefined;
  /** Called with the error number when a read returns one, ECONNREFUSED for one. */
  readonly onError?: ((errno: number) => void) | undefined;
}

export const APP_DEFAULTS: Omit<AppConfig, 'kind' | 'udp'> = {
  cpu: 0,
  cpus: [],
  threads: 1,
  rcvbuf: RMEM_DEFAULT,
  batch: 32,
  busyPollUsecs: 0,
  busyPollBudget: BUSY_POLL_BUDGET,
  preferBusyPoll: false,
  replyBytes: 64,
  keep: 1000,
};

/** Of its buffer, one half receives and one sends: the longest datagram fits either. */
export const APP_BUFFER_BYTES = 131_072;

export interface NicAddresses {
  readonly addr: number;
  readonly prefixLen: number;
  /** Four words. */
  readonly addr6: readonly [number, number, number, number];
  readonly prefixLen6: number;
}

export interface InetConfig {
  readonly apps: readonly AppConfig[];
  /** By NIC; those left out have the default addresses. */
  readonly addresses?: readonly (NicAddresses | undefined)[];
  /** `net.ipv4.ip_forward` */
  readonly ipForward?: boolean;
  /** `net.ipv4.conf.all.rp_filter`; off unless set. */
  readonly rpFilter?: RpFilter | undefined;
  readonly routes?: readonly RouteConfig[];
  readonly neighbours?: readonly NeighConfig[];
}

/** Host part of the gateway on each link, 254 in the last octet. */
const gatewayOf = (nic: number): number => 0x0a00_00fe + (nic << 8);
const GATEWAY6 = new In6Addr(0xfd00_0000, 0, 0, 0xfe);
const GATEWAY_MAC: MacAddr = { hi16: 0x0200, lo32: 0xfe };
/** @linux addrconf_ifid_eui48 */
const linkLocal = ({ hi16, lo32 }: MacAddr): In6Addr =>
  new In6Addr(
    0xfe80_0000,
    0,
    (((hi16 ^ 0x0200) << 16) | ((lo32 >>> 16) & 0xff00) | 0xff) >>> 0,
    (0xfe00_0000 | (lo32 & 0xff_ffff)) >>> 0,
  );

/** What NIC number `nic` has unless told otherwise. */
export const defaultAddresses = (nic: number): NicAddresses => ({
  addr: 0x0a00_0001 + (nic << 8),
  prefixLen: 24,
  addr6: [0xfd00_0000 + nic, 0, 0, 1],
  prefixLen6: 64,
});

/** The IP protocols of a machine with these devices, in the order of its NICs. */
export function buildInet(net: Net, devices: readonly NetDevice[], config: InetConfig): Inet {
  const inet = inetInit(net);
  devices.forEach((dev, i) => {
    const own = config.addresses?.[i] ?? defaultAddresses(i);
    inet.addrs.addIpv4(dev, own.addr, own.prefixLen);
    if (dev.mtu < IPV6_MIN_MTU) return;
    inet.addrs.addIpv6(dev, new In6Addr(...own.addr6), own.prefixLen6);
    inet.addrs.addIpv6(dev, linkLocal(dev.devAddr), 64);
  });
  inet.ipForward = config.ipForward === true;
  inet.rpFilter = RP_FILTERS.indexOf(config.rpFilter ?? 'off');
  const [cpu] = net.softnet.map((sd) => sd.cpu);
  devices.forEach((dev, i) => inet.arp.addPermanent(dev, in4(gatewayOf(i)), GATEWAY_MAC, cpu!));
  addRoutes(inet, devices, config);
  for (const { addr, mac, dev } of config.neighbours ?? [])
    inet.arp.addPermanent(
      devices.find(({ name }) => name === dev)!,
      in4(addr),
      mac,
      cpu!,
    );
  const [first] = devices;
  if (first === undefined) return inet;
  const gateway = gatewayOf(0);
  // unless a default route was given: then this one is not added
  inet.addrs.fib.insert({ type: RTN_UNICAST, dst: 0, prefixLen: 0, dev: first, gateway });
  if (first.mtu < IPV6_MIN_MTU) return inet;
  inet.addrs.addGateway6(first, GATEWAY6);
  inet.nd.addPermanent(first, GATEWAY6, GATEWAY_MAC, cpu!);
  return inet;
}

const in4 = (addr: number): In6Addr => new In6Addr(0, 0, 0, addr);

/** @throws RouteRefused for a route, or a neighbour, that the kernel would refuse */
function addRoutes(inet: Inet, devices: readonly NetDevice[], config: InetConfig): void {
  const links = devices.map(({ name }, i) => {
    const { addr, prefixLen } = config.addresses?.[i] ?? defaultAddresses(i);
    return { name, addr, prefixLen };
  });
  const { ways, wrong } = planRoutes(config.routes ?? [], links);
  if (wrong !== null) throw new RouteRefused('routes', wrong);
  for (const { route, nic, gateway, ownGateway } of ways) {
    const { type, dst, prefixLen } = route;
    const dev = devices[nic] ?? null;
    inet.addrs.fib.insert({ type, dst, prefixLen, dev, gateway, ownGateway });
  }
  const wrongOne = wrongNeigh(config.neighbours ?? [], links);
  if (wrongOne !== null) throw new RouteRefused('neighbours', wrongOne);
}
