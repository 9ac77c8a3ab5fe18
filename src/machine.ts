/**
 * A machine: one of everything, connected. The table of contents of the code.
 *
 * In the order of a packet: a source offers frames to a NIC (`nic/`), the NIC fills buffers in host
 * memory (`host/`), the driver polls them (`driver/bnxt/`), the program decides (`xdp/`), and what
 * it passes goes up (`stack/`). Long because it connects every room, and does nothing else.
 */
import { Bus } from './host/bus.ts';
import type { Ps } from './host/clock.ts';
import { END_OF_TIME, PS_PER_NS, PS_PER_SEC, VirtualClock, checkedPs } from './host/clock.ts';
import { CoherentMemory } from './host/coherent.ts';
import { OP_XDP_RUN, nsToPs } from './host/cost.ts';
import { CLOCK_BYTES, CountingCpu, Cpu } from './host/cpu.ts';
import { BugError, RangeRefused, bugOn } from './host/errors.ts';
import { Faults } from './host/faults.ts';
import { IdleStates } from './host/idleStates.ts';
import { IrqController, IrqLine } from './host/irq.ts';
import { CheckedLedger, Ledger } from './host/ledger.ts';
import type { HostAddr } from './host/memory.ts';
import { HostMemory } from './host/memory.ts';
import { PageAllocator } from './host/pages.ts';
import { Rng } from './host/rng.ts';
import type { Hardware } from './host/scheduler.ts';
import { Scheduler } from './host/scheduler.ts';
import { StageTimes } from './host/stages.ts';
import { RxStamps } from './host/stamps.ts';
import { Trace } from './host/trace.ts';
import { Watch } from './host/watch.ts';
import type { Bnxt, BnxtPdev } from './driver/bnxt/bnxt.ts';
import { BCM57414, BCM57508 } from './driver/bnxt/bnxt.ts';
import type { VethEnd } from './driver/veth.ts';
import { vethNewlink } from './driver/veth.ts';
import { bnxtSetCoalesce } from './driver/bnxt/coal.ts';
import { bnxtInitOne } from './driver/bnxt/probe.ts';
import { bnxtSetRxfh, bnxtSrxclsrlins, bnxtSrxfh } from './driver/bnxt/rxnfc.ts';
import { Changes } from './machine/changes.ts';
import type { MachineConfig, NicConfig, NicNapi, NicSteering } from './machine/config.ts';
import { TX_FIFO_BYTES, memoryBytes, planMemory } from './machine/config.ts';
import { machineCosts } from './machine/costs.ts';
import type { InetConfig } from './machine/inetConfig.ts';
import { APP_BUFFER_BYTES, buildInet } from './machine/inetConfig.ts';
import type { MachineResult } from './machine/result.ts';
import { machineResult } from './machine/result.ts';
import { Timeline } from './machine/timeline.ts';
import type { ShowName } from './machine/show.ts';
import { showMachine } from './machine/show.ts';
import { EagerHardware } from './nic/eager.ts';
import { Firmware } from './nic/firmware.ts';
import { LazyHardware } from './nic/lazy.ts';
import type { Pace } from './nic/nic.ts';
import { Nic } from './nic/nic.ts';
import { NicTimes } from './nic/parts.ts';
import { PcieLink } from './nic/pcieLink.ts';
import { flushBacklog } from './stack/backlog.ts';
import { devXdpAttach } from './stack/devXdp.ts';
import { napiConfigOf, netdevSetNapi } from './stack/napiConfig.ts';
import { Net } from './stack/net.ts';
import type { NetDevice } from './stack/netdevice.ts';
import { IFF_PROMISC, NetlinkExtAck, devClose, devOpen } from './stack/netdevice.ts';
import { rawDropRules, tcDropRules } from './stack/packetFilter.ts';
import { softirqInit } from './stack/softirq.ts';
import { XdpUpper } from './stack/xdpUpper.ts';
import type { UdpSock } from './stack/udpSock.ts';
import { udpClose } from './stack/udpUser.ts';
import { ProgramRuns } from './machine/programRuns.ts';
import { QueueStages } from './machine/rxStages.ts';
import type { ClientBooks, ClientsConfig } from './machine/clients.ts';
import { Clients } from './machine/clients.ts';
import { PassedFrames } from './machine/passedFrames.ts';
import { Settled } from './machine/settled.ts';
import type { ArrivalSource, Wire, WireSink } from './wire/frames.ts';
import { UdpApp } from './machine/udpApp.ts';
import { FrameTable } from './wire/frames.ts';
import { Link } from './wire/link.ts';
import type { XdpProgramSpec } from './xdp/define.ts';
import { XdpKernel } from './xdp/kernel.ts';
import { DevMap } from './xdp/maps/devmap.ts';
import type { BpfMap } from './xdp/maps/bpfMap.ts';
import type { XdpProg } from './xdp/program.ts';

