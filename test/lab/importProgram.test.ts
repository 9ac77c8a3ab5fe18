/** Programs from files: each import is a module of its own, so that no run finds what another left. */
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { importProgram } from '../../src/lab/files.ts';

let folder = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'programs-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

const ESM = 'let n = 0;\nexport default { count: () => ++n };\n';

const counted = async (path: string): Promise<number> => {
  const program = (await importProgram('--xdp', path)) as { count(): number };
  program.count();
  return program.count();
};

describe('variables of a module begin anew with each import', () => {
  test.each<[string, string]>([
    ['program.mjs', ESM],
    ['program.js', 'let n = 0;\nmodule.exports = { count: () => ++n };\n'],
    ['program.ts', ESM.replace('n = 0', 'n: number = 0')],
    ['program.mts', ESM],
  ])('%s', async (name, text) => {
    const path = join(folder, name);
    writeFileSync(path, text);
    expect(await counted(path)).toBe(2);
    expect(await counted(path)).toBe(2);
  });

  test('by another name, too', async () => {
    writeFileSync(join(folder, 'real.js'), 'let n = 0;\nmodule.exports = { count: () => ++n };\n');
    symlinkSync(join(folder, 'real.js'), join(folder, 'link.js'));
    expect(await counted(join(folder, 'link.js'))).toBe(2);
    expect(await counted(join(folder, 'link.js'))).toBe(2);
  });
});

test.each(['mjs', 'ts'])('what goes wrong is told without the address: %s', async (extension) => {
  const path = join(folder, `broken.${extension}`);
  writeFileSync(path, "import 'no-such-package';\n");
  const told = importProgram('--xdp', path);
  await expect(told).rejects.toThrow(/^--xdp: .*broken\.\w+ does not load: .*no-such-package/);
  await expect(told).rejects.toThrow(/^[^?]*$/);
});
