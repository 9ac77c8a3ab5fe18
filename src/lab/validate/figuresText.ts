/**
 * Published measurements that the model's timing is held to, as their authors printed them.
 *
 * A line that begins with # is a publication: source | hardware | CPU in GHz. Under it, a row a line:
 * id | workload | metric | value | unit | use | needs | tolerance in percent | where it stands.
 * `use` says which rows profiles may be fitted on, and which are only compared; `needs` what a row
 * needs of the emulator.
 */
export const FIGURES_TEXT = `
# XDP CoNEXT'18 paper + artifact (github tohojo/xdp-paper @672dc5a) | Xeon E5-1650 v4 6c no-HT, 2x ConnectX-5 100G (mlx5), kernel 4.17-rc7/4.18-pre, retpoline off | 3.6
drop.1c | XDP_DROP 64B no_touch, 1 core(s), cqe_compress on | rate | 23863471 | pps | calibrate | path | 5 | Fig.3; benchmarks/bench01_baseline.org xdp_drop_data_rx_cqe_compress RX=512
drop.3c | XDP_DROP 64B no_touch, 3 core(s), cqe_compress on | rate | 67796536 | pps | validate | path | 5 | Fig.3; benchmarks/bench01_baseline.org xdp_drop_data_rx_cqe_compress RX=512
drop.5c | XDP_DROP 64B no_touch, 5 core(s), cqe_compress on | rate | 99357978 | pps | validate | path | 5 | Fig.3; benchmarks/bench01_baseline.org xdp_drop_data_rx_cqe_compress RX=512
drop.nocompress.1c | XDP_DROP 64B no_touch, 1 core(s), cqe_compress off (PCIe-bound >=4) | rate | 24804275 | pps | calibrate | path | 5 | benchmarks/bench01_baseline.org xdp_drop_data_jdb01 RX=512
drop.nocompress.3c | XDP_DROP 64B no_touch, 3 core(s), cqe_compress off (PCIe-bound >=4) | rate | 74350900 | pps | validate | path | 5 | benchmarks/bench01_baseline.org xdp_drop_data_jdb01 RX=512
drop.nocompress.5c | XDP_DROP 64B no_touch, 5 core(s), cqe_compress off (PCIe-bound >=4) | rate | 86973055 | pps | validate | path | 5 | benchmarks/bench01_baseline.org xdp_drop_data_jdb01 RX=512
raw.1c | Linux iptables raw drop, 1 core(s) | rate | 5051787 | pps | calibrate | stack | 5 | Fig.3; benchmarks/bench01_baseline.org linux_iptables_drop
raw.3c | Linux iptables raw drop, 3 core(s) | rate | 15104793 | pps | validate | stack | 5 | Fig.3; benchmarks/bench01_baseline.org linux_iptables_drop
raw.5c | Linux iptables raw drop, 5 core(s) | rate | 24995919 | pps | validate | stack | 5 | Fig.3; benchmarks/bench01_baseline.org linux_iptables_drop
linux.filter.1c | Linux drop via filter, 1 core | rate | 3319718 | pps | validate | netfilter | - | benchmarks/bench01_baseline.org linux_iptables_drop
linux.firewalld.1c | Linux drop via firewalld, 1 core | rate | 721284 | pps | validate | netfilter | - | benchmarks/bench01_baseline.org linux_iptables_drop
dpdk.drop.1c | DPDK testpmd rxonly, 1 core(s) | rate | 43503636 | pps | validate | other | - | Fig.3; benchmarks/bench01_baseline.org dpdk_test2 run#2
dpdk.drop.3c | DPDK testpmd rxonly, 3 core(s) | rate | 97203856 | pps | validate | other | - | Fig.3; benchmarks/bench01_baseline.org dpdk_test2 run#2
dpdk.drop.5c | DPDK testpmd rxonly, 5 core(s) | rate | 115453781 | pps | validate | other | - | Fig.3; benchmarks/bench01_baseline.org dpdk_test2 run#2
xdp.pass.overhead | no-op XDP_PASS prog in front of raw drop: 4837269 -> 4545188 pps | cost | 13.28 | ns/pkt | calibrate | path | 10 | sec 4.1; benchmarks/bench01_baseline.org
call.cost | function call (mlx5 did 10 per packet) | cost | 1.3 | ns | calibrate | path | - | sec 4.4; benchmarks/bench02_xdp_drop.org
dma.sync.4calls | 4 no-op DMA sync calls removed | cost | 5.6 | ns/pkt | calibrate | path | - | benchmarks/bench02_xdp_drop.org (24971062 -> 29028209 pps)
cpu.xdp.0.25M | XDP_DROP 1 core, offered 0.25 Mpps | CPU busy | 7 | % | validate | path | 15 | Fig.4; benchmarks/bench01_baseline.org cpu_stats (100-idle)
cpu.xdp.1M | XDP_DROP 1 core, offered 1 Mpps | CPU busy | 19.6 | % | calibrate | path | 15 | Fig.4; benchmarks/bench01_baseline.org cpu_stats (100-idle)
cpu.xdp.3M | XDP_DROP 1 core, offered 3 Mpps | CPU busy | 35.2 | % | validate | path | 15 | Fig.4; benchmarks/bench01_baseline.org cpu_stats (100-idle)
cpu.xdp.10M | XDP_DROP 1 core, offered 10 Mpps | CPU busy | 62.4 | % | validate | path | 15 | Fig.4; benchmarks/bench01_baseline.org cpu_stats (100-idle)
cpu.xdp.20M | XDP_DROP 1 core, offered 20 Mpps | CPU busy | 91.8 | % | validate | path | 15 | Fig.4; benchmarks/bench01_baseline.org cpu_stats (100-idle)
cpu.linux.0.25M | Linux raw drop 1 core, offered 0.25 Mpps | CPU busy | 21 | % | validate | stack | 15 | Fig.4; benchmarks/bench01_baseline.org cpu_stats
cpu.linux.1M | Linux raw drop 1 core, offered 1 Mpps | CPU busy | 42.6 | % | validate | stack | 15 | Fig.4; benchmarks/bench01_baseline.org cpu_stats
cpu.linux.3M | Linux raw drop 1 core, offered 3 Mpps | CPU busy | 70.8 | % | validate | stack | 15 | Fig.4; benchmarks/bench01_baseline.org cpu_stats
tx.r256.1c | XDP_TX macswap, rx=tx ring 256, 1 core(s) | rate | 16900699 | pps | calibrate | path | 7 | Fig.5; benchmarks/bench01_baseline.org xdp_tx_data
tx.r256.3c | XDP_TX macswap, rx=tx ring 256, 3 core(s) | rate | 51884051 | pps | validate | path | 7 | Fig.5; benchmarks/bench01_baseline.org xdp_tx_data
tx.r256.5c | XDP_TX macswap, rx=tx ring 256, 5 core(s) | rate | 70164732 | pps | validate | path | 7 | Fig.5; benchmarks/bench01_baseline.org xdp_tx_data
tx.r256.1c.llcmiss | XDP_TX ring 256, 1 core(s) | LLC miss of refs | 0.001 | % | validate | path | - | benchmarks/bench01_baseline.org xdp_tx_data
tx.r256.3c.llcmiss | XDP_TX ring 256, 3 core(s) | LLC miss of refs | 0.002 | % | validate | path | - | benchmarks/bench01_baseline.org xdp_tx_data
tx.r256.5c.llcmiss | XDP_TX ring 256, 5 core(s) | LLC miss of refs | 0.316 | % | validate | path | - | benchmarks/bench01_baseline.org xdp_tx_data
tx.r512.1c.llcmiss | XDP_TX ring 512, 1 core(s) | LLC miss of refs | 0.001 | % | validate | path | - | benchmarks/bench01_baseline.org xdp_tx_data
tx.r512.3c.llcmiss | XDP_TX ring 512, 3 core(s) | LLC miss of refs | 1.159 | % | validate | path | - | benchmarks/bench01_baseline.org xdp_tx_data
tx.r512.5c.llcmiss | XDP_TX ring 512, 5 core(s) | LLC miss of refs | 13.544 | % | validate | path | - | benchmarks/bench01_baseline.org xdp_tx_data
tx.r1024.1c.llcmiss | XDP_TX ring 1024, 1 core(s) | LLC miss of refs | 0.001 | % | validate | path | - | benchmarks/bench01_baseline.org xdp_tx_data
tx.r1024.3c.llcmiss | XDP_TX ring 1024, 3 core(s) | LLC miss of refs | 11.752 | % | validate | path | - | benchmarks/bench01_baseline.org xdp_tx_data
tx.r1024.5c.llcmiss | XDP_TX ring 1024, 5 core(s) | LLC miss of refs | 41.497 | % | validate | path | - | benchmarks/bench01_baseline.org xdp_tx_data
tx.r512.1c | XDP_TX macswap, rx=tx ring 512, 1 core(s) | rate | 17005709 | pps | validate | path | 7 | benchmarks/bench01_baseline.org xdp_tx_data
tx.r512.3c | XDP_TX macswap, rx=tx ring 512, 3 core(s) | rate | 45523114 | pps | validate | path | 7 | benchmarks/bench01_baseline.org xdp_tx_data
tx.r512.5c | XDP_TX macswap, rx=tx ring 512, 5 core(s) | rate | 50619968 | pps | validate | path | 7 | benchmarks/bench01_baseline.org xdp_tx_data
tx.r1024.1c | XDP_TX macswap, rx=tx ring 1024, 1 core(s) | rate | 16230538 | pps | validate | path | 7 | benchmarks/bench01_baseline.org xdp_tx_data
tx.r1024.3c | XDP_TX macswap, rx=tx ring 1024, 3 core(s) | rate | 32344463 | pps | validate | path | 7 | benchmarks/bench01_baseline.org xdp_tx_data
tx.r1024.5c | XDP_TX macswap, rx=tx ring 1024, 5 core(s) | rate | 37494941 | pps | validate | path | 7 | benchmarks/bench01_baseline.org xdp_tx_data
redir.r1024.1c | XDP_REDIRECT (devmap) to other port, rx ring 1024, 1 core(s) | rate | 8649872 | pps | validate | path | 7 | benchmarks/bench05_xdp_redirect.org
redir.r1024.3c | XDP_REDIRECT (devmap) to other port, rx ring 1024, 3 core(s) | rate | 19222735 | pps | validate | path | 7 | benchmarks/bench05_xdp_redirect.org
redir.r1024.5c | XDP_REDIRECT (devmap) to other port, rx ring 1024, 5 core(s) | rate | 25464083 | pps | validate | path | 7 | benchmarks/bench05_xdp_redirect.org
redir.r512.1c | XDP_REDIRECT (devmap) to other port, rx ring 512, 1 core(s) | rate | 8665664 | pps | calibrate | path | 7 | benchmarks/bench05_xdp_redirect.org
redir.r512.3c | XDP_REDIRECT (devmap) to other port, rx ring 512, 3 core(s) | rate | 25230973 | pps | validate | path | 7 | benchmarks/bench05_xdp_redirect.org
redir.r512.5c | XDP_REDIRECT (devmap) to other port, rx ring 512, 5 core(s) | rate | 31306207 | pps | validate | path | 7 | benchmarks/bench05_xdp_redirect.org
redir.r128.1c | XDP_REDIRECT (devmap) to other port, rx ring 128, 1 core(s) | rate | 7577448 | pps | validate | path | 7 | benchmarks/bench05_xdp_redirect.org
redir.r128.3c | XDP_REDIRECT (devmap) to other port, rx ring 128, 3 core(s) | rate | 22086964 | pps | validate | path | 7 | benchmarks/bench05_xdp_redirect.org
redir.r128.5c | XDP_REDIRECT (devmap) to other port, rx ring 128, 5 core(s) | rate | 36652247 | pps | validate | path | 7 | benchmarks/bench05_xdp_redirect.org
redir.r256.1c | XDP_REDIRECT (devmap) to other port, rx ring 256, 1 core(s) | rate | 8641197 | pps | validate | path | 7 | Fig.5; benchmarks/bench05_xdp_redirect.org
redir.r256.3c | XDP_REDIRECT (devmap) to other port, rx ring 256, 3 core(s) | rate | 25738189 | pps | validate | path | 7 | Fig.5; benchmarks/bench05_xdp_redirect.org
redir.r256.5c | XDP_REDIRECT (devmap) to other port, rx ring 256, 5 core(s) | rate | 41461874 | pps | validate | path | 7 | Fig.5; benchmarks/bench05_xdp_redirect.org
lat.xdp.1M.avg | port-to-port forward xdp.1M | latency avg | 7 | us | validate | path | - | Table 1; benchmarks/bench07_latency.org (Linux row only in artifact)
lat.dpdk.1M.avg | port-to-port forward dpdk.1M | latency avg | 3 | us | validate | other | - | Table 1; benchmarks/bench07_latency.org (Linux row only in artifact)
lat.linux.1M.avg | port-to-port forward linux.1M | latency avg | 20 | us | validate | stack | - | Table 1; benchmarks/bench07_latency.org (Linux row only in artifact)
lat.xdp.1M.max | port-to-port forward xdp.1M | latency max | 202 | us | validate | path | - | Table 1; benchmarks/bench07_latency.org (Linux row only in artifact)
lat.dpdk.1M.max | port-to-port forward dpdk.1M | latency max | 189 | us | validate | other | - | Table 1; benchmarks/bench07_latency.org (Linux row only in artifact)
lat.linux.1M.max | port-to-port forward linux.1M | latency max | 236 | us | validate | stack | - | Table 1; benchmarks/bench07_latency.org (Linux row only in artifact)
lat.xdp.1M.under10us | port-to-port forward xdp.1M | latency under10us | 98.1 | % | validate | path | - | Table 1; benchmarks/bench07_latency.org (Linux row only in artifact)
lat.dpdk.1M.under10us | port-to-port forward dpdk.1M | latency under10us | 99 | % | validate | other | - | Table 1; benchmarks/bench07_latency.org (Linux row only in artifact)
lat.linux.1M.under10us | port-to-port forward linux.1M | latency under10us | 15.4 | % | validate | stack | - | Table 1; benchmarks/bench07_latency.org (Linux row only in artifact)
fwd.linux.single | IPv4 routing 1 core linux.single (full = 752,138 routes) | rate | 1739672 | pps | validate | forward | - | Fig.6; benchmarks/bench04_fwd.org
fwd.xdp.single | IPv4 routing 1 core xdp.single (full = 752,138 routes) | rate | 5355583 | pps | validate | forward | - | Fig.6; benchmarks/bench04_fwd.org
fwd.xdp.streams1 | xdp_fwd full table, 1 dst IPs, ring 512 | rate | 5767181 | pps | validate | forward | - | benchmarks/bench04_fwd.org
fwd.xdp.streams100 | xdp_fwd full table, 100 dst IPs, ring 512 | rate | 4726404 | pps | validate | forward | - | benchmarks/bench04_fwd.org
fwd.xdp.streams20000 | xdp_fwd full table, 20000 dst IPs, ring 512 | rate | 3850132 | pps | validate | forward | - | benchmarks/bench04_fwd.org
ipvs.1c | IPVS, 1 core(s) | rate | 1200000 | pps | validate | other | - | Table 2
ipvs.3c | IPVS, 3 core(s) | rate | 3700000 | pps | validate | other | - | Table 2
ipvs.5c | IPVS, 5 core(s) | rate | 6000000 | pps | validate | other | - | Table 2
ddos.xdp.0M | TCP_RR while XDP drops 0 Mpps on the RX CPU | TCP_RR | 34525 | trans/s | validate | tcp | - | Fig.7; bench03_ddos.org xdp_ddos_run2
ddos.xdp.2M | TCP_RR while XDP drops 2 Mpps on the RX CPU | TCP_RR | 31547 | trans/s | validate | tcp | - | Fig.7; bench03_ddos.org xdp_ddos_run2
ddos.xdp.5M | TCP_RR while XDP drops 5 Mpps on the RX CPU | TCP_RR | 28665 | trans/s | validate | tcp | - | Fig.7; bench03_ddos.org xdp_ddos_run2
ddos.xdp.15M | TCP_RR while XDP drops 15 Mpps on the RX CPU | TCP_RR | 28747 | trans/s | validate | tcp | - | Fig.7; bench03_ddos.org xdp_ddos_run2
ddos.xdp.19.5M | TCP_RR while XDP drops 19.5 Mpps on the RX CPU | TCP_RR | 26899 | trans/s | validate | tcp | - | Fig.7; bench03_ddos.org xdp_ddos_run2
ddos.xdp.21M | TCP_RR while XDP drops 21 Mpps on the RX CPU | TCP_RR | 15184 | trans/s | validate | tcp | - | Fig.7; bench03_ddos.org xdp_ddos_run2
ddos.xdp.23M | TCP_RR while XDP drops 23 Mpps on the RX CPU | TCP_RR | 0 | trans/s | validate | tcp | - | Fig.7; bench03_ddos.org xdp_ddos_run2
napi.bulk.avg | XDP_DROP 6 cores, PCIe-bound 75.3 Mpps (~40% idle) | packets per poll | 59 | pkt | validate | path | 5 | benchmarks/bench01_baseline.org napi_monitor
napi.bulk.full | XDP_DROP 6 cores, PCIe-bound 75.3 Mpps (~40% idle) | polls with full 64 budget | 81.3 | % | validate | path | 10 | benchmarks/bench01_baseline.org napi_monitor: 2,077,468 of ~2,553,835 polls
napi.irq.rate | XDP_DROP 6 cores, PCIe-bound 75.3 Mpps (~40% idle) | interrupts/s per queue | 34585 | 1/s | validate | path | 25 | benchmarks/bench02_xdp_drop.org ch0_events
napi.100g.idle | XDP_DROP 6 cores, PCIe-bound 75.3 Mpps (~40% idle) | CPU idle | 46.03 | % | validate | path | 15 | benchmarks/bench02_xdp_drop.org
napi.100g.irq | XDP_DROP 6 cores, PCIe-bound 75.3 Mpps (~40% idle) | interrupts/s | 75717 | 1/s | validate | path | 25 | benchmarks/bench02_xdp_drop.org ch0_events
napi.fwd.poll | xdp_fwd saturated: packets per poll | bulk | 64 | pkt | validate | path | 2 | benchmarks/bench04_fwd.org ch0_poll 59,523 at 3,809,489 pps
# github xdp-project/xdp-project areas/cpumap/cpumap03-optimizations.org | Xeon E5-1650 v4, i40e, kernel 5.1-rc4 | 3.6
cpumap.raw.base | cpumap remote CPU, iptables-raw drop | kthread rate | 6193534 | pps | validate | cpumap | - | baseline-redirect
# github xdp-project/xdp-project areas/cpumap/cpumap03-optimizations.org | Xeon E5-1650 v4, i40e | 3.6
cpumap.raw.prefetchw | cpumap + bulk skb alloc + prefetchw page | kthread rate | 7649604 | pps | validate | cpumap | - | Patch4
cpumap.rx | RX CPU enqueue side, bulk 8 (overloaded, ring 128) | enqueue rate | 19397368 | pps | validate | cpumap | - | XDP-RX
stack.raw.gro | stack raw drop GRO on | rate | 5775937 | pps | validate | stack | - | baseline
stack.udpnoports | stack to UDP lookup, no socket | rate | 3380531 | pps | validate | stack | - | baseline
# github xdp-project/xdp-project areas/cpumap/cpumap02-optimizations.org | Xeon E5-1650 v4, i40e, kernel 5.1-rc2 | 3.6
udp_sink.same | UDP app on same CPU as NAPI under overload | delivered | 718135 | pps | validate | app | - | udp_sink
# github xdp-project/xdp-project areas/core/xdp_frame02_overhead.org | Xeon E5-1650 v4, i40e | 3.6
i40e.tx.bpf_prog | XDP_TX per-function cost | cost | 11.5 | ns/pkt | calibrate | path | - | perf_report_pps_stats
i40e.tx.clean_rx_irq | XDP_TX per-function cost | cost | 11.1 | ns/pkt | calibrate | path | - | perf_report_pps_stats
i40e.tx.xmit_xdp_tx_ring | XDP_TX per-function cost | cost | 8.5 | ns/pkt | calibrate | path | - | perf_report_pps_stats
i40e.tx.xmit_xdp_ring | XDP_TX per-function cost | cost | 8.2 | ns/pkt | calibrate | path | - | perf_report_pps_stats
i40e.tx.dma_unmap_page | XDP_TX per-function cost | cost | 6.8 | ns/pkt | calibrate | path | - | perf_report_pps_stats
i40e.tx.clean_tx_irq | XDP_TX per-function cost | cost | 5.5 | ns/pkt | calibrate | path | - | perf_report_pps_stats
i40e.tx.run_xdp | XDP_TX per-function cost | cost | 4.3 | ns/pkt | calibrate | path | - | perf_report_pps_stats
i40e.tx.dma_direct_map_page | XDP_TX per-function cost | cost | 3.4 | ns/pkt | calibrate | path | - | perf_report_pps_stats
i40e.tx.xdp_return_frame | XDP_TX per-function cost | cost | 2.9 | ns/pkt | calibrate | path | - | perf_report_pps_stats
i40e.tx.page_frag_free | XDP_TX per-function cost | cost | 2.4 | ns/pkt | calibrate | path | - | perf_report_pps_stats
i40e.tx.dma_sync_for_cpu | XDP_TX per-function cost | cost | 2.2 | ns/pkt | calibrate | path | - | perf_report_pps_stats
i40e.tx.dma_sync_for_device | XDP_TX per-function cost | cost | 1.9 | ns/pkt | calibrate | path | - | perf_report_pps_stats
# github xdp-project/xdp-project areas/core/xdp_redir01_net_device.org | Xeon E5-1650 v4, i40e, 5.11-rc3 | 3.6
i40e.redir | xdp_redirect_map same port 1 core (82.5 ns) | rate | 12115061 | pps | validate | path | 5 | baseline
# github xdp-project/xdp-project areas/mem/xdp_bulk_return01.org | Xeon E5-1650 v4, mlx5 | 3.6
bulkret.bulk | ... xdp_return_frame_bulk (-6.47 ns) | rate | 9542483 | pps | validate | path | - | patchset
# github xdp-project/xdp-project areas/mem/page_pool07_bench_DMA_fix.org | Xeon E5-1650 v4 | 3.6
pp.fast | page_pool alloc+put, softirq fast cache | cost | 5.399 | ns | calibrate | path | 15 | tasklet_page_pool01
pp.ring | ... via ptr_ring | cost | 15.09 | ns | calibrate | path | 15 | tasklet_page_pool02
pp.slow | ... slow (page allocator) | cost | 66.134 | ns | calibrate | path | 15 | tasklet_page_pool03
# github xdp-project/xdp-project areas/mem/page_pool08_bench_AMD.org | AMD EPYC 9684X | -
pp.amd.fast | page_pool fast | cost | 5.555 | ns | validate | path | - | SRSO=IBPB table
pp.amd.slow | page_pool slow | cost | 37.607 | ns | validate | path | - | SRSO=IBPB table
# github xdp-project/xdp-project areas/mem/page_pool01_evolving_API.org | Xeon E5-1650 v4 | 3.6
alloc.page | alloc+free order-0 page, PCP fast path (223 cyc) | cost | 62.096 | ns | calibrate | path | - | page_bench01
# github xdp-project/xdp-project areas/mem/page_pool06_alloc_pages_bulk.org | Xeon E5-1650 v4 | 3.6
alloc.bulk64 | bulk page alloc+free (array) per page | cost | 27.252 | ns | calibrate | path | - | step:64
# github xdp-project/xdp-project areas/mem/page_pool07_bench_DMA_fix.org | Xeon E5-1650 v4 | 3.6
lock | spin_lock+unlock uncontended | cost | 10.431 | ns | calibrate | path | - | time_bench lock
atomic | atomic_inc | cost | 4.769 | ns | calibrate | path | - | atomic_inc
# github xdp-project/xdp-project areas/hints/traits01_bench_kmod.org | Xeon E5-1650 v4 retpoline on | 3.6
retp.call | indirect call with retpoline (direct call 1.266) | cost | 8.463 | ns | calibrate | path | - | time_bench func_ptr
# github xdp-project/xdp-project areas/mem/kfree_skb_list01.org | Xeon E5-1650 v4 | 3.6
kmem.single | kmem_cache alloc+free one by one | cost | 30.532 | ns | calibrate | path | - | slab_bulk_test01
kmem.bulk16 | kmem_cache bulk 16 | cost | 17.905 | ns | calibrate | path | - | slab_bulk_test01
# github xdp-project/xdp-project areas/core/xdp_frame01_checksum.org | Xeon E5-1650 v4, mlx5 | 3.6
csum1500 | missing HW csum: 1500B UDP checksum in stack | cost | 91.79 | ns/pkt | calibrate | path | - | table
# github xdp-project/xdp-project areas/core/xdp_frame01_checksum.org | Xeon E5-1650 v4 | 3.6
csumcopy1500 | ... combined with copy to user | cost | 54.28 | ns/pkt | calibrate | path | - | table
# github xdp-project/xdp-project conference/ebplane2019 | ixgbe 10G, 1 core | -
redir.helper | bpf_redirect (no bulk/devmap) | rate | 7500000 | pps | validate | path | - | slide
redir.map | bpf_redirect_map (bulk 16) | rate | 13000000 | pps | validate | path | - | slide
# github netoptimizer/prototype-kernel Documentation/blogposts/xdp25_eval_generic_xdp_tx.rst | Core i7-6700K, ConnectX-4, kernel 4.11/12 | 4
skl.drop.notouch | drop.notouch | rate | 19803663 | pps | validate | path | - | tables
skl.tx | tx | rate | 10107946 | pps | validate | path | - | tables
skl.generic.tx | generic.tx | rate | 4574424 | pps | validate | generic | - | tables
llc.to.l1 | first touch of packet data in L3 (DDIO) | cost | 32 | ns | calibrate | path | - | (1/12006685-1/19803663)
skb.alloc+free | skb build + GRO entry + free | cost | 35.57 | ns | calibrate | path | - | native vs generic XDP_DROP
skl.__build_skb | generic XDP_DROP | cost | 12.7 | ns/pkt | calibrate | path | - | perf per-function
skl.build_skb | generic XDP_DROP | cost | 6.7 | ns/pkt | calibrate | path | - | perf per-function
skl.page_frag_free | generic XDP_DROP | cost | 6.2 | ns/pkt | calibrate | path | - | perf per-function
skl.kmem_cache_alloc | generic XDP_DROP | cost | 4.9 | ns/pkt | calibrate | path | - | perf per-function
skl.kmem_cache_free | generic XDP_DROP | cost | 4.6 | ns/pkt | calibrate | path | - | perf per-function
skl.netif_receive_skb | generic XDP_DROP | cost | 4.7 | ns/pkt | calibrate | path | - | perf per-function
skl.napi_gro_receive | generic XDP_DROP | cost | 2.2 | ns/pkt | calibrate | path | - | perf per-function
skl.dev_gro_receive | generic XDP_DROP | cost | 1.8 | ns/pkt | calibrate | path | - | perf per-function
skl.eth_type_trans | generic XDP_DROP | cost | 1.5 | ns/pkt | calibrate | path | - | perf per-function
# netdev/xdp-newbies 2018 (mail-archive msg228524) | E5-1650v4, ixgbe | 3.6
retpoline.before | XDP redirect 1 core, no retpoline | rate | 13000000 | pps | validate | path | - | text
# kernel commit 735fc4054b3a | E5-1650v4, retpoline | 3.6
bulkxmit.ixgbe.before | redirect_map ixgbe, per-frame ndo_xdp_xmit | rate | 6042682 | pps | validate | path | - | commit msg
bulkxmit.ixgbe.after | ... bulk 16 | rate | 6853768 | pps | validate | path | - | commit msg
bulkxmit.i40e.after | ... bulk 16 | rate | 6724519 | pps | validate | path | - | commit msg
# kernel commit 4415a0319f92 (mlx5e page cache) | mlx5 ConnectX-4 | -
pgcache.none | pktgen raw drop 1500B order0, no page cache | rate | 3579414 | pps | validate | path | - | commit msg
pgcache.on | ... mapped page cache | rate | 3931708 | pps | validate | path | - | commit msg
pgcache.64.on | pktgen raw drop 64B, mapped page cache | rate | 4786899 | pps | calibrate | path | - | commit msg
pgcache.1024.on | pktgen raw drop 1024B, mapped page cache | rate | 4127852 | pps | calibrate | path | - | commit msg
# FOSDEM 2019 xdp_building_block slides (Karlsson/Toepel/Brouer), github xdp-project | Broadwell E5-2660 2.7GHz, i40e 40G x2, 2 AF_XDP sockets, kernel 4.20, mitigations on | 2.7
afxdp.420.rxdrop | AF_XDP zero-copy rxdrop (AF_PACKET 0.7/1.0/0.7) | rate | 15.1 | Mpps | validate | afxdp | - | results_4.20
afxdp.420.l2fwd | AF_XDP zero-copy l2fwd (AF_PACKET 0.7/1.0/0.7) | rate | 12 | Mpps | validate | afxdp | - | results_4.20
# FOSDEM 2019 xdp_building_block slides (Karlsson/Toepel/Brouer), github xdp-project | Broadwell E5-2660 2.7GHz, i40e 40G x2, 2 AF_XDP sockets | 2.7
afxdp.opt.rxdrop | AF_XDP optimized rxdrop | rate | 39.3 | Mpps | validate | afxdp | - | results_poll run-to-completion
afxdp.opt.l2fwd | AF_XDP optimized l2fwd | rate | 22.4 | Mpps | validate | afxdp | - | results_poll run-to-completion
afxdp.poll.rxdrop | AF_XDP poll() rxdrop | rate | 30.4 | Mpps | validate | afxdp | - | results_poll poll()
afxdp.poll.l2fwd | AF_XDP poll() l2fwd | rate | 16.4 | Mpps | validate | afxdp | - | results_poll poll()
# github ixy-languages/ixy-languages README + Rust-vs-C-performance.md | Xeon E3-1230 v2 @1.6GHz, ixgbe bidir fwd | 1.6
ixy.c.1.6.b1 | ixy C forward, batch 1 | rate | 4.1 | Mpps | validate | other | 10 | img/batches-1.6.png (read off plot, +-0.2)
ixy.c.1.6.b4 | ixy C forward, batch 4 | rate | 11.3 | Mpps | validate | other | 10 | img/batches-1.6.png (read off plot, +-0.2)
ixy.c.1.6.b16 | ixy C forward, batch 16 | rate | 15.6 | Mpps | validate | other | 10 | img/batches-1.6.png (read off plot, +-0.2)
ixy.c.1.6.b64 | ixy C forward, batch 64 | rate | 17.2 | Mpps | validate | other | 10 | img/batches-1.6.png (read off plot, +-0.2)
ixy.c.1.6.b256 | ixy C forward, batch 256 | rate | 17.5 | Mpps | validate | other | 10 | img/batches-1.6.png (read off plot, +-0.2)
# github ixy-languages/ixy-languages README + Rust-vs-C-performance.md | Xeon E3-1230 v2 @3.3GHz | 3.3
ixy.c.3.3.b1 | ixy C forward, batch 1 | rate | 8.3 | Mpps | validate | other | 10 | img/batches-3.3.png (read off plot)
ixy.c.3.3.b4 | ixy C forward, batch 4 | rate | 20.9 | Mpps | validate | other | 10 | img/batches-3.3.png (read off plot)
ixy.c.3.3.b16 | ixy C forward, batch 16 | rate | 27.4 | Mpps | validate | other | 10 | img/batches-3.3.png (read off plot)
# github ixy-languages/ixy-languages README + Rust-vs-C-performance.md | Xeon E3-1230 v3 | -
ixy.cyc.b32 | ixy C cycles/packet batch 32 | cost | 94 | cyc/pkt | validate | other | - | counter table
# github ixy-languages/ixy-languages README + Rust-vs-C-performance.md | Xeon E3-1230 v2 @3.3GHz | 3.3
ixy.js | ixy.js (JavaScript driver) batch 32 | rate | 4.9 | Mpps | validate | other | - | img/batches-3.3.png
# github martinkarsten/irqsuspend @664164f3 results/v8 (raw; means of 9-10 runs computed here; LKML v8 cover 20241108045337.292905-1) | 8 cores, mlx5 DIM on rx-usecs 8/rx-frames 128, kernel 6.12-rc5 mitigations off, memcached+mutilate | -
irqs.200K.base.avg | base at 200K QPS | avg latency | 114 | us | calibrate | app | - | mutilate-*.out
irqs.200K.defer200.avg | defer200 at 200K QPS | avg latency | 164 | us | validate | app | - | mutilate-*.out
irqs.200K.fullbusy.avg | fullbusy at 200K QPS | avg latency | 50 | us | validate | app | - | mutilate-*.out
irqs.600K.base.avg | base at 600K QPS | avg latency | 150 | us | validate | app | - | mutilate-*.out
irqs.600K.defer200.avg | defer200 at 600K QPS | avg latency | 200 | us | validate | app | - | mutilate-*.out
irqs.600K.fullbusy.avg | fullbusy at 600K QPS | avg latency | 57 | us | validate | app | - | mutilate-*.out
irqs.800K.base.avg | base at 800K QPS | avg latency | 180 | us | validate | app | - | mutilate-*.out
irqs.800K.defer200.avg | defer200 at 800K QPS | avg latency | 227 | us | validate | app | - | mutilate-*.out
irqs.800K.suspend20.avg | suspend20 at 800K QPS | avg latency | 75 | us | validate | app | - | mutilate-*.out
irqs.200K.base.p99 | base at 200K QPS | p99 latency | 433 | us | validate | app | - | mutilate
irqs.200K.defer200.p99 | defer200 at 200K QPS | p99 latency | 324 | us | validate | app | - | mutilate
irqs.200K.fullbusy.p99 | fullbusy at 200K QPS | p99 latency | 143 | us | validate | app | - | mutilate
irqs.600K.base.p99 | base at 600K QPS | p99 latency | 582 | us | validate | app | - | mutilate
irqs.600K.defer200.p99 | defer200 at 600K QPS | p99 latency | 358 | us | validate | app | - | mutilate
irqs.600K.fullbusy.p99 | fullbusy at 600K QPS | p99 latency | 179 | us | validate | app | - | mutilate
irqs.800K.base.p99 | base at 800K QPS | p99 latency | 541 | us | validate | app | - | mutilate
irqs.800K.defer200.p99 | defer200 at 800K QPS | p99 latency | 411 | us | validate | app | - | mutilate
irqs.800K.suspend20.p99 | suspend20 at 800K QPS | p99 latency | 242 | us | validate | app | - | mutilate
irqs.200K.base.cpu | base at 200K QPS | CPU busy | 26 | % | calibrate | app | - | sar
irqs.200K.defer200.cpu | defer200 at 200K QPS | CPU busy | 18.7 | % | validate | app | - | sar
irqs.200K.fullbusy.cpu | fullbusy at 200K QPS | CPU busy | 100 | % | validate | app | - | sar
irqs.600K.base.cpu | base at 600K QPS | CPU busy | 61.5 | % | validate | app | - | sar
irqs.600K.defer200.cpu | defer200 at 600K QPS | CPU busy | 45.8 | % | validate | app | - | sar
irqs.600K.fullbusy.cpu | fullbusy at 600K QPS | CPU busy | 100 | % | validate | app | - | sar
irqs.800K.base.cpu | base at 800K QPS | CPU busy | 86.8 | % | validate | app | - | sar
irqs.800K.defer200.cpu | defer200 at 800K QPS | CPU busy | 62.8 | % | validate | app | - | sar
irqs.800K.suspend20.cpu | suspend20 at 800K QPS | CPU busy | 78 | % | validate | app | - | sar
irqs.200K.base.ppi | base at 200K QPS | packets per interrupt | 2.6 | pkt | validate | app | - | irq-*.out
irqs.800K.base.ppi | base at 800K QPS | packets per interrupt | 19.94 | pkt | validate | app | - | irq-*.out
# Farshin ATC'20 artifact github aliireza/ddio-bench @55d0542 pktsize-desc sample-results | Xeon Gold 6140 2.3GHz, ConnectX-5 100G, DPDK 20.02 FastClick forward 1500B max rate, DDIO 2 ways | 2.3
ddio.128.p99 | 128 RX descriptors | p99 latency | 870.55 | us | validate | memory | - | 1500LAT99
ddio.512.p99 | 512 RX descriptors | p99 latency | 906.7 | us | validate | memory | - | 1500LAT99
ddio.2048.p99 | 2048 RX descriptors | p99 latency | 1117 | us | validate | memory | - | 1500LAT99
ddio.128.miss | 128 RX descriptors | PCIe-write LLC miss | 2.115 | % | validate | memory | - | 1500ItoM-MISS-RATE
ddio.512.miss | 512 RX descriptors | PCIe-write LLC miss | 3.303 | % | validate | memory | - | 1500ItoM-MISS-RATE
ddio.2048.miss | 2048 RX descriptors | PCIe-write LLC miss | 19.911 | % | validate | memory | - | 1500ItoM-MISS-RATE
ddio.128.pps | 128 RX descriptors | rate | 7.532 | Mpps | validate | memory | - | 1500PPS
ddio.512.pps | 512 RX descriptors | rate | 7.555 | Mpps | validate | memory | - | 1500PPS
ddio.2048.pps | 2048 RX descriptors | rate | 7.423 | Mpps | validate | memory | - | 1500PPS
# Farshin ATC'20 artifact ddio-tune | Xeon Gold 6140 2.3GHz, ConnectX-5 100G, DPDK 20.02 FastClick forward 1024B max rate, | 2.3
ddio.ways2 | DDIO ways 2 | PCIe-write LLC miss | 36.6 | % | validate | memory | - | ItoM-MISS-RATE
ddio.ways4 | DDIO ways 4 | PCIe-write LLC miss | 2.75 | % | validate | memory | - | ItoM-MISS-RATE
ddio.ways6 | DDIO ways 6 | PCIe-write LLC miss | 0.06 | % | validate | memory | - | ItoM-MISS-RATE
# github pcie-bench/pcie-model @40703cf nic_bw.py (SIGCOMM'18 model, Apache-2.0; run here) | PCIe Gen3 x8, MPS 256, MRRS 512, Niantic-style NIC | -
pcie.kernel.bi.64 | 64B, kernel driver, bidirectional | Eth payload bw | 17.63 | Gb/s | validate | pcie | - | Fig.1 curve
pcie.kernel.bi.256 | 256B, kernel driver, bidirectional | Eth payload bw | 37.5 | Gb/s | validate | pcie | - | Fig.1 curve
pcie.kernel.bi.1024 | 1024B, kernel driver, bidirectional | Eth payload bw | 47.12 | Gb/s | validate | pcie | - | Fig.1 curve
pcie.kernel.rx.64 | 64B, kernel driver, RX only | bw | 27.16 | Gb/s | validate | pcie | - | curve
pcie.kernel.rx.128 | 128B, kernel driver, RX only | bw | 37.41 | Gb/s | validate | pcie | - | curve
pcie.kernel.rx.256 | 256B, kernel driver, RX only | bw | 45.6 | Gb/s | validate | pcie | - | curve
pcie.kernel.rx.512 | 512B, kernel driver, RX only | bw | 49.02 | Gb/s | validate | pcie | - | curve
pcie.kernel.rx.1024 | 1024B, kernel driver, RX only | bw | 50.9 | Gb/s | validate | pcie | - | curve
# Linux Documentation/networking/NAPI_HOWTO.txt (Jan 2002, Robert Olsson data) | e1000 1G, 1M packets offered, quota 64 | -
napi2002.60.rxint | 60B at 890000 pps | RX interrupts per 1M pkts | 17 | irq | validate | napi | - | table
napi2002.1024.rxint | 1024B at 119061 pps | RX interrupts per 1M pkts | 872519 | irq | validate | napi | - | table
napi2002.60.out | 60B at 890000 pps | packets forwarded of 1M | 409362 | pkt | calibrate | napi | - | table
napi2002.1024.out | 1024B at 119061 pps | packets forwarded of 1M | 1000003 | pkt | validate | napi | - | table
napi2002.60.ndone | 60B | polls that hit the quota | 6823 | polls | validate | napi | - | table
napi2002.1024.ndone | 1024B | polls that hit the quota | 0 | polls | validate | napi | - | table
# xdp-trafficgen slides LLC2022, github xdp-project | mlx5 (ens3f1), same lab E5-1650v4 | 3.6
trafficgen.1c | XDP live frames redirect 1 core | rate | 8919659 | pps | validate | other | - | slide
`;
