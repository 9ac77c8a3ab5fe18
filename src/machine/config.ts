/** What a machine is built from, and how much host memory that takes. */
import type { RxFlow } from '../driver/bnxt/rxnfc.ts';
import { RX_WALK_BLOCK } from '../driver/bnxt/rxWalkBlock.ts';
import { SW_RX_BD_BYTES } from '../driver/bnxt/swRxBd.ts';
import { SW_TX_BD_BYTES } from '../driver/bnxt/swTxBd.ts';
import { CLOCK_BYTES } from '../host/cpu.ts';
import type { CostProfile } from '../host/profile.ts';
import { RangeRefused } from '../host/errors.ts';
import { MAX_MEMORY_BYTES, PAGE_SIZE } from '../host/memory.ts';
import type { SenderView } from '../host/stages.ts';
import { stampBytes } from '../host/stamps.ts';
import { completionRingBytes } from '../nic/completionRing.ts';
import { recordBytes } from '../nic/frameRecord.ts';
import type { AppConfig, InetConfig } from './inetConfig.ts';
import { APP_BUFFER_BYTES } from './inetConfig.ts';
import type { HwrmCfaNtupleFilterAllocInput } from '../nic/hsi/hwrm.ts';
import { DESC_CNT, bnxtCalcNrRingPages } from '../nic/hsi/ring.ts';
import type { PacketMatch } from '../stack/packetFilter.ts';
import { pagePoolBytes } from '../stack/pagePool.ts';
import { PROGRAM_STACK_BYTES } from '../xdp/bpf.ts';
import { netContextBytes } from '../xdp/netContext.ts';
import { MAP_STRUCTS_BYTES } from '../xdp/maps/mapTable.ts';
import { LANE_BYTES } from '../nic/lane.ts';
import { rxRingBytes } from '../nic/rxRing.ts';
import { RING_STATS_BYTES } from '../nic/stats.ts';
import { txRingBytes } from '../nic/txRing.ts';

/** How arrivals find their RX queue, where it is not the driver's default. */
export interface NicSteering {
  /** 40 bytes. */
  readonly rssKey?: Uint8Array | undefined;
  /** Rings, repeated until the indirection table is full. */
  readonly rssIndir?: readonly number[] | undefined;
  /** Whether the ports of a kind of flow take part in its hash. */
  readonly flowHash: readonly (readonly [RxFlow, boolean])[];
  /** Rules, of which the first that matches beats RSS. */
  readonly ntuple: readonly HwrmCfaNtupleFilterAllocInput[];
}

/** What `netdev napi-set` sets, for all NAPIs of a NIC. */
export interface NicNapi {
  readonly groFlushTimeoutNs: number;
  readonly deferHardIrqs: number;
  readonly irqSuspendTimeoutNs: number;
  /** CPU of each queue's thread; queue i goes to entry i modulo length. Empty: no threads. */
  readonly threadCpus: readonly number[];
}

/** One network interface of a machine. Every number is in the unit of its ethtool or ip name. */
export interface NicConfig {
  readonly name: string;
  /** 6 bytes. */
  readonly mac: Uint8Array;
  /** Generation of the NIC; P4 when undefined. */
  readonly chip?: 'p4' | 'p5' | undefined;
  readonly queues: number;
  readonly rxRing: number;
  readonly txRing: number;
  readonly mtu: number;
  readonly linkBps: number;
  readonly rxUsecs: number;
  readonly rxFrames: number;
  readonly txUsecs: number;
  readonly txFrames: number;
  /** While interrupts are off; the driver's own when undefined. */
  readonly rxUsecsIrq?: number | undefined;
  readonly rxFramesIrq?: number | undefined;
  readonly txUsecsIrq?: number | undefined;
  readonly txFramesIrq?: number | undefined;
  readonly adaptiveRx?: boolean | undefined;
  readonly cqeModeRx?: boolean | undefined;
  readonly cqeModeTx?: boolean | undefined;
  readonly rxvlan: boolean;
  readonly promisc: boolean;
  /** CPU of each queue's interrupt; queue i goes to entry i modulo length. */
  readonly irqAffinity: readonly number[];
  /** CPUs that take its packets into the stack; those that received them when empty. */
  readonly rps?: readonly number[];
  /** How its NAPIs suppress interrupts and who polls them; the kernel's defaults when undefined. */
  readonly napi?: NicNapi;
  readonly steering?: NicSteering;
}

