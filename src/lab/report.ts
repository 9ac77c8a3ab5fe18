/**
 * What a run says of itself: the JSON document of `ringscope run --json`, and how it is computed.
 *
 * The report is plain data; tables and pages read it and compute nothing of their own. Apart from
 * `wallMs` it is the same, byte for byte, for the same options and seed. The shape of the document
 * takes half of the file, and stands beside what fills it.
 */
import type { Ps } from '../host/clock.ts';
import { PS_PER_NS, PS_PER_SEC } from '../host/clock.ts';
import { CTX_APP, CTX_HARDIRQ, CTX_KSOFTIRQD, CTX_NAPI_THREAD, CTX_SOFTIRQ } from '../host/cpu.ts';
import { Fates, LOSS_CAUSES } from '../host/fates.ts';
import type { Finding, FoundIn } from './finding.ts';
import { findingsOf } from './findings.ts';
import type { RunAbout } from './runAbout.ts';
import type { Timeline } from '../machine/timeline.ts';
import type { ClientBooks } from '../machine/clients.ts';
import type { RingDim } from '../driver/bnxt/dim.ts';
import type { Histogram } from '../host/histogram.ts';
import type { StageTimes } from '../host/stages.ts';
import type { PagePoolStats } from '../stack/pagePoolStats.ts';
import type {
  MachineResult,
  NapiBooks,
  NicBooks,
  PageBooks,
  SocketBooks,
} from '../machine/result.ts';

const REPORT_VERSION = 1;

/** What a run leaves behind: the machine's books, and the time that the offer took. */
export interface RunResult extends MachineResult {
  /** When the last frame arrived; 0 without any. */
  readonly lastArrivalPs: Ps;
  /** Of a closed loop; null for an open one. */
  readonly clients: ClientBooks | null;
}

export interface PacketCounts {
  readonly offered: number;
  readonly received: number;
  readonly xdpDrop: number;
  readonly xdpAborted: number;
  readonly xdpTx: number;
  readonly xdpRedirect: number;
  readonly xdpPass: number;
  readonly noProgram: number;
  readonly toStack: number;
  /** Received packets that the stack sent on; of `stackTx` from then on. */
  readonly forwarded: number;
  readonly stackTx: number;
  readonly onWire: number;
  readonly toOther: number;
  /** Copies that broadcasts made. */
  readonly xdpCloned: number;
  /** Frames that threads of cpumaps took into the stack. */
  readonly cpumapPass: number;
  /** By cause, those that happened; their sum is every packet that is lost. */
  readonly lost: Readonly<Record<string, number>>;
}

interface LatencyReport {
  readonly count: number;
  readonly mean: number;
  readonly p50: number;
  readonly p90: number;
  readonly p99: number;
  readonly p999: number;
  readonly max: number;
}

/** Closed-loop clients; `roundTripNs` from a request's first bit to its answer's last. */
interface ClientsReport {
  readonly transactions: number;
  readonly perSecond: number;
  readonly sent: number;
  readonly timeouts: number;
  readonly roundTripNs: LatencyReport;
}

interface TimelineReport {
  readonly stepNs: number;
  readonly queues: readonly string[];
  readonly samples: readonly {
    readonly atNs: number;
    readonly offered: number;
    readonly received: number;
    readonly lost: Readonly<Record<string, number>>;
    readonly buffers: readonly number[];
  }[];
}

/** Counters of page_pool, and what they come to. */
interface PoolReport {
  readonly allocFast: number;
  readonly allocSlow: number;
  readonly allocEmpty: number;
  readonly allocRefill: number;
  readonly recycleCached: number;
  readonly recycleCacheFull: number;
  readonly recycleRing: number;
  readonly recycleRingFull: number;
  /** Of all pages taken, those that lay in the cache. */
  readonly fastPct: number;
  /** Of all pages that came back, those that went straight into the cache. */
  readonly cachedPct: number;
}

interface NapiReport {
  readonly polls: number;
  readonly fullPolls: number;
  readonly packetsPerPoll: number;
  readonly irqs: number;
  readonly packetsPerIrq: number;
  /** Full polls in a row, at most: 16 and more often end in a ring without buffers. */
  readonly longestFullRun: number;
  readonly longestPollNs: number;
  /** From being scheduled to the poll, at most: what softirqs and threads had to wait. */
  readonly longestWaitNs: number;
  /** Interrupts of NAPI timers; polls of applications, and packets that those received. */
  readonly timerIrqs: number;
  readonly busyPolls: number;
  readonly busyPackets: number;
  /** Polls by the packets they received, those that happened. */
  readonly pollsByPackets: Readonly<Record<string, number>>;
  readonly timeSqueeze: number;
  /** Time squeezes for want of budget; the others ran out of time. */
  readonly budgetSqueeze: number;
  readonly endedBy: NapiBooks['endedBy'];
}

