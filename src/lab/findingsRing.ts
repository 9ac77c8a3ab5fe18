/**
 * Findings on rings: packets for which no buffer was free, or that nobody read, buffers that XDP_TX
 * holds back, full TX rings, and a bus that is full.
 *
 * A ring of n descriptors is empty after ⌈n / weight⌉ full polls during which frames come as fast as
 * the line brings them; Jesper Brouer's napi_monitor looks for 16, which is 1024 over 64.
 */
import { NAPI_POLL_WEIGHT } from '../stack/napiCounts.ts';
import type { Cure, Finding, FoundIn } from './finding.ts';
import { busiestPct, cure, lostBy, SATURATED_PCT } from './finding.ts';
import { count, percent, plural, share } from './format.ts';
import { moreQueues, overAllCpus, polledOn } from './cureCpus.ts';
import type { CpuReport, QueueReport } from './report.ts';

const MOST_RX_RING = 8191;
const MOST_TX_RING = 2047;
/** Packets of another queue on the same CPU, as a share of a queue's own, that are worth a move. */
const NEIGHBOUR = 0.1;
/** Of the polls that received, those that gave no buffers back: from here on it is told. */
const WITHHELD = 0.1;

/** The next larger ring whose descriptors fill whole pages. */
export const nextRing = (ring: number): number => 2 ** (32 - Math.clz32(ring + 1)) - 1;

export function ringFindings(report: FoundIn): Finding[] {
  return [
    ...ringOverflow(report),
    ...unread(report),
    ...doorbellWithheld(report),
    ...txRingFull(report),
    ...pcieFull(report),
  ];
}

function ringOverflow(report: FoundIn): Finding[] {
  const lost = lostBy(report, 'noBuffer');
  const worst = emptiest(report);
  if (lost === 0 || worst === null) return [];
  const { queue, discards } = worst;
  const { rxRing, budget } = report.run;
  const cpu = report.cpus[queue.cpu]!;
  const where = `${queue.nic}-${queue.queue}`;
  const some = discards === lost ? `all of them on ${where}` : `${count(discards)} on ${where}`;
  const polls = Math.ceil(rxRing / budget);
  const limit = cpu.busyPct >= SATURATED_PCT;
  const forgotten = !limit && isUnread(report);
  const lasts =
    rxRing < budget
      ? `Its ring of ${rxRing} holds less than one full poll of ${budget}.`
      : `Its ring of ${rxRing} lasts for ${plural(polls, 'full poll')}; it had ${count(queue.longestFullRun)} in a row.`;
  const says = [
    `${plural(lost, 'packet')} (${share(lost, report.packets.offered)}) found no free buffer, ${some}.`,
    lasts,
    limit
      ? `CPU ${cpu.id}, which polls it, is busy ${percent(cpu.busyPct, 1)} of the time: it is the limit.`
      : `CPU ${cpu.id}, which polls it, was busy ${percent(cpu.busyPct, 1)} of the time: ${forgotten ? 'in the end nobody told it to poll.' : 'it is quick enough, but not for bursts.'}`,
  ];
  const nic = report.nics.find(({ name }) => name === queue.nic);
  const sends = nic !== undefined && isWithheld(withheldPolls(report, nic));
  const burst = (): Cure[] =>
    forgotten
      ? []
      : [...(outlasted(report, queue) ? fullerPolls(report) : []), ...largerRing(report, sends)];
  const cures = limit ? lighterCpu(report, cpu, queue) : burst();
  return [{ id: 'ring-overflow', kind: 'loss', packets: lost, says: says.join(' '), cures }];
}

/** Not what goes with rings that are closed: whoever closes them knows. */
const isUnread = (report: FoundIn): boolean =>
  lostBy(report, 'unreadAtClose') > 0 && lostBy(report, 'deviceClosed') === 0;

function unread(report: FoundIn): Finding[] {
  const lost = lostBy(report, 'unreadAtClose');
  if (!isUnread(report)) return [];
  const says =
    `${plural(lost, 'packet')} (${share(lost, report.packets.offered)}) lay in completion rings that nobody had read ` +
    `at the end: a ring whose interrupt message is lost (fault irqLost) is polled by nothing else.`;
  return [{ id: 'ring-unread', kind: 'loss', packets: lost, says, cures: [] }];
}

