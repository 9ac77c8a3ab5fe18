/**
 * The profile of the first day: plausible nanoseconds of one recent server core, no cache, no PCIe.
 *
 * Each value is either a published micro-benchmark (named) or marked as an estimate.
 */
import type { ProfileData } from '../profile.ts';

const I40E = 'i40e XDP_TX profile, 78.24 ns a packet in all';
const PP = 'page_pool micro-benchmark, AMD EPYC 9684X';

export const flat: ProfileData = {
  name: 'flat',
  says: 'one recent server core, every operation at a fixed cost, no caches, no PCIe',
  entries: [
    { op: 'hardirq entry and exit', value: 600, unit: 'ns', source: 'estimate' },
    { op: 'softirq entry and exit', value: 150, unit: 'ns', source: 'estimate' },
    { op: 'napi poll', value: 60, unit: 'ns', source: 'estimate' },
    { op: 'completion read (dma_rmb)', value: 11.1, unit: 'ns', source: `${I40E}: clean_rx_irq` },
    { op: 'dma sync', value: 1.9, unit: 'ns', source: `${I40E}: sync_cpu 2.2, sync_dev 1.9` },
    { op: 'BD post', value: 3, unit: 'ns', source: 'estimate' },
    { op: 'doorbell', value: 40, unit: 'ns', source: 'estimate: one uncached posted write' },
    { op: 'page_pool cache', value: 5.4, unit: 'ns', source: `${PP}: fast path` },
    { op: 'page_pool ring', value: 15.1, unit: 'ns', source: `${PP}: ptr_ring` },
    { op: 'page alloc', value: 66.1, unit: 'ns', source: `${PP}: slow path` },
    { op: 'XDP program', value: 15.8, unit: 'ns', source: `${I40E}: bpf 11.5, run_xdp 4.3` },
    {
      op: 'XDP transmit',
      value: 16.7,
      unit: 'ns',
      source: `${I40E}: xmit_xdp_tx_ring 8.5, xmit_xdp_ring 8.2`,
    },
    { op: 'XDP transmit call', value: 2.6, unit: 'ns', source: 'estimate: two calls' },
    { op: 'XDP redirect', value: 25, unit: 'ns', source: 'estimate' },
    {
      op: 'dma map or unmap',
      value: 5.1,
      unit: 'ns',
      source: `${I40E}: dma_unmap 6.8, dma_map 3.4`,
    },
    { op: 'frame return', value: 2.9, unit: 'ns', source: `${I40E}: return_frame` },
    {
      op: 'skb alloc',
      value: 17.6,
      unit: 'ns',
      source: 'generic XDP profile, Skylake: build_skb 12.7, kmem_alloc 4.9',
    },
    {
      op: 'skb free',
      value: 10.8,
      unit: 'ns',
      source: 'generic XDP profile, Skylake: page_frag_free 6.2, kmem_free 4.6',
    },
    { op: 'copy, per 64 bytes', value: 2, unit: 'ns', source: 'estimate' },
    {
      op: 'GRO receive',
      value: 25.7,
      unit: 'ns',
      source: 'GRO without a merge, derived from 5.776 and 6.784 Mpps',
    },
    { op: 'netif_receive_skb', value: 4.7, unit: 'ns', source: 'generic XDP profile, Skylake' },
    {
      op: 'dev_queue_xmit',
      value: 30,
      unit: 'ns',
      source: 'estimate: queue choice, qdisc bypass, lock',
    },
    {
      op: 'start_xmit',
      value: 25,
      unit: 'ns',
      source: 'estimate: descriptors and shadow entry of one packet',
    },
    {
      op: 'backlog, in or out',
      value: 25,
      unit: 'ns',
      source: 'estimate: lock and queue, once each way',
    },
    { op: 'IP receive', value: 45, unit: 'ns', source: 'estimate: header, route, delivery' },
    { op: 'netfilter hook', value: 15, unit: 'ns', source: 'estimate: one table of one rule' },
    { op: 'UDP receive', value: 40, unit: 'ns', source: 'estimate: header, socket lookup' },
    { op: 'ICMP receive', value: 40, unit: 'ns', source: 'estimate' },
    { op: 'ARP or ND receive', value: 80, unit: 'ns', source: 'estimate' },
    { op: 'IP output', value: 60, unit: 'ns', source: 'estimate: route, header, neighbour' },
    { op: 'socket queue', value: 40, unit: 'ns', source: 'estimate: accounting, lock, queue' },
    {
      op: 'wake-up',
      value: 300,
      unit: 'ns',
      source: 'estimate: try_to_wake_up',
    },
    {
      op: 'inter-processor interrupt',
      value: 250,
      unit: 'ns',
      source: 'estimate: sent, and under way',
    },
    {
      op: 'system call',
      value: 100,
      unit: 'ns',
      source: 'estimate: entry and exit, mitigations on',
    },
    {
      op: 'socket receive',
      value: 120,
      unit: 'ns',
      source: 'estimate: one datagram, without its copy',
    },
    {
      op: 'socket send',
      value: 200,
      unit: 'ns',
      source: 'estimate: one datagram, without its copy',
    },
    {
      op: 'checksum, per 64 bytes',
      value: 3.8,
      unit: 'ns',
      source: 'xdp-project xdp_frame01_checksum: 91.79 ns for 1500 bytes',
    },
    {
      op: 'context switch',
      value: 500,
      unit: 'ns',
      source: 'estimate: schedule, thread to thread or out of idle',
    },
    {
      op: 'timer interrupt',
      value: 700,
      unit: 'ns',
      source: 'estimate: entry, hrtimer_interrupt, exit',
    },
    { op: 'first touch of a packet', value: 0, unit: 'ns', source: 'none: no caches' },
    { op: 'idle until cold', value: 0, unit: 'ns', source: 'none: no caches' },
    { op: 'first touch by the stack', value: 0, unit: 'ns', source: 'none: no caches' },
    { op: 'stack entered cold', value: 0, unit: 'ns', source: 'none: no caches' },
    {
      op: 'hrtimer start',
      value: 80,
      unit: 'ns',
      source: 'estimate: tree and one write of the deadline',
    },
    {
      op: 'redirected frames per transmit call',
      value: 16,
      unit: 'count',
      source: 'Linux 4.18 and later: DEV_MAP_BULK_SIZE',
    },
    {
      op: 'frames returned to the cache',
      value: 1,
      unit: 'count',
      source: 'Linux 6.9 and later: page_pool_napi_local',
    },
    { op: 'softirqs left to ksoftirqd', value: 0, unit: 'count', source: 'Linux 6.4 and later' },
    { op: 'scheduler before EEVDF', value: 0, unit: 'count', source: 'Linux 6.6 and later' },
    { op: 'RX DMA', value: 700, unit: 'ns', source: 'estimate' },
    { op: 'RX DMA slot', value: 2, unit: 'ns', source: 'estimate' },
    { op: 'TX fetch', value: 900, unit: 'ns', source: 'estimate' },
    { op: 'TX completion', value: 400, unit: 'ns', source: 'estimate' },
    { op: 'MSI-X', value: 500, unit: 'ns', source: 'estimate' },
  ],
};
