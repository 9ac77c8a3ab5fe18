/** Findings on the threads of applications: those beyond the RX queues, through which nothing comes to them. */
import type { Cure, Finding, FoundIn } from './finding.ts';
import { cure } from './finding.ts';
import { plural } from './format.ts';
import { moreQueues } from './cureCpus.ts';

const MOST_QUEUES = 64;

export function threadFindings(report: FoundIn): Finding[] {
  const { run, sockets } = report;
  const [first] = sockets.filter(({ kind, port }) => threadsOf(report, kind, port) > run.queues);
  if (first === undefined) return [];
  const name = `${first.kind}:${first.port}`;
  const threads = threadsOf(report, first.kind, first.port);
  const says =
    `${name} has ${plural(threads, 'thread')}, each with a socket for one RX queue, and there ` +
    `${run.queues === 1 ? 'is' : 'are'} ${plural(run.queues, 'queue')}: ${threads - run.queues} of them never had anything to read.`;
  return [{ id: 'idle-threads', kind: 'note', packets: 0, says, cures: cures(report, threads) }];
}

/** Each has a socket of its own. */
const threadsOf = ({ sockets }: FoundIn, kind: string, port: number): number =>
  sockets.filter((socket) => socket.kind === kind && socket.port === port).length;

function cures({ run }: FoundIn, threads: number): Cure[] {
  const all: Cure[] = [];
  if (threads <= MOST_QUEUES)
    all.push(cure(moreQueues(run, threads), 'has a queue for each thread'));
  if (threads === run.settings.appThreads)
    all.push(cure({ 'app-threads': run.queues }, 'has a thread for each queue'));
  return all;
}
