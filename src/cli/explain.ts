/** `ringscope explain`: what a run, or a kept result of one or many, shows in words. */
import { readBytes, readScenarioFile } from '../lab/files.ts';
import type { Cure } from '../lab/finding.ts';
import { duration, percent, plural, share } from '../lab/format.ts';
import { camel, kebab } from '../lab/optionNames.ts';
import type { OptionSource } from '../lab/options.ts';
import { fromFlags, OptionError, readOptions } from '../lab/options.ts';
import type { RunReport } from '../lab/report.ts';
import type { BuildMachine } from '../lab/run.ts';
import { EXIT_FAILED, EXIT_OK } from './failure.ts';
import { cureFlags, findingLines } from './findings.ts';
import { keptReports, manyFindings } from './keptResults.ts';
import { runShowingProgress } from './run.ts';
import { SINGLE_RUN_KEYS } from '../lab/sweepPlan.ts';
import type { Row } from './table.ts';
import { styled, table } from './table.ts';
import { brokenRules, header } from './tables.ts';
import type { Terminal } from './terminal.ts';

type Flags = Readonly<Record<string, unknown>>;

/**
 * @param what a scenario, or a result that `run --json`, `sweep --json` or `sweep --out` has written
 * @param trying run again with each cure, and compare
 * @returns the exit code
 */
export async function explainCommand(
  what: string | undefined,
  { try: trying, ...flags }: Flags,
  terminal: Terminal,
  build: BuildMachine,
): Promise<number> {
  if (what !== undefined && /\.jsonl?$/.test(what))
    return explainKept(what, flags, trying === true, terminal);
  const no = SINGLE_RUN_KEYS.find((key) => flags[key] !== undefined);
  if (no !== undefined) throw new OptionError(`explain: takes no --${kebab(no)}, which run does`);
  const inFile = what === undefined ? [] : [await readScenarioFile(what)];
  const sources = [...inFile, fromFlags(flags)];
  const options = readOptions(sources);
  const { report } = await runShowingProgress(options, terminal, build);
  const tried = trying === true ? await withCures(report, sources, terminal, build) : [];
  if (options.json) {
    const { findings, run, conserved } = report;
    const said = tried.map(({ cure, report: after }) => ({
      ...{ options: cure.options, before: shortNumbers(report), after: shortNumbers(after) },
      findings: after.findings.map(({ id }) => id),
    }));
    const text = { run, conserved, findings, ...(trying === true ? { tried: said } : {}) };
    terminal.out(`${JSON.stringify(text)}\n`);
  } else {
    const sections = [
      header(report, terminal.colors),
      findingLines(report, terminal.colors),
      triedTable(report, tried, terminal),
    ];
    terminal.out(
      `${sections.flatMap((s) => (s.length === 0 ? [] : [s.join('\n')])).join('\n\n')}\n`,
    );
  }
  if (report.conserved) return EXIT_OK;
  terminal.err(`run failed: ${brokenRules(report).join('; ')}\n`);
  return EXIT_FAILED;
}

async function explainKept(
  name: string,
  { json, ...others }: Flags,
  trying: boolean,
  terminal: Terminal,
): Promise<number> {
  const alien = Object.keys(others)[0];
  if (alien !== undefined)
    throw new OptionError(`explain: ${name} is a result, which no option of a run changes`);
  if (trying) throw new OptionError(`--try: needs options of a run, and ${name} is a result`);
  const kept = keptReports(name, new TextDecoder().decode(await readBytes('explain', name)));
  if (json === true) {
    const all = kept.map(({ point, report: { findings } }) => ({ point, findings }));
    terminal.out(`${JSON.stringify(kept.length === 1 ? all[0] : all)}\n`);
    return EXIT_OK;
  }
  const c = terminal.colors;
  const only = kept.length === 1 ? kept[0] : undefined;
  const lines =
    only === undefined
      ? [`${name}: ${plural(kept.length, 'run')}`, '', ...manyFindings(kept, c)]
      : [...header(only.report, c), '', ...findingLines(only.report, c)];
  terminal.out(`${lines.join('\n')}\n`);
  return EXIT_OK;
}

interface Tried {
  readonly cure: Cure;
  readonly report: RunReport;
}

/** Each cure that is an option, once. */
async function withCures(
  { findings }: RunReport,
  sources: readonly OptionSource[],
  terminal: Terminal,
  build: BuildMachine,
): Promise<Tried[]> {
  const cures = new Map(
    findings.flatMap(({ cures: all }) => all).map((cure) => [cureFlags(cure), cure] as const),
  );
  cures.delete('');
  const tried: Tried[] = [];
  for (const cure of cures.values()) {
    const changed = Object.entries(cure.options).map(([key, value]) => [camel(key), value]);
    const options = readOptions([...sources, fromFlags(Object.fromEntries(changed))]);
    const { report } = await runShowingProgress(options, terminal, build);
    tried.push({ cure, report });
  }
  return tried;
}

const lostIn = ({ packets }: RunReport): number =>
  Object.values(packets.lost).reduce((sum, n) => sum + n, 0);

const shortNumbers = (report: RunReport): Record<string, number> => ({
  lost: lostIn(report),
  p50: report.latencyNs.p50,
  p99: report.latencyNs.p99,
  cpu: Math.max(0, ...report.cpus.map(({ busyPct }) => busyPct)),
  squeeze: report.napi.timeSqueeze,
});

function triedRow(name: string, report: RunReport): Row {
  const { lost, p50, p99, cpu, squeeze } = shortNumbers(report);
  return [
    name,
    share(lost!, report.packets.offered),
    duration(p50!),
    duration(p99!),
    percent(cpu!, 1),
    `${squeeze}`,
    `${report.findings.length}`,
  ];
}

function triedTable(before: RunReport, tried: readonly Tried[], { colors: c }: Terminal): string[] {
  if (tried.length === 0) return [];
  const titles = ['lost', 'p50', 'p99', 'busiest CPU', 'squeezes', 'findings'];
  return table(
    [
      [styled(c.bold, 'tried'), ...titles.map((title) => styled(c.dim, title))],
      triedRow('as it is', before),
      ...tried.map(({ cure, report }) => triedRow(cureFlags(cure), report)),
    ],
    ['left'],
  );
}
