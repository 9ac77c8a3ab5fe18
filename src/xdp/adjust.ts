/**
 * Moving a packet's edges: the three helpers by which a program grows or shrinks what it was given.
 *
 *   hard start      + 40            data_meta      data         data_end       hard end      + 320
 *   | xdp_frame      | headroom      | metadata     | packet      | tailroom      | shared info |
 *
 * Each either moves an edge within these limits and returns 0, or changes nothing and returns a
 * negative errno. Single-buffer packets only.
 *
 * @linux net/core/filter.c
 */
import { EACCES, EINVAL, ENOTSUPP } from '../host/errno.ts';
import type { HostAddr, HostMemory } from '../host/memory.ts';
import {
  setXdpData,
  setXdpDataEnd,
  setXdpDataMeta,
  xdpData,
  xdpDataEnd,
  xdpDataHardEnd,
  xdpDataHardStart,
  xdpDataMeta,
  xdpDataMetaUnsupported,
  xdpGetMetalen,
} from './xdpBuff.ts';
import { XDP_FRAME_BYTES } from './xdpFrame.ts';

const ETH_HLEN = 14;
/** `meta_len` of the shared info is a u8, and metadata comes in words of four bytes. */
const METALEN_MAX = 255;

/**
 * Move the packet's first byte by `delta`; negative makes room in front. Metadata moves along.
 *
 * @returns 0; -EINVAL when less than 14 bytes would remain, or the headroom is used up
 * @linux bpf_xdp_adjust_head
 */
export function bpfXdpAdjustHead(mem: HostMemory, md: HostAddr, delta: number): number {
  const words = mem.words;
  const metalen = xdpGetMetalen(words, md);
  const data = xdpData(words, md) + (delta | 0);
  if (data < xdpDataHardStart(words, md) + XDP_FRAME_BYTES + metalen) return -EINVAL;
  if (data > xdpDataEnd(words, md) - ETH_HLEN) return -EINVAL;

  const meta = xdpDataMeta(words, md);
  if (metalen > 0) mem.copy(meta + (delta | 0), meta, metalen);
  setXdpDataMeta(words, md, meta + (delta | 0));
  setXdpData(words, md, data);
  return 0;
}

/**
 * Move the packet's end by `delta`; what it grows by reads zero.
 *
 * @returns 0; -EINVAL when less than 14 bytes would remain, or the end would pass the hard end
 * @linux bpf_xdp_adjust_tail
 */
export function bpfXdpAdjustTail(mem: HostMemory, md: HostAddr, delta: number): number {
  const words = mem.words;
  const oldEnd = xdpDataEnd(words, md);
  const end = oldEnd + (delta | 0);
  if (end > xdpDataHardEnd(words, md)) return -EINVAL;
  if (end < xdpData(words, md) + ETH_HLEN) return -EINVAL;

  if (end > oldEnd) mem.fill(oldEnd, end - oldEnd, 0);
  setXdpDataEnd(words, md, end);
  return 0;
}

/**
 * Move the metadata's first byte by `delta`; negative makes room between headroom and packet.
 *
 * @returns 0; -ENOTSUPP when the driver supports no metadata; -EINVAL outside headroom and packet;
 *   -EACCES when its length would be no multiple of four, or more than 252
 * @linux bpf_xdp_adjust_meta, xdp_metalen_invalid
 */
export function bpfXdpAdjustMeta(mem: HostMemory, md: HostAddr, delta: number): number {
  const words = mem.words;
  if (xdpDataMetaUnsupported(words, md)) return -ENOTSUPP;
  const data = xdpData(words, md);
  const meta = xdpDataMeta(words, md) + (delta | 0);
  if (meta < xdpDataHardStart(words, md) + XDP_FRAME_BYTES || meta > data) return -EINVAL;
  const metalen = data - meta;
  if ((metalen & 3) !== 0 || metalen > METALEN_MAX) return -EACCES;

  setXdpDataMeta(words, md, meta);
  return 0;
}
