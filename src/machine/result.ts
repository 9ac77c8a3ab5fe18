/** The books of a machine at one moment, read off its structures. */
import type { Ps } from '../host/clock.ts';
import { OP_NAMES } from '../host/cost.ts';
import type { Cpu } from '../host/cpu.ts';
import { CountingCpu } from '../host/cpu.ts';
import { SKB_DROP_REASONS } from '../host/dropReason.ts';
import { FAULT_IRQ_LOST } from '../host/faults.ts';
import { Fates, LOST_UNREAD_AT_CLOSE } from '../host/fates.ts';
import { Histogram } from '../host/histogram.ts';
import type { StageTimes } from '../host/stages.ts';
import { PagePoolStats } from '../stack/pagePoolStats.ts';
import type { HostAddr } from '../host/memory.ts';
import { PAGE_MASK } from '../host/memory.ts';
import type { Bnxt, BnxtRxRingInfo } from '../driver/bnxt/bnxt.ts';
import { NapiTotals } from '../driver/bnxt/bnxt.ts';
import type { RingDim } from '../driver/bnxt/dim.ts';
import { ringDim } from '../driver/bnxt/dim.ts';
import { swRxBdAt, swRxBdData } from '../driver/bnxt/swRxBd.ts';
import { unreadPackets } from '../driver/bnxt/open.ts';
import { RX_PROD_NONE, swTxBdAction, swTxBdAt, swTxBdRxProd } from '../driver/bnxt/swTxBd.ts';
import { bnxtGetEthtoolStats } from '../driver/bnxt/ethtool.ts';
import type { CacheBooks } from './costs.ts';
import { cacheBooks } from './costs.ts';
import type { ProgramBooks } from './programRuns.ts';
import type { Lane } from '../nic/lane.ts';
import type { SettledBooks } from './settled.ts';
import type { Machine, MachineNic } from '../machine.ts';
import type { Timeline } from './timeline.ts';
import type { UdpApp } from './udpApp.ts';
import type { NapiEndings } from '../stack/napiCounts.ts';
import type { SnmpGroup } from '../stack/snmp.ts';
import { snmpGroups } from '../stack/snmp.ts';
import { softnetStat } from '../stack/softnet.ts';
import type { TraceLine } from '../xdp/helpers/tracePipe.ts';
import { XDP_REDIRECT, XDP_TX } from '../xdp/uapi.ts';

export interface NicBooks {
  readonly name: string;
  readonly fates: Fates;
  /** Name and value, in the order in which `ethtool -S` prints them. */
  readonly ethtool: readonly (readonly [string, number])[];
  /** Polls at whose end buffers went back to the NIC. */
  readonly rxDoorbellPolls: number;
}

/** One NAPI instance. */
export interface NapiBooks {
  readonly nic: string;
  readonly queue: number;
  /**
   * Where it is polled: the CPU of the application that last busy-polled, where those polls received
   * the most; else its thread's, or that of its interrupt.
   */
  readonly cpu: number;
  readonly irqCpu: number;
  readonly polls: number;
  readonly fullPolls: number;
  readonly packets: number;
  readonly irqs: number;
  /** Polls by the packets they received. */
  readonly byWork: readonly number[];
  /** Full polls in a row, at most. */
  readonly longestFullRun: number;
  readonly longestPoll: Ps;
  /** From being scheduled to its poll, at most. */
  readonly longestWait: Ps;
  /** Polls that its timer brought about, and those of applications with what they received. */
  readonly timerIrqs: number;
  readonly busyPolls: number;
  readonly busyPackets: number;
  readonly endedBy: Readonly<NapiEndings>;
  /** Of its packets, from the wire to the verdict. */
  readonly latency: Histogram;
  /** What DIM did to its RX ring; null where it is off. */
  readonly dim: RingDim | null;
  readonly txDim: RingDim | null;
}

/** Pages by owner; `allocated` of them are not with the allocator. */
export interface PageBooks {
  readonly allocated: number;
  /** In page_pool caches and rings, and in slabs of small skb heads. */
  readonly pool: number;
  readonly rings: number;
  readonly inFlight: number;
  /** Allocated, and in nobody's hands. */
  readonly leaked: number;
}

/** One operation of the cost profile. */
export interface OpBooks {
  readonly op: string;
  readonly count: number;
  readonly ps: Ps;
}

