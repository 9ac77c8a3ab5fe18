/** Machines of other publications, where they differ from the ones they build on. */
import type { CostProfile, ProfileData } from '../profile.ts';
import { entriesOf } from '../profile.ts';

/**
 * Core i7-6700K at 4 GHz, ConnectX-4, Linux 4.11: no prefetch of packet data, DMA calls not yet elided.
 *
 * The driver's own costs are those of the perf report behind the `skl` rows, a packet of 122.47 ns
 * under generic XDP_DROP. What its functions do not name is what the whole leaves: 122.47, less
 * 35.57 for the skb (`skb.alloc+free`) and 32 for the first touch (`llc.to.l1`), is 54.9; less what
 * stands in other entries (completion 4.6, program 9.7, dma sync 1.0, poll, softirq and doorbell 1.0),
 * 38.6 are left for handling and posting the buffer.
 */
export const skylake2017 = (base: CostProfile): ProfileData => ({
  name: 'skylake-2017',
  says: 'Core i7-6700K, ConnectX-4, Linux 4.11 and 4.12',
  base,
  entries: entriesOf(`
napi poll | 38 | ns | perf: net_rx_action 0.3, mlx5e_napi_poll 0.2, __do_softirq 0.1, times 64
completion read (dma_rmb) | 4.6 | ns | perf: mlx5e_get_cqe 3.6, mlx5e_poll_rx_cq 1.0
dma sync | 1 | ns | perf: swiotlb_sync_single 0.8, for_device 0.7, for_cpu 0.5, two calls
BD post | 38.6 | ns | perf: mlx5e_handle_rx_cqe, alloc_rx_wqe, post_rx_wqes, page_release; what 122.47 - 35.57 - 32 leaves
XDP program | 9.7 | ns | perf: bpf_prog 5.0, lookups 1.3, rcu 3.4
skb alloc | 24.3 | ns | skl.__build_skb 12.7, build_skb 6.7, kmem_cache_alloc 4.9
skb free | 10.8 | ns | skl.page_frag_free 6.2, kmem_cache_free 4.6
GRO receive | 5.5 | ns | skl.napi_gro_receive 2.2, dev_gro_receive 1.8, eth_type_trans 1.5
netif_receive_skb | 4.7 | ns | skl.netif_receive_skb
first touch of a packet | 32 | ns | llc.to.l1: (1 / 12006685 - 1 / 19803663) s
PCIe lanes | 8 | count | a desktop processor shares 16 lanes between two cards
last-level cache | 8 | MiB | Intel data sheet i7-6700K
last-level cache ways | 16 | count | Intel data sheet i7-6700K
last-level cache slices | 4 | count | Intel data sheet i7-6700K: 2 MiB a core
`),
});

/**
 * A ConnectX-4 and a processor that is not named, so nothing of it was fitted: its operations take
 * what those of the XDP paper's machine do. Frames of 64 bytes come out 6 % too fast so.
 *
 * @linux commit 4415a0319f92
 */
export const mlx52016 = (base: CostProfile): ProfileData => ({
  name: 'mlx5-2016',
  says: 'xdp-paper-2018 with a ConnectX-4 of Linux 4.9: frames share pages; the processor is not known',
  base,
  entries: entriesOf(`
receive stride | 64 | bytes | mlx5: MLX5_MPWRQ_LOG_STRIDE_SIZE
frame bytes copied into an skb | 128 | bytes | mlx5: MLX5_MPWRQ_SMALL_PACKET_THRESHOLD
pages recycled | 1 | count | Linux 4.9: mlx5e_page_cache
buffer alignment | 64 | bytes | mlx5: strides, one behind the other
`),
});

/** The same before the commit, its pages one by one already. */
export const withoutPageCache = (base: CostProfile): ProfileData => ({
  name: `${base.name}-no-page-cache`,
  says: `${base.name}, each page allocated anew`,
  base,
  entries: entriesOf('pages recycled | 0 | count | before Linux 4.9: alloc_page for each'),
});

/** An EPYC's page pool; everything else is the E5's in cycles of its clock. */
export const epycPagePool = (base: CostProfile): ProfileData => ({
  name: 'epyc-page-pool',
  says: 'EPYC 9684X at 3.7 GHz: the page_pool of the E5-1650 v4 in its own cycles',
  base,
  entries: entriesOf(`
CPU clock | 3.7 | GHz | AMD data sheet 9684X: boost
page_pool cache | 19.436 | cycles | pp.fast 5.399 ns at 3.6 GHz
page_pool ring | 54.324 | cycles | pp.ring 15.09 ns at 3.6 GHz
page alloc | 134.71 | cycles | 64 at a time since Linux 5.13: alloc.bulk64 27.252 ns, atomic 4.769 and pp.fast 5.399 at 3.6 GHz; chosen with pp.amd.slow in view
bpf_redirect sends each frame at once | 0 | count | Linux 5.6 and later: dev_xdp_enqueue
frames returned to the cache | 1 | count | a kernel of 2025
softirqs left to ksoftirqd | 0 | count | Linux 6.4
scheduler before EEVDF | 0 | count | Linux 6.6
cpumap skbs allocated at once | 8 | count | Linux 5.2
cpumap delivery | 1 | count | Linux 5.13 to 6.14: lists
`),
});

/**
 * The NIC of pcie-bench's model: an 82599 on Gen3 x8 behind Linux's driver, on a CPU that takes no
 * time, so that the link alone is the limit.
 */
