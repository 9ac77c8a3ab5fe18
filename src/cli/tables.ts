/**
 * A run's report as a person reads it. Every number comes from the report; nothing is computed
 * here but shares and units.
 */
import type { Colors } from 'picocolors/types';
import { SKB_DROP_REASONS } from '../host/dropReason.ts';
import { printable } from '../host/errors.ts';
import { LOSS_CAUSES } from '../host/fates.ts';
import type { CpuReport, DimReport, PacketCounts, QueueReport, RunReport } from '../lab/report.ts';
import { count, duration, percent, plural, rate, share } from '../lab/format.ts';
import { shortFindings } from './findings.ts';
import type { Row } from './table.ts';
import { styled, table } from './table.ts';

/** More NAPI instances than this are shown as their sum only. */
const MOST_QUEUES = 8;
/** More CPUs than this are shown without those that had nothing to do. */
const MOST_CPUS = 8;
const BAR_WIDTH = 24;

/** All tables of a run, ending in the line that says whether it adds up. */
export function runTables(report: RunReport, colors: Colors): string {
  const sections = [
    header(report, colors),
    packetsTable(report, colors),
    lossTable(report, colors),
    unsentTable(report, colors),
    clientsLine(report, colors),
    latencyLine(report, colors),
    [...napiTable(report, colors), ...dimTable(report, colors), ...txDimTable(report, colors)],
    socketTable(report, colors),
    cpuTable(report, colors),
    costTable(report, colors),
    [...pagesLine(report, colors), ...poolLines(report, colors)],
    logLines(report, colors),
    printedLines(report, colors),
    report.notes.map((note) => `  ${colors.dim(note)}`),
    shortFindings(report, colors),
    conservedLines(report, colors),
    ...Object.values(report.shown).map((text) => [text.trimEnd()]),
  ];
  const filled = sections.filter((lines) => lines.length > 0);
  return `${filled.map((lines) => lines.join('\n')).join('\n\n')}\n`;
}

export function header(report: Omit<RunReport, 'wallMs'>, c: Colors): string[] {
  const { run, packets, virtualNs, settledNs, seed } = report;
  const offered = `${plural(packets.offered, 'packet')} in ${duration(settledNs)} of virtual time`;
  const timers = settledNs < virtualNs ? `, then timers until ${duration(virtualNs)}` : '';
  const parts = [
    `${run.nics} × ${run.linkGbps} Gb/s`,
    plural(run.queues, 'queue'),
    `RX ring ${run.rxRing}`,
    plural(run.cpus, 'CPU'),
    `NAPI weight ${run.budget}`,
    `profile ${run.profile}`,
    `seed ${seed}`,
    ...(run.check ? ['checked'] : []),
  ];
  return [
    `${c.bold(c.cyan(run.xdp))}  ${offered}${timers}`,
    c.dim(run.traffic),
    c.dim(parts.join(' · ')),
  ];
}

function logLines({ log }: RunReport, c: Colors): string[] {
  return log.length === 0 ? [] : [c.bold('  kernel log'), ...log.map((line) => `  ${line}`)];
}

/** Lines of what programs printed that are shown. */
const MOST_PRINTED = 10;

/** The last lines, in the order of printing, as trace_pipe has them. */
function printedLines({ printed }: RunReport, c: Colors): string[] {
  if (printed.count === 0) return [];
  const last = printed.lines.slice(-MOST_PRINTED);
  const which = printed.count > last.length ? `, the last ${last.length} of ${printed.count}` : '';
  const rows = last.map(({ cpu, virtualNs, text }) => {
    const seconds = (virtualNs / 1e9).toFixed(6);
    return `  [${String(cpu).padStart(3, '0')}] ${seconds}: ${printable(text)}`;
  });
  return [c.bold(`  printed by programs${which}`), ...rows];
}

