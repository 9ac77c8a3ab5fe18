/**
 * From a received packet to an skb: copied when short, built over its buffer when not.
 *
 * @linux bnxt_copy_skb, bnxt_copy_xdp, bnxt_rx_skb, bnxt_rx_page_skb, bnxt_deliver_skb; bnxt.c
 */
import { dmaSyncSingleForCpu, dmaSyncSingleForDevice } from '../../host/dma.ts';
import { LOST_VLAN_PROTO } from '../../host/fates.ts';
import type { HostAddr } from '../../host/memory.ts';
import { PAGE_MASK } from '../../host/memory.ts';
import { TP_DELIVER_SKB } from '../../host/trace.ts';
import {
  RX_CMP_FLAGS2_META_FORMAT_VLAN,
  RX_CMP_FLAGS_ITYPE_MASK,
  RX_CMP_FLAGS_ITYPE_TCP,
  RX_CMP_FLAGS_ITYPE_UDP,
  RX_CMP_FLAGS_RSS_VALID,
  rxCmpEncap,
  rxCmpExtFlags2,
  rxCmpExtMetaData,
  rxCmpFlags,
  rxCmpL4CsErr,
  rxCmpL4CsOk,
  rxCmpPayloadOffset,
  rxCmpRssHash,
} from '../../nic/hsi/rxCmp.ts';
import { ethGetHeadlen } from '../../stack/ethGetHeadlen.ts';
import { ethTypeTrans } from '../../stack/ethTypeTrans.ts';
import { napiGroCharged, napiGroReceive } from '../../stack/gro.ts';
import {
  NETIF_F_HW_VLAN_CTAG_RX,
  NETIF_F_HW_VLAN_STAG_RX,
  NETIF_F_RXCSUM,
} from '../../stack/netdevice.ts';
import type { RxStrides } from '../../stack/rxStrides.ts';
import { napiAllocSkb, napiBuildSkb, napiConsumeSkb } from '../../stack/skbPool.ts';
import {
  CHECKSUM_UNNECESSARY,
  PKT_HASH_TYPE_L3,
  PKT_HASH_TYPE_L4,
  __vlanHwaccelPutTag,
  skbAddRxFrag,
  skbMarkForRecycle,
  skbMetadataSet,
  skbPut,
  skbPutData,
  skbRecordRxQueue,
  skbReserve,
  skbSetHash,
} from '../../stack/skbuff.ts';
import type { SkBuff } from '../../stack/skbuff.ts';
import { xdpGetMetalen } from '../../xdp/xdpBuff.ts';
import type { BnxtRxRingInfo } from './bnxt.ts';
import { bnxtRxPageMode } from './bnxt.ts';
import { bnxtAllocRxData, bnxtReuseRxData, oomNextRx } from './rx.ts';
import { swRxBdAt, swRxBdDataPtr, swRxBdMapping } from './swRxBd.ts';

const ETH_P_8021Q = 0x8100;
const ETH_P_8021AD = 0x88a8;
const VLAN_ALL_RX: number = NETIF_F_HW_VLAN_CTAG_RX | NETIF_F_HW_VLAN_STAG_RX;

/**
 * The second half of `bnxtRxPkt`: the packet goes up.
 *
 * @param data buffer or page of the slot; `dataPtr` the packet's first byte, which a program may
 *   have moved
 * @returns 1, 0 when its VLAN protocol is unknown, or -ENOMEM
 * @linux bnxt_rx_pkt, from the copybreak test on
 */
export function passUp(
  rxr: BnxtRxRingInfo,
  cons: number,
  data: HostAddr,
  dataPtr: HostAddr,
  len: number,
  at: HostAddr,
  ext: HostAddr,
  xdpActive: boolean,
): number {
  const { bp, words } = rxr;
  const { xdpRxq, cpu } = rxr;
  const rxBuf = swRxBdAt(rxr.rxBufRing, cons);
  const arrived = xdpRxq.stamps.get(swRxBdMapping(words, rxBuf));
  if (xdpActive) rxr.fates.xdpPass++;
  else {
    rxr.fates.noProgram++;
    xdpRxq.latency.record(cpu.now - arrived);
    if (xdpRxq.stages !== null) xdpRxq.stages.verdict(arrived, cpu.now);
  }

  let skb: SkBuff | null;
  if (len <= bp.rxCopybreak) {
    skb = xdpActive ? bnxtCopyXdp(rxr, dataPtr, len) : bnxtCopySkb(rxr, dataPtr, len);
    bnxtReuseRxData(rxr, cons, data);
  } else if (bnxtRxPageMode(bp)) {
    const moved = swRxBdDataPtr(words, rxBuf) !== dataPtr;
    skb = bnxtRxPageSkb(rxr, cons, data, dataPtr, len, moved ? 0 : rxCmpPayloadOffset(words, at));
  } else skb = bnxtRxSkb(rxr, cons, data, len);
  if (skb === null) return oomNextRx(rxr);
  if (xdpRxq.stages !== null) skb.wireAt = arrived;
  if (!describeSkb(rxr, skb, at, ext)) return 0;
  bnxtDeliverSkb(rxr, skb);
  return 1;
}

