/**
 * Opening and closing the device.
 *
 * Opening goes: ring counts, memory, NAPIs, interrupts, hardware rings, filters, `napi_enable`,
 * and only then arming. Closing takes the same way back.
 *
 * @linux bnxt_open_nic, __bnxt_open_nic, bnxt_init_chip, __bnxt_close_nic; bnxt.c
 */
import type { Ps } from '../../host/clock.ts';
import { LOST_UNREAD_AT_CLOSE } from '../../host/fates.ts';
import { Histogram } from '../../host/histogram.ts';
import { TP_NETDEV_CLOSE, TP_NETDEV_OPEN } from '../../host/trace.ts';
import {
  CFA_L2_SET_RX_MASK_REQ_MASK_ALL_MCAST,
  CFA_L2_SET_RX_MASK_REQ_MASK_BCAST,
  CFA_L2_SET_RX_MASK_REQ_MASK_MCAST,
  CFA_L2_SET_RX_MASK_REQ_MASK_PROMISCUOUS,
  RING_ALLOC_REQ_RING_TYPE_L2_CMPL,
  RING_ALLOC_REQ_RING_TYPE_NQ,
  RING_ALLOC_REQ_RING_TYPE_RX,
  RING_ALLOC_REQ_RING_TYPE_TX,
} from '../../nic/hsi/hwrm.ts';
import type { HwrmRingAllocInput } from '../../nic/hsi/hwrm.ts';
import { BNXT_NQ_HDL_TYPE_RX, BNXT_NQ_HDL_TYPE_TX, bnxtSetNqHdl } from '../../nic/hsi/nq.ts';
import { DESC_SHIFT } from '../../nic/hsi/ring.ts';
import { CMP_TYPE_RX_L2_CMP, cmpType, cmpValid } from '../../nic/hsi/rxCmp.ts';
import {
  IFF_ALLMULTI,
  IFF_PROMISC,
  NETIF_F_HW_VLAN_CTAG_RX,
  NETIF_F_HW_VLAN_STAG_RX,
  netifSetRealNumTxQueues,
} from '../../stack/netdevice.ts';
import { netifTxStopQueue, netifTxWakeQueue } from '../../stack/netdevQueue.ts';
import type { MacAddr } from '../../stack/netdevice.ts';
import { napiDisable, napiEnable, netifNapiAdd, netifNapiDel } from '../../stack/napiSetup.ts';
import { XdpRxqInfo } from '../../xdp/rxq.ts';
import type { Bnxt, BnxtDbInfo } from './bnxt.ts';
import {
  BnxtCpRingInfo,
  BnxtNapi,
  BnxtRxRingInfo,
  BnxtSwStats,
  BnxtTxRingInfo,
  NapiTotals,
  bnxtChipP5,
} from './bnxt.ts';
import { bnxtHwrmSetCoal } from './coal.ts';
import { bnxtDimCancel } from './dim.ts';
import {
  BNXT_DB_KEY_CP,
  BNXT_DB_KEY_RX,
  BNXT_DB_KEY_TX,
  bnxtDbArm,
  bnxtDbCqP5,
  bnxtDbWrite,
  bnxtSetDb,
} from './db.ts';
import { bnxtMsix, bnxtPoll } from './poll.ts';
import { bnxtPollP5 } from './pollP5.ts';
import {
  bnxtAllocCpRing,
  bnxtAllocOneRxRing,
  bnxtAllocRxRing,
  bnxtAllocTxRing,
  bnxtFreeCpRing,
  bnxtFreeOneRxRing,
  bnxtFreeOneTxRing,
  bnxtFreeRxRing,
  bnxtFreeTxRing,
  bnxtInitRxbdPages,
  bnxtSetRingParams,
} from './rings.ts';
import { bnxtHwrmVnicSetRss, bnxtSetDfltRssIndirTbl } from './rss.ts';
import { bnxtTxInt } from './tx.ts';
import { bnxtTxIntXdp } from './xdp.ts';

/** More groups than this, and all are let through. @linux BNXT_MAX_MC_ADDRS */
const BNXT_MAX_MC_ADDRS = 16;

