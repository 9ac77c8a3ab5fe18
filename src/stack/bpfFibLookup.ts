/**
 * The routing table as XDP programs ask it, in a `struct bpf_fib_lookup`:
 *
 *   +0 family, +1 l4_protocol, +2 sport, +4 dport   not looked at but for the family
 *   +6 tot_len, and mtu_result instead              little-endian
 *   +8 ifindex                                      where from (with OUTPUT: through), and where to
 *   +12 rt_metric, for tos                          routes have no metric here: 0
 *   +16 ipv4_src, ipv6_src                          big-endian
 *   +32 ipv4_dst, ipv6_dst                          likewise; ipv4_dst becomes the gateway
 *   +48 h_vlan_proto, +50 h_vlan_TCI, or tbid
 *   +52 smac, +58 dmac
 *
 * There is no rule, so main and local table are one, which DIRECT asks as well, and MARK chooses
 * nothing; IPv6 is not forwarded.
 *
 * @linux struct bpf_fib_lookup; include/uapi/linux/bpf.h. bpf_ipv4_fib_lookup, bpf_ipv6_fib_lookup; net/core/filter.c
 */
import { OP_BPF_FIB_LOOKUP, OP_FIB_LOOKUP } from '../host/cost.ts';
import type { Cpu } from '../host/cpu.ts';
import { ENODEV } from '../host/errno.ts';
import type { HostAddr } from '../host/memory.ts';
import type { FibRoute } from './fib.ts';
import { RTN_BLACKHOLE, RTN_PROHIBIT, RTN_UNICAST, RTN_UNREACHABLE } from './fib.ts';
import { in6IsLinkScoped } from './in6.ts';
import type { Inet } from './inet.ts';
import { NUD_VALID } from './neighbour.ts';
import type { Net } from './net.ts';

const TOT_LEN = 6;
const IFINDEX = 8;
const RT_METRIC = 12;
const IPV4_SRC = 16;
const IPV4_DST = 32;
const IPV6_SRC = 16;
const IPV6_DST = 32;
const H_VLAN = 48;
const TBID = 48;
const SMAC = 52;
const DMAC = 58;
const AF_INET = 2;
/** Main, local, and none said: without rules Linux keeps the two in one. @linux RT_TABLE_MAIN, RT_TABLE_LOCAL */
const TABLES: readonly number[] = [0, 254, 255];
/** @linux BPF_FIB_LOOKUP_*; include/uapi/linux/bpf.h */
const BPF_FIB_LOOKUP_DIRECT = 0x01;
const BPF_FIB_LOOKUP_OUTPUT = 0x02;
const BPF_FIB_LOOKUP_SKIP_NEIGH = 0x04;
const BPF_FIB_LOOKUP_TBID = 0x08;
const BPF_FIB_LOOKUP_SRC = 0x10;
/** @linux BPF_FIB_LKUP_RET_* */
const RET_SUCCESS = 0;
const RET_BLACKHOLE = 1;
const RET_UNREACHABLE = 2;
const RET_PROHIBIT = 3;
const RET_NOT_FWDED = 4;
const RET_FWD_DISABLED = 5;
const RET_NO_NEIGH = 7;
const RET_FRAG_NEEDED = 8;

/** @returns `BPF_FIB_LKUP_RET_*` or a negative errno. @linux bpf_xdp_fib_lookup, bpf_ipv4_fib_lookup */
export function bpfFibLookup(net: Net, params: HostAddr, flags: number, cpu: Cpu): number {
  const { view } = net.mem;
  const { inet } = net;
  const six = view.getUint8(params) !== AF_INET;
  cpu.charge(OP_BPF_FIB_LOOKUP);
  if (six && (needStrict(view, params + IPV6_DST) || needStrict(view, params + IPV6_SRC)))
    return RET_NOT_FWDED;
  const dev = net.devGetByIndex(view.getUint32(params + IFINDEX, true));
  if (dev === null) return -ENODEV;
  if (inet === null || !inet.ipForward || six) return RET_FWD_DISABLED;

  cpu.charge(OP_FIB_LOOKUP);
  const table = BPF_FIB_LOOKUP_DIRECT | BPF_FIB_LOOKUP_TBID;
  if ((flags & table) === table) {
    const id = view.getUint32(params + TBID, true);
    view.setUint32(params + TBID, 0, true);
    if (!TABLES.includes(id)) return RET_NOT_FWDED;
  }
  const dst = view.getUint32(params + IPV4_DST);
  const via = (flags & BPF_FIB_LOOKUP_OUTPUT) === 0 ? null : dev;
  if (inet.addrs.inLocalTable4(dst, via)) return RET_NOT_FWDED;
  const route = inet.addrs.fib.lookup(dst, via);
  if (route === null || route.type !== RTN_UNICAST) return noWay(route?.type ?? 0);
  return setFwdParams(inet, view, params, route, flags);
}

/** A group's, a link's own or the loopback address: nobody forwards to or from it. @linux rt6_need_strict */
function needStrict(view: DataView, at: HostAddr): boolean {
  const w0 = view.getUint32(at);
  if (in6IsLinkScoped(w0)) return true;
  return (
    w0 === 0 &&
    view.getUint32(at + 4) === 0 &&
    view.getUint32(at + 8) === 0 &&
    view.getUint32(at + 12) === 1
  );
}

function noWay(type: number): number {
  if (type === RTN_BLACKHOLE) return RET_BLACKHOLE;
  if (type === RTN_UNREACHABLE) return RET_UNREACHABLE;
  return type === RTN_PROHIBIT ? RET_PROHIBIT : RET_NOT_FWDED;
}

/** What a program needs to send the packet there. @linux bpf_fib_set_fwd_params */
function setFwdParams(
  inet: Inet,
  view: DataView,
  params: HostAddr,
  route: FibRoute,
  flags: number,
): number {
  const dev = route.dev!;
  if (view.getUint16(params + TOT_LEN, true) > dev.mtu) {
    view.setUint16(params + TOT_LEN, dev.mtu, true);
    return RET_FRAG_NEEDED;
  }
  view.setUint32(params + RT_METRIC, 0, true);
  view.setUint32(params + IFINDEX, dev.ifindex, true);
  if ((flags & BPF_FIB_LOOKUP_SRC) !== 0)
    view.setUint32(params + IPV4_SRC, inet.addrs.select4(dev));
  const gateway = route.gateway || (route.ownGateway ?? 0);
  if (gateway !== 0) view.setUint32(params + IPV4_DST, gateway);
  if ((flags & BPF_FIB_LOOKUP_SKIP_NEIGH) === 0) {
    const neigh = inet.arp.lookup(dev, 0, 0, 0, view.getUint32(params + IPV4_DST));
    if (neigh === null || (neigh.state & NUD_VALID) === 0) return RET_NO_NEIGH;
    view.setUint16(params + DMAC, neigh.haHi16);
    view.setUint32(params + DMAC + 2, neigh.haLo32);
    view.setUint16(params + SMAC, dev.devAddr.hi16);
    view.setUint32(params + SMAC + 2, dev.devAddr.lo32);
  }
  view.setUint32(params + H_VLAN, 0, true);
  view.setUint16(params + TOT_LEN, dev.mtu, true);
  return RET_SUCCESS;
}
