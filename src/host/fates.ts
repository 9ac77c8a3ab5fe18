/**
 * What became of each packet: one outcome, or one loss with one cause.
 *
 * These are the emulator's own books, kept beside Linux's counters because Linux has none for
 * most of them. Counters are outcomes, not verdicts: an XDP_TX into a full ring is a loss.
 *
 *   offered    = received + lost in the NIC
 *   received   = xdpDrop + xdpAborted + xdpTx + xdpRedirect + xdpPass + noProgram + lost before an outcome
 *   xdpTx + xdpRedirect + xdpCloned + stackTx = onWire + toOther + cpumapPass + lost in transmission
 *   xdpPass + noProgram + cpumapPass = toStack + forwarded + lost on the way up
 *
 * What the stack forwards is one of its transmissions, `stackTx`, from then on (in fragments: several).
 * A broadcast makes copies of a frame, `xdpCloned`; a cpumap's thread takes frames into the stack,
 * `cpumapPass`.
 */

import { SKB_DROP_REASONS } from './dropReason.ts';

/** Where in the way a loss happens: the equation it belongs to. */
export type LossStage = 'nic' | 'driver' | 'tx' | 'up';

export interface LossCause {
  readonly name: string;
  readonly stage: LossStage;
  /** The Linux counter that moves with it, or why none does. */
  readonly counter: string;
}

export const LOST_NO_BUFFER = 0;
export const LOST_RX_OVERSIZE = 1;
export const LOST_RX_RUNT = 2;
export const LOST_RX_CRC = 3;
export const LOST_MAC_FILTER = 4;
export const LOST_DEVICE_CLOSED = 5;
export const LOST_NTUPLE_DROP = 6;
export const LOST_OOM = 7;
export const LOST_OUT_OF_ORDER = 8;
export const LOST_RX_ERROR = 9;
export const LOST_TX_RING_FULL = 10;
export const LOST_REDIRECT_FAILED = 11;
export const LOST_REDIRECT_NO_TARGET = 12;
export const LOST_INVALID_VERDICT = 13;
export const LOST_RING_RESET = 14;
export const LOST_REDIRECT_QUEUE_FULL = 15;
export const LOST_TX_DEVICE_CLOSED = 16;
export const LOST_SKB_OOM = 17;
export const LOST_VLAN_PROTO = 18;
export const LOST_UNREAD_AT_CLOSE = 19;
export const LOST_NETPOLL = 20;
export const LOST_QDISC_DROP = 21;
export const LOST_XMIT_DROP = 22;
export const LOST_DEVMAP_PROG = 23;
export const LOST_BROADCAST_NO_TARGET = 24;
export const LOST_CPUMAP_QUEUE_FULL = 25;
export const LOST_CPUMAP_PROG = 26;
export const LOST_CPUMAP_SKB_OOM = 27;
export const LOST_PCIE_BACKPRESSURE = 28;
/** Behind it, one cause for each reason the stack may drop a packet for: `DROP_REASONS_FROM + SKB_DROP_REASON_*`. */
export const DROP_REASONS_FROM = 29;
export const LOST_COUNT: number = DROP_REASONS_FROM + SKB_DROP_REASONS.length;
export const LOSSES_BYTES: number = LOST_COUNT * 8;

const cause = (name: string, stage: LossStage, counter: string): LossCause => ({
  name,
  stage,
  counter,
});

