/** `ringscope sweep`: every combination of lists of options, in parallel; a table of what came of it. */
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { checkOutputs, readBytes, readScenarioFile, writeBytes } from '../lab/files.ts';
import type { MeasuredReport } from '../lab/measures.ts';
import { MEASURES } from '../lab/measures.ts';
import { kebab } from '../lab/optionNames.ts';
import { OptionError } from '../lab/options.ts';
import type { BuildMachine } from '../lab/run.ts';
import { weightFits } from '../lab/sweepFit.ts';
import { pageHeats, sweepPage } from '../lab/sweepPage.ts';
import { sweepPlots } from '../lab/sweepPlots.ts';
import type { SweepPlan, SweepRunPlan } from '../lab/sweepPlan.ts';
import { planSweep, shardOf } from '../lab/sweepPlan.ts';
import type { SweepResult, SweptPoint, SweptRun } from '../lab/sweepResult.ts';
import { measured, pointsOf, wishesOf } from '../lab/sweepResult.ts';
import { RunFailed, sweptReport, WorkerPool } from '../lab/workers.ts';
import { EXIT_FAILED, EXIT_INTERRUPTED, EXIT_OK } from './failure.ts';
import { plural } from '../lab/format.ts';
import { wrapped } from './wrap.ts';
import { runKeys, SweepFile } from './sweepFile.ts';
import { SweepProgress } from './sweepProgress.ts';
import { shownMeasures, sweepTable, valueText } from './sweepTable.ts';
import type { Terminal } from './terminal.ts';

/** What is said of the sweep itself; everything else are options of its runs. */
export interface SweepFlags {
  readonly best?: string;
  readonly where?: string;
  readonly seeds?: string;
  readonly shard?: string;
  readonly workers?: string;
  readonly out?: string;
  readonly report?: string;
  readonly svg?: string;
  readonly top?: string;
  readonly json?: boolean;
}

export interface SweepCall {
  readonly scenario: string | undefined;
  /** Of the runs, in the order in which they were typed. */
  readonly runFlags: Readonly<Record<string, unknown>>;
  readonly flags: SweepFlags;
  /** As typed, to be repeated. */
  readonly command: string;
}

const MOST_WORKERS = 256;
const TOP = 40;
const MOST_NOTES = 3;

/** @param entry module of the worker threads; without one the runs go one after the other @returns the exit code */
export async function sweepCommand(
  { scenario, runFlags, flags, command }: SweepCall,
  terminal: Terminal,
  build: BuildMachine,
  entry: URL | null,
): Promise<number> {
  const seeds = wholeOf('--seeds', flags.seeds, 1, 1000) ?? 1;
  const workers = wholeOf('--workers', flags.workers, 1, MOST_WORKERS) ?? availableParallelism();
  const top = wholeOf('--top', flags.top, 1, 1e6) ?? TOP;
  const source = scenario === undefined ? null : await readScenarioFile(scenario);
  const plan = await planSweep({ scenario: source, flags: runFlags, seeds }, readBytes);
  const runs = flags.shard === undefined ? plan.runs : shardOf(plan.runs, flags.shard);
  await checkOutputs(
    [['SCENARIO', scenario]],
    [
      ['--out', flags.out],
      ['--report', flags.report],
      ['--svg', flags.svg === undefined ? undefined : join(flags.svg, 'received.svg')],
    ],
  );
  const sample = await firstLook(plan, build);
  const wishes = wishesOf(plan.axes, sample, flags);

  const sweep = new Sweep(runs, await runKeys(runs, entry));
  const kept = flags.out === undefined ? null : await SweepFile.open(flags.out);
  if (kept !== null) sweep.recall(kept);
  const progress = new SweepProgress(terminal, runs.length, sweep.count, () => performance.now());
  const whole = await sweep.run(kept, progress, { build, entry, workers });

  const finished = pointsOf(sweep.finished());
  const wanted = wishes.sorted(finished.filter((point) => wishes.wanted(point)));
  const result: SweepResult = { axes: plan.axes, points: finished, command };
  const fits = weightFits(plan.axes, finished);
  const measures = shownMeasures(wishes.measures);
  const page = { result, measures, sorted: wanted, fits, valueText };
  if (flags.report !== undefined) await writeText('--report', flags.report, sweepPage(page));
  if (flags.svg !== undefined) {
    const plots = [...sweepPlots(result).plots, ...pageHeats(page)];
    for (const { id, svg } of plots) await writeText('--svg', join(flags.svg, `${id}.svg`), svg);
    if (plots.length === 0)
      terminal.err(
        '--svg: nothing written: no option with numbers is swept that a plot could stand over\n',
      );
  }
  const planned = new Set(runs.map(({ point }) => JSON.stringify(point))).size;
  terminal.out(
    flags.json === true
      ? `${JSON.stringify({ ...result, points: wanted.map(pointJson), fits })}\n`
      : sweepTable(
          { ...result, points: wanted, measures, top, fits, finished: finished.length, planned },
          terminal.colors,
        ),
  );
  if (flags.json !== true) terminal.out(findingsInAll(sweep.finished(), flags.out, terminal));
  terminal.err(notesInAll(sweep.finished()));
  const broken = sweep.finished().filter(({ report }) => !report.conserved).length;
  if (broken > 0) terminal.err(`${broken} of ${runs.length} runs do not add up\n`);
  if (!whole) {
    terminal.err(interrupted(sweep.count, runs.length, flags.out));
    return EXIT_INTERRUPTED;
  }
  return broken > 0 ? EXIT_FAILED : EXIT_OK;
}

