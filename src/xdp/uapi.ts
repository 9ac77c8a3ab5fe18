/**
 * XDP's numbers as programs, drivers and user space know them.
 *
 * @linux include/uapi/linux/bpf.h, include/uapi/linux/if_link.h, include/uapi/linux/netdev.h, include/net/xdp.h
 */

/** Verdicts. @linux enum xdp_action */
export const XDP_ABORTED = 0;
export const XDP_DROP = 1;
export const XDP_PASS = 2;
export const XDP_TX = 3;
export const XDP_REDIRECT = 4;

/** Types of programs that this project tells apart. @linux enum bpf_prog_type */
export const BPF_PROG_TYPE_UNSPEC = 0;
export const BPF_PROG_TYPE_XDP = 6;
/** Where XDP programs attach: an entry of a devmap, of a cpumap, a device. @linux enum bpf_attach_type */
export const BPF_XDP_DEVMAP = 33;
export const BPF_XDP_CPUMAP = 35;
export const BPF_XDP = 37;

/** Names of the verdicts, indexed by them. */
export const XDP_ACTION_NAMES: readonly string[] = [
  'XDP_ABORTED',
  'XDP_DROP',
  'XDP_PASS',
  'XDP_TX',
  'XDP_REDIRECT',
];

/** How a program is attached (`IFLA_XDP_FLAGS`). */
export const XDP_FLAGS_UPDATE_IF_NOEXIST = 1;
export const XDP_FLAGS_SKB_MODE = 2;
export const XDP_FLAGS_DRV_MODE = 4;
export const XDP_FLAGS_HW_MODE = 8;
export const XDP_FLAGS_REPLACE = 16;
export const XDP_FLAGS_MODES: number = 2 | 4 | 8;

/** `ndo_xdp_xmit`: ring the doorbell for everything queued so far. */
export const XDP_XMIT_FLUSH = 1;

/** Flags of `bpf_redirect_map` above the two verdict bits. */
export const BPF_F_BROADCAST = 8;
export const BPF_F_EXCLUDE_INGRESS = 16;

/** Bytes a driver leaves in front of a packet for programs to grow into. */
export const XDP_PACKET_HEADROOM = 256;
/** Bytes kept free at a buffer's end for `struct skb_shared_info`, cache-line aligned, 64-bit. */
export const SKB_SHARED_INFO_SIZE = 320;

/** What a device can do with XDP. @linux enum netdev_xdp_act */
export const NETDEV_XDP_ACT_BASIC = 1;
export const NETDEV_XDP_ACT_REDIRECT = 2;
export const NETDEV_XDP_ACT_NDO_XMIT = 4;
export const NETDEV_XDP_ACT_XSK_ZEROCOPY = 8;
export const NETDEV_XDP_ACT_HW_OFFLOAD = 16;
export const NETDEV_XDP_ACT_RX_SG = 32;
export const NETDEV_XDP_ACT_NDO_XMIT_SG = 64;

/** Who takes a buffer back. @linux enum xdp_mem_type */
export const MEM_TYPE_PAGE_SHARED = 0;
export const MEM_TYPE_PAGE_ORDER0 = 1;
export const MEM_TYPE_PAGE_POOL = 2;
export const MEM_TYPE_XSK_BUFF_POOL = 3;

/** Bits of an `xdp_buff`'s and an `xdp_frame`'s flags. @linux enum xdp_buff_flags */
export const XDP_FLAGS_HAS_FRAGS = 1;
export const XDP_FLAGS_FRAGS_PF_MEMALLOC = 2;