export interface MachineConfig {
  readonly seed: number;
  readonly cpus: number;
  readonly hz: number;
  /** NAPI weight: the budget of one poll. */
  readonly budget: number;
  readonly netdevBudget: number;
  /** Microseconds; 2,000,000 / hz when undefined. */
  readonly netdevBudgetUsecs?: number;
  readonly profile: CostProfile;
  readonly nics: readonly NicConfig[];
  /** False: what is passed ends in a counted sink at the door of the stack. */
  readonly stack: boolean;
  /** Packets that traffic control drops at ingress, and `iptables -t raw` at IPv4's prerouting. */
  readonly tcDrop?: readonly PacketMatch[];
  readonly rawDrop?: readonly PacketMatch[];
  /** The IP protocols and applications; without them a packet's way ends behind the taps. */
  readonly inet?: InetConfig | undefined;
  /** Ownership ledger and null-page assertion on. */
  readonly check: boolean;
  /** Count what each operation takes (`MachineResult.costs`). */
  readonly breakdown?: boolean;
  readonly eager: boolean;
  /** Book each packet's way stage by stage. */
  readonly stages?: boolean;
  /** Whose clock the stage `wire` goes by, where it is not the wire's. */
  readonly sender?: SenderView | null;
  /** Picoseconds between two looks at rings and losses; none when undefined. */
  readonly samplePs?: number | undefined;
  /** Bytes for the maps of eBPF programs (`mapMemory`); `MAP_BYTES` when undefined. */
  readonly mapBytes?: number;
}

/** Room for maps that nobody has counted: those of TypeScript programs. */
export const MAP_BYTES: number = 2 << 20;

/** Longest frame a NIC can put together for the wire, in whole pages. */
export const TX_FIFO_BYTES: number = 4 * PAGE_SIZE;

/** Bytes of each region of host memory. */
export interface MemoryPlan {
  readonly coherent: number;
  readonly pages: number;
  readonly frames: number;
  /** The NICs' own: lanes, and what rings hold back. */
  readonly chip: number;
  /** What only kernel and driver see: clocks of CPUs, notes on the slots of rings. */
  readonly kernel: number;
  /** What `rxWalk.ts` has of each RX ring. */
  readonly walks: number;
  /** What each NIC knows of each frame. */
  readonly records: number;
  /** When each buffer was filled. */
  readonly stamps: number;
  /** Where frames are put together: one for each NIC, one for whoever watches the stack. */
  readonly fifo: number;
  readonly maps: number;
  readonly stacks: number;
  /** What redirects have of each CPU. */
  readonly redirects: number;
  /** Buffers of applications. */
  readonly user: number;
}

/** A pool asks for this many pages at once, and its cache keeps up to twice as many. */
const POOL_SLACK_PAGES = 192;
/** Packets that wait in front of a TX queue, short ones four to a page. */
const TX_WAITING_PAGES = 256;
/** A router's packets keep their pages while they wait: in front of a queue, and for some forty neighbours. */
const TX_QUEUE_LEN = 1000;
const NEIGH_PAGES = 2048;
/** Fragments may hold 4 MiB, and packets put together from them as much again. */
const FRAG_PAGES = 2048;
/** A full backlog: a page and a small head for each packet. */
const BACKLOG_PAGES = 1300;
/** Small skb heads, for all CPUs together. */
const SLAB_PAGES = 64;
/** More than rounding up to whole pages of any kind can add. */
const ROUNDING = 2 ** 17;

/**
 * Size host memory from what will live in it.
 *
 * @throws RangeRefused naming the options that made it too large
 */