/** One NIC of a machine, with the driver that runs it. */
export interface MachineNic {
  readonly config: NicConfig;
  readonly nic: Nic;
  readonly vectors: readonly IrqLine[];
  readonly bp: Bnxt;
}

/** MSI-X vectors that a function can have at most. */
const VECTORS_MAX = 2048;

/** The two halves of a pace: what NICs ask of it, and what the scheduler does. */
export type MachinePace = Pace & Hardware & { add(nic: Nic): void };

/** Hands each transmitted frame to whoever watches. */
class WireTaps implements Wire {
  readonly sinks: WireSink[] = [];

  get watched(): boolean {
    return this.sinks.length > 0;
  }

  frame(port: number, time: Ps, at: number, len: number): void {
    const { sinks } = this;
    for (let i = 0; i < sinks.length; i++) sinks[i]!.frame(port, time, at, len);
  }
}

/** Each application draws from a stream of its own, by its port. */
const APP_STREAM = 0x6170_7073;

export class Machine {
  readonly config: MachineConfig;
  readonly mem: HostMemory;
  readonly frames: FrameTable;
  readonly pages: PageAllocator;
  readonly trace: Trace = new Trace();
  readonly faults: Faults = new Faults();
  readonly watch: Watch;
  readonly clock: VirtualClock = new VirtualClock();
  readonly irqs: IrqController = new IrqController();
  readonly cpus: readonly Cpu[];
  readonly net: Net;
  readonly xdp: XdpKernel;
  readonly nics: readonly MachineNic[];
  readonly veths: NetDevice[] = [];
  readonly apps: readonly UdpApp[];
  private readonly scheduler: Scheduler;
  private readonly wire: WireTaps = new WireTaps();
  private readonly passedAt: HostAddr;
  /** By NIC: the program that `attachXdp` loaded, whose maps live as long as it is attached. */
  private readonly attached: (XdpProg | null)[] = [];
  readonly programRuns: ProgramRuns;
  /** When the packets were done with. */
  readonly settled: Settled;
  /** Rings and losses over time; null unless asked for. */
  readonly timeline: Timeline | null;
  /** Of all packets; null unless asked for. */
  readonly stages: StageTimes | null;
  private readonly changes: Changes = new Changes();
  /** Up to where the machine was told to run: the control path's present, even if all CPUs idle. */
  private ranTo: Ps = 0;
  /** It runs until nothing is left to do. */
  private toTheEnd = false;

