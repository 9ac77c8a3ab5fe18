/**
 * XDP in the driver: running the program, and carrying out what it says.
 *
 * @linux drivers/net/ethernet/broadcom/bnxt/bnxt_xdp.c
 */
import type { Cpu } from '../../host/cpu.ts';
import { dmaMapSingle, dmaSyncSingleForDevice, dmaUnmapSingle } from '../../host/dma.ts';
import { EINVAL } from '../../host/errno.ts';
import {
  LOST_INVALID_VERDICT,
  LOST_OOM,
  LOST_REDIRECT_FAILED,
  LOST_REDIRECT_NO_TARGET,
  LOST_TX_RING_FULL,
} from '../../host/fates.ts';
import { RX_RING, TX_RING } from '../../host/ledger.ts';
import type { HostAddr } from '../../host/memory.ts';
import { PAGE_MASK } from '../../host/memory.ts';
import { TP_TX_INT_XDP, TP_XDP_EXCEPTION, TP_XMIT_XDP } from '../../host/trace.ts';
import { DESC_SHIFT } from '../../nic/hsi/ring.ts';
import {
  TX_BD_FLAGS_BD_CNT_SHIFT,
  TX_BD_FLAGS_PACKET_END,
  TX_BD_TYPE_SHORT_TX_BD,
  bnxtLhint,
  setTxOpaque,
  txBdPost,
} from '../../nic/hsi/txBd.ts';
import { xdpReturnFrame } from '../../xdp/memModel.ts';
import { checkVerdict } from '../../xdp/program.ts';
import { xdpDoRedirect } from '../../xdp/redirect.ts';
import {
  XDP_ABORTED,
  XDP_DROP,
  XDP_PASS,
  XDP_REDIRECT,
  XDP_TX,
  XDP_XMIT_FLUSH,
} from '../../xdp/uapi.ts';
import { xdpData, xdpLen } from '../../xdp/xdpBuff.ts';
import { xdpFrameData, xdpFrameLen } from '../../xdp/xdpFrame.ts';
import type { Bnxt, BnxtNapi, BnxtRxRingInfo, BnxtTxRingInfo } from './bnxt.ts';
import { BNXT_REDIRECT_EVENT, BNXT_RX_EVENT, BNXT_TX_CMP_EVENT, BNXT_TX_EVENT } from './bnxt.ts';
import { bnxtDbWrite } from './db.ts';
import { bnxtSchedResetTxr } from './reset.ts';
import { bnxtAllocRxData, bnxtReuseRxData } from './rx.ts';
import {
  RX_PROD_NONE,
  swTxBdAction,
  swTxBdAt,
  swTxBdClear,
  swTxBdPage,
  swTxBdRxProd,
  swTxBdSet,
  swTxBdXdpf,
} from './swTxBd.ts';

/** Free descriptors; the slot that keeps a full ring from looking empty is not among them. @linux bnxt_tx_avail */
export const bnxtTxAvail = (txr: BnxtTxRingInfo): number =>
  txr.txRingSize - ((txr.txProd - txr.txCons) & txr.txRingMask);

/**
 * Carry out the program's verdict on the packet in `rxr.xdp`. Linux runs the program here; that is one
 * call before, so that `rxWalk.ts` can do it too.
 *
 * Whatever the verdict, the producer slot holds a buffer on return: the same page, or for a
 * redirect a new one that was allocated first.
 *
 * @param page the packet's page
 * @returns true: the packet is dealt with; false: it goes up the stack
 * @linux bnxt_rx_xdp
 */
