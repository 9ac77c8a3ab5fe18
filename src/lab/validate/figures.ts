/** Published measurements by row; the texts they are read from are `figuresText.ts` and two of further rows. */
import { FIGURES_TEXT } from './figuresText.ts';
import { FURTHER_LAB_TEXT } from './furtherLabText.ts';
import { FURTHER_LINKS_TEXT } from './furtherLinksText.ts';

export interface Figure {
  /** Of the reference figures, or what else the same publications have. */
  readonly set: 'reference' | 'further';
  readonly id: string;
  readonly workload: string;
  readonly metric: string;
  readonly value: number;
  readonly unit: string;
  readonly use: 'calibrate' | 'validate';
  /** What it needs of the emulator: path, stack, pcie, memory, napi, app, or what is not modelled. */
  readonly needs: string;
  /** Percent; undefined where none is given. */
  readonly tolPct: number | undefined;
  readonly ref: string;
  readonly source: string;
  readonly hardware: string;
}

const SEPARATOR = ' | ';
const NONE = '-';

function readFigures(set: Figure['set'], text: string): Figure[] {
  const figures: Figure[] = [];
  let source = '';
  let hardware = '';
  for (const line of text.trim().split('\n')) {
    const cells = line.split(SEPARATOR);
    if (line.startsWith('# ')) {
      source = cells[0]!.slice(2);
      hardware = cells[1]!;
      continue;
    }
    const [id, workload, metric, value, unit, use, needs, tolPct, ref] = cells;
    figures.push({
      set,
      ...{ id: id!, workload: workload!, metric: metric!, unit: unit!, needs: needs!, ref: ref! },
      use: use === 'calibrate' ? 'calibrate' : 'validate',
      value: Number(value),
      tolPct: tolPct === NONE ? undefined : Number(tolPct),
      ...{ source, hardware },
    });
  }
  return figures;
}

export const FIGURES: readonly Figure[] = [
  ...readFigures('reference', FIGURES_TEXT),
  ...readFigures('further', FURTHER_LAB_TEXT),
  ...readFigures('further', FURTHER_LINKS_TEXT),
];
