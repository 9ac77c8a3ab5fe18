/** Findings on packets that the stack drops: it is not whom they are for, or nobody takes them further. */
import { SKB_DROP_REASONS } from '../host/dropReason.ts';
import type { Cure, Finding, FoundIn } from './finding.ts';
import { cure, lostBy } from './finding.ts';
import { count, plural, share } from './format.ts';

const NOT_OURS = 'IP_INADDRERRORS';
const UNANSWERED: readonly string[] = ['NEIGH_FAILED', 'NEIGH_QUEUEFULL'];
/** Findings of their own, and what rules were given for. */
const TOLD_ELSEWHERE: readonly string[] = [
  ...[NOT_OURS, ...UNANSWERED],
  ...['NO_SOCKET', 'socketBufferFull', 'NETFILTER_DROP', 'TC_INGRESS'],
];
const MOST_REASONS = 3;

export function stackFindings(report: FoundIn): Finding[] {
  return [...notOurs(report), ...unanswered(report), ...dropped(report)];
}

function notOurs(report: FoundIn): Finding[] {
  const lost = lostBy(report, NOT_OURS);
  if (lost === 0) return [];
  const { ipForward } = report.run.settings;
  const why = ipForward ? 'only IPv4 is forwarded' : 'it is no router';
  const says = `${of(report, lost)} ${are(lost)} for no address of this machine, and ${why} (${NOT_OURS}).`;
  const six = /\bdst=\S*:/.test(report.run.traffic);
  const cures: Cure[] =
    ipForward || six ? [] : [cure({ 'ip-forward': 'on' }, 'sends IPv4 on to where --route says')];
  return [{ id: 'not-ours', kind: 'loss', packets: lost, says, cures }];
}

function unanswered(report: FoundIn): Finding[] {
  const lost = UNANSWERED.reduce((sum, reason) => sum + lostBy(report, reason), 0);
  if (lost === 0) return [];
  const says =
    `${of(report, lost)} waited for a neighbour who does not answer (${reasons(report, UNANSWERED)}): ` +
    `on the link of a NIC nobody is but the generator, 10.0.N.254 on NIC N's, and whom --neigh names.`;
  const why = 'lead the route through 10.0.N.254, or name with --neigh who is there';
  return [{ id: 'no-neighbour', kind: 'loss', packets: lost, says, cures: [cure({}, why)] }];
}

function dropped(report: FoundIn): Finding[] {
  const causes = SKB_DROP_REASONS.map(({ cause }) => cause)
    .filter((cause) => !TOLD_ELSEWHERE.includes(cause) && lostBy(report, cause) > 0)
    .toSorted((a, b) => lostBy(report, b) - lostBy(report, a));
  const lost = causes.reduce((sum, cause) => sum + lostBy(report, cause), 0);
  if (lost === 0) return [];
  const more = causes.length - MOST_REASONS;
  const rest = more > 0 ? ` and ${plural(more, 'other reason')}` : '';
  const says =
    `${of(report, lost)} ${lost === 1 ? 'was' : 'were'} dropped by the stack: ` +
    `${reasons(report, causes.slice(0, MOST_REASONS))}${rest}. The table of what was lost names Linux's counters.`;
  return [{ id: 'stack-drop', kind: 'loss', packets: lost, says, cures: [] }];
}

const are = (n: number): string => (n === 1 ? 'is' : 'are');

const of = (report: FoundIn, lost: number): string =>
  `${plural(lost, 'packet')} (${share(lost, report.packets.offered)})`;

const reasons = (report: FoundIn, causes: readonly string[]): string =>
  causes
    .filter((cause) => lostBy(report, cause) > 0)
    .map((cause) => `${cause} ${count(lostBy(report, cause))}`)
    .join(', ');