  /**
   * @param frameBytes room for the frames that sources will send
   * @param pace lazy or eager by the configuration, unless a test brings its own
   * @throws RangeRefused
   */
  constructor(
    config: MachineConfig,
    frameBytes: number,
    pace?: (cpus: readonly Cpu[]) => MachinePace,
  ) {
    this.config = config;
    if (!Number.isInteger(config.cpus) || config.cpus < 1)
      throw new RangeRefused('cpus', config.cpus, '1 or more');
    if (config.nics.length === 0) throw new RangeRefused('nics', 0, '1 or more');
    const plan = planMemory(config, frameBytes);
    this.mem = new HostMemory(memoryBytes(plan));
    const coherent = new CoherentMemory(this.mem, this.mem.region('rings', plan.coherent));
    this.watch = new Watch(this.trace, config.check ? new CheckedLedger(this.mem) : new Ledger());
    this.pages = new PageAllocator(
      this.mem,
      this.mem.region('pages', plan.pages),
      this.watch.ledger,
      this.faults,
    );
    this.frames = new FrameTable(this.mem, this.mem.region('frames', plan.frames));
    const fifo = this.mem.region('fifo', plan.fifo);
    this.passedAt = fifo.at + config.nics.length * TX_FIFO_BYTES;
    const rng = new Rng(config.seed);
    const stamps = new RxStamps(this.mem, this.mem.region('stamps', plan.stamps));
    this.stages = config.stages === true ? new StageTimes(config.sender) : null;
    stamps.stages = this.stages;
    const chip = new CoherentMemory(this.mem, this.mem.region('chip', plan.chip));
    const kernel = new CoherentMemory(this.mem, this.mem.region('kernel', plan.kernel));
    const walks = new CoherentMemory(this.mem, this.mem.region('walks', plan.walks));
    const bus = new Bus();
    const costs = machineCosts(config);
    const clocks = kernel.alloc(config.cpus * CLOCK_BYTES);
    this.cpus = Array.from({ length: config.cpus }, (_, id) =>
      config.breakdown === true
        ? new CountingCpu(id, costs)
        : new Cpu(id, costs, { mem: this.mem, at: clocks + id * CLOCK_BYTES }),
    );
    for (const cpu of this.cpus) {
      cpu.coolsAfter = nsToPs(config.profile.coolsNs);
      const { idleStates } = config.profile;
      if (idleStates.length > 0)
        cpu.idleStates = new IdleStates(idleStates, PS_PER_SEC / config.hz);
    }
    this.net = new Net(
      {
        cpus: this.cpus,
        mem: this.mem,
        pages: this.pages,
        kernel,
        watch: this.watch,
        faults: this.faults,
        irqs: this.irqs,
        clock: this.clock,
      },
      {
        hz: config.hz,
        netdevBudget: config.netdevBudget,
        netdevBudgetUsecs: config.netdevBudgetUsecs,
        stackOn: config.stack,
        framesToCache: config.profile.kernel.framesToCache === 1,
        deferToKsoftirqd: config.profile.kernel.deferToKsoftirqd === 1,
        cfs: config.profile.kernel.cfs === 1,
      },
    );
    if (config.tcDrop !== undefined) this.net.ingress = tcDropRules(config.tcDrop);
    if (config.rawDrop !== undefined) this.net.preRouting = rawDropRules(config.rawDrop);
    softirqInit(this.net);
    this.settled = new Settled(this);
    this.net.timersRing = (at): void => this.settled.timerRings(at);
    this.xdp = new XdpKernel({
      mem: this.mem,
      watch: this.watch,
      random: rng.fork(),
      cpus: this.cpus,
      devices: this.net,
      bpf: {
        maps: this.mem.region('maps', plan.maps),
        stacks: this.mem.region('program stacks', plan.stacks),
      },
      redirects: this.mem.region('redirects', plan.redirects),
      hz: config.hz,
      bulkSize: config.profile.kernel.xmitFrames,
      redirectAtOnce: config.profile.kernel.redirectAtOnce === 1,
      clock: this.clock,
      isOver: (at) => this.isOver(at),
      pages: this.pages,
      irqs: this.irqs,
      upper: new XdpUpper(this.net, config.profile.kernel),
    });

    const hardware =
      pace?.(this.cpus) ?? (config.eager ? new EagerHardware(this.cpus) : new LazyHardware());
    this.scheduler = new Scheduler(this.cpus, this.clock, this.irqs, hardware);
    this.programRuns = new ProgramRuns(costs[OP_XDP_RUN]!);
    const { nic: nicTiming, pcie, moderation, strides } = config.profile;
    const timing = new NicTimes(nicTiming, pcie === null ? null : new PcieLink(pcie));
    this.nics = config.nics.map((nicConfig, number) => {
      const p5 = nicConfig.chip === 'p5';
      const parts = {
        p5,
        gathers: moderation === null,
        booksFrames: config.profile.memory !== null,
        mem: this.mem,
        watch: this.watch,
        faults: this.faults,
        stamps,
        irqs: this.irqs,
        frames: this.frames,
        timing,
        chip,
        records: this.mem.region(`records ${number}`, plan.records / config.nics.length),
        txFifo: fifo.at + number * TX_FIFO_BYTES,
        sink: this.wire,
      };
      const link = new Link(nicConfig.linkBps);
      const nic = new Nic(number, parts, link, nicConfig.queues, hardware);
      hardware.add(nic);
      const vectors = this.vectorsOf(nicConfig, number);
      const bp: Bnxt = bnxtInitOne(
        this.net,
        nicConfig.name,
        macOf(nicConfig.mac),
        {
          device: p5 ? BCM57508 : BCM57414,
          mem: this.mem,
          coherent,
          kernel,
          walks,
          bus,
          bar1: bus.attach(nic),
          hwrm: new Firmware(nic, vectors),
          vectors,
          xdp: this.xdp,
          stamps,
          clock: this.clock,
          faults: this.faults,
          watch: this.watch,
          rng: rng.fork(),
          cpus: this.cpus,
          moderation,
          strides,
          ...this.stagesOf(nic, vectors),
        },
        { ...nicConfig, weight: config.budget },
      );
      bnxtSetCoalesce(bp, nicConfig);
      if (nicConfig.steering !== undefined) steer(bp, nicConfig.steering);
      if (nicConfig.promisc) bp.dev.flags |= IFF_PROMISC;
      bp.dev.rpsCpus = this.rpsCpus(nicConfig);
      if (nicConfig.napi !== undefined) this.setNapis(bp.dev, nicConfig, nicConfig.napi);
      return { config: nicConfig, nic, vectors, bp };
    });
    this.apps =
      config.inet === undefined ? [] : this.buildApps(config.inet, plan.user, config.seed);
    const { samplePs } = config;
    this.timeline = samplePs === undefined ? null : new Timeline(this, samplePs);
  }

