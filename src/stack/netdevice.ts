/**
 * A network device as everybody but its driver sees it.
 *
 * The driver supplies `NetDeviceOps`; the functions here are what `ip link` and the stack call, and
 * hold the rules that are the same for every driver.
 *
 * @linux struct net_device, struct net_device_ops; include/linux/netdevice.h. net/core/dev.c
 */
import type { Cpu } from '../host/cpu.ts';
import { EINVAL, EOPNOTSUPP } from '../host/errno.ts';
import { Fates } from '../host/fates.ts';
import type { HostAddr } from '../host/memory.ts';
import { ETH_HLEN } from '../wire/eth.ts';
import type { MacAddr } from '../wire/eth.ts';
import type { XdpProg } from '../xdp/program.ts';
import type { RedirectTarget } from '../xdp/redirectTarget.ts';
import type { NapiStruct } from './napi.ts';
import type { NapiConfig, NapiSettings } from './napiConfig.ts';
import { NAPI_DEFAULTS } from './napiConfig.ts';
import type { Net } from './net.ts';
import { NetdevQueue } from './netdevQueue.ts';
import { qdiscReset } from './qdisc.ts';
import type { SkBuff } from './skbuff.ts';

export type { MacAddr };

/** @linux include/uapi/linux/if.h */
export const IFF_UP: number = 1 << 0;
export const IFF_PROMISC: number = 1 << 8;
export const IFF_ALLMULTI: number = 1 << 9;

/** Offloads. The kernel keeps them in a 64-bit word; the bits here are our own. @linux include/linux/netdev_features.h */
export const NETIF_F_RXCSUM: number = 1 << 0;
export const NETIF_F_RXHASH: number = 1 << 1;
export const NETIF_F_HW_VLAN_CTAG_RX: number = 1 << 2;
export const NETIF_F_HW_VLAN_STAG_RX: number = 1 << 3;
export const NETIF_F_NTUPLE: number = 1 << 4;
export const NETIF_F_IP_CSUM: number = 1 << 5;
export const NETIF_F_IPV6_CSUM: number = 1 << 6;
export const NETIF_F_HW_VLAN_CTAG_TX: number = 1 << 7;

/** Smallest and default MTU of an Ethernet device. @linux include/uapi/linux/if_ether.h */
export const ETH_MIN_MTU = 68;
export const ETH_DATA_LEN = 1500;

/** What `ip -s link` shows. @linux struct rtnl_link_stats64; include/uapi/linux/if_link.h */
export class RtnlLinkStats64 {
  rxPackets = 0;
  txPackets = 0;
  rxBytes = 0;
  txBytes = 0;
  rxErrors = 0;
  txErrors = 0;
  rxDropped = 0;
  txDropped = 0;
  multicast = 0;
  rxLengthErrors = 0;
  rxOverErrors = 0;
  rxCrcErrors = 0;
  rxFrameErrors = 0;
  rxMissedErrors = 0;
}

/** The sentence that explains a refusal to whoever asked. @linux struct netlink_ext_ack */
export class NetlinkExtAck {
  msg = '';
}

/** @linux struct netdev_bpf, command XDP_SETUP_PROG */
export interface NetdevBpf {
  readonly prog: XdpProg | null;
  readonly flags: number;
  readonly extack: NetlinkExtAck;
}

/** What a driver implements; each returns 0 or a negative errno. @linux struct net_device_ops */
export interface NetDeviceOps {
  ndoOpen(dev: NetDevice): number;
  ndoStop(dev: NetDevice): number;
  /** Without it any MTU within the device's limits is taken as it is. */
  ndoChangeMtu?(dev: NetDevice, mtu: number): number;
  /**
   * Send one packet, on queue `skb.queueMapping`; without it the device cannot send.
   *
   * @param more another packet for the same queue follows at once: the doorbell may wait for it
   * @returns `NETDEV_TX_OK` or `NET_XMIT_DROP`, and the skb is the driver's; `NETDEV_TX_BUSY`, and it is not
   */
  ndoStartXmit?(skb: SkBuff, dev: NetDevice, cpu: Cpu, more: boolean): number;
  /** Flags have changed: `IFF_PROMISC`, `IFF_ALLMULTI`. */
  ndoSetRxMode?(dev: NetDevice): void;
  /** Fills `stats`, which is zero; without it the device's own are shown. */
  ndoGetStats64?(dev: NetDevice, stats: RtnlLinkStats64): void;
  /** Without it the device has no native XDP. */
  ndoBpf?(dev: NetDevice, bpf: NetdevBpf): number;
  /** See `RedirectTarget.ndoXdpXmit`. */
  ndoXdpXmit?(dev: NetDevice, cpu: Cpu, frames: HostAddr, n: number, flags: number): number;
}

