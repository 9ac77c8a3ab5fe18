/**
 * Cost profiles: what each operation takes, as data.
 *
 * An operation is named after the seam at which its time passes; driver code calls the seam and
 * never sees a cost. Values are nanoseconds in the profile and whole picoseconds in the machine.
 */
import type { Ps } from './clock.ts';
import { PS_PER_NS } from './clock.ts';

export const OP_HARDIRQ = 0;
export const OP_SOFTIRQ = 1;
export const OP_NAPI_POLL = 2;
export const OP_DMA_RMB = 3;
export const OP_DMA_SYNC = 4;
export const OP_BD_POST = 5;
export const OP_DOORBELL = 6;
export const OP_PAGE_POOL_CACHE = 7;
export const OP_PAGE_POOL_RING = 8;
export const OP_PAGE_ALLOC = 9;
export const OP_XDP_RUN = 10;
export const OP_XDP_XMIT = 11;
export const OP_XDP_REDIRECT = 12;
export const OP_DMA_MAP = 13;
export const OP_FRAME_RETURN = 14;
export const OP_SKB_ALLOC = 15;
export const OP_SKB_FREE = 16;
export const OP_COPY_64B = 17;
export const OP_GRO_RECEIVE = 18;
export const OP_NETIF_RECEIVE = 19;
export const OP_DEV_QUEUE_XMIT = 20;
export const OP_START_XMIT = 21;
export const OP_BACKLOG = 22;
export const OP_IP_RCV = 23;
export const OP_NF_HOOK = 24;
export const OP_UDP_RCV = 25;
export const OP_ICMP_RCV = 26;
export const OP_ARP_RCV = 27;
export const OP_IP_OUTPUT = 28;
export const OP_SOCK_QUEUE = 29;
export const OP_WAKE = 30;
export const OP_IPI = 31;
export const OP_SYSCALL = 32;
export const OP_SOCK_RECV = 33;
export const OP_SOCK_SEND = 34;
export const OP_CSUM_64B = 35;
export const OP_SWITCH = 36;
export const OP_TIMER_IRQ = 37;
export const OP_COUNT = 38;

export interface CostEntry {
  /** Name used in reports. */
  readonly op: string;
  readonly ns: number;
  readonly source: string;
}

/** What the hardware takes; the same kind of data, but spent by the NIC. */
export interface NicTiming {
  /** From the last bit on the wire until the frame and its completion lie in host memory. */
  readonly rxDmaNs: number;
  /** One RX DMA engine writes at most one frame per this time. */
  readonly rxDmaSlotNs: number;
  /** From a TX doorbell until the frame's bytes are in the NIC: BD fetch and data fetch. */
  readonly txFetchNs: number;
  /** From the last bit on the wire until the TX completion lies in host memory. */
  readonly txCompleteNs: number;
  /** From the decision to interrupt until the CPU's vector runs. */
  readonly msixNs: number;
}

export interface CostProfile {
  readonly name: string;
  readonly says: string;
  readonly costs: readonly CostEntry[];
  readonly nic: NicTiming;
}

const I40E = 'i40e XDP_TX profile, 78.24 ns a packet in all';
const PP = 'page_pool micro-benchmark, AMD EPYC 9684X';

/**
 * The profile of the first day: plausible nanoseconds of one recent server core, no cache model.
 *
 * Each value is either a published micro-benchmark (named) or marked as an estimate.
 */
