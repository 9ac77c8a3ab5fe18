/**
 * XDP_REDIRECT: a helper notes the target, `xdpDoRedirect` queues the frame, `xdpDoFlush` sends it.
 *
 * The driver must flush before it tells NAPI that it is done; frames not flushed wait for the next
 * redirect on their CPU.
 *
 * @linux net/core/filter.c, kernel/bpf/devmap.c
 */
import { OP_XDP_REDIRECT, OP_XMIT_CALL } from '../host/cost.ts';
import type { Cpu } from '../host/cpu.ts';
import { EBADRQC, EINVAL, EOPNOTSUPP, EOVERFLOW } from '../host/errno.ts';
import { LOST_REDIRECT_QUEUE_FULL } from '../host/fates.ts';
import { XDP_FRAME } from '../host/ledger.ts';
import type { HostAddr } from '../host/memory.ts';
import { PAGE_MASK } from '../host/memory.ts';
import { TP_XDP_REDIRECT, TP_XDP_REDIRECT_ERR } from '../host/trace.ts';
import { devMapEnqueueMulti } from './broadcast.ts';
import { bqEnqueue, devFlush, xdpOkFwdDev } from './bulkQueue.ts';
import type { Redirector } from './cpumapEntry.ts';
import { cpuMapEnqueue, cpuMapFlush } from './cpumapEntry.ts';
import type { XdpKernel } from './kernel.ts';
import type { BpfMap } from './maps/bpfMap.ts';
import type { CpuMap } from './maps/cpumap.ts';
import { Dtab } from './maps/devmap.ts';
import { BPF_MAP_TYPE_CPUMAP, BPF_MAP_TYPE_UNSPEC } from './maps/uapi.ts';
import { xdpReturnFrameRxNapi } from './memModel.ts';
import type { BpfNetContext, RedirectInfo } from './netContext.ts';
import { MAP_ID_IFINDEX } from './netContext.ts';
import type { RedirectTarget } from './redirectTarget.ts';
import type { XdpRxqInfo } from './rxq.ts';
import {
  BPF_F_BROADCAST,
  BPF_F_EXCLUDE_INGRESS,
  XDP_ABORTED,
  XDP_REDIRECT,
  XDP_XMIT_FLUSH,
} from './uapi.ts';
import { xdpConvertBuffToFrame, xdpFrameDevRx, xdpUpdateFrameFromBuff } from './xdpFrame.ts';

const ACTION_MASK = 3;
const DEVMAP_FLAGS: number = BPF_F_BROADCAST | BPF_F_EXCLUDE_INGRESS;

/**
 * Choose a device by ifindex. Whether it exists shows in `xdpDoRedirect`.
 *
 * @returns XDP_REDIRECT; XDP_ABORTED when `flags` is not 0
 * @linux bpf_xdp_redirect
 */
export function bpfRedirect(xdp: XdpKernel, ifindex: number, flags: number): number {
  if (flags !== 0) return XDP_ABORTED;
  const context = xdp.netContext;
  const target = xdp.redirectAtOnce ? null : xdp.devices.devGetByIndex(ifindex);
  const number = target === null ? 0 : context.bulkNumber(target);
  context.ri.tgtIndex = ifindex;
  context.ri.chooseIfindex(number === 0 ? 0 : context.bulkQueueAt(number));
  return XDP_REDIRECT;
}

/**
 * Choose the entry at `key` of any map that packets can be redirected through.
 *
 * @returns as `bpfRedirectMap`; XDP_ABORTED for a map of another kind
 * @linux bpf_xdp_redirect_map, dev_hash_map_redirect, cpu_map_redirect, xsk_map_redirect
 */
export function bpfRedirectElem(xdp: XdpKernel, map: BpfMap, key: number, flags: number): number {
  if (map instanceof Dtab) return bpfRedirectMap(xdp, map, key, flags);
  if ((flags & ~ACTION_MASK) !== 0) return XDP_ABORTED;
  const { ri } = xdp.netContext;
  const entry = map.type === BPF_MAP_TYPE_CPUMAP ? (map as CpuMap).entryAt(key >>> 0) : null;
  if (entry !== null) {
    ri.tgtEntry = entry;
    ri.chooseEntry(map, key, 0, 0);
    return XDP_REDIRECT;
  }
  ri.chooseIfindex(0);
  return flags;
}

