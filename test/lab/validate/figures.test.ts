import { expect, test } from 'vitest';
import { FIGURES } from '../../../src/lab/validate/figures.ts';

const COVERABLE = ['path', 'stack', 'pcie', 'memory', 'napi', 'app'];

test('each figure has an id of its own, a number, a source and a place in it', () => {
  expect(new Set(FIGURES.map(({ id }) => id)).size).toBe(FIGURES.length);
  for (const { value, source, ref, hardware, unit } of FIGURES) {
    expect(Number.isFinite(value)).toBe(true);
    expect([source, ref, hardware, unit]).not.toContain('');
  }
});

test('122 rows are there to be compared with, 46 or more to fit on', () => {
  const compared = FIGURES.filter(
    ({ set, use, needs }) => set === 'reference' && use === 'validate' && COVERABLE.includes(needs),
  );
  expect(compared.length).toBe(122);
  expect(FIGURES.filter(({ use }) => use === 'calibrate').length).toBeGreaterThanOrEqual(46);
});

test('further rows are there to be compared with, but for the rates that a TX queue was fitted on', () => {
  const further = FIGURES.filter(({ set }) => set === 'further');
  expect(further.length).toBeGreaterThan(200);
  const others = further.filter(({ use }) => use !== 'validate').map(({ id }) => id);
  expect(others).toHaveLength(10);
  for (const id of others) expect(id).toMatch(/^ddio\.(512|1024)B\.\d+\.pps$/);
});
