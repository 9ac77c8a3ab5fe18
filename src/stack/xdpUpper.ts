/**
 * Frames that come up from XDP by themselves, from a cpumap's thread: an skb is built around each.
 *
 * The page is the frame's, and the skb begins where its packet does; hardware's findings about
 * checksum, hash and tag are lost, as on Linux.
 *
 * @linux __xdp_build_skb_from_frame; net/core/xdp.c
 */
import { OP_SKB_ALLOC } from '../host/cost.ts';
import type { Cpu } from '../host/cpu.ts';
import { FAULT_SKB_ALLOC } from '../host/faults.ts';
import { SKB } from '../host/ledger.ts';
import type { HostAddr } from '../host/memory.ts';
import { PAGE_MASK } from '../host/memory.ts';
import type { UpperStack } from '../xdp/kernel.ts';
import { MEM_TYPE_PAGE_POOL } from '../xdp/uapi.ts';
import {
  xdpFrameData,
  xdpFrameDevRx,
  xdpFrameFrameSz,
  xdpFrameLen,
  xdpFrameMemType,
  xdpFrameMetasize,
} from '../xdp/xdpFrame.ts';
import { bpfFibLookup } from './bpfFibLookup.ts';
import { ethTypeTrans } from './ethTypeTrans.ts';
import type { Net } from './net.ts';
import { netifReceiveSkb } from './netifReceiveSkb.ts';
import type { SkBuff } from './skbuff.ts';
import { skbMarkForRecycle, skbMetadataSet, skbPut, skbReserve } from './skbuff.ts';
import { consumeSkb } from './skbPool.ts';

export class XdpUpper implements UpperStack {
  private readonly net: Net;

  constructor(net: Net) {
    this.net = net;
  }

  receiveFrame(frame: HostAddr, cpu: Cpu): boolean {
    const skb = this.buildSkb(frame, cpu);
    if (skb === null) return false;
    skb.fates = skb.dev.rxFates;
    skb.fates.cpumapPass++;
    if (this.net.stackOn) netifReceiveSkb(skb, cpu);
    else consumeSkb(skb, cpu);
    return true;
  }

  fibLookup(params: HostAddr, flags: number, cpu: Cpu): number {
    return bpfFibLookup(this.net, params, flags, cpu);
  }

  warnOnce(text: string): void {
    this.net.dmesg.once(text);
  }

  /** @returns null when there is no memory, or the device has gone */
  private buildSkb(frame: HostAddr, cpu: Cpu): SkBuff | null {
    const { net } = this;
    const { words } = net.mem;
    const pool = net.skbs;
    cpu.charge(OP_SKB_ALLOC);
    const dev = net.devGetByIndex(xdpFrameDevRx(words, frame));
    if (dev === null) return null;
    if (pool.faults.armed && pool.faults.fires(FAULT_SKB_ALLOC)) return null;
    const data = xdpFrameData(words, frame);
    const len = xdpFrameLen(words, frame);
    const skb = pool.take(dev, frame, xdpFrameFrameSz(words, frame));
    cpu.packetTouched = false; // it lies in the cache of the CPU that received it
    cpu.touchPacket();
    skb.headFrag = true;
    if (pool.watch.on) pool.watch.page(frame & PAGE_MASK, SKB);
    skbReserve(skb, data - frame);
    skbPut(skb, len);
    const metasize = xdpFrameMetasize(words, frame);
    if (metasize > 0) skbMetadataSet(skb, metasize);
    if (xdpFrameMemType(words, frame) === MEM_TYPE_PAGE_POOL) skbMarkForRecycle(skb);
    skb.protocol = ethTypeTrans(skb, dev);
    return skb;
  }
}