/** Indexed by `LOST_*`. */
export const LOSS_CAUSES: readonly LossCause[] = [
  cause('noBuffer', 'nic', 'ethtool [i]: rx_discards'),
  cause('rxOversize', 'nic', 'ethtool rx_oversize_frames (port)'),
  cause('rxRunt', 'nic', 'ethtool rx_undrsz_frames (port)'),
  cause('rxCrc', 'driver', 'ethtool rx_fcs_err_frames (port)'),
  cause('macFilter', 'nic', 'none: the MAC ignores frames for others'),
  cause('deviceClosed', 'nic', 'none: the rings do not exist'),
  cause('ntupleDrop', 'nic', 'none: a rule asks for it'),
  cause('oom', 'driver', 'tracepoint xdp:xdp_exception'),
  cause('outOfOrder', 'driver', 'ethtool [i]: rx_resets, when the ring has been reset'),
  cause('rxError', 'driver', 'ethtool [i]: rx_buf_errors for buffer errors'),
  cause('txRingFull', 'driver', 'tracepoint xdp:xdp_exception'),
  cause('redirectFailed', 'driver', 'tracepoint xdp:xdp_redirect_err'),
  cause('redirectNoTarget', 'driver', 'tracepoint xdp:xdp_redirect_err'),
  cause('invalidVerdict', 'driver', 'tracepoint xdp:xdp_exception'),
  cause('ringReset', 'nic', 'ethtool [i]: rx_resets'),
  cause('redirectQueueFull', 'tx', 'tracepoint xdp:xdp_devmap_xmit (drops)'),
  cause('txDeviceClosed', 'tx', 'none: freed by bnxt_free_tx_skbs'),
  cause('skbOom', 'up', 'ethtool rx_total_oom_discards'),
  cause('vlanProto', 'up', 'none: bnxt_rx_vlan drops the skb'),
  cause('unreadAtClose', 'driver', 'none: the completion ring is freed'),
  cause('netpoll', 'driver', 'ethtool rx_total_netpoll_discards'),
  cause('qdiscDrop', 'tx', 'tc -s qdisc: dropped'),
  cause('xmitDrop', 'tx', 'ip -s link: TX dropped'),
  cause('devmapProg', 'tx', 'tracepoint xdp:xdp_devmap_xmit (drops)'),
  cause('broadcastNoTarget', 'tx', 'none: dev_map_enqueue_multi frees the frame'),
  cause('cpumapQueueFull', 'tx', 'tracepoint xdp:xdp_cpumap_enqueue (drops)'),
  cause('cpumapProg', 'tx', 'tracepoint xdp:xdp_cpumap_kthread (xdp_drop)'),
  cause('cpumapSkbOom', 'tx', 'tracepoint xdp:xdp_cpumap_kthread (drops)'),
  cause('pcieBackpressure', 'nic', 'ethtool rx_stat_discard (port)'),
  ...SKB_DROP_REASONS.map((r) => cause(r.cause, 'up', r.counter)),
];

/** Outcome counters of one queue. */
export class Fates {
  offered = 0;
  received = 0;
  xdpDrop = 0;
  xdpAborted = 0;
  xdpTx = 0;
  xdpRedirect = 0;
  xdpPass = 0;
  noProgram = 0;
  toStack = 0;
  forwarded = 0;
  stackTx = 0;
  onWire = 0;
  toOther = 0;
  xdpCloned = 0;
  cpumapPass = 0;
  /** Indexed by `LOST_*`. */
  readonly lost: Float64Array;

  /** @param lost zeroes; those of a NIC's queue lie in host memory */
  constructor(lost: Float64Array = new Float64Array(LOST_COUNT)) {
    this.lost = lost;
  }

  add(other: Fates): void {
    this.offered += other.offered;
    this.received += other.received;
    this.xdpDrop += other.xdpDrop;
    this.xdpAborted += other.xdpAborted;
    this.xdpTx += other.xdpTx;
    this.xdpRedirect += other.xdpRedirect;
    this.xdpPass += other.xdpPass;
    this.noProgram += other.noProgram;
    this.toStack += other.toStack;
    this.forwarded += other.forwarded;
    this.stackTx += other.stackTx;
    this.onWire += other.onWire;
    this.toOther += other.toOther;
    this.xdpCloned += other.xdpCloned;
    this.cpumapPass += other.cpumapPass;
    for (let i = 0; i < LOST_COUNT; i++) this.lost[i]! += other.lost[i]!;
  }

  lostAt(stage: LossStage): number {
    let sum = 0;
    LOSS_CAUSES.forEach((c, i) => (sum += c.stage === stage ? this.lost[i]! : 0));
    return sum;
  }

  /** The four equations as differences (left minus right); all zero when the run adds up. */
  imbalance(): { nic: number; driver: number; tx: number; up: number } {
    const consumed = this.xdpDrop + this.xdpAborted + this.xdpTx + this.xdpRedirect;
    return {
      nic: this.offered - this.received - this.lostAt('nic'),
      driver: this.received - consumed - this.xdpPass - this.noProgram - this.lostAt('driver'),
      tx:
        this.xdpTx +
        this.xdpRedirect +
        this.xdpCloned +
        this.stackTx -
        this.onWire -
        this.toOther -
        this.cpumapPass -
        this.lostAt('tx'),
      up:
        this.xdpPass +
        this.noProgram +
        this.cpumapPass -
        this.toStack -
        this.forwarded -
        this.lostAt('up'),
    };
  }
}
