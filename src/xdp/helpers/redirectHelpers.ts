/**
 * Helpers that choose where a packet goes, and ask what would be in its way.
 *
 * The routes that `bpf_fib_lookup` tells are the stack's; without one nothing is forwarded.
 *
 * @linux net/core/filter.c
 */
import { EAFNOSUPPORT, EINVAL, ENODEV } from '../../host/errno.ts';
import type { HostAddr } from '../../host/memory.ts';
import type { Bpf } from '../bpf.ts';
import { bpfRedirect, bpfRedirectElem } from '../redirect.ts';
import { XDP_ABORTED } from '../uapi.ts';
import { xdpIngressIfindex, xdpLen } from '../xdpBuff.ts';
import { HI_FLAGS_2, HI_FLAGS_3, HI_FLAGS_5, hasHigh, helper, mapAt } from './define.ts';
import type { Helper } from './helper.ts';

/** @linux bpf_xdp_redirect */
const redirect = (bpf: Bpf, ifindex: number, flags: number): number =>
  hasHigh(bpf, 2) ? XDP_ABORTED : bpfRedirect(bpf.xdp, ifindex, flags);

/** @linux bpf_xdp_redirect_map */
const redirectMap = (bpf: Bpf, map: HostAddr, key: number, flags: number): number =>
  hasHigh(bpf, 3) ? XDP_ABORTED : bpfRedirectElem(bpf.xdp, mapAt(bpf, map), key, flags);

const MTU_CHK_RET_FRAG_NEEDED = 1;

/** @returns 0 when the packet fits, 1 when it is too long @linux bpf_xdp_check_mtu */
function checkMtu(
  bpf: Bpf,
  md: HostAddr,
  ifindex: number,
  mtuLen: HostAddr,
  lenDiff: number,
  flags: number,
): number {
  const { view, words } = bpf.mem;
  const given = view.getUint32(mtuLen, true);
  const dev = bpf.xdp.devices.devGetByIndex(ifindex === 0 ? xdpIngressIfindex(words, md) : ifindex);
  const wrong = flags !== 0 || hasHigh(bpf, 5) ? -EINVAL : dev === null ? -ENODEV : 0;
  view.setUint32(mtuLen, wrong === 0 ? dev!.mtu : 0, true);
  if (wrong !== 0) return wrong;
  // a length that was given is one of layer 3
  const len = given === 0 ? xdpLen(words, md) : (given + dev!.hardHeaderLen) | 0;
  return ((len + lenDiff) | 0) > dev!.mtu + dev!.hardHeaderLen ? MTU_CHK_RET_FRAG_NEEDED : 0;
}

const AF_INET = 2;
const AF_INET6 = 10;
const FIB_LOOKUP_BYTES = 64;
/** Offset of `ifindex` in `struct bpf_fib_lookup`. */
const FIB_IFINDEX = 8;
const FIB_LOOKUP_MASK = 0x3f;
const FIB_LKUP_RET_FWD_DISABLED = 5;

/** @linux bpf_xdp_fib_lookup */
function fibLookup(bpf: Bpf, _md: HostAddr, params: HostAddr, len: number, flags: number): number {
  if (len < FIB_LOOKUP_BYTES || (flags & ~FIB_LOOKUP_MASK) !== 0) return -EINVAL;
  const { u8, view } = bpf.mem;
  const family = u8[params];
  if (family !== AF_INET && family !== AF_INET6) return -EAFNOSUPPORT;
  const { upper, cpu } = bpf.xdp;
  if (upper !== null) return upper.fibLookup(params, flags, cpu);
  const dev = bpf.xdp.devices.devGetByIndex(view.getUint32(params + FIB_IFINDEX, true));
  return dev === null ? -ENODEV : FIB_LKUP_RET_FWD_DISABLED;
}

export const REDIRECT_HELPERS: readonly Helper[] = [
  helper(23, 'bpf_redirect', redirect, { wideArgs: HI_FLAGS_2 }),
  helper(51, 'bpf_redirect_map', redirectMap, { wideArgs: HI_FLAGS_3 }),
  helper(69, 'bpf_fib_lookup', fibLookup),
  helper(163, 'bpf_check_mtu', checkMtu, { wideArgs: HI_FLAGS_5 }),
];
