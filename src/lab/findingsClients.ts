/** Findings on closed-loop clients: nobody answers them, or none of them asks. */
import type { Cure, Finding, FoundIn } from './finding.ts';
import { cure } from './finding.ts';
import { plural, share } from './format.ts';

/** The port that clients ask without any application. */
const DEFAULT_PORT = 9;
const NO_REQUEST =
  'No client sent a request: each first thinks, up to its mean time, and the traffic was over before the first one had.';
/** Applications that only read. */
const SILENT: readonly string[] = ['sink', 'capture'];

export function clientFindings(report: FoundIn): Finding[] {
  const { clients } = report;
  if (clients === null || clients.transactions > 0) return [];
  if (clients.sent === 0)
    return [{ id: 'no-request', kind: 'note', packets: 0, says: NO_REQUEST, cures: [] }];
  const says =
    `None of the ${plural(clients.sent, 'request')} of the clients was answered: each waits for its timeout, ` +
    `so the load is what timeouts make of it. ${whereRequestsEnd(report)}`;
  const cures = answers(report);
  return [{ id: 'no-answer', kind: 'loss', packets: clients.timeouts, says, cures }];
}

/** Requests that the program took, one way or another. */
const taken = ({ packets }: FoundIn): number =>
  packets.xdpDrop + packets.xdpTx + packets.xdpRedirect + packets.xdpAborted;

const isTaken = (report: FoundIn): boolean => taken(report) > report.packets.received / 2;

function whereRequestsEnd(report: FoundIn): string {
  const { run, packets, sockets } = report;
  if (isTaken(report))
    return `${run.xdp} took ${share(taken(report), packets.received)} of what was received and sent none of it back to a client.`;
  if (!run.settings.stack) return 'The stack is off, and with it what could answer.';
  const [asked] = sockets;
  if (asked === undefined) return 'No application listens.';
  const name = `${asked.kind}:${asked.port}`;
  return SILENT.includes(asked.kind)
    ? `${name} reads and answers nothing.`
    : `${name} read ${plural(asked.received, 'request')} and sent ${plural(asked.sent, 'datagram')}.`;
}

/** A server for the clients' port beside the other applications, and nothing in its way. */
function answers(report: FoundIn): Cure[] {
  const { run, sockets } = report;
  const [asked] = sockets;
  const why = 'has an application answer';
  const silent = asked === undefined || SILENT.includes(asked.kind);
  if (silent && run.settings.apps === null)
    return [cure({}, `a server in the place of ${asked?.kind}:${asked?.port} ${why}`)];
  const others = run.settings.apps?.split(',').slice(1) ?? [];
  const options = {
    ...(isTaken(report) ? { xdp: 'none' } : {}),
    ...(run.settings.stack ? {} : { stack: 'on' }),
    ...(silent ? { apps: [`server:${asked?.port ?? DEFAULT_PORT}`, ...others].join(',') } : {}),
  };
  return Object.keys(options).length === 0 ? [] : [cure(options, why)];
}
