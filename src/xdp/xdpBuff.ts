/**
 * The packet context: `struct xdp_md` as programs see it, followed by what only the kernel sees.
 *
 * Because every host address fits 32 bits, the uapi structure needs no rewriting: a program gets
 * the address of these bytes. One per RX ring lives as long as the ring; the interface and queue
 * are written once, the pointers for each packet.
 *
 *   +0   data               first byte of the packet
 *   +4   data_end           one past the last byte
 *   +8   data_meta          metadata in front of data; data + 1: the driver supports none
 *   +12  ingress_ifindex
 *   +16  rx_queue_index
 *   +20  egress_ifindex     0: only devmap programs have one
 *   -- end of struct xdp_md, 24 bytes --
 *   +24  data_hard_start    first byte of the buffer
 *   +28  frame_sz           bytes from there to the buffer's end
 *   +32  flags              bit 0: has frags
 *   +36  not used, up to 64
 *
 * @linux struct xdp_md; include/uapi/linux/bpf.h. struct xdp_buff; include/net/xdp.h
 */
import type { HostAddr, HostWords } from '../host/memory.ts';

const DATA = 0;
const DATA_END = 4;
const DATA_META = 8;
const INGRESS_IFINDEX = 12;
const RX_QUEUE_INDEX = 16;
const EGRESS_IFINDEX = 20;
const DATA_HARD_START = 24;
const FRAME_SZ = 28;
const FLAGS = 32;
const SHARED_INFO = 320;

/** Offsets, for code that is compiled. */
export const XDP_MD_DATA: number = DATA;
export const XDP_MD_DATA_END: number = DATA_END;
export const XDP_MD_DATA_META: number = DATA_META;
export const XDP_MD_INGRESS_IFINDEX: number = INGRESS_IFINDEX;
export const XDP_BUFF_HARD_START: number = DATA_HARD_START;
export const XDP_BUFF_FRAME_SZ: number = FRAME_SZ;
export const XDP_BUFF_FLAGS: number = FLAGS;
/** Bytes at the buffer's end that are no packet's. */
export const XDP_BUFF_SHARED_INFO: number = SHARED_INFO;

/** Bytes of one context: a cache line, which its address must be a multiple of. */
export const XDP_BUFF_BYTES = 64;
/** Bytes of the part a program may read. */
export const XDP_MD_BYTES = 24;

export const xdpData = (words: HostWords, md: HostAddr): HostAddr => words[(md + DATA) >> 2]!;
export const xdpDataEnd = (words: HostWords, md: HostAddr): HostAddr =>
  words[(md + DATA_END) >> 2]!;
export const xdpDataMeta = (words: HostWords, md: HostAddr): HostAddr =>
  words[(md + DATA_META) >> 2]!;
export const xdpIngressIfindex = (words: HostWords, md: HostAddr): number =>
  words[(md + INGRESS_IFINDEX) >> 2]!;
export const xdpRxQueueIndex = (words: HostWords, md: HostAddr): number =>
  words[(md + RX_QUEUE_INDEX) >> 2]!;
export const xdpDataHardStart = (words: HostWords, md: HostAddr): HostAddr =>
  words[(md + DATA_HARD_START) >> 2]!;
export const xdpFrameSz = (words: HostWords, md: HostAddr): number => words[(md + FRAME_SZ) >> 2]!;
export const xdpFlags = (words: HostWords, md: HostAddr): number => words[(md + FLAGS) >> 2]!;

/** Packet length in bytes. */
export const xdpLen = (words: HostWords, md: HostAddr): number =>
  words[(md + DATA_END) >> 2]! - words[(md + DATA) >> 2]!;

/** One past the last byte a packet may grow to; the shared info begins there. @linux xdp_data_hard_end */
export const xdpDataHardEnd = (words: HostWords, md: HostAddr): HostAddr =>
  words[(md + DATA_HARD_START) >> 2]! + words[(md + FRAME_SZ) >> 2]! - SHARED_INFO;

/** Can this buffer carry no metadata? @linux xdp_data_meta_unsupported */
export const xdpDataMetaUnsupported = (words: HostWords, md: HostAddr): boolean =>
  words[(md + DATA_META) >> 2]! > words[(md + DATA) >> 2]!;

/** Bytes of metadata in front of the packet. @linux xdp_get_metalen */
export function xdpGetMetalen(words: HostWords, md: HostAddr): number {
  const metalen = words[(md + DATA) >> 2]! - words[(md + DATA_META) >> 2]!;
  return metalen > 0 ? metalen : 0;
}

/** Where a devmap's program is told that the frame is about to go. */
export const setXdpEgressIfindex = (words: HostWords, md: HostAddr, ifindex: number): void => {
  words[(md + EGRESS_IFINDEX) >> 2] = ifindex;
};
export const setXdpData = (words: HostWords, md: HostAddr, data: HostAddr): void => {
  words[(md + DATA) >> 2] = data;
};
export const setXdpDataEnd = (words: HostWords, md: HostAddr, end: HostAddr): void => {
  words[(md + DATA_END) >> 2] = end;
};
export const setXdpDataMeta = (words: HostWords, md: HostAddr, meta: HostAddr): void => {
  words[(md + DATA_META) >> 2] = meta;
};

/**
 * What stays the same for every packet of a ring. Where Linux keeps a pointer to the `xdp_rxq_info`,
 * interface and queue are copied, since programs read them from here.
 *
 * @linux xdp_init_buff; include/net/xdp.h
 */
export function xdpInitBuff(
  words: HostWords,
  md: HostAddr,
  frameSz: number,
  ifindex: number,
  queueIndex: number,
): void {
  words[(md + INGRESS_IFINDEX) >> 2] = ifindex;
  words[(md + RX_QUEUE_INDEX) >> 2] = queueIndex;
  words[(md + EGRESS_IFINDEX) >> 2] = 0;
  words[(md + FRAME_SZ) >> 2] = frameSz;
  words[(md + FLAGS) >> 2] = 0;
}

/**
 * The next packet: `len` bytes, `headroom` behind the buffer's start.
 *
 * @param metaValid whether the driver supports metadata; bnxt does
 * @linux xdp_prepare_buff; include/net/xdp.h
 */
export function xdpPrepareBuff(
  words: HostWords,
  md: HostAddr,
  hardStart: HostAddr,
  headroom: number,
  len: number,
  metaValid: boolean,
): void {
  const data = hardStart + headroom;
  words[(md + DATA_HARD_START) >> 2] = hardStart;
  words[(md + DATA) >> 2] = data;
  words[(md + DATA_END) >> 2] = data + len;
  words[(md + DATA_META) >> 2] = metaValid ? data : data + 1;
}
