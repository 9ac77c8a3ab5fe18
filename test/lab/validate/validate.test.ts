import { readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { FIGURES } from '../../../src/lab/validate/figures.ts';
import { ROWS } from '../../../src/lab/validate/rows.ts';
import { commandLine } from '../../../src/lab/validate/scenario.ts';
import {
  ScenarioRuns,
  judgeRow,
  rowsNamed,
  uncoveredRows,
  validationReport,
} from '../../../src/lab/validate/validate.ts';

const io = {
  readFile: () => Promise.reject(new Error('no files here')),
  importProgram: () => Promise.reject(new Error('no modules here')),
  nowMs: () => 0,
};
const judged = async (id: string) =>
  judgeRow(
    ROWS.find((row) => row.id === id)!,
    io,
    new ScenarioRuns(),
  );

test('every figure has a run or a reason, none both', () => {
  const covered = ROWS.map(({ id }) => id);
  const rest = uncoveredRows();
  expect(new Set(covered).size).toBe(covered.length);
  expect([...covered, ...rest.map(({ id }) => id)].toSorted()).toEqual(
    FIGURES.map(({ id }) => id).toSorted(),
  );
  expect(rest.filter(({ why }) => why === '')).toEqual([]);
});

test('a row of a cpumap: bulk allocation is faster, and reception does not wait for the thread', async () => {
  const top = new URL('../../../', import.meta.url);
  const files = { ...io, readFile: (_: string, name: string) => readFile(new URL(name, top)) };
  const runs = new ScenarioRuns();
  const judge = async (id: string) => judgeRow(rowsNamed(`cpumap.${id}`)[0]!, files, runs);
  const [one, bulk, rx] = [
    await judge('raw.base'),
    await judge('raw.prefetchw'),
    await judge('rx'),
  ];
  // half of what slab saves in bulk, 30.532 to 17.905 ns, is saved by each skb
  expect(1e9 / one.modelled - 1e9 / bulk.modelled).toBeCloseTo((30.532 - 17.905) / 2, 0);
  expect(rx.modelled).toBeGreaterThan(2 * one.modelled);
  expect(rx.command).toContain('--xdp examples/bpf/cpu_spreader.o --at "0 update cpus 0 128"');
});

test('a row is judged by its own tolerance', async () => {
  const row = await judged('drop.nocompress.5c');
  expect(row).toMatchObject({ published: 86973055, tolPct: 5, within: true, use: 'validate' });
  expect(row.command).toMatch(/^ringscope run --profile xdp-paper-2018 --xdp drop --queues 5 /);
});

test('two rows about one machine are one run', async () => {
  const runs = new ScenarioRuns();
  let read = 0;
  const counting = { ...io, nowMs: () => read++ };
  for (const row of rowsNamed('tx.r512.1c'))
    await judgeRow(
      { ...row, scenario: ROWS.find(({ id }) => id === 'tx.r512.1c')!.scenario },
      counting,
      runs,
    );
  expect(rowsNamed('tx.r512.1c').length).toBe(2);
  expect(read).toBe(2); // a run looks at the clock when it begins and when it ends
});

test('families and the whole are counted', async () => {
  const row = await judged('drop.nocompress.1c');
  const miss = { ...row, id: 'drop.3c', use: 'validate' as const, within: false };
  const more = { ...miss, id: 'drop.nocompress.2c', set: 'further' as const, within: true };
  const { families, compared, further } = validationReport([row, miss, more]);
  expect(families).toEqual([
    { family: 'drop', rows: 1, within: 0, fitted: 1, further: { rows: 1, within: 1 } },
  ]);
  expect(compared).toEqual({ of: 122, covered: 1, within: 0 });
  expect(further).toMatchObject({ covered: 1, within: 1 });
});

test('a command line quotes what a shell would split', () => {
  expect(
    commandLine({
      profile: 'flat',
      traffic: 'udp size=64',
      rxRing: 511,
      breakdown: true,
      eager: false,
    }),
  ).toBe('ringscope run --profile flat --traffic "udp size=64" --rx-ring 511 --breakdown');
});
