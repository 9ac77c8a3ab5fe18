/** `ringscope validate`: which rows, and in which forms. */
import pc from 'picocolors';
import { expect, test } from 'vitest';
import { runCommandLine } from '../../src/cli/commands.ts';
import { buildMachine } from '../../src/machine.ts';

async function validate(...args: string[]): Promise<{ code: number; out: string; err: string }> {
  let out = '';
  let err = '';
  const terminal = {
    out: (text: string) => void (out += text),
    err: (text: string) => void (err += text),
    colors: pc.createColors(false),
    live: false,
  };
  const code = await runCommandLine(['validate', ...args], terminal, buildMachine);
  return { code, out, err };
}

test.each([
  [['--only', 'tx.r513'], /^--only: no row or family tx\.r513.* \(families: drop; .*livelock\)\n$/],
  [
    ['--only', 'linux.filter.1c'],
    /linux\.filter\.1c.*: it is not covered, because the filter table/,
  ],
  [['--only', ''], /^--only: needs a part of the name of a row or family \(families: drop; /],
  [['--only', 'TX,', '--json'], /^--only: needs a part of the name/],
  [['--only', 'TX', '--only', 'polls'], /^--only: is given twice\n$/],
  [['--only', '--json'], /^--only: needs a value\n$/],
  [['--only', 'TX,tx.r513'], /^--only: no row or family tx\.r513/],
  [['--only', 'nothing', '--sensitivity'], /^--only: no row or family nothing/],
  [['--show', 'tx.r512.1'], /^--show: no row tx\.r512\.1 \(did you mean tx\.r512\.1c\?\)/],
  [['--show', 'linux.filter.1c'], /it is not covered, because the filter table/],
  [['--only', 'TX', '--docs', '/nowhere'], /^--docs does not go with --only\n$/],
  [['--docs', '/nowhere'], /^--docs: cannot write \/nowhere.*: there is no folder \/nowhere\n$/],
  [['--show', 'tx.r512.1c', '--sensitivity'], /^--show does not go with --sensitivity\n$/],
  [['--show', 'tx.r512.1c', '--only', 'TX'], /^--show does not go with --only\n$/],
  [['--sensitivity', '--docs', '/nowhere'], /^--sensitivity does not go with --docs\n$/],
])('%j is refused in one line', async (args, why) => {
  const { code, out, err } = await validate(...args);
  expect([code, out]).toEqual([2, '']);
  expect(err).toMatch(why);
});

test('the document of some rows has them, their families and what is not covered', async () => {
  const { code, out } = await validate('--only', 'stack.raw', '--json');
  const { rows, families, uncovered, compared, further } = JSON.parse(out) as {
    rows: Record<string, unknown>[];
    families: unknown;
    uncovered: Record<string, unknown>[];
    compared: unknown;
    further: unknown;
  };
  expect(code).toBe(0);
  expect(families).toEqual([
    { family: 'stack, i40e', rows: 1, within: 1, fitted: 0, further: { rows: 1, within: 1 } },
  ]);
  expect(compared).toEqual({ of: 122, covered: 1, within: 1 });
  expect(further).toMatchObject({ covered: 1, within: 1 });
  expect(Object.keys(rows[0]!)).toEqual([
    ...[
      'id',
      'set',
      'family',
      'use',
      'needs',
      'source',
      'ref',
      'hardware',
      'workload',
      'metric',
      'unit',
    ],
    ...['published', 'modelled', 'errorPct', 'tolPct', 'within', 'command', 'reading'],
  ]);
  expect(uncovered.map(({ id }) => id)).toEqual(['stack.raw.nogro']);
  expect(Object.keys(uncovered[0]!)).toEqual([
    ...['id', 'set', 'use', 'needs', 'workload', 'metric', 'why'],
  ]);
});

test('rows stand beneath their family and its source, fitted ones apart', async () => {
  const { code, out } = await validate('--only', 'drop.nocompress');
  const lines = out.split('\n').map((line) => line.trim());
  expect(code).toBe(0);
  expect(lines).toContain('drop');
  expect(lines.some((line) => line.startsWith("XDP CoNEXT'18 paper"))).toBe(true);
  expect(out).toMatch(/drop\.nocompress\.1c .* fitted {2}XDP_DROP 64B no_touch, 1 core\(s\)/);
  expect(out).toMatch(/drop +2 +2 +9 +9 +and 1 fitted\n/);
});

test('several rows at once', async () => {
  const { out } = await validate('--only', 'tx.r512.1c.llcmiss,drop.nocompress.1c', '--json');
  const ids = (JSON.parse(out) as { rows: { id: string }[] }).rows.map(({ id }) => id);
  expect(ids.toSorted()).toEqual(['drop.nocompress.1c', 'tx.r512.1c.llcmiss']);
});

test('how a rate is read off a run is said beside its command', async () => {
  const { out } = await validate('--show', 'drop.nocompress.3c');
  expect(out).toMatch(/\nread off its JSON: packets\.received over the time of the load/);
});