/** What the completion says about the packet. @returns false when its VLAN protocol is unknown: it is gone @linux bnxt_rx_pkt */
function describeSkb(rxr: BnxtRxRingInfo, skb: SkBuff, at: HostAddr, ext: HostAddr): boolean {
  const { bp, words } = rxr;
  const flags = rxCmpFlags(words, at);
  if ((flags & RX_CMP_FLAGS_RSS_VALID) !== 0) {
    const itype = flags & RX_CMP_FLAGS_ITYPE_MASK;
    const l4 = itype === RX_CMP_FLAGS_ITYPE_TCP || itype === RX_CMP_FLAGS_ITYPE_UDP;
    skbSetHash(skb, rxCmpRssHash(words, at), l4 ? PKT_HASH_TYPE_L4 : PKT_HASH_TYPE_L3);
  }
  skb.protocol = ethTypeTrans(skb, bp.dev);
  if ((bp.dev.features & VLAN_ALL_RX) !== 0 && !bnxtRxVlan(rxr, skb, ext)) return false;
  bnxtRxCsum(rxr, skb, ext);
  return true;
}

/** A short packet is copied, so that its buffer can go back at once. @linux bnxt_copy_skb, bnxt_copy_data */
function bnxtCopySkb(rxr: BnxtRxRingInfo, dataPtr: HostAddr, len: number): SkBuff | null {
  const { cpu } = rxr;
  const skb = napiAllocSkb(rxr.bnapi.napi, len);
  if (skb === null) return null;
  dmaSyncSingleForCpu(cpu);
  skbPutData(skb, dataPtr, len, cpu);
  dmaSyncSingleForDevice(cpu);
  return skb;
}

/** The same after a program ran, with its metadata in front: the only path on which metadata survives. @linux bnxt_copy_xdp */
function bnxtCopyXdp(rxr: BnxtRxRingInfo, dataPtr: HostAddr, len: number): SkBuff | null {
  const metaLen = xdpGetMetalen(rxr.words, rxr.xdp);
  const skb = bnxtCopySkb(rxr, dataPtr - metaLen, len + metaLen);
  if (skb === null || metaLen === 0) return skb;
  skbMetadataSet(skb, metaLen);
  skb.data += metaLen;
  skb.len -= metaLen;
  return skb;
}

/** Non-page mode: the skb is built over the buffer, after a new one has been posted. @linux bnxt_rx_skb */
function bnxtRxSkb(rxr: BnxtRxRingInfo, cons: number, data: HostAddr, len: number): SkBuff | null {
  const { bp, strides } = rxr;
  if (strides !== null) return stridesSkb(rxr, strides, cons, data, len);
  if (bnxtAllocRxData(bp, rxr, rxr.rxProd) !== 0) {
    bnxtReuseRxData(rxr, cons, data);
    return null;
  }
  const { cpu } = rxr;
  dmaSyncSingleForCpu(cpu);
  const skb = napiBuildSkb(rxr.bnapi.napi, data, bp.rxBufSize);
  if (skb === null) {
    rxr.headPool.put(data & PAGE_MASK, true, cpu);
    return null;
  }
  skbMarkForRecycle(skb);
  skbReserve(skb, bp.rxOffset);
  skbPut(skb, len);
  return skb;
}

/**
 * A packet of which mlx5 would copy the first bytes and let the rest lie in pages that it shares with
 * others: copied whole here, so that the buffer goes back at once, for the time that mlx5 takes.
 *
 * @linux mlx5e_handle_rx_cqe_mpwrq; drivers/net/ethernet/mellanox/mlx5/core/en_rx.c
 */