const VERDICTS: readonly (readonly [keyof PacketCounts, string])[] = [
  ['xdpDrop', 'XDP_DROP'],
  ['xdpTx', 'XDP_TX'],
  ['xdpRedirect', 'XDP_REDIRECT'],
  ['xdpPass', 'XDP_PASS'],
  ['xdpAborted', 'XDP_ABORTED'],
  ['noProgram', 'no program'],
];

function packetsTable({ packets, rates, unsent }: RunReport, c: Colors): string[] {
  const { offered } = packets;
  const line = (name: string, n: number, speed: string = ''): Row => [
    name,
    count(n),
    share(n, offered),
    speed,
  ];
  const rows: Row[] = [
    heading(c, 'packets', 'count', 'share', 'rate'),
    line('offered', offered, rate(rates.offeredPps)),
    line('received', packets.received, rate(rates.receivedPps)),
  ];
  for (const [key, name] of VERDICTS) {
    const n = packets[key] as number;
    if (n > 0) rows.push(line(`  ${name}`, n));
  }
  if (packets.toStack > 0) rows.push(line('to the stack', packets.toStack));
  if (packets.forwarded > 0) rows.push(line('forwarded', packets.forwarded));
  if (packets.stackTx > 0) rows.push(line('from the stack', packets.stackTx));
  if (packets.xdpCloned > 0) rows.push(line('copies of broadcasts', packets.xdpCloned));
  if (packets.toOther > 0) rows.push(line('to other targets', packets.toOther));
  if (packets.cpumapPass > 0) rows.push(line('up by cpumap', packets.cpumapPass));
  rows.push(line('on the wire', packets.onWire, rate(rates.onWirePps)));
  const bad = (name: string, n: number): Row =>
    line(name, n).map((cell) => styled(c.red, cell as string));
  const lost = total(packets.lost);
  rows.push(lost === 0 ? line('lost', 0) : bad('lost', lost));
  const never = total(unsent);
  if (never > 0) rows.push(bad('never sent', never));
  return table(rows, ['left']);
}

const total = (counts: Readonly<Record<string, number>>): number =>
  Object.values(counts).reduce((all, n) => all + n, 0);

function lossTable({ packets }: RunReport, c: Colors): string[] {
  const causes = Object.entries(packets.lost);
  if (causes.length === 0) return [];
  const rows = causes
    .toSorted(([, a], [, b]) => b - a)
    .map(([name, n]): Row => {
      const counter = LOSS_CAUSES.find((cause) => cause.name === name)?.counter ?? '';
      return [name, count(n), share(n, packets.offered), styled(c.dim, counter)];
    });
  return table(
    [heading(c, 'lost by cause', 'count', 'share', 'what Linux counts'), ...rows],
    ['left', 'right', 'right', 'left'],
  );
}

/** What the stack made itself and dropped before a device had it. */
function unsentTable({ unsent }: RunReport, c: Colors): string[] {
  const reasons = Object.entries(unsent);
  if (reasons.length === 0) return [];
  const rows = reasons
    .toSorted(([, a], [, b]) => b - a)
    .map(([name, n]): Row => {
      const counter = SKB_DROP_REASONS.find((reason) => reason.name === name)?.counter ?? '';
      return [name, count(n), styled(c.dim, counter)];
    });
  return table(
    [heading(c, 'never sent, by reason', 'count', 'what Linux counts'), ...rows],
    ['left', 'right', 'left'],
  );
}

function clientsLine({ clients }: RunReport, c: Colors): string[] {
  if (clients === null) return [];
  if (clients.sent === 0) return ['  clients: none sent a request before the traffic was over'];
  const { transactions, perSecond, timeouts, roundTripNs: l } = clients;
  const times = [l.mean, l.p50, l.p90, l.p99, l.p999, l.max].map((ns) =>
    transactions === 0 ? '-' : duration(ns),
  );
  const answers = `${count(transactions)} answers, ${count(perSecond)} a second`;
  return [
    ...table(
      [
        heading(c, 'clients', 'mean', 'p50', 'p90', 'p99', 'p99.9', 'max'),
        ['round trip', ...times],
      ],
      ['left'],
    ),
    `  ${answers}, ${plural(timeouts, 'timeout')}`,
  ];
}