  private stagesOf(nic: Nic, vectors: readonly IrqLine[]): Pick<BnxtPdev, 'rxStages'> {
    const times = this.stages;
    if (times === null) return {};
    return { rxStages: (rxr) => new QueueStages(times, nic, vectors[rxr.index]!, rxr) };
  }

  /** @throws RangeRefused when a CPU does not exist */
  private rpsCpus({ name, rps = [] }: NicConfig): readonly number[] {
    const id = rps.find((cpu) => this.cpus[cpu] === undefined);
    if (id !== undefined)
      throw new RangeRefused(`${name} rps`, id, `CPU 0 to ${this.cpus.length - 1}`);
    return rps;
  }

  /** As `netdev napi-set` does, before the device is opened. @throws RangeRefused */
  private setNapis(dev: NetDevice, { name, queues }: NicConfig, napi: NicNapi): void {
    netdevSetNapi(dev, {
      groFlushTimeout: checkedPs(`${name} gro-flush-timeout`, napi.groFlushTimeoutNs * PS_PER_NS),
      deferHardIrqs: napi.deferHardIrqs,
      irqSuspendTimeout: checkedPs(
        `${name} irq-suspend-timeout`,
        napi.irqSuspendTimeoutNs * PS_PER_NS,
      ),
    });
    const { threadCpus } = napi;
    if (threadCpus.length === 0) return;
    for (let i = 0; i < queues * 2; i++) {
      const id = threadCpus[(i % queues) % threadCpus.length]!;
      if (this.cpus[id] === undefined)
        throw new RangeRefused(`${name} thread-cpus`, id, `CPU 0 to ${this.cpus.length - 1}`);
      napiConfigOf(dev, i).threadCpu = id;
    }
  }

  /** The IP protocols, and the applications that listen. */
  private buildApps(config: InetConfig, bytes: number, seed: number): UdpApp[] {
    const devices = this.nics.map(({ bp }) => bp.dev);
    const inet = buildInet(this.net, devices, config);
    const user = this.mem.region('user', bytes);
    let at = user.at;
    return config.apps.flatMap((app) => {
      const allowed = app.cpus.length === 0 ? [app.cpu] : app.cpus;
      const cpus = allowed.map((id) => this.cpuOfApp(app.kind, id));
      const group: UdpSock[] | null = app.threads === 1 ? null : [];
      return Array.from({ length: app.threads }, (_, index) => {
        const rng = new Rng(seed ^ Math.imul(app.udp, APP_STREAM) ^ index);
        const buffer = at;
        at += APP_BUFFER_BYTES;
        return new UdpApp(app, inet, cpus, { index, group }, buffer, rng, this.stages);
      });
    });
  }

  private cpuOfApp(kind: string, id: number): Cpu {
    const cpu = this.cpus[id];
    if (cpu !== undefined) return cpu;
    throw new RangeRefused(`app ${kind} cpu`, id, `0 to ${this.cpus.length - 1}`);
  }

