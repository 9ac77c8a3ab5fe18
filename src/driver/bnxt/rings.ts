/**
 * Ring geometry and ring memory: how many slots, where they lie, and filling them with buffers.
 *
 * @linux bnxt_set_ring_params, bnxt_alloc_mem, bnxt_init_rxbd_pages, bnxt_alloc_one_rx_ring; bnxt.c
 */
import { RangeRefused } from '../../host/errors.ts';
import { LOST_TX_DEVICE_CLOSED } from '../../host/fates.ts';
import { DRIVER, RX_RING } from '../../host/ledger.ts';
import type { HostAddr } from '../../host/memory.ts';
import { PAGE_MASK, PAGE_SIZE } from '../../host/memory.ts';
import { DESC_BYTES, DESC_CNT, DESC_SHIFT, bnxtCalcNrRingPages } from '../../nic/hsi/ring.ts';
import { RX_BD_FLAGS_EOP, RX_BD_TYPE_RX_PACKET_BD, rxBdInit } from '../../nic/hsi/rxBd.ts';
import { netdevTxResetQueue } from '../../stack/netdevQueue.ts';
import { PagePool } from '../../stack/pagePool.ts';
import { consumeSkb } from '../../stack/skbPool.ts';
import {
  xdpReturnFrame,
  xdpRxqInfoRegMemModel,
  xdpRxqInfoUnregMemModel,
} from '../../xdp/memModel.ts';
import { SKB_SHARED_INFO_SIZE, XDP_PACKET_HEADROOM, XDP_REDIRECT, XDP_TX } from '../../xdp/uapi.ts';
import { XDP_BUFF_BYTES, xdpInitBuff } from '../../xdp/xdpBuff.ts';
import type { Bnxt, BnxtCpRingInfo, BnxtRxRingInfo, BnxtTxRingInfo } from './bnxt.ts';
import { BnxtSwTxBd, bnxtRxPageMode } from './bnxt.ts';
import { bnxtAllocRxData } from './rx.ts';
import { RxWalk } from './rxWalk.ts';
import { RX_WALK_BLOCK } from './rxWalkBlock.ts';
import { SW_RX_BD_BYTES, setSwRxBdData, swRxBdAt, swRxBdData } from './swRxBd.ts';
import {
  RX_PROD_NONE,
  SW_TX_BD_BYTES,
  swTxBdAction,
  swTxBdAt,
  swTxBdClear,
  swTxBdPage,
  swTxBdRxProd,
  swTxBdXdpf,
} from './swTxBd.ts';
import { XdpTxLoops } from './xdpTxLoops.ts';

/** @linux BNXT_MAX_RX_DESC_CNT, BNXT_MAX_TX_DESC_CNT, BNXT_MIN_TX_DESC_CNT */
export const BNXT_MAX_RX_DESC_CNT: number = DESC_CNT * 32 - 1;
export const BNXT_MAX_TX_DESC_CNT: number = DESC_CNT * 8 - 1;
export const BNXT_MIN_TX_DESC_CNT = 19;
const MAX_CP_PAGES = 128;
/** Frames up to this are copied. @linux BNXT_DEFAULT_RX_COPYBREAK */
const BNXT_RX_COPYBREAK = 256;

const ETH_HLEN = 14;
const VLAN_ETH_HLEN = 18;
const NET_IP_ALIGN = 0;
const NET_SKB_PAD = 64;
/** Ethernet header and two VLAN tags in front of the MTU. */
const RX_OVERHEAD: number = ETH_HLEN + 8 + NET_IP_ALIGN;

/** Largest MTU whose frames fit one page next to headroom and shared info: 3502. @linux BNXT_MAX_PAGE_MODE_MTU */
export const BNXT_MAX_PAGE_MODE_MTU: number =
  PAGE_SIZE - VLAN_ETH_HLEN - NET_IP_ALIGN - XDP_PACKET_HEADROOM - SKB_SHARED_INFO_SIZE;
/** What a page holds between headroom and shared info: a frame of the largest MTU with its tag. */
const MAX_RX_SIZE: number = PAGE_SIZE - XDP_PACKET_HEADROOM - SKB_SHARED_INFO_SIZE;
/** @linux BNXT_MAX_MTU */
export const BNXT_MAX_MTU = 9500;

