/** Why a published row has no run that stands for it. */
import type { Figure } from './figures.ts';

const BY_NEED: Readonly<Record<string, string>> = {
  netfilter: 'the filter table and firewalld are not modelled, only the raw table',
  other: 'another packet path (DPDK, other drivers, other systems), not this driver',
  forward: 'the size of a routing table, and what of it is in the caches, are not modelled',
  tcp: 'there is no TCP',
  generic: 'generic XDP is not part of it',
  afxdp: 'AF_XDP is not part of it',
  gro: 'GRO is always on',
  srso: 'mitigations other than retpolines are not modelled',
  program: 'each run of a program takes the same, whatever it computes and looks up',
  dma: 'no profile has retpolines and DMA without an indirect call (since Linux 5.0)',
  order5:
    'pages of order 5 are not modelled: what allocating 32 pages at once takes is told nowhere else',
  unmerged: 'a patch that Linux did not take',
};

export function whyNotCovered({ use, needs }: Figure): string {
  if (use === 'calibrate') return 'a micro-benchmark that a profile quotes as it is';
  return BY_NEED[needs] ?? 'no run stands for it yet';
}