  /** Two vectors per queue: the second half serves the stack's TX rings while XDP has the first. */
  private vectorsOf(nic: NicConfig, number: number): IrqLine[] {
    if (nic.irqAffinity.length === 0)
      throw new RangeRefused(`${nic.name} irq-affinity`, 'nothing', 'a CPU or more');
    return Array.from({ length: nic.queues * 2 }, (_, i) => {
      const id = nic.irqAffinity[(i % nic.queues) % nic.irqAffinity.length]!;
      const cpu = this.cpus[id];
      if (cpu === undefined) {
        throw new RangeRefused(`${nic.name} irq-affinity`, id, `CPU 0 to ${this.cpus.length - 1}`);
      }
      return new IrqLine(`${nic.name}-${i}`, cpu, number * VECTORS_MAX + i);
    });
  }

  /**
   * `ip link set dev … xdpdrv`: native mode, on NIC number `nic`; its devmaps' key 0 leads to the next NIC.
   *
   * @throws RangeRefused with the driver's own words when it refuses
   */
  attachXdp(nic: number, program: XdpProgramSpec | null): void {
    this.cpus[0]!.idleUntil(this.ranTo);
    const { dev } = this.nics[nic]!.bp;
    const prog = program === null ? null : program.load(this.xdp);
    const next = this.nics[(nic + 1) % this.nics.length]!.bp.dev;
    if (prog !== null && next !== dev)
      for (const map of Object.values(prog.maps)) if (map instanceof DevMap) map.update(0, next);
    const extack = new NetlinkExtAck();
    const rc = devXdpAttach(dev, prog, 0, extack);
    const gone = rc === 0 ? this.attached[nic] : prog;
    if (rc === 0) {
      this.attached[nic] = prog;
      this.programRuns.attached(this.nics[nic]!.bp, prog);
    }
    for (const map of Object.values(gone?.maps ?? {})) map.release();
    if (rc !== 0) throw new RangeRefused(`xdp on ${dev.name}`, program?.name ?? 'none', extack.msg);
  }

  /** Maps of the program on NIC number `nic`, by name. */
  mapsOf(nic: number): Readonly<Record<string, BpfMap>> {
    return this.attached[nic]?.maps ?? {};
  }

  /** What `attachXdp` brought to life on NIC number `nic`. */
  programOf(nic: number): XdpProg | null {
    return this.attached[nic] ?? null;
  }

  /** `faults.arm`, from the present on: what NICs have done by then has passed the point. */
  armFault(point: string, after?: number, every?: number): void {
    const { present } = this;
    for (const { nic } of this.nics) nic.settleAll(present);
    this.faults.arm(point, after, every);
  }

  /** Index of the device of that name. */
  ifindexOf(name: string): number | undefined {
    return this.nics.find(({ bp }) => bp.dev.name === name)?.bp.dev.ifindex;
  }

  /** Frames from `source` arrive at NIC number `nic`. */
  offer(nic: number, source: ArrivalSource): void {
    this.nics[nic]!.nic.port.offer(source);
  }

  /** Clients ask the first NIC until what `config` wants is done and answered. */
  runClients(
    config: ClientsConfig,
    rng: Rng,
    onRound?: (sent: number, nowPs: Ps) => void,
  ): ClientBooks {
    const clients = new Clients(this, config, rng);
    clients.run(onRound);
    return clients;
  }

  /** Every frame that a NIC has put on the wire; `port` is the NIC's number. */
  watchWire(sink: WireSink): void {
    this.wire.sinks.push(sink);
  }

  /** Every frame that reached the stack, its stripped tag put back. */
  watchPassed(sink: WireSink): void {
    const devices = this.nics.map(({ bp }) => bp.dev);
    this.net.addTap(new PassedFrames(this.mem, devices, sink, this.passedAt, TX_FIFO_BYTES));
  }

  /** `ip link add … type veth`: a pair of devices, both up; their books are in the result. */
  addVeth(first: VethEnd, second: VethEnd): [NetDevice, NetDevice] {
    const pair = vethNewlink(this.net, first, second);
    for (const dev of pair) devOpen(dev);
    this.veths.push(...pair);
    return pair;
  }

  /** `ip link set up`, each device that is not. The machine's clock starts when they are up. */
  open(): void {
    const up = (): void => {
      for (const { bp } of this.nics) bugOn(devOpen(bp.dev) !== 0, 'a device does not open');
    };
    this.cpus.reduce((work, cpu) => () => cpu.timeless(work), up)();
  }

  /**
   * Call `make` at `atPs` of virtual time, from outside the machine's CPUs: to write to a map, to
   * exchange a program, to arm a fault. A poll that is under way at that time is over before it.
   * What `make` does to maps takes no time.
   *
   * @throws RangeRefused for a time that is over
   */
  at(atPs: Ps, make: () => void): void {
    this.changes.plan(atPs, make, this.ranTo);
  }