/** @param sends its packets leave again, and would find a TX ring full that is shorter than theirs */
function largerRing({ run }: FoundIn, sends: boolean): Cure[] {
  const ring = nextRing(run.rxRing);
  if (ring > MOST_RX_RING) return [];
  const txRing = Math.min(ring, MOST_TX_RING);
  if (!sends || txRing <= run.settings.txRing)
    return [cure({ 'rx-ring': ring }, 'holds twice as many packets of a burst')];
  return [
    cure(
      { 'rx-ring': ring, 'tx-ring': txRing },
      'holds twice as many packets of a burst until they are sent',
    ),
  ];
}

/**
 * Packets came faster than they were polled for so long that half a ring more was received
 * meanwhile: then the speed of polls counts. A short burst at the line's speed outruns any poll.
 */
const outlasted = ({ run }: FoundIn, { longestFullRun }: QueueReport): boolean =>
  longestFullRun * run.budget >= run.rxRing * 1.5;

/** What a poll costs in itself is shared by few packets where the budget is small. */
const fullerPolls = ({ run }: FoundIn): Cure[] =>
  run.budget < NAPI_POLL_WEIGHT
    ? [cure({ budget: NAPI_POLL_WEIGHT }, 'spreads what a poll costs in itself over more packets')]
    : [];

function lighterCpu(report: FoundIn, cpu: CpuReport, queue: QueueReport): Cure[] {
  const { run, cpus, queues } = report;
  const cures = fullerPolls(report);
  const oneFlow = run.offer.flows === 1;
  const idle = cpus.filter(({ busyPct }) => busyPct < cpu.busyPct / 2);
  const alone = queues.every(
    (other) => other.cpu !== cpu.id || other.nic !== queue.nic || other === queue,
  );
  if (oneFlow)
    cures.push(
      cure({}, 'all packets are one flow, which stays on one queue: more queues do not help'),
    );
  else if (idle.length > 0 && run.queues < cpus.length)
    cures.push(
      cure(
        { ...moreQueues(run, cpus.length), ...overAllCpus(run, cpus.length, cpus.length) },
        `uses ${plural(idle.length, 'CPU')} that ${idle.length === 1 ? 'idles' : 'idle'}`,
      ),
    );
  else if (idle.length === 0 && run.queues * 2 <= 64 && cpus.length * 2 <= 64) {
    const all = { cpus: cpus.length * 2, queues: Math.max(run.queues, cpus.length) * 2 };
    cures.push(
      cure(
        {
          cpus: all.cpus,
          ...moreQueues(run, all.queues),
          ...overAllCpus(run, all.queues, all.cpus),
        },
        'has twice as many CPUs receive',
      ),
    );
  } else if (!alone && idle.length > 0) cures.push(...spreadOut(report, queue, idle));
  return cures;
}

/** A CPU's share of the queues, taken to CPUs that idle. */
function spreadOut(
  { run, cpus, queues }: FoundIn,
  worst: QueueReport,
  idle: readonly CpuReport[],
): Cure[] {
  const { threadCpus, irqAffinity } = run.settings;
  const given = threadCpus ?? irqAffinity;
  if (given !== null && new Set(given).size < cpus.length) {
    const all = cpus.map(({ id }) => id);
    return [cure(polledOn(run, all), 'gives each queue a CPU of its own, as far as there are any')];
  }
  // all CPUs have queues: what helps is another neighbour
  const own = queues.filter(({ nic, queue }) => nic === worst.nic && queue < run.queues);
  const shares = own.some(
    (other) =>
      other !== worst && other.cpu === worst.cpu && other.packets > worst.packets * NEIGHBOUR,
  );
  if (!shares || worst.queue >= run.queues) return [];
  const { id } = idle.toSorted((a, b) => a.busyPct - b.busyPct)[0]!;
  const list = own.map((queue) => (queue === worst ? id : queue.cpu));
  return [cure(polledOn(run, list), `has ${worst.nic}-${worst.queue} polled on CPU ${id}`)];
}

