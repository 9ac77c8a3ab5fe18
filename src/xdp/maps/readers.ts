/**
 * Who reads the records that programs write: woken by a commit, they read when the clock next rings,
 * never inside the program that woke them.
 *
 * @linux bpf_ringbuf_notify, irq_work_queue
 */
import type { Alarm, VirtualClock } from '../../host/clock.ts';
import type { XdpKernel } from '../kernel.ts';

/** A map that wakes somebody. */
export interface WakingMap {
  onWakeup: (() => void) | null;
}

export class MapReaders {
  private readonly xdp: XdpKernel;
  private readonly clock: VirtualClock | null;
  private readonly woken: Set<() => void> = new Set();
  private alarm: Alarm | null = null;

  /** @param clock null: time stands still, and readers wait for `run` */
  constructor(xdp: XdpKernel, clock: VirtualClock | null) {
    this.xdp = xdp;
    this.clock = clock;
  }

  /** `read` is called now, and after each commit that wakes. @returns ends it */
  attach(map: WakingMap, read: () => void): () => void {
    this.alarm ??= this.clock?.alarm(() => this.run()) ?? null;
    map.onWakeup = () => this.wake(read);
    read();
    return () => {
      map.onWakeup = null;
      this.woken.delete(read);
    };
  }

  /** Let all that were woken read. */
  run(): void {
    const readers = [...this.woken];
    this.woken.clear();
    for (const read of readers) read();
  }

  private wake(read: () => void): void {
    this.woken.add(read);
    this.alarm?.set(this.xdp.cpu.now);
  }
}
