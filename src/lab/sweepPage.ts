/**
 * A sweep as one page: plots, heat maps, the table, the command that repeats it. The file stands
 * alone: nothing in it is loaded from anywhere.
 */
import type { Measure } from './measures.ts';
import { MEASURES } from './measures.ts';
import { element, escaped } from './plotSvg.ts';
import type { WeightFit } from './sweepFit.ts';
import { fitText } from './sweepFit.ts';
import type { NamedHeat, PlotsShown } from './sweepPlots.ts';
import { CLIENTS, isKnown, sweepHeats, sweepPlots } from './sweepPlots.ts';
import type { SweepResult, SweptPoint } from './sweepResult.ts';
import { axisNumber, measured } from './sweepResult.ts';

export interface PageInput {
  readonly result: SweepResult;
  /** Columns of the table behind the options, as text. */
  readonly measures: readonly Measure[];
  readonly valueText: (value: number, unit: Measure['unit']) => string;
  /** In the order of the table. */
  readonly sorted: readonly SweptPoint[];
  readonly fits: readonly WeightFit[];
}

/** Of the heat maps, before what was asked for. */
const HEATS = ['received', 'loss', 'p50', 'p99', 'p999', 'cpu', 'cpuNs', 'perPoll'];

export const pageHeats = ({ result, measures }: PageInput): NamedHeat[] => {
  const closed = MEASURES.filter((one) => CLIENTS.includes(one.name) && isKnown(result, one));
  return sweepHeats(result, [
    ...MEASURES.filter(({ name }) => HEATS.includes(name)),
    ...closed,
    ...measures.filter((measure) => !HEATS.includes(measure.name) && !closed.includes(measure)),
  ]);
};

export function sweepPage(input: PageInput): string {
  const { result, fits } = input;
  const { points, axes } = result;
  const shown = sweepPlots(result);
  const first = points[0]?.runs[0]?.report.run;
  const seeds = Math.max(0, ...points.map(({ runs }) => runs.length));
  const swept = (name: string): boolean => axes.some(({ key }) => key === name);
  const facts = [
    `${points.length} points`,
    ...(seeds > 1 ? [`${seeds} seeds each; bars are one standard deviation`] : []),
    ...axes.map(({ name, values }) => `${name}: ${values.join(', ')}`),
    ...(first === undefined || swept('profile') ? [] : [`profile ${first.profile}`]),
    ...(first === undefined || swept('xdp') ? [] : [`program ${first.xdp}`]),
  ];
  const body = [
    element('h1', {}, 'Sweep'),
    element('pre', { class: 'command' }, escaped(result.command)),
    element('p', { class: 'facts' }, escaped(facts.join(' · '))),
    plotsPart(shown),
    heatPart(pageHeats(input)),
    fitPart(fits),
    element('h2', {}, tableTitle(input)),
    tablePart(input),
    element('div', { id: 'tip', hidden: '' }, ' '),
  ];
  return [
    '<!doctype html>',
    '<html lang="en"><head><meta charset="utf-8">',
    '<meta name="viewport" content="width=device-width, initial-scale=1">',
    `<title>ringscope sweep: ${escaped(axes.map(({ name }) => name).join(', '))}</title>`,
    `<style>${STYLE}</style></head>`,
    `<body>${body.join('\n')}`,
    `<script>${SCRIPT}</script></body></html>\n`,
  ].join('\n');
}

function plotsPart({ plots, shown, of }: PlotsShown): string {
  if (plots.length === 0) return '';
  const left =
    shown === of ? '' : element('p', {}, `${shown} of ${of} series are drawn, evenly chosen.`);
  const figures = plots.map(({ svg }) => element('figure', {}, svg));
  return left + element('div', { class: 'plots' }, ...figures);
}

const choice = (id: string, words: readonly string[]): string =>
  element(
    'select',
    { id },
    ...[...new Set(words)].map((word) => element('option', {}, escaped(word))),
  );

function heatPart(heats: readonly NamedHeat[]): string {
  if (heats.length === 0) return '';
  const figures = heats.map(({ svg, options, measure }, i) =>
    element(
      'figure',
      { 'data-options': options, 'data-measure': measure, ...(i === 0 ? {} : { hidden: '' }) },
      svg,
    ),
  );
  return [
    element('h2', {}, 'Over two options'),
    element(
      'p',
      { class: 'choose' },
      element(
        'label',
        {},
        'Measure ',
        choice(
          'measure',
          heats.map((heat) => heat.measure),
        ),
      ),
      element(
        'label',
        {},
        'Options ',
        choice(
          'options',
          heats.map((heat) => heat.options),
        ),
      ),
    ),
    element('div', { id: 'heats' }, ...figures),
  ].join('');
}

