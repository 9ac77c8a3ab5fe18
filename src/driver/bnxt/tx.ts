/**
 * Transmission for the stack: queueing a packet, and freeing what was sent.
 *
 * A packet takes a long descriptor, its extension, and one short descriptor for each frag. Left
 * out: the push path (copying a small packet into the doorbell itself, which needs an empty ring
 * and saves one DMA read) and segmentation offload (nothing hands down a packet longer than the
 * MTU).
 *
 * @linux bnxt_start_xmit, bnxt_tx_int; drivers/net/ethernet/broadcom/bnxt/bnxt.c
 */
import { OP_START_XMIT } from '../../host/cost.ts';
import type { Cpu } from '../../host/cpu.ts';
import { dmaMapSingle, dmaUnmapSingle } from '../../host/dma.ts';
import { TP_START_XMIT, TP_TX_INT } from '../../host/trace.ts';
import { DESC_SHIFT } from '../../nic/hsi/ring.ts';
import {
  TX_BD_FLAGS_BD_CNT_SHIFT,
  TX_BD_FLAGS_NO_CMPL,
  TX_BD_FLAGS_PACKET_END,
  TX_BD_TYPE_LONG_TX_BD,
  TX_MAX_LEN,
  bnxtLhint,
  setTxOpaque,
  txBdAddFlags,
  txBdClearFlags,
  txBdWrite,
} from '../../nic/hsi/txBd.ts';
import {
  TX_BD_CFA_META_KEY_VLAN,
  TX_BD_CFA_META_TPID_8021Q,
  TX_BD_FLAGS_TCP_UDP_CHKSUM,
  txBdExtPost,
} from '../../nic/hsi/txBdExt.ts';
import type { NetdevQueue } from '../../stack/netdevQueue.ts';
import {
  netdevTxCompletedQueue,
  netdevTxSentQueue,
  netifTxQueueStopped,
  netifTxWakeQueue,
  netifTxqTryStop,
  netifXmitStopped,
} from '../../stack/netdevQueue.ts';
import { napiConsumeSkb } from '../../stack/skbPool.ts';
import type { SkBuff } from '../../stack/skbuff.ts';
import { CHECKSUM_PARTIAL, MAX_SKB_FRAGS, skbHeadlen, skbPad } from '../../stack/skbuff.ts';
import { NETDEV_TX_BUSY, NETDEV_TX_OK, devXmitDrop } from '../../stack/xmitOne.ts';
import type { Bnxt, BnxtNapi, BnxtTxRingInfo } from './bnxt.ts';
import { BNXT_TX_CMP_EVENT, bnxtChipP5 } from './bnxt.ts';
import { bnxtDbWrite } from './db.ts';
import { bnxtSchedResetTxr } from './reset.ts';
import { bnxtTxAvail } from './xdp.ts';

/** Shorter frames are padded before hardware sees them. @linux BNXT_MIN_PKT_SIZE */
const BNXT_MIN_PKT_SIZE = 52;
const ETH_P_8021Q = 0x8100;

/**
 * Queue one packet of the stack, and ring the doorbell unless another follows.
 *
 * @param more another packet for this ring follows at once
 * @returns `NETDEV_TX_OK`, also when the packet had to be dropped; `NETDEV_TX_BUSY` and a stopped
 *   queue when the ring has no room for it
 * @linux bnxt_start_xmit
 */
