/**
 * `struct xdp_frame`: a packet that has left its RX ring, described in its own headroom.
 *
 * 40 bytes at the buffer's hard start, laid out as on a 64-bit kernel; addresses are 32-bit words
 * whose upper half stays 0. Linux finds the way back through the page; here `mem_id` says it, in
 * the half that a 64-bit `dev_rx` pointer leaves free.
 *
 *   +0   data        first byte of the packet
 *   +8   len         bytes
 *   +12  headroom    bytes between this structure and data
 *   +16  metasize    bytes of metadata in front of data
 *   +20  mem_type    MEM_TYPE_*
 *   +24  dev_rx      ifindex of the device it came in on
 *   +28  mem_id      who takes the page back, see memModel.ts
 *   +32  frame_sz    bytes of the buffer
 *   +36  flags       as in the xdp_buff
 *
 * @linux struct xdp_frame; include/net/xdp.h
 */
import type { HostAddr, HostWords } from '../host/memory.ts';
import type { XdpRxqInfo } from './rxq.ts';
import {
  xdpData,
  xdpDataEnd,
  xdpDataHardEnd,
  xdpDataHardStart,
  xdpFlags,
  xdpFrameSz,
  xdpGetMetalen,
} from './xdpBuff.ts';

const DATA = 0;
const DATA_HIGH = 4;
const LEN = 8;
const HEADROOM = 12;
const METASIZE = 16;
const MEM_TYPE = 20;
const DEV_RX = 24;
const MEM_ID = 28;
const FRAME_SZ = 32;
const FLAGS = 36;
const BYTES = 40;
const HAS_FRAGS = 1;

export const XDP_FRAME_BYTES: number = BYTES;

export const xdpFrameData = (words: HostWords, frame: HostAddr): HostAddr =>
  words[(frame + DATA) >> 2]!;
export const xdpFrameLen = (words: HostWords, frame: HostAddr): number =>
  words[(frame + LEN) >> 2]!;
export const xdpFrameHeadroom = (words: HostWords, frame: HostAddr): number =>
  words[(frame + HEADROOM) >> 2]!;
export const xdpFrameMetasize = (words: HostWords, frame: HostAddr): number =>
  words[(frame + METASIZE) >> 2]!;
export const xdpFrameMemType = (words: HostWords, frame: HostAddr): number =>
  words[(frame + MEM_TYPE) >> 2]!;
export const xdpFrameDevRx = (words: HostWords, frame: HostAddr): number =>
  words[(frame + DEV_RX) >> 2]!;
export const xdpFrameMemId = (words: HostWords, frame: HostAddr): number =>
  words[(frame + MEM_ID) >> 2]!;
export const xdpFrameFrameSz = (words: HostWords, frame: HostAddr): number =>
  words[(frame + FRAME_SZ) >> 2]!;
/** @linux xdp_frame_has_frags */
export const xdpFrameHasFrags = (words: HostWords, frame: HostAddr): boolean =>
  (words[(frame + FLAGS) >> 2]! & HAS_FRAGS) !== 0;

/**
 * Describe the packet of `md` in its own headroom. The page still belongs to the driver: it changes
 * hands when a queue takes the frame.
 *
 * @returns the frame's address; 0 when the program left too little headroom, or the tail has grown
 *   into the shared info
 * @linux xdp_convert_buff_to_frame, xdp_update_frame_from_buff; include/net/xdp.h
 */
export function xdpConvertBuffToFrame(words: HostWords, md: HostAddr, rxq: XdpRxqInfo): HostAddr {
  const frame = xdpDataHardStart(words, md);
  const data = xdpData(words, md);
  const end = xdpDataEnd(words, md);
  const metasize = xdpGetMetalen(words, md);
  const headroom = data - frame;
  if (headroom - metasize < BYTES || end > xdpDataHardEnd(words, md)) return 0;

  words[(frame + DATA) >> 2] = data;
  words[(frame + DATA_HIGH) >> 2] = 0;
  words[(frame + LEN) >> 2] = end - data;
  words[(frame + HEADROOM) >> 2] = headroom - BYTES;
  words[(frame + METASIZE) >> 2] = metasize;
  words[(frame + MEM_TYPE) >> 2] = rxq.memType;
  words[(frame + DEV_RX) >> 2] = rxq.ifindex;
  words[(frame + MEM_ID) >> 2] = rxq.memId;
  words[(frame + FRAME_SZ) >> 2] = xdpFrameSz(words, md);
  words[(frame + FLAGS) >> 2] = xdpFlags(words, md);
  return frame;
}