export function bnxtRxXdp(rxr: BnxtRxRingInfo, cons: number, page: HostAddr, act: number): boolean {
  const { bp, fates } = rxr;
  const { cpu } = rxr;
  const prog = rxr.xdpProg!;
  const txr = rxr.txr!;

  const txAvail = bnxtTxAvail(txr);
  // While anything is left on the TX ring its pages stand in RX slots already, and the NIC must
  // not be told of them: the RX doorbell waits for the TX completion. As read, frames that other
  // devices redirected here count too, and their completion does not ring it: a ring that is never
  // found empty starves.
  if (txAvail !== txr.txRingSize) rxr.event &= ~BNXT_RX_EVENT;

  switch (act) {
    case XDP_PASS:
      return false;

    case XDP_TX:
      if (txAvail < 1) {
        traceXdpException(rxr, act);
        fates.lost[LOST_TX_RING_FULL]!++;
        bnxtReuseRxData(rxr, cons, page);
        return true;
      }
      dmaSyncSingleForDevice(cpu);
      rxr.event &= ~BNXT_RX_EVENT;
      rxr.event |= BNXT_TX_EVENT;
      __bnxtXmitXdp(
        bp,
        txr,
        page,
        xdpData(rxr.words, rxr.xdp),
        xdpLen(rxr.words, rxr.xdp),
        rxr.rxProd + 1,
      );
      bnxtReuseRxData(rxr, cons, page);
      fates.xdpTx++;
      return true;

    case XDP_REDIRECT:
      bnxtXdpRedirect(rxr, cons, page);
      return true;

    case XDP_DROP:
      fates.xdpDrop++;
      bnxtReuseRxData(rxr, cons, page);
      return true;

    case XDP_ABORTED:
      traceXdpException(rxr, act);
      fates.xdpAborted++;
      bnxtReuseRxData(rxr, cons, page);
      return true;

    default:
      checkVerdict(prog, rxr.xdpRxq, act);
      bp.dev.net.dmesg.once(
        `Illegal XDP return value ${act >>> 0} on prog ${prog.name} (id ${prog.id}) dev ${bp.dev.name}, expect packet loss!`,
      );
      traceXdpException(rxr, act);
      fates.lost[LOST_INVALID_VERDICT]!++;
      bnxtReuseRxData(rxr, cons, page);
      return true;
  }
}

/**
 * A new page takes the slot before the packet leaves; without one the packet is dropped and its
 * page stays.
 *
 * @linux bnxt_rx_xdp, case XDP_REDIRECT
 */
function bnxtXdpRedirect(rxr: BnxtRxRingInfo, cons: number, page: HostAddr): void {
  const { bp, fates } = rxr;
  const { cpu } = rxr;
  if (bnxtAllocRxData(bp, rxr, rxr.rxProd) !== 0) {
    traceXdpException(rxr, XDP_REDIRECT);
    fates.lost[LOST_OOM]!++;
    bnxtReuseRxData(rxr, cons, page);
    return;
  }
  const err = xdpDoRedirect(rxr.xdpRxq, cpu, rxr.xdp);
  if (err !== 0) {
    traceXdpException(rxr, XDP_REDIRECT);
    fates.lost[err === -EINVAL ? LOST_REDIRECT_NO_TARGET : LOST_REDIRECT_FAILED]!++;
    rxr.pagePool.recycleDirect(page, cpu);
    return;
  }
  rxr.event |= BNXT_REDIRECT_EVENT;
  fates.xdpRedirect++;
}

/** @linux trace_xdp_exception */
function traceXdpException(rxr: BnxtRxRingInfo, act: number): void {
  if (rxr.watch.on) {
    rxr.watch.point(TP_XDP_EXCEPTION, rxr.cpr.cpu, rxr.xdpProg!.id, act, rxr.bp.dev.ifindex);
  }
}

/**
 * Queue one short descriptor; the doorbell is rung later.
 *
 * Multi-buffer packets come with AGG rings; until then a packet is one descriptor.
 *
 * @linux bnxt_xmit_bd
 */
function bnxtXmitBd(
  bp: Bnxt,
  txr: BnxtTxRingInfo,
  cpu: Cpu,
  mapping: HostAddr,
  len: number,
): HostAddr {
  const prod = txr.txProd & bp.txRingMask;
  const flags =
    TX_BD_TYPE_SHORT_TX_BD |
    (1 << TX_BD_FLAGS_BD_CNT_SHIFT) |
    bnxtLhint(len) |
    TX_BD_FLAGS_PACKET_END;
  const opaque = setTxOpaque(txr.txNapiIdx, prod, 1);
  txBdPost(cpu, txr.words, txr.txDescRing + (prod << DESC_SHIFT), len, flags, opaque, mapping);
  txr.txProd = (txr.txProd + 1) & 0xffff;
  return swTxBdAt(txr.xdpBufRing, prod);
}

/** Send a received page as it is. @param rxProd the RX producer to publish once it is sent @linux __bnxt_xmit_xdp */
function __bnxtXmitXdp(
  bp: Bnxt,
  txr: BnxtTxRingInfo,
  page: HostAddr,
  mapping: HostAddr,
  len: number,
  rxProd: number,
): void {
  const { cpu } = txr.bnapi.cpRing;
  const txBuf = bnxtXmitBd(bp, txr, cpu, mapping, len);
  swTxBdSet(txr.words, txBuf, XDP_TX, rxProd & 0xffff, page);
  if (bp.watch.on) {
    bp.watch.page(page, TX_RING);
    bp.watch.point(TP_XMIT_XDP, cpu, txr.txProd, len, page);
  }
}