/** In one line; a file can be explained. */
function findingsInAll(
  runs: readonly SweptRun[],
  out: string | undefined,
  { colors }: Terminal,
): string {
  const counts = new Map<string, number>();
  for (const { id } of runs.flatMap(({ report }) => report.findings))
    counts.set(id, (counts.get(id) ?? 0) + 1);
  if (counts.size === 0) return '';
  const found = [...counts].toSorted(([, a], [, b]) => b - a).map(([id, n]) => `${id} in ${n}`);
  const how = out === undefined ? 'one run with ringscope explain' : `ringscope explain ${out}`;
  const text = `findings in ${plural(runs.length, 'run')}: ${found.join(', ')}; ${how}`;
  return `\n${wrapped(text, 96)
    .map((line) => `  ${colors.dim(line)}\n`)
    .join('')}`;
}

/** Each note once, as it is said of one run, with the number of runs of which it is said. */
function notesInAll(runs: readonly SweptRun[]): string {
  const counts = new Map<string, number>();
  for (const note of runs.flatMap(({ report }) => report.notes))
    counts.set(note, (counts.get(note) ?? 0) + 1);
  const said = [...counts].map(
    ([note, n]) => `in ${n} of ${plural(runs.length, 'run')}: ${note}\n`,
  );
  const more = said.length - MOST_NOTES;
  return more > 0
    ? `${said.slice(0, MOST_NOTES).join('')}and ${plural(more, 'other note')}, in single runs' tables\n`
    : said.join('');
}

const writeText = (option: string, name: string, text: string): Promise<void> =>
  writeBytes(option, name, new TextEncoder().encode(text));

const interrupted = (done: number, of: number, out: string | undefined): string =>
  `interrupted: ${done} of ${of} runs finished${out === undefined ? '' : `; the same command goes on from ${out}`}\n`;

function wholeOf(
  option: string,
  text: string | undefined,
  min: number,
  max: number,
): number | null {
  if (text === undefined) return null;
  const n = Number(text);
  if (Number.isInteger(n) && n >= min && n <= max && text.trim() !== '') return n;
  throw new OptionError(`${option}: ${text} is not a whole number (${min} to ${max})`);
}

/**
 * One packet through the first point: what cannot be built, or a program that does not load, says so
 * before the work begins; and its report has the names that questions may use.
 */
const firstLook = ({ runs }: SweepPlan, build: BuildMachine): Promise<MeasuredReport> =>
  sweptReport({ ...runs[0]!.options, count: 1, duration: undefined }, build);

const pointJson = ({ point, runs }: SweptPoint): object => ({
  point,
  measures: Object.fromEntries(
    MEASURES.map((measure) => [measure.name, measured({ point, runs }, measure)]),
  ),
  runs: runs.map(({ seed, report }) => ({ seed, report })),
});

interface RunBy {
  readonly build: BuildMachine;
  readonly entry: URL | null;
  readonly workers: number;
}

/** The runs of a sweep and what is known of them. */
class Sweep {
  private readonly runs: readonly SweepRunPlan[];
  private readonly keys: readonly string[];
  private readonly reports: (MeasuredReport | undefined)[];

  constructor(runs: readonly SweepRunPlan[], keys: readonly string[]) {
    this.runs = runs;
    this.keys = keys;
    this.reports = runs.map(() => undefined);
  }

  /** How many are finished. */
  get count(): number {
    return this.reports.filter((report) => report !== undefined).length;
  }

  recall(kept: SweepFile): void {
    this.keys.forEach((key, i) => (this.reports[i] = kept.find(key)));
  }

  finished(): SweptRun[] {
    return this.runs.flatMap(({ point, options: { seed } }, i) => {
      const report = this.reports[i];
      return report === undefined ? [] : [{ point, seed, report }];
    });
  }

  /** Do what is missing. @returns false when a key stopped it @throws RunFailed */
  async run(kept: SweepFile | null, progress: SweepProgress, by: RunBy): Promise<boolean> {
    const missing = this.runs.flatMap((_, i) => (this.reports[i] === undefined ? [i] : []));
    const onDone = (job: number, report: MeasuredReport): void => {
      const i = missing[job]!;
      const { point, options } = this.runs[i]!;
      this.reports[i] = report;
      kept?.add(this.keys[i]!, { point, seed: options.seed, report });
      progress.done();
    };
    const jobs = missing.map((i) => this.runs[i]!.options);
    try {
      if (by.entry === null) {
        for (const [job, options] of jobs.entries())
          onDone(job, await sweptReport(options, by.build));
        return true;
      }
      return await this.inParallel(new WorkerPool(by.entry, by.workers), jobs, onDone);
    } catch (error) {
      if (!(error instanceof RunFailed)) throw error;
      const { point } = this.runs[missing[error.index]!]!;
      const at = Object.entries(point).map(([key, value]) => `${kebab(key)} ${value}`);
      const text = `${error.message}${at.length === 0 ? '' : ` (at ${at.join(', ')})`}`;
      throw error.refused ? new OptionError(text) : new Error(text, { cause: error });
    } finally {
      progress.clear();
      await kept?.finish(this.keys);
    }
  }

  private async inParallel(
    pool: WorkerPool,
    jobs: readonly SweepRunPlan['options'][],
    onDone: (job: number, report: MeasuredReport) => void,
  ): Promise<boolean> {
    let stopped = false;
    const stop = (): void => {
      stopped = true;
      pool.stop();
    };
    process.once('SIGINT', stop);
    try {
      await pool.run(jobs, onDone);
    } finally {
      process.off('SIGINT', stop);
    }
    return !stopped;
  }
}
