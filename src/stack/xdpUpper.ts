/**
 * Frames that come up from XDP by themselves, from a cpumap's thread: an skb is built around each.
 *
 * The page is the frame's, and the skb begins where its packet does; hardware's findings about
 * checksum, hash and tag are lost, as on Linux. How skbs are allocated and how they go up depends on
 * the kernel's generation, which the profile tells:
 *
 *   to 5.1          each allocated by itself, and received before the next is built
 *   5.2 to 5.12     eight allocated at once, or none; received one by one
 *   5.13 to 6.14    likewise, then received as a list, from where they may go to other CPUs (RPS)
 *   6.15 and later  through the thread's own GRO, which is emptied likewise when the queue is empty,
 *                   or after 64 frames
 *
 * Left out: the per-CPU cache that skbs come from since 6.15, which may give some of eight when memory
 * runs out. What the line of a page's struct costs that another CPU has written is not in any
 * operation, so fetching it ahead (5.2) saves nothing here.
 *
 * @linux __xdp_build_skb_from_frame; net/core/xdp.c. cpu_map_kthread_run; kernel/bpf/cpumap.c
 */
import { OP_SKB_ALLOC, OP_SKB_BULK } from '../host/cost.ts';
import type { Cpu } from '../host/cpu.ts';
import { FAULT_SKB_ALLOC } from '../host/faults.ts';
import { SKB } from '../host/ledger.ts';
import type { HostAddr } from '../host/memory.ts';
import { PAGE_MASK } from '../host/memory.ts';
import type { KernelSpec } from '../host/profile.ts';
import type { FrameReceiver, UpperStack } from '../xdp/kernel.ts';
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
import type { GroNode } from './gro.ts';
import { groNormalList, groReceiveSkb } from './gro.ts';
import type { Net } from './net.ts';
import type { NetDevice } from './netdevice.ts';
import { netifReceiveSkb } from './netifReceiveSkb.ts';
import { SkBuffHead } from './skbList.ts';
import type { SkBuff } from './skbuff.ts';
import { skbMarkForRecycle, skbMetadataSet, skbPut, skbReserve } from './skbuff.ts';
import { consumeSkb } from './skbPool.ts';

/** Frames after which a thread empties its GRO. @linux NAPI_POLL_WEIGHT; include/linux/netdevice.h */
const FLUSH_AFTER = 64;

/** Values of `cpumapDelivery`; 2 is GRO. */
const ONE_BY_ONE = 0;
const AS_LIST = 1;

/** Habits of the kernel's generation. */
type Habits = Pick<KernelSpec, 'cpumapSkbs' | 'cpumapDelivery'>;

export class XdpUpper implements UpperStack {
  private readonly net: Net;
  private readonly habits: Habits;

  constructor(net: Net, habits: Habits) {
    this.net = net;
    this.habits = habits;
  }

  frameReceiver(cpu: Cpu): FrameReceiver {
    return new ThreadReceiver(this.net, cpu, this.habits);
  }

  fibLookup(params: HostAddr, flags: number, cpu: Cpu): number {
    return bpfFibLookup(this.net, params, flags, cpu);
  }

  warnOnce(text: string): void {
    this.net.dmesg.once(text);
  }
}

class ThreadReceiver implements FrameReceiver, GroNode {
  readonly cpu: Cpu;
  readonly skbsAtOnce: number;
  readonly rxList: SkBuffHead = new SkBuffHead();
  private readonly net: Net;
  private readonly delivery: number;
  /** Skbs of the batch in hand, unless they are received one by one. */
  private readonly built: SkBuffHead = new SkBuffHead();
  private sinceFlush = 0;

  constructor(net: Net, cpu: Cpu, { cpumapSkbs, cpumapDelivery }: Habits) {
    this.net = net;
    this.cpu = cpu;
    this.skbsAtOnce = cpumapSkbs;
    this.delivery = cpumapDelivery;
  }

  /** @linux kmem_cache_alloc_bulk, napi_skb_cache_get_bulk, build_skb */
  allocSkbs(n: number): boolean {
    const { faults } = this.net.skbs;
    if (this.skbsAtOnce > 1) this.cpu.chargeTimes(OP_SKB_BULK, n);
    else this.cpu.charge(OP_SKB_ALLOC);
    return !(faults.armed && faults.fires(FAULT_SKB_ALLOC));
  }

  buildSkb(frame: HostAddr): boolean {
    const dev = this.net.devGetByIndex(xdpFrameDevRx(this.net.mem.words, frame));
    if (dev === null) return false;
    const skb = this.skbOf(frame, dev);
    if (!this.net.stackOn) consumeSkb(skb, this.cpu);
    else if (this.delivery === ONE_BY_ONE) netifReceiveSkb(skb, this.cpu);
    else this.built.queueTail(skb);
    return true;
  }

  /** @linux netif_receive_skb_list, cpu_map_gro_flush */
  deliver(frames: number, empty: boolean): void {
    if (this.delivery === AS_LIST) {
      this.rxList.spliceTail(this.built);
      groNormalList(this);
      return;
    }
    for (let skb = this.built.dequeue(); skb !== null; skb = this.built.dequeue())
      groReceiveSkb(this, skb);
    this.sinceFlush += frames;
    if (this.sinceFlush < FLUSH_AFTER && !empty) return;
    groNormalList(this);
    this.sinceFlush = 0;
  }

  private skbOf(frame: HostAddr, dev: NetDevice): SkBuff {
    const { words } = this.net.mem;
    const pool = this.net.skbs;
    const skb = pool.take(dev, frame, xdpFrameFrameSz(words, frame));
    const data = xdpFrameData(words, frame);
    this.cpu.packetTouched = false; // it lies in the cache of the CPU that received it
    this.cpu.touchPacket();
    skb.headFrag = true;
    if (pool.watch.on) pool.watch.page(frame & PAGE_MASK, SKB);
    const len = xdpFrameLen(words, frame);
    const metasize = xdpFrameMetasize(words, frame);
    skbReserve(skb, data - frame);
    skbPut(skb, len);
    if (metasize > 0) skbMetadataSet(skb, metasize);
    if (xdpFrameMemType(words, frame) === MEM_TYPE_PAGE_POOL) skbMarkForRecycle(skb);
    skb.protocol = ethTypeTrans(skb, dev);
    skb.fates = dev.rxFates;
    skb.fates.cpumapPass++;
    return skb;
  }
}
