/**
 * What XDP needs of the machine around it, in one object per machine: memory, randomness, the CPU
 * that runs, the tables of memory models and devices, and one redirect context per CPU.
 */
import type { Ps, VirtualClock } from '../host/clock.ts';
import type { Cpu } from '../host/cpu.ts';
import { Fates } from '../host/fates.ts';
import type { IrqController } from '../host/irq.ts';
import type { HostAddr, HostMemory, Region } from '../host/memory.ts';
import type { PageAllocator } from '../host/pages.ts';
import type { Rng } from '../host/rng.ts';
import type { Watch } from '../host/watch.ts';
import type { BpfRegions } from './bpf.ts';
import { Bpf } from './bpf.ts';
import type { CpuMapEntry } from './cpumapEntry.ts';
import { ClonePages } from './broadcast.ts';
import type { XdpDevBulkQueue } from './bulkQueue.ts';
import { BULK_QUEUE_BYTES, DEV_MAP_BULK_SIZE } from './bulkQueue.ts';
import { MemModels } from './memModel.ts';
import { BpfNetContext } from './netContext.ts';
import type { RedirectTarget } from './redirectTarget.ts';

/** The network namespace as redirects see it; whoever keeps the devices implements it. */
export interface DeviceTable {
  /** @linux dev_get_by_index_rcu */
  devGetByIndex(ifindex: number): RedirectTarget | null;
}

/** How a cpumap's thread gives its frames to the stack: each batch in these three steps. */
export interface FrameReceiver {
  /** Frames whose skbs are allocated at once, 1 to 8. */
  readonly skbsAtOnce: number;
  /** @returns false without memory: then there are skbs for none of the `n` */
  allocSkbs(n: number): boolean;
  /**
   * Make a frame an skb that was allocated for it.
   *
   * @returns false when its device has gone: the frame is still the caller's
   */
  buildSkb(frame: HostAddr): boolean;
  /** The batch is built. @param frames it had in the queue @param empty nothing waits there now */
  deliver(frames: number, empty: boolean): void;
}

/** What XDP hands on to the stack above it; the stack implements it. */
export interface UpperStack {
  /** Answer a `struct bpf_fib_lookup` at `params`, whose family is known. @returns as the helper does */
  fibLookup(params: HostAddr, flags: number, cpu: Cpu): number;
  /** For one thread, which runs on `cpu`. */
  frameReceiver(cpu: Cpu): FrameReceiver;
  /** Into the kernel's log, each text once. */
  warnOnce(text: string): void;
}

export interface XdpKernelParts {
  readonly mem: HostMemory;
  readonly watch: Watch;
  /** A stream of its own: what programs draw shifts nobody else. */
  readonly random: Rng;
  /** At least one. */
  readonly cpus: readonly Cpu[];
  readonly devices: DeviceTable;
  /** Where maps and program stacks live. */
  readonly bpf: BpfRegions;
  /** Where redirects keep what they have of each CPU: `netContextBytes` for each. */
  readonly redirects: Region;
  /** Ticks per second (CONFIG_HZ). */
  readonly hz?: number;
  /** Frames a bulk queue holds, at most 16, which it is unless said otherwise. */
  readonly bulkSize?: number;
  /** Does `bpf_redirect` go past the bulk queue? Not unless said otherwise. */
  readonly redirectAtOnce?: boolean;
  /** Pages for copies of frames; without it there are none. */
  readonly pages?: PageAllocator;
  /** Wakes threads of other CPUs; cpumaps take no frames without it and `upper`. */
  readonly irqs?: IrqController;
  readonly upper?: UpperStack;
  /** Rings programs' timers; without it time stands still. */
  readonly clock?: VirtualClock;
  /** Is nothing under way at `at`, or to come, that a run waits for? False unless told. */
  readonly isOver?: (at: Ps) => boolean;
}

/** CONFIG_HZ where nobody said otherwise. */
const DEFAULT_HZ = 250;

