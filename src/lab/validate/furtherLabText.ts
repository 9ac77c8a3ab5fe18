/**
 * Further published measurements of the XDP paper and of the lab it came from, which the reference
 * figures do not have: other core counts, ring sizes and loads, as they stand there. The form is
 * that of figuresText.ts. Nothing was fitted on them.
 */
export const FURTHER_LAB_TEXT = `
# XDP CoNEXT'18 paper + artifact (github tohojo/xdp-paper @0a68967) | Xeon E5-1650 v4 6c no-HT, 2x ConnectX-5 100G (mlx5), kernel 4.17-rc7/4.18-pre, retpoline off | 3.6
drop.nocompress.2c | XDP_DROP 64B no_touch, 2 core(s), cqe_compress off (PCIe-bound >=4) | rate | 50232370 | pps | validate | path | 5 | benchmarks/bench01_baseline.org xdp_drop_data_jdb01 RX=512
drop.nocompress.4c | XDP_DROP 64B no_touch, 4 core(s), cqe_compress off (PCIe-bound >=4) | rate | 86198361 | pps | validate | path | 5 | benchmarks/bench01_baseline.org xdp_drop_data_jdb01 RX=512
drop.nocompress.6c | XDP_DROP 64B no_touch, 6 core(s), cqe_compress off (PCIe-bound >=4) | rate | 87101116 | pps | validate | path | 5 | benchmarks/bench01_baseline.org xdp_drop_data_jdb01 RX=512
drop.nocompress.r1024.1c | XDP_DROP 64B no_touch, rx ring 1024, 1 core(s), cqe_compress off | rate | 24379188 | pps | validate | path | 5 | benchmarks/bench01_baseline.org xdp_drop_data_jdb01 RX=1024
drop.nocompress.r1024.2c | XDP_DROP 64B no_touch, rx ring 1024, 2 core(s), cqe_compress off | rate | 49805895 | pps | validate | path | 5 | benchmarks/bench01_baseline.org xdp_drop_data_jdb01 RX=1024
drop.nocompress.r1024.3c | XDP_DROP 64B no_touch, rx ring 1024, 3 core(s), cqe_compress off | rate | 73230349 | pps | validate | path | 5 | benchmarks/bench01_baseline.org xdp_drop_data_jdb01 RX=1024
drop.nocompress.r1024.4c | XDP_DROP 64B no_touch, rx ring 1024, 4 core(s), cqe_compress off | rate | 86624323 | pps | validate | path | 5 | benchmarks/bench01_baseline.org xdp_drop_data_jdb01 RX=1024
drop.nocompress.r1024.5c | XDP_DROP 64B no_touch, rx ring 1024, 5 core(s), cqe_compress off | rate | 86830822 | pps | validate | path | 5 | benchmarks/bench01_baseline.org xdp_drop_data_jdb01 RX=1024
drop.nocompress.r1024.6c | XDP_DROP 64B no_touch, rx ring 1024, 6 core(s), cqe_compress off | rate | 86608045 | pps | validate | path | 5 | benchmarks/bench01_baseline.org xdp_drop_data_jdb01 RX=1024
drop.read.r512.1c | XDP_DROP 64B read, rx ring 512, 1 core(s), cqe_compress off | rate | 23062789 | pps | validate | path | 5 | benchmarks/bench01_baseline.org xdp_drop_data_jdb01 read RX=512
drop.read.r512.2c | XDP_DROP 64B read, rx ring 512, 2 core(s), cqe_compress off | rate | 46537526 | pps | validate | path | 5 | benchmarks/bench01_baseline.org xdp_drop_data_jdb01 read RX=512
drop.read.r512.3c | XDP_DROP 64B read, rx ring 512, 3 core(s), cqe_compress off | rate | 68859775 | pps | validate | path | 5 | benchmarks/bench01_baseline.org xdp_drop_data_jdb01 read RX=512
drop.read.r512.4c | XDP_DROP 64B read, rx ring 512, 4 core(s), cqe_compress off | rate | 86168278 | pps | validate | path | 5 | benchmarks/bench01_baseline.org xdp_drop_data_jdb01 read RX=512
drop.read.r512.5c | XDP_DROP 64B read, rx ring 512, 5 core(s), cqe_compress off | rate | 87341248 | pps | validate | path | 5 | benchmarks/bench01_baseline.org xdp_drop_data_jdb01 read RX=512
drop.read.r512.6c | XDP_DROP 64B read, rx ring 512, 6 core(s), cqe_compress off | rate | 87585333 | pps | validate | path | 5 | benchmarks/bench01_baseline.org xdp_drop_data_jdb01 read RX=512
drop.read.r1024.1c | XDP_DROP 64B read, rx ring 1024, 1 core(s), cqe_compress off | rate | 23095606 | pps | validate | path | 5 | benchmarks/bench01_baseline.org xdp_drop_data_jdb01 read RX=1024
drop.read.r1024.2c | XDP_DROP 64B read, rx ring 1024, 2 core(s), cqe_compress off | rate | 46552903 | pps | validate | path | 5 | benchmarks/bench01_baseline.org xdp_drop_data_jdb01 read RX=1024
drop.read.r1024.3c | XDP_DROP 64B read, rx ring 1024, 3 core(s), cqe_compress off | rate | 64474005 | pps | validate | path | 5 | benchmarks/bench01_baseline.org xdp_drop_data_jdb01 read RX=1024
drop.read.r1024.4c | XDP_DROP 64B read, rx ring 1024, 4 core(s), cqe_compress off | rate | 68250791 | pps | validate | path | 5 | benchmarks/bench01_baseline.org xdp_drop_data_jdb01 read RX=1024
drop.read.r1024.5c | XDP_DROP 64B read, rx ring 1024, 5 core(s), cqe_compress off | rate | 49905645 | pps | validate | path | 5 | benchmarks/bench01_baseline.org xdp_drop_data_jdb01 read RX=1024
drop.read.r1024.6c | XDP_DROP 64B read, rx ring 1024, 6 core(s), cqe_compress off | rate | 56323684 | pps | validate | path | 5 | benchmarks/bench01_baseline.org xdp_drop_data_jdb01 read RX=1024
drop.bench02.1c | XDP_DROP 64B no_touch, rx ring 1024, 1 core(s), another kernel | rate | 25572977 | pps | validate | path | 5 | benchmarks/bench02_xdp_drop.org stream_count=1
drop.bench02.2c | XDP_DROP 64B no_touch, rx ring 1024, 2 core(s), another kernel | rate | 51907348 | pps | validate | path | 5 | benchmarks/bench02_xdp_drop.org stream_count=2
drop.bench02.3c | XDP_DROP 64B no_touch, rx ring 1024, 3 core(s), another kernel | rate | 75530250 | pps | validate | path | 5 | benchmarks/bench02_xdp_drop.org stream_count=3
drop.bench02.4c | XDP_DROP 64B no_touch, rx ring 1024, 4 core(s), another kernel | rate | 86521177 | pps | validate | path | 5 | benchmarks/bench02_xdp_drop.org stream_count=4
drop.bench02.5c | XDP_DROP 64B no_touch, rx ring 1024, 5 core(s), another kernel | rate | 86837876 | pps | validate | path | 5 | benchmarks/bench02_xdp_drop.org stream_count=5
drop.bench02.6c | XDP_DROP 64B no_touch, rx ring 1024, 6 core(s), another kernel | rate | 86809556 | pps | validate | path | 5 | benchmarks/bench02_xdp_drop.org stream_count=6
drop.toke.1c | XDP_DROP 64B no_touch, rx ring 1024, 1 core(s), the other machine | rate | 25928270 | pps | validate | path | 5 | benchmarks/bench01_baseline.org xdp_base_data
drop.toke.2c | XDP_DROP 64B no_touch, rx ring 1024, 2 core(s), the other machine | rate | 51349744 | pps | validate | path | 5 | benchmarks/bench01_baseline.org xdp_base_data
drop.toke.3c | XDP_DROP 64B no_touch, rx ring 1024, 3 core(s), the other machine | rate | 76578241 | pps | validate | path | 5 | benchmarks/bench01_baseline.org xdp_base_data
drop.toke.4c | XDP_DROP 64B no_touch, rx ring 1024, 4 core(s), the other machine | rate | 82782450 | pps | validate | path | 5 | benchmarks/bench01_baseline.org xdp_base_data
drop.toke.5c | XDP_DROP 64B no_touch, rx ring 1024, 5 core(s), the other machine | rate | 82294143 | pps | validate | path | 5 | benchmarks/bench01_baseline.org xdp_base_data
drop.toke.6c | XDP_DROP 64B no_touch, rx ring 1024, 6 core(s), the other machine | rate | 80444303 | pps | validate | path | 5 | benchmarks/bench01_baseline.org xdp_base_data
redir.toke.1c | XDP_REDIRECT (devmap) to other port, rx ring 1024, 1 core(s), the other machine | rate | 8461375 | pps | validate | path | 7 | benchmarks/bench01_baseline.org xdp_base_data
redir.toke.2c | XDP_REDIRECT (devmap) to other port, rx ring 1024, 2 core(s), the other machine | rate | 16241020 | pps | validate | path | 7 | benchmarks/bench01_baseline.org xdp_base_data
redir.toke.3c | XDP_REDIRECT (devmap) to other port, rx ring 1024, 3 core(s), the other machine | rate | 18639798 | pps | validate | path | 7 | benchmarks/bench01_baseline.org xdp_base_data
redir.toke.4c | XDP_REDIRECT (devmap) to other port, rx ring 1024, 4 core(s), the other machine | rate | 21417122 | pps | validate | path | 7 | benchmarks/bench01_baseline.org xdp_base_data
redir.toke.5c | XDP_REDIRECT (devmap) to other port, rx ring 1024, 5 core(s), the other machine | rate | 25373567 | pps | validate | path | 7 | benchmarks/bench01_baseline.org xdp_base_data
redir.toke.6c | XDP_REDIRECT (devmap) to other port, rx ring 1024, 6 core(s), the other machine | rate | 29970889 | pps | validate | path | 7 | benchmarks/bench01_baseline.org xdp_base_data
redir.r128.2c | XDP_REDIRECT (devmap) to other port, rx ring 128, 2 core(s) | rate | 14268397 | pps | validate | path | 7 | benchmarks/bench05_xdp_redirect.org
redir.r128.4c | XDP_REDIRECT (devmap) to other port, rx ring 128, 4 core(s) | rate | 29512278 | pps | validate | path | 7 | benchmarks/bench05_xdp_redirect.org
redir.r128.6c | XDP_REDIRECT (devmap) to other port, rx ring 128, 6 core(s) | rate | 43376903 | pps | validate | path | 7 | benchmarks/bench05_xdp_redirect.org
redir.r256.2c | XDP_REDIRECT (devmap) to other port, rx ring 256, 2 core(s) | rate | 16742325 | pps | validate | path | 7 | benchmarks/bench05_xdp_redirect.org
redir.r256.4c | XDP_REDIRECT (devmap) to other port, rx ring 256, 4 core(s) | rate | 34185239 | pps | validate | path | 7 | benchmarks/bench05_xdp_redirect.org
redir.r256.6c | XDP_REDIRECT (devmap) to other port, rx ring 256, 6 core(s) | rate | 46062737 | pps | validate | path | 7 | benchmarks/bench05_xdp_redirect.org
redir.r512.2c | XDP_REDIRECT (devmap) to other port, rx ring 512, 2 core(s) | rate | 16629074 | pps | validate | path | 7 | benchmarks/bench05_xdp_redirect.org
redir.r512.4c | XDP_REDIRECT (devmap) to other port, rx ring 512, 4 core(s) | rate | 28807445 | pps | validate | path | 7 | benchmarks/bench05_xdp_redirect.org
redir.r512.6c | XDP_REDIRECT (devmap) to other port, rx ring 512, 6 core(s) | rate | 33970445 | pps | validate | path | 7 | benchmarks/bench05_xdp_redirect.org
redir.r1024.2c | XDP_REDIRECT (devmap) to other port, rx ring 1024, 2 core(s) | rate | 15975491 | pps | validate | path | 7 | benchmarks/bench05_xdp_redirect.org
redir.r1024.4c | XDP_REDIRECT (devmap) to other port, rx ring 1024, 4 core(s) | rate | 21535588 | pps | validate | path | 7 | benchmarks/bench05_xdp_redirect.org
redir.r1024.6c | XDP_REDIRECT (devmap) to other port, rx ring 1024, 6 core(s) | rate | 29828924 | pps | validate | path | 7 | benchmarks/bench05_xdp_redirect.org
tx.r1024.2c | XDP_TX macswap, rx=tx ring 1024, 2 core(s) | rate | 31226024 | pps | validate | path | 7 | benchmarks/bench01_baseline.org xdp_tx_data01
tx.r1024.4c | XDP_TX macswap, rx=tx ring 1024, 4 core(s) | rate | 32604398 | pps | validate | path | 7 | benchmarks/bench01_baseline.org xdp_tx_data01
tx.r1024.6c | XDP_TX macswap, rx=tx ring 1024, 6 core(s) | rate | 43230678 | pps | validate | path | 7 | benchmarks/bench01_baseline.org xdp_tx_data01
tx.r1024.2c.llcmiss | XDP_TX ring 1024, 2 core(s) | LLC miss of refs | 0.469 | % | validate | path | - | benchmarks/bench01_baseline.org xdp_tx_data01
tx.r1024.4c.llcmiss | XDP_TX ring 1024, 4 core(s) | LLC miss of refs | 30.577 | % | validate | path | - | benchmarks/bench01_baseline.org xdp_tx_data01
tx.r1024.6c.llcmiss | XDP_TX ring 1024, 6 core(s) | LLC miss of refs | 41.977 | % | validate | path | - | benchmarks/bench01_baseline.org xdp_tx_data01
cpu.xdp.0.5M | XDP_DROP 1 core, offered 0.5 Mpps | CPU busy | 11.7 | % | validate | path | 15 | benchmarks/bench01_baseline.org cpu_stats (100-idle)
cpu.xdp.2M | XDP_DROP 1 core, offered 2 Mpps | CPU busy | 28.9 | % | validate | path | 15 | benchmarks/bench01_baseline.org cpu_stats (100-idle)
cpu.xdp.5M | XDP_DROP 1 core, offered 5 Mpps | CPU busy | 47.3 | % | validate | path | 15 | benchmarks/bench01_baseline.org cpu_stats (100-idle)
cpu.xdp.15M | XDP_DROP 1 core, offered 15 Mpps | CPU busy | 74.7 | % | validate | path | 15 | benchmarks/bench01_baseline.org cpu_stats (100-idle)
cpu.xdp.24.8M | XDP_DROP 1 core, offered 24.8 Mpps | CPU busy | 100 | % | validate | path | 15 | benchmarks/bench01_baseline.org cpu_stats (100-idle)
cpu.linux.0.5M | Linux raw drop 1 core, offered 0.5 Mpps | CPU busy | 30.2 | % | validate | stack | 15 | benchmarks/bench01_baseline.org cpu_stats
cpu.linux.2M | Linux raw drop 1 core, offered 2 Mpps | CPU busy | 59.6 | % | validate | stack | 15 | benchmarks/bench01_baseline.org cpu_stats
cpu.linux.5M | Linux raw drop 1 core, offered 5 Mpps | CPU busy | 100 | % | validate | stack | 15 | benchmarks/bench01_baseline.org cpu_stats
raw.2c | Linux iptables raw drop, 2 core(s) | rate | 10226514 | pps | validate | stack | 5 | benchmarks/bench01_baseline.org linux_iptables_drop
raw.4c | Linux iptables raw drop, 4 core(s) | rate | 20075858 | pps | validate | stack | 5 | benchmarks/bench01_baseline.org linux_iptables_drop
raw.6c | Linux iptables raw drop, 6 core(s) | rate | 29443869 | pps | validate | stack | 5 | benchmarks/bench01_baseline.org linux_iptables_drop
napi.bench02.poll | XDP_DROP 6 cores, PCIe-bound 86.2 Mpps | packets per poll | 60.1 | pkt | validate | path | - | benchmarks/bench02_xdp_drop.org ch0_poll 238,494 at 14,334,335 pps
napi.bench01.idle | XDP_DROP 6 cores, PCIe-bound 75.3 Mpps | CPU idle | 39.04 | % | validate | path | 15 | benchmarks/bench01_baseline.org mpstat
fwd.linux.2c | IPv4 routing, single route, 2 core(s) | rate | 3370584 | pps | validate | stack | - | benchmarks/bench04_fwd.org fwd_data
fwd.linux.3c | IPv4 routing, single route, 3 core(s) | rate | 4976559 | pps | validate | stack | - | benchmarks/bench04_fwd.org fwd_data
fwd.linux.4c | IPv4 routing, single route, 4 core(s) | rate | 6488625 | pps | validate | stack | - | benchmarks/bench04_fwd.org fwd_data
fwd.linux.5c | IPv4 routing, single route, 5 core(s) | rate | 7848970 | pps | validate | stack | - | benchmarks/bench04_fwd.org fwd_data
fwd.linux.6c | IPv4 routing, single route, 6 core(s) | rate | 9285971 | pps | validate | stack | - | benchmarks/bench04_fwd.org fwd_data
fwd.xdp.r256.2c | xdp_fwd, single route, rx ring 256, 2 core(s) | rate | 10652337 | pps | validate | path | - | benchmarks/bench04_fwd.org fwd_data
fwd.xdp.r256.3c | xdp_fwd, single route, rx ring 256, 3 core(s) | rate | 15937977 | pps | validate | path | - | benchmarks/bench04_fwd.org fwd_data
fwd.xdp.r256.4c | xdp_fwd, single route, rx ring 256, 4 core(s) | rate | 21353932 | pps | validate | path | - | benchmarks/bench04_fwd.org fwd_data
fwd.xdp.r256.5c | xdp_fwd, single route, rx ring 256, 5 core(s) | rate | 26056821 | pps | validate | path | - | benchmarks/bench04_fwd.org fwd_data
fwd.xdp.r256.6c | xdp_fwd, single route, rx ring 256, 6 core(s) | rate | 30416566 | pps | validate | path | - | benchmarks/bench04_fwd.org fwd_data
fwd.xdp.r512.1c | xdp_fwd, single route, rx ring 512, 1 core(s) | rate | 5357696 | pps | validate | path | - | benchmarks/bench04_fwd.org fwd_data
fwd.xdp.r512.2c | xdp_fwd, single route, rx ring 512, 2 core(s) | rate | 10570550 | pps | validate | path | - | benchmarks/bench04_fwd.org fwd_data
fwd.xdp.r512.3c | xdp_fwd, single route, rx ring 512, 3 core(s) | rate | 15722609 | pps | validate | path | - | benchmarks/bench04_fwd.org fwd_data
fwd.xdp.r512.4c | xdp_fwd, single route, rx ring 512, 4 core(s) | rate | 20192727 | pps | validate | path | - | benchmarks/bench04_fwd.org fwd_data
fwd.xdp.r512.5c | xdp_fwd, single route, rx ring 512, 5 core(s) | rate | 23225298 | pps | validate | path | - | benchmarks/bench04_fwd.org fwd_data
fwd.xdp.r512.6c | xdp_fwd, single route, rx ring 512, 6 core(s) | rate | 25916115 | pps | validate | path | - | benchmarks/bench04_fwd.org fwd_data
fwd.xdp.r1024.1c | xdp_fwd, single route, rx ring 1024, 1 core(s) | rate | 5211477 | pps | validate | path | - | benchmarks/bench04_fwd.org fwd_data
fwd.xdp.r1024.2c | xdp_fwd, single route, rx ring 1024, 2 core(s) | rate | 10239315 | pps | validate | path | - | benchmarks/bench04_fwd.org fwd_data
fwd.xdp.r1024.3c | xdp_fwd, single route, rx ring 1024, 3 core(s) | rate | 13731038 | pps | validate | path | - | benchmarks/bench04_fwd.org fwd_data
fwd.xdp.r1024.4c | xdp_fwd, single route, rx ring 1024, 4 core(s) | rate | 16393261 | pps | validate | path | - | benchmarks/bench04_fwd.org fwd_data
fwd.xdp.r1024.5c | xdp_fwd, single route, rx ring 1024, 5 core(s) | rate | 19364863 | pps | validate | path | - | benchmarks/bench04_fwd.org fwd_data
fwd.xdp.r1024.6c | xdp_fwd, single route, rx ring 1024, 6 core(s) | rate | 22852944 | pps | validate | path | - | benchmarks/bench04_fwd.org fwd_data
fwd.linux.full.1c | IPv4 routing, 752,138 routes, 1 core(s) | rate | 1373550 | pps | validate | forward | - | benchmarks/bench04_fwd.org fwd_data
fwd.linux.full.2c | IPv4 routing, 752,138 routes, 2 core(s) | rate | 2746704 | pps | validate | forward | - | benchmarks/bench04_fwd.org fwd_data
fwd.linux.full.3c | IPv4 routing, 752,138 routes, 3 core(s) | rate | 3958725 | pps | validate | forward | - | benchmarks/bench04_fwd.org fwd_data
fwd.linux.full.4c | IPv4 routing, 752,138 routes, 4 core(s) | rate | 5295366 | pps | validate | forward | - | benchmarks/bench04_fwd.org fwd_data
fwd.linux.full.5c | IPv4 routing, 752,138 routes, 5 core(s) | rate | 6451024 | pps | validate | forward | - | benchmarks/bench04_fwd.org fwd_data
fwd.linux.full.6c | IPv4 routing, 752,138 routes, 6 core(s) | rate | 7809312 | pps | validate | forward | - | benchmarks/bench04_fwd.org fwd_data
fwd.xdp.full.1c | xdp_fwd, 752,138 routes, rx ring 256, 1 core(s) | rate | 3446336 | pps | validate | forward | - | benchmarks/bench04_fwd.org fwd_data
fwd.xdp.full.2c | xdp_fwd, 752,138 routes, rx ring 256, 2 core(s) | rate | 7016974 | pps | validate | forward | - | benchmarks/bench04_fwd.org fwd_data
fwd.xdp.full.3c | xdp_fwd, 752,138 routes, rx ring 256, 3 core(s) | rate | 10641333 | pps | validate | forward | - | benchmarks/bench04_fwd.org fwd_data
fwd.xdp.full.4c | xdp_fwd, 752,138 routes, rx ring 256, 4 core(s) | rate | 14408549 | pps | validate | forward | - | benchmarks/bench04_fwd.org fwd_data
fwd.xdp.full.5c | xdp_fwd, 752,138 routes, rx ring 256, 5 core(s) | rate | 17870856 | pps | validate | forward | - | benchmarks/bench04_fwd.org fwd_data
fwd.xdp.full.6c | xdp_fwd, 752,138 routes, rx ring 256, 6 core(s) | rate | 21227330 | pps | validate | forward | - | benchmarks/bench04_fwd.org fwd_data
lat.xdp.1M.back.avg | port-to-port forward xdp.1M, the other direction | latency avg | 6 | us | validate | path | - | benchmarks/bench07_latency.org
lat.xdp.1M.back.max | port-to-port forward xdp.1M, the other direction | latency max | 198 | us | validate | path | - | benchmarks/bench07_latency.org
lat.xdp.1M.back.under10us | port-to-port forward xdp.1M, the other direction | latency under10us | 90.8 | % | validate | path | - | benchmarks/bench07_latency.org
lat.linux.1M.back.avg | port-to-port forward linux.1M, the other direction | latency avg | 15 | us | validate | stack | - | benchmarks/bench07_latency.org
lat.linux.1M.back.max | port-to-port forward linux.1M, the other direction | latency max | 239 | us | validate | stack | - | benchmarks/bench07_latency.org
lat.linux.1M.back.under10us | port-to-port forward linux.1M, the other direction | latency under10us | 15.8 | % | validate | stack | - | benchmarks/bench07_latency.org
lat.xdp.100.avg | port-to-port forward xdp, 100 packets a second | latency avg | 82 | us | validate | path | - | benchmarks/bench07_latency.org
lat.xdp.100.max | port-to-port forward xdp, 100 packets a second | latency max | 272 | us | validate | path | - | benchmarks/bench07_latency.org
lat.linux.100.avg | port-to-port forward linux, 100 packets a second | latency avg | 89 | us | validate | stack | - | benchmarks/bench07_latency.org
lat.linux.100.max | port-to-port forward linux, 100 packets a second | latency max | 277 | us | validate | stack | - | benchmarks/bench07_latency.org
katran.1c | Katran load balancer, 1 core(s) | rate | 5161976 | pps | validate | program | - | Table 2; benchmarks/bench06_load_balancer.org results_katran
katran.2c | Katran load balancer, 2 core(s) | rate | 10050051 | pps | validate | program | - | Table 2; benchmarks/bench06_load_balancer.org results_katran
katran.3c | Katran load balancer, 3 core(s) | rate | 14611439 | pps | validate | program | - | Table 2; benchmarks/bench06_load_balancer.org results_katran
katran.4c | Katran load balancer, 4 core(s) | rate | 19514935 | pps | validate | program | - | Table 2; benchmarks/bench06_load_balancer.org results_katran
katran.5c | Katran load balancer, 5 core(s) | rate | 23444383 | pps | validate | program | - | Table 2; benchmarks/bench06_load_balancer.org results_katran
katran.6c | Katran load balancer, 6 core(s) | rate | 29303202 | pps | validate | program | - | Table 2; benchmarks/bench06_load_balancer.org results_katran
ipvs.2c | IPVS, 2 core(s) | rate | 2444876 | pps | validate | other | - | Table 2; benchmarks/bench06_load_balancer.org results_ipvs
ipvs.4c | IPVS, 4 core(s) | rate | 4818678 | pps | validate | other | - | Table 2; benchmarks/bench06_load_balancer.org results_ipvs
ipvs.6c | IPVS, 6 core(s) | rate | 7274468 | pps | validate | other | - | Table 2; benchmarks/bench06_load_balancer.org results_ipvs
# github xdp-project/xdp-project areas/cpumap/cpumap03-optimizations.org | Xeon E5-1650 v4, i40e, kernel 5.1-rc4 | 3.6
stack.raw.nogro | stack raw drop GRO off | rate | 6783904 | pps | validate | gro | - | baseline
cpumap.udp.base | cpumap remote CPU, UDP lookup, no socket | kthread rate | 3180074 | pps | validate | cpumap | - | baseline-redirect
cpumap.udp.rx | RX CPU enqueue side while the thread looks UDP up | enqueue rate | 14732711 | pps | validate | cpumap | - | baseline-redirect XDP-RX
cpumap.udp.skbs | cpumap + bulk skb alloc, UDP lookup | kthread rate | 3290563 | pps | validate | cpumap | - | Patch3
cpumap.raw.skbs | cpumap + bulk skb alloc, iptables-raw drop | kthread rate | 6650112 | pps | validate | cpumap | - | Patch3
cpumap.udp.prefetchw | cpumap + bulk skb alloc + prefetchw page, UDP lookup | kthread rate | 3520250 | pps | validate | cpumap | - | Patch4
cpumap.udp.list | ... + netif_receive_skb_list, UDP lookup | kthread rate | 3303269 | pps | validate | unmerged | - | Patch5
cpumap.raw.list | ... + netif_receive_skb_list, iptables-raw drop | kthread rate | 7160297 | pps | validate | unmerged | - | Patch5
# github xdp-project/xdp-project areas/cpumap/cpumap02-optimizations.org | Xeon E5-1650 v4, i40e, kernel 5.1-rc2 | 3.6
stack.udpnoports.rc2 | stack to UDP lookup, no socket | rate | 3326983 | pps | validate | stack | - | baseline
stack.raw.gro.rc2 | stack raw drop GRO on | rate | 5705245 | pps | validate | stack | - | baseline
udp_sink.other | UDP app on another CPU than NAPI under overload | delivered | 2311585 | pps | validate | app | - | udp_sink
cpumap.udp.rc2 | cpumap remote CPU, UDP lookup, no socket | kthread rate | 2727840 | pps | validate | cpumap | - | baseline-redirect
cpumap.raw.rc2 | cpumap remote CPU, iptables-raw drop | kthread rate | 6166709 | pps | validate | cpumap | - | baseline-redirect
cpumap.rx.rc2 | RX CPU enqueue side, bulk 8 (overloaded) | enqueue rate | 18850942 | pps | validate | cpumap | - | baseline-redirect XDP-RX
# github xdp-project/xdp-project areas/core/xdp_frame02_overhead.org | Xeon E5-1650 v4, i40e | 3.6
i40e.tx | XDP_TX macswap, 1 core (78.24 ns) | rate | 12781656 | pps | validate | path | - | benchmark
# github xdp-project/xdp-project areas/core/xdp_redir01_net_device.org | Xeon E5-1650 v4, i40e, 5.11-rc3 | 3.6
i40e.redir.reordered | xdp_redirect_map same port 1 core, net_device reordered | rate | 12906785 | pps | validate | path | 5 | Another patch
# github xdp-project/xdp-project areas/mem/xdp_bulk_return01.org | Xeon E5-1650 v4, mlx5, 5.10-rc2 | 3.6
bulkret.base | xdp_redirect_map same port 1 core, frames returned singly | rate | 8987852 | pps | validate | path | - | baseline
bulkret.poll | ... packets per poll | packets per poll | 64.0 | pkt | validate | path | - | ch1_poll 140,436
# github xdp-project/xdp-project areas/mem/page_pool08_bench_AMD.org | AMD EPYC 9684X | -
pp.amd.ring | page_pool ptr_ring | cost | 12.389 | ns | validate | path | - | SRSO=IBPB table
pp.srso.fast | page_pool fast, SRSO mitigated | cost | 21.256 | ns | validate | srso | - | table
pp.srso.ring | page_pool ring, SRSO mitigated | cost | 46.668 | ns | validate | srso | - | table
pp.srso.slow | page_pool slow, SRSO mitigated | cost | 139.4 | ns | validate | srso | - | table
# github netoptimizer/prototype-kernel Documentation/blogposts/xdp25_eval_generic_xdp_tx.rst | Core i7-6700K, ConnectX-4, kernel 4.11/12 | 4
skl.drop.read | drop.read | rate | 12006685 | pps | validate | path | - | tables
skl.generic.drop | generic.drop.read | rate | 8413417 | pps | validate | generic | - | tables
# kernel commit 735fc4054b3a | E5-1650v4, retpoline | 3.6
bulkxmit.i40e.before | redirect_map i40e, per-frame ndo_xdp_xmit | rate | 6187169 | pps | validate | path | - | commit msg
# github xdp-project/xdp-project areas/dma/dma01_test_hellwig_direct_dma.org | Xeon E5-1650 v4, ixgbe 10G to i40e 40G, kernel 4.20-rc4 | 3.6
dma01.redir | xdp_redirect_map ixgbe to i40e, no retpoline | rate | 11913154 | pps | validate | path | - | Summary of results
dma01.redir.retpoline | xdp_redirect_map ixgbe to i40e, retpoline | rate | 7438283 | pps | validate | path | - | Summary of results
dma01.redir.direct | ... and DMA called directly | rate | 9610088 | pps | validate | dma | - | Summary of results
dma01.redir.direct2 | ... second version | rate | 10049223 | pps | validate | dma | - | Summary of results
dma01.drop.retpoline | XDP_DROP ixgbe 10G, retpoline | rate | 14602534 | pps | validate | path | - | baseline-RETPOLINE
# kernel commit 4415a0319f92 (mlx5e page cache) | mlx5 ConnectX-4 | -
pgcache.64.none | pktgen raw drop 64B order0, no page cache | rate | 4749550 | pps | validate | path | - | commit msg
pgcache.1024.none | pktgen raw drop 1024B order0, no page cache | rate | 3845682 | pps | validate | path | - | commit msg
pgcache.64.order5 | pktgen raw drop 64B, pages of order 5 | rate | 4739057 | pps | validate | order5 | - | commit msg
pgcache.1024.order5 | pktgen raw drop 1024B, pages of order 5 | rate | 3982361 | pps | validate | order5 | - | commit msg
pgcache.order5 | pktgen raw drop 1500B, pages of order 5 | rate | 3731189 | pps | validate | order5 | - | commit msg
`;