/** Stages by their names in the report. */
const STAGES: readonly (readonly [string, string])[] = [
  ['dma', '  wire to memory'],
  ['interrupt', '  to the interrupt'],
  ['poll', '  to the poll'],
  ['verdict', '  to the verdict'],
  ['socket', 'wire to reader'],
  ['wire', 'wire to wire'],
];

const SENDERS = "by sender's clock";

const latencyRow = (name: string, l: RunReport['latencyNs']): Row => [
  name,
  ...[l.mean, l.p50, l.p90, l.p99, l.p999, l.max].map(duration),
];

function latencyLine({ run, latencyNs, stagesNs }: RunReport, c: Colors): string[] {
  if (latencyNs.count === 0) return [];
  const stages = STAGES.flatMap(([key, name]) => {
    const l = stagesNs[key];
    if (l === undefined) return [];
    return [latencyRow(key === 'wire' && run.clock === 'sender' ? SENDERS : name, l)];
  });
  return table(
    [
      heading(c, 'latency', 'mean', 'p50', 'p90', 'p99', 'p99.9', 'max'),
      latencyRow('wire to verdict', latencyNs),
      ...stages,
    ],
    ['left'],
  );
}

function napiTable({ napi, queues }: RunReport, c: Colors): string[] {
  if (napi.polls === 0) return [];
  const active = queues.filter((queue) => queue.polls > 0);
  const shown = active.length <= MOST_QUEUES ? active : [];
  const several = shown.length > 1;
  const rows = shown.map((queue): Row => {
    const { sharePct, latencyNs: l } = queue;
    const own = several ? [percent(sharePct, 1), l.count === 0 ? '-' : duration(l.p99)] : [];
    return [...napiRow(`${queue.nic}-${queue.queue}`, `${queue.cpu}`, queue), ...own];
  });
  if (shown.length !== 1) rows.push(napiRow(`all ${active.length}`, '', napi));
  const ends = ['budget', 'empty', 'busy', 'TX'];
  const titles = ['CPU', 'polls', 'full', 'packets/poll', 'irqs', ...ends];
  if (several) titles.push('packets', 'p99');
  const lines = table([heading(c, 'NAPI', ...titles), ...rows], ['left']);
  if (active.length > MOST_QUEUES)
    lines.push(c.dim(`  more than ${MOST_QUEUES} are shown as one; --json has each`));
  if (napi.timeSqueeze > 0) lines.push(`  ${c.yellow(`time_squeeze ${count(napi.timeSqueeze)}`)}`);
  return lines;
}

function napiRow(
  name: string,
  cpu: string,
  n: Pick<QueueReport, 'polls' | 'fullPolls' | 'packetsPerPoll' | 'irqs' | 'endedBy'>,
): Row {
  const { budget, empty, busy, txWake } = n.endedBy;
  return [
    name,
    cpu,
    count(n.polls),
    share(n.fullPolls, n.polls, 1),
    n.packetsPerPoll.toFixed(1),
    count(n.irqs),
    ...[budget, empty, busy, txWake].map((ended) => share(ended, n.polls, 1)),
  ];
}

/** Each RX ring that DIM moderates; the same profiles for all of a NIC. */
const dimTable = ({ queues }: RunReport, c: Colors): string[] =>
  dimRows(
    'DIM',
    queues.flatMap(({ dim, ...queue }) => (dim === null ? [] : [{ ...queue, dim }])),
    c,
  );

/** Each TX ring that it has moved: of most that is none. */
const txDimTable = ({ queues }: RunReport, c: Colors): string[] =>
  dimRows(
    'DIM, sent',
    queues.flatMap(({ txDim, ...queue }) =>
      txDim === null || txDim.up + txDim.down === 0 ? [] : [{ ...queue, dim: txDim }],
    ),
    c,
  );

