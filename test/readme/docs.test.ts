/** What the walks in docs/ show is what the commands print: each console block is run again. */
import { mkdtempSync, readFileSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import pc from 'picocolors';
import { expect, test } from 'vitest';
import { runCommandLine } from '../../src/cli/commands.ts';
import { buildMachine } from '../../src/machine.ts';

const TOP = fileURLToPath(new URL('../../', import.meta.url));
const DOC = readFileSync(join(TOP, 'docs/from-c-to-verdict.md'), 'utf8');
const BLOCKS = [...DOC.matchAll(/```console\n\$ npx ringscope (.*)\n([^`]*)```/g)];

/** Words of a command line; double quotes keep spaces. */
const words = (line: string): string[] =>
  [...line.matchAll(/"([^"]*)"|(\S+)/g)].map(([, quoted, word]) => quoted ?? word!);
/** Wall time is nobody's to repeat. */
const timeless = (text: string): string => text.replace(/\d+ ns a run/, 'N ns a run');

test('from C to a verdict: each command prints what the walk shows', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'ringscope-docs-'));
  for (const name of ['examples', 'test']) symlinkSync(join(TOP, name), join(dir, name));
  const before = process.cwd();
  process.chdir(dir);
  try {
    expect(BLOCKS.length).toBeGreaterThan(7);
    for (const [, line, shown] of BLOCKS) {
      let said = '';
      const write = (text: string): void => void (said += text);
      const terminal = { out: write, err: write, colors: pc.createColors(false), live: false };
      await runCommandLine(words(line!), terminal, buildMachine);
      expect(timeless(said).slice(0, timeless(shown!).length), line).toBe(timeless(shown!));
    }
  } finally {
    process.chdir(before);
  }
});

test('the listing in it is part of what prog dump prints', async () => {
  const listing = /```text\n([^`]*)```/.exec(DOC)![1]!;
  let out = '';
  const terminal = {
    out: (text: string) => void (out += text),
    err: () => {},
    colors: pc.createColors(false),
    live: false,
  };
  const object = join(TOP, 'examples/bpf/ddos_filter.o');
  await runCommandLine(['prog', 'dump', object], terminal, buildMachine);
  expect(out).toContain(listing);
});
