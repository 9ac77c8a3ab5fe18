/**
 * The same processor with an Intel XL710 (i40e), as profiled function by function in 2019 and 2020;
 * and what retpolines add to it.
 */
import type { CostProfile, ProfileData } from '../profile.ts';
import { entriesOf } from '../profile.ts';

const ENTRIES = `
completion read (dma_rmb) | 5.5 | ns | i40e.tx.clean_tx_irq
BD post | 5.6 | ns | i40e.tx.clean_rx_irq 11.1 less one completion
dma sync | 2.05 | ns | i40e.tx.dma_sync_for_cpu 2.2, dma_sync_for_device 1.9
XDP program | 15.8 | ns | i40e.tx.bpf_prog 11.5, run_xdp 4.3
XDP transmit | 16.7 | ns | i40e.tx.xmit_xdp_tx_ring 8.5, xmit_xdp_ring 8.2
XDP redirect | 8.9 | ns | estimate: seven calls at 1.27 ns (call.cost); chosen with i40e.redir in view
dma map or unmap | 5.1 | ns | i40e.tx.dma_unmap_page 6.8, dma_direct_map_page 3.4
frame return | 5.3 | ns | i40e.tx.xdp_return_frame 2.9, page_frag_free 2.4
frames returned to the cache | 1 | count | i40e has no pool: it turns its own pages over
first touch of a packet | 0 | ns | within the program's 11.5
PCIe lanes | 8 | count | XL710 data sheet
PCIe RX descriptor | 32 | bytes | XL710 data sheet
PCIe RX descriptors per read | 8 | count | estimate
PCIe RX completion | 32 | bytes | XL710 data sheet: written back in place
PCIe TX descriptor | 16 | bytes | XL710 data sheet
PCIe TX descriptors per read | 8 | count | estimate
PCIe TX completion | 16 | bytes | XL710 data sheet: written back in place
PCIe packets per TX completion | 32 | count | i40e: one for each 32 descriptors
`;

export const i40e2019 = (base: CostProfile): ProfileData => ({
  name: 'i40e-2019',
  says: 'Xeon E5-1650 v4, XL710, Linux 5.x without retpolines',
  base,
  entries: entriesOf(ENTRIES),
});

/** retp.call: 8.463 ns through a retpoline, less 1.266 for a direct call. */
const INDIRECT_NS = 8.463 - 1.266;

/**
 * Indirect calls within each operation: twelve for a redirected packet of Linux 4.17, as the fall
 * from 13 to 6 Mpps tells, of which two are the transmit call (ndo_xdp_xmit and its flush), which
 * queues of 16 save. How they spread over the operations is an estimate, made with the bulkxmit rows in view.
 */
const INDIRECT_CALLS: readonly (readonly [string, number])[] = [
  ['napi poll', 1],
  ['dma sync', 1],
  ['dma map or unmap', 1],
  ['XDP program', 2],
  ['XDP redirect', 3],
  ['XDP transmit call', 2],
  ['frame return', 2],
  ['GRO receive', 2],
  ['netif_receive_skb', 1],
  ['IP receive', 2],
  ['netfilter hook', 1],
  ['UDP receive', 1],
  ['dev_queue_xmit', 2],
  ['start_xmit', 1],
  ['system call', 1],
];

/** `base` with every indirect call through a retpoline. */
export const retpoline = (base: CostProfile): ProfileData => ({
  name: `${base.name}-retpoline`,
  says: `${base.says.replace(' without retpolines', '')}, every indirect call through a retpoline`,
  base,
  entries: INDIRECT_CALLS.map(([op, calls]) => {
    const without = base.costs.find((cost) => cost.op === op)!;
    return {
      ...{ op, value: without.ns + calls * INDIRECT_NS, unit: 'ns' },
      source: `${base.name} and ${calls} times retp.call: 8.463 ns less 1.266 for a direct call`,
    };
  }),
});

/** `base` as a kernel that had no bulk queues yet. */
export const unbulked = (base: CostProfile): ProfileData => ({
  name: `${base.name}-unbulked`,
  says: `${base.says}, as before Linux 4.18: a transmit call for each redirected frame`,
  base,
  entries: entriesOf(
    'redirected frames per transmit call | 1 | count | Linux 4.17: no bulk queues',
  ),
});

/** `base` as a kernel whose cpumap threads allocate skbs in bulk. */
export const bulkSkbs = (base: CostProfile): ProfileData => ({
  name: `${base.name}-bulk-skbs`,
  says: `${base.says}, as since Linux 5.2: cpumap threads allocate eight skbs at once`,
  base,
  entries: entriesOf('cpumap skbs allocated at once | 8 | count | Linux 5.2: CPUMAP_BATCH'),
});
