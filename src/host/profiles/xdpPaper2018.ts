/**
 * The machine of the XDP paper (CoNEXT 2018): Xeon E5-1650 v4 at 3.6 GHz, ConnectX-5 on PCIe Gen3
 * x16, Linux 4.17 and 4.18 without retpolines.
 *
 * `fit` after a value: fitted by bench/fit.ts on the rows of the published figures that are marked
 * for it; what stands behind is where the search began. The rest is data of the processor, the card
 * and the bus, a micro-benchmark as published, or says that it is an estimate. Values are not rounded to look like measurements.
 */
import type { ProfileData } from '../profile.ts';
import { entriesOf } from '../profile.ts';

const ENTRIES = `
hardirq entry and exit | 177.68 | ns | fit; from 150: one vector without mitigations
softirq entry and exit | 41.92 | ns | fit; from 40
napi poll | 20.58 | ns | fit; from 20
completion read (dma_rmb) | 4.44 | ns | fit; from 5.5: i40e clean_tx_irq
dma sync | 1.4 | ns | dma.sync.4calls: 5.6 ns for four
BD post | 21.72 | ns | fit; from 11.1: i40e clean_rx_irq
doorbell | 10.48 | ns | fit; from 10: one posted write
TX doorbell | 52.94 | ns | perf behind skl.generic.tx, what waits for the write: page_ref_inc 36.38 less atomic 4.77, rep stos 30.93 less 9.60 in skl.__build_skb
page_pool cache | 5.399 | ns | pp.fast
page_pool ring | 15.09 | ns | pp.ring
page alloc | 66.134 | ns | pp.slow
XDP program | 11.9 | ns | xdp.pass.overhead: 13.28 less one sync
XDP transmit | 8.51 | ns | fit; from 16.7: i40e xmit_xdp_tx_ring 8.5, xmit_xdp_ring 8.2
XDP transmit call | 2.6 | ns | call.cost: two of 1.3
XDP redirect | 25.86 | ns | fit; from 25
dma map or unmap | 5.17 | ns | fit; from 5.1: i40e dma_unmap 6.8, dma_map 3.4
frame return | 5.34 | ns | fit; from 5.3: i40e xdp_return_frame 2.9, page_frag_free 2.4
skb alloc | 31.02 | ns | fit; from 24.3: skl __build_skb 12.7, build_skb 6.7, kmem_cache_alloc 4.9
skb free | 11.86 | ns | fit; from 10.8: skl page_frag_free 6.2, kmem_cache_free 4.6
copy, per 64 bytes | 2.26 | ns | csumcopy1500: 54.28 ns for 24 lines
GRO receive | 5.75 | ns | fit; from 5.5: skl napi_gro_receive 2.2, dev_gro_receive 1.8, eth_type_trans 1.5
netif_receive_skb | 4.7 | ns | skl.netif_receive_skb
dev_queue_xmit | 53.18 | ns | three times lock 10.431 (qdisc, queue, qdisc); 15 that a qdisc's 58 to 68 leave beside six locked operations of 8.25 (Brouer, linux.conf.au 2015); choice of queue 6.89, perf behind skl.generic.tx
start_xmit | 23.43 | ns | perf behind skl.generic.tx: mlx5e_xmit
backlog, in or out | 25 | ns | estimate: lock and queue, once each way
IP receive | 95.18 | ns | fit; from 45
netfilter hook | 17.17 | ns | fit; from 15
UDP receive | 125 | ns | estimate: route and delivery 50, lookup and checksum 45, refusing what nobody wants 30; chosen with stack.udpnoports in view
ICMP receive | 40 | ns | estimate
ARP or ND receive | 80 | ns | estimate
route lookup | 50 | ns | Bernat 2017: fib_lookup with a full table, Core i5-4670K
bpf_fib_lookup | 21.3 | ns | bench04, perf at 3.81 Mpps: bpf_ipv4_fib_lookup 6.00 %, ip_mtu_from_fib_result and bpf_xdp_fib_lookup 1.05 % each
cpumap queue lock | 10.431 | ns | lock
cpumap queue slot | 2.33 | ns | pp.ring 15.09 less lock, half for each end
skb alloc in bulk | 24.71 | ns | skb alloc less 6.31: half of what bulk saves of kmem.single 30.532 (kmem.bulk16 17.905)
page fragment | 29.83 | ns | (1 / 4127852 - 1 / 4786899) s, pgcache.1024.on less pgcache.64.on: 33.35, less a line copied and 15/64 of a page's pp.fast
IP forward | 30 | ns | estimate: hop limit, MTU, hand-over; the header is warm
IP output | 60 | ns | estimate: route, header, neighbour
socket queue | 40 | ns | estimate: accounting, lock, queue
wake-up | 300 | ns | estimate: try_to_wake_up
inter-processor interrupt | 250 | ns | estimate: sent, and under way
system call | 50 | ns | estimate: entry and exit without mitigations
socket receive | 120 | ns | estimate: one datagram, without its copy
socket send | 200 | ns | estimate: one datagram, without its copy
checksum, per 64 bytes | 3.82 | ns | csum1500: 91.79 ns for 24 lines
context switch | 500 | ns | estimate: schedule, thread to thread or out of idle
timer interrupt | 500 | ns | estimate: entry, hrtimer_interrupt, exit
hrtimer start | 80 | ns | estimate: tree and one write of the deadline
first touch of a packet | 3.12 | ns | fit; from 4: mlx5 prefetches, so little of the 17 ns of the last-level cache shows
stack entered cold | 600 | ns | estimate: some 35 lines of code and data at 17 ns of the last-level cache; chosen with the cpu.linux rows in view
idle until cold | 1000 | ns | estimate: longer and the core halts; chosen with the cpu.linux rows in view
first touch by the stack | 0 | ns | the driver prefetches, and an skb is made meanwhile
redirected frames per transmit call | 16 | count | Linux 4.18: DEV_MAP_BULK_SIZE
bpf_redirect sends each frame at once | 1 | count | before Linux 5.6: __bpf_tx_xdp
frames returned to the cache | 0 | count | before Linux 6.9 xdp_return_frame returned to the ring
RX DMA | 700 | ns | estimate
RX DMA slot | 2 | ns | estimate
TX fetch | 500 | ns | estimate: one read of host memory; descriptors come with the doorbell; chosen with the tx.r256 rows in view
TX queue slot | 0 | ns | none: the link and the wire alone are limits
TX completion | 300 | ns | estimate
MSI-X | 400 | ns | estimate
PCIe generation | 3 | count | ConnectX-5 EN data sheet
PCIe lanes | 16 | count | ConnectX-5 EN data sheet
PCIe max payload | 256 | bytes | the usual setting of this platform
PCIe max read request | 512 | bytes | the usual setting of this platform
PCIe RX descriptor | 16 | bytes | mlx5: one data segment
PCIe RX descriptors per read | 4 | count | one cache line
PCIe RX completion | 64 | bytes | mlx5: one CQE
PCIe RX completions per write | 1 | count | no compression
PCIe TX descriptor | 64 | bytes | mlx5: one send WQE
PCIe TX descriptors per read | 4 | count | estimate
PCIe TX completion | 64 | bytes | mlx5: one CQE
PCIe TX completions per write | 1 | count | mlx5
PCIe packets per TX completion | 64 | count | mlx5: one for each doorbell of a poll
PCIe register writes per RX packet | 0 | count | one a poll
PCIe register reads per RX packet | 0 | count | none
PCIe register writes per TX packet | 0 | count | one a poll
PCIe register reads per TX packet | 0 | count | none
PCIe RX buffer | 256 | KiB | estimate
last-level cache | 15 | MiB | Intel data sheet E5-1650 v4
last-level cache ways | 20 | count | Intel data sheet E5-1650 v4: 2.5 MiB a slice
last-level cache slices | 6 | count | Intel data sheet E5-1650 v4: 2.5 MiB a core
last-level cache inclusive | 1 | count | Intel: inclusive until Broadwell
DDIO ways | 2 | count | Intel: two ways unless set otherwise
buffer alignment | 4096 | bytes | mlx5 with XDP: one page a packet
buffers per queue | 256 | count | Linux 4.18, mlx5e page cache: 4 times a poll's 64
last-level cache miss | 72 | ns | estimate: local memory about 89 ns, less the 17 of the last-level cache; chosen with the tx and redir rows in view
other cache misses | 0.001 | % | what perf shows with nothing to miss
frames an interrupt, at most | 65535 | count | mlx5: cq_max_count, 16 bits
DIM starts with setting | 1 | count | mlx5: 8 us and 128 frames, NET_DIM_DEF_PROFILE_CQE
softirqs left to ksoftirqd | 1 | count | Linux 4.9 to 6.3: ksoftirqd_running
scheduler before EEVDF | 1 | count | Linux 2.6.23 to 6.5: CFS
cpumap skbs allocated at once | 1 | count | before Linux 5.2: each by itself
cpumap delivery | 0 | count | before Linux 5.13: one by one
`;

