/** A pcapng file of frames as they leave a machine: one interface per NIC. */
import type { Ps } from '../host/clock.ts';
import type { HostAddr, HostMemory } from '../host/memory.ts';
import type { CaptureTime } from '../wire/capture.ts';
import { PcapngWriter } from '../wire/capture.ts';
import type { WireSink } from '../wire/frames.ts';

export class WireCapture implements WireSink {
  private readonly mem: HostMemory;
  private readonly writer: PcapngWriter;
  private readonly direction: 'in' | 'out';

  /** @param start absolute time of the machine's time 0: that of a replayed capture, else 1970 */
  constructor(
    mem: HostMemory,
    nics: readonly string[],
    direction: 'in' | 'out',
    start: Readonly<CaptureTime>,
  ) {
    this.mem = mem;
    this.direction = direction;
    this.writer = new PcapngWriter({ interfaces: nics, start });
  }

  frame(port: number, time: Ps, at: HostAddr, len: number): void {
    this.writer.frame(port, time, this.mem.u8, at, len, {
      direction: this.direction,
    });
  }

  finish(): Uint8Array {
    return this.writer.finish();
  }
}