const align64 = (n: number): number => Math.ceil(n / 64) * 64;

/** @throws RangeRefused for an MTU that needs AGG rings @linux BNXT_MAX_PAGE_MODE_MTU */
export function bnxtCheckMtu(bp: Bnxt, mtu: number): void {
  if (mtu <= BNXT_MAX_PAGE_MODE_MTU) return;
  const allowed = `up to ${BNXT_MAX_PAGE_MODE_MTU}: packets in several buffers are not built yet`;
  throw new RangeRefused(`${bp.dev.name} mtu`, mtu, allowed);
}

/**
 * Derive everything that follows from ring sizes, MTU and mode.
 *
 * @throws RangeRefused for an MTU that needs AGG rings
 * @linux bnxt_set_ring_params, bnxt_set_rx_skb_mode, bnxt_init_tx_rings (tx_wake_thresh)
 */
export function bnxtSetRingParams(bp: Bnxt): void {
  const { mtu } = bp.dev;
  bnxtCheckMtu(bp, mtu);
  bp.rxBufUseSize = Math.min(align64(mtu + RX_OVERHEAD), MAX_RX_SIZE);
  bp.rxBufSize = bp.rxBufUseSize + XDP_PACKET_HEADROOM + SKB_SHARED_INFO_SIZE;
  bp.rxDmaOffset = bnxtRxPageMode(bp) ? XDP_PACKET_HEADROOM : NET_SKB_PAD;
  bp.rxOffset = bp.rxDmaOffset + NET_IP_ALIGN;
  // strides have a rule of their own for what is copied, and none with a program
  bp.rxCopybreak = bp.pdev.strides === null || bnxtRxPageMode(bp) ? BNXT_RX_COPYBREAK : 0;

  bp.rxNrPages = bnxtCalcNrRingPages(bp.rxRingSize, DESC_CNT);
  bp.rxRingMask = bp.rxNrPages * DESC_CNT - 1;
  bp.txNrPages = bnxtCalcNrRingPages(bp.txRingSize, DESC_CNT);
  bp.txRingMask = bp.txNrPages * DESC_CNT - 1;
  bp.txWakeThresh = Math.max(Math.floor(bp.txRingSize / 2), BNXT_MIN_TX_DESC_CNT);

  // an RX completion is two records, everything else one
  const records = bp.rxRingSize * 2 + bp.txRingSize;
  bp.cpNrPages = Math.min(bnxtCalcNrRingPages(records, DESC_CNT), MAX_CP_PAGES);
  bp.cpBit = bp.cpNrPages * DESC_CNT;
  bp.cpRingMask = bp.cpBit - 1;
}

const rxBytes = (bp: Bnxt): number => (bp.rxRingMask + 1) * DESC_BYTES;
const swRxBytes = (bp: Bnxt): number => (bp.rxRingMask + 1) * SW_RX_BD_BYTES;
const swTxBytes = (bp: Bnxt): number => (bp.txRingMask + 1) * SW_TX_BD_BYTES;
const txBytes = (bp: Bnxt): number => (bp.txRingMask + 1) * DESC_BYTES;

/** A completion ring or notification queue, zeroed: nothing in it is valid on the first lap. @linux bnxt_alloc_cp_rings, bnxt_alloc_cp_sub_ring */
export function bnxtAllocCpRing(bp: Bnxt, cpr: BnxtCpRingInfo): void {
  cpr.cpDescRing = bp.pdev.coherent.alloc(bp.cpBit * DESC_BYTES);
  cpr.cpRingMask = bp.cpRingMask;
  cpr.cpBit = bp.cpBit;
  cpr.cpRawCons = 0;
  const { rxRing } = cpr.bnapi;
  if (rxRing === null || rxRing.cpr !== cpr) return;
  rxRing.cpDescRing = cpr.cpDescRing;
  rxRing.cpRingMask = cpr.cpRingMask;
  rxRing.cpBit = cpr.cpBit;
}

/** Ring memory goes back. @linux bnxt_free_cp_rings */
export function bnxtFreeCpRing(bp: Bnxt, cpr: BnxtCpRingInfo): void {
  bp.pdev.coherent.release(cpr.cpDescRing, bp.cpBit * DESC_BYTES);
}