/** @returns 0 @linux bnxt_open_nic, __bnxt_open_nic */
export function bnxtOpenNic(bp: Bnxt): number {
  bnxtSetRingParams(bp);
  if (bp.rssIndirTbl.length === 0) bnxtSetDfltRssIndirTbl(bp);
  bnxtAllocMem(bp);
  for (const bnapi of bp.bnapi) {
    const poll = bnxtChipP5(bp) ? bnxtPollP5 : bnxtPoll;
    netifNapiAdd(bnapi.napi, (napi, budget) => poll(napi, bnapi, budget), bp.napiWeight);
    bnapi.irq.handler = () => bnxtMsix(bnapi);
  }
  bnxtInitNic(bp);
  for (const rxr of bp.rxRing) rxr.xdpRxq.stages = bp.pdev.rxStages?.(rxr) ?? null;
  netifSetRealNumTxQueues(bp.dev, bp.txNrRingsPerTc);
  bnxtSetXpsMapping(bp);
  for (const bnapi of bp.bnapi) napiEnable(bnapi.napi);
  bp.open = true;
  bnxtTxEnable(bp);
  for (const bnapi of bp.bnapi) bnxtDbArm(bp, bnapi.cpRing);
  if (bp.watch.on) bp.watch.point(TP_NETDEV_OPEN, bp.ctlCpu, bp.dev.ifindex);
  return 0;
}

/** CPU i sends on TX queue i modulo their number. @linux bnxt_set_xps_mapping */
function bnxtSetXpsMapping(bp: Bnxt): void {
  bp.dev.xpsCpus = bp.cpus.map((_, i) => i % bp.txNrRingsPerTc);
}

/** The stack may send again, and what waited goes first. @linux bnxt_tx_enable */
function bnxtTxEnable(bp: Bnxt): void {
  for (const txq of bp.dev.tx) netifTxWakeQueue(txq, bp.ctlCpu);
}

/** Nothing more is queued on rings that are about to go; it waits in front of them. @linux bnxt_tx_disable */
function bnxtTxDisable(bp: Bnxt): void {
  for (const txr of bp.txRing) txr.closing = true;
  for (const txq of bp.dev.tx) netifTxStopQueue(txq);
}

/**
 * One NAPI per completion ring. RX ring i and, with XDP, XDP TX ring i share NAPI i; then the
 * stack's TX rings have NAPIs of their own behind them, and the number of completion rings doubles.
 *
 * @linux bnxt_alloc_mem
 */
function bnxtAllocMem(bp: Bnxt): void {
  const xdpRings = bp.txNrRingsXdp;
  bp.cpNrRings = xdpRings > 0 ? bp.rxNrRings + bp.txNrRingsPerTc : bp.rxNrRings;
  bp.bnapi = Array.from(
    { length: bp.cpNrRings },
    (_, i) => new BnxtNapi(bp, i, bp.pdev.vectors[i]!),
  );
  if (bnxtChipP5(bp)) bp.bnapi.forEach((bnapi, i) => addCpRings(bp, bnapi, i < bp.rxNrRings));
  bp.txRing = [];
  for (let i = 0; i < xdpRings + bp.txNrRingsPerTc; i++) {
    const bnapi = bp.bnapi[i]!;
    const txr = new BnxtTxRingInfo(
      bp,
      bnapi,
      i,
      bnapi.txRing.length,
      i < xdpRings ? -1 : i - xdpRings,
    );
    bnapi.txRing.push(txr);
    bnapi.txInt = i < xdpRings ? bnxtTxIntXdp : bnxtTxInt;
    bnxtAllocTxRing(bp, txr);
    bp.txRing.push(txr);
  }
  bp.rxRing = [];
  for (let i = 0; i < bp.rxNrRings; i++) {
    const bnapi = bp.bnapi[i]!;
    const rxq = new XdpRxqInfo(bp.pdev.xdp, bp.dev.ifindex, i, bp.pdev.stamps);
    const rxr = new BnxtRxRingInfo(bp, bnapi, i, rxq);
    rxr.txr = xdpRings > 0 ? bp.txRing[i]! : null;
    rxr.xdpProg = bp.xdpProg;
    bnapi.rxRing = rxr;
    bnxtAllocRxRing(bp, rxr);
    bp.rxRing.push(rxr);
  }
  for (const { cpRing } of bp.bnapi)
    for (const cpr of [cpRing, ...cpRing.cpRingArr]) bnxtAllocCpRing(bp, cpr);
}

