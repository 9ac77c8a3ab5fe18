/** Findings as text: what was seen, and below it the options that would change it. */
import type { Colors } from 'picocolors/types';
import type { Cure, Finding } from '../lab/finding.ts';
import { RUN_OPTIONS } from '../lab/optionSchema.ts';
import type { RunReport } from '../lab/report.ts';
import { count, percent, plural } from '../lab/format.ts';
import { wrapped } from './wrap.ts';

const WIDTH = 92;
/** At the end of a run. */
const SHORT = 3;
/** Flags that take no value. */
const BARE: ReadonlySet<string> = new Set(
  RUN_OPTIONS.filter(({ value }) => value === '').map(({ flag }) => flag),
);

/** `--rx-ring 1023 --budget 64`. */
export const cureFlags = ({ options }: Cure): string =>
  Object.entries(options)
    .map(([name, value]) => (BARE.has(`--${name}`) ? `--${name}` : `--${name} ${value}`))
    .join(' ');

const cureText = (cure: Cure): string => {
  const flags = cureFlags(cure);
  return flags === '' ? cure.why : `${flags}  ${cure.why}`;
};

/** Each finding numbered, its cures marked with an arrow; without findings one line that says so. */
export function findingLines(
  report: Pick<RunReport, 'findings' | 'cpus' | 'packets'>,
  c: Colors,
): string[] {
  const { findings } = report;
  if (findings.length === 0) return [`  ${healthy(report)}`];
  return findings.flatMap((finding, i) => [
    ...(i === 0 ? [] : ['']),
    ...marked(`${i + 1}`.padStart(3), finding, finding.cures, c),
  ]);
}

/**
 * The first sentence of the first few that are more than notes, with the first cure of each, for the
 * end of a run's tables.
 */
export function shortFindings({ findings }: RunReport, c: Colors): string[] {
  const shown = findings.filter(({ kind }) => kind !== 'note').slice(0, SHORT);
  if (shown.length === 0) return [];
  const named = new Set<string>();
  const lines = shown.flatMap((finding) => {
    const cures = finding.cures.slice(0, 1).filter((cure) => !named.has(cureFlags(cure)));
    for (const cure of cures) named.add(cureFlags(cure));
    const [says] = finding.says.split(/(?<=\.) /);
    return marked('  •', { ...finding, says: says! }, cures, c);
  });
  const more = findings.length - shown.length;
  const all =
    more === 0 ? 'the whole of it' : `${plural(more, 'more finding')}, and the whole of it`;
  return [...lines, `    ${c.dim(`${all}: ringscope explain`)}`];
}

/** Broken into lines, but not between a number and its unit, nor an option and its value. */
const unbroken = (text: string, width: number): string[] =>
  wrapped(text.replaceAll(/(?<=\d) (?=%|[mnµ]?s\b)|(?<=--[a-z-]+) (?! )/g, '\u00a0'), width).map(
    (line) => line.replaceAll('\u00a0', ' '),
  );

/** @param mark three characters wide */
export function marked(
  mark: string,
  { says, kind }: Finding,
  cures: readonly Cure[],
  c: Colors,
): string[] {
  const style = kind === 'loss' ? c.red : kind === 'note' ? c.dim : c.yellow;
  return [
    ...unbroken(says, WIDTH).map((line, i) => `${i === 0 ? style(mark) : '   '} ${line}`),
    ...cures.flatMap((cure) =>
      unbroken(cureText(cure), WIDTH - 2).map(
        (line, i) => `    ${i === 0 ? c.green('→') : ' '} ${line}`,
      ),
    ),
  ];
}

function healthy({ cpus, packets }: Pick<RunReport, 'cpus' | 'packets'>): string {
  const busiest = cpus.toSorted((a, b) => b.busyPct - a.busyPct)[0];
  const busy =
    busiest === undefined
      ? ''
      : ` CPU ${busiest.id} is the busiest with ${percent(busiest.busyPct, 1)}.`;
  return `Nothing to mend: of ${count(packets.offered)} packets none was lost, late or in the way of others.${busy}`;
}