export interface MachineResult {
  /** When the last CPU did its last work. */
  readonly virtualPs: Ps;
  /** The same without what only timers did at the end. */
  readonly settled: SettledBooks;
  readonly nics: readonly NicBooks[];
  /** Virtual devices; what they receive is offered to them alone. */
  readonly veths: readonly { readonly name: string; readonly fates: Fates }[];
  readonly napi: readonly NapiBooks[];
  readonly timeSqueeze: number;
  /** Squeezes for want of budget; the others ran out of time. */
  readonly budgetSqueeze: number;
  /**
   * Calls of ndo_xdp_xmit for redirects, the frames they were given, and how many of these were
   * sent by themselves for want of a map; the most that a call takes else.
   */
  readonly devmapXmits: {
    readonly calls: number;
    readonly frames: number;
    readonly single: number;
    readonly most: number;
  };
  readonly latency: Histogram;
  /** The ways of packets by stage; null unless asked for. */
  readonly stages: StageTimes | null;
  /** Rings and losses over time; null unless asked for. */
  readonly timeline: Timeline | null;
  /** What all pools of RX rings have counted. */
  readonly pool: PagePoolStats;
  readonly cpus: readonly { readonly id: number; readonly spent: Float64Array }[];
  /** What each operation took, over all CPUs; empty unless `breakdown` was asked for. */
  readonly costs: readonly OpBooks[];
  readonly cache: CacheBooks;
  readonly pages: PageBooks;
  /** One line of /proc/net/softnet_stat per CPU: 15 numbers. */
  readonly softnet: readonly (readonly number[])[];
  /** What the kernel has complained about, each kind once. */
  readonly log: readonly string[];
  /** What programs have printed: how many lines, and the last of them. */
  readonly printed: { readonly count: number; readonly lines: readonly TraceLine[] };
  readonly programs: readonly ProgramBooks[];
  readonly sockets: readonly SocketBooks[];
  /** Counters of /proc/net/snmp, snmp6 and netstat by group; empty without IP. */
  readonly snmp: Readonly<Record<string, SnmpGroup>>;
  /** Packets the stack dropped, received or about to be sent, by `SKB_DROP_REASON_*`. */
  readonly drops: Readonly<Record<string, number>>;
  /** Of them the stack's own packets that no device has had: they are in no NIC's books. */
  readonly unsent: Readonly<Record<string, number>>;
}

/** An application's socket. */
export interface SocketBooks {
  readonly kind: string;
  readonly port: number;
  /** Where its thread runs, or ran last. */
  readonly cpu: number;
  readonly received: number;
  readonly receivedBytes: number;
  /** Datagrams that found no room. */
  readonly drops: number;
  readonly unread: number;
  /** Most bytes of `truesize` that ever waited, and what was allowed. */
  readonly rmemMax: number;
  readonly rcvbuf: number;
  readonly sent: number;
  readonly sendErrors: number;
  /** Reads that returned an error: what ICMP said of a connected socket's datagrams. */
  readonly recvErrors: number;
  readonly wakeups: number;
  /** Wake-ups on another CPU than before. */
  readonly migrations: number;
  /** System calls that read. */
  readonly reads: number;
  /** From the socket's queue to the reader. */
  readonly waited: Histogram;
}

export function machineResult(machine: Machine): MachineResult {
  const { cpus, net, nics, veths, xdp } = machine;
  for (const cpu of cpus) cpu.enter(cpu.context);
  const settled = machine.settled.result();
  const napi = nics.flatMap((nic) => napiBooks(nic, settled.ps));
  const latency = new Histogram();
  for (const queue of napi) latency.add(queue.latency);
  return {
    virtualPs: Math.max(...cpus.map((cpu) => cpu.now)),
    settled,
    nics: nics.map((n, i) => ({
      name: n.config.name,
      fates: endFates(machine, n, i === 0 ? xdp.fates : null),
      ethtool: bnxtGetEthtoolStats(n.bp),
      rxDoorbellPolls: n.bp.rxDoorbellPolls,
    })),
    veths: veths.map(({ name, txFates, rxFates }) => {
      const fates = new Fates();
      fates.add(txFates);
      fates.add(rxFates);
      return { name, fates };
    }),
    napi,
    timeSqueeze: net.softnet.reduce((sum, sd) => sum + sd.timeSqueeze, 0),
    budgetSqueeze: net.softnet.reduce((sum, sd) => sum + sd.budgetSqueeze, 0),
    devmapXmits: {
      ...{ calls: xdp.bulkXmits, frames: xdp.bulkFrames },
      ...{ single: xdp.singleFrames, most: xdp.bulkSize },
    },
    latency,
    stages: machine.stages,
    timeline: machine.timeline,
    pool: poolStats(machine),
    cpus,
    costs: opBooks(cpus),
    cache: cacheBooks(
      machine.config,
      meanLen(nics[0]!),
      sentShare(nicFates(nics[0]!, xdp.fates)),
      meanUnderWay(nics, settled.ps),
    ),
    pages: pageBooks(machine),
    softnet: net.softnet.map(softnetStat),
    log: net.dmesg.lines,
    printed: { count: xdp.bpf.tracePipe.printed, lines: xdp.bpf.tracePipe.lines },
    programs: machine.programRuns.books(),
    sockets: machine.apps.map(socketBooks),
    snmp: net.inet === null ? {} : snmpGroups(net.inet.mib),
    drops: byReason(net.skbs.drops),
    unsent: byReason(net.skbs.unsent),
  };
}

