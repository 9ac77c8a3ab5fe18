/** Rows whose packets go up the stack, and those of drivers other than the paper's. */
import { bothPorts, forwarded, maxUs, meanUs, rarely, withinNs } from './rowsXdp.ts';
import type { Reading, Row, Scenario } from './scenario.ts';
import { busyPct, cpumapPps, receivedPps, saturated, sentPps, udp } from './scenario.ts';

const PAPER = 'xdp-paper-2018';

/** iptables -t raw: packets go up the stack to the first hook, and no further. */
const raw = (cores: number, rate: string, duration: string, profile: string): Scenario => ({
  ...{ profile, xdp: 'none', rawDrop: 'all', queues: cores, cpus: cores, link: 100 },
  ...{ traffic: udp(rate), duration, rxRing: 511 },
});

const rawDrop = (cores: number): Row => ({
  ...{ id: `raw.${cores}c`, family: 'raw drop' },
  scenario: raw(cores, `${10 * cores}Mpps`, '5ms', PAPER),
  ...{ modelled: receivedPps, nsPerPacket: saturated(cores) },
});

const cpu = (id: string, rate: string, duration: string): Row => ({
  ...{ id, family: 'CPU against load, stack' },
  scenario: {
    ...raw(1, rate, duration, PAPER),
    ...{ traffic: `${udp(rate)} arrivals=poisson`, rxUsecs: 0, rxFrames: 1 },
  },
  modelled: busyPct(1),
});

/** xdp_redirect_cpu: CPU 1 receives and hands all to CPU 0, where the raw table drops it. */
const spread = (profile: string): Scenario => ({
  ...{ profile, xdp: 'examples/bpf/cpu_spreader.o', at: '0 update cpus 0 128' },
  ...{ queues: 1, cpus: 2, irqAffinity: '1', link: 40 },
  ...{ traffic: udp('25Mpps'), duration: '5ms', rxRing: 511 },
});

const cpumap = (id: string, profile: string, modelled: Row['modelled']): Row => ({
  ...{ id, family: 'cpumap', modelled },
  scenario: { ...spread(profile), rawDrop: 'all' },
});

/** As cpumap, but UDP finds that nobody listens. */
const cpumapUdp = (id: string, profile: string, modelled: Row['modelled']): Row => ({
  ...{ id, family: 'cpumap', modelled, scenario: spread(profile) },
});

const oneCore = (profile: string, xdp: string): Scenario => ({
  ...{ profile, xdp, queues: 1, cpus: 1, link: 40, stack: 'off' },
  ...{ traffic: udp('25Mpps'), duration: '5ms', rxRing: 511, txRing: 511 },
});

const redirected = (id: string, profile: string, xdp = 'redirect'): Row => ({
  ...{ id, family: 'redirect, other drivers', modelled: sentPps },
  scenario: oneCore(profile, xdp),
});

const skylake = (id: string, xdp: string, modelled: Reading, more: object = {}): Row => ({
  ...{ id, family: 'Skylake', modelled },
  scenario: {
    ...{ profile: 'skylake-2017', xdp, ...more, queues: 1, cpus: 1, link: 50, stack: 'off' },
    ...{ traffic: udp('50Mpps'), duration: '3ms', rxRing: 511, txRing: 511 },
  },
});

/** Somebody on the link of the second port, whom the generator's packets are for. */
const THROUGH = 'dst=10.0.1.254';

const routed = (cores: number, id: string = `fwd.linux.${cores}c`): Row => ({
  ...{ id, family: 'IPv4 routing' },
  scenario: {
    ...{ profile: PAPER, xdp: 'none', ipForward: true, rpFilter: 'strict', link: 100 },
    ...{ queues: cores, cpus: cores },
    ...{ traffic: `${udp(`${5 * cores}Mpps`)} ${THROUGH}`, duration: '5ms' },
    ...{ rxRing: 1023, txRing: 1023 },
  },
  ...{ modelled: sentPps, nsPerPacket: saturated(cores) },
});

