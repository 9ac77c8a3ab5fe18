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
import type { HostAddr, HostMemory, HostWords } from '../host/memory.ts';
import { PAGE_SIZE } from '../host/memory.ts';
import type { XdpRxqInfo } from './rxq.ts';
import {
  setXdpDataMeta,
  setXdpEgressIfindex,
  xdpData,
  xdpDataEnd,
  xdpDataHardEnd,
  xdpDataHardStart,
  xdpFlags,
  xdpFrameSz,
  xdpGetMetalen,
  xdpInitBuff,
  xdpPrepareBuff,
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

/** Offsets, for code that is compiled. */
export const XDP_FRAME_DATA: number = DATA;
export const XDP_FRAME_DATA_HIGH: number = DATA_HIGH;
export const XDP_FRAME_LEN: number = LEN;
export const XDP_FRAME_HEADROOM: number = HEADROOM;
/** Here and in the next three words: whose page it is, where it came in, how long the buffer is. */
export const XDP_FRAME_ORIGIN: number = MEM_TYPE;
export const XDP_FRAME_METASIZE: number = METASIZE;
export const XDP_FRAME_MEM_ID: number = MEM_ID;
export const XDP_FRAME_FLAGS: number = FLAGS;
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
  if (!xdpUpdateFrameFromBuff(words, md, frame)) return 0;
  words[(frame + DATA_HIGH) >> 2] = 0;
  words[(frame + MEM_TYPE) >> 2] = rxq.memType;
  words[(frame + DEV_RX) >> 2] = rxq.ifindex;
  words[(frame + MEM_ID) >> 2] = rxq.memId;
  return frame;
}

/**
 * The frame's packet is what `md` says of it now; where it came from and whose page it is in stays.
 *
 * @returns false when there is too little headroom for the frame, or the tail has grown too far
 * @linux xdp_update_frame_from_buff; include/net/xdp.h
 */
export function xdpUpdateFrameFromBuff(words: HostWords, md: HostAddr, frame: HostAddr): boolean {
  const data = xdpData(words, md);
  const end = xdpDataEnd(words, md);
  const metasize = xdpGetMetalen(words, md);
  const headroom = data - frame;
  if (headroom - metasize < BYTES || end > xdpDataHardEnd(words, md)) return false;
  words[(frame + DATA) >> 2] = data;
  words[(frame + LEN) >> 2] = end - data;
  words[(frame + HEADROOM) >> 2] = headroom - BYTES;
  words[(frame + METASIZE) >> 2] = metasize;
  words[(frame + FRAME_SZ) >> 2] = xdpFrameSz(words, md);
  words[(frame + FLAGS) >> 2] = xdpFlags(words, md);
  return true;
}

/**
 * A context for a program that runs on a frame.
 *
 * @param egressIfindex where it is about to be sent; 0: nowhere
 * @linux xdp_convert_frame_to_buff; include/net/xdp.h
 */
export function xdpConvertFrameToBuff(
  words: HostWords,
  frame: HostAddr,
  md: HostAddr,
  egressIfindex: number,
): void {
  const data = xdpFrameData(words, frame);
  xdpInitBuff(words, md, xdpFrameFrameSz(words, frame), xdpFrameDevRx(words, frame), 0);
  setXdpEgressIfindex(words, md, egressIfindex);
  xdpPrepareBuff(words, md, frame, data - frame, xdpFrameLen(words, frame), true);
  setXdpDataMeta(words, md, data - xdpFrameMetasize(words, frame));
}

/**
 * A copy of a frame in `page`, which belongs to whoever `memId` names.
 *
 * @returns 0 when the packet is too long for one page
 * @linux xdpf_clone; net/core/xdp.c
 */
export function xdpfClone(
  mem: HostMemory,
  frame: HostAddr,
  page: HostAddr,
  memType: number,
  memId: number,
): HostAddr {
  const { words } = mem;
  const headroom = xdpFrameHeadroom(words, frame) + BYTES;
  const total = headroom + xdpFrameLen(words, frame);
  if (total > PAGE_SIZE) return 0;
  mem.copy(page, frame, total);
  words[(page + DATA) >> 2] = page + headroom;
  words[(page + FRAME_SZ) >> 2] = PAGE_SIZE;
  words[(page + MEM_TYPE) >> 2] = memType;
  words[(page + MEM_ID) >> 2] = memId;
  return page;
}
