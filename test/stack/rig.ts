import type { Ps } from '../../src/host/clock.ts';
import { VirtualClock } from '../../src/host/clock.ts';
import { CoherentMemory } from '../../src/host/coherent.ts';
import { OP_COUNT } from '../../src/host/cost.ts';
import type { Steps } from '../../src/host/cpu.ts';
import { Cpu } from '../../src/host/cpu.ts';
import { Faults } from '../../src/host/faults.ts';
import { IrqController, IrqLine } from '../../src/host/irq.ts';
import { CheckedLedger, Ledger } from '../../src/host/ledger.ts';
import { HostMemory, PAGE_SIZE } from '../../src/host/memory.ts';
import { PageAllocator } from '../../src/host/pages.ts';
import { Scheduler } from '../../src/host/scheduler.ts';
import { Trace } from '../../src/host/trace.ts';
import { Watch } from '../../src/host/watch.ts';
import { NapiStruct, napiCompleteDone, napiSchedule } from '../../src/stack/napi.ts';
import { napiEnable, netifNapiAdd } from '../../src/stack/napiSetup.ts';
import { Net } from '../../src/stack/net.ts';
import type { NetConfig } from '../../src/stack/net.ts';
import type { NetDeviceOps } from '../../src/stack/netdevice.ts';
import { NetDevice, registerNetdevice } from '../../src/stack/netdevice.ts';
import { softirqInit } from '../../src/stack/softirq.ts';

export const MAC = { hi16: 0x0200, lo32: 1 };

export interface RigOptions extends Partial<NetConfig> {
  cpus?: number;
  pages?: number;
  checked?: boolean;
  /** Picoseconds by `OP_*`; what is not named is free. */
  costs?: Readonly<Record<number, Ps>>;
  ops?: Partial<NetDeviceOps>;
}

/** For page_pools: a ring of the largest size takes 17. */
const KERNEL_PAGES = 64;

/** A machine without hardware: CPUs, memory, the stack, and one device. */
export function stackRig(options: RigOptions = {}) {
  const cost = new Float64Array(OP_COUNT);
  for (const [op, ps] of Object.entries(options.costs ?? {})) cost[Number(op)] = ps;
  const cpus = Array.from({ length: options.cpus ?? 1 }, (_, id) => new Cpu(id, cost));
  const mem = new HostMemory(((options.pages ?? 256) + 1 + KERNEL_PAGES) * PAGE_SIZE);
  const ledger = options.checked === false ? new Ledger() : new CheckedLedger(mem);
  const faults = new Faults();
  const region = mem.region('pages', (options.pages ?? 256) * PAGE_SIZE);
  const pages = new PageAllocator(mem, region, ledger, faults);
  const kernel = new CoherentMemory(mem, mem.region('kernel', KERNEL_PAGES * PAGE_SIZE));
  const trace = new Trace();
  const watch = new Watch(trace, ledger);
  const irqs = new IrqController();
  const clock = new VirtualClock();
  const net = new Net(
    { cpus, mem, pages, kernel, watch, faults, irqs, clock },
    { hz: 1000, netdevBudget: 300, stackOn: true, ...options },
  );
  softirqInit(net);
  const dev = new NetDevice(
    net,
    'eth0',
    { ndoOpen: () => 0, ndoStop: () => 0, ...options.ops },
    MAC,
  );
  registerNetdevice(dev);
  const scheduler = new Scheduler(cpus, clock, irqs, {
    runToIrq: () => {},
    settleShared: () => {},
  });
  return {
    cpus,
    cpu: cpus[0]!,
    mem,
    ledger,
    faults,
    pages,
    trace,
    watch,
    net,
    sd: net.softnet[0]!,
    dev,
    irqs,
    scheduler,
  };
}

/** A NAPI that receives from a counter, each packet taking `packetPs`, and notes each poll. */
export class CountingQueue {
  pending: number;
  packetPs = 0;
  readonly polls: { at: Ps; work: number; context: number; cpu: number }[] = [];
  /** What `napiCompleteDone` answered. */
  readonly completions: boolean[] = [];
  readonly napi: NapiStruct;

  constructor(dev: NetDevice, pending: number, weight: number = 64) {
    this.pending = pending;
    this.napi = new NapiStruct(dev, dev.napis.length);
    netifNapiAdd(this.napi, (napi, budget) => this.poll(napi, budget), weight);
    napiEnable(this.napi);
  }

  /** An interrupt line that schedules this NAPI. */
  line(cpu: Cpu): IrqLine {
    const line = new IrqLine('queue', cpu);
    line.handler = (): void => void napiSchedule(this.napi, cpu);
    return line;
  }

  private poll(napi: NapiStruct, budget: number): number {
    const { cpu } = napi;
    const work = Math.min(this.pending, budget);
    this.polls.push({ at: cpu.now, work, context: cpu.context, cpu: cpu.id });
    this.pending -= work;
    cpu.now += work * this.packetPs;
    if (work < budget) this.completions.push(napiCompleteDone(napi, work));
    return work;
  }
}

/** Run work to its end; `between` is called at each yield with the number of yields so far. */
export function drain(work: Steps, between: (yields: number) => void = () => {}): number {
  let yields = 0;
  while (work.next().done !== true) between(++yields);
  return yields;
}