const fitPart = (fits: readonly WeightFit[]): string =>
  fits.length === 0
    ? ''
    : element('h2', {}, 'Throughput against the NAPI weight') +
      element('ul', {}, ...fits.map((fit) => element('li', {}, escaped(fitText(fit)))));

/** Plots show every point, the table those that were wanted. */
const tableTitle = ({ result: { points }, sorted }: PageInput): string =>
  sorted.length === points.length
    ? 'All points'
    : `The ${sorted.length} of ${points.length} points that were wanted`;

function tablePart({ result, measures, sorted, valueText }: PageInput): string {
  const { axes } = result;
  const heads = [...axes.map(({ name }) => [name, '']), ...measures.map((m) => [m.name, m.says])];
  const row = (point: SweptPoint): string => {
    const options = axes.map(({ key }) => {
      const value = point.point[key]!;
      const number = axisNumber(value);
      const sortBy = Number.isFinite(number) ? String(number) : value;
      return element('th', { scope: 'row', 'data-v': sortBy }, escaped(value));
    });
    const values = measures.map((measure) => {
      const { mean, deviation } = measured(point, measure);
      const spread = point.runs.length > 1 ? ` ±${valueText(deviation, measure.unit)}` : '';
      return element('td', { 'data-v': String(mean) }, valueText(mean, measure.unit) + spread);
    });
    return element('tr', {}, ...options, ...values);
  };
  return element(
    'table',
    {},
    element(
      'thead',
      {},
      element(
        'tr',
        {},
        ...heads.map(([name, says]) =>
          element('th', { title: says! }, element('button', { type: 'button' }, escaped(name!))),
        ),
      ),
    ),
    element('tbody', {}, ...sorted.map(row)),
  );
}

const STYLE = `
body{font:14px/1.45 'Helvetica Neue',Helvetica,Arial,'Liberation Sans',sans-serif;color:#222;margin:2rem auto;max-width:1180px;padding:0 1rem}
h1{font-size:1.6rem;margin:0 0 .5rem}h2{font-size:1.15rem;margin:2rem 0 .5rem}
.command{background:#f5f5f5;border:1px solid #e4e4e4;border-radius:4px;padding:.6rem .8rem;white-space:pre-wrap;word-break:break-word;user-select:all}
.facts{color:#555}.plots{display:grid;grid-template-columns:repeat(auto-fill,minmax(min(100%,540px),1fr));gap:1rem}
figure{margin:0}figure svg{max-width:100%;height:auto;display:block}
.choose label{margin-right:1.5rem}select{font:inherit}
table{border-collapse:collapse;font-variant-numeric:tabular-nums}
th,td{padding:.2rem .7rem;text-align:right;border-bottom:1px solid #eee;white-space:nowrap}
thead th{position:sticky;top:0;background:#fff;border-bottom:1px solid #222}
thead button{font:inherit;font-weight:bold;border:0;background:none;padding:0;cursor:pointer}
tbody tr:hover{background:#f5f8fb}tbody th{font-weight:600}
#tip{position:fixed;pointer-events:none;background:#222;color:#fff;padding:.25rem .5rem;border-radius:3px;font-size:12px;max-width:360px;z-index:9}
circle[data-says]:hover{r:5px}
@media print{#tip,.choose{display:none}}`;

/** Values under the pointer, the choice of a heat map, a table that sorts by a click. */
const SCRIPT = `
for (const title of document.querySelectorAll('svg title')) {
  title.parentNode.dataset.says = title.textContent;
  title.remove();
}
const tip = document.getElementById('tip');
document.addEventListener('pointermove', (event) => {
  const mark = event.target.closest?.('[data-says]');
  tip.hidden = !mark;
  if (!mark) return;
  tip.textContent = mark.dataset.says;
  const left = event.clientX + 14 + tip.offsetWidth > innerWidth;
  tip.style.left = (left ? event.clientX - 14 - tip.offsetWidth : event.clientX + 14) + 'px';
  tip.style.top = event.clientY + 14 + 'px';
});
document.addEventListener('scroll', () => (tip.hidden = true));
const [measure, options] = ['measure', 'options'].map((id) => document.getElementById(id));
const choose = () => {
  for (const figure of document.querySelectorAll('#heats figure'))
    figure.hidden = figure.dataset.measure !== measure.value || figure.dataset.options !== options.value;
};
measure?.addEventListener('change', choose);
options?.addEventListener('change', choose);
const body = document.querySelector('tbody');
document.querySelectorAll('thead button').forEach((button, column) => {
  let down = false;
  button.addEventListener('click', () => {
    const value = (row) => row.children[column].dataset.v;
    const rows = [...body.children].sort((a, b) => {
      const [x, y] = [value(a), value(b)];
      return Number.isNaN(+x) || Number.isNaN(+y) ? x.localeCompare(y) : x - y;
    });
    body.append(...(down ? rows.reverse() : rows));
    down = !down;
  });
});`;
