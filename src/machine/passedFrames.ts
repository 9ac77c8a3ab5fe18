/** Frames that reached the stack, as bytes on a wire: a tap that puts each together again. */
import type { Cpu } from '../host/cpu.ts';
import type { HostAddr, HostMemory } from '../host/memory.ts';
import type { PacketTap } from '../stack/net.ts';
import type { NetDevice } from '../stack/netdevice.ts';
import { skbFrameBytes } from '../stack/skbBytes.ts';
import type { SkBuff } from '../stack/skbuff.ts';
import type { WireSink } from '../wire/frames.ts';

export class PassedFrames implements PacketTap {
  private readonly mem: HostMemory;
  private readonly devices: readonly NetDevice[];
  private readonly sink: WireSink;
  /** Room for the longest frame, and the address it has. */
  private readonly room: Uint8Array;
  private readonly at: HostAddr;

  constructor(
    mem: HostMemory,
    devices: readonly NetDevice[],
    sink: WireSink,
    at: HostAddr,
    bytes: number,
  ) {
    this.mem = mem;
    this.devices = devices;
    this.sink = sink;
    this.at = at;
    this.room = mem.u8.subarray(at, at + bytes);
  }

  onSkb(skb: SkBuff, cpu: Cpu): void {
    const len = skbFrameBytes(this.mem, skb, this.room);
    this.sink.frame(this.devices.indexOf(skb.dev), cpu.now, this.at, len);
  }
}
