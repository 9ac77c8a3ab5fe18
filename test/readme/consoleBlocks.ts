/** Commands that the walks in docs/ show, and what they print. */
import { mkdtempSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import pc from 'picocolors';
import { runCommandLine } from '../../src/cli/commands.ts';
import { buildMachine } from '../../src/machine.ts';

const TOP = fileURLToPath(new URL('../../', import.meta.url));

export const CONSOLE_BLOCK: RegExp = /```console\n\$ npx ringscope (.*)\n([^`]*)```/g;

/** Words of a command line; double quotes keep spaces. */
const words = (line: string): string[] =>
  [...line.matchAll(/"([^"]*)"|(\S+)/g)].map(([, quoted, word]) => quoted ?? word!);

/** Printed in a folder that holds examples/ and test/ alone, where files may be left behind. */
export class DocsFolder {
  private readonly before: string = process.cwd();

  constructor() {
    const dir = mkdtempSync(join(tmpdir(), 'ringscope-docs-'));
    for (const name of ['examples', 'test']) symlinkSync(join(TOP, name), join(dir, name));
    process.chdir(dir);
  }

  async printed(line: string): Promise<string> {
    let said = '';
    const write = (text: string): void => void (said += text);
    const terminal = { out: write, err: write, colors: pc.createColors(false), live: false };
    await runCommandLine(words(line), terminal, buildMachine);
    return said;
  }

  leave(): void {
    process.chdir(this.before);
  }
}
