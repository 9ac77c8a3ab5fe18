import { costTable } from '../../src/host/cost.ts';
import { FLAT } from '../../src/host/profiles.ts';
import { Cpu } from '../../src/host/cpu.ts';
import { Faults } from '../../src/host/faults.ts';
import { CheckedLedger, DRIVER, Ledger, POOL_CACHE } from '../../src/host/ledger.ts';
import type { HostAddr } from '../../src/host/memory.ts';
import { HostMemory, PAGE_SIZE } from '../../src/host/memory.ts';
import { PageAllocator } from '../../src/host/pages.ts';
import { Rng } from '../../src/host/rng.ts';
import { RxStamps, stampBytes } from '../../src/host/stamps.ts';
import { Trace } from '../../src/host/trace.ts';
import { Watch } from '../../src/host/watch.ts';
import { XdpKernel } from '../../src/xdp/kernel.ts';
import { createMap } from '../../src/xdp/maps/createMap.ts';
import type { DevMap } from '../../src/xdp/maps/devmap.ts';
import { BPF_MAP_TYPE_DEVMAP } from '../../src/xdp/maps/uapi.ts';
import type { MemAllocator } from '../../src/xdp/memModel.ts';
import { xdpRxqInfoRegMemModel } from '../../src/xdp/memModel.ts';
import type { RedirectTarget } from '../../src/xdp/redirectTarget.ts';
import { XdpRxqInfo } from '../../src/xdp/rxq.ts';
import {
  MEM_TYPE_PAGE_POOL,
  NETDEV_XDP_ACT_NDO_XMIT,
  XDP_PACKET_HEADROOM,
} from '../../src/xdp/uapi.ts';
import { XDP_BUFF_BYTES, xdpData, xdpDataEnd } from '../../src/xdp/xdpBuff.ts';
import { xdpInitBuff, xdpPrepareBuff } from '../../src/xdp/xdpBuff.ts';
import { xdpFrameData, xdpFrameLen } from '../../src/xdp/xdpFrame.ts';

export const RX_IFINDEX = 3;
export const RX_QUEUE = 5;

/** A pool that takes pages back and remembers in which order, and how. */
export class RecordingPool implements MemAllocator {
  readonly memType: number = MEM_TYPE_PAGE_POOL;
  readonly returned: { page: HostAddr; allowDirect: boolean }[] = [];
  private readonly watch: Watch;

  constructor(watch: Watch) {
    this.watch = watch;
  }

  returnPage(page: HostAddr, allowDirect: boolean): void {
    this.returned.push({ page, allowDirect });
    if (this.watch.on) this.watch.page(page, POOL_CACHE);
  }
}

/** A device that takes at most `takes` frames a call and copies out what it took. */
export class RecordingTarget implements RedirectTarget {
  readonly ifindex: number;
  readonly name: string;
  up = true;
  mtu = 1500;
  hardHeaderLen = 14;
  xdpFeatures: number = NETDEV_XDP_ACT_NDO_XMIT;
  takes: number = Infinity;
  /** One entry per call of `ndoXdpXmit`. */
  readonly calls: { n: number; flags: number; cpu: number }[] = [];
  readonly frames: Uint8Array[] = [];
  private readonly mem: HostMemory;

  constructor(ifindex: number, mem: HostMemory) {
    this.ifindex = ifindex;
    this.name = `eth${ifindex}`;
    this.mem = mem;
  }

  ndoXdpXmit(cpu: Cpu, frames: HostAddr, n: number, flags: number): number {
    this.calls.push({ n, flags, cpu: cpu.id });
    if (this.takes < 0) return this.takes;
    const taken = Math.min(n, this.takes);
    for (const frame of this.mem.wordsAt(frames, taken)) {
      const at = xdpFrameData(this.mem.words, frame);
      this.frames.push(this.mem.u8.slice(at, at + xdpFrameLen(this.mem.words, frame)));
    }
    return taken;
  }
}

export interface RigOptions {
  readonly cpus?: number;
  readonly checked?: boolean;
  readonly bulkSize?: number;
  readonly redirectAtOnce?: boolean;
}

export interface Rig {
  readonly mem: HostMemory;
  readonly trace: Trace;
  readonly xdp: XdpKernel;
  readonly cpus: readonly Cpu[];
  readonly cpu: Cpu;
  readonly rxq: XdpRxqInfo;
  readonly stamps: RxStamps;
  readonly pool: RecordingPool;
  readonly md: HostAddr;
  readonly devices: Map<number, RedirectTarget>;
  /** Add a device with this ifindex. */
  target(ifindex: number): RecordingTarget;
  /** Put a packet into a fresh page of the driver's and point `md` at it. */
  packet(bytes: Uint8Array | number, headroom?: number, metaValid?: boolean): HostAddr;
  /** A devmap without devices. */
  devMap(maxEntries: number): DevMap;
  /** The packet as it stands. */
  bytes(): Uint8Array;
}

/** One RX queue of one device, its context and its pool, in a memory of its own. */
export function xdpRig({ cpus: count = 1, checked = false, ...kernel }: RigOptions = {}): Rig {
  const mem = new HostMemory(6 << 20);
  const ledger = checked ? new CheckedLedger(mem) : new Ledger();
  const trace = new Trace();
  const watch = new Watch(trace, ledger);
  const cpus = Array.from({ length: count }, (_, id) => new Cpu(id, costTable(FLAT)));
  const devices = new Map<number, RedirectTarget>();
  const xdp = new XdpKernel({
    mem,
    watch,
    random: new Rng(1),
    cpus,
    ...kernel,
    devices: { devGetByIndex: (ifindex) => devices.get(ifindex) ?? null },
    bpf: { maps: mem.region('maps', 1 << 20), stacks: mem.region('program stacks', 8192) },
    redirects: mem.region('redirects', 4096 * count),
  });
  const md = mem.region('contexts', XDP_BUFF_BYTES).at;
  const pages = new PageAllocator(mem, mem.region('pages', 3 << 20), ledger, new Faults());
  const stamps = new RxStamps(mem, mem.region('stamps', stampBytes(mem.bytes)));
  const rxq = new XdpRxqInfo(xdp, RX_IFINDEX, RX_QUEUE, stamps);
  const pool = new RecordingPool(watch);
  xdpRxqInfoRegMemModel(rxq, pool);
  xdpInitBuff(mem.words, md, PAGE_SIZE, RX_IFINDEX, RX_QUEUE);
  return {
    ...{ mem, trace, xdp, cpus, cpu: cpus[0]!, rxq, stamps, pool, md, devices },
    target(ifindex) {
      const target = new RecordingTarget(ifindex, mem);
      devices.set(ifindex, target);
      return target;
    },
    packet(bytes, headroom = XDP_PACKET_HEADROOM, metaValid = true) {
      const page = pages.alloc();
      if (watch.on) watch.page(page, DRIVER);
      const content = typeof bytes === 'number' ? new Uint8Array(bytes) : bytes;
      mem.u8.set(content, page + headroom);
      xdpPrepareBuff(mem.words, md, page, headroom, content.length, metaValid);
      return page;
    },
    devMap: (maxEntries) =>
      createMap(xdp.bpf, {
        ...{ name: 'ports', type: BPF_MAP_TYPE_DEVMAP, keySize: 4, valueSize: 4 },
        ...{ maxEntries, flags: 0 },
      }) as DevMap,
    bytes: () => mem.u8.slice(xdpData(mem.words, md), xdpDataEnd(mem.words, md)),
  };
}
