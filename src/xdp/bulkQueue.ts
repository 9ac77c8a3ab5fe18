/**
 * The bulk queue between redirects and a device: sixteen frames per CPU and target, so that the
 * target's lock, ring and doorbell are touched once for many. Linux 4.17 and before called the
 * device for each frame: a queue of one.
 *
 * @linux struct xdp_dev_bulk_queue; kernel/bpf/devmap.c
 */
import { OP_XMIT_CALL } from '../host/cost.ts';
import type { Cpu } from '../host/cpu.ts';
import { EMSGSIZE, ENETDOWN, EOPNOTSUPP } from '../host/errno.ts';
import { LOST_REDIRECT_QUEUE_FULL } from '../host/fates.ts';
import { XDP_FRAME } from '../host/ledger.ts';
import type { HostAddr, HostWords } from '../host/memory.ts';
import { PAGE_MASK } from '../host/memory.ts';
import { TP_XDP_DEVMAP_XMIT } from '../host/trace.ts';
import type { BpfProgRef } from './bpf.ts';
import { devMapBpfProgRun } from './frameProg.ts';
import type { XdpKernel } from './kernel.ts';
import { xdpReturnFrameRxNapi } from './memModel.ts';
import type { BpfNetContext } from './netContext.ts';
import type { RedirectTarget } from './redirectTarget.ts';
import { NETDEV_XDP_ACT_NDO_XMIT, NETDEV_XDP_ACT_NDO_XMIT_SG, XDP_XMIT_FLUSH } from './uapi.ts';
import { xdpFrameHasFrags, xdpFrameLen } from './xdpFrame.ts';

export const DEV_MAP_BULK_SIZE = 16;
const VLAN_HLEN = 4;

export class XdpDevBulkQueue {
  readonly dev: RedirectTarget;
  readonly q: Int32Array = new Int32Array(DEV_MAP_BULK_SIZE);
  count = 0;
  /** Program of the devmap entry that the first frame since the last flush came by; all others run it too. */
  prog: BpfProgRef | null = null;
  /** Is it on its CPU's flush list? Linux asks `dev_rx` instead. */
  listed = false;

  constructor(dev: RedirectTarget) {
    this.dev = dev;
  }
}

/**
 * Queue a frame whose page the driver gives up here. A full queue is sent first, without the flush
 * flag: the target's doorbell waits for `xdpDoFlush`.
 *
 * @param prog of the devmap entry
 * @linux bq_enqueue
 */
export function bqEnqueue(
  xdp: XdpKernel,
  context: BpfNetContext,
  bq: XdpDevBulkQueue,
  frame: HostAddr,
  prog: BpfProgRef | null,
  cpu: Cpu,
): void {
  if (bq.count === xdp.bulkSize) bqXmitAll(xdp, bq, 0, cpu);
  if (!bq.listed) {
    bq.listed = true;
    bq.prog = prog;
    context.devFlushList.push(bq);
  }
  if (xdp.watch.on) xdp.watch.page(frame & PAGE_MASK, XDP_FRAME);
  bq.q[bq.count++] = frame;
}

/** Hand the queue to its device and give back what that did not take. @linux bq_xmit_all */
export function bqXmitAll(xdp: XdpKernel, bq: XdpDevBulkQueue, flags: number, cpu: Cpu): void {
  const count = bq.count;
  if (count === 0) return;
  xdp.bulkXmits++;
  xdp.bulkFrames += count;
  cpu.charge(OP_XMIT_CALL);
  const { dev, prog } = bq;
  const n = prog === null ? count : devMapBpfProgRun(xdp, prog, bq.q, count, dev.ifindex, cpu);
  const taken = n === 0 ? 0 : dev.ndoXdpXmit(cpu, bq.q, n, flags);
  const sent = taken < 0 ? 0 : taken;
  if (sent < n) bqReturnFrom(xdp, bq, sent, n, cpu);
  bq.count = 0;
  if (xdp.watch.on) {
    xdp.watch.point(TP_XDP_DEVMAP_XMIT, cpu, bq.dev.ifindex, sent, count - sent);
  }
}

function bqReturnFrom(
  xdp: XdpKernel,
  bq: XdpDevBulkQueue,
  sent: number,
  n: number,
  cpu: Cpu,
): void {
  for (let i = sent; i < n; i++) xdpReturnFrameRxNapi(xdp, cpu, bq.q[i]!);
  xdp.fates.lost[LOST_REDIRECT_QUEUE_FULL]! += n - sent;
}

/** Can `target` take this frame? @linux xdp_ok_fwd_dev, is_valid_dst */
export function xdpOkFwdDev(words: HostWords, target: RedirectTarget, frame: HostAddr): number {
  const features = target.xdpFeatures;
  if ((features & NETDEV_XDP_ACT_NDO_XMIT) === 0) return -EOPNOTSUPP;
  if (xdpFrameHasFrags(words, frame) && (features & NETDEV_XDP_ACT_NDO_XMIT_SG) === 0) {
    return -EOPNOTSUPP;
  }
  if (!target.up) return -ENETDOWN;
  const room = target.mtu + target.hardHeaderLen + VLAN_HLEN;
  return xdpFrameLen(words, frame) > room ? -EMSGSIZE : 0;
}

/** Send all queues of this CPU that were used since the last flush. @linux __dev_flush */
export function devFlush(xdp: XdpKernel, context: BpfNetContext, cpu: Cpu): void {
  const list = context.devFlushList;
  for (let i = list.length - 1; i >= 0; i--) {
    const bq = list[i]!;
    bqXmitAll(xdp, bq, XDP_XMIT_FLUSH, cpu);
    bq.listed = false;
    bq.prog = null;
  }
  list.length = 0;
}