/** P5: a completion ring for RX, when it has that, and one for TX behind it. @linux bnxt_alloc_cp_rings */
function addCpRings(bp: Bnxt, bnapi: BnxtNapi, rx: boolean): void {
  const { cpRing } = bnapi;
  for (const type of rx ? [BNXT_NQ_HDL_TYPE_RX, BNXT_NQ_HDL_TYPE_TX] : [BNXT_NQ_HDL_TYPE_TX])
    cpRing.cpRingArr.push(new BnxtCpRingInfo(bnapi, bp, cpRing, type));
}

/** Rings first in memory, then in hardware; each RX ring is published as soon as it exists. @linux bnxt_init_nic, bnxt_init_chip */
function bnxtInitNic(bp: Bnxt): void {
  for (const rxr of bp.rxRing) {
    bnxtInitRxbdPages(bp, rxr);
    bnxtAllocOneRxRing(rxr);
  }
  bnxtHwrmRingAlloc(bp);
  bnxtHwrmVnicSetRss(bp);
  const { features, mtu } = bp.dev;
  bp.pdev.hwrm.vnicCfg(
    {
      mru: mtu + 18,
      vlanStrip: (features & (NETIF_F_HW_VLAN_CTAG_RX | NETIF_F_HW_VLAN_STAG_RX)) !== 0,
    },
    bp.ctlNow,
  );
  bnxtCfgUsrFltrs(bp);
  bnxtCfgRxMode(bp);
  bnxtHwrmSetCoal(bp);
}

/**
 * Completion rings, on P5 notification queues; then TX, then RX, each published as soon as it
 * exists. P5's completion rings come right before the rings they serve (Linux makes those of RX
 * after them, and tells the NIC in the RSS table which belong together).
 *
 * @linux bnxt_hwrm_ring_alloc
 */
function bnxtHwrmRingAlloc(bp: Bnxt): void {
  for (const { index, cpRing: cpr } of bp.bnapi) {
    cpr.fwRingId = hwrmRingAllocSendMsg(bp, cpr.cpDb, BNXT_DB_KEY_CP, {
      ringType: bnxtChipP5(bp) ? RING_ALLOC_REQ_RING_TYPE_NQ : RING_ALLOC_REQ_RING_TYPE_L2_CMPL,
      ringAddr: cpr.cpDescRing,
      length: cpr.cpBit,
      logicalId: index,
      cmplRingId: -1,
      intVector: index,
    });
  }
  for (const txr of bp.txRing) {
    if (bnxtChipP5(bp)) bnxtHwrmCpRingAllocP5(bp, txr.cpr);
    txr.fwRingId = hwrmRingAllocSendMsg(bp, txr.txDb, BNXT_DB_KEY_TX, {
      ringType: RING_ALLOC_REQ_RING_TYPE_TX,
      ringAddr: txr.txDescRing,
      length: bp.txRingMask + 1,
      logicalId: txr.bnapi.index,
      cmplRingId: txr.cpr.fwRingId,
      intVector: -1,
    });
  }
  for (const rxr of bp.rxRing) {
    if (bnxtChipP5(bp)) bnxtHwrmCpRingAllocP5(bp, rxr.cpr);
    rxr.fwRingId = hwrmRingAllocSendMsg(bp, rxr.rxDb, BNXT_DB_KEY_RX, {
      ringType: RING_ALLOC_REQ_RING_TYPE_RX,
      ringAddr: rxr.rxDescRing,
      length: bp.rxRingMask + 1,
      logicalId: rxr.index,
      cmplRingId: rxr.cpr.fwRingId,
      intVector: -1,
    });
    bnxtDbWrite(bp, bp.ctlCpu, rxr.rxDb, rxr.rxProd);
  }
}

