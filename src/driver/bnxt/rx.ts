/**
 * Receiving one packet: from its completion to XDP, to an skb, or back onto the ring.
 *
 * The ring is kept full: whatever happens to a packet, its slot's successor gets a buffer first,
 * the old one or a new one. Under memory pressure the packet is dropped, never the buffer.
 *
 * @linux bnxt_rx_pkt and what it calls; drivers/net/ethernet/broadcom/bnxt/bnxt.c
 */
import { dmaSyncSingleForCpu } from '../../host/dma.ts';
import { EBUSY, EIO, ENOMEM } from '../../host/errno.ts';
import {
  LOST_NETPOLL,
  LOST_SKB_OOM,
  LOST_OUT_OF_ORDER,
  LOST_RX_CRC,
  LOST_RX_ERROR,
} from '../../host/fates.ts';
import { DRIVER, RX_RING, TX_RING } from '../../host/ledger.ts';
import type { HostAddr } from '../../host/memory.ts';
import { PAGE_MASK } from '../../host/memory.ts';
import { TP_RX_PKT } from '../../host/trace.ts';
import { DESC_SHIFT } from '../../nic/hsi/ring.ts';
import { rxBdPost } from '../../nic/hsi/rxBd.ts';
import {
  RX_CMPL_ERRORS_BUFFER_ERROR_MASK,
  RX_CMPL_ERRORS_CRC_ERROR,
  cmpValid,
  rxCmpExtForceErrors,
  rxCmpL2Errors,
  rxCmpLen,
  rxCmpOpaque,
} from '../../nic/hsi/rxCmp.ts';
import { pagePoolAllocFrag } from '../../stack/pagePoolFrag.ts';
import { bpfProgRunXdp } from '../../xdp/program.ts';
import { xdpData, xdpLen, xdpPrepareBuff } from '../../xdp/xdpBuff.ts';
import type { Bnxt, BnxtRxRingInfo } from './bnxt.ts';
import { BNXT_RX_EVENT, RX_CONS_FORCED_ERROR, bnxtChipP5, bnxtRxPageMode } from './bnxt.ts';
import { bnxtCmpValid } from './poll.ts';
import { bnxtSchedResetRxr } from './reset.ts';
import { passUp } from './skb.ts';
import {
  setSwRxBdData,
  swRxBdAt,
  swRxBdData,
  swRxBdDataPtr,
  swRxBdMapping,
  swRxBdSet,
} from './swRxBd.ts';
import { bnxtRxXdp, bnxtTxAvail } from './xdp.ts';

/**
 * The packet whose completion begins at `rxr.rawCons`.
 *
 * On return `rxr.rawCons` stands on the last slot that was consumed, and `rxr.event` has the
 * events added; with -EBUSY both are as before.
 *
 * @returns 1 one packet received; 0 nothing to count; -EBUSY not all written yet; -ENOMEM lost for
 *   want of memory; -EIO hardware error
 * @linux bnxt_rx_pkt
 */
export function bnxtRxPkt(rxr: BnxtRxRingInfo): number {
  const { words, cpDescRing, cpRingMask, rawCons } = rxr;
  const rawExt = rawCons + 1;
  const at = cpDescRing + ((rawCons & cpRingMask) << DESC_SHIFT);
  const ext = cpDescRing + ((rawExt & cpRingMask) << DESC_SHIFT);
  if (!cmpValid(words, ext, (rawExt & rxr.cpBit) === 0 ? 0 : 1) && !bnxtCmpValid(rxr.cpr, rawExt))
    return -EBUSY;

  const cons = rxCmpOpaque(words, at);
  if (cons !== rxr.rxNextCons) return bnxtDiscardRx(rxr, rawExt);

  const rxBuf = swRxBdAt(rxr.rxBufRing, cons);
  const data = swRxBdData(words, rxBuf);
  rxr.event |= BNXT_RX_EVENT;
  setSwRxBdData(words, rxBuf, 0);
  if (rxr.watch.on) watchRxPkt(rxr, cons, data, rxCmpLen(words, at));

  const l2Errors = rxCmpL2Errors(words, ext);
  if (l2Errors !== 0) return bnxtRxError(rxr, cons, data, l2Errors, rawExt);

  let len = rxCmpLen(words, at);
  let rc = 1;
  if (rxr.xdpProg !== null) {
    bnxtXdpBuffInit(rxr, data, len);
    const act = bpfProgRunXdp(rxr.xdpProg, rxr.xdp, rxr.xdpRxq, rxr.cpu);
    const consumed = bnxtRxXdp(rxr, cons, data, act);
    len = xdpLen(words, rxr.xdp);
    if (!consumed) rc = passUp(rxr, cons, data, xdpData(words, rxr.xdp), len, at, ext, true);
  } else {
    rc = passUp(rxr, cons, data, swRxBdDataPtr(words, rxBuf), len, at, ext, false);
  }
  nextRxPkt(rxr, cons, len);
  return rc;
}

