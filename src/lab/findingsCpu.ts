/**
 * Findings on CPUs: squeezed softirqs, long polls and waits, applications that starve, and CPUs that
 * get more than their share of flows.
 *
 * Limits of 2 ms for a poll and 4 ms for a wait are those of Jesper Brouer's latency scripts.
 */
import { usecsToJiffies } from '../stack/jiffies.ts';
import { NAPI_POLL_WEIGHT } from '../stack/napiCounts.ts';
import { allQueuesAlike, overAllCpus, polledOn } from './cureCpus.ts';
import type { Cure, Finding, FoundIn } from './finding.ts';
import { busiestPct, cure, lostInAll, SATURATED_PCT } from './finding.ts';
import { count, duration, percent, plural, share } from './format.ts';
import type { QueueReport, SocketReport } from './report.ts';

const LONG_POLL_NS = 2e6;
const LONG_WAIT_NS = 4e6;
/** Of the machine. */
const MOST_CPUS = 64;
const STARVED_KERNEL_PCT = 90;
const STARVED_APP_PCT = 5;
/** Fewer packets say nothing of how they spread. */
const FEW_PACKETS = 1000;
/** A queue with so many times its even share is told of. */
const SKEWED = 1.5;
/** A flow that makes up so much of its queue is what the queue is full of. */
const MOST_OF_QUEUE = 0.6;
const FLOWS_A_QUEUE = 4;

export function cpuFindings(report: FoundIn): Finding[] {
  return [
    ...starvedApps(report),
    ...timeSqueeze(report),
    ...longPoll(report),
    ...longWait(report),
    ...skewedQueues(report),
  ];
}

function timeSqueeze(report: FoundIn): Finding[] {
  const { timeSqueeze: all, budgetSqueeze: byBudget } = report.napi;
  if (all === 0) return [];
  const { netdevBudget, netdevBudgetUsecs, hz } = report.run.settings;
  const byTime = all - byBudget;
  const ticks = usecsToJiffies(netdevBudgetUsecs, hz);
  const limit = `${plural(ticks, 'tick')} of ${duration(1e9 / hz)}`;
  const causes =
    byTime === 0
      ? `netdev_budget (${netdevBudget} packets) was used up each time, the time (${limit}) never: more netdev_budget_usecs would change nothing.`
      : byBudget === 0
        ? `the time (netdev_budget_usecs ${netdevBudgetUsecs}: ${limit}) was over each time, with packets of netdev_budget left: more of that would change nothing.`
        : `${count(byBudget)} times netdev_budget (${netdevBudget} packets) was used up, ${count(byTime)} times the time was over (netdev_budget_usecs ${netdevBudgetUsecs}: ${limit}).`;
  const lost = lostInAll(report);
  const meaning =
    lost === 0
      ? 'Nothing was lost by it: a squeezed softirq goes on at once, or in ksoftirqd.'
      : busiestPct(report) >= SATURATED_PCT
        ? `A CPU is saturated, so larger limits lower this count and not the ${plural(lost, 'loss').replace('losss', 'losses')}.`
        : '';
  const more = cure({ 'netdev-budget': netdevBudget * 2 }, 'lets a softirq receive twice as much');
  const longer = cure(
    { 'netdev-budget-usecs': Math.floor((ticks * 2 * 1e6) / hz) },
    `lets a softirq run for ${plural(ticks * 2, 'tick')}`,
  );
  return [
    {
      id: byBudget >= byTime ? 'squeezed-by-budget' : 'squeezed-by-time',
      kind: lost === 0 ? 'note' : 'delay',
      packets: 0,
      says: `time_squeeze ${count(all)}: ${causes} ${meaning}`.trimEnd(),
      cures: byBudget >= byTime ? [more] : [longer],
    },
  ];
}

function longPoll(report: FoundIn): Finding[] {
  const worst = most(report.queues, ({ longestPollNs }) => longestPollNs);
  if (worst === undefined || worst.longestPollNs <= LONG_POLL_NS) return [];
  const { budget } = report.run;
  const each = worst.longestPollNs / budget;
  const says =
    `A poll of ${worst.nic}-${worst.queue} took ${duration(worst.longestPollNs)}, ${duration(each)} for each packet of a full one; ` +
    `nothing else of this CPU's softirqs runs meanwhile.`;
  const less = Math.max(1, Math.floor((budget * LONG_POLL_NS) / worst.longestPollNs));
  const cures = less < budget ? [cure({ budget: less }, 'ends polls before 2 ms are over')] : [];
  return [{ id: 'long-poll', kind: 'delay', packets: 0, says, cures }];
}