export function planMemory(config: MachineConfig, frameBytes: number): MemoryPlan {
  let coherentPages = 0;
  let pages = SLAB_PAGES;
  let chipPages = 0;
  let kernelPages = pagesOf(config.cpus * CLOCK_BYTES);
  const apps = config.inet?.apps ?? [];
  const txSlots = config.nics.map((nic) => nic.queues * (nic.txRing + 1));
  const txQueues = config.nics.reduce((sum, nic) => sum + nic.queues, 0);
  const allTx = txSlots.reduce((sum, slots) => sum + slots, 0);
  for (const nic of config.nics) {
    const rx = bnxtCalcNrRingPages(nic.rxRing, DESC_CNT);
    const tx = bnxtCalcNrRingPages(nic.txRing, DESC_CNT);
    const cp = bnxtCalcNrRingPages(nic.rxRing * 2 + nic.txRing, DESC_CNT);
    const xdpBuffs = 1;
    // P5: two NAPIs with a notification queue each, and a ring for RX, for XDP's TX and the stack's
    const cpRings = nic.chip === 'p5' ? 5 : 2;
    coherentPages += nic.queues * (rx + 2 * tx + cpRings * cp + xdpBuffs);
    pages += nic.queues * (nic.rxRing + POOL_SLACK_PAGES);
    if (config.stack) pages += nic.queues * (Math.ceil(nic.txRing / 2) + TX_WAITING_PAGES);
    const rings =
      pagesOf(rxRingBytes(rx * DESC_CNT)) +
      2 * (pagesOf(txRingBytes(tx * DESC_CNT)) + pagesOf(RING_STATS_BYTES)) +
      (nic.chip === 'p5' ? 3 : 2) * pagesOf(completionRingBytes(cp * DESC_CNT));
    kernelPages +=
      nic.queues *
      (pagesOf(pagePoolBytes(nic.rxRing)) +
        pagesOf(rx * DESC_CNT * SW_RX_BD_BYTES) +
        pagesOf(tx * DESC_CNT * SW_TX_BD_BYTES));
    chipPages += nic.queues * rings + pagesOf((nic.queues + 1) * LANE_BYTES) + 1;
  }
  pages += config.nics.length > 1 ? allTx : 0;
  if (config.nics.some(({ rps = [] }) => rps.length > 0)) pages += config.cpus * BACKLOG_PAGES;
  if (config.inet !== undefined) pages += inetPages(apps);
  if (config.inet?.ipForward === true) pages += allTx + NEIGH_PAGES + txQueues * TX_QUEUE_LEN;
  const frames = Math.max(frameBytes, PAGE_SIZE);
  const stamped = {
    coherent: coherentPages * PAGE_SIZE,
    pages: pages * PAGE_SIZE,
    frames,
    chip: chipPages * PAGE_SIZE,
    kernel: kernelPages * PAGE_SIZE,
    walks:
      config.nics.reduce((sum, { queues }) => sum + queues, 0) * pagesOf(RX_WALK_BLOCK) * PAGE_SIZE,
    records: config.nics.length * pagesOf(recordBytes(frames)) * PAGE_SIZE,
    fifo: (config.nics.length + 1) * TX_FIFO_BYTES,
    maps: MAP_STRUCTS_BYTES + (config.mapBytes ?? MAP_BYTES),
    stacks: PROGRAM_STACK_BYTES,
    redirects: config.cpus * netContextBytes(config.nics.length),
    user: apps.reduce((sum, { threads }) => sum + threads, 0) * APP_BUFFER_BYTES,
  };
  // stamps are stamped too: a little more than an eighth of an eighth
  const plan: MemoryPlan = {
    ...stamped,
    stamps: stampBytes((memoryBytes(stamped) * 64) / 63 + ROUNDING),
  };
  const total = memoryBytes(plan);
  if (total > MAX_MEMORY_BYTES) {
    throw new RangeRefused(
      'host memory for these queues, rx-ring, tx-ring, frames and maps',
      `${Math.ceil(total / 2 ** 20)} MiB`,
      `at most ${Math.floor(MAX_MEMORY_BYTES / 2 ** 20)} MiB`,
    );
  }
  return plan;
}

/**
 * What may wait in sockets, where a page for every 2 KiB of `truesize` is enough, and as fragments.
 */
function inetPages(apps: readonly AppConfig[]): number {
  let pages = FRAG_PAGES;
  for (const { rcvbuf, threads } of apps) pages += threads * (Math.ceil(rcvbuf / 2048) + 1);
  return pages;
}

/** Bytes of the whole memory: the regions, each in whole pages, behind the null page. */
export function memoryBytes(plan: Partial<MemoryPlan>): number {
  return Object.values(plan).reduce((sum, bytes) => sum + pagesOf(bytes) * PAGE_SIZE, PAGE_SIZE);
}

const pagesOf = (bytes: number): number => Math.ceil(bytes / PAGE_SIZE);