/** One completion ring under its notification queue, armed from the start. @linux bnxt_hwrm_cp_ring_alloc_p5 */
function bnxtHwrmCpRingAllocP5(bp: Bnxt, cpr: BnxtCpRingInfo): void {
  cpr.fwRingId = hwrmRingAllocSendMsg(bp, cpr.cpDb, BNXT_DB_KEY_CP, {
    ringType: RING_ALLOC_REQ_RING_TYPE_L2_CMPL,
    ringAddr: cpr.cpDescRing,
    length: cpr.cpBit,
    logicalId: cpr.bnapi.index,
    cmplRingId: -1,
    intVector: -1,
    nqRingId: cpr.bnapi.cpRing.fwRingId,
    cqHandle: bnxtSetNqHdl(cpr.cpRingType, cpr.cpIdx),
  });
  bnxtDbCqP5(bp, cpr, cpr.cpRawCons, true, 0);
}

/** Give a ring to the hardware, and set its doorbell up. @returns its firmware id @linux hwrm_ring_alloc_send_msg, bnxt_set_db */
function hwrmRingAllocSendMsg(
  bp: Bnxt,
  db: BnxtDbInfo,
  key: number,
  req: HwrmRingAllocInput,
): number {
  const { ringId, doorbell } = bp.pdev.hwrm.ringAlloc(req, bp.ctlNow);
  bnxtSetDb(bp, db, key, doorbell, req.length - 1, ringId);
  return ringId;
}

/** Rules outlive the rings they lead to. @linux bnxt_cfg_usr_fltrs */
function bnxtCfgUsrFltrs(bp: Bnxt): void {
  bp.usrFltrIds = bp.usrFltrs.map((rule) => bp.pdev.hwrm.cfaNtupleFilterAlloc(rule, bp.ctlNow));
}

/** @linux bnxt_clear_usr_fltrs */
function bnxtClearUsrFltrs(bp: Bnxt): void {
  for (const id of bp.usrFltrIds) bp.pdev.hwrm.cfaNtupleFilterFree(id, bp.ctlNow);
  bp.usrFltrIds = [];
}

/** Which frames the MAC lets through. @linux bnxt_cfg_rx_mode, bnxt_set_rx_mode */
export function bnxtCfgRxMode(bp: Bnxt): void {
  const { flags, devAddr, mc } = bp.dev;
  let mask = CFA_L2_SET_RX_MASK_REQ_MASK_BCAST;
  if ((flags & IFF_PROMISC) !== 0) mask |= CFA_L2_SET_RX_MASK_REQ_MASK_PROMISCUOUS;
  if ((flags & IFF_ALLMULTI) !== 0 || mc.length > BNXT_MAX_MC_ADDRS)
    mask |= CFA_L2_SET_RX_MASK_REQ_MASK_ALL_MCAST;
  else if (mc.length > 0) mask |= CFA_L2_SET_RX_MASK_REQ_MASK_MCAST;
  bp.pdev.hwrm.cfaL2SetRxMask(mask, macBytes(devAddr), bp.ctlNow, mc.map(macBytes));
}

function macBytes({ hi16, lo32 }: MacAddr): Uint8Array {
  const mac = new Uint8Array(6);
  new DataView(mac.buffer).setUint16(0, hi16);
  new DataView(mac.buffer).setUint32(2, lo32);
  return mac;
}

/**
 * Completions nobody will read are counted, pages go home, and the rings' books are kept for
 * the sums.
 *
 * @linux __bnxt_close_nic
 */
export function bnxtCloseNic(bp: Bnxt): void {
  bnxtTxDisable(bp);
  bp.open = false;
  bnxtClearUsrFltrs(bp);
  bnxtDimCancel(bp);
  const now = bp.ctlNow;
  const hwCons = bnxtShutdownNic(bp, now);
  for (const bnapi of bp.bnapi) {
    bnxtDisableNapi(bnapi, now);
    bnapi.irq.handler = null;
  }
  bp.txRing.forEach((txr, i) => bnxtFreeOneTxRing(bp, txr, hwCons[i]!));
  for (const rxr of bp.rxRing) bnxtFreeOneRxRing(rxr);
  saveBooks(bp);
  for (const bnapi of bp.bnapi) netifNapiDel(bnapi.napi);
  bnxtFreeMem(bp);
  if (bp.watch.on) bp.watch.point(TP_NETDEV_CLOSE, bp.ctlCpu, bp.dev.ifindex);
}