/** samples/bpf/xdp_fwd: ports are in a devmap by their ifindex. */
const routedByXdp = (ring: number, cores: number, id: string): Row => ({
  ...{ id, family: 'IPv4 routing' },
  scenario: {
    ...{ profile: PAPER, xdp: 'router', ipForward: true, queues: cores, cpus: cores, link: 100 },
    ...{ traffic: `${udp(`${20 * cores}Mpps`)} ${THROUGH}`, duration: cores === 1 ? '5ms' : '2ms' },
    at: '0 update ports 3 3',
    ...{ rxUsecs: 16, rxFrames: 64, rxRing: ring - 1, txRing: 1023 },
  },
  ...{ modelled: sentPps, nsPerPacket: saturated(cores) },
});

/** As XDP's rows between two ports. */
const throughStack: Scenario = {
  ...{ ...forwarded, xdp: 'none', stack: 'on', ipForward: true },
  traffic: bothPorts(` ${THROUGH}`),
};

const latency = (id: string, modelled: Row['modelled'], scenario = throughStack): Row => ({
  ...{ id: `lat.linux.${id}`, family: 'forwarding latency', scenario, modelled },
});

const UNLOADED = rarely(throughStack, ` ${THROUGH}`);

/** One stream of pktgen's, dropped in the raw table by a NIC whose frames share pages. */
const pageCache = (id: string, size: number, profile: string): Row => ({
  ...{ id, family: 'raw drop, page cache', modelled: receivedPps },
  scenario: { ...raw(1, '8Mpps', '5ms', profile), traffic: udp('8Mpps', size) },
});

/** What one operation took in a run in which pages travel. */
const pagePool = (id: string, op: string, ring: number): Row => ({
  ...{ id, family: 'page_pool' },
  scenario: {
    ...{ profile: 'epyc-page-pool', xdp: 'redirect', queues: 1, cpus: 1, stack: 'off' },
    ...{ traffic: udp('20Mpps'), duration: '2ms', rxRing: ring, txRing: ring, breakdown: true },
  },
  modelled: ({ costs }) => {
    const { ns, count } = costs.find((cost) => cost.op === op)!;
    return ns / count;
  },
});

