/**
 * A pcapng file of frames as they leave a machine: one interface per NIC, in the order of their times.
 *
 * They are told in another order where NICs are settled one after the other, or one CPU is ahead of
 * another.
 */
import type { Ps } from '../host/clock.ts';
import type { HostAddr, HostMemory } from '../host/memory.ts';
import type { CaptureTime } from '../wire/capture.ts';
import { PcapngWriter } from '../wire/capture.ts';
import type { WireSink } from '../wire/frames.ts';
import { BLOCK_ENHANCED } from '../wire/pcapngLayout.ts';

export class WireCapture implements WireSink {
  private readonly mem: HostMemory;
  private readonly writer: PcapngWriter;
  private readonly direction: 'in' | 'out';
  private readonly times: Ps[] = [];
  private readonly ports: number[] = [];
  private ordered = true;

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
    const n = this.times.push(time) - 1;
    this.ports.push(port);
    if (n > 0 && this.compare(n - 1, n) > 0) this.ordered = false;
    this.writer.frame(port, time, this.mem.u8, at, len, {
      direction: this.direction,
    });
  }

  finish(): Uint8Array {
    const bytes = this.writer.finish();
    return this.ordered ? bytes : this.inOrder(bytes);
  }

  /** Frames of one port that have one time stay as they are. */
  private compare(a: number, b: number): number {
    const { times, ports } = this;
    return times[a]! - times[b]! || ports[a]! - ports[b]! || a - b;
  }

  private inOrder(bytes: Uint8Array): Uint8Array {
    const frames = blocksOf(bytes).filter(({ type }) => type === BLOCK_ENHANCED);
    const order = Uint32Array.from(frames.keys()).toSorted((a, b) => this.compare(a, b));
    const ordered = bytes.slice();
    let to = frames[0]!.at;
    for (const n of order) {
      const { at, len } = frames[n]!;
      ordered.set(bytes.subarray(at, at + len), to);
      to += len;
    }
    return ordered;
  }
}

interface Block {
  readonly type: number;
  readonly at: number;
  readonly len: number;
}

/** Of a file as `PcapngWriter` makes it, little-endian: sections and interfaces come before all frames. */
function blocksOf(bytes: Uint8Array): Block[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const blocks: Block[] = [];
  for (let at = 0, len; at < bytes.length; at += len) {
    len = view.getUint32(at + 4, true);
    blocks.push({ type: view.getUint32(at, true), at, len });
  }
  return blocks;
}
