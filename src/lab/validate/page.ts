/** docs/validation.md: every published row, what the model says to it, and the curves. */
import type { ValidationPlot } from './plots.ts';
import type { RowResult, ValidationReport } from './validate.ts';
import { figureText, signedPercent } from './words.ts';

const cell = (text: string): string => text.replaceAll('|', '\\|');

const table = (titles: readonly string[], rows: readonly (readonly string[])[]): string =>
  [
    `| ${titles.join(' | ')} |`,
    `| ${titles.map(() => '---').join(' | ')} |`,
    ...rows.map((row) => `| ${row.map(cell).join(' | ')} |`),
  ].join('\n');

const shareOf = (within: number, of: number): string[] =>
  of === 0 ? ['', ''] : [`${within}`, `${of}`];

export function validationPage(report: ValidationReport, plots: readonly ValidationPlot[]): string {
  const { families, uncovered, compared, further } = report;
  const sections = [
    '# The model against published figures',
    'Written by `ringscope validate --docs docs`. The code path is that of bnxt; its timing comes ' +
      'from published measurements of mlx5, i40e and ixgbe. No public table of packet rates of ' +
      'bnxt exists, so nothing here says how fast a bnxt is. [The model](model.md) says how time ' +
      'is made and what is left out.',
    `**${compared.within} of ${compared.of}** rows to compare with are within tolerance; ` +
      `${compared.covered} have a run that stands for them. A tolerance is the published one, ` +
      'else 10 %, and 25 % for latencies, interrupt rates and miss rates. Rows marked *fitted* ' +
      'decided values of a profile and are counted nowhere. `ringscope validate --show ROW` prints ' +
      'the command of any row.',
    `What else these publications have - other core counts, rings, loads and frames - was looked up ` +
      `later. But for rows that are marked *fitted*, nothing was fitted on it: of ${further.of} such ` +
      `*further* rows ${further.covered} have a run, and **${further.within}** are within tolerance. ` +
      'None was left out because it misses.',
    '## By family',
    table(
      ['Family', 'Within', 'Rows', 'Fitted', 'Further, within', 'Further rows'],
      families.map((own) => [
        own.family,
        ...shareOf(own.within, own.rows),
        own.fitted === 0 ? '' : `${own.fitted}`,
        ...shareOf(own.further.within, own.further.rows),
      ]),
    ),
    '## Curves',
    'Full lines and dots are published, dashed lines are modelled; where only a line is dashed, ' +
      'nothing was published.',
    ...plots.map(({ file, title, says }) => `### ${title}\n\n${says}\n\n![${title}](${file})`),
    '## Row by row',
    ...families.map(({ family }) => familySection(family, report.rows)),
    '## Not covered',
    table(
      ['Row', 'Workload', 'Because'],
      uncovered
        .filter(({ use }) => use === 'validate')
        .map(({ id, workload, why }) => [id, workload, why]),
    ),
    '## Sources',
    [...new Set(report.rows.map(({ source }) => source))].map((source) => `- ${source}`).join('\n'),
  ];
  return `${sections.join('\n\n')}\n`;
}

function familySection(family: string, rows: readonly RowResult[]): string {
  const own = rows.filter((row) => row.family === family);
  const lines = own.map((row) => [
    row.id,
    `${row.workload}: ${row.metric}`,
    figureText(row.published, row.unit),
    figureText(row.modelled, row.unit),
    signedPercent(row.errorPct),
    verdictOf(row),
  ]);
  return `### ${family}\n\n${table(['Row', 'What', 'Published', 'Modelled', 'Error', ''], lines)}`;
}

function verdictOf({ use, set, within, tolPct }: RowResult): string {
  if (use === 'calibrate') return 'fitted';
  return `${within ? 'within' : `**beyond ${tolPct} %**`}${set === 'further' ? ', further' : ''}`;
}
