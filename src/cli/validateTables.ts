/** What `ringscope validate` prints. */
import type { Colors } from 'picocolors/types';
import type { FamilySensitivity } from '../lab/validate/sensitivity.ts';
import type { RowResult, ValidationReport } from '../lab/validate/validate.ts';
import { figureText, signedPercent } from '../lab/validate/words.ts';
import type { Row } from './table.ts';
import { styled, table } from './table.ts';

const heading = (c: Colors, ...titles: readonly string[]): Row =>
  titles.map((title) => styled(c.bold, title));

export function rowTable(rows: readonly RowResult[], c: Colors): string[] {
  const lines = rows.map((row): Row => [
    row.id,
    row.metric,
    figureText(row.published, row.unit),
    figureText(row.modelled, row.unit),
    signedPercent(row.errorPct),
    `${row.tolPct} %`,
    styled(row.within ? c.green : c.red, row.within ? 'within' : 'beyond'),
    row.use === 'calibrate' ? 'fitted' : '',
  ]);
  const titles = ['row', 'metric', 'published', 'modelled', 'error', 'tolerance', '', ''];
  return table(
    [heading(c, ...titles), ...lines],
    ['left', 'left', 'right', 'right', 'right', 'right', 'left', 'left'],
  );
}

export function familyTable({ families }: ValidationReport, c: Colors): string[] {
  const lines = families.map(({ family, rows, within }): Row => [family, `${within}`, `${rows}`]);
  return table([heading(c, 'family', 'within', 'of'), ...lines], ['left']);
}

export const comparedLine = ({ compared: { of, covered, within } }: ValidationReport): string[] => [
  `${within} of ${of} rows to compare with are within tolerance; ${covered} have a run.`,
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
  const lines = found.map(({ family, influences }): Row => [
    family,
    influences.map(({ op, changePct }) => `${op} ${signedPercent(changePct)}`).join('; '),
  ]);
  return table([heading(c, 'family', '10 % more of'), ...lines], ['left', 'left']);
}
