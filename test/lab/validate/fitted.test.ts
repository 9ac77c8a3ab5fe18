/** What profiles were fitted on they must still say: a cost that moves moves these. */
import { expect, test } from 'vitest';
import { FIGURES } from '../../../src/lab/validate/figures.ts';
import { ROWS } from '../../../src/lab/validate/rows.ts';
import { ScenarioRuns, judgeRow } from '../../../src/lab/validate/validate.ts';

const io = {
  readFile: () => Promise.reject(new Error('no files here')),
  importProgram: () => Promise.reject(new Error('no modules here')),
  nowMs: () => 0,
};
const fitted = ROWS.filter(
  ({ id }) => FIGURES.find((figure) => figure.id === id)!.use === 'calibrate',
);
const runs = new ScenarioRuns();

test('there are rows to fit on', () => expect(fitted.length).toBeGreaterThanOrEqual(9));

// a ring of 256 that stalls between doorbell and completion; DIM that stays at long waits: no operation's time mends that
const MISSED = ['tx.r256.1c', 'irqs.200K.base.avg'];
test.each(fitted.filter(({ id }) => !MISSED.includes(id)).map((row) => [row.id, row] as const))(
  '%s is met within 2 %%',
  async (_, row) => {
    const { errorPct } = await judgeRow(row, io, runs);
    expect(Math.abs(errorPct)).toBeLessThan(2);
  },
);