export function bnxtStartXmit(bp: Bnxt, skb: SkBuff, cpu: Cpu, more: boolean): number {
  const txr = bp.txRing[bp.txNrRingsXdp + skb.queueMapping];
  if (txr === undefined) {
    devXmitDrop(skb, cpu);
    return NETDEV_TX_OK;
  }
  const txq = bp.dev.tx[txr.txqIndex]!;
  const freeSize = bnxtTxAvail(txr);
  if (freeSize < skb.nrFrags + 2 && netifTxqTryStop(txq, freeSize, bp.txWakeThresh))
    return NETDEV_TX_BUSY;

  const prod = txr.txProd & bp.txRingMask;
  if (!mapPacket(bp, txr, skb, cpu)) {
    if (txr.kickPending) bnxtTxrDbKick(bp, txr, cpu);
    devXmitDrop(skb, cpu);
    return NETDEV_TX_OK;
  }
  if (bp.pdev.stamps.stages !== null) bp.pdev.stamps.set(skb.data, skb.wireAt);
  txr.txBufRing[prod]!.skb = skb;
  txr.txBufRing[prod]!.nrFrags = skb.nrFrags;
  netdevTxSentQueue(txq, skb.len);
  txr.txProd = (txr.txProd + 2 + skb.nrFrags) & 0xffff;
  if (bp.watch.on) bp.watch.point(TP_START_XMIT, cpu, txr.txProd, skb.len);

  const txbd0 = txr.txDescRing + (prod << DESC_SHIFT);
  if (!more || netifXmitStopped(txq)) bnxtTxrDbKick(bp, txr, cpu);
  else {
    // a roomy ring can wait: the bulk's last packet completes for all
    if (freeSize >= bp.txWakeThresh) txBdAddFlags(txr.words, txbd0, TX_BD_FLAGS_NO_CMPL);
    txr.kickPending = true;
  }
  if (bnxtTxAvail(txr) <= MAX_SKB_FRAGS + 1) {
    if (more) {
      txBdClearFlags(txr.words, txbd0, TX_BD_FLAGS_NO_CMPL);
      bnxtTxrDbKick(bp, txr, cpu);
    }
    netifTxqTryStop(txq, bnxtTxAvail(txr), bp.txWakeThresh);
  }
  return NETDEV_TX_OK;
}

/**
 * Map the packet and write its descriptors; the producer does not move yet.
 *
 * A packet that is too short and lies in pieces is not put together, as Linux would, but refused.
 *
 * @returns false when it cannot be sent; nothing is mapped then
 * @linux bnxt_start_xmit, from the padding to the last frag
 */
function mapPacket(bp: Bnxt, txr: BnxtTxRingInfo, skb: SkBuff, cpu: Cpu): boolean {
  let headLen = skbHeadlen(skb);
  if (skb.len < BNXT_MIN_PKT_SIZE) {
    if (!skbPad(skb, BNXT_MIN_PKT_SIZE - skb.len)) return false;
    headLen = BNXT_MIN_PKT_SIZE;
  } else if (skb.len > TX_MAX_LEN) {
    bp.dev.net.dmesg.once(`${bp.dev.name}: Dropped oversize ${skb.len} bytes TX packet.`);
    return false;
  }
  const { words, txDescRing, txRingMask } = txr;
  const mapping = dmaMapSingle(cpu, bp.faults, skb.data);
  if (mapping === 0) return false;

  cpu.charge(OP_START_XMIT);
  let prod = txr.txProd & txRingMask;
  const bds = skb.nrFrags + 2;
  const flags =
    TX_BD_TYPE_LONG_TX_BD |
    ((bds & 0x1f) << TX_BD_FLAGS_BD_CNT_SHIFT) |
    bnxtLhint(Math.max(skb.len, BNXT_MIN_PKT_SIZE)) |
    (skb.nrFrags === 0 ? TX_BD_FLAGS_PACKET_END : 0);
  const opaque = setTxOpaque(txr.txNapiIdx, prod, bds);
  txBdWrite(words, txDescRing + (prod << DESC_SHIFT), headLen, flags, opaque, mapping);
  prod = (prod + 1) & txRingMask;
  const lflags = skb.ipSummed === CHECKSUM_PARTIAL ? TX_BD_FLAGS_TCP_UDP_CHKSUM : 0;
  txBdExtPost(words, txDescRing + (prod << DESC_SHIFT), lflags, vlanTagFlags(skb));

  for (let i = 0; i < skb.nrFrags; i++) {
    prod = (prod + 1) & txRingMask;
    const at = dmaMapSingle(cpu, bp.faults, skb.fragPage[i]! + skb.fragOffset[i]!);
    if (at === 0) {
      for (let mapped = 0; mapped <= i; mapped++) dmaUnmapSingle(cpu);
      return false;
    }
    const end = i === skb.nrFrags - 1 ? TX_BD_FLAGS_PACKET_END : 0;
    txBdWrite(words, txDescRing + (prod << DESC_SHIFT), skb.fragSize[i]!, end, 0, at);
  }
  return true;
}

