/**
 * What `ethtool -c`, `-g`, `-l` and `-x` ask a bnxt for.
 *
 * @linux bnxt_get_coalesce, bnxt_get_ringparam, bnxt_get_channels, bnxt_get_rxfh; drivers/net/ethernet/broadcom/bnxt/bnxt_ethtool.c
 */
import type { RtnlLinkStats64 } from '../../stack/netdevice.ts';
import type { Bnxt } from './bnxt.ts';
import { BNXT_FLAG_DIM } from './bnxt.ts';
import { bnxtGetRingErrStats } from './ethtool.ts';
import { BNXT_MAX_RX_DESC_CNT, BNXT_MAX_TX_DESC_CNT } from './rings.ts';

/** @linux struct ethtool_coalesce, the members bnxt supports */
export interface EthtoolCoalesce {
  readonly useAdaptiveRxCoalesce: boolean;
  readonly rxCoalesceUsecs: number;
  readonly rxMaxCoalescedFrames: number;
  readonly rxCoalesceUsecsIrq: number;
  readonly rxMaxCoalescedFramesIrq: number;
  readonly txCoalesceUsecs: number;
  readonly txMaxCoalescedFrames: number;
  readonly txCoalesceUsecsIrq: number;
  readonly txMaxCoalescedFramesIrq: number;
  readonly statsBlockCoalesceUsecs: number;
  readonly useCqeModeRx: boolean;
  readonly useCqeModeTx: boolean;
}

/** The driver's own, and the counters are read at once whenever somebody asks. @linux BNXT_DEF_STATS_COAL_TICKS */
const STATS_COAL_TICKS = 1_000_000;

/** Frames, where the driver counts completion records. @linux bnxt_get_coalesce */
export function bnxtGetCoalesce({ flags, rxCoal, txCoal }: Bnxt): EthtoolCoalesce {
  return {
    useAdaptiveRxCoalesce: (flags & BNXT_FLAG_DIM) !== 0,
    rxCoalesceUsecs: rxCoal.coalTicks,
    rxMaxCoalescedFrames: Math.floor(rxCoal.coalBufs / rxCoal.bufsPerRecord),
    rxCoalesceUsecsIrq: rxCoal.coalTicksIrq,
    rxMaxCoalescedFramesIrq: Math.floor(rxCoal.coalBufsIrq / rxCoal.bufsPerRecord),
    txCoalesceUsecs: txCoal.coalTicks,
    txMaxCoalescedFrames: Math.floor(txCoal.coalBufs / txCoal.bufsPerRecord),
    txCoalesceUsecsIrq: txCoal.coalTicksIrq,
    txMaxCoalescedFramesIrq: Math.floor(txCoal.coalBufsIrq / txCoal.bufsPerRecord),
    statsBlockCoalesceUsecs: STATS_COAL_TICKS,
    useCqeModeRx: rxCoal.flags !== 0,
    useCqeModeTx: txCoal.flags !== 0,
  };
}

/** @linux struct ethtool_ringparam */
export interface EthtoolRingparam {
  readonly rxMaxPending: number;
  readonly txMaxPending: number;
  readonly rxPending: number;
  readonly txPending: number;
}

/** There are no AGG rings, so nothing is "jumbo". @linux bnxt_get_ringparam */
export const bnxtGetRingparam = (bp: Bnxt): EthtoolRingparam => ({
  rxMaxPending: BNXT_MAX_RX_DESC_CNT,
  txMaxPending: BNXT_MAX_TX_DESC_CNT,
  rxPending: bp.rxRingSize,
  txPending: bp.txRingSize,
});

/** @linux struct ethtool_channels */
export interface EthtoolChannels {
  readonly maxRx: number;
  readonly maxTx: number;
  readonly maxCombined: number;
  readonly combinedCount: number;
}

/** What the vectors suffice for: the emulated function has two for each queue. @linux bnxt_get_channels */
export const bnxtGetChannels = ({ pdev, rxNrRings }: Bnxt): EthtoolChannels => ({
  maxRx: pdev.vectors.length / 2,
  maxTx: pdev.vectors.length,
  maxCombined: pdev.vectors.length / 2,
  combinedCount: rxNrRings,
});

/** @linux struct ethtool_rxfh_param */
export interface EthtoolRxfh {
  readonly rings: number;
  readonly indir: Uint16Array;
  readonly key: Uint8Array;
}

/** @linux bnxt_get_rxfh */
export const bnxtGetRxfh = (bp: Bnxt): EthtoolRxfh => ({
  rings: bp.rxNrRings,
  indir: bp.rssIndirTbl,
  key: bp.rssKey,
});

/**
 * What `ip -s link` shows: the rings' hardware counters, what the driver itself dropped, the port's.
 *
 * @linux bnxt_get_stats64, bnxt_get_ring_stats
 */
export function bnxtGetStats64(bp: Bnxt, stats: RtnlLinkStats64): void {
  const { hwrm } = bp.pdev;
  const now = bp.ctlNow;
  for (let i = 0; i < bp.pdev.vectors.length; i++) {
    const hw = hwrm.statCtxQuery(i, now);
    stats.rxPackets += hw.rxUcastPkts + hw.rxMcastPkts + hw.rxBcastPkts;
    stats.rxBytes += hw.rxUcastBytes + hw.rxMcastBytes + hw.rxBcastBytes;
    stats.txPackets += hw.txUcastPkts + hw.txMcastPkts + hw.txBcastPkts;
    stats.txBytes += hw.txUcastBytes + hw.txMcastBytes + hw.txBcastBytes;
    stats.rxMissedErrors += hw.rxDiscardPkts;
    stats.multicast += hw.rxMcastPkts;
    stats.txDropped += hw.txErrorPkts;
  }
  const { rxOomDiscards, rxNetpollDiscards } = bnxtGetRingErrStats(bp);
  stats.rxDropped = rxOomDiscards + rxNetpollDiscards;
  const port = hwrm.portQstats(now);
  stats.rxCrcErrors = port.rxFcsErrFrames;
  stats.rxLengthErrors = port.rxUndrszFrames + port.rxOversizeFrames;
  stats.rxErrors = stats.rxLengthErrors + stats.rxCrcErrors;
}
