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
  readonly set: Figure['set'];
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
  readonly set: Figure['set'];
  readonly use: Figure['use'];
  readonly needs: string;
  readonly workload: string;
  readonly metric: string;
  readonly why: string;
}

export interface FamilyResult {
  readonly family: string;
  /** Reference rows to compare with, and those of them within tolerance. */
  readonly rows: number;
  readonly within: number;
  /** Rows that decided values of a profile, and count for nothing. */
  readonly fitted: number;
  /** The same of what else the publications have. */
  readonly further: { readonly rows: number; readonly within: number };
}

/** How many rows there are, how many of them have a run, and how many runs are within tolerance. */
export interface Total {
  readonly of: number;
  readonly covered: number;
  readonly within: number;
}

export interface ValidationReport {
  readonly rows: readonly RowResult[];
  readonly families: readonly FamilyResult[];
  readonly uncovered: readonly Uncovered[];
  /** Of the reference rows that are compared and not fitted on, and that need what the emulator has. */
  readonly compared: Total;
  /** Of all further rows, whatever they need. */
  readonly further: Total;
}

const COMPARED = ['path', 'stack', 'pcie', 'memory', 'napi', 'app'];

type Kind = Pick<Figure, 'set' | 'use' | 'needs'>;

const isCompared = ({ set, use, needs }: Kind): boolean =>
  set === 'reference' && use === 'validate' && COMPARED.includes(needs);

const isFurther = ({ set, use }: Kind): boolean => set === 'further' && use === 'validate';

export const toleranceOf = ({ metric, tolPct }: Figure): number =>
  tolPct ?? (LOOSE.test(metric) ? LOOSE_TOLERANCE : TOLERANCE);

/** Several texts stand between commas, but a comma and a blank are of a family's name. */
export const partsOfOnly = (only: string): readonly string[] =>
  only.split(/,(?! )/).map((part) => part.trim());

/** The rows whose id or family contains one of the texts of `only`; all without it. */
export function rowsNamed(only: string | undefined): readonly Row[] {
  if (only === undefined) return ROWS;
  const parts = partsOfOnly(only).filter((part) => part !== '');
  return ROWS.filter(({ id, family }) =>
    parts.some((part) => id.includes(part) || family.includes(part)),
  );
}

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
    ...{ id: row.id, set: figure.set, family: row.family, use: figure.use, needs: figure.needs },
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
  return {
    rows,
    families: [...families].map(([family, all]) => {
      const more = all.filter(isFurther);
      const own = all.filter((row) => !isFurther(row) && row.use === 'validate');
      return {
        ...{ family, rows: own.length, within: countWithin(own) },
        fitted: all.length - own.length - more.length,
        further: { rows: more.length, within: countWithin(more) },
      };
    }),
    uncovered: uncoveredRows().filter(({ id }) => only === undefined || id.includes(only)),
    compared: total(rows, isCompared),
    further: total(rows, isFurther),
  };
}

const countWithin = (rows: readonly RowResult[]): number =>
  rows.filter(({ within }) => within).length;

function total(rows: readonly RowResult[], counts: (kind: Kind) => boolean): Total {
  const covered = rows.filter(counts);
  const of = FIGURES.filter(counts).length;
  return { of, covered: covered.length, within: countWithin(covered) };
}

/** Every row that no run stands for; those to fit on are micro-benchmarks that profiles quote. */
export function uncoveredRows(): readonly Uncovered[] {
  return FIGURES.filter(({ id }) => !ROWS.some((row) => row.id === id)).map((figure) => {
    const { id, set, use, needs, workload, metric } = figure;
    return { id, set, use, needs, workload, metric, why: whyNotCovered(figure) };
  });
}