export const STACK_ROWS: readonly Row[] = [
  ...[1, 2, 3, 4, 5, 6].map(rawDrop),
  ...[64, 1024, 1500].flatMap((size) => [
    pageCache(
      size === 1500 ? 'pgcache.none' : `pgcache.${size}.none`,
      size,
      'mlx5-2016-no-page-cache',
    ),
    pageCache(size === 1500 ? 'pgcache.on' : `pgcache.${size}.on`, size, 'mlx5-2016'),
  ]),
  cpu('cpu.linux.0.25M', '0.25Mpps', '20ms'),
  cpu('cpu.linux.0.5M', '0.5Mpps', '20ms'),
  cpu('cpu.linux.1M', '1Mpps', '10ms'),
  cpu('cpu.linux.2M', '2Mpps', '10ms'),
  cpu('cpu.linux.3M', '3Mpps', '5ms'),
  cpu('cpu.linux.5M', '5Mpps', '5ms'),
  ...['stack.raw.gro', 'stack.raw.gro.rc2'].map((id) => ({
    ...{ id, family: 'stack, i40e', modelled: receivedPps },
    scenario: raw(1, '10Mpps', '5ms', 'i40e-2019'),
  })),
  ...['stack.udpnoports', 'stack.udpnoports.rc2'].map((id) => ({
    ...{ id, family: 'stack, i40e', modelled: receivedPps },
    scenario: {
      ...{ profile: 'i40e-2019', xdp: 'none', queues: 1, cpus: 1, link: 40 },
      ...{ traffic: udp('10Mpps'), duration: '5ms', rxRing: 511 },
    },
  })),
  routed(1, 'fwd.linux.single'),
  ...[2, 3, 4, 5, 6].map((n) => routed(n)),
  routedByXdp(256, 1, 'fwd.xdp.single'),
  ...[2, 3, 4, 5, 6].map((n) => routedByXdp(256, n, `fwd.xdp.r256.${n}c`)),
  ...[512, 1024].flatMap((ring) =>
    [1, 2, 3, 4, 5, 6].map((n) => routedByXdp(ring, n, `fwd.xdp.r${ring}.${n}c`)),
  ),
  ...['1M', '1M.back'].flatMap((way) => [
    latency(`${way}.avg`, meanUs),
    latency(`${way}.max`, maxUs),
    latency(`${way}.under10us`, withinNs(10_000)),
  ]),
  latency('100.avg', meanUs, UNLOADED),
  latency('100.max', maxUs, UNLOADED),
  cpumap('cpumap.raw.base', 'i40e-2019', cpumapPps),
  cpumap('cpumap.raw.prefetchw', 'i40e-2019-bulk-skbs', cpumapPps),
  cpumap('cpumap.rx', 'i40e-2019', receivedPps),
  cpumap('cpumap.raw.rc2', 'i40e-2019', cpumapPps),
  cpumap('cpumap.rx.rc2', 'i40e-2019', receivedPps),
  cpumap('cpumap.raw.skbs', 'i40e-2019-bulk-skbs', cpumapPps),
  cpumapUdp('cpumap.udp.base', 'i40e-2019', cpumapPps),
  cpumapUdp('cpumap.udp.rc2', 'i40e-2019', cpumapPps),
  cpumapUdp('cpumap.udp.rx', 'i40e-2019', receivedPps),
  cpumapUdp('cpumap.udp.skbs', 'i40e-2019-bulk-skbs', cpumapPps),
  cpumapUdp('cpumap.udp.prefetchw', 'i40e-2019-bulk-skbs', cpumapPps),
  {
    ...{ id: 'i40e.tx', family: 'redirect, other drivers', modelled: sentPps },
    scenario: oneCore('i40e-2019', 'echo'),
  },
  redirected('i40e.redir.reordered', 'i40e-2019'),
  redirected('bulkxmit.i40e.before', 'i40e-2019-retpoline-unbulked'),
  redirected('dma01.redir', 'i40e-2019'),
  redirected('dma01.redir.retpoline', 'i40e-2019-retpoline'),
  {
    ...{ id: 'dma01.drop.retpoline', family: 'redirect, other drivers', modelled: receivedPps },
    scenario: { ...oneCore('i40e-2019-retpoline', 'drop'), link: 10, traffic: udp('14.8Mpps') },
  },
  redirected('bulkret.base', PAPER),
  {
    ...{ id: 'bulkret.poll', family: 'polls', scenario: oneCore(PAPER, 'redirect') },
    modelled: ({ queues }) => queues[0]!.packetsPerPoll,
  },
  redirected('i40e.redir', 'i40e-2019'),
  redirected('redir.map', 'i40e-2019'),
  redirected('redir.helper', 'i40e-2019', 'redirect-ifindex'),
  redirected('retpoline.before', 'i40e-2019'),
  redirected('bulkxmit.ixgbe.before', 'i40e-2019-retpoline-unbulked'),
  redirected('bulkxmit.ixgbe.after', 'i40e-2019-retpoline'),
  redirected('bulkxmit.i40e.after', 'i40e-2019-retpoline'),
  redirected('bulkret.bulk', PAPER),
  pagePool('pp.amd.fast', 'page_pool cache', 511),
  pagePool('pp.amd.slow', 'page alloc', 511),
  pagePool('pp.amd.ring', 'page_pool ring', 511),
  skylake('skl.drop.notouch', 'drop', receivedPps),
  skylake('skl.tx', 'echo', sentPps),
  skylake('skl.drop.read', 'examples/bpf/ddos_filter.o', receivedPps, {
    at: '0 update blocked4 0x0000000000000000 0x01000000',
  }),
];
