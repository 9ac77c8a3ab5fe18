/** `ringscope validate`: the published figures against the model, row by row. */
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Command } from 'commander';
import { checkOutputs, importProgram, readBytes, writeBytes } from '../lab/files.ts';
import { InputError } from '../lab/inputError.ts';
import { didYouMean } from '../lab/nearest.ts';
import type { RunIo } from '../lab/run.ts';
import { validationPage } from '../lab/validate/page.ts';
import { validationPlots } from '../lab/validate/plots.ts';
import { ROWS } from '../lab/validate/rows.ts';
import { sensitivityOf } from '../lab/validate/sensitivity.ts';
import type { RowResult } from '../lab/validate/validate.ts';
import {
  judgeRow,
  partsOfOnly,
  rowsNamed,
  ScenarioRuns,
  uncoveredRows,
  validationReport,
} from '../lab/validate/validate.ts';
import { EXIT_FAILED, EXIT_OK } from './failure.ts';
import { jsonLine } from './jsonLine.ts';
import { onceGiven } from './optionFlags.ts';
import { SweepProgress } from './sweepProgress.ts';
import type { Terminal } from './terminal.ts';
import {
  comparedLines,
  familySections,
  familyTable,
  rowTable,
  sensitivityTable,
  uncoveredTable,
} from './validateTables.ts';

interface ValidateFlags {
  readonly only?: string;
  readonly show?: string;
  readonly sensitivity?: boolean;
  readonly docs?: string;
  readonly json?: boolean;
}

/** Fewer rows within tolerance than this share, and the check has failed. */
const WANTED = 0.85;

/** Of the package: rows name its examples, wherever the command is called. */
const TOP = new URL(import.meta.url.endsWith('.ts') ? '../../' : '../', import.meta.url);

const IO: RunIo = {
  readFile: (option, name) => readBytes(option, fileURLToPath(new URL(name, TOP))),
  importProgram,
  nowMs: () => 0,
};

/** @param done is told the exit code */
export function addValidate(
  program: Command,
  terminal: Terminal,
  done: (code: number) => void,
): void {
  program
    .command('validate')
    .helpGroup('Commands:')
    .description('Compare the model with published figures.')
    .option(
      '--only <NAME>',
      'rows whose id or family contains this, or one of several: NAME,NAME',
      onceGiven('--only'),
    )
    .option(
      '--show <ROW>',
      "print the row's source and the command that reproduces its machine",
      onceGiven('--show'),
    )
    .option(
      '--sensitivity',
      'what 10 % more of the three most important operations does, by family (some minutes)',
    )
    .option(
      '--docs <DIR>',
      'write validation.md and its plots to this directory, which must exist',
      onceGiven('--docs'),
    )
    .option('--json', 'one JSON document on stdout and nothing else')
    .action(async (flags: ValidateFlags) => done(await validateCommand(flags, terminal)));
}

async function validateCommand(flags: ValidateFlags, terminal: Terminal): Promise<number> {
  refuseTogether(flags);
  if (flags.show !== undefined) return showRow(flags.show, flags, terminal);
  refuseUnknownRows(flags.only);
  const rows = rowsNamed(flags.only);
  const page = flags.docs === undefined ? undefined : join(flags.docs, 'validation.md');
  await checkOutputs([], [['--docs', page]]);
  if (flags.sensitivity === true) return showSensitivity(flags, terminal);
  const runs = new ScenarioRuns();
  const results: RowResult[] = [];
  const progress = progressOf(rows.length, 'rows', terminal);
  for (const row of rows) {
    results.push(await judgeRow(row, IO, runs));
    progress.done();
  }
  progress.clear();
  const report = validationReport(results, flags.only);
  if (page !== undefined) {
    const plots = await validationPlots(runs, IO);
    const utf8 = new TextEncoder();
    for (const { file, svg } of plots) {
      await writeBytes('--docs', join(dirname(page), file), utf8.encode(svg));
    }
    await writeBytes('--docs', page, utf8.encode(validationPage(report, plots)));
  }
  const { colors } = terminal;
  if (flags.json === true) terminal.out(jsonLine(report));
  else {
    const tables = [familySections(results, colors), familyTable(report, colors)];
    if (flags.only === undefined)
      tables.push(comparedLines(report), uncoveredTable(report, colors));
    terminal.out(`${tables.map((lines) => lines.join('\n')).join('\n\n')}\n`);
  }
  const counted = results.filter(({ use }) => use === 'validate');
  const { of, within } =
    flags.only === undefined
      ? report.compared
      : { of: counted.length, within: counted.filter((row) => row.within).length };
  if (within >= WANTED * of) return EXIT_OK;
  terminal.err(
    `validate: ${within} of ${of} rows within tolerance, fewer than ${WANTED * 100} %\n`,
  );
  return EXIT_FAILED;
}

