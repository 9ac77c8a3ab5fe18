/** What a NIC is plugged into: the host's memory and observers, its frames, its timing, its wire. */
import type { Ps } from '../host/clock.ts';
import type { NicTiming } from '../host/profile.ts';
import { nsToPs } from '../host/cost.ts';
import type { Faults } from '../host/faults.ts';
import type { IrqController } from '../host/irq.ts';
import type { CoherentMemory } from '../host/coherent.ts';
import type { HostAddr, HostMemory, Region } from '../host/memory.ts';
import type { RxStamps } from '../host/stamps.ts';
import type { Watch } from '../host/watch.ts';
import type { PcieLink } from './pcieLink.ts';
import type { FrameTable, Wire } from '../wire/frames.ts';

export interface NicParts {
  /** Notification queues and one 64-bit doorbell, instead of interrupts and a doorbell for each ring. */
  readonly p5?: boolean;
  /**
   * Completions may gather before they are written (`gathering.ts`). A NIC that is not bnxt's writes
   * each, and its rings that notify count their timers from their last notification.
   */
  readonly gathers: boolean;
  /** How long XDP's frames are under way is wanted (`TxEngine.underWayPs`). */
  readonly booksFrames?: boolean;
  readonly mem: HostMemory;
  readonly watch: Watch;
  readonly faults: Faults;
  readonly stamps: RxStamps;
  readonly irqs: IrqController;
  readonly frames: FrameTable;
  readonly timing: NicTimes;
  /**
   * Memory of the device's own. It lies within the host's, where compiled loops can reach it
   * (`rxBulk.ts`), and no address in it is ever told to anybody.
   */
  readonly chip: CoherentMemory;
  /** Likewise, for what is known of each distinct frame. */
  readonly records: Region;
  /** Where a frame is put together before it goes on the wire; one per NIC, as long as the longest. */
  readonly txFifo: HostAddr;
  readonly sink: Wire;
}

/** `NicTiming` in whole picoseconds. */
export class NicTimes {
  readonly rxDmaPs: Ps;
  readonly rxDmaSlotPs: Ps;
  readonly txFetchPs: Ps;
  readonly txQueueSlotPs: Ps;
  readonly txCompletePs: Ps;
  readonly msixPs: Ps;
  /** Null: a bus without end. */
  readonly pcie: PcieLink | null;

  constructor(timing: NicTiming, pcie: PcieLink | null = null) {
    this.pcie = pcie;
    this.rxDmaPs = nsToPs(timing.rxDmaNs);
    this.rxDmaSlotPs = nsToPs(timing.rxDmaSlotNs);
    this.txFetchPs = nsToPs(timing.txFetchNs);
    this.txQueueSlotPs = nsToPs(timing.txQueueSlotNs);
    this.txCompletePs = nsToPs(timing.txCompleteNs);
    this.msixPs = nsToPs(timing.msixNs);
  }
}
