/** Puts into docs/questions.md what its commands print. A test compares. */
import { readFileSync, writeFileSync } from 'node:fs';
import { CONSOLE_BLOCK, DocsFolder } from '../test/readme/consoleBlocks.ts';

const FILE = new URL('../docs/questions.md', import.meta.url);

const text = readFileSync(FILE, 'utf8');
const folder = new DocsFolder();
let filled = '';
let from = 0;
for (const { 0: block, 1: line, index } of text.matchAll(CONSOLE_BLOCK)) {
  const printed = await folder.printed(line!);
  filled += `${text.slice(from, index)}\`\`\`console\n$ npx ringscope ${line}\n${printed}\`\`\``;
  from = index + block.length;
}
folder.leave();
writeFileSync(FILE, filled + text.slice(from));
