/**
 * One network namespace: devices, taps, the per-CPU softirq state, and what they share.
 *
 * Linux keeps most of this in global and per-CPU variables; a machine is one kernel, so they are
 * fields of one object here.
 *
 * @linux struct net; include/net/net_namespace.h. net/core/hotdata.c, net/core/dev.c
 */
import type { Ps, VirtualClock } from '../host/clock.ts';
import type { CoherentMemory } from '../host/coherent.ts';
import type { Cpu } from '../host/cpu.ts';
import { RangeRefused } from '../host/errors.ts';
import type { Faults } from '../host/faults.ts';
import type { IrqController } from '../host/irq.ts';
import type { HostMemory } from '../host/memory.ts';
import type { PageAllocator } from '../host/pages.ts';
import type { Watch } from '../host/watch.ts';
import type { DeviceTable } from '../xdp/kernel.ts';
import { Dmesg } from './dmesg.ts';
import type { Inet } from './inet.ts';
import { jiffiesAt, usecsToJiffies } from './jiffies.ts';
import type { NapiStruct } from './napi.ts';
import type { NetDevice } from './netdevice.ts';
import { PpPages } from './ppPages.ts';
import { SkbPool } from './skbPool.ts';
import type { SkBuff } from './skbuff.ts';
import { SoftnetData, raiseTimerSoftirq } from './softnet.ts';
import { TimerList } from './timers.ts';

/** The parts of the machine the stack stands on. */
export interface NetHost {
  readonly cpus: readonly Cpu[];
  readonly mem: HostMemory;
  readonly pages: PageAllocator;
  /** For what the kernel alone sees. */
  readonly kernel: CoherentMemory;
  readonly watch: Watch;
  readonly faults: Faults;
  readonly irqs: IrqController;
  readonly clock: VirtualClock;
}

export interface NetConfig {
  /** Ticks per second (CONFIG_HZ), 1 to 1000. */
  readonly hz: number;
  /** Packets per softirq run, at least 1. */
  readonly netdevBudget: number;
  /** Time per softirq run; two ticks when undefined. */
  readonly netdevBudgetUsecs?: number | undefined;
  /** False: a packet passed to the stack is counted at its door and freed at once. */
  readonly stackOn: boolean;
  /** Frames that were sent go back to their pool's cache where its NAPI runs, as since Linux 6.9; so unless false. */
  readonly framesToCache?: boolean;
  /** Softirqs wait for ksoftirqd once it is awake, as in Linux 4.9 to 6.3. */
  readonly deferToKsoftirqd?: boolean;
  /** Threads are scheduled as up to Linux 6.5. */
  readonly cfs?: boolean;
}

/** Sees each packet the stack takes (`ETH_P_ALL`); the skb is only lent. */
export interface PacketTap {
  onSkb(skb: SkBuff, cpu: Cpu): void;
}

/** What a hook at traffic control's ingress may say. @linux include/uapi/linux/pkt_cls.h */
export const TC_ACT_OK = 0;
export const TC_ACT_SHOT = 2;
/** What a netfilter hook may say. @linux include/uapi/linux/netfilter.h */
export const NF_DROP = 0;
export const NF_ACCEPT = 1;

/** Judges packets on their way: `TC_ACT_*` or `NF_*`, by the place it hangs at. The skb is only lent. */
export interface PacketHook {
  onSkb(skb: SkBuff, cpu: Cpu): number;
}

/** The loopback device has ifindex 1 in every namespace, so the first NIC has 2. */
const FIRST_IFINDEX = 2;