  /** Run until nothing is left to do, at most until `untilPs`; devices are opened first. */
  run(untilPs: Ps): void {
    this.open();
    const end = Math.min(untilPs, END_OF_TIME - 1);
    for (
      let next = this.changes.takeUntil(end);
      next !== null;
      next = this.changes.takeUntil(end)
    ) {
      this.scheduler.run(next.at);
      this.ranTo = next.at;
      next.make();
    }
    this.toTheEnd = untilPs >= END_OF_TIME;
    this.scheduler.run(end);
    this.toTheEnd = false;
    if (untilPs < END_OF_TIME) this.ranTo = untilPs;
    else for (const { nic } of this.nics) nic.settleAll(END_OF_TIME - 1);
    if (this.config.check && !this.mem.nullPageIsZero())
      throw new BugError('something wrote to the null page');
  }

  /** No CPU is ahead of it, and the machine has been run to it. */
  get present(): Ps {
    return this.cpus.reduce((at, cpu) => Math.max(at, cpu.now), this.ranTo);
  }

  /** Nothing is under way: the next thing to happen is a timer's, a frame's from outside or a change. */
  get idle(): boolean {
    return (
      this.cpus.every((cpu) => cpu.work === null) &&
      this.nics.every(({ nic }) => nic.nextAt() === Infinity)
    );
  }

  /** It runs until nothing is left to do, and at `at` only those who look on have anything to come. */
  private isOver(at: Ps): boolean {
    if (!this.toTheEnd || this.clock.nextKeptAt() < Infinity) return false;
    for (const { nic } of this.nics) nic.settleAll(at);
    return this.idle && this.irqs.nextAt() === Infinity;
  }

  /** Nothing happens before this, unless a frame arrives; its present while something is under way. */
  quietUntil(): Ps {
    if (!this.idle) return this.present;
    return Math.min(this.irqs.nextAt(), this.clock.nextAt(), this.changes.nextAt());
  }

  /**
   * Between two calls of `run`: nothing happens before this, unless a frame arrives. While a CPU is at
   * work, or ahead, it is where the machine has been run to: what a CPU that is ahead has looked at,
   * each pace has settled as far as suits it.
   */
  pausedUntil(): Ps {
    const { ranTo } = this;
    if (this.present > ranTo || this.cpus.some((cpu) => cpu.work !== null)) return ranTo;
    let at = Math.min(this.clock.nextKeptAt(), this.changes.nextAt());
    for (const { nic } of this.nics) {
      nic.settleAll(ranTo);
      at = Math.min(at, nic.nextAt());
    }
    return Math.min(at, this.irqs.nextAt());
  }

  /** `ip link set down`, all devices: what is still under way is lost, and counted. */
  close(): void {
    this.cpus[0]!.idleUntil(this.ranTo);
    for (const entry of this.xdp.cpuMapEntries) entry.drain();
    for (const dev of this.veths) devClose(dev);
    for (const { bp } of this.nics) devClose(bp.dev);
    for (const { sock } of this.apps) udpClose(sock, this.net.inet!, this.cpus[0]!);
    flushBacklog(this.net);
    this.net.inet?.flush(this.cpus[0]!);
    this.net.skbs.reap();
  }

  /** A part of the machine as the tools of its kernel would print it. */
  show(what: ShowName): string {
    return showMachine(this, what);
  }

  /** The books as they stand. */
  result(): MachineResult {
    return machineResult(this);
  }
}

function steer(bp: Bnxt, { rssKey, rssIndir, flowHash, ntuple }: NicSteering): void {
  bnxtSetRxfh(bp, rssKey, rssIndir);
  for (const [flow, ports] of flowHash) bnxtSrxfh(bp, flow, ports);
  for (const rule of ntuple) bnxtSrxclsrlins(bp, rule);
}

function macOf(mac: Uint8Array): { hi16: number; lo32: number } {
  const view = new DataView(mac.buffer, mac.byteOffset, 6);
  return { hi16: view.getUint16(0), lo32: view.getUint32(2) };
}

export const buildMachine = (config: MachineConfig, frameBytes: number): Machine =>
  new Machine(config, frameBytes);
export type { MachineConfig, NicConfig } from './machine/config.ts';