/** The queue that discarded the most, by `ethtool -S`. */
function emptiest({ nics, queues }: FoundIn): { queue: QueueReport; discards: number } | null {
  const all = queues.map((queue) => ({
    queue,
    discards:
      nics.find(({ name }) => name === queue.nic)?.ethtool[`[${queue.queue}]: rx_discards`] ?? 0,
  }));
  return all.toSorted((a, b) => b.discards - a.discards)[0] ?? null;
}

/**
 * Until XDP_TX frames are sent, their pages stand in RX slots that the NIC must not be told of, and
 * with them all slots behind: the ring is in effect smaller.
 */
function doorbellWithheld(report: FoundIn): Finding[] {
  if (lostBy(report, 'noBuffer') === 0) return [];
  return report.nics.flatMap((nic) => {
    const { name, packets } = nic;
    const polls = withheldPolls(report, nic);
    const { withheld, receiving } = polls;
    if (!isWithheld(polls) || (packets.lost['noBuffer'] ?? 0) === 0) return [];
    const says =
      `Buffers came back late: ${count(withheld)} of ${plural(receiving, 'poll')} of ${name} (${share(withheld, receiving, 1)}) ` +
      `ended without an RX doorbell. Frames of XDP_TX or of redirects were still on the XDP TX ring, and bnxt gives ` +
      `buffers back only once they are sent, so the ring lasts for less than its size.`;
    return [
      {
        id: 'doorbell-withheld',
        kind: 'delay',
        packets: 0,
        says,
        cures: largerRing(report, true),
      } as const,
    ];
  });
}

interface DoorbellPolls {
  /** Polls that received something. */
  readonly receiving: number;
  /** Of them, those that gave no buffers back. */
  readonly withheld: number;
}

function withheldPolls(
  { queues }: FoundIn,
  { name, rxDoorbellPolls }: FoundIn['nics'][number],
): DoorbellPolls {
  const own = queues.filter(({ nic }) => nic === name);
  const receiving = own.reduce((sum, q) => sum + q.polls - (q.pollsByPackets['0'] ?? 0), 0);
  return { receiving, withheld: Math.max(0, receiving - rxDoorbellPolls) };
}

const isWithheld = ({ receiving, withheld }: DoorbellPolls): boolean =>
  receiving > 0 && withheld >= receiving * WITHHELD;

function txRingFull(report: FoundIn): Finding[] {
  const { run } = report;
  const ring = Math.min(MOST_TX_RING, nextRing(run.settings.txRing));
  const cures =
    ring > run.settings.txRing
      ? [cure({ 'tx-ring': ring }, 'takes longer runs of frames to be sent')]
      : [];
  const tell = (cause: string, id: string, one: string, many: string): Finding[] => {
    const lost = lostBy(report, cause);
    if (lost === 0) return [];
    const says =
      `${count(lost)} ${lost === 1 ? one : many} (${share(lost, report.packets.offered)}) found no room in a TX ring of ${run.settings.txRing}: ` +
      `they were queued faster than the NIC sends, or than completions were taken.`;
    return [{ id, kind: 'loss', packets: lost, says, cures }];
  };
  return [
    ...tell('txRingFull', 'tx-ring-full', 'frame of XDP_TX', 'frames of XDP_TX'),
    ...tell('redirectQueueFull', 'redirect-queue-full', 'redirected frame', 'redirected frames'),
  ];
}

function pcieFull(report: FoundIn): Finding[] {
  const lost = lostBy(report, 'pcieBackpressure');
  if (lost === 0) return [];
  const says =
    `${plural(lost, 'packet')} (${share(lost, report.packets.offered)}) were lost because the PCIe link is full, not for want of ` +
    `buffers: the busiest CPU is busy ${percent(busiestPct(report), 1)} of the time. No ring and no budget helps.`;
  return [
    {
      id: 'pcie-full',
      kind: 'loss',
      packets: lost,
      says,
      cures: [cure({}, 'larger frames, less load, or a profile with more PCIe lanes')],
    },
  ];
}
