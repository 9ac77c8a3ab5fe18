/**
 * Matchers for regression tests of XDP programs in vitest. Importing this module adds them to
 * `expect`; `packet` and `run` are here as well, so that such a test has one import.
 *
 *   expect(report).toBeConserved()                      a run's books add up
 *   expect(report).toHaveLost({ noBuffer: 0 })          losses by cause
 *   expect(report).toHaveVerdicts({ xdpDrop: 10 })      outcomes
 */
import { expect } from 'vitest';
import { LOSS_CAUSES } from './host/fates.ts';
import type { PacketCounts, RunReport } from './lab/report.ts';

export { packet } from './lab/packet.ts';
export type { PacketOptions, PacketResult, SentFrame } from './lab/packet.ts';
export { run, runFile } from './node.ts';
export type { RunGiven, RunOutcome } from './node.ts';

/** Counts by outcome; those left out are not looked at. */
export type VerdictCounts = Partial<Omit<PacketCounts, 'lost'>>;

export interface RingscopeMatchers<Result> {
  /** Every packet has one fate, and no page is leaked. */
  toBeConserved(): Result;
  /** As many packets lost by each of these causes; a cause that did not happen counts 0. */
  toHaveLost(counts: Readonly<Record<string, number>>): Result;
  /** As many packets with each of these outcomes. */
  toHaveVerdicts(counts: VerdictCounts): Result;
}

declare module 'vitest' {
  interface Matchers<T> extends RingscopeMatchers<T> {}
}

interface Verdict {
  readonly pass: boolean;
  message(): string;
}

/** Compare the named counts of `actual` with `wanted`. */
function counts(
  what: string,
  actual: Readonly<Record<string, number>>,
  wanted: Readonly<Record<string, number>>,
  known: readonly string[],
): Verdict {
  const unknown = Object.keys(wanted).find((name) => !known.includes(name));
  if (unknown !== undefined) {
    throw new TypeError(`${what}: ${unknown} is none of ${known.join(', ')}`);
  }
  const wrong = Object.entries(wanted).filter(([name, n]) => (actual[name] ?? 0) !== n);
  const lines = wrong.map(([name, n]) => `${name}: expected ${n}, got ${actual[name] ?? 0}`);
  const same = `${what}: exactly ${JSON.stringify(wanted)}`;
  return {
    pass: wrong.length === 0,
    message: () => (wrong.length === 0 ? same : lines.join('\n')),
  };
}

function reportOf(received: unknown): RunReport {
  if (typeof received === 'object' && received !== null && 'imbalance' in received) {
    return received as RunReport;
  }
  throw new TypeError('expected the report of a run: `const { report } = await run(…)`');
}

function toBeConserved(received: unknown): Verdict {
  const { conserved, imbalance, pages } = reportOf(received);
  const books = `off by ${JSON.stringify(imbalance)}, ${pages.leaked} pages leaked`;
  return { pass: conserved, message: () => (conserved ? 'every packet is accounted for' : books) };
}

const CAUSES: readonly string[] = LOSS_CAUSES.map(({ name }) => name);

const toHaveLost = (received: unknown, wanted: Readonly<Record<string, number>>): Verdict =>
  counts('lost', reportOf(received).packets.lost, wanted, CAUSES);

function toHaveVerdicts(received: unknown, wanted: Readonly<Record<string, number>>): Verdict {
  const { lost: _, ...outcomes } = reportOf(received).packets;
  return counts('packets', outcomes, wanted, Object.keys(outcomes));
}

expect.extend({ toBeConserved, toHaveLost, toHaveVerdicts });