/** Reasons for which something was dropped. */
const byReason = (drops: Float64Array): Record<string, number> =>
  Object.fromEntries(
    SKB_DROP_REASONS.map(({ name }, i) => [name, drops[i]!] as const).filter(([, n]) => n > 0),
  );

/** Share of the frames received that XDP sent on. */
const sentShare = ({ received, xdpTx, xdpRedirect }: Fates): number =>
  received === 0 ? 0 : (xdpTx + xdpRedirect) / received;

/** XDP's frames between doorbell and completion, on the mean over the `ps` of the run (Little's law). */
const meanUnderWay = (nics: readonly MachineNic[], ps: Ps): number =>
  ps === 0 ? 0 : nics.reduce((sum, { nic }) => sum + nic.tx.underWayPs, 0) / ps;

/** Bytes of a received frame, on the mean. */
function meanLen({ nic }: MachineNic): number {
  let frames = 0;
  let bytes = 0;
  for (const { stats } of nic.port.lanes) {
    frames += stats.rxUcastPkts + stats.rxMcastPkts + stats.rxBcastPkts;
    bytes += stats.rxUcastBytes + stats.rxMcastBytes + stats.rxBcastBytes;
  }
  return frames === 0 ? 0 : bytes / frames;
}

function opBooks(cpus: readonly Cpu[]): OpBooks[] {
  const counting = cpus.filter((cpu) => cpu instanceof CountingCpu);
  if (counting.length === 0) return [];
  return OP_NAMES.map((op, i) => {
    const count = counting.reduce((sum, cpu) => sum + cpu.counts[i]!, 0);
    const ps = counting.reduce((sum, cpu) => sum + cpu.counts[i]! * cpu.costOf(i), 0);
    return { op, count, ps };
  });
}

const socketBooks = ({
  config,
  sock,
  task,
  waited,
  reads,
  sendErrors,
  recvErrors,
}: UdpApp): SocketBooks => ({
  kind: config.kind,
  port: sock.num,
  cpu: task.cpu.id,
  received: sock.received,
  receivedBytes: sock.receivedBytes,
  drops: sock.drops,
  unread: sock.receiveQueue.qlen,
  rmemMax: sock.rmemMax,
  rcvbuf: sock.rcvbuf,
  sent: sock.sent,
  sendErrors,
  recvErrors,
  wakeups: task.wakeups,
  migrations: task.migrations,
  reads,
  waited,
});

/**
 * Of all NICs together.
 *
 * @param fatesOf what a lane has counted; as of now, unless told otherwise
 */
export function allFates({ nics, xdp }: Machine, fatesOf?: (lane: Lane) => Fates): Fates {
  const sum = new Fates();
  nics.forEach((nic, i) => sum.add(nicFates(nic, i === 0 ? xdp.fates : null, fatesOf)));
  return sum;
}

function poolStats({ nics }: Machine): PagePoolStats {
  const sum = new PagePoolStats();
  for (const { bp } of nics) {
    sum.add(bp.poolStats);
    for (const rxr of bp.rxRing) sum.add(rxr.pagePool.stats);
  }
  return sum;
}

/** @param shared losses after a redirect left its NIC, which belong to no NIC alone */
export function nicFates(
  { nic, bp }: MachineNic,
  shared: Fates | null,
  fatesOf: (lane: Lane) => Fates = (lane) => lane.fates,
): Fates {
  const sum = new Fates();
  for (const lane of [...nic.port.lanes, nic.port.refused]) sum.add(fatesOf(lane));
  sum.add(nic.tx.fates);
  sum.add(bp.fates);
  sum.add(bp.dev.rxFates);
  sum.add(bp.dev.txFates);
  for (const rxr of bp.rxRing) sum.add(rxr.fates);
  for (const txr of bp.txRing) sum.add(txr.fates);
  if (shared !== null) sum.add(shared);
  return sum;
}