/** Ring, shadow ring, pool and `xdp_buff` of one RX ring. @linux bnxt_alloc_rx_rings, bnxt_alloc_rx_page_pool */
export function bnxtAllocRxRing(bp: Bnxt, rxr: BnxtRxRingInfo): void {
  const { net } = bp.dev;
  rxr.rxDescRing = bp.pdev.coherent.alloc(rxBytes(bp));
  rxr.rxRingMask = bp.rxRingMask;
  rxr.rxOffset = bp.rxOffset;
  rxr.rxBufRing = bp.pdev.kernel.alloc(swRxBytes(bp));
  rxr.rxPageSize = PAGE_SIZE;
  const poolSize = bnxtRxPageMode(bp) ? bp.rxRingSize : Math.min(bp.rxRingSize, 1024);
  // as much memory in either mode: what one gives back, the other takes
  rxr.pagePool = new PagePool(net, poolSize, bp.rxRingSize);
  rxr.headPool = rxr.pagePool;
  rxr.pagePool.enableDirectRecycling(rxr.bnapi.napi);
  xdpRxqInfoRegMemModel(rxr.xdpRxq, rxr.pagePool);
  rxr.xdp = bp.pdev.coherent.alloc(XDP_BUFF_BYTES);
  xdpInitBuff(rxr.words, rxr.xdp, rxr.rxPageSize, bp.dev.ifindex, rxr.index);
  if (rxr.xdpProg !== null)
    rxr.walk = new RxWalk(rxr, rxr.xdpProg, bp.pdev.walks.alloc(RX_WALK_BLOCK));
}

/** Pages still under way keep the pool alive until they are back. @linux bnxt_free_rx_rings */
export function bnxtFreeRxRing(bp: Bnxt, rxr: BnxtRxRingInfo): void {
  if (rxr.pagePool.destroy(bp.ctlCpu) === 0) xdpRxqInfoUnregMemModel(rxr.xdpRxq);
  bp.pdev.coherent.release(rxr.xdp, XDP_BUFF_BYTES);
  if (rxr.walk !== null) {
    rxr.xdpRxq.latency.moveTo(null);
    bp.pdev.walks.release(rxr.walk.block, RX_WALK_BLOCK);
  }
  bp.pdev.kernel.release(rxr.rxBufRing, swRxBytes(bp));
  bp.pdev.coherent.release(rxr.rxDescRing, rxBytes(bp));
}

/** Ring and shadow ring. @linux bnxt_alloc_tx_rings */
export function bnxtAllocTxRing(bp: Bnxt, txr: BnxtTxRingInfo): void {
  txr.txDescRing = bp.pdev.coherent.alloc(txBytes(bp));
  txr.txRingSize = bp.txRingSize;
  txr.txRingMask = bp.txRingMask;
  if (txr.txqIndex < 0) {
    txr.xdpBufRing = bp.pdev.kernel.alloc(swTxBytes(bp));
    txr.xdpLoops = new XdpTxLoops(txr);
  } else txr.txBufRing = Array.from({ length: bp.txRingMask + 1 }, () => new BnxtSwTxBd());
}

/** What stood on the ring has been given back before. @linux bnxt_free_tx_rings */
export function bnxtFreeTxRing(bp: Bnxt, txr: BnxtTxRingInfo): void {
  if (txr.txqIndex < 0) bp.pdev.kernel.release(txr.xdpBufRing, swTxBytes(bp));
  bp.pdev.coherent.release(txr.txDescRing, txBytes(bp));
}

/** Stamp every descriptor once: type, length and slot number never change again. @linux bnxt_init_rxbd_pages */
export function bnxtInitRxbdPages(bp: Bnxt, rxr: BnxtRxRingInfo): void {
  const flags = RX_BD_TYPE_RX_PACKET_BD | RX_BD_FLAGS_EOP;
  for (let slot = 0; slot <= rxr.rxRingMask; slot++) {
    rxBdInit(rxr.words, rxr.rxDescRing + (slot << DESC_SHIFT), flags, bp.rxBufUseSize, slot);
  }
}