export interface QueueReport extends Omit<NapiReport, 'timeSqueeze' | 'budgetSqueeze'> {
  readonly nic: string;
  readonly queue: number;
  /** Where it is polled: its thread's CPU, or else that of its interrupt. */
  readonly cpu: number;
  readonly irqCpu: number;
  readonly packets: number;
  /** Of the packets that all queues of its NIC received. */
  readonly sharePct: number;
  /** Wire arrival to verdict done. */
  readonly latencyNs: LatencyReport;
  /** With `--adaptive-rx`, else null; of its TX ring where the NIC is moderated as mlx5 is. */
  readonly dim: DimReport | null;
  readonly txDim: DimReport | null;
}

/** What DIM did to a queue's ring. */
export interface DimReport {
  readonly profiles: readonly { readonly usecs: number; readonly frames: number }[];
  /** In force at the end; null: still what `--rx-usecs` and `--rx-frames` set. */
  readonly profile: number | null;
  /** Moves to a profile that waits longer, and back. */
  readonly up: number;
  readonly down: number;
  /** Shares of `settledNs`: with what is set, until the first move, and with each profile. */
  readonly asSetPct: number;
  readonly profilesPct: readonly number[];
}

export interface CpuReport {
  readonly id: number;
  readonly busyPct: number;
  readonly hardirqPct: number;
  readonly softirqPct: number;
  readonly ksoftirqdPct: number;
  readonly napiThreadPct: number;
  readonly appPct: number;
}

/** One operation of the cost profile. */
export interface CostReport {
  readonly op: string;
  readonly count: number;
  readonly ns: number;
  /** Of the time that all CPUs worked. */
  readonly pct: number;
}

/** One application's socket; `waitedNs` from its queue to the reader. */
export interface SocketReport extends Omit<SocketBooks, 'waited'> {
  readonly waitedNs: LatencyReport;
}

/** Left side minus right side of each conservation equation; all zero when a run adds up. */
interface Imbalance {
  readonly nic: number;
  readonly driver: number;
  readonly tx: number;
  readonly up: number;
}

interface ProgramReport {
  readonly id: number;
  readonly name: string;
  readonly nic: string;
  readonly runCnt: number;
  /** Virtual time. */
  readonly runTimeNs: number;
}

interface NicReport {
  readonly name: string;
  readonly packets: PacketCounts;
  readonly ethtool: Readonly<Record<string, number>>;
  /** Polls at whose end buffers went back to the NIC. */
  readonly rxDoorbellPolls: number;
}

interface PrintedLine {
  readonly cpu: number;
  readonly virtualNs: number;
  readonly text: string;
}