export class XdpKernel {
  readonly mem: HostMemory;
  readonly watch: Watch;
  readonly random: Rng;
  readonly devices: DeviceTable;
  readonly memModels: MemModels = new MemModels();
  /** Losses after a redirect was accepted; part of the machine's sum. */
  readonly fates: Fates = new Fates();
  /** Indexed by CPU id. */
  readonly netContexts: readonly BpfNetContext[];
  readonly bpf: Bpf;
  readonly cpus: readonly Cpu[];
  readonly irqs: IrqController | null;
  readonly upper: UpperStack | null;
  /** Pages of frames that a broadcast copies. */
  readonly clonePages: ClonePages | null;
  readonly hz: number;
  readonly isOver: (at: Ps) => boolean;
  readonly bulkSize: number;
  /** Redirects without a map go to their device one by one. */
  readonly redirectAtOnce: boolean;
  /** Queues to CPUs that lead somewhere, or still hold frames. */
  readonly cpuMapEntries: Set<CpuMapEntry> = new Set();
  /** Transmit calls for redirected frames, and those frames. */
  bulkXmits = 0;
  bulkFrames = 0;
  /** Those of them that `redirectAtOnce` sent by themselves. */
  singleFrames = 0;
  /** The redirect state of the CPU that runs. @linux bpf_net_ctx_get */
  netContext: BpfNetContext;
  private running: Cpu;
  private lastProgId = 0;
  private lastMapId = 0;

  constructor(parts: XdpKernelParts) {
    this.mem = parts.mem;
    this.watch = parts.watch;
    this.random = parts.random;
    this.devices = parts.devices;
    this.bulkSize = parts.bulkSize ?? DEV_MAP_BULK_SIZE;
    this.netContexts = contextsIn(parts.redirects, parts.cpus.length, this.mem, this.bulkSize);
    this.cpus = parts.cpus;
    this.irqs = parts.irqs ?? null;
    this.upper = parts.upper ?? null;
    this.clonePages =
      parts.pages === undefined ? null : new ClonePages(parts.pages, this.memModels);
    this.running = parts.cpus[0]!;
    this.netContext = this.netContexts[0]!;
    this.hz = parts.hz ?? DEFAULT_HZ;
    this.isOver = parts.isOver ?? (() => false);
    this.redirectAtOnce = parts.redirectAtOnce ?? false;
    this.bpf = new Bpf(this, parts.bpf, parts.clock ?? null);
    this.cpu = this.running;
  }

  /** Whose softirq runs programs at this moment; a driver's poll sets it. */
  get cpu(): Cpu {
    return this.running;
  }

  /** Compiled programs read the id from memory. */
  set cpu(cpu: Cpu) {
    this.running = cpu;
    this.netContext = this.netContexts[cpu.id]!;
    this.mem.words[this.bpf.cpuWord >> 2] = cpu.id;
  }

  /** Ids count from 1, as `bpftool` shows them. */
  newProgId(): number {
    return ++this.lastProgId;
  }

  newMapId(): number {
    return ++this.lastMapId;
  }

  /** A CPU's bulk queue for `target`; at the first use of one each CPU gets its own. @throws RangeRefused */
  bulkQueue(context: BpfNetContext, target: RedirectTarget): XdpDevBulkQueue {
    const known = context.bulkQueueOf(target);
    if (known !== undefined) return known;
    for (const each of this.netContexts) each.addBulkQueue(target);
    return context.bulkQueueOf(target)!;
  }
}

/** One for each CPU, in equal parts of the region. */
function contextsIn(
  { at, bytes }: Region,
  cpus: number,
  { words }: HostMemory,
  bulkSize: number,
): BpfNetContext[] {
  const share = Math.floor(bytes / cpus / BULK_QUEUE_BYTES) * BULK_QUEUE_BYTES;
  return Array.from(
    { length: cpus },
    (_, id) => new BpfNetContext(words, { at: at + id * share, bytes: share }, bulkSize),
  );
}
