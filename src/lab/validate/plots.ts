/** The curves of docs/validation.md: published points, and what the model says between them. */
import { linePlot } from '../plotLines.ts';
import type { PlotPoint, PlotSeries } from '../plotLines.ts';
import type { RunIo } from '../run.ts';
import { FIGURES } from './figures.ts';
import type { Curve, PublishedPoint, Sheet } from './plotSheets.ts';
import { SHEETS } from './plotSheets.ts';
import { ROWS } from './rows.ts';
import type { ScenarioRuns } from './validate.ts';

export interface ValidationPlot {
  readonly file: string;
  readonly title: string;
  /** A sentence on what to see. */
  readonly says: string;
  readonly svg: string;
}

export async function validationPlots(runs: ScenarioRuns, io: RunIo): Promise<ValidationPlot[]> {
  const plots: ValidationPlot[] = [];
  for (const sheet of SHEETS) plots.push(await drawn(sheet, runs, io));
  return plots;
}

async function drawn(sheet: Sheet, runs: ScenarioRuns, io: RunIo): Promise<ValidationPlot> {
  const { file, title, says, scale, curves } = sheet;
  const series: PlotSeries[] = [];
  for (const [colour, curve] of curves.entries()) {
    const { name, at = [] } = curve;
    if (at.length > 0) {
      series.push({ name: `${name}, published`, points: published(at, scale), colour });
    }
    const points = await modelled(curve, scale, runs, io);
    series.push({ name: `${name}, modelled`, points, colour, dashed: true });
  }
  const log = sheet.linear === true ? { log: false } : {};
  const first = series.find(({ dashed }) => dashed)!;
  const svg = linePlot({
    ...{ title, series, x: { title: sheet.x, ...log }, y: { title: sheet.y, ...log } },
    ...(sheet.guide === undefined ? {} : { guide: sheet.guide(first.points) }),
  });
  return { file, title, says, svg };
}

const published = (at: readonly PublishedPoint[], scale: number): PlotPoint[] =>
  at.map(([x, id, parts = 1]) => {
    const { value } = FIGURES.find((figure) => figure.id === id)!;
    return { x, y: (value * scale) / parts, says: `${id}, published: ${value}` };
  });

async function modelled(
  { name, at = [], model }: Curve,
  scale: number,
  runs: ScenarioRuns,
  io: RunIo,
): Promise<PlotPoint[]> {
  const points: PlotPoint[] = [];
  for (const x of model?.over ?? []) {
    const value = model!.modelled(await runs.report(model!.scenario(x), io));
    points.push({ x, y: value * scale, says: `${name} at ${x}: ${value.toPrecision(4)}` });
  }
  if (model !== undefined) return points;
  for (const [x, id, parts = 1] of at) {
    const row = ROWS.find((known) => known.id === id)!;
    const value = row.modelled(await runs.report(row.scenario, io));
    const says = `${id}, modelled: ${value.toPrecision(4)}`;
    points.push({ x, y: (value * scale) / parts, says });
  }
  return points;
}
