/** What `ringscope validate` prints. */
import type { Colors } from 'picocolors/types';
import type { FamilySensitivity } from '../lab/validate/sensitivity.ts';
import type { RowResult, ValidationReport } from '../lab/validate/validate.ts';
import { figureText, signedPercent } from '../lab/validate/words.ts';
import type { Cell, Row } from './table.ts';
import { styled, table } from './table.ts';

const heading = (c: Colors, ...titles: readonly string[]): Row =>
  titles.map((title) => styled(c.bold, title));

/** A heading and a line for each row. */
export function rowTable(rows: readonly RowResult[], c: Colors): string[] {
  const lines = rows.map((row): Row => [
    row.id,
    figureText(row.published, row.unit),
    figureText(row.modelled, row.unit),
    signedPercent(row.errorPct),
    `${row.tolPct} %`,
    verdictOf(row, c),
    `${row.workload}: ${row.metric}`,
  ]);
  const titles = ['row', 'published', 'modelled', 'error', 'tolerance', '', 'workload'];
  return table(
    [heading(c, ...titles), ...lines],
    ['left', 'right', 'right', 'right', 'right', 'left', 'left'],
  );
}

function verdictOf({ within, use }: RowResult, c: Colors): Cell {
  if (use === 'calibrate') return styled(c.dim, 'fitted');
  return styled(within ? c.green : c.red, within ? 'within' : 'beyond');
}

/** The rows of each family beneath it and its sources, in the columns of one table. */
export function familySections(rows: readonly RowResult[], c: Colors): string[] {
  const families = new Map<string, RowResult[]>();
  for (const row of rows) families.set(row.family, [...(families.get(row.family) ?? []), row]);
  const [titles, ...lines] = rowTable([...families.values()].flat(), c);
  const sections = [titles!];
  let next = 0;
  for (const [family, own] of families) {
    const sources = new Set(own.map(({ source, hardware }) => `${source}; ${hardware}`));
    sections.push('', c.bold(family), ...[...sources].map((source) => c.dim(source)));
    sections.push(...lines.slice(next, (next += own.length)));
  }
  return sections;
}

const share = (within: number, of: number): Row => (of === 0 ? ['', ''] : [`${within}`, `${of}`]);

export function familyTable({ families }: ValidationReport, c: Colors): string[] {
  const lines = families.map(({ family, rows, within, fitted, further }): Row => [
    ...[family, ...share(within, rows), ...share(further.within, further.rows)],
    fitted === 0 ? '' : `and ${fitted} fitted`,
  ]);
  return table(
    [heading(c, 'family', 'within', 'of', 'further', 'of', ''), ...lines],
    ['left', 'right', 'right', 'right', 'right', 'left'],
  );
}

export const comparedLines = ({ compared, further }: ValidationReport): string[] => [
  `${compared.within} of ${compared.of} rows to compare with are within tolerance; ` +
    `${compared.covered} have a run.`,
  `${further.within} of ${further.of} further rows of the same publications are; ` +
    `${further.covered} have a run.`,
];

export function uncoveredTable({ uncovered }: ValidationReport, c: Colors): string[] {
  const compared = uncovered.filter(({ use }) => use === 'validate');
  return table(
    [
      heading(c, 'not covered', 'metric', 'because'),
      ...compared.map(({ id, metric, why }): Row => [id, metric, why]),
    ],
    ['left', 'left', 'left'],
  );
}

export function sensitivityTable(found: readonly FamilySensitivity[], c: Colors): string[] {
  const lines = found.map(({ family, rows, influences }): Row => [
    family,
    influences.map(({ op, changePct }) => `${op} ${signedPercent(changePct)}`).join('; ') ||
      (rows.length === 0 ? 'not told: adaptive moderation wanders by more' : 'nothing'),
  ]);
  return table([heading(c, 'family', '10 % more of'), ...lines], ['left', 'left']);
}