/** The same from the verdict on, for the packet behind a walk. */
export function rxPktRan(rxr: BnxtRxRingInfo, cons: number, data: HostAddr, act: number): number {
  const { words, cpDescRing, cpRingMask, rawCons, xdp } = rxr;
  const at = cpDescRing + ((rawCons & cpRingMask) << DESC_SHIFT);
  const ext = cpDescRing + (((rawCons + 1) & cpRingMask) << DESC_SHIFT);
  const consumed = bnxtRxXdp(rxr, cons, data, act);
  const len = xdpLen(words, xdp);
  const rc = consumed ? 1 : passUp(rxr, cons, data, xdpData(words, xdp), len, at, ext, true);
  nextRxPkt(rxr, cons, len);
  return rc;
}

/** @linux bnxt_rx_pkt, from next_rx on */
function nextRxPkt(rxr: BnxtRxRingInfo, cons: number, len: number): void {
  const { cpr } = rxr;
  cpr.packets++;
  cpr.bytes += len;
  nextRx(rxr, cons);
  rxr.rawCons++;
}

/** The producer slot has been filled; the next completion must name the next slot. */
function nextRx(rxr: BnxtRxRingInfo, cons: number): void {
  rxr.rxProd = (rxr.rxProd + 1) & 0xffff;
  rxr.rxNextCons = (cons + 1) & rxr.rxRingMask;
}

/**
 * The page in XDP's terms: `frame_sz` is the whole page, not the buffer that was posted, and
 * metadata is allowed. The length is trusted, as in Linux; a NIC here cuts what does not fit.
 *
 * @linux bnxt_xdp_buff_init
 */
function bnxtXdpBuffInit(rxr: BnxtRxRingInfo, page: HostAddr, len: number): void {
  dmaSyncSingleForCpu(rxr.cpu);
  xdpPrepareBuff(rxr.words, rxr.xdp, page, rxr.rxOffset, len, true);
}

/**
 * A completion out of order: nothing is known about buffers any more, so the ring is reset. While
 * that is pending (`rxNextCons` is 0xffff) every packet takes this way.
 *
 * @linux bnxt_rx_pkt, its first branch; bnxt_discard_rx
 */
function bnxtDiscardRx(rxr: BnxtRxRingInfo, rawExt: number): number {
  const { bp } = rxr;
  if (rxr.rxNextCons !== RX_CONS_FORCED_ERROR) {
    const cons = rxCmpOpaque(
      rxr.words,
      rxr.cpr.cpDescRing + ((rxr.rawCons & rxr.cpr.cpRingMask) << DESC_SHIFT),
    );
    bp.dev.net.dmesg.once(
      `${bp.dev.name}: RX cons ${cons.toString(16)} != expected cons ${rxr.rxNextCons.toString(16)}`,
    );
  }
  rxr.fates.lost[LOST_OUT_OF_ORDER]!++;
  bnxtSchedResetRxr(rxr);
  rxr.rawCons = rawExt;
  return 0;
}

/**
 * The frame is unusable: its buffer goes straight back. Not counted as a packet.
 *
 * As after a verdict, the RX doorbell waits while XDP_TX pages are on their way: Linux rings it
 * here, and the NIC may overwrite what is still to be sent.
 *
 * As read, going on to the next slot wipes out the forced error of a buffer error: packets are
 * received until the reset runs. P5 resets nothing.
 *
 * @linux bnxt_rx_pkt, RX_CMP_L2_ERRORS
 */
