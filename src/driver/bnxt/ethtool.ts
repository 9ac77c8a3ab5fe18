/**
 * `ethtool -S`: the counters, under the driver's own names and in its order.
 *
 * Per-ring hardware counters, then what software counted for the ring, then totals of the device,
 * then the port's. Counters that belong to features not emulated here (TPA, priorities, PFC) are
 * left out.
 *
 * @linux bnxt_get_strings, bnxt_get_ethtool_stats; drivers/net/ethernet/broadcom/bnxt/bnxt_ethtool.c
 */
import type { CtxHwStats, PortStats } from '../../nic/hsi/hwrm.ts';
import type { Bnxt } from './bnxt.ts';
import { BnxtSwStats } from './bnxt.ts';
import { addSwStats } from './open.ts';

/** @linux bnxt_ring_rx_stats_str */
const RING_RX: readonly (readonly [string, keyof CtxHwStats])[] = [
  ['rx_ucast_packets', 'rxUcastPkts'],
  ['rx_mcast_packets', 'rxMcastPkts'],
  ['rx_bcast_packets', 'rxBcastPkts'],
  ['rx_discards', 'rxDiscardPkts'],
  ['rx_errors', 'rxErrorPkts'],
  ['rx_ucast_bytes', 'rxUcastBytes'],
  ['rx_mcast_bytes', 'rxMcastBytes'],
  ['rx_bcast_bytes', 'rxBcastBytes'],
];

/** @linux bnxt_ring_tx_stats_str */
const RING_TX: readonly (readonly [string, keyof CtxHwStats])[] = [
  ['tx_ucast_packets', 'txUcastPkts'],
  ['tx_mcast_packets', 'txMcastPkts'],
  ['tx_bcast_packets', 'txBcastPkts'],
  ['tx_errors', 'txErrorPkts'],
  ['tx_discards', 'txDiscardPkts'],
  ['tx_ucast_bytes', 'txUcastBytes'],
  ['tx_mcast_bytes', 'txMcastBytes'],
  ['tx_bcast_bytes', 'txBcastBytes'],
];

/** @linux bnxt_rx_sw_stats_str */
const RING_RX_SW: readonly (readonly [string, keyof BnxtSwStats])[] = [
  ['rx_l4_csum_errors', 'rxL4CsumErrors'],
  ['rx_resets', 'rxResets'],
  ['rx_buf_errors', 'rxBufErrors'],
];

/** @linux bnxt_cmn_sw_stats_str */
const RING_CMN_SW: readonly (readonly [string, keyof BnxtSwStats])[] = [
  ['missed_irqs', 'missedIrqs'],
];

/** @linux bnxt_ring_err_stats_arr */
const TOTALS: readonly (readonly [
  string,
  keyof BnxtSwStats | 'rxRingDiscards' | 'txRingDiscards',
])[] = [
  ['rx_total_l4_csum_errors', 'rxL4CsumErrors'],
  ['rx_total_resets', 'rxResets'],
  ['rx_total_buf_errors', 'rxBufErrors'],
  ['rx_total_oom_discards', 'rxOomDiscards'],
  ['rx_total_netpoll_discards', 'rxNetpollDiscards'],
  ['rx_total_ring_discards', 'rxRingDiscards'],
  ['tx_total_resets', 'txResets'],
  ['tx_total_ring_discards', 'txRingDiscards'],
  ['total_missed_irqs', 'missedIrqs'],
];

/** @linux bnxt_port_stats_arr, those a port emulated here can count */
const PORT: readonly (readonly [string, keyof PortStats])[] = [
  ['rx_undrsz_frames', 'rxUndrszFrames'],
  ['rx_oversize_frames', 'rxOversizeFrames'],
  ['rx_fcs_err_frames', 'rxFcsErrFrames'],
  ['rx_good_frames', 'rxGoodFrames'],
  ['rx_stat_discard', 'rxStatDiscard'],
  ['tx_good_frames', 'txGoodFrames'],
];

export type EthtoolStats = readonly (readonly [name: string, value: number])[];

/**
 * Name and value, in the order `ethtool -S` prints them.
 *
 * One group per completion ring: with a program the rings of the stack's transmission follow those
 * of the RX queues, and have the TX names alone.
 *
 * @linux bnxt_get_ethtool_stats
 */
export function bnxtGetEthtoolStats(bp: Bnxt): EthtoolStats {
  const { hwrm } = bp.pdev;
  const now = bp.ctlNow;
  const out: [string, number][] = [];
  const discards = { rxRingDiscards: 0, txRingDiscards: 0 };
  for (let i = 0; i < bp.txNrRingsXdp + bp.txNrRingsPerTc; i++) {
    const hw = hwrm.statCtxQuery(i, now);
    const sw = bp.bnapi[i]?.cpRing.swStats ?? new BnxtSwStats();
    const rx = i < bp.rxNrRings;
    for (const [name, key] of rx ? RING_RX : []) out.push([`[${i}]: ${name}`, hw[key]]);
    for (const [name, key] of RING_TX) out.push([`[${i}]: ${name}`, hw[key]]);
    for (const [name, key] of rx ? RING_RX_SW : []) out.push([`[${i}]: ${name}`, sw[key]]);
    for (const [name, key] of RING_CMN_SW) out.push([`[${i}]: ${name}`, sw[key]]);
    discards.rxRingDiscards += hw.rxDiscardPkts;
    discards.txRingDiscards += hw.txDiscardPkts;
  }
  const totals = { ...bnxtGetRingErrStats(bp), ...discards };
  for (const [name, key] of TOTALS) out.push([name, totals[key]]);
  const port = hwrm.portQstats(now);
  for (const [name, key] of PORT) out.push([name, port[key]]);
  return out;
}

/** Software counters of all rings, those of earlier opens included. @linux bnxt_get_ring_err_stats */
export function bnxtGetRingErrStats(bp: Bnxt): BnxtSwStats {
  const sum = new BnxtSwStats();
  addSwStats(sum, bp.ringErrStats);
  for (const bnapi of bp.bnapi) addSwStats(sum, bnapi.cpRing.swStats);
  return sum;
}