/**
 * Choose the device at `key` of a devmap.
 *
 * @param flags the two low bits: verdict when there is no such entry
 * @returns XDP_REDIRECT, or that verdict; XDP_ABORTED when a flag is unknown
 * @linux bpf_xdp_redirect_map, __bpf_xdp_redirect_map
 */
export function bpfRedirectMap(xdp: XdpKernel, map: Dtab, key: number, flags: number): number {
  const context = xdp.netContext;
  const number = (flags & ~ACTION_MASK) === 0 ? map.bulkNumber(key >>> 0) : 0;
  if (number !== 0) {
    context.ri.chooseEntry(map, key, 0, context.bulkQueueAt(number));
    return XDP_REDIRECT;
  }
  return redirectMapSlow(context, map, key, flags);
}

/** The entry's device has had no frame so far, or is not all there is to it. */
function redirectMapSlow(context: BpfNetContext, map: Dtab, key: number, flags: number): number {
  if ((flags & ~(ACTION_MASK | DEVMAP_FLAGS)) !== 0) return XDP_ABORTED;
  const { ri } = context;
  const broadcast = (flags & BPF_F_BROADCAST) !== 0;
  const target = map.lookup(key >>> 0);
  ri.tgtValue = target;
  ri.tgtProg = map.hasProgs ? map.entryProg(key >>> 0) : null;
  if (target === null && !broadcast) {
    ri.chooseIfindex(0);
    return flags & ACTION_MASK;
  }
  ri.tgtMap = map;
  ri.chooseEntry(map, key, broadcast ? flags : 0, 0);
  if (target !== null && ri.tgtProg === null)
    map.setBulkNumber(key >>> 0, context.bulkNumber(target));
  return XDP_REDIRECT;
}

/**
 * Queue the packet of `md` for the target its program chose.
 *
 * @returns 0: the page has gone; else a negative errno, and the page is still the driver's
 * @linux xdp_do_redirect
 */
export function xdpDoRedirect(rxq: XdpRxqInfo, cpu: Cpu, md: HostAddr): number {
  const { xdp } = rxq;
  return redirectFrame(xdp, xdpConvertBuffToFrame(xdp.mem.words, md, rxq), rxq.ifindex, cpu);
}

/** The same for a frame whose program ran on it as a frame: it keeps its origin. */
function redirectAgain(xdp: XdpKernel, frame: HostAddr, cpu: Cpu): number {
  const { words } = xdp.mem;
  const fits = xdpUpdateFrameFromBuff(words, xdp.bpf.frameMd, frame);
  return redirectFrame(xdp, fits ? frame : 0, xdpFrameDevRx(words, frame), cpu);
}

/** What threads of cpumaps do with frames that their programs redirect. */
export const REDIRECTOR: Redirector = {
  redirect: redirectAgain,
  flush: (xdp, cpu) => xdpDoFlush(xdp, cpu),
};

/** @param frame 0: the packet cannot be one @linux __xdp_do_redirect_frame */
function redirectFrame(xdp: XdpKernel, frame: HostAddr, from: number, cpu: Cpu): number {
  cpu.charge(OP_XDP_REDIRECT);
  const context = xdp.netContexts[cpu.id]!;
  const { ri } = context;
  const target = chosenTarget(xdp, context);
  const err = frame === 0 ? -EOVERFLOW : enqueue(xdp, cpu, context, target, frame);
  ri.forget();
  if (xdp.watch.on) {
    const to = target === null ? 0 : target.ifindex;
    if (err === 0) xdp.watch.point(TP_XDP_REDIRECT, cpu, from, to, ri.tgtIndex);
    else xdp.watch.point(TP_XDP_REDIRECT_ERR, cpu, from, to, err);
  }
  return err;
}

