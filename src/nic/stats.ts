/** The counters of one ring pair and of the port; the NIC adds, the firmware reads. */
import type { CtxHwStats, PortStats } from './hsi/hwrm.ts';

type Counters<T> = { -readonly [K in keyof T]: number };

/** What a `RingStats` takes up. */
export const RING_STATS_BYTES: number = 16 * 8;

/** Indices of `RingStats.by`; those of frames and bytes are followed by the other casts', by `CAST_*`. */
export const RX_PKTS = 0;
export const RX_BYTES = 3;
export const RX_DISCARD_PKTS = 6;
export const RX_ERROR_PKTS = 7;
export const TX_PKTS = 8;
export const TX_BYTES = 11;

/** One array, because loops in WebAssembly count in it (`rxBulkReceive.ts`, `txBulk.ts`). */
export class RingStats implements CtxHwStats {
  readonly by: Float64Array;

  /** @param by zeroes */
  constructor(by: Float64Array = new Float64Array(RING_STATS_BYTES / 8)) {
    this.by = by;
  }

  get rxUcastPkts(): number {
    return this.by[0]!;
  }

  get rxMcastPkts(): number {
    return this.by[1]!;
  }

  get rxBcastPkts(): number {
    return this.by[2]!;
  }

  get rxUcastBytes(): number {
    return this.by[3]!;
  }

  get rxMcastBytes(): number {
    return this.by[4]!;
  }

  get rxBcastBytes(): number {
    return this.by[5]!;
  }

  get rxDiscardPkts(): number {
    return this.by[6]!;
  }

  get rxErrorPkts(): number {
    return this.by[7]!;
  }

  get txUcastPkts(): number {
    return this.by[8]!;
  }

  get txMcastPkts(): number {
    return this.by[9]!;
  }

  get txBcastPkts(): number {
    return this.by[10]!;
  }

  get txUcastBytes(): number {
    return this.by[11]!;
  }

  get txMcastBytes(): number {
    return this.by[12]!;
  }

  get txBcastBytes(): number {
    return this.by[13]!;
  }

  get txErrorPkts(): number {
    return this.by[14]!;
  }

  get txDiscardPkts(): number {
    return this.by[15]!;
  }
}

/** `rxGoodFrames` is what they leave: the firmware reckons it. */
export class PortCounters implements Counters<Omit<PortStats, 'rxGoodFrames'>> {
  rxOversizeFrames = 0;
  rxUndrszFrames = 0;
  rxFcsErrFrames = 0;
  rxStatDiscard = 0;
  txGoodFrames = 0;
}
