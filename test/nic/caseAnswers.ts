/** A stack that talks back: every n-th packet passed is sent again, from where it arrived, checksum left to the NIC. */
import type { Cpu } from '../../src/host/cpu.ts';
import type { HostMemory } from '../../src/host/memory.ts';
import { skbFrameBytes } from '../../src/stack/skbBytes.ts';
import type { PacketTap } from '../../src/stack/net.ts';
import { allocSkb } from '../../src/stack/skbPool.ts';
import type { SkBuff } from '../../src/stack/skbuff.ts';
import { CHECKSUM_PARTIAL, skbPut } from '../../src/stack/skbuff.ts';
import { devQueueXmit } from '../../src/stack/xmit.ts';

const ETH_P_IP = 0x0800;

export class Answers implements PacketTap {
  private readonly mem: HostMemory;
  private readonly every: number;
  private readonly room: Uint8Array = new Uint8Array(4096);
  private seen = 0;

  constructor(mem: HostMemory, every: number) {
    this.mem = mem;
    this.every = every;
  }

  onSkb(skb: SkBuff, cpu: Cpu): void {
    if (++this.seen % this.every !== 0) return;
    const len = skbFrameBytes(this.mem, skb, this.room);
    const answer = allocSkb(skb.dev, len, cpu);
    if (answer === null) return;
    this.mem.u8.set(this.room.subarray(0, len), skbPut(answer, len));
    answer.protocol = skb.protocol;
    if (skb.protocol === ETH_P_IP) answer.ipSummed = CHECKSUM_PARTIAL;
    if (this.seen % 2 === 0) {
      answer.vlanProto = 0x8100;
      answer.vlanTci = this.seen & 0xfff;
    }
    devQueueXmit(answer, cpu);
  }
}