/** The tag that hardware shall insert, as `cfa_meta`. */
function vlanTagFlags(skb: SkBuff): number {
  if (skb.vlanProto === 0) return 0;
  const tpid = skb.vlanProto === ETH_P_8021Q ? TX_BD_CFA_META_TPID_8021Q : 0;
  return TX_BD_CFA_META_KEY_VLAN | tpid | skb.vlanTci;
}

/** Publish everything queued so far. @linux bnxt_txr_db_kick */
function bnxtTxrDbKick(bp: Bnxt, txr: BnxtTxRingInfo, cpu: Cpu): void {
  bnxtDbWrite(bp, cpu, txr.txDb, txr.txProd);
  txr.kickPending = false;
}

/** Free what was sent on each TX ring of this NAPI. @linux bnxt_tx_int */
export function bnxtTxInt(bnapi: BnxtNapi, budget: number): void {
  let more = false;
  for (const txr of bnapi.txRing) {
    if ((txr.txCons & bnapi.bp.txRingMask) !== txr.txHwCons)
      more = __bnxtTxInt(bnapi, txr, budget) || more;
  }
  if (!more) bnapi.events &= ~BNXT_TX_CMP_EVENT;
}

/** @returns true when a packet must be looked at again: its timestamp is late, which never happens here @linux __bnxt_tx_int */
function __bnxtTxInt(bnapi: BnxtNapi, txr: BnxtTxRingInfo, budget: number): boolean {
  const { bp } = bnapi;
  const { cpu } = bnapi.cpRing;
  const from = txr.txCons;
  let txCons = from;
  let txBytes = 0;
  let txPackets = 0;
  while ((txCons & bp.txRingMask) !== txr.txHwCons) {
    const txBuf = txr.txBufRing[txCons & bp.txRingMask]!;
    const { skb } = txBuf;
    if (skb === null) {
      bnxtSchedResetTxr(txr, txCons);
      return false;
    }
    txBuf.skb = null;
    txBytes += skb.len;
    txPackets++;
    for (let mapped = 0; mapped <= txBuf.nrFrags; mapped++) dmaUnmapSingle(cpu);
    napiConsumeSkb(skb, budget, cpu);
    txCons = (txCons + 2 + txBuf.nrFrags) & 0xffff; // long BD, ext BD, one per frag
  }
  txr.txCons = txCons;
  if (bnxtChipP5(bp)) {
    txr.cpr.packets += txPackets;
    txr.cpr.bytes += txBytes;
  }
  if (bp.watch.on) bp.watch.point(TP_TX_INT, cpu, from, txCons);
  completedWake(txr, bp.dev.tx[txr.txqIndex]!, txBytes, cpu);
  return false;
}

/** The bytes are out of flight; a stopped queue goes on once half the ring is free. @linux __netif_txq_completed_wake */
function completedWake(txr: BnxtTxRingInfo, txq: NetdevQueue, bytes: number, cpu: Cpu): void {
  netdevTxCompletedQueue(txq, bytes, cpu);
  if (txr.closing || !netifTxQueueStopped(txq)) return;
  if (bnxtTxAvail(txr) >= txr.bp.txWakeThresh) netifTxWakeQueue(txq, cpu);
}
