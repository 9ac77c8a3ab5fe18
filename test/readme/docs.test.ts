/** What the walks in docs/ show is what the commands print: each console block is run again. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import pc from 'picocolors';
import { expect, test } from 'vitest';
import { runCommandLine } from '../../src/cli/commands.ts';
import { buildMachine } from '../../src/machine.ts';
import { CONSOLE_BLOCK, DocsFolder } from './consoleBlocks.ts';

const TOP = fileURLToPath(new URL('../../', import.meta.url));
const DOC = readFileSync(join(TOP, 'docs/from-c-to-verdict.md'), 'utf8');

/** Wall time is nobody's to repeat. */
const timeless = (text: string): string => text.replace(/\d+ ns a run/, 'N ns a run');

test.each([
  ['from-c-to-verdict.md', 8],
  ['questions.md', 15],
])('%s: each command prints what it shows', { timeout: 300_000 }, async (name, least) => {
  const blocks = [...readFileSync(join(TOP, 'docs', name), 'utf8').matchAll(CONSOLE_BLOCK)];
  expect(blocks.length).toBeGreaterThanOrEqual(least);
  const folder = new DocsFolder();
  try {
    for (const [, line, shown] of blocks) {
      if (name === 'questions.md') expect(shown, line).not.toBe('');
      const said = timeless(await folder.printed(line!));
      expect(said.slice(0, timeless(shown!).length), line).toBe(timeless(shown!));
    }
  } finally {
    folder.leave();
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