/** The one device, where there is one. */
function chosenTarget(xdp: XdpKernel, context: BpfNetContext): RedirectTarget | null {
  const { ri } = context;
  if (ri.bulkQueue !== 0) return context.bulkQueueFrom(ri.bulkQueue).dev;
  if (ri.mapType === BPF_MAP_TYPE_UNSPEC) {
    return ri.mapId === MAP_ID_IFINDEX ? xdp.devices.devGetByIndex(ri.tgtIndex) : null;
  }
  return ri.mapType === BPF_MAP_TYPE_CPUMAP || ri.flags !== 0 ? null : ri.tgtValue;
}

/** @linux dev_map_enqueue, dev_xdp_enqueue, __xdp_enqueue */
function enqueue(
  xdp: XdpKernel,
  cpu: Cpu,
  context: BpfNetContext,
  target: RedirectTarget | null,
  frame: HostAddr,
): number {
  const { ri } = context;
  if (target === null) return enqueueElsewhere(xdp, cpu, ri, frame);
  const err = xdpOkFwdDev(xdp.mem.words, target, frame);
  if (err !== 0) return err;
  const mapped = ri.mapType !== BPF_MAP_TYPE_UNSPEC;
  if (xdp.redirectAtOnce && !mapped) return bpfTxXdp(xdp, context.single, target, frame, cpu);
  const prog = mapped && ri.bulkQueue === 0 ? ri.tgtProg : null;
  bqEnqueue(xdp, context, xdp.bulkQueue(context, target), frame, prog, cpu);
  return 0;
}

/**
 * To the device by itself, doorbell and all: `bpf_redirect` without a map, from Linux 4.12 to 5.5.
 *
 * @returns 0 also where the device had no room: the frame went back to its pool then
 * @linux __bpf_tx_xdp; net/core/filter.c of Linux 5.5
 */
function bpfTxXdp(
  xdp: XdpKernel,
  single: HostAddr,
  target: RedirectTarget,
  frame: HostAddr,
  cpu: Cpu,
): number {
  if (xdp.watch.on) xdp.watch.page(frame & PAGE_MASK, XDP_FRAME);
  xdp.bulkXmits++;
  xdp.bulkFrames++;
  xdp.singleFrames++;
  cpu.charge(OP_XMIT_CALL);
  xdp.mem.words[single >> 2] = frame;
  const sent = target.ndoXdpXmit(cpu, single, 1, XDP_XMIT_FLUSH);
  if (sent !== 0) return sent < 0 ? sent : 0;
  xdpReturnFrameRxNapi(xdp, cpu, frame);
  xdp.fates.lost[LOST_REDIRECT_QUEUE_FULL]!++;
  return 0;
}

/** To many devices, to a CPU, or nowhere. */
function enqueueElsewhere(xdp: XdpKernel, cpu: Cpu, ri: RedirectInfo, frame: HostAddr): number {
  if (ri.mapType === BPF_MAP_TYPE_UNSPEC) return ri.mapId === MAP_ID_IFINDEX ? -EINVAL : -EBADRQC;
  if (ri.mapType === BPF_MAP_TYPE_CPUMAP) {
    if (xdp.upper === null || xdp.irqs === null) return -EOPNOTSUPP;
    cpuMapEnqueue(xdp, xdp.netContexts[cpu.id]!, ri.tgtEntry!, frame, cpu);
    return 0;
  }
  return devMapEnqueueMulti(xdp, ri.tgtMap!, frame, (ri.flags & BPF_F_EXCLUDE_INGRESS) !== 0, cpu);
}

/** Send what this CPU has redirected since the last flush. @linux xdp_do_flush */
export function xdpDoFlush(xdp: XdpKernel, cpu: Cpu): void {
  const context = xdp.netContexts[cpu.id]!;
  if (context.devFlushList.length !== 0) devFlush(xdp, context, cpu);
  if (context.cpuMapFlushList.length !== 0) cpuMapFlush(context.cpuMapFlushList, cpu);
}
