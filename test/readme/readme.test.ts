/** What the README shows is what is so. */
import { readFileSync } from 'node:fs';
import pc from 'picocolors';
import { expect, test } from 'vitest';
import { runTables } from '../../src/cli/tables.ts';
import { kebab } from '../../src/lab/optionNames.ts';
import { NOT_BUILT, RUN_OPTIONS } from '../../src/lab/optionSchema.ts';
import type { RunReport } from '../../src/lab/report.ts';
import { run } from '../../src/node.ts';

const README = readFileSync(new URL('../../README.md', import.meta.url), 'utf8');
const beside = (name: string): string => readFileSync(new URL(name, import.meta.url), 'utf8');
const block = (kind: string, text: string): string => `\`\`\`${kind}\n${text.trimEnd()}\n\`\`\``;
/** A table's rows without the padding of their cells. */
const ROWS = README.split('\n')
  .filter((line) => line.startsWith('|'))
  .map((line) =>
    line
      .replaceAll(/ +\| */g, ' | ')
      .replaceAll(/\| +/g, '| ')
      .trim(),
  );

test.each(['blockTelnet.ts', 'blockTelnet.test.ts'])(
  'its program is the one that is tested: %s',
  (name) => {
    expect(README).toContain(block('ts', beside(name)));
  },
);

test('its first screen is what `npm start` prints', async () => {
  const { report } = await run();
  expect(README).toContain(block('text', runTables(report, pc.createColors(false))));
});

test('its larger rings lose what it says they lose', async () => {
  const rx = (await run({ rxRing: 1023 })).report.packets.lost;
  expect(README).toContain(`${rx['txRingFull']!.toLocaleString('en')} find no room in a TX ring`);
  expect(Object.keys(rx)).toEqual(['txRingFull']);
  expect((await run({ rxRing: 2047, txRing: 2047 })).report.packets.lost).toEqual({});
});

const budgetRow = (budget: number, { packets, latencyNs, napi }: RunReport): string => {
  const counts = [packets.received, packets.lost['noBuffer'] ?? 0, latencyNs.p50].map((n) =>
    n.toLocaleString('en'),
  );
  return `| ${budget} | ${counts[0]} | ${counts[1]} | ${counts[2]} ns | ${napi.packetsPerPoll} |`;
};

test.each([1, 4, 16, 64, 256])('its row of budget %i is what that run says', async (budget) => {
  const load = { traffic: 'udp size=64 rate=12Mpps', count: 300_000 };
  const { report } = await run({ xdp: 'drop', ...load, queues: 1, cpus: 1, budget });
  expect(ROWS).toContain(budgetRow(budget, report));
});

test('its table of options is the schema', () => {
  const rows = RUN_OPTIONS.map(({ flag, value, help, allowed, fallback }) => {
    const shown = `${flag}${value === '' ? '' : ` ${value}`}`.replaceAll('|', '\\|');
    return `| \`${shown}\` | ${help} | ${allowed} | ${fallback} |`.replaceAll(/ +/g, ' ');
  });
  expect(ROWS.filter((row) => /^\| `--[a-z-]+( [^`]*)?` \| [A-Z]/.test(row))).toEqual(
    rows.map((row) => row.replaceAll(/\| +/g, '| ')),
  );
});

test('it names every option that is not built', () => {
  const list = Object.keys(NOT_BUILT).map((key) => `\`${kebab(key)}\``);
  expect(README).toContain(`the options ${list.join(', ')}.`);
});

test('the files it tells to read are there', () => {
  const links = [...README.matchAll(/\]\(([^)]+)\)/g)].map((match) => match[1]!);
  expect(links.length).toBeGreaterThan(10);
  for (const link of links) expect(beside(`../../${link}`).length, link).toBeGreaterThan(0);
});