const progressOf = (total: number, what: string, terminal: Terminal): SweepProgress =>
  new SweepProgress(terminal, total, 0, () => performance.now(), what);

/** Each of these does something else; a page of some rows would pass for the whole. */
function refuseTogether({ only, show, sensitivity, docs }: ValidateFlags): void {
  const given = { '--show': show, '--sensitivity': sensitivity, '--docs': docs };
  const names = Object.entries(given).flatMap(([name, value]) => (value === undefined ? [] : name));
  if (only !== undefined && sensitivity === undefined && names.length > 0) names.push('--only');
  if (names.length > 1) throw new InputError(`${names[0]} does not go with ${names[1]}`);
}

function refuseUnknownRows(given: string | undefined): void {
  if (given === undefined) return;
  const only = partsOfOnly(given).find((part) => rowsNamed(part).length === 0);
  if (only === undefined) return;
  const families = [...new Set(ROWS.map(({ family }) => family))];
  const guess = didYouMean(only, [...ROWS.map(({ id }) => id), ...families]);
  const none = `no row or family ${only}${guess}${whyNoRow(only)}`;
  const why = only === '' ? 'needs a part of the name of a row or family' : none;
  throw new InputError(`--only: ${why} (families: ${families.join('; ')})`);
}

/** Of a published row for which nothing runs. */
function whyNoRow(id: string): string {
  const known = uncoveredRows().find((row) => row.id === id);
  return known === undefined ? '' : `: it is not covered, because ${known.why}`;
}

async function showRow(id: string, { json }: ValidateFlags, terminal: Terminal): Promise<number> {
  const row = ROWS.find((known) => known.id === id);
  if (row === undefined) {
    const guess = didYouMean(
      id,
      ROWS.map((known) => known.id),
    );
    const all = "; validate's table lists them";
    throw new InputError(`--show: no row ${id}${guess}${whyNoRow(id) || all}`);
  }
  const result = await judgeRow(row, IO, new ScenarioRuns());
  if (json === true) terminal.out(jsonLine(result));
  else {
    const { hardware, source, ref, command, reading } = result;
    const about = [`${source}; ${ref}`, hardware, '', ...rowTable([result], terminal.colors)];
    const how = reading === null ? [] : ['', `read off its JSON: ${reading}`];
    terminal.out(`${[...about, '', command, ...how].join('\n')}\n`);
  }
  return result.within ? EXIT_OK : EXIT_FAILED;
}

async function showSensitivity({ only, json }: ValidateFlags, terminal: Terminal): Promise<number> {
  const rows = rowsNamed(only);
  const families = [...new Set(rows.map(({ family }) => family))];
  const found = [];
  const progress = progressOf(families.length, 'families', terminal);
  for (const family of families) {
    const own = rows.filter((row) => row.family === family);
    found.push(await sensitivityOf(family, own, IO));
    progress.done();
  }
  progress.clear();
  terminal.out(
    json === true ? jsonLine(found) : `${sensitivityTable(found, terminal.colors).join('\n')}\n`,
  );
  return EXIT_OK;
}
