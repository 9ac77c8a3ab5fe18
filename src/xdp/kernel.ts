/**
 * What XDP needs of the machine around it, in one object per machine: memory, randomness, the CPU
 * that runs, the tables of memory models and devices, and one redirect context per CPU.
 */
import type { VirtualClock } from '../host/clock.ts';
import type { Cpu } from '../host/cpu.ts';
import { Fates } from '../host/fates.ts';
import type { HostMemory } from '../host/memory.ts';
import type { Rng } from '../host/rng.ts';
import type { Watch } from '../host/watch.ts';
import type { BpfRegions } from './bpf.ts';
import { Bpf } from './bpf.ts';
import { MemModels } from './memModel.ts';
import { BpfNetContext } from './netContext.ts';
import type { RedirectTarget } from './redirectTarget.ts';

/** The network namespace as redirects see it; whoever keeps the devices implements it. */
export interface DeviceTable {
  /** @linux dev_get_by_index_rcu */
  devGetByIndex(ifindex: number): RedirectTarget | null;
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
  /** Ticks per second (CONFIG_HZ). */
  readonly hz?: number;
  /** Rings programs' timers; without it time stands still. */
  readonly clock?: VirtualClock;
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
  readonly hz: number;
  private running: Cpu;
  private lastProgId = 0;
  private lastMapId = 0;

  constructor(parts: XdpKernelParts) {
    this.mem = parts.mem;
    this.watch = parts.watch;
    this.random = parts.random;
    this.devices = parts.devices;
    this.netContexts = parts.cpus.map(() => new BpfNetContext());
    this.running = parts.cpus[0]!;
    this.hz = parts.hz ?? DEFAULT_HZ;
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
    this.mem.words[this.bpf.cpuWord >> 2] = cpu.id;
  }

  /** Ids count from 1, as `bpftool` shows them. */
  newProgId(): number {
    return ++this.lastProgId;
  }

  newMapId(): number {
    return ++this.lastMapId;
  }

  /** The redirect state of the CPU that runs. @linux bpf_net_ctx_get */
  get netContext(): BpfNetContext {
    return this.netContexts[this.cpu.id]!;
  }
}