function longWait(report: FoundIn): Finding[] {
  const worst = most(report.queues, ({ longestWaitNs }) => longestWaitNs);
  if (worst === undefined || worst.longestWaitNs <= LONG_WAIT_NS) return [];
  const cpu = report.cpus[worst.cpu]!;
  const app = report.sockets.find((socket) => socket.cpu === cpu.id);
  const { threaded } = report.run.settings;
  const poller = threaded ? "NAPI's thread" : 'ksoftirqd';
  const behind =
    app === undefined
      ? `CPU ${cpu.id} was busy ${percent(cpu.busyPct, 1)} of the time, and other NAPIs were polled first.`
      : `${poller} shares CPU ${cpu.id} with ${app.kind}:${app.port}, a slice for each in turn.`;
  const says = `${worst.nic}-${worst.queue} was scheduled and had to wait ${duration(worst.longestWaitNs)} for its poll. ${behind}`;
  const cures =
    app === undefined
      ? lessBefore(report, worst)
      : moveApp(report, app, `leaves CPU ${cpu.id} to the NIC`);
  return [{ id: 'softirq-wait', kind: 'delay', packets: 0, says, cures }];
}

/** Where other NAPIs of the CPU make one wait: CPUs that have none, or shorter turns. */
function lessBefore({ cpus, queues, run }: FoundIn, { cpu, nic }: QueueReport): Cure[] {
  const idle = cpus.some(({ id }) => id !== cpu && queues.every((other) => other.cpu !== id));
  const own = queues.filter((queue) => queue.nic === nic).length;
  const why = 'has fewer NAPIs share a CPU';
  const affinity = Array.from({ length: own }, (_, i) => i % cpus.length);
  const cures: Cure[] = [];
  const twice = cpus.length * 2;
  if (idle) cures.push(cure(polledOn(run, affinity), why));
  else if (own > cpus.length && twice <= MOST_CPUS)
    cures.push(cure({ cpus: twice, ...overAllCpus(run, own, twice) }, why));
  if (run.budget > NAPI_POLL_WEIGHT)
    cures.push(cure({ budget: NAPI_POLL_WEIGHT }, 'gives each NAPI shorter turns'));
  return cures;
}

function starvedApps(report: FoundIn): Finding[] {
  return report.sockets.flatMap((socket): Finding[] => {
    const { kind, port, received, drops, unread } = socket;
    const cpu = report.cpus[socket.cpu]!;
    const arrived = received + drops + unread;
    if (drops === 0) return [];
    const kernelPct = cpu.hardirqPct + cpu.softirqPct + cpu.ksoftirqdPct + cpu.napiThreadPct;
    const name = `${kind}:${port}`;
    const refused = `${count(drops)} of ${plural(arrived, 'datagram')} found no room in its socket`;
    if (kernelPct >= STARVED_KERNEL_PCT && cpu.appPct < STARVED_APP_PCT) {
      const says =
        `Receive livelock: ${name} shares CPU ${cpu.id} with the NIC, which takes ${percent(kernelPct, 1)} of it and leaves ` +
        `${percent(cpu.appPct, 1)}; ${refused}. What is received is thrown away.`;
      const cures = [
        ...moveApp(report, socket, 'lets it run while packets arrive'),
        ...threadNapi(report, socket),
      ];
      return [{ id: 'livelock', kind: 'loss', packets: drops, says, cures }];
    }
    const slow = cpu.appPct + kernelPct >= SATURATED_PCT;
    const says =
      `${name}: ${refused} (rcvbuf ${count(socket.rcvbuf)} bytes). ` +
      (slow
        ? `CPU ${cpu.id} is busy ${percent(cpu.busyPct, 1)} of the time, ${percent(cpu.appPct, 1)} with the application: it is the limit.`
        : `CPU ${cpu.id} is busy ${percent(cpu.busyPct, 1)} of the time: they came in bursts.`);
    const cures =
      slow && kernelPct > STARVED_APP_PCT
        ? moveApp(report, socket, 'gives it a CPU of its own')
        : [
            cure(
              {},
              slow
                ? 'less work for each datagram, or less load'
                : "a larger rcvbuf in a scenario's apps",
            ),
          ];
    return [{ id: 'socket-full', kind: 'loss', packets: drops, says, cures }];
  });
}

