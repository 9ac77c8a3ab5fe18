/** Rows whose packets go up the stack, and those of drivers other than the paper's. */
import { forwarded, withinNs } from './rowsXdp.ts';
import type { Row, Scenario } from './scenario.ts';
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
const cpumap = (id: string, profile: string, modelled: Row['modelled']): Row => ({
  ...{ id, family: 'cpumap', modelled },
  scenario: {
    ...{ profile, xdp: 'examples/bpf/cpu_spreader.o', at: '0 update cpus 0 128', rawDrop: 'all' },
    ...{ queues: 1, cpus: 2, irqAffinity: '1', link: 40 },
    ...{ traffic: udp('25Mpps'), duration: '5ms', rxRing: 511 },
  },
});

const redirected = (id: string, profile: string): Row => ({
  ...{ id, family: 'redirect, other drivers' },
  scenario: {
    ...{ profile, xdp: 'redirect', queues: 1, cpus: 1, link: 40, stack: 'off' },
    ...{ traffic: udp('25Mpps'), duration: '5ms', rxRing: 511, txRing: 511 },
  },
  modelled: sentPps,
});

const skylake = (id: string, xdp: string, modelled: Row['modelled']): Row => ({
  ...{ id, family: 'Skylake', modelled },
  scenario: {
    ...{ profile: 'skylake-2017', xdp, queues: 1, cpus: 1, link: 50, stack: 'off' },
    ...{ traffic: udp('50Mpps'), duration: '3ms', rxRing: 511, txRing: 511 },
  },
});

/** Somebody on the link of the second port, whom the generator's packets are for. */
const THROUGH = 'dst=10.0.1.254';

const routed = (cores: number): Row => ({
  ...{ id: 'fwd.linux.single', family: 'IPv4 routing' },
  scenario: {
    ...{ profile: PAPER, xdp: 'none', ipForward: true, queues: cores, cpus: cores, link: 100 },
    ...{ traffic: `${udp(`${5 * cores}Mpps`)} ${THROUGH}`, duration: '5ms' },
    ...{ rxRing: 1023, txRing: 1023 },
  },
  ...{ modelled: sentPps, nsPerPacket: saturated(cores) },
});

/** samples/bpf/xdp_fwd: ports are in a devmap by their ifindex. */
const routedByXdp: Row = {
  ...{ id: 'fwd.xdp.single', family: 'IPv4 routing' },
  scenario: {
    ...{ profile: PAPER, xdp: 'router', ipForward: true, queues: 1, cpus: 1, link: 100 },
    ...{ traffic: `${udp('20Mpps')} ${THROUGH}`, duration: '5ms', at: '0 update ports 3 3' },
    ...{ rxUsecs: 16, rxFrames: 64, rxRing: 255, txRing: 1023 },
  },
  ...{ modelled: sentPps, nsPerPacket: saturated() },
};

/** As XDP's rows from port to port; but packets that become skbs move mlx5's DIM. */
const throughStack: Scenario = {
  ...{ ...forwarded, xdp: 'none', stack: 'on', ipForward: true, adaptiveRx: 'on' },
  ...{ traffic: `${udp('1Mpps')} ${THROUGH}`, duration: '100ms' },
};

const latency = (what: string, modelled: Row['modelled']): Row => ({
  ...{
    id: `lat.linux.1M.${what}`,
    family: 'forwarding latency, stack',
    scenario: throughStack,
    modelled,
  },
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
  ...[1, 3, 5].map(rawDrop),
  cpu('cpu.linux.0.25M', '0.25Mpps', '20ms'),
  cpu('cpu.linux.1M', '1Mpps', '10ms'),
  cpu('cpu.linux.3M', '3Mpps', '5ms'),
  {
    ...{ id: 'stack.raw.gro', family: 'stack, i40e' },
    scenario: raw(1, '10Mpps', '5ms', 'i40e-2019'),
    modelled: receivedPps,
  },
  {
    ...{ id: 'stack.udpnoports', family: 'stack, i40e' },
    scenario: {
      ...{ profile: 'i40e-2019', xdp: 'none', queues: 1, cpus: 1, link: 40 },
      ...{ traffic: udp('10Mpps'), duration: '5ms', rxRing: 511 },
    },
    modelled: receivedPps,
  },
  routed(1),
  routedByXdp,
  latency('avg', ({ stagesNs }) => stagesNs['wire']!.mean / 1000),
  latency('max', ({ stagesNs }) => stagesNs['wire']!.max / 1000),
  latency('under10us', withinNs(10_000)),
  cpumap('cpumap.raw.base', 'i40e-2019', cpumapPps),
  cpumap('cpumap.raw.prefetchw', 'i40e-2019-bulk-skbs', cpumapPps),
  cpumap('cpumap.rx', 'i40e-2019', receivedPps),
  redirected('i40e.redir', 'i40e-2019'),
  redirected('redir.map', 'i40e-2019'),
  redirected('retpoline.before', 'i40e-2019'),
  redirected('bulkxmit.ixgbe.before', 'i40e-2019-retpoline-unbulked'),
  redirected('bulkxmit.ixgbe.after', 'i40e-2019-retpoline'),
  redirected('bulkxmit.i40e.after', 'i40e-2019-retpoline'),
  redirected('bulkret.bulk', PAPER),
  pagePool('pp.amd.fast', 'page_pool cache', 511),
  pagePool('pp.amd.slow', 'page alloc', 511),
  skylake('skl.drop.notouch', 'drop', receivedPps),
  skylake('skl.tx', 'echo', sentPps),
];