type Moderated = Pick<QueueReport, 'nic' | 'queue' | 'polls'> & { readonly dim: DimReport };

function dimRows(title: string, moderated: readonly Moderated[], c: Colors): string[] {
  const shown = moderated
    .filter(({ polls }) => polls > 0)
    .toSorted((a, b) => b.polls - a.polls)
    .slice(0, MOST_QUEUES);
  if (shown.length === 0) return [];
  const waits = shown[0]!.dim.profiles.map(({ usecs }) => `${usecs} µs`);
  const rows = shown.map(({ nic, queue, dim }): Row => [
    `${nic}-${queue}`,
    dim.profile === null ? 'as set' : waits[dim.profile]!,
    count(dim.up),
    count(dim.down),
    percent(dim.asSetPct, 1),
    ...dim.profilesPct.map((pct) => percent(pct, 1)),
  ]);
  const titles = ['at the end', 'up', 'down', 'as set', ...waits];
  return ['', ...table([heading(c, title, ...titles), ...rows], ['left'])];
}

function socketTable({ sockets }: RunReport, c: Colors): string[] {
  if (sockets.length === 0) return [];
  const failed = sockets.some(({ sendErrors }) => sendErrors > 0);
  const refused = sockets.some(({ recvErrors }) => recvErrors > 0);
  const moved = sockets.some(({ migrations }) => migrations > 0);
  const rows = sockets.map((s): Row => [
    `${s.kind}:${s.port}`,
    `${s.cpu}`,
    count(s.received),
    s.drops === 0 ? count(0) : styled(c.red, count(s.drops)),
    count(s.unread),
    count(s.sent),
    ...(failed ? [s.sendErrors === 0 ? count(0) : styled(c.red, count(s.sendErrors))] : []),
    ...(refused ? [s.recvErrors === 0 ? count(0) : styled(c.red, count(s.recvErrors))] : []),
    count(s.wakeups),
    ...(moved ? [count(s.migrations)] : []),
    s.reads === 0 ? '' : (s.received / s.reads).toFixed(1),
    s.received === 0 ? '' : duration(s.waitedNs.p50),
    s.received === 0 ? '' : duration(s.waitedNs.p99),
  ]);
  const titles = ['CPU', 'read', 'no room', 'unread', 'sent'];
  if (failed) titles.push('failed');
  if (refused) titles.push('errors read');
  const times = ['wake-ups', ...(moved ? ['elsewhere'] : []), 'per call', 'waited p50', 'p99'];
  return table([heading(c, 'socket', ...titles, ...times), ...rows], ['left']);
}

function cpuTable({ cpus }: RunReport, c: Colors): string[] {
  const shown = cpus.length <= MOST_CPUS ? cpus : cpus.filter((cpu) => cpu.busyPct > 0);
  const threaded = cpus.some((cpu) => cpu.napiThreadPct > 0);
  const rows = shown.map((cpu): Row => [
    `${cpu.id}`,
    percent(cpu.busyPct, 1),
    percent(cpu.hardirqPct, 1),
    percent(cpu.softirqPct, 1),
    percent(cpu.ksoftirqdPct, 1),
    ...(threaded ? [percent(cpu.napiThreadPct, 1)] : []),
    percent(cpu.appPct, 1),
    styled(cpu.busyPct >= 95 ? c.red : c.green, bar(cpu)),
  ]);
  const napi = threaded ? ['napi'] : [];
  const titles = ['busy', 'hardirq', 'softirq', 'ksoftirqd', ...napi, 'app'];
  return table(
    [heading(c, 'CPU', ...titles, ''), ...rows],
    ['right', ...titles.map(() => 'right' as const), 'left'],
  );
}