function stridesSkb(
  rxr: BnxtRxRingInfo,
  strides: RxStrides,
  cons: number,
  data: HostAddr,
  len: number,
): SkBuff | null {
  const { bp, cpu } = rxr;
  const skb = napiAllocSkb(rxr.bnapi.napi, len);
  if (skb !== null) {
    dmaSyncSingleForCpu(cpu);
    bp.mem.copy(skbPut(skb, len), data + bp.rxOffset, len);
    strides.charge(len, cpu);
    dmaSyncSingleForDevice(cpu);
  }
  bnxtReuseRxData(rxr, cons, data);
  return skb;
}

/**
 * Page mode: headers are copied into a small skb, the page becomes its first frag.
 *
 * @param payload bytes of headers, 0 when the NIC did not say or the program moved them
 * @linux bnxt_rx_page_skb
 */
function bnxtRxPageSkb(
  rxr: BnxtRxRingInfo,
  cons: number,
  page: HostAddr,
  dataPtr: HostAddr,
  len: number,
  payload: number,
): SkBuff | null {
  const { bp } = rxr;
  const { cpu } = rxr;
  if (bnxtAllocRxData(bp, rxr, rxr.rxProd) !== 0) {
    bnxtReuseRxData(rxr, cons, page);
    return null;
  }
  dmaSyncSingleForCpu(cpu);
  const headLen = payload === 0 ? ethGetHeadlen(bp.mem.view, dataPtr, len) : Math.min(payload, len);
  const skb = napiAllocSkb(rxr.bnapi.napi, headLen);
  if (skb === null) {
    rxr.pagePool.recycleDirect(page, cpu);
    return null;
  }
  skbMarkForRecycle(skb);
  skbPutData(skb, dataPtr, headLen, cpu);
  skbAddRxFrag(skb, page, dataPtr + headLen - page, len - headLen, rxr.rxPageSize);
  return skb;
}

/** The tag the NIC took out. @returns false when its protocol is none we know: the skb is dropped @linux bnxt_rx_vlan */
function bnxtRxVlan(rxr: BnxtRxRingInfo, skb: SkBuff, ext: HostAddr): boolean {
  const { words } = rxr;
  if ((rxCmpExtFlags2(words, ext) & RX_CMP_FLAGS2_META_FORMAT_VLAN) === 0) return true;
  const meta = rxCmpExtMetaData(words, ext);
  const proto = meta >>> 16;
  if (proto === ETH_P_8021Q || proto === ETH_P_8021AD) {
    __vlanHwaccelPutTag(skb, proto, meta & 0xffff);
    return true;
  }
  rxr.fates.lost[LOST_VLAN_PROTO]!++;
  napiConsumeSkb(skb, rxr.bnapi.napi.weight, rxr.cpr.cpu);
  return false;
}

/** A wrong L4 checksum is counted and passed up; the stack will look for itself. */
function bnxtRxCsum(rxr: BnxtRxRingInfo, skb: SkBuff, ext: HostAddr): void {
  const { words, bp } = rxr;
  if ((bp.dev.features & NETIF_F_RXCSUM) === 0) return;
  if (rxCmpL4CsOk(words, ext)) {
    skb.ipSummed = CHECKSUM_UNNECESSARY;
    skb.csumLevel = rxCmpEncap(words, ext);
  } else if (rxCmpL4CsErr(words, ext)) rxr.cpr.swStats.rxL4CsumErrors++;
}

/** @linux bnxt_deliver_skb */
function bnxtDeliverSkb(rxr: BnxtRxRingInfo, skb: SkBuff): void {
  recordSkb(rxr, skb);
  if (rxr.watch.on) rxr.watch.point(TP_DELIVER_SKB, rxr.cpr.cpu, skb.len, rxr.bnapi.index);
  napiGroReceive(rxr.bnapi.napi, skb);
}

/**
 * For a packet without a tag that a walk has copied, and charged until it stands on the NAPI's list.
 *
 * @param isUp see `napiGroCharged`
 */
export function deliverCharged(
  rxr: BnxtRxRingInfo,
  skb: SkBuff,
  at: HostAddr,
  ext: HostAddr,
  isUp: boolean,
): void {
  describeSkb(rxr, skb, at, ext);
  recordSkb(rxr, skb);
  napiGroCharged(rxr.bnapi.napi, skb, isUp);
}

function recordSkb(rxr: BnxtRxRingInfo, skb: SkBuff): void {
  skbMarkForRecycle(skb);
  skbRecordRxQueue(skb, rxr.bnapi.index);
}