export const pcieBench2018 = (base: CostProfile): ProfileData => ({
  name: 'pcie-bench-2018',
  says: 'a NIC like the 82599 on PCIe Gen3 x8, and a CPU that takes no time',
  base,
  entries: [
    ...base.costs.map(({ op }) => ({
      ...{ op, value: 0, unit: 'ns', source: 'none: the link alone is looked at' },
    })),
    ...entriesOf(`
PCIe lanes | 8 | count | pcie-bench nic_bw.py
PCIe RX descriptor | 16 | bytes | 82599 data sheet
PCIe RX descriptors per read | 32 | count | 82599 data sheet: buffers are posted 32 at a time
PCIe RX completion | 16 | bytes | 82599 data sheet: written back in place
PCIe TX descriptor | 16 | bytes | 82599 data sheet
PCIe TX descriptors per read | 40 | count | 82599 data sheet: as many are fetched
PCIe TX completion | 16 | bytes | 82599 data sheet: written back in place
PCIe TX completions per write | 8 | count | ixgbe: TXDCTL.WTHRESH
PCIe packets per TX completion | 1 | count | ixgbe
PCIe register writes per RX packet | 0.03125 | count | ixgbe: the tail, for each 32 buffers
PCIe register reads per RX packet | 0.125 | count | pcie-bench: the head, for each 8 packets
PCIe register writes per TX packet | 1 | count | pcie-bench: the tail, for each packet
PCIe register reads per TX packet | 1 | count | pcie-bench: the head, for each packet
`),
  ],
});

/**
 * A gigabit e1000 of 2001 on a PC of its day, forwarding: all of it in one number, which is fitted.
 * The bus is not modelled: PCI was shared, and PCIe not there yet.
 */
export const e10002002 = (base: CostProfile): ProfileData => ({
  name: 'e1000-2002',
  says: 'an e1000 on a PC of 2001, Linux 2.4 with the first NAPI, forwarding',
  base,
  entries: entriesOf(`
hardirq entry and exit | 1500 | ns | estimate: an 8259 or APIC vector, and the read of ICR over PCI
softirq entry and exit | 300 | ns | estimate
napi poll | 300 | ns | estimate
doorbell | 200 | ns | estimate: one posted write over PCI
TX doorbell | 200 | ns | estimate: one posted write over PCI
XDP redirect | 2616.30 | ns | fit; from 2000: IP forwarding of one packet, which a redirect stands for
`),
});

/**
 * The servers of "Reexamining Direct Cache Access" (ATC 2020): buffers come from DPDK's mempools,
 * which pack them.
 */
export const xeon2020 = (base: CostProfile, ways: number): ProfileData => ({
  name: ways === 2 ? 'xeon-6140-2020' : `xeon-6140-2020-ddio${ways}`,
  says: `Xeon Gold 6140, ConnectX-5, buffers as in DPDK, ${ways} DDIO ways`,
  base,
  entries: entriesOf(`
last-level cache | 24.75 | MiB | Intel data sheet Xeon Gold 6140
last-level cache ways | 11 | count | Intel data sheet Xeon Gold 6140
last-level cache slices | 18 | count | Intel data sheet Xeon Gold 6140: 1.375 MiB a core
last-level cache inclusive | 0 | count | Intel: not inclusive since Skylake-SP
DDIO ways | ${ways} | count | the publication
buffer alignment | 64 | bytes | DPDK mempool: objects one behind the other
TX queue slot | 23.74 | ns | fit; from 27: what 512 and 1024 bytes take, less 0.0685 ns a byte
buffers per queue | 0 | count | FastClick: what a core keeps of the mempool is a stack, whose depths are never used
`),
});

/**
 * The server of the interrupt suspension measurements: memcached over TCP on 8 cores, Linux 6.12
 * without mitigations. There is no TCP here: a datagram stands for a request, and reading and
 * answering it takes what TCP and memcached take, less what an acknowledgement takes, which is a
 * packet of its own. The fit has one row, which wanders by some percent with DIM; where it begins, how
 * waking and a request divide the time, was chosen with the whole family in view.
 */
export const irqsuspend2024 = (base: CostProfile): ProfileData => ({
  name: 'irqsuspend-2024',
  says: 'a core of the memcached server of the interrupt suspension measurements, ConnectX, Linux 6.12',
  base,
  entries: entriesOf(`
hardirq entry and exit | 1813.36 | ns | fit; from 1500: with waking from C1
softirq entry and exit | 307.41 | ns | fit; from 300
napi poll | 151.82 | ns | fit; from 150
doorbell | 103.21 | ns | fit; from 100
wake-up | 1629.15 | ns | fit; from 1500
context switch | 3595.04 | ns | fit; from 3000: with the caches it costs
system call | 157.10 | ns | fit; from 150
socket receive | 1834.14 | ns | fit; from 1400: TCP receive, memcached reads the request
socket send | 2922.58 | ns | fit; from 1900: memcached answers, TCP send
stack entered cold | 2962.60 | ns | fit; from 2500
idle until cold | 1000 | ns | xdp-paper-2018
bpf_redirect sends each frame at once | 0 | count | Linux 5.6 and later: dev_xdp_enqueue
frames an interrupt, at most | 65535 | count | mlx5: cq_max_count, 16 bits
DIM starts with setting | 1 | count | mlx5: 8 us and 128 frames, NET_DIM_DEF_PROFILE_CQE
cpumap delivery | 1 | count | Linux 5.13 to 6.14: lists
`),
});
