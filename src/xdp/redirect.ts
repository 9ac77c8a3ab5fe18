/**
 * XDP_REDIRECT: a helper notes the target, `xdpDoRedirect` queues the frame, `xdpDoFlush` sends it.
 *
 * The driver must flush before it tells NAPI that it is done; frames not flushed wait for the next
 * redirect on their CPU.
 *
 * @linux net/core/filter.c, kernel/bpf/devmap.c
 */
import { OP_XDP_REDIRECT } from '../host/cost.ts';
import type { Cpu } from '../host/cpu.ts';
import { EBADRQC, EINVAL, EMSGSIZE, ENETDOWN, EOPNOTSUPP, EOVERFLOW } from '../host/errno.ts';
import type { HostAddr, HostWords } from '../host/memory.ts';
import { TP_XDP_REDIRECT, TP_XDP_REDIRECT_ERR } from '../host/trace.ts';
import { bqEnqueue, devFlush } from './bulkQueue.ts';
import type { XdpKernel } from './kernel.ts';
import type { BpfMap } from './maps/bpfMap.ts';
import { CpuMap } from './maps/cpumap.ts';
import { Dtab } from './maps/devmap.ts';
import {
  BPF_MAP_TYPE_CPUMAP,
  BPF_MAP_TYPE_DEVMAP,
  BPF_MAP_TYPE_DEVMAP_HASH,
  BPF_MAP_TYPE_UNSPEC,
} from './maps/uapi.ts';
import type { RedirectInfo } from './netContext.ts';
import { MAP_ID_IFINDEX } from './netContext.ts';
import type { RedirectTarget } from './redirectTarget.ts';
import type { XdpRxqInfo } from './rxq.ts';
import {
  BPF_F_BROADCAST,
  BPF_F_EXCLUDE_INGRESS,
  NETDEV_XDP_ACT_NDO_XMIT,
  NETDEV_XDP_ACT_NDO_XMIT_SG,
  XDP_ABORTED,
  XDP_REDIRECT,
} from './uapi.ts';
import { xdpConvertBuffToFrame, xdpFrameHasFrags, xdpFrameLen } from './xdpFrame.ts';

const VLAN_HLEN = 4;
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
  const ri = xdp.netContext.ri;
  ri.tgtIndex = ifindex;
  ri.mapId = MAP_ID_IFINDEX;
  ri.mapType = BPF_MAP_TYPE_UNSPEC;
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
  if (map instanceof CpuMap && map.has(key >>> 0)) {
    ri.tgtIndex = key >>> 0;
    ri.mapId = map.id;
    ri.mapType = map.type;
    ri.flags = 0;
    return XDP_REDIRECT;
  }
  ri.mapId = MAP_ID_IFINDEX;
  ri.mapType = BPF_MAP_TYPE_UNSPEC;
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
  if ((flags & ~(ACTION_MASK | DEVMAP_FLAGS)) !== 0) return XDP_ABORTED;
  const ri = xdp.netContext.ri;
  ri.tgtValue = map.lookup(key >>> 0);
  const broadcast = (flags & BPF_F_BROADCAST) !== 0;
  if (ri.tgtValue === null && !broadcast) {
    ri.mapId = MAP_ID_IFINDEX;
    ri.mapType = BPF_MAP_TYPE_UNSPEC;
    return flags & ACTION_MASK;
  }
  ri.tgtIndex = key >>> 0;
  ri.mapId = map.id;
  ri.mapType = map.type;
  ri.flags = broadcast ? flags : 0;
  return XDP_REDIRECT;
}

/**
 * Queue the packet of `md` for the target its program chose.
 *
 * @returns 0: the page has gone; else a negative errno, and the page is still the driver's
 * @linux xdp_do_redirect, __xdp_do_redirect_frame
 */
export function xdpDoRedirect(rxq: XdpRxqInfo, cpu: Cpu, md: HostAddr): number {
  const xdp = rxq.xdp;
  cpu.charge(OP_XDP_REDIRECT);
  const ri = xdp.netContexts[cpu.id]!.ri;
  const frame = xdpConvertBuffToFrame(xdp.mem.words, md, rxq);
  const target = chosenTarget(xdp, ri);
  const err =
    frame === 0 || target === null ? whyNot(ri, frame) : xdpEnqueue(xdp, cpu, target, frame);
  ri.mapId = 0;
  ri.mapType = BPF_MAP_TYPE_UNSPEC;
  ri.flags = 0;
  if (xdp.watch.on) {
    const to = target === null ? 0 : target.ifindex;
    if (err === 0) xdp.watch.point(TP_XDP_REDIRECT, cpu, rxq.ifindex, to, ri.tgtIndex);
    else xdp.watch.point(TP_XDP_REDIRECT_ERR, cpu, rxq.ifindex, to, err);
  }
  return err;
}

function chosenTarget(xdp: XdpKernel, ri: RedirectInfo): RedirectTarget | null {
  if (isDevmap(ri.mapType)) return ri.flags === 0 ? ri.tgtValue : null;
  if (ri.mapType === BPF_MAP_TYPE_CPUMAP) return null;
  return ri.mapId === MAP_ID_IFINDEX ? xdp.devices.devGetByIndex(ri.tgtIndex) : null;
}

const isDevmap = (type: number): boolean =>
  type === BPF_MAP_TYPE_DEVMAP || type === BPF_MAP_TYPE_DEVMAP_HASH;

/**
 * Broadcast needs a copy per target, a cpumap a thread that takes frames: both are refused until
 * they are built.
 */
function whyNot(ri: RedirectInfo, frame: HostAddr): number {
  if (frame === 0) return -EOVERFLOW;
  if (ri.mapType !== BPF_MAP_TYPE_UNSPEC) return -EOPNOTSUPP;
  return ri.mapId === MAP_ID_IFINDEX ? -EINVAL : -EBADRQC;
}

/** @linux dev_map_enqueue, dev_xdp_enqueue, __xdp_enqueue */
function xdpEnqueue(xdp: XdpKernel, cpu: Cpu, target: RedirectTarget, frame: HostAddr): number {
  const err = xdpOkFwdDev(xdp.mem.words, target, frame);
  if (err !== 0) return err;
  const context = xdp.netContexts[cpu.id]!;
  bqEnqueue(xdp, context, context.bulkQueue(target), frame, cpu);
  return 0;
}

/** Can `target` take this frame? @linux xdp_ok_fwd_dev */
function xdpOkFwdDev(words: HostWords, target: RedirectTarget, frame: HostAddr): number {
  const features = target.xdpFeatures;
  if ((features & NETDEV_XDP_ACT_NDO_XMIT) === 0) return -EOPNOTSUPP;
  if (xdpFrameHasFrags(words, frame) && (features & NETDEV_XDP_ACT_NDO_XMIT_SG) === 0) {
    return -EOPNOTSUPP;
  }
  if (!target.up) return -ENETDOWN;
  const room = target.mtu + target.hardHeaderLen + VLAN_HLEN;
  return xdpFrameLen(words, frame) > room ? -EMSGSIZE : 0;
}

/** Send what this CPU has redirected since the last flush. @linux xdp_do_flush */
export function xdpDoFlush(xdp: XdpKernel, cpu: Cpu): void {
  const context = xdp.netContexts[cpu.id]!;
  if (context.devFlushList.length !== 0) devFlush(xdp, context, cpu);
}