/** Send a frame that another device redirected here. @linux __bnxt_xmit_xdp_redirect */
function __bnxtXmitXdpRedirect(
  bp: Bnxt,
  txr: BnxtTxRingInfo,
  cpu: Cpu,
  mapping: HostAddr,
  len: number,
  xdpf: HostAddr,
): void {
  const txBuf = bnxtXmitBd(bp, txr, cpu, mapping, len);
  swTxBdSet(txr.words, txBuf, XDP_REDIRECT, 0, xdpf);
  if (bp.watch.on) bp.watch.point(TP_XMIT_XDP, cpu, txr.txProd, len, mapping & PAGE_MASK);
}

/**
 * Take sent packets off the XDP TX ring. An XDP_TX page is back on the RX ring already; what is
 * left to do for it is the RX doorbell that was withheld, once, for the last of them.
 *
 * @linux bnxt_tx_int_xdp
 */
export function bnxtTxIntXdp(bnapi: BnxtNapi, budget: number): void {
  if (budget === 0) return;
  const { bp } = bnapi;
  const { cpu } = bnapi.cpRing;
  const txr = bnapi.txRing[0]!;
  const { words } = txr;
  const from = txr.txCons;
  let txCons = from;
  let lastXdpTx = -1;

  while ((txCons & bp.txRingMask) !== txr.txHwCons) {
    const txBuf = swTxBdAt(txr.xdpBufRing, txCons & bp.txRingMask);
    const action = swTxBdAction(words, txBuf);
    if (action === XDP_TX) {
      const rxProd = swTxBdRxProd(words, txBuf);
      const page = swTxBdPage(words, txBuf);
      if (rxProd === RX_PROD_NONE) bnapi.rxRing!.pagePool.recycleDirect(page, cpu);
      else {
        lastXdpTx = rxProd;
        if (bp.watch.on) bp.watch.page(page, RX_RING);
      }
    } else if (action === XDP_REDIRECT) {
      const next = bp.watch.on ? txCons : txr.xdpLoops.giveBack(cpu, txCons);
      if (next !== txCons) {
        txCons = next;
        continue;
      }
      dmaUnmapSingle(cpu);
      xdpReturnFrame(bp.pdev.xdp, cpu, swTxBdXdpf(words, txBuf));
    } else {
      bnxtSchedResetTxr(txr, txCons);
      return;
    }
    swTxBdClear(words, txBuf);
    txCons = (txCons + 1) & 0xffff;
  }

  bnapi.events &= ~BNXT_TX_CMP_EVENT;
  txr.txCons = txCons;
  if (bp.watch.on) bp.watch.point(TP_TX_INT_XDP, cpu, from, txCons);
  if (lastXdpTx >= 0) bnxtDbWrite(bp, cpu, bnapi.rxRing!.rxDb, lastXdpTx);
}

/**
 * Transmit frames that were redirected to this device.
 *
 * The XDP ring is chosen by CPU. It is locked only when there are fewer rings than CPUs, since
 * then two CPUs may share one; XDP_TX on the ring's own NAPI never takes the lock.
 *
 * @returns frames queued, from the front; the caller frees the rest; -EINVAL refuses all
 * @linux bnxt_xdp_xmit
 */
export function bnxtXdpXmit(
  bp: Bnxt,
  cpu: Cpu,
  frames: HostAddr,
  n: number,
  flags: number,
): number {
  if (!bp.open || bp.txNrRingsXdp === 0 || bp.xdpProg === null) return -EINVAL;
  const txr = bp.txRing[cpu.id % bp.txNrRingsXdp]!;
  if (txr.closing) return -EINVAL;

  if (bp.xdpLockingKey) txr.xdpTxLock.lock();
  const ordinary = !bp.watch.on && !bp.faults.armed;
  let nxmit = ordinary ? txr.xdpLoops.xmit(cpu, frames, Math.min(n, bnxtTxAvail(txr))) : 0;
  while (nxmit < n) {
    const xdpf = txr.words[(frames >> 2) + nxmit]!;
    if (bnxtTxAvail(txr) === 0) break;
    const mapping = dmaMapSingle(cpu, bp.faults, xdpFrameData(txr.words, xdpf));
    if (mapping === 0) break;
    __bnxtXmitXdpRedirect(bp, txr, cpu, mapping, xdpFrameLen(txr.words, xdpf), xdpf);
    nxmit++;
  }
  if ((flags & XDP_XMIT_FLUSH) !== 0) bnxtDbWrite(bp, cpu, txr.txDb, txr.txProd);
  if (bp.xdpLockingKey) txr.xdpTxLock.unlock();
  return nxmit;
}