function bnxtRxError(
  rxr: BnxtRxRingInfo,
  cons: number,
  data: HostAddr,
  errors: number,
  rawExt: number,
): number {
  const { bp, cpr, txr } = rxr;
  bnxtReuseRxData(rxr, cons, data);
  if (txr !== null && bnxtTxAvail(txr) !== txr.txRingSize) rxr.event &= ~BNXT_RX_EVENT;
  const badFcs = (errors & RX_CMPL_ERRORS_CRC_ERROR) !== 0;
  rxr.fates.lost[badFcs ? LOST_RX_CRC : LOST_RX_ERROR]!++;
  if ((errors & RX_CMPL_ERRORS_BUFFER_ERROR_MASK) !== 0) {
    cpr.swStats.rxBufErrors++;
    if (!bnxtChipP5(bp)) {
      bp.dev.net.dmesg.once(`${bp.dev.name}: RX buffer error ${errors.toString(16)}`);
      bnxtSchedResetRxr(rxr);
    }
  }
  nextRx(rxr, cons);
  rxr.rawCons = rawExt;
  return -EIO;
}

/**
 * Netpoll (budget 0): make the completion an error, so that its buffer is reposted and nothing is
 * delivered.
 *
 * @linux bnxt_force_rx_discard
 */
export function bnxtForceRxDiscard(rxr: BnxtRxRingInfo): number {
  const { cpr, words } = rxr;
  const rawExt = rxr.rawCons + 1;
  if (!bnxtCmpValid(cpr, rawExt)) return -EBUSY;
  const ext = cpr.cpDescRing + ((rawExt & cpr.cpRingMask) << DESC_SHIFT);
  rxCmpExtForceErrors(words, ext, RX_CMPL_ERRORS_CRC_ERROR);
  const rc = bnxtRxPkt(rxr);
  if (rc !== 0 && rc !== -EBUSY) cpr.swStats.rxNetpollDiscards++;
  if (rc === -EIO) {
    // booked as the bad FCS it was made to look like
    rxr.fates.lost[LOST_RX_CRC]!--;
    rxr.fates.lost[LOST_NETPOLL]!++;
  }
  return rc;
}

/** A packet is lost because nothing could be allocated; its buffer is back on the ring. @linux bnxt_rx_pkt, oom_next_rx */
export function oomNextRx(rxr: BnxtRxRingInfo): number {
  rxr.cpr.swStats.rxOomDiscards++;
  rxr.fates.lost[LOST_SKB_OOM]!++;
  return -ENOMEM;
}

/**
 * Post a new buffer in the producer slot. The slot is untouched on failure.
 *
 * @returns 0 or -ENOMEM
 * @linux bnxt_alloc_rx_data
 */
export function bnxtAllocRxData(bp: Bnxt, rxr: BnxtRxRingInfo, prod: number): number {
  const slot = prod & rxr.rxRingMask;
  const { cpu, words } = rxr;
  const data = bnxtRxPageMode(bp)
    ? rxr.pagePool.alloc(cpu)
    : pagePoolAllocFrag(rxr.headPool, bp.rxBufSize, cpu);
  if (data === 0) return -ENOMEM;
  const mapping = data + bp.rxDmaOffset;
  swRxBdSet(words, swRxBdAt(rxr.rxBufRing, slot), data, data + bp.rxOffset, mapping);
  if (rxr.watch.on) rxr.watch.page(data & PAGE_MASK, RX_RING);
  rxBdPost(cpu, words, rxr.rxDescRing + (slot << DESC_SHIFT), mapping);
  return 0;
}

/**
 * Post the buffer of slot `cons` again, in the producer slot: no allocation, so it cannot fail.
 * The doorbell is not rung here.
 *
 * @linux bnxt_reuse_rx_data
 */
export function bnxtReuseRxData(rxr: BnxtRxRingInfo, cons: number, data: HostAddr): void {
  const { words, rxBufRing } = rxr;
  const prod = rxr.rxProd & rxr.rxRingMask;
  const consBuf = swRxBdAt(rxBufRing, cons);
  const mapping = swRxBdMapping(words, consBuf);
  swRxBdSet(words, swRxBdAt(rxBufRing, prod), data, swRxBdDataPtr(words, consBuf), mapping);
  if (rxr.watch.on && rxr.watch.ledger.ownerOf(data) !== TX_RING)
    rxr.watch.page(data & PAGE_MASK, RX_RING);
  rxBdPost(rxr.cpu, words, rxr.rxDescRing + (prod << DESC_SHIFT), mapping);
}

function watchRxPkt(rxr: BnxtRxRingInfo, cons: number, data: HostAddr, len: number): void {
  rxr.watch.page(data & PAGE_MASK, DRIVER);
  rxr.watch.point(TP_RX_PKT, rxr.cpr.cpu, cons, len, data & PAGE_MASK);
}
