/**
 * Helpers on the packet: its edges, its bytes, its checksum.
 *
 * @linux net/core/filter.c
 */
import { EFAULT, EINVAL } from '../../host/errno.ts';
import type { HostAddr } from '../../host/memory.ts';
import { csumFrom32to16 } from '../../wire/checksum.ts';
import { bpfXdpAdjustHead, bpfXdpAdjustMeta, bpfXdpAdjustTail } from '../adjust.ts';
import type { Bpf } from '../bpf.ts';
import { xdpData, xdpLen } from '../xdpBuff.ts';
import { helper, wide } from './define.ts';
import type { Helper } from './helper.ts';

const MAX_OFFSET = 0xffff;

/** Offset and length of an access: 0, or why not. @linux bpf_xdp_pointer */
export function checkPacketRange(bpf: Bpf, md: HostAddr, offset: number, len: number): number {
  if (offset >>> 0 > MAX_OFFSET || len >>> 0 > MAX_OFFSET) return -EFAULT;
  return offset + len > xdpLen(bpf.mem.words, md) ? -EINVAL : 0;
}

/** @linux bpf_xdp_load_bytes */
export function xdpLoadBytes(
  bpf: Bpf,
  md: HostAddr,
  offset: number,
  into: HostAddr,
  len: number,
): number {
  const err = checkPacketRange(bpf, md, offset, len);
  if (err === 0) bpf.mem.copy(into, xdpData(bpf.mem.words, md) + offset, len);
  return err;
}

/** @linux bpf_xdp_store_bytes */
export function xdpStoreBytes(
  bpf: Bpf,
  md: HostAddr,
  offset: number,
  from: HostAddr,
  len: number,
): number {
  const err = checkPacketRange(bpf, md, offset, len);
  if (err === 0) bpf.mem.copy(xdpData(bpf.mem.words, md) + offset, from, len);
  return err;
}

const ONES = 2 ** 32 - 1;

/** A sum of 32-bit words reduced to one, with end-around carries: zero only if all were. */
const foldTo32 = (sum: number): number => (sum === 0 ? 0 : ((sum - 1) % ONES) + 1);

/** Bytes as native-order words, zeros behind the last, added to `sum`. @linux csum_partial */
function csumPartial32(bpf: Bpf, at: HostAddr, len: number, sum: number): number {
  const { view, u8 } = bpf.mem;
  const wordsEnd = at + (len & ~3);
  let total = sum;
  for (let p = at; p < wordsEnd; p += 4) total += view.getUint32(p, true);
  for (let i = 0; i < (len & 3); i++) total += u8[wordsEnd + i]! * 2 ** (8 * i);
  return foldTo32(total);
}

/**
 * The change of a checksum when `from` becomes `to`; either may be empty.
 *
 * @returns 16 bits, to be folded and complemented by whoever stores it
 * @linux bpf_csum_diff
 */
function csumDiff(
  bpf: Bpf,
  from: HostAddr,
  fromSize: number,
  to: HostAddr,
  toSize: number,
  seed: number,
): number {
  const start = seed >>> 0;
  let sum = start;
  if (fromSize !== 0 && toSize !== 0) {
    const minus = ~csumPartial32(bpf, from, fromSize, 0) >>> 0;
    sum = foldTo32(csumPartial32(bpf, to, toSize, start) + minus);
  } else if (toSize !== 0) {
    sum = csumPartial32(bpf, to, toSize, start);
  } else if (fromSize !== 0) {
    sum = ~csumPartial32(bpf, from, fromSize, ~start >>> 0) >>> 0;
  } else {
    return wide(bpf, start);
  }
  return wide(bpf, csumFrom32to16(sum));
}

export const PACKET_HELPERS: readonly Helper[] = [
  helper(28, 'bpf_csum_diff', csumDiff, { wideRet: true }),
  helper(44, 'bpf_xdp_adjust_head', (bpf, md, delta) => bpfXdpAdjustHead(bpf.mem, md, delta)),
  helper(54, 'bpf_xdp_adjust_meta', (bpf, md, delta) => bpfXdpAdjustMeta(bpf.mem, md, delta)),
  helper(65, 'bpf_xdp_adjust_tail', (bpf, md, delta) => bpfXdpAdjustTail(bpf.mem, md, delta)),
  helper(188, 'bpf_xdp_get_buff_len', (bpf, md) => xdpLen(bpf.mem.words, md)),
  helper(189, 'bpf_xdp_load_bytes', xdpLoadBytes),
  helper(190, 'bpf_xdp_store_bytes', xdpStoreBytes),
];
