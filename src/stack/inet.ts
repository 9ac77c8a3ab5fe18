/**
 * The IP protocols of one machine: its addresses, neighbours, sockets, counters and limits.
 *
 * A `Net` without one ends at its taps. Sysctls but `ip_forward` and `rp_filter` are the kernel's
 * defaults.
 *
 * @linux struct netns_ipv4, struct netns_ipv6; include/net/netns/ipv4.h, ipv6.h
 */
import { RP_FILTER_OFF } from './fibValidateSource.ts';
import { IcmpLimits } from './icmpLimits.ts';
import { InetAddrs, Nexthop } from './inetAddrs.ts';
import { ipFragExpire } from './ipFragment.ts';
import { ipv4LinkFailure } from './ipForward.ts';
import { ip6FragExpire } from './ipv6Fragment.ts';
import { ndiscSolicit } from './ndisc.ts';
import { FragTable, IP_FRAG_TIME, IPV6_FRAG_TIMEOUT } from './fragQueue.ts';
import type { Net } from './net.ts';
import { NeighTable } from './neighbour.ts';
import type { Cpu } from '../host/cpu.ts';
import { arpSolicit } from './arp.ts';
import type { PingReader } from './ping.ts';
import { NetMib } from './snmp.ts';
import { UdpTable } from './udpSock.ts';

const ETH_P_IP = 0x0800;
const ETH_P_IPV6 = 0x86dd;

export class Inet {
  readonly net: Net;
  readonly mib: NetMib = new NetMib();
  readonly addrs: InetAddrs = new InetAddrs();
  readonly udp: UdpTable = new UdpTable();
  readonly icmpLimits: IcmpLimits;
  /** Where the packet being sent goes: filled by a route lookup, read at once. */
  readonly hop: Nexthop = new Nexthop();
  /** The same of the packet being forwarded. */
  readonly onward: Nexthop = new Nexthop();
  /** @linux sysctl net.ipv4.ip_forward */
  ipForward = false;
  /** `RP_FILTER_*`. @linux sysctl net.ipv4.conf.all.rp_filter */
  rpFilter: number = RP_FILTER_OFF;
  /** Identification of the next packet that may be fragmented on its way. @linux __ip_select_ident */
  ipId = 1;
  /** Of the next IPv6 packet that is sent in fragments; Linux's are random. @linux ipv6_select_ident */
  ip6Id = 1;
  readonly arp: NeighTable;
  readonly nd: NeighTable;
  readonly frags4: FragTable;
  readonly frags6: FragTable;
  ping: PingReader | null = null;

  constructor(net: Net) {
    this.net = net;
    this.icmpLimits = new IcmpLimits(net.hz);
    this.arp = new NeighTable(this, ETH_P_IP, arpSolicit, ipv4LinkFailure);
    this.nd = new NeighTable(this, ETH_P_IPV6, ndiscSolicit, () => undefined);
    this.frags4 = new FragTable(net, IP_FRAG_TIME, (first, cpu) => ipFragExpire(this, first, cpu));
    this.frags6 = new FragTable(net, IPV6_FRAG_TIMEOUT, (first, cpu) =>
      ip6FragExpire(this, first, cpu),
    );
  }

  /** The machine is shut down: what waits for neighbours, or as fragments, is dropped. */
  flush(cpu: Cpu): void {
    this.arp.flush(cpu);
    this.frags4.flush(cpu);
    this.nd.flush(cpu);
    this.frags6.flush(cpu);
  }
}

/** From here on the machine speaks IP. @linux inet_init, inet6_init */
export function inetInit(net: Net): Inet {
  net.inet = new Inet(net);
  return net.inet;
}
