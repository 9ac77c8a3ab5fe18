import { expect, test } from 'vitest';
import { sensitivityOf } from '../../../src/lab/validate/sensitivity.ts';
import { rowsNamed } from '../../../src/lab/validate/validate.ts';

const io = {
  readFile: () => Promise.reject(new Error('no files here')),
  importProgram: () => Promise.reject(new Error('no modules here')),
  nowMs: () => 0,
};

test('a row about one operation depends on that one, however little of the time it takes', async () => {
  const { influences } = await sensitivityOf('page_pool', rowsNamed('pp.amd.fast'), io);
  expect(influences.length).toBeLessThanOrEqual(3); // what changes nothing is not listed
  expect(influences[0]!.op).toBe('page_pool cache');
  expect(influences[0]!.changePct).toBeCloseTo(10, 1);
});

test('rows that hang on chance are not looked at', async () => {
  const rows = rowsNamed('irqs.800K.base.ppi');
  expect(await sensitivityOf('packets per interrupt', rows, io)).toEqual({
    family: 'packets per interrupt',
    rows: [],
    influences: [],
  });
});