export class NetDevice implements RedirectTarget {
  readonly net: Net;
  readonly name: string;
  readonly netdevOps: NetDeviceOps;
  /** 0 until registered. */
  ifindex = 0;
  mtu: number = ETH_DATA_LEN;
  minMtu: number = ETH_MIN_MTU;
  maxMtu: number = ETH_DATA_LEN;
  readonly hardHeaderLen: number = ETH_HLEN;
  devAddr: MacAddr;
  /** Groups it listens to. @linux dev->mc */
  readonly mc: MacAddr[] = [];
  /** `IFF_*` */
  flags = 0;
  /** `NETIF_F_*` */
  features = 0;
  /** `NETDEV_XDP_ACT_*` */
  xdpFeatures = 0;
  /** The natively attached program; only `devXdpAttach` writes it. */
  xdpProg: XdpProg | null = null;
  /** Packets that may wait in front of each TX queue. */
  txQueueLen = 1000;
  /** A device of software alone: packets never wait in front of it. @linux IFF_NO_QUEUE */
  noQueue = false;
  /** Its TX queues; the driver may add more, see `netifSetRealNumTxQueues`. */
  tx: NetdevQueue[];
  /** Queue by sending CPU, where the driver has chosen; else empty. @linux netif_set_xps_queue */
  xpsCpus: readonly number[] = [];
  /** CPUs that take its packets into the stack; empty: the one that received them. @linux rps_cpus */
  rpsCpus: readonly number[] = [];
  /** Books of what became of its packets in the stack; they outlive its rings. */
  readonly rxFates: Fates = new Fates();
  /** Books of what the stack sends through it. */
  readonly txFates: Fates = new Fates();
  /** Received for others. @linux struct net_device_core_stats */
  rxOtherhostDropped = 0;
  readonly napis: NapiStruct[] = [];
  /** What is set for each of its NAPIs, by their index, and for those that have no settings yet. */
  readonly napiConfigs: NapiConfig[] = [];
  readonly napiDefaults: NapiSettings = { ...NAPI_DEFAULTS };
  readonly stats: RtnlLinkStats64 = new RtnlLinkStats64();

  constructor(net: Net, name: string, netdevOps: NetDeviceOps, devAddr: MacAddr) {
    this.net = net;
    this.name = name;
    this.netdevOps = netdevOps;
    this.devAddr = devAddr;
    this.tx = [new NetdevQueue(this, 0)];
  }

  get up(): boolean {
    return (this.flags & IFF_UP) !== 0;
  }

  ndoXdpXmit(cpu: Cpu, frames: HostAddr, n: number, flags: number): number {
    return this.netdevOps.ndoXdpXmit?.(this, cpu, frames, n, flags) ?? -EOPNOTSUPP;
  }
}

/** @linux register_netdevice */
export function registerNetdevice(dev: NetDevice): void {
  dev.ifindex = dev.net.listNetdevice(dev);
}

/** How many TX queues the stack may use; what waits for those that go is lost. @linux netif_set_real_num_tx_queues */
export function netifSetRealNumTxQueues(dev: NetDevice, count: number): void {
  for (const { qdisc } of dev.tx.slice(count)) qdiscReset(qdisc, dev.net.softnet[0]!.cpu);
  dev.tx = Array.from({ length: count }, (_, i) => dev.tx[i] ?? new NetdevQueue(dev, i));
}

/** Closes the device first. @linux unregister_netdevice */
export function unregisterNetdevice(dev: NetDevice): void {
  devClose(dev);
  dev.net.unlistNetdevice(dev.ifindex);
  dev.ifindex = 0;
}

/** `ip link set up`. Opening an open device succeeds. @linux dev_open */
export function devOpen(dev: NetDevice): number {
  if (dev.up) return 0;
  const rc = dev.netdevOps.ndoOpen(dev);
  if (rc !== 0) return rc;
  dev.flags |= IFF_UP;
  dev.netdevOps.ndoSetRxMode?.(dev);
  return 0;
}

/** `ip link set down`. What the driver returns is ignored: closing cannot fail. @linux dev_close */
export function devClose(dev: NetDevice): void {
  if (!dev.up) return;
  for (const { qdisc } of dev.tx) qdiscReset(qdisc, dev.net.softnet[0]!.cpu);
  dev.netdevOps.ndoStop(dev);
  dev.flags &= ~IFF_UP;
}

/** `ip link set mtu`. @linux dev_set_mtu_ext, dev_validate_mtu */
export function devChangeMtu(dev: NetDevice, mtu: number, extack: NetlinkExtAck): number {
  if (mtu === dev.mtu) return 0;
  if (!Number.isInteger(mtu) || mtu < dev.minMtu) {
    extack.msg = 'mtu less than device minimum';
    return -EINVAL;
  }
  if (mtu > dev.maxMtu) {
    extack.msg = 'mtu greater than device maximum';
    return -EINVAL;
  }
  if (dev.netdevOps.ndoChangeMtu !== undefined) return dev.netdevOps.ndoChangeMtu(dev, mtu);
  dev.mtu = mtu;
  return 0;
}

/** `ip link set promisc`, allmulticast. @linux dev_change_flags */
export function devChangeFlags(dev: NetDevice, flags: number): void {
  const changeable = IFF_PROMISC | IFF_ALLMULTI;
  dev.flags = (dev.flags & ~changeable) | (flags & changeable);
  if (dev.up) dev.netdevOps.ndoSetRxMode?.(dev);
}

/** The device listens to a group from now on, for as long as it exists. @linux dev_mc_add */
export function devMcAdd(dev: NetDevice, addr: MacAddr): void {
  if (dev.mc.some(({ hi16, lo32 }) => hi16 === addr.hi16 && lo32 === addr.lo32)) return;
  dev.mc.push(addr);
  if (dev.up) dev.netdevOps.ndoSetRxMode?.(dev);
}

/** @linux dev_get_stats */
export function devGetStats(dev: NetDevice): RtnlLinkStats64 {
  if (dev.netdevOps.ndoGetStats64 === undefined) return dev.stats;
  const stats = new RtnlLinkStats64();
  dev.netdevOps.ndoGetStats64(dev, stats);
  stats.txDropped += dev.stats.txDropped; // what the stack dropped in front of the driver
  stats.rxDropped += dev.stats.rxDropped; // and behind it: for no protocol, or no room in a backlog
  return stats;
}