/** A ring that is closed with a reset pending has been reset by that. @linux bnxt_disable_napi */
function bnxtDisableNapi(bnapi: BnxtNapi, now: Ps): void {
  const { swStats } = bnapi.cpRing;
  if (bnapi.txFault) swStats.txResets++;
  if (bnapi.inReset) swStats.rxResets++;
  napiDisable(bnapi.napi, now);
}

/** TX and RX rings before the completion rings that serve them. @returns where the NIC stopped in each TX ring @linux bnxt_shutdown_nic, bnxt_hwrm_ring_free */
function bnxtShutdownNic(bp: Bnxt, now: Ps): number[] {
  const { hwrm } = bp.pdev;
  const hwCons = bp.txRing.map((txr) =>
    hwrm.ringFree(RING_ALLOC_REQ_RING_TYPE_TX, txr.fwRingId, now),
  );
  for (const rxr of bp.rxRing) hwrm.ringFree(RING_ALLOC_REQ_RING_TYPE_RX, rxr.fwRingId, now);
  for (const { completionRings, cpRing } of bp.bnapi) {
    for (const cpr of completionRings)
      hwrm.ringFree(RING_ALLOC_REQ_RING_TYPE_L2_CMPL, cpr.fwRingId, now);
    if (bnxtChipP5(bp)) hwrm.ringFree(RING_ALLOC_REQ_RING_TYPE_NQ, cpRing.fwRingId, now);
  }
  return hwCons;
}

/** Add what these rings counted to the device's own books. @linux bnxt_get_ring_err_stats */
function saveBooks(bp: Bnxt): void {
  for (const bnapi of bp.bnapi) {
    if (bnapi.rxRing !== null)
      bnapi.rxRing.fates.lost[LOST_UNREAD_AT_CLOSE]! += unreadPackets(bnapi.rxRing.cpr);
    addSwStats(bp.ringErrStats, bnapi.cpRing.swStats);
  }
  for (const rxr of bp.rxRing) {
    bp.fates.add(rxr.fates);
    bp.poolStats.add(rxr.pagePool.stats);
    (bp.latency[rxr.bnapi.index] ??= new Histogram()).add(rxr.xdpRxq.latency);
  }
  for (const txr of bp.txRing) bp.fates.add(txr.fates);
  for (const { index, napi } of bp.bnapi) (bp.napiTotals[index] ??= new NapiTotals()).add(napi);
}

export function addSwStats(to: BnxtSwStats, from: BnxtSwStats): void {
  for (const key of Object.keys(to) as (keyof BnxtSwStats)[]) to[key] += from[key];
}

/** Packets whose completions lie in the ring and were never read. */
export function unreadPackets(cpr: BnxtCpRingInfo): number {
  let packets = 0;
  for (let raw = cpr.cpRawCons; ; raw++) {
    const at = cpr.cpDescRing + ((raw & cpr.cpRingMask) << DESC_SHIFT);
    if (!cmpValid(cpr.words, at, (raw & cpr.cpBit) === 0 ? 0 : 1)) return packets;
    if (cmpType(cpr.words, at) !== CMP_TYPE_RX_L2_CMP) continue;
    packets++;
    raw++;
  }
}

function bnxtFreeMem(bp: Bnxt): void {
  for (const rxr of bp.rxRing) bnxtFreeRxRing(bp, rxr);
  for (const txr of bp.txRing) bnxtFreeTxRing(bp, txr);
  for (const { cpRing } of bp.bnapi)
    for (const cpr of [cpRing, ...cpRing.cpRingArr]) bnxtFreeCpRing(bp, cpr);
  bp.rxRing = [];
  bp.txRing = [];
  bp.bnapi = [];
}
