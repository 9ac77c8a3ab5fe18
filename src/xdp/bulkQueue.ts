/**
 * The bulk queue between redirects and a device: sixteen frames per CPU and target, so that the
 * target's lock, ring and doorbell are touched once for many. Linux 4.17 and before called the
 * device for each frame: a queue of one.
 *
 * It lies in host memory, so that compiled code can fill it (`driver/bnxt/rxWalk.ts`) and send from it (`xdpTxLoops.ts`):
 *
 *   +0    frames that wait
 *   +4    frames it holds at most while it is on its CPU's flush list, else 0; Linux asks `dev_rx` instead
 *   +8    the longest frame its device takes, 0: none; as `askRoom` has found it
 *   +64   sixteen frames, the first ones waiting
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

const COUNT = 0;
const LIMIT = 4;
const ROOM = 8;
const FRAMES = 64;
/** Offsets, for code that is compiled. */
export const BULK_QUEUE_COUNT: number = COUNT;
export const BULK_QUEUE_LIMIT: number = LIMIT;
export const BULK_QUEUE_ROOM: number = ROOM;
export const BULK_QUEUE_FRAMES: number = FRAMES;
/** Bytes of one queue. */
export const BULK_QUEUE_BYTES = 128;

export class XdpDevBulkQueue {
  readonly dev: RedirectTarget;
  /** Where it lies, and its frames. */
  readonly at: HostAddr;
  readonly frames: HostAddr;
  private readonly words: HostWords;
  private readonly most: number;
  /** Program of the devmap entry that the first frame since the last flush came by; all others run it too. */
  prog: BpfProgRef | null = null;

  /** @param most frames it holds, at most 16 */
  constructor(dev: RedirectTarget, words: HostWords, at: HostAddr, most: number) {
    this.dev = dev;
    this.words = words;
    this.at = at;
    this.frames = at + FRAMES;
    this.most = most;
    words[(at + COUNT) >> 2] = 0;
    words[(at + LIMIT) >> 2] = 0;
  }

  get count(): number {
    return this.words[(this.at + COUNT) >> 2]!;
  }

  get isFull(): boolean {
    return this.count === this.most;
  }

  get isListed(): boolean {
    return this.words[(this.at + LIMIT) >> 2]! !== 0;
  }

  set isListed(listed: boolean) {
    this.words[(this.at + LIMIT) >> 2] = listed ? this.most : 0;
  }

  push(frame: HostAddr): void {
    const { words, at } = this;
    const count = words[(at + COUNT) >> 2]!++;
    words[(this.frames >> 2) + count] = frame;
  }

  clear(): void {
    this.words[(this.at + COUNT) >> 2] = 0;
  }

  /** Before compiled code queues frames without fragments as `xdpOkFwdDev` allows. @param except ifindex of the device that must not be sent to */
  askRoom(except: number): void {
    const { dev } = this;
    const takes = (dev.xdpFeatures & NETDEV_XDP_ACT_NDO_XMIT) !== 0 && dev.up;
    this.words[(this.at + ROOM) >> 2] = takes && dev.ifindex !== except ? roomOf(dev) : 0;
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
  if (bq.isFull) bqXmitAll(xdp, bq, 0, cpu);
  if (!bq.isListed) {
    bq.isListed = true;
    bq.prog = prog;
    context.devFlushList.push(bq);
  }
  if (xdp.watch.on) xdp.watch.page(frame & PAGE_MASK, XDP_FRAME);
  bq.push(frame);
}

/** Hand the queue to its device and give back what that did not take. @linux bq_xmit_all */
export function bqXmitAll(xdp: XdpKernel, bq: XdpDevBulkQueue, flags: number, cpu: Cpu): void {
  const count = bq.count;
  if (count === 0) return;
  xdp.bulkXmits++;
  xdp.bulkFrames += count;
  cpu.charge(OP_XMIT_CALL);
  const { dev, prog, frames } = bq;
  const n = prog === null ? count : devMapBpfProgRun(xdp, prog, frames, count, dev.ifindex, cpu);
  const taken = n === 0 ? 0 : dev.ndoXdpXmit(cpu, frames, n, flags);
  const sent = taken < 0 ? 0 : taken;
  if (sent < n) bqReturnFrom(xdp, bq, sent, n, cpu);
  bq.clear();
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
  const first = bq.frames >> 2;
  for (let i = sent; i < n; i++) xdpReturnFrameRxNapi(xdp, cpu, xdp.mem.words[first + i]!);
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
  return xdpFrameLen(words, frame) > roomOf(target) ? -EMSGSIZE : 0;
}

const roomOf = ({ mtu, hardHeaderLen }: RedirectTarget): number => mtu + hardHeaderLen + VLAN_HLEN;

/** Send all queues of this CPU that were used since the last flush. @linux __dev_flush */
export function devFlush(xdp: XdpKernel, context: BpfNetContext, cpu: Cpu): void {
  const list = context.devFlushList;
  for (let bq = list.pop(); bq !== undefined; bq = list.pop()) {
    bqXmitAll(xdp, bq, XDP_XMIT_FLUSH, cpu);
    bq.isListed = false;
    bq.prog = null;
  }
}
