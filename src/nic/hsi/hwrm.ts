/**
 * The control path: requests a driver sends to the firmware, named as Linux names them.
 *
 * Real HWRM is a mailbox of packed structures; here a request is a typed object and the answer
 * comes back at once. Field names and values are the interface's own, the layout is not.
 *
 * @linux struct hwrm_*_input; drivers/net/ethernet/broadcom/bnxt/bnxt_hsi.h
 */
import type { HostAddr } from '../../host/memory.ts';
import type { Ps } from '../../host/clock.ts';

export const RING_ALLOC_REQ_RING_TYPE_L2_CMPL = 0;
export const RING_ALLOC_REQ_RING_TYPE_TX = 1;
export const RING_ALLOC_REQ_RING_TYPE_RX = 2;
/** P5: the ring that interrupts. */
export const RING_ALLOC_REQ_RING_TYPE_NQ = 5;

export interface HwrmRingAllocInput {
  readonly ringType: number;
  /** First byte of the ring; slots lie back to back. */
  readonly ringAddr: HostAddr;
  /** Slots, a power of two of at least 256. */
  readonly length: number;
  /** Index the driver knows the ring by; RX ring i is RSS destination i. */
  readonly logicalId: number;
  /** Completion ring that serves a TX or RX ring. */
  readonly cmplRingId: number;
  /** MSI-X vector of a ring that interrupts: a completion ring, on P5 a notification queue. */
  readonly intVector: number;
  /** P5: the notification queue of a completion ring, and what its notifications call it. */
  readonly nqRingId?: number;
  readonly cqHandle?: number;
}

export interface HwrmRingAllocOutput {
  readonly ringId: number;
  /** Offset of the ring's doorbell in the BAR. */
  readonly doorbell: number;
}

/** Every completion starts the longest wait anew. @linux RING_CMPL_RING_CFG_AGGINT_PARAMS_REQ_FLAGS_TIMER_RESET */
export const RING_CMPL_RING_CFG_AGGINT_PARAMS_REQ_FLAGS_TIMER_RESET = 1;

export interface HwrmRingAggintInput {
  readonly ringId: number;
  /** Completion records (16 bytes each) until an interrupt. */
  readonly numCmplAggrInt: number;
  /** Ticks of `timerUnitPs` from the first unacknowledged record until an interrupt; with TIMER_RESET from the last. */
  readonly intLatTmrMax: number;
  readonly intLatTmrMin: number;
  /** Ticks and records that completions gather before they are written, while an interrupt is awaited. */
  readonly cmplAggrDmaTmr: number;
  readonly numCmplDmaAggr: number;
  /** Likewise, from the interrupt until the ring is armed again. */
  readonly cmplAggrDmaTmrDuringInt: number;
  readonly numCmplDmaAggrDuringInt: number;
  readonly flags: number;
}

/** What the firmware accepts, queried once. */
export interface HwrmRingAggintQcapsOutput {
  readonly numCmplAggrIntMax: number;
  readonly intLatTmrMaxMax: number;
  readonly intLatTmrMinMax: number;
  readonly cmplAggrDmaTmrMax: number;
  readonly cmplAggrDmaTmrDuringIntMax: number;
  readonly numCmplDmaAggrMax: number;
  readonly numCmplDmaAggrDuringIntMax: number;
  /** One tick of the timers. */
  readonly timerUnitPs: Ps;
}

export const CFA_L2_SET_RX_MASK_REQ_MASK_MCAST: number = 1 << 1;
export const CFA_L2_SET_RX_MASK_REQ_MASK_ALL_MCAST: number = 1 << 2;
export const CFA_L2_SET_RX_MASK_REQ_MASK_BCAST: number = 1 << 3;
export const CFA_L2_SET_RX_MASK_REQ_MASK_PROMISCUOUS: number = 1 << 4;

export interface HwrmVnicCfgInput {
  /** Longest frame without FCS; longer ones end in the MAC. */
  readonly mru: number;
  readonly vlanStrip: boolean;
}

