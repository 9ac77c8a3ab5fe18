/**
 * The operations that take time, and a machine's table of what each takes.
 *
 * An operation is named after the seam at which its time passes; driver code calls the seam and
 * never sees a cost. What each costs is data, in a profile (`profile.ts`, `profiles/`): nanoseconds
 * there, whole picoseconds in the machine.
 */
import type { Ps } from './clock.ts';
import { PS_PER_NS } from './clock.ts';
import type { CostProfile } from './profile.ts';

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
export const OP_PACKET_TOUCH = 38;
export const OP_STACK_COLD = 39;
export const OP_HRTIMER = 40;
export const OP_STACK_TOUCH = 41;
export const OP_XMIT_CALL = 42;
export const OP_FIB_LOOKUP = 43;
export const OP_IP_FORWARD = 44;
export const OP_BPF_FIB_LOOKUP = 45;
export const OP_CPUMAP_LOCK = 46;
export const OP_CPUMAP_SLOT = 47;
export const OP_SKB_BULK = 48;
export const OP_TX_DOORBELL = 49;
export const OP_PAGE_FRAGMENT = 50;
export const OP_COUNT = 51;

/** Indexed by `OP_*`: how profiles and reports call them. */
export const OP_NAMES: readonly string[] = [
  'hardirq entry and exit',
  'softirq entry and exit',
  'napi poll',
  'completion read (dma_rmb)',
  'dma sync',
  'BD post',
  'doorbell',
  'page_pool cache',
  'page_pool ring',
  'page alloc',
  'XDP program',
  'XDP transmit',
  'XDP redirect',
  'dma map or unmap',
  'frame return',
  'skb alloc',
  'skb free',
  'copy, per 64 bytes',
  'GRO receive',
  'netif_receive_skb',
  'dev_queue_xmit',
  'start_xmit',
  'backlog, in or out',
  'IP receive',
  'netfilter hook',
  'UDP receive',
  'ICMP receive',
  'ARP or ND receive',
  'IP output',
  'socket queue',
  'wake-up',
  'inter-processor interrupt',
  'system call',
  'socket receive',
  'socket send',
  'checksum, per 64 bytes',
  'context switch',
  'timer interrupt',
  'first touch of a packet',
  'stack entered cold',
  'hrtimer start',
  'first touch by the stack',
  'XDP transmit call',
  'route lookup',
  'IP forward',
  'bpf_fib_lookup',
  'cpumap queue lock',
  'cpumap queue slot',
  'skb alloc in bulk',
  'TX doorbell',
  'page fragment',
];

/** The profile as whole picoseconds, indexed by operation. */
export function costTable(profile: CostProfile): Float64Array {
  const table = new Float64Array(OP_COUNT);
  for (let op = 0; op < OP_COUNT; op++) table[op] = nsToPs(profile.costs[op]!.ns);
  return table;
}

export const nsToPs = (ns: number): Ps => Math.round(ns * PS_PER_NS);