/** Where an interrupt was lost, what nobody has been called to read is booked as at close. */
function endFates({ faults }: Machine, nic: MachineNic, shared: Fates | null): Fates {
  const sum = nicFates(nic, shared);
  if (faults.fired[FAULT_IRQ_LOST]! > 0)
    for (const { cpr } of nic.bp.rxRing) sum.lost[LOST_UNREAD_AT_CLOSE]! += unreadPackets(cpr);
  return sum;
}

/** Over all opens, as interrupts are. NAPIs that serve no RX ring and never polled are left out. */
function napiBooks({ config, bp, vectors }: MachineNic, until: Ps): NapiBooks[] {
  return vectors
    .map((vector, queue) => ({ vector, queue, napi: napiTotals(bp, queue) }))
    .filter(({ queue, napi }) => queue < config.queues || napi.polls > 0)
    .map(({ vector, queue, napi }) => ({
      nic: config.name,
      queue,
      cpu:
        napi.busyPackets * 2 > napi.packets
          ? napi.busyCpu
          : (bp.dev.napiConfigs[queue]?.threadCpu ?? vector.cpu.id),
      irqCpu: vector.cpu.id,
      polls: napi.polls,
      fullPolls: napi.fullPolls,
      packets: napi.packets,
      irqs: vector.delivered,
      byWork: napi.byWork,
      longestFullRun: napi.longestFullRun,
      longestPoll: napi.longestPoll,
      longestWait: napi.longestWait,
      timerIrqs: napi.timerIrqs,
      busyPolls: napi.busyPolls,
      busyPackets: napi.busyPackets,
      endedBy: napi.endedBy,
      latency: latencyOf(bp, queue),
      dim: ringDim(bp, queue, 'rx', until),
      txDim: ringDim(bp, queue, 'tx', until),
    }));
}

/** Over all opens. */
function latencyOf(bp: Bnxt, queue: number): Histogram {
  const sum = new Histogram();
  for (const part of [bp.latency[queue], bp.rxRing[queue]?.xdpRxq.latency]) {
    if (part !== undefined) sum.add(part);
  }
  return sum;
}

function napiTotals(bp: Bnxt, index: number): NapiTotals {
  const sum = new NapiTotals();
  for (const part of [bp.napiTotals[index], bp.bnapi[index]?.napi]) {
    if (part !== undefined) sum.add(part);
  }
  return sum;
}

function pageBooks({ pages, nics, net, xdp }: Machine): PageBooks {
  const allocated = pages.total - pages.free;
  let pool = net.skbs.slabPages;
  const inRings = new Set<HostAddr>();
  let inFlight = 0;
  for (const { bp } of nics) {
    for (const rxr of bp.rxRing) {
      pool += rxr.pagePool.cachedPages + rxr.pagePool.ringPages;
      addRingPages(rxr, inRings);
    }
    inFlight += pagesOnTxRings(bp);
  }
  for (const { queued } of xdp.cpuMapEntries) inFlight += queued;
  for (const page of net.skbs.heldPages()) if (!inRings.has(page)) inFlight++;
  const rings = inRings.size;
  return { allocated, pool, rings, inFlight, leaked: allocated - pool - rings - inFlight };
}

/** Pages in RX slots, several of which may share one, and the page that buffers are being cut from. */
function addRingPages(rxr: BnxtRxRingInfo, pages: Set<HostAddr>): void {
  const { words, rxBufRing, rxRingMask, headPool } = rxr;
  for (let slot = 0; slot <= rxRingMask; slot++) {
    const data = swRxBdData(words, swRxBdAt(rxBufRing, slot));
    if (data !== 0) pages.add(data & PAGE_MASK);
  }
  if (headPool.fragPage !== 0) pages.add(headPool.fragPage);
}

/** Frames redirected here, and XDP_TX pages that stand in no RX slot as well. */
function pagesOnTxRings(bp: Bnxt): number {
  let frames = 0;
  for (const txr of bp.txRing) {
    if (txr.txqIndex >= 0) continue;
    const { words, xdpBufRing } = txr;
    for (let cons = txr.txCons; cons !== txr.txProd; cons = (cons + 1) & 0xffff) {
      const txBuf = swTxBdAt(xdpBufRing, cons & bp.txRingMask);
      const action = swTxBdAction(words, txBuf);
      const inNoSlot = swTxBdRxProd(words, txBuf) === RX_PROD_NONE;
      if (action === XDP_REDIRECT || (action === XDP_TX && inNoSlot)) frames++;
    }
  }
  return frames;
}
