/**
 * Further published measurements of caches, buses, an early NAPI and memcached: other frames, rings,
 * ways, cores and loads, in the form of figuresText.ts. Nothing was fitted on those to validate with.
 */
export const FURTHER_LINKS_TEXT = `
# Farshin ATC'20 artifact github aliireza/ddio-bench @b8c0f00 pktsize-desc sample-results | Xeon Gold 6140 2.3GHz, ConnectX-5 100G, DPDK 20.02 FastClick forward max rate, DDIO 2 ways | 2.3
ddio.256B.128.miss | 256 B, 128 RX descriptors | PCIe-write LLC miss | 1.44e-05 | % | validate | memory | - | 256ItoM-MISS-RATE
ddio.256B.256.miss | 256 B, 256 RX descriptors | PCIe-write LLC miss | 1.42e-05 | % | validate | memory | - | 256ItoM-MISS-RATE
ddio.256B.512.miss | 256 B, 512 RX descriptors | PCIe-write LLC miss | 5.72e-05 | % | validate | memory | - | 256ItoM-MISS-RATE
ddio.256B.1024.miss | 256 B, 1024 RX descriptors | PCIe-write LLC miss | 0.000171 | % | validate | memory | - | 256ItoM-MISS-RATE
ddio.256B.2048.miss | 256 B, 2048 RX descriptors | PCIe-write LLC miss | 0.000541 | % | validate | memory | - | 256ItoM-MISS-RATE
ddio.256B.4096.miss | 256 B, 4096 RX descriptors | PCIe-write LLC miss | 0.1274 | % | validate | memory | - | 256ItoM-MISS-RATE
ddio.256B.128.pps | 256 B, 128 RX descriptors | rate | 11.9 | Mpps | validate | memory | - | 256PPS
ddio.256B.256.pps | 256 B, 256 RX descriptors | rate | 11.93 | Mpps | validate | memory | - | 256PPS
ddio.256B.512.pps | 256 B, 512 RX descriptors | rate | 11.93 | Mpps | validate | memory | - | 256PPS
ddio.256B.1024.pps | 256 B, 1024 RX descriptors | rate | 11.91 | Mpps | validate | memory | - | 256PPS
ddio.256B.2048.pps | 256 B, 2048 RX descriptors | rate | 11.93 | Mpps | validate | memory | - | 256PPS
ddio.256B.4096.pps | 256 B, 4096 RX descriptors | rate | 11.91 | Mpps | validate | memory | - | 256PPS
ddio.512B.128.miss | 512 B, 128 RX descriptors | PCIe-write LLC miss | 1.29e-05 | % | validate | memory | - | 512ItoM-MISS-RATE
ddio.512B.256.miss | 512 B, 256 RX descriptors | PCIe-write LLC miss | 0.1781 | % | validate | memory | - | 512ItoM-MISS-RATE
ddio.512B.512.miss | 512 B, 512 RX descriptors | PCIe-write LLC miss | 0.193 | % | validate | memory | - | 512ItoM-MISS-RATE
ddio.512B.1024.miss | 512 B, 1024 RX descriptors | PCIe-write LLC miss | 0.4225 | % | validate | memory | - | 512ItoM-MISS-RATE
ddio.512B.2048.miss | 512 B, 2048 RX descriptors | PCIe-write LLC miss | 1.504 | % | validate | memory | - | 512ItoM-MISS-RATE
ddio.512B.4096.miss | 512 B, 4096 RX descriptors | PCIe-write LLC miss | 8.06 | % | validate | memory | - | 512ItoM-MISS-RATE
ddio.512B.128.pps | 512 B, 128 RX descriptors | rate | 13.17 | Mpps | validate | memory | - | 512PPS
ddio.512B.256.pps | 512 B, 256 RX descriptors | rate | 15.79 | Mpps | calibrate | memory | - | 512PPS
ddio.512B.512.pps | 512 B, 512 RX descriptors | rate | 15.72 | Mpps | calibrate | memory | - | 512PPS
ddio.512B.1024.pps | 512 B, 1024 RX descriptors | rate | 15.69 | Mpps | calibrate | memory | - | 512PPS
ddio.512B.2048.pps | 512 B, 2048 RX descriptors | rate | 15.64 | Mpps | calibrate | memory | - | 512PPS
ddio.512B.4096.pps | 512 B, 4096 RX descriptors | rate | 15.41 | Mpps | calibrate | memory | - | 512PPS
ddio.1024B.128.miss | 1024 B, 128 RX descriptors | PCIe-write LLC miss | 0.006282 | % | validate | memory | - | 1024ItoM-MISS-RATE
ddio.1024B.256.miss | 1024 B, 256 RX descriptors | PCIe-write LLC miss | 1.147 | % | validate | memory | - | 1024ItoM-MISS-RATE
ddio.1024B.512.miss | 1024 B, 512 RX descriptors | PCIe-write LLC miss | 1.745 | % | validate | memory | - | 1024ItoM-MISS-RATE
ddio.1024B.1024.miss | 1024 B, 1024 RX descriptors | PCIe-write LLC miss | 4.131 | % | validate | memory | - | 1024ItoM-MISS-RATE
ddio.1024B.2048.miss | 1024 B, 2048 RX descriptors | PCIe-write LLC miss | 10.97 | % | validate | memory | - | 1024ItoM-MISS-RATE
ddio.1024B.4096.miss | 1024 B, 4096 RX descriptors | PCIe-write LLC miss | 36.94 | % | validate | memory | - | 1024ItoM-MISS-RATE
ddio.1024B.128.pps | 1024 B, 128 RX descriptors | rate | 9.703 | Mpps | validate | memory | - | 1024PPS
ddio.1024B.256.pps | 1024 B, 256 RX descriptors | rate | 10.36 | Mpps | calibrate | memory | - | 1024PPS
ddio.1024B.512.pps | 1024 B, 512 RX descriptors | rate | 10.35 | Mpps | calibrate | memory | - | 1024PPS
ddio.1024B.1024.pps | 1024 B, 1024 RX descriptors | rate | 10.3 | Mpps | calibrate | memory | - | 1024PPS
ddio.1024B.2048.pps | 1024 B, 2048 RX descriptors | rate | 10.22 | Mpps | calibrate | memory | - | 1024PPS
ddio.1024B.4096.pps | 1024 B, 4096 RX descriptors | rate | 10.07 | Mpps | calibrate | memory | - | 1024PPS
ddio.1500B.256.miss | 1500 B, 256 RX descriptors | PCIe-write LLC miss | 2.164 | % | validate | memory | - | 1500ItoM-MISS-RATE
ddio.1500B.1024.miss | 1500 B, 1024 RX descriptors | PCIe-write LLC miss | 9.176 | % | validate | memory | - | 1500ItoM-MISS-RATE
ddio.1500B.4096.miss | 1500 B, 4096 RX descriptors | PCIe-write LLC miss | 60.71 | % | validate | memory | - | 1500ItoM-MISS-RATE
ddio.1500B.256.pps | 1500 B, 256 RX descriptors | rate | 7.563 | Mpps | validate | memory | - | 1500PPS
ddio.1500B.1024.pps | 1500 B, 1024 RX descriptors | rate | 7.499 | Mpps | validate | memory | - | 1500PPS
ddio.1500B.4096.pps | 1500 B, 4096 RX descriptors | rate | 7.329 | Mpps | validate | memory | - | 1500PPS
# Farshin ATC'20 artifact ddio-tune | Xeon Gold 6140 2.3GHz, ConnectX-5 100G, DPDK 20.02 FastClick forward 1024B max rate, | 2.3
ddio.ways3 | DDIO ways 3 | PCIe-write LLC miss | 11.56 | % | validate | memory | - | ItoM-MISS-RATE
ddio.ways5 | DDIO ways 5 | PCIe-write LLC miss | 0.446 | % | validate | memory | - | ItoM-MISS-RATE
ddio.ways7 | DDIO ways 7 | PCIe-write LLC miss | 0.0111 | % | validate | memory | - | ItoM-MISS-RATE
ddio.ways8 | DDIO ways 8 | PCIe-write LLC miss | 0.009306 | % | validate | memory | - | ItoM-MISS-RATE
ddio.ways2.pps | DDIO ways 2 | rate | 10.09 | Mpps | validate | memory | - | PPS
ddio.ways3.pps | DDIO ways 3 | rate | 10.22 | Mpps | validate | memory | - | PPS
ddio.ways4.pps | DDIO ways 4 | rate | 10.32 | Mpps | validate | memory | - | PPS
ddio.ways6.pps | DDIO ways 6 | rate | 10.4 | Mpps | validate | memory | - | PPS
# Farshin ATC'20 artifact cores @15962fc | Xeon Gold 6140 2.3GHz, ConnectX-5 100G, DPDK 20.02 FastClick forward 1500B max rate, DDIO 2 ways | 2.3
ddio.cores2 | 2 cores, 256 RX descriptors each | PCIe-write LLC miss | 27.93 | % | validate | memory | - | ItoM-MISS-RATE
ddio.cores4 | 4 cores, 256 RX descriptors each | PCIe-write LLC miss | 0.547 | % | validate | memory | - | ItoM-MISS-RATE
ddio.cores6 | 6 cores, 256 RX descriptors each | PCIe-write LLC miss | 1.667 | % | validate | memory | - | ItoM-MISS-RATE
ddio.cores8 | 8 cores, 256 RX descriptors each | PCIe-write LLC miss | 8.529 | % | validate | memory | - | ItoM-MISS-RATE
ddio.cores10 | 10 cores, 256 RX descriptors each | PCIe-write LLC miss | 15.28 | % | validate | memory | - | ItoM-MISS-RATE
ddio.cores12 | 12 cores, 256 RX descriptors each | PCIe-write LLC miss | 24.98 | % | validate | memory | - | ItoM-MISS-RATE
ddio.cores14 | 14 cores, 256 RX descriptors each | PCIe-write LLC miss | 36.88 | % | validate | memory | - | ItoM-MISS-RATE
ddio.cores16 | 16 cores, 256 RX descriptors each | PCIe-write LLC miss | 46.76 | % | validate | memory | - | ItoM-MISS-RATE
ddio.cores18 | 18 cores, 256 RX descriptors each | PCIe-write LLC miss | 55.53 | % | validate | memory | - | ItoM-MISS-RATE
# github pcie-bench/pcie-model nic_bw.py (SIGCOMM'18 model, Apache-2.0; worked out here) | PCIe Gen3 x8, MPS 256, MRRS 512, Niantic-style NIC | -
pcie.kernel.rx.96 | 96B, kernel driver, RX only | bw | 33.31 | Gb/s | validate | pcie | - | curve
pcie.kernel.rx.192 | 192B, kernel driver, RX only | bw | 42.53 | Gb/s | validate | pcie | - | curve
pcie.kernel.rx.320 | 320B, kernel driver, RX only | bw | 44.85 | Gb/s | validate | pcie | - | curve
pcie.kernel.rx.384 | 384B, kernel driver, RX only | bw | 46.61 | Gb/s | validate | pcie | - | curve
pcie.kernel.rx.640 | 640B, kernel driver, RX only | bw | 48.96 | Gb/s | validate | pcie | - | curve
pcie.kernel.rx.768 | 768B, kernel driver, RX only | bw | 50.26 | Gb/s | validate | pcie | - | curve
pcie.kernel.rx.1280 | 1280B, kernel driver, RX only | bw | 51.30 | Gb/s | validate | pcie | - | curve
pcie.kernel.rx.1499 | 1499B, kernel driver, RX only | bw | 51.42 | Gb/s | validate | pcie | - | curve
pcie.kernel.bi.96 | 96B, kernel driver, bidirectional | Eth payload bw | 23.26 | Gb/s | validate | pcie | - | Fig.1 curve
pcie.kernel.bi.128 | 128B, kernel driver, bidirectional | Eth payload bw | 27.51 | Gb/s | validate | pcie | - | Fig.1 curve
pcie.kernel.bi.192 | 192B, kernel driver, bidirectional | Eth payload bw | 33.49 | Gb/s | validate | pcie | - | Fig.1 curve
pcie.kernel.bi.320 | 320B, kernel driver, bidirectional | Eth payload bw | 38.35 | Gb/s | validate | pcie | - | Fig.1 curve
pcie.kernel.bi.384 | 384B, kernel driver, bidirectional | Eth payload bw | 40.66 | Gb/s | validate | pcie | - | Fig.1 curve
pcie.kernel.bi.512 | 512B, kernel driver, bidirectional | Eth payload bw | 43.96 | Gb/s | validate | pcie | - | Fig.1 curve
pcie.kernel.bi.640 | 640B, kernel driver, bidirectional | Eth payload bw | 43.57 | Gb/s | validate | pcie | - | Fig.1 curve
pcie.kernel.bi.768 | 768B, kernel driver, bidirectional | Eth payload bw | 45.45 | Gb/s | validate | pcie | - | Fig.1 curve
pcie.kernel.bi.1280 | 1280B, kernel driver, bidirectional | Eth payload bw | 47.44 | Gb/s | validate | pcie | - | Fig.1 curve
pcie.kernel.bi.1499 | 1499B, kernel driver, bidirectional | Eth payload bw | 48.08 | Gb/s | validate | pcie | - | Fig.1 curve
pcie.kernel.tx.64 | 64B, kernel driver, TX only | bw | 23.23 | Gb/s | validate | pcie | - | curve
pcie.kernel.tx.128 | 128B, kernel driver, TX only | bw | 33.62 | Gb/s | validate | pcie | - | curve
pcie.kernel.tx.256 | 256B, kernel driver, TX only | bw | 42.71 | Gb/s | validate | pcie | - | curve
pcie.kernel.tx.512 | 512B, kernel driver, TX only | bw | 47.62 | Gb/s | validate | pcie | - | curve
pcie.kernel.tx.1024 | 1024B, kernel driver, TX only | bw | 50.49 | Gb/s | validate | pcie | - | curve
pcie.kernel.tx.1499 | 1499B, kernel driver, TX only | bw | 51.37 | Gb/s | validate | pcie | - | curve
# Linux Documentation/networking/NAPI_HOWTO.txt (Jan 2002, Robert Olsson data) | e1000 1G, 1M packets offered, quota 64 | -
napi2002.128.rxint | 128B at 758150 pps | RX interrupts per 1M pkts | 21 | irq | validate | napi | - | table
napi2002.128.out | 128B at 758150 pps | packets forwarded of 1M | 464364 | pkt | validate | napi | - | table
napi2002.128.ndone | 128B | polls that hit the quota | 7738 | polls | validate | napi | - | table
napi2002.256.rxint | 256B at 445632 pps | RX interrupts per 1M pkts | 42 | irq | validate | napi | - | table
napi2002.256.out | 256B at 445632 pps | packets forwarded of 1M | 774646 | pkt | validate | napi | - | table
napi2002.256.ndone | 256B | polls that hit the quota | 12906 | polls | validate | napi | - | table
napi2002.512.rxint | 512B at 232666 pps | RX interrupts per 1M pkts | 241292 | irq | validate | napi | - | table
napi2002.512.out | 512B at 232666 pps | packets forwarded of 1M | 994445 | pkt | validate | napi | - | table
napi2002.512.ndone | 512B | polls that hit the quota | 1062 | polls | validate | napi | - | table
napi2002.1440.rxint | 1440B at 85193 pps | RX interrupts per 1M pkts | 946576 | irq | validate | napi | - | table
napi2002.1440.out | 1440B at 85193 pps | packets forwarded of 1M | 1000003 | pkt | validate | napi | - | table
napi2002.1440.ndone | 1440B | polls that hit the quota | 0 | polls | validate | napi | - | table
# github martinkarsten/irqsuspend @1b0b746 results/v8 (raw; means of one or two runs computed here) | 8 cores, mlx5 DIM on rx-usecs 8/rx-frames 128, kernel 6.12-rc5 mitigations off, memcached+mutilate | -
irqs.200K.defer20.avg | defer20 at 200K QPS | avg latency | 60.2 | us | validate | app | - | mutilate-*.out
irqs.200K.defer20.p99 | defer20 at 200K QPS | p99 latency | 153.1 | us | validate | app | - | mutilate-*.out
irqs.200K.defer20.cpu | defer20 at 200K QPS | CPU busy | 25.3 | % | validate | app | - | sar-*.out
irqs.200K.suspend20.avg | suspend20 at 200K QPS | avg latency | 57.7 | us | validate | app | - | mutilate-*.out
irqs.200K.suspend20.p99 | suspend20 at 200K QPS | p99 latency | 151.4 | us | validate | app | - | mutilate-*.out
irqs.200K.suspend20.cpu | suspend20 at 200K QPS | CPU busy | 29.5 | % | validate | app | - | sar-*.out
irqs.400K.base.avg | base at 400K QPS | avg latency | 138.9 | us | validate | app | - | mutilate-*.out
irqs.400K.base.p99 | base at 400K QPS | p99 latency | 707 | us | validate | app | - | mutilate-*.out
irqs.400K.base.cpu | base at 400K QPS | CPU busy | 39.8 | % | validate | app | - | sar-*.out
irqs.400K.defer20.avg | defer20 at 400K QPS | avg latency | 66.5 | us | validate | app | - | mutilate-*.out
irqs.400K.defer20.p99 | defer20 at 400K QPS | p99 latency | 172.3 | us | validate | app | - | mutilate-*.out
irqs.400K.defer20.cpu | defer20 at 400K QPS | CPU busy | 46.4 | % | validate | app | - | sar-*.out
irqs.400K.defer200.avg | defer200 at 400K QPS | avg latency | 181 | us | validate | app | - | mutilate-*.out
irqs.400K.defer200.p99 | defer200 at 400K QPS | p99 latency | 331.1 | us | validate | app | - | mutilate-*.out
irqs.400K.defer200.cpu | defer200 at 400K QPS | CPU busy | 29.8 | % | validate | app | - | sar-*.out
irqs.400K.fullbusy.avg | fullbusy at 400K QPS | avg latency | 49.7 | us | validate | app | - | mutilate-*.out
irqs.400K.fullbusy.p99 | fullbusy at 400K QPS | p99 latency | 154.6 | us | validate | app | - | mutilate-*.out
irqs.400K.fullbusy.cpu | fullbusy at 400K QPS | CPU busy | 100 | % | validate | app | - | sar-*.out
irqs.400K.suspend20.avg | suspend20 at 400K QPS | avg latency | 61.2 | us | validate | app | - | mutilate-*.out
irqs.400K.suspend20.p99 | suspend20 at 400K QPS | p99 latency | 165.6 | us | validate | app | - | mutilate-*.out
irqs.400K.suspend20.cpu | suspend20 at 400K QPS | CPU busy | 49.1 | % | validate | app | - | sar-*.out
irqs.600K.defer20.avg | defer20 at 600K QPS | avg latency | 81 | us | validate | app | - | mutilate-*.out
irqs.600K.defer20.p99 | defer20 at 600K QPS | p99 latency | 458.1 | us | validate | app | - | mutilate-*.out
irqs.600K.defer20.cpu | defer20 at 600K QPS | CPU busy | 66.3 | % | validate | app | - | sar-*.out
irqs.600K.suspend20.avg | suspend20 at 600K QPS | avg latency | 67.6 | us | validate | app | - | mutilate-*.out
irqs.600K.suspend20.p99 | suspend20 at 600K QPS | p99 latency | 204.9 | us | validate | app | - | mutilate-*.out
irqs.600K.suspend20.cpu | suspend20 at 600K QPS | CPU busy | 64.4 | % | validate | app | - | sar-*.out
irqs.800K.defer20.avg | defer20 at 800K QPS | avg latency | 113.5 | us | validate | app | - | mutilate-*.out
irqs.800K.defer20.p99 | defer20 at 800K QPS | p99 latency | 335.5 | us | validate | app | - | mutilate-*.out
irqs.800K.defer20.cpu | defer20 at 800K QPS | CPU busy | 90.4 | % | validate | app | - | sar-*.out
irqs.800K.fullbusy.avg | fullbusy at 800K QPS | avg latency | 59.8 | us | validate | app | - | mutilate-*.out
irqs.800K.fullbusy.p99 | fullbusy at 800K QPS | p99 latency | 187.4 | us | validate | app | - | mutilate-*.out
irqs.800K.fullbusy.cpu | fullbusy at 800K QPS | CPU busy | 100 | % | validate | app | - | sar-*.out
irqs.400K.base.ppi | base at 400K QPS | packets per interrupt | 7.8 | pkt | validate | app | - | irq-*.out
irqs.600K.base.ppi | base at 600K QPS | packets per interrupt | 12.43 | pkt | validate | app | - | irq-*.out
`;
