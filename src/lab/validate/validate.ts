/**
 * The published figures against the model: each covered row is run, compared and judged; each row
 * that is not covered is named with the reason.
 */
import type { RunIo } from '../run.ts';
import { fromFlags, readOptions } from '../options.ts';
import { runScenario } from '../run.ts';
import type { Figure } from './figures.ts';
import { FIGURES } from './figures.ts';
import { ROWS } from './rows.ts';
import type { Row, Scenario } from './scenario.ts';
import { commandLine } from './scenario.ts';
import { whyNotCovered } from './uncovered.ts';

/** Where a row says nothing of its tolerance, percent. */
const TOLERANCE = 10;
/** Latencies, interrupt rates and miss rates. */
const LOOSE_TOLERANCE = 25;
const LOOSE = /latency|interrupt|miss/i;

export interface RowResult {
  readonly id: string;
  readonly family: string;
  readonly use: Figure['use'];
  readonly needs: string;
  readonly source: string;
  readonly ref: string;
  readonly hardware: string;
  readonly workload: string;
  readonly metric: string;
  readonly unit: string;
  readonly published: number;
  readonly modelled: number;
  /** Of the published value; infinite where that is 0 and ours is not. */
  readonly errorPct: number;
  readonly tolPct: number;
  readonly within: boolean;
  readonly command: string;
  /** How the modelled value is read off that command's JSON, where it is no figure of its own. */
  readonly reading: string | null;
}

export interface Uncovered {
  readonly id: string;
  readonly use: Figure['use'];
  readonly needs: string;
  readonly workload: string;
  readonly metric: string;
  readonly why: string;
}

export interface FamilyResult {
  readonly family: string;
  /** Rows to compare with, and those of them within tolerance. */
  readonly rows: number;
  readonly within: number;
  /** Rows that decided values of a profile, and count for nothing. */
  readonly fitted: number;
}

export interface ValidationReport {
  readonly rows: readonly RowResult[];
  readonly families: readonly FamilyResult[];
  readonly uncovered: readonly Uncovered[];
  /** Of the rows that are compared and not fitted on, and that need what the emulator has. */
  readonly compared: { readonly of: number; readonly covered: number; readonly within: number };
}

const COMPARED = ['path', 'stack', 'pcie', 'memory', 'napi', 'app'];

const isCompared = ({ use, needs }: { use: string; needs: string }): boolean =>
  use === 'validate' && COMPARED.includes(needs);

export const toleranceOf = ({ metric, tolPct }: Figure): number =>
  tolPct ?? (LOOSE.test(metric) ? LOOSE_TOLERANCE : TOLERANCE);

/** The rows whose id or family contains `only`; all without it. */
export const rowsNamed = (only: string | undefined): readonly Row[] =>
  ROWS.filter(({ id, family }) => only === undefined || id.includes(only) || family.includes(only));

const figureOf = (id: string): Figure => FIGURES.find((figure) => figure.id === id)!;

/** Run one row. */
export async function judgeRow(row: Row, io: RunIo, runs: ScenarioRuns): Promise<RowResult> {
  const figure = figureOf(row.id);
  const modelled = row.modelled(await runs.report(row.scenario, io));
  const { value, unit } = figure;
  const ours = unit === 'Mpps' ? modelled / 1e6 : modelled;
  const errorPct = ours === value ? 0 : (ours / value - 1) * 100;
  const tolPct = toleranceOf(figure);
  return {
    ...{ id: row.id, family: row.family, use: figure.use, needs: figure.needs },
    ...{ source: figure.source, ref: figure.ref, hardware: figure.hardware },
    ...{ workload: figure.workload, metric: figure.metric, unit, published: value },
    ...{ modelled: ours, errorPct, tolPct, within: Math.abs(errorPct) <= tolPct },
    ...{ command: commandLine(row.scenario), reading: row.modelled.says ?? null },
  };
}

/** Runs, each made once: several rows may be about the same one. */
export class ScenarioRuns {
  private readonly known: Map<string, Promise<Report>> = new Map();

  report(scenario: Scenario, io: RunIo): Promise<Report> {
    const key = commandLine(scenario);
    const known = this.known.get(key);
    if (known !== undefined) return known;
    const run = runScenario(readOptions([fromFlags(scenario)]), io).then(({ report }) => report);
    this.known.set(key, run);
    return run;
  }
}

type Report = Awaited<ReturnType<typeof runScenario>>['report'];

/** @param only what `rows` were chosen by */
export function validationReport(rows: readonly RowResult[], only?: string): ValidationReport {
  const families = new Map<string, RowResult[]>();
  for (const row of rows) families.set(row.family, [...(families.get(row.family) ?? []), row]);
  const compared = rows.filter(isCompared);
  return {
    rows,
    families: [...families].map(([family, all]) => {
      const own = all.filter(({ use }) => use === 'validate');
      const within = own.filter((row) => row.within).length;
      return { family, rows: own.length, within, fitted: all.length - own.length };
    }),
    uncovered: uncoveredRows().filter(({ id }) => only === undefined || id.includes(only)),
    compared: {
      of: FIGURES.filter(isCompared).length,
      covered: compared.length,
      within: compared.filter(({ within }) => within).length,
    },
  };
}

/** Every row that no run stands for; those to fit on are micro-benchmarks that profiles quote. */
export function uncoveredRows(): readonly Uncovered[] {
  return FIGURES.filter(({ id }) => !ROWS.some((row) => row.id === id)).map((figure) => {
    const { id, use, needs, workload, metric } = figure;
    return { id, use, needs, workload, metric, why: whyNotCovered(figure) };
  });
}