/** To the CPU with the least to do, or to one more; who may wake on several is kept off this one. */
function moveApp(report: FoundIn, socket: SocketReport, why: string): Cure[] {
  const { cpus } = report;
  const { appCpus, appsPlaced } = report.run.settings;
  if (appsPlaced) return [cure({}, `another cpu for it in the scenario's apps ${why}`)];
  if (appCpus !== null) {
    const rest = appCpus.filter((id) => id !== socket.cpu);
    return rest.length === 0 ? [] : [cure({ 'app-cpus': rest.join(',') }, why)];
  }
  const others = cpus.filter(({ id }) => id !== socket.cpu);
  const idlest = most(others, ({ busyPct }) => -busyPct);
  if (idlest !== undefined && idlest.busyPct < SATURATED_PCT / 2)
    return [cure({ 'app-cpu': idlest.id }, why)];
  const id = cpus.length;
  if (id >= MOST_CPUS) return [];
  const { queues, settings } = report.run;
  const before = cpus.slice(0, queues).map((cpu) => cpu.id);
  const irqs = settings.irqAffinity === null ? { 'irq-affinity': before.join(',') } : {};
  return [cure({ cpus: id + 1, ...irqs, 'app-cpu': id }, why)];
}

function threadNapi(report: FoundIn, { cpu }: SocketReport): Cure[] {
  if (report.run.settings.threaded) return [];
  const other = report.cpus.find(({ id, busyPct }) => id !== cpu && busyPct < SATURATED_PCT / 2);
  if (other === undefined) return [];
  return [cure({ threaded: 'on', 'thread-cpus': other.id }, 'polls in a thread, on another CPU')];
}

function skewedQueues(report: FoundIn): Finding[] {
  const { run, queues } = report;
  const first = queues.filter(({ nic, queue }) => nic === queues[0]?.nic && queue < run.queues);
  const all = first.reduce((sum, { packets }) => sum + packets, 0);
  const worst = most(first, ({ packets }) => packets);
  if (worst === undefined || first.length < 2 || all < FEW_PACKETS) return [];
  const even = all / first.length;
  if (worst.packets < even * SKEWED) return [];
  const { flows, topFlowPct } = run.offer;
  const where = `${worst.nic}-${worst.queue}`;
  const cpu = report.cpus[worst.cpu]!;
  const least = Math.min(...first.map(({ packets }) => packets));
  const spread =
    `${where} got ${share(worst.packets, all, 1)} of all packets and the least busy queue ${share(least, all, 1)}, ` +
    `where ${share(1, first.length, 1)} would be even; its CPU ${cpu.id} is busy ${percent(cpu.busyPct, 1)} of the time.`;
  const kind = cpu.busyPct >= SATURATED_PCT && lostInAll(report) > 0 ? 'delay' : 'note';
  if (topFlowPct / 100 >= (worst.packets / all) * MOST_OF_QUEUE) {
    const says = `${spread} One flow alone is ${percent(topFlowPct, 1)} of the load, and RSS does not divide a flow.`;
    const cures = [
      cure(
        {},
        'steer the flow to a queue of its own with --ntuple and the rest to others with --rss-indir',
      ),
      ...(run.xdp === 'cpu_spreader'
        ? []
        : [
            cure(
              {},
              "a cpumap program (examples/bpf/cpu_spreader.o) takes the stack's work to other CPUs",
            ),
          ]),
    ];
    return [{ id: 'elephant', kind, packets: 0, says, cures }];
  }
  const few = flows < first.length * FLOWS_A_QUEUE;
  const says = few
    ? `${spread} There are ${plural(flows, 'flow')}: too few to spread evenly over ${first.length} queues.`
    : `${spread} The largest flow is ${percent(topFlowPct, 1)} of the load: hash and indirection table spread it like this.`;
  const alike = run.settings.queuesAlike
    ? cure({}, 'another --rss-key spreads these flows otherwise')
    : cure(allQueuesAlike(run, first.length), 'points the indirection table at all queues alike');
  const cures = few ? [] : [alike];
  return [{ id: 'rss-skew', kind, packets: 0, says, cures }];
}

function most<T>(all: readonly T[], by: (one: T) => number): T | undefined {
  return all.toSorted((a, b) => by(b) - by(a))[0];
}