export const FLAT: CostProfile = {
  name: 'flat',
  says: 'one recent server core, every operation at a fixed cost, no caches, no PCIe',
  costs: [
    { op: 'hardirq entry and exit', ns: 600, source: 'estimate' },
    { op: 'softirq entry and exit', ns: 150, source: 'estimate' },
    { op: 'napi poll', ns: 60, source: 'estimate' },
    { op: 'completion read (dma_rmb)', ns: 11.1, source: `${I40E}: clean_rx_irq` },
    { op: 'dma sync', ns: 1.9, source: `${I40E}: sync_cpu 2.2, sync_dev 1.9` },
    { op: 'BD post', ns: 3, source: 'estimate' },
    { op: 'doorbell', ns: 40, source: 'estimate: one uncached posted write' },
    { op: 'page_pool cache', ns: 5.4, source: `${PP}: fast path` },
    { op: 'page_pool ring', ns: 15.1, source: `${PP}: ptr_ring` },
    { op: 'page alloc', ns: 66.1, source: `${PP}: slow path` },
    { op: 'XDP program', ns: 15.8, source: `${I40E}: bpf 11.5, run_xdp 4.3` },
    { op: 'XDP transmit', ns: 16.7, source: `${I40E}: xmit_xdp_tx_ring 8.5, xmit_xdp_ring 8.2` },
    { op: 'XDP redirect', ns: 25, source: 'estimate' },
    { op: 'dma map or unmap', ns: 5.1, source: `${I40E}: dma_unmap 6.8, dma_map 3.4` },
    { op: 'frame return', ns: 2.9, source: `${I40E}: return_frame` },
    {
      op: 'skb alloc',
      ns: 17.6,
      source: 'generic XDP profile, Skylake: build_skb 12.7, kmem_alloc 4.9',
    },
    {
      op: 'skb free',
      ns: 10.8,
      source: 'generic XDP profile, Skylake: page_frag_free 6.2, kmem_free 4.6',
    },
    { op: 'copy, per 64 bytes', ns: 2, source: 'estimate' },
    {
      op: 'GRO receive',
      ns: 25.7,
      source: 'GRO without a merge, derived from 5.776 and 6.784 Mpps',
    },
    { op: 'netif_receive_skb', ns: 4.7, source: 'generic XDP profile, Skylake' },
    { op: 'dev_queue_xmit', ns: 30, source: 'estimate: queue choice, qdisc bypass, lock' },
    { op: 'start_xmit', ns: 25, source: 'estimate: descriptors and shadow entry of one packet' },
    { op: 'backlog, in or out', ns: 25, source: 'estimate: lock and queue, once each way' },
    { op: 'IP receive', ns: 45, source: 'estimate: header, route, delivery' },
    { op: 'netfilter hook', ns: 15, source: 'estimate: one table of one rule' },
    { op: 'UDP receive', ns: 40, source: 'estimate: header, socket lookup' },
    { op: 'ICMP receive', ns: 40, source: 'estimate' },
    { op: 'ARP or ND receive', ns: 80, source: 'estimate' },
    { op: 'IP output', ns: 60, source: 'estimate: route, header, neighbour' },
    { op: 'socket queue', ns: 40, source: 'estimate: accounting, lock, queue' },
    { op: 'wake-up', ns: 300, source: 'estimate: try_to_wake_up' },
    { op: 'inter-processor interrupt', ns: 250, source: 'estimate: sent, and under way' },
    { op: 'system call', ns: 100, source: 'estimate: entry and exit, mitigations on' },
    { op: 'socket receive', ns: 120, source: 'estimate: one datagram, without its copy' },
    { op: 'socket send', ns: 200, source: 'estimate: one datagram, without its copy' },
    {
      op: 'checksum, per 64 bytes',
      ns: 3.8,
      source: 'xdp-project xdp_frame01_checksum: 91.79 ns for 1500 bytes',
    },
    {
      op: 'context switch',
      ns: 500,
      source: 'estimate: schedule, thread to thread or out of idle',
    },
    { op: 'timer interrupt', ns: 700, source: 'estimate: entry, hrtimer_interrupt, exit' },
  ],
  nic: { rxDmaNs: 700, rxDmaSlotNs: 2, txFetchNs: 900, txCompleteNs: 400, msixNs: 500 },
};

export const PROFILES: readonly CostProfile[] = [FLAT];

/** The profile as whole picoseconds, indexed by operation. */
export function costTable(profile: CostProfile): Float64Array {
  const table = new Float64Array(OP_COUNT);
  for (let op = 0; op < OP_COUNT; op++) table[op] = nsToPs(profile.costs[op]!.ns);
  return table;
}

export const nsToPs = (ns: number): Ps => Math.round(ns * PS_PER_NS);
