/**
 * What a run shows, in words, with numbers and the option to change: found in its report alone, so
 * that a kept result can be explained as well as a fresh one.
 */
import type { Finding, FoundIn } from './finding.ts';
import { clientFindings } from './findingsClients.ts';
import { cpuFindings } from './findingsCpu.ts';
import { pathFindings } from './findingsPath.ts';
import { ringFindings } from './findingsRing.ts';
import { stackFindings } from './findingsStack.ts';
import { threadFindings } from './findingsThreads.ts';

const WEIGHT: Readonly<Record<Finding['kind'], number>> = {
  loss: 0,
  trap: 1,
  delay: 2,
  cost: 3,
  note: 4,
};

/** Losses first, then what came late, what was wasted, and what is good to know. */
export const findingsOf = (report: FoundIn): readonly Finding[] =>
  [
    ...clientFindings(report),
    ...ringFindings(report),
    ...cpuFindings(report),
    ...pathFindings(report),
    ...stackFindings(report),
    ...threadFindings(report),
  ].toSorted((a, b) => WEIGHT[a.kind] - WEIGHT[b.kind] || b.packets - a.packets);
