import { expect, test } from 'vitest';
import { FIGURES } from '../../../src/lab/validate/figures.ts';
import { SHEETS } from '../../../src/lab/validate/plotSheets.ts';
import { ROWS } from '../../../src/lab/validate/rows.ts';

test('every published point is a figure, and every curve has a model', () => {
  for (const { curves } of SHEETS) {
    for (const { at = [], model } of curves) {
      const ids = at.map(([, id]) => id);
      expect(ids.filter((id) => !FIGURES.some((figure) => figure.id === id))).toEqual([]);
      expect(model !== undefined || ids.every((id) => ROWS.some((row) => row.id === id))).toBe(
        true,
      );
      expect(model?.over.length ?? ids.length).toBeGreaterThan(1);
    }
  }
});

test('the line beside the batch curve is that of the least squares over 1 / weight', () => {
  const { guide } = SHEETS.find(({ file }) => file === 'batch.svg')!;
  const points = [1, 2, 4].map((x) => ({ x, y: 40 + 8 / x, says: '' }));
  const { name, at } = guide!(points);
  expect(name).toBe('40.0 + 8.0 / weight');
  expect(at(8)).toBeCloseTo(41, 9);
});
