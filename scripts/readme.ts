/**
 * Puts into README.md what must be so: its first screen, its program and test, its budget table and
 * its options, each between two marks. `npm run readme` writes the file; a test compares.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import pc from 'picocolors';
import { format, resolveConfig } from 'prettier';
import { runTables } from '../src/cli/tables.ts';
import { RUN_OPTIONS } from '../src/lab/optionSchema.ts';
import type { OptionInfo } from '../src/lab/optionSchema.ts';
import { run } from '../src/node.ts';

const at = (path: string): URL => new URL(`../${path}`, import.meta.url);
const read = (path: string): string => readFileSync(at(path), 'utf8');
const fenced = (kind: string, text: string): string => `\`\`\`${kind}\n${text.trimEnd()}\n\`\`\``;
const row = (...cells: readonly (string | number)[]): string =>
  `| ${cells.map((cell) => String(cell).replaceAll('|', '\\|')).join(' | ')} |`;
const grouped = (n: number): string => n.toLocaleString('en');

async function firstScreen(): Promise<string> {
  const { report } = await run();
  return fenced('text', runTables(report, pc.createColors(false)));
}

async function budgetRow(budget: number): Promise<string> {
  const load = { traffic: 'udp size=64 rate=12Mpps', count: 300_000 };
  const { report } = await run({ xdp: 'drop', ...load, queues: 1, cpus: 1, budget });
  const { packets, latencyNs, napi } = report;
  const lost = grouped(packets.lost['noBuffer'] ?? 0);
  const p50 = `${grouped(latencyNs.p50)} ns`;
  return row(budget, grouped(packets.received), lost, p50, napi.packetsPerPoll);
}

async function budgets(): Promise<string> {
  const head = row(
    '`--budget`',
    'received',
    'lost (`noBuffer`)',
    'p50 to the verdict',
    'packets per poll',
  );
  const rows = await Promise.all([1, 4, 16, 64, 256].map(budgetRow));
  return [head, row('--:', '--:', '--:', '--:', '--:'), ...rows].join('\n');
}

const optionRow = ({ flag, value, help, allowed, fallback }: OptionInfo): string =>
  row(`\`${value === '' ? flag : `${flag} ${value}`}\``, help, allowed, fallback);

function options(): string {
  const groups = [...new Set(RUN_OPTIONS.map(({ group }) => group))];
  const rows = groups.flatMap((group) => [
    row(`**${group}**`, '', '', ''),
    ...RUN_OPTIONS.filter((option) => option.group === group).map(optionRow),
  ]);
  const head = row('Option', 'What it does', 'Allowed', 'Default');
  return [head, row('---', '---', '---', '---'), ...rows].join('\n');
}

/** By mark: `<!-- name -->` … `<!-- /name -->`. */
const PARTS: Readonly<Record<string, () => string | Promise<string>>> = {
  start: firstScreen,
  budgets,
  program: () => fenced('ts', read('test/readme/blockTelnet.ts')),
  test: () => fenced('ts', read('test/readme/blockTelnet.test.ts')),
  'object-test': () => fenced('ts', read('test/readme/rateLimiter.test.ts')),
  options,
};

/** The README with its marked parts as they are now. */
export async function readmeAsItIs(): Promise<string> {
  let text = read('README.md');
  for (const [name, part] of Object.entries(PARTS)) {
    const [open, close] = [`<!-- ${name} -->`, `<!-- /${name} -->`];
    const [before, rest] = text.split(open);
    const after = rest?.split(close)[1];
    if (after === undefined) throw new Error(`README.md: ${open} … ${close} is not there`);
    text = `${before}${open}\n\n${await part()}\n\n${close}${after}`;
  }
  const config = await resolveConfig(at('README.md'));
  return format(text, { ...config, parser: 'markdown' });
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  writeFileSync(at('README.md'), await readmeAsItIs());
}