export interface RunReport {
  readonly version: number;
  readonly seed: number;
  readonly virtualNs: number;
  /** When the last packet was dealt with; timers alone (neighbours, fragments) may run on to `virtualNs`. */
  readonly settledNs: number;
  readonly wallMs: number;
  /** The four equations hold over all NICs together, and no page is leaked. */
  readonly conserved: boolean;
  readonly imbalance: Imbalance;
  readonly run: RunAbout;
  readonly packets: PacketCounts;
  readonly rates: {
    /** Over the time in which frames arrived. */
    readonly offeredPps: number;
    /** Over `settledNs`, until the last packet was dealt with: a backlog is never counted as throughput. */
    readonly receivedPps: number;
    readonly onWirePps: number;
  };
  /** From arrival on the wire until the verdict is done. */
  readonly latencyNs: LatencyReport;
  /** What `--clients` saw; null without them. */
  readonly clients: ClientsReport | null;
  /** Its parts, with `--stages`; those through which packets went. */
  readonly stagesNs: Readonly<Record<string, LatencyReport>>;
  /** With `--sample`, else null: what happened since the sample before, and free buffers by queue. */
  readonly timeline: TimelineReport | null;
  readonly napi: NapiReport;
  readonly queues: readonly QueueReport[];
  /** Shares of `settledNs`. */
  readonly cpus: readonly CpuReport[];
  /** Calls that sent redirected frames (xdp:xdp_devmap_xmit), and the frames in them. */
  readonly devmapXmits: MachineResult['devmapXmits'];
  /** With `--breakdown`: what each operation took over all CPUs, the most first. */
  readonly costs: readonly CostReport[];
  /** What the rings make of the last-level cache; 0 without a memory system in the profile. */
  readonly cache: MachineResult['cache'];
  readonly pages: PageBooks;
  /** Where the RX rings' page_pools found pages, and where pages came back to. */
  readonly pagePool: PoolReport;
  /** Of the first NIC, where all frames arrive; every NIC's are in `nics`. */
  readonly ethtool: Readonly<Record<string, number>>;
  readonly softnet: readonly (readonly number[])[];
  readonly nics: readonly NicReport[];
  /** Each program that was attached, as `bpftool prog` with statistics on. */
  readonly programs: readonly ProgramReport[];
  /** The sockets of applications. */
  readonly sockets: readonly SocketReport[];
  /** Counters of /proc/net/snmp, snmp6 and netstat by group, those that moved. */
  readonly snmp: Readonly<Record<string, Readonly<Record<string, number>>>>;
  /** Packets the stack dropped, received or about to be sent, by SKB_DROP_REASON_*. */
  readonly drops: Readonly<Record<string, number>>;
  /** Of them the stack's own packets that were dropped before a device had them, in no `lost`. */
  readonly unsent: Readonly<Record<string, number>>;
  /** The machine's kernel log: drivers' and the core's complaints, each kind once. */
  readonly log: readonly string[];
  /** What programs printed (`bpf_trace_printk`): how many lines, and the last 1,024. */
  readonly printed: { readonly count: number; readonly lines: readonly PrintedLine[] };
  /** What `--show` asked for, by its name: the text that the kernel's tools would print. */
  readonly shown: Readonly<Record<string, string>>;
  /** What this run shows, the worst first, with the options that would change it. */
  readonly findings: readonly Finding[];
  /** What a reader of this run should know, a sentence each. */
  readonly notes: readonly string[];
}

export interface ReportInput {
  readonly result: RunResult;
  readonly about: RunAbout;
  readonly seed: number;
  readonly wallMs: number;
  readonly shown?: Readonly<Record<string, string>>;
  readonly notes?: readonly string[];
}

/** Compute the report of a run that has drained. */
export function runReport({
  result,
  about,
  seed,
  wallMs,
  shown = {},
  notes = [],
}: ReportInput): RunReport {
  const { settled } = result;
  const sum = new Fates();
  for (const nic of result.nics) sum.add(nic.fates);
  const imbalance = sum.imbalance();
  const nics = result.nics.map(nicReport);
  const report: FoundIn = {
    version: REPORT_VERSION,
    seed,
    virtualNs: ns(result.virtualPs),
    settledNs: ns(settled.ps),
    wallMs,
    conserved: Object.values(imbalance).every((n) => n === 0) && result.pages.leaked === 0,
    imbalance,
    run: about,
    packets: packetCounts(sum),
    rates: {
      offeredPps: perSecond(sum.offered, result.lastArrivalPs),
      receivedPps: perSecond(sum.received, settled.ps),
      onWirePps: perSecond(settled.onWire, settled.ps),
    },
    latencyNs: latencyReport(result.latency),
    clients: result.clients === null ? null : clientsReport(result.clients),
    stagesNs: stagesReport(result.stages),
    timeline: result.timeline === null ? null : timelineReport(result.timeline),
    napi: {
      ...napiReport(result.napi),
      timeSqueeze: result.timeSqueeze,
      budgetSqueeze: result.budgetSqueeze,
    },
    queues: result.napi.map((napi) => queueReport(napi, result.napi, settled.ps)),
    cpus: result.cpus.map(({ id }, i) => cpuReport(id, settled.spent[i]!, settled.ps)),
    devmapXmits: result.devmapXmits,
    costs: costReports(result.costs),
    cache: {
      packetMissPct: rounded(result.cache.packetMissPct, 1000),
      countedMissPct: rounded(result.cache.countedMissPct, 1000),
      writeMissPct: rounded(result.cache.writeMissPct, 1000),
    },
    pages: result.pages,
    pagePool: poolReport(result.pool),
    ethtool: nics[0]?.ethtool ?? {},
    softnet: result.softnet,
    sockets: result.sockets.map(({ waited, ...books }) => ({
      ...books,
      waitedNs: latencyReport(waited),
    })),
    snmp: movedCounters(result.snmp),
    drops: result.drops,
    unsent: result.unsent,
    log: result.log,
    printed: {
      count: result.printed.count,
      lines: result.printed.lines.map(({ cpu, time, text }) => ({
        cpu,
        virtualNs: ns(time),
        text,
      })),
    },
    programs: result.programs.map(({ runTimePs, ...program }) => ({
      ...program,
      runTimeNs: ns(runTimePs),
    })),
    nics,
    shown,
    notes,
  };
  return { ...report, findings: findingsOf(report) };
}