function costTable({ costs, packets }: RunReport, c: Colors): string[] {
  if (costs.length === 0) return [];
  const rows = costs.map((cost): Row => [
    cost.op,
    count(cost.count),
    (cost.count / Math.max(1, packets.received)).toFixed(3),
    duration(cost.ns),
    percent(cost.pct, 1),
  ]);
  const titles = ['times', 'a packet', 'time', 'share'];
  return table([heading(c, 'operation', ...titles), ...rows], ['left']);
}

/** The CPU's time from left to right: ▒ hardirq, █ softirq, ▓ ksoftirqd, ▞ NAPI threads, ▚ application, · idle. */
function bar({ hardirqPct, softirqPct, ksoftirqdPct, napiThreadPct, appPct }: CpuReport): string {
  const parts: readonly (readonly [number, string])[] = [
    [hardirqPct, '▒'],
    [softirqPct, '█'],
    [ksoftirqdPct, '▓'],
    [napiThreadPct, '▞'],
    [appPct, '▚'],
  ];
  let sum = 0;
  let text = '';
  for (const [pct, glyph] of parts) {
    sum += pct;
    const upTo = Math.min(BAR_WIDTH, Math.round((sum / 100) * BAR_WIDTH));
    text += glyph.repeat(Math.max(0, upTo - text.length));
  }
  return text.padEnd(BAR_WIDTH, '·');
}

function pagesLine({ pages }: RunReport, c: Colors): string[] {
  const leaked = `leaked ${count(pages.leaked)}`;
  const where = [
    `${count(pages.pool)} in pools`,
    `${count(pages.rings)} in rings`,
    `${count(pages.inFlight)} in flight`,
  ];
  return [
    `  ${c.bold('pages')}  ${count(pages.allocated)} allocated: ${where.join(', ')}, ` +
      (pages.leaked === 0 ? leaked : c.red(leaked)),
  ];
}

/** Pages taken from page_pools and given back, by the way they took. */
function poolLines({ pagePool: p }: RunReport, c: Colors): string[] {
  const taken = p.allocFast + p.allocSlow;
  const back = p.recycleCached + p.recycleRing + p.recycleRingFull;
  if (taken === 0) return [];
  const from = [
    `${share(p.allocFast, taken)} fast (cache)`,
    `${share(p.allocSlow, taken)} slow (new)`,
    `${count(p.allocRefill)} refills from the ring`,
  ];
  const to = [
    `${share(p.recycleCached, back)} to the cache`,
    `${share(p.recycleRing, back)} to the ring`,
    `${count(p.recycleRingFull)} to a full ring`,
  ];
  return [
    `  ${c.bold('page_pool')}  ${count(taken)} taken: ${from.join(', ')}`,
    `  ${' '.repeat('page_pool'.length)}  ${count(back)} recycled${back === 0 ? '' : `: ${to.join(', ')}`}`,
  ];
}

const EQUATIONS: readonly (readonly [keyof RunReport['imbalance'], string])[] = [
  ['nic', 'offered = received + lost in the NIC'],
  ['driver', 'received = outcomes + lost in the driver'],
  ['tx', 'sent = on the wire + to other targets + lost in transmission'],
  ['up', 'passed = to the stack + forwarded + lost on the way up'],
];

function conservedLines(report: RunReport, c: Colors): string[] {
  if (report.conserved) return [`  ${c.green('conserved: every packet accounted for')}`];
  return brokenRules(report).map((rule) => `  ${c.red(`not conserved: ${rule}`)}`);
}

/** What does not add up, one sentence per rule; empty for a run that is conserved. */
export function brokenRules({ imbalance, pages }: RunReport): string[] {
  const broken = EQUATIONS.filter(([key]) => imbalance[key] !== 0).map(
    ([key, equation]) => `${equation} is off by ${count(imbalance[key])}`,
  );
  if (pages.leaked !== 0) broken.push(`${plural(pages.leaked, 'page')} leaked`);
  return broken;
}

const heading = (c: Colors, first: string, ...rest: readonly string[]): Row => [
  styled(c.bold, first),
  ...rest.map((title) => styled(c.dim, title)),
];