export const VNIC_RSS_CFG_REQ_HASH_TYPE_IPV4: number = 1 << 0;
export const VNIC_RSS_CFG_REQ_HASH_TYPE_TCP_IPV4: number = 1 << 1;
export const VNIC_RSS_CFG_REQ_HASH_TYPE_UDP_IPV4: number = 1 << 2;
export const VNIC_RSS_CFG_REQ_HASH_TYPE_IPV6: number = 1 << 3;
export const VNIC_RSS_CFG_REQ_HASH_TYPE_TCP_IPV6: number = 1 << 4;
export const VNIC_RSS_CFG_REQ_HASH_TYPE_UDP_IPV6: number = 1 << 5;

export const HW_HASH_KEY_SIZE = 40;
export const HW_HASH_INDEX_SIZE = 128;

export interface HwrmVnicRssCfgInput {
  readonly hashType: number;
  /** 40 bytes. */
  readonly hashKey: Uint8Array;
  /** 128 entries, each the logical id of an RX ring. */
  readonly ringTable: Uint16Array;
}

/** One exact-or-wildcard rule; a field that is undefined matches everything. Ports and protocol in host order. */
export interface HwrmCfaNtupleFilterAllocInput {
  readonly ethertype: 0x0800 | 0x86dd;
  readonly ipProtocol?: number;
  /** 4 or 16 bytes. */
  readonly srcIpaddr?: Uint8Array;
  readonly dstIpaddr?: Uint8Array;
  readonly srcPort?: number;
  readonly dstPort?: number;
  /** Logical id of an RX ring, or -1 to drop. */
  readonly dst: number;
}

/** Counters of one ring pair, in the order of ethtool's strings. @linux struct ctx_hw_stats */
export interface CtxHwStats {
  readonly rxUcastPkts: number;
  readonly rxMcastPkts: number;
  readonly rxBcastPkts: number;
  readonly rxDiscardPkts: number;
  readonly rxErrorPkts: number;
  readonly rxUcastBytes: number;
  readonly rxMcastBytes: number;
  readonly rxBcastBytes: number;
  readonly txUcastPkts: number;
  readonly txMcastPkts: number;
  readonly txBcastPkts: number;
  readonly txErrorPkts: number;
  readonly txDiscardPkts: number;
  readonly txUcastBytes: number;
  readonly txMcastBytes: number;
  readonly txBcastBytes: number;
}

/** Counters of the port, named as `ethtool -S` names them. @linux bnxt_port_stats_arr */
export interface PortStats {
  readonly rxOversizeFrames: number;
  readonly rxUndrszFrames: number;
  readonly rxFcsErrFrames: number;
  readonly rxGoodFrames: number;
  /** Whole frames that the port had no room for. */
  readonly rxStatDiscard: number;
  readonly txGoodFrames: number;
}

/**
 * The firmware's mailbox, one method per request. A negative errno is thrown by none of them:
 * requests that cannot be served are a `BugError`, because the driver checks capabilities first.
 */
export interface Hwrm {
  ringAlloc(req: HwrmRingAllocInput, now: Ps): HwrmRingAllocOutput;
  /**
   * The ring is quiesced: what the NIC had not done by `now` it will never do.
   *
   * @returns the NIC's consumer index in the ring, masked
   */
  ringFree(ringType: number, ringId: number, now: Ps): number;
  /** An RX ring is emptied and starts again at index 0, without buffers. */
  ringReset(ringId: number, now: Ps): void;
  ringAggintQcaps(): HwrmRingAggintQcapsOutput;
  ringCmplRingCfgAggintParams(req: HwrmRingAggintInput, now: Ps): void;
  vnicCfg(req: HwrmVnicCfgInput, now: Ps): void;
  vnicRssCfg(req: HwrmVnicRssCfgInput, now: Ps): void;
  /** @param mcast groups that `MASK_MCAST` lets through */
  cfaL2SetRxMask(mask: number, mac: Uint8Array, now: Ps, mcast?: readonly Uint8Array[]): void;
  /** @returns filter id */
  cfaNtupleFilterAlloc(req: HwrmCfaNtupleFilterAllocInput, now: Ps): number;
  cfaNtupleFilterFree(filterId: number, now: Ps): void;
  /** Counters of RX ring and TX rings with this logical id, as of `now`. */
  statCtxQuery(logicalId: number, now: Ps): CtxHwStats;
  portQstats(now: Ps): PortStats;
}