function nicReport({ name, fates, ethtool, rxDoorbellPolls }: NicBooks): NicReport {
  return {
    name,
    packets: packetCounts(fates),
    ethtool: Object.fromEntries(ethtool),
    rxDoorbellPolls,
  };
}

/** Groups and counters of which something was counted. */
function movedCounters(snmp: MachineResult['snmp']): RunReport['snmp'] {
  const moved = Object.entries(snmp).map(([group, counters]) => [
    group,
    Object.fromEntries(Object.entries(counters).filter(([, n]) => n !== 0)),
  ]);
  return Object.fromEntries(moved.filter(([, counters]) => Object.keys(counters!).length > 0));
}

/** Causes of which something was lost. */
export function lostByCause(counts: ArrayLike<number>): Record<string, number> {
  const lost: Record<string, number> = {};
  LOSS_CAUSES.forEach(({ name }, i) => {
    if (counts[i]! !== 0) lost[name] = counts[i]!;
  });
  return lost;
}

export function packetCounts(fates: Fates): PacketCounts {
  return {
    offered: fates.offered,
    received: fates.received,
    xdpDrop: fates.xdpDrop,
    xdpAborted: fates.xdpAborted,
    xdpTx: fates.xdpTx,
    xdpRedirect: fates.xdpRedirect,
    xdpPass: fates.xdpPass,
    noProgram: fates.noProgram,
    toStack: fates.toStack,
    forwarded: fates.forwarded,
    stackTx: fates.stackTx,
    onWire: fates.onWire,
    toOther: fates.toOther,
    xdpCloned: fates.xdpCloned,
    cpumapPass: fates.cpumapPass,
    lost: lostByCause(fates.lost),
  };
}

/** Whole packets per second; 0 where no time has passed. */
const perSecond = (packets: number, ps: Ps): number =>
  ps > 0 ? Math.round((packets / ps) * PS_PER_SEC) : 0;

const ns = (ps: Ps): number => Math.round(ps / PS_PER_NS);

function latencyReport(histogram: Histogram): LatencyReport {
  const at = (share: number): number => ns(histogram.quantilePs(share));
  return {
    count: histogram.count,
    mean: ns(histogram.meanPs()),
    p50: at(0.5),
    p90: at(0.9),
    p99: at(0.99),
    p999: at(0.999),
    max: ns(histogram.maxPs),
  };
}

const clientsReport = (books: ClientBooks): ClientsReport => ({
  transactions: books.transactions,
  perSecond: perSecond(books.transactions, books.lastAnswerPs),
  sent: books.sent,
  timeouts: books.timeouts,
  roundTripNs: latencyReport(books.roundTrip),
});

const timelineReport = ({ stepPs, queues, samples }: Timeline): TimelineReport => ({
  stepNs: ns(stepPs),
  queues,
  samples: samples.map(({ at, offered, received, lost, buffers }) => ({
    atNs: ns(at),
    offered,
    received,
    lost: lostByCause(lost),
    buffers,
  })),
});

function stagesReport(stages: StageTimes | null): RunReport['stagesNs'] {
  const passed = (stages?.histograms() ?? []).filter(([, histogram]) => histogram.count > 0);
  return Object.fromEntries(passed.map(([name, histogram]) => [name, latencyReport(histogram)]));
}

const percentOf = (part: number, whole: number): number =>
  whole === 0 ? 0 : rounded((part / whole) * 100, 100);

function poolReport(pool: PagePoolStats): PoolReport {
  const { allocFast, allocSlow, allocEmpty, allocRefill } = pool;
  const { recycleCached, recycleCacheFull, recycleRing, recycleRingFull } = pool;
  const taken = allocFast + allocSlow;
  const returned = recycleCached + recycleRing + recycleRingFull;
  return {
    allocFast,
    allocSlow,
    allocEmpty,
    allocRefill,
    recycleCached,
    recycleCacheFull,
    recycleRing,
    recycleRingFull,
    fastPct: percentOf(allocFast, taken),
    cachedPct: percentOf(recycleCached, returned),
  };
}