export class Net implements DeviceTable {
  readonly mem: HostMemory;
  readonly pages: PageAllocator;
  readonly kernel: CoherentMemory;
  readonly watch: Watch;
  readonly faults: Faults;
  /** Indexed by CPU. @linux per-CPU softnet_data */
  readonly softnet: readonly SoftnetData[];
  readonly hz: number;
  readonly netdevBudget: number;
  readonly netdevBudgetJiffies: number;
  readonly stackOn: boolean;
  readonly framesToCache: boolean;
  readonly deferToKsoftirqd: boolean;
  readonly cfs: boolean;
  readonly dmesg: Dmesg = new Dmesg();
  readonly ppPages: PpPages;
  readonly skbs: SkbPool;
  readonly taps: PacketTap[] = [];
  /** Traffic control's ingress, behind the taps. @linux sch_handle_ingress */
  ingress: PacketHook | null = null;
  /** Netfilter's IPv4 raw PREROUTING, where `iptables -t raw -j DROP` acts. @linux NF_INET_PRE_ROUTING */
  preRouting: PacketHook | null = null;
  /** The IP protocols; null: behind taps and ingress a packet has arrived. */
  inet: Inet | null = null;
  readonly irqs: IrqController;
  readonly clock: VirtualClock;
  readonly timers: TimerList;
  /** Told of each ring of the timers, before a CPU is; null: nobody watches. */
  timersRing: ((at: Ps) => void) | null = null;
  /** Indexed by ifindex. */
  private readonly devices: (NetDevice | undefined)[] = [];
  private lastNapiId: number;

  /** @throws RangeRefused */
  constructor(host: NetHost, config: NetConfig) {
    this.mem = host.mem;
    this.pages = host.pages;
    this.kernel = host.kernel;
    this.watch = host.watch;
    this.faults = host.faults;
    this.irqs = host.irqs;
    this.clock = host.clock;
    this.softnet = host.cpus.map((cpu) => new SoftnetData(cpu));
    this.hz = checkedRange('hz', config.hz, 1, 1000);
    this.netdevBudget = checkedRange('netdev_budget', config.netdevBudget, 1, 2 ** 31 - 1);
    const usecs = config.netdevBudgetUsecs ?? Math.floor(2_000_000 / this.hz);
    checkedRange('netdev_budget_usecs', usecs, 0, 2 ** 31 - 1);
    this.netdevBudgetJiffies = usecsToJiffies(usecs, this.hz);
    this.stackOn = config.stackOn;
    this.framesToCache = config.framesToCache !== false;
    this.deferToKsoftirqd = config.deferToKsoftirqd === true;
    this.cfs = config.cfs === true;
    this.ppPages = new PpPages(host.mem.bytes);
    this.skbs = new SkbPool(host, this.ppPages);
    this.timers = new TimerList(host.clock, (at) => {
      this.timersRing?.(at);
      raiseTimerSoftirq(this.softnet[0]!, at);
    });
    this.lastNapiId = host.cpus.length; // smaller ids mean CPUs
  }

  jiffies(now: Ps): number {
    return jiffiesAt(now, this.hz);
  }

  newNapiId(): number {
    return ++this.lastNapiId;
  }

  /** The smallest free ifindex. @linux dev_index_reserve */
  listNetdevice(dev: NetDevice): number {
    let ifindex = FIRST_IFINDEX;
    while (this.devices[ifindex] !== undefined) ifindex++;
    this.devices[ifindex] = dev;
    return ifindex;
  }

  unlistNetdevice(ifindex: number): void {
    this.devices[ifindex] = undefined;
  }

  /** @linux dev_get_by_index */
  devGetByIndex(ifindex: number): NetDevice | null {
    return this.devices[ifindex] ?? null;
  }

  /** In the order of ifindex. */
  get devList(): NetDevice[] {
    return this.devices.filter((dev) => dev !== undefined);
  }

  /** The NAPI of this number, while its device is open. @linux napi_by_id */
  napiById(id: number): NapiStruct | null {
    for (const dev of this.devList) {
      const napi = dev.napis.find(({ napiId }) => napiId === id);
      if (napi !== undefined) return napi;
    }
    return null;
  }

  addTap(tap: PacketTap): void {
    this.taps.push(tap);
  }

  removeTap(tap: PacketTap): void {
    const i = this.taps.indexOf(tap);
    if (i >= 0) this.taps.splice(i, 1);
  }
}

function checkedRange(what: string, value: number, min: number, max: number): number {
  if (!Number.isInteger(value) || value < min || value > max) {
    throw new RangeRefused(what, value, `${min} to ${max}`);
  }
  return value;
}