/** Fill the ring: one buffer less than it has slots. A ring that stays short is warned about. @linux bnxt_alloc_one_rx_ring, bnxt_alloc_one_rx_ring_skb */
export function bnxtAllocOneRxRing(rxr: BnxtRxRingInfo): void {
  const { bp } = rxr;
  let prod = rxr.rxProd;
  for (let i = 0; i < bp.rxRingSize; i++) {
    if (bnxtAllocRxData(bp, rxr, prod) !== 0) {
      bp.dev.net.dmesg.once(
        `${bp.dev.name}: init'ed rx ring ${rxr.index} with ${i}/${bp.rxRingSize} skbs only`,
      );
      break;
    }
    prod = (prod + 1) & 0xffff;
  }
  rxr.rxProd = prod;
}

/** Every buffer that stands in a slot goes back to the pool. @linux bnxt_free_one_rx_ring, bnxt_free_one_rx_ring_skbs */
export function bnxtFreeOneRxRing(rxr: BnxtRxRingInfo): void {
  const { words, watch, pagePool, rxBufRing } = rxr;
  for (let slot = 0; slot <= rxr.rxRingMask; slot++) {
    const rxBuf = swRxBdAt(rxBufRing, slot);
    const page = swRxBdData(words, rxBuf) & PAGE_MASK;
    if (page === 0) continue;
    if (watch.on) watch.page(page, DRIVER);
    pagePool.put(page, false, rxr.bp.ctlCpu);
    setSwRxBdData(words, rxBuf, 0);
  }
}

/** Its RX slot frees it, unless the RX ring has been reset meanwhile. */
function freeXdpTxPage(bp: Bnxt, txr: BnxtTxRingInfo, txBuf: HostAddr): void {
  const page = swTxBdPage(txr.words, txBuf);
  if (swTxBdRxProd(txr.words, txBuf) === RX_PROD_NONE) {
    txr.bnapi.rxRing!.pagePool.put(page, false, bp.ctlCpu);
  } else if (bp.watch.on) bp.watch.page(page, RX_RING);
}

/**
 * What stands on a TX ring that is closed: redirected frames go back to their pools, XDP_TX pages
 * stand in RX slots and go with those.
 *
 * @param hwCons where the NIC stopped: packets from there on were never sent
 * @linux bnxt_free_tx_skbs
 */
export function bnxtFreeOneTxRing(bp: Bnxt, txr: BnxtTxRingInfo, hwCons: number): void {
  if (txr.txqIndex >= 0) return bnxtFreeTxSkbs(bp, txr, hwCons);
  const { words } = txr;
  txr.fates.lost[LOST_TX_DEVICE_CLOSED]! += (txr.txProd - hwCons) & bp.txRingMask;
  for (let cons = txr.txCons; cons !== txr.txProd; cons = (cons + 1) & 0xffff) {
    const txBuf = swTxBdAt(txr.xdpBufRing, cons & bp.txRingMask);
    const action = swTxBdAction(words, txBuf);
    if (action === XDP_REDIRECT) xdpReturnFrame(bp.pdev.xdp, bp.ctlCpu, swTxBdXdpf(words, txBuf));
    else if (action === XDP_TX) freeXdpTxPage(bp, txr, txBuf);
    swTxBdClear(words, txBuf);
  }
}

/** The same on a ring of the stack, where a packet has two descriptors and one for each frag. @linux bnxt_free_tx_skbs */
function bnxtFreeTxSkbs(bp: Bnxt, txr: BnxtTxRingInfo, hwCons: number): void {
  const sent = (hwCons - txr.txCons) & bp.txRingMask;
  let cons = txr.txCons;
  while (cons !== txr.txProd) {
    const txBuf = txr.txBufRing[cons & bp.txRingMask]!;
    if (((cons - txr.txCons) & 0xffff) >= sent) txr.fates.lost[LOST_TX_DEVICE_CLOSED]!++;
    consumeSkb(txBuf.skb!, bp.ctlCpu);
    txBuf.skb = null;
    cons = (cons + 2 + txBuf.nrFrags) & 0xffff;
  }
  netdevTxResetQueue(bp.dev.tx[txr.txqIndex]!);
}