function napiReport(all: readonly NapiBooks[]): Omit<NapiReport, 'timeSqueeze' | 'budgetSqueeze'> {
  const total = (of: (napi: NapiBooks) => number): number =>
    all.reduce((sum, napi) => sum + of(napi), 0);
  const polls = total((n) => n.polls);
  return {
    polls,
    fullPolls: total((n) => n.fullPolls),
    packetsPerPoll: perPoll(
      total((n) => n.packets),
      polls,
    ),
    irqs: total((n) => n.irqs),
    packetsPerIrq: perPoll(
      total((n) => n.packets),
      total((n) => n.irqs),
    ),
    longestFullRun: Math.max(0, ...all.map((n) => n.longestFullRun)),
    longestPollNs: ns(Math.max(0, ...all.map((n) => n.longestPoll))),
    longestWaitNs: ns(Math.max(0, ...all.map((n) => n.longestWait))),
    timerIrqs: total((n) => n.timerIrqs),
    busyPolls: total((n) => n.busyPolls),
    busyPackets: total((n) => n.busyPackets),
    pollsByPackets: pollsByPackets(all),
    endedBy: {
      budget: total((n) => n.endedBy.budget),
      empty: total((n) => n.endedBy.empty),
      busy: total((n) => n.endedBy.busy),
      txWake: total((n) => n.endedBy.txWake),
    },
  };
}

function pollsByPackets(all: readonly NapiBooks[]): Record<string, number> {
  const sum: number[] = [];
  for (const { byWork } of all) byWork.forEach((n, work) => (sum[work] = (sum[work] ?? 0) + n));
  const happened = sum.map((n, work) => [String(work), n] as const).filter(([, n]) => n > 0);
  return Object.fromEntries(happened);
}

function queueReport(napi: NapiBooks, all: readonly NapiBooks[], whole: Ps): QueueReport {
  const beside = all.filter(({ nic }) => nic === napi.nic);
  const received = beside.reduce((sum, { packets }) => sum + packets, 0);
  return {
    nic: napi.nic,
    queue: napi.queue,
    cpu: napi.cpu,
    irqCpu: napi.irqCpu,
    packets: napi.packets,
    sharePct: percentOf(napi.packets, received),
    ...napiReport([napi]),
    latencyNs: latencyReport(napi.latency),
    dim: napi.dim === null ? null : dimReport(napi.dim, whole),
    txDim: napi.txDim === null ? null : dimReport(napi.txDim, whole),
  };
}

function dimReport({ profiles, profile, up, down, spent }: RingDim, whole: Ps): DimReport {
  const [asSetPct, ...profilesPct] = Array.from(spent, (ps) => percentOf(ps, whole));
  return {
    profiles: profiles.map(({ usec, pkts }) => ({ usecs: usec, frames: pkts })),
    ...{ profile, up, down, asSetPct: asSetPct!, profilesPct },
  };
}

const perPoll = (packets: number, polls: number): number =>
  polls === 0 ? 0 : rounded(packets / polls, 100);

/** Shares of the first `whole` of a run. */
function cpuReport(id: number, spent: Float64Array, whole: Ps): CpuReport {
  const share = (ps: Ps): number => percentOf(ps, whole);
  const hardirq = spent[CTX_HARDIRQ]!;
  const softirq = spent[CTX_SOFTIRQ]!;
  const ksoftirqd = spent[CTX_KSOFTIRQD]!;
  const napiThread = spent[CTX_NAPI_THREAD]!;
  const app = spent[CTX_APP]!;
  return {
    id,
    busyPct: share(hardirq + softirq + ksoftirqd + napiThread + app),
    hardirqPct: share(hardirq),
    softirqPct: share(softirq),
    ksoftirqdPct: share(ksoftirqd),
    napiThreadPct: share(napiThread),
    appPct: share(app),
  };
}

function costReports(costs: MachineResult['costs']): CostReport[] {
  const total = costs.reduce((sum, { ps }) => sum + ps, 0);
  return costs
    .filter(({ count }) => count > 0)
    .toSorted((a, b) => b.ps - a.ps)
    .map(({ op, count, ps }) => ({
      ...{ op, count, ns: ns(ps) },
      pct: total > 0 ? rounded((ps / total) * 100, 100) : 0,
    }));
}

const rounded = (value: number, steps: number): number => Math.round(value * steps) / steps;
