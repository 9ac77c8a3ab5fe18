/**
 * Named fault points: places at which a run may be told to fail, off until armed.
 *
 * The list is a catalogue for readers; a point fires on the n-th passage
 * after it was armed, or on every k-th, so that a fault is as reproducible as the run itself. Passages
 * are counted over the whole machine as they happen: a lazy and an eager NIC visit their queues in
 * different orders, so with several queues they may fail different packets.
 * While nothing is armed a passage costs one test of `armed`.
 */
import { RangeRefused } from './errors.ts';

export const FAULT_PAGE_ALLOC = 0;
export const FAULT_SKB_ALLOC = 1;
export const FAULT_DMA_MAP = 2;
export const FAULT_RX_CMP_LOST_HALF = 3;
export const FAULT_RX_CMP_CRC = 4;
export const FAULT_RX_CMP_BUFFER = 5;
export const FAULT_RX_CMP_OUT_OF_ORDER = 6;
export const FAULT_TX_CMP_LOST = 7;
export const FAULT_IRQ_LOST = 8;

export interface FaultPoint {
  readonly name: string;
  readonly says: string;
}

export const FAULT_POINTS: readonly FaultPoint[] = [
  { name: 'pageAlloc', says: 'the page allocator has no page' },
  { name: 'skbAlloc', says: 'napi_alloc_skb or napi_build_skb returns NULL' },
  { name: 'dmaMap', says: 'mapping a redirected frame for DMA fails' },
  { name: 'rxCmpHalf', says: 'the second half of an RX completion is written late' },
  { name: 'rxCmpCrc', says: 'an RX completion carries the CRC error bit' },
  { name: 'rxCmpBuffer', says: 'an RX completion carries a buffer error' },
  { name: 'rxCmpOutOfOrder', says: 'an RX completion names a slot the driver does not expect' },
  { name: 'txCmpLost', says: 'a TX completion is never written' },
  { name: 'irqLost', says: 'an interrupt message is lost' },
];

export class Faults {
  armed = false;
  readonly fired: Int32Array = new Int32Array(FAULT_POINTS.length);
  private readonly after: Float64Array = new Float64Array(FAULT_POINTS.length).fill(Infinity);
  private readonly every: Float64Array = new Float64Array(FAULT_POINTS.length).fill(Infinity);

  /**
   * Let a point fire.
   *
   * @param after passages that still succeed before the first failure
   * @param every then fail each `every`-th passage; Infinity for once only
   */
  arm(point: string, after: number = 0, every: number = Infinity): void {
    const id = FAULT_POINTS.findIndex((p) => p.name === point);
    if (id < 0) {
      throw new RangeRefused('fault point', point, FAULT_POINTS.map((p) => p.name).join(', '));
    }
    if (!(after >= 0) || !(every >= 1)) {
      throw new RangeRefused(
        `fault ${point}`,
        `after ${after}, every ${every}`,
        'after 0 or more, every 1 or more',
      );
    }
    this.after[id] = after;
    this.every[id] = every;
    this.armed = true;
  }

  disarm(): void {
    this.after.fill(Infinity);
    this.armed = false;
  }

  /** Does this passage fail? Call only while `armed`. */
  fires(id: number): boolean {
    const left = this.after[id]! - 1;
    if (left >= 0) {
      this.after[id] = left;
      return false;
    }
    this.after[id] = this.every[id]! - 1;
    this.fired[id]!++;
    return true;
  }
}