export const xdpPaper2018: ProfileData = {
  name: 'xdp-paper-2018',
  says: 'Xeon E5-1650 v4, ConnectX-5, Linux 4.18: the machine of the XDP paper',
  entries: entriesOf(ENTRIES),
};

export const xdpPaper2018Compressed = (base: ProfileData['base']): ProfileData => ({
  name: 'xdp-paper-2018-compressed',
  says: 'xdp-paper-2018 with RX completions compressed: less PCIe, a little more CPU',
  ...(base === undefined ? {} : { base }),
  entries: entriesOf(`
completion read (dma_rmb) | 6.15 | ns | fit; from 6: the uncompressed one, and one line in eight to expand
PCIe RX completion | 8 | bytes | mlx5: one mini CQE
PCIe RX completions per write | 8 | count | mlx5: eight mini CQEs in 64 bytes
`),
});

/** @linux drivers/idle/intel_idle.c: bdw_cstates */
export const xdpPaper2018Sleep = (base: ProfileData['base']): ProfileData => ({
  name: 'xdp-paper-2018-sleep',
  says: 'xdp-paper-2018, its cores asleep in C1E, C3 or C6 when they idle for long',
  ...(base === undefined ? {} : { base }),
  entries: entriesOf(`
idle state 1 exit latency | 10000 | ns | intel_idle, Broadwell: C1E, at most
idle state 1 target residency | 20000 | ns | intel_idle, Broadwell: C1E
idle state 2 exit latency | 40000 | ns | intel_idle, Broadwell: C3, at most
idle state 2 target residency | 100000 | ns | intel_idle, Broadwell: C3
idle state 3 exit latency | 133000 | ns | intel_idle, Broadwell: C6, at most
idle state 3 target residency | 400000 | ns | intel_idle, Broadwell: C6
`),
});
