/** The package as it is installed: built into a folder of its own, used from outside. */
import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { publint } from 'publint';
import { formatMessage } from 'publint/utils';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import manifest from '../package.json' with { type: 'json' };
import { VERSION } from '../src/cli/version.ts';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const CACHE = join(ROOT, 'node_modules/.cache');
mkdirSync(CACHE, { recursive: true });
/** Below node_modules, so that the package's own dependencies are found from here. */
const user = mkdtempSync(join(CACHE, 'ringscope-user-'));
const installed = join(user, 'node_modules/ringscope');
const dist = join(installed, 'dist');

const node = (...args: readonly string[]): string =>
  execFileSync(process.execPath, args, { cwd: user, encoding: 'utf8' });

/** A file of the user's own. @returns its name */
function file(name: string, text: string): string {
  writeFileSync(join(user, name), text);
  return name;
}

beforeAll(() => {
  mkdirSync(installed, { recursive: true });
  execFileSync(process.execPath, [join(ROOT, 'scripts/build.mjs'), dist], { cwd: ROOT });
  cpSync(join(ROOT, 'package.json'), join(installed, 'package.json'));
  cpSync(join(ROOT, 'examples'), join(installed, 'examples'), { recursive: true });
  cpSync(join(ROOT, 'src'), join(installed, 'src'), { recursive: true });
  file('package.json', '{ "type": "module" }');
}, 120_000);
afterAll(() => rmSync(user, { recursive: true, force: true }));

test('publint finds nothing, not even to suggest', async () => {
  const { messages, pkg } = await publint({ pkgDir: installed, strict: true, pack: false });
  expect(messages.map((message) => formatMessage(message, pkg))).toEqual([]);
});

describe('the command', () => {
  test('starts as its own program, and says the version of package.json', () => {
    const said = execFileSync(join(dist, 'cli.js'), ['--version'], { encoding: 'utf8' });
    expect([said, VERSION]).toEqual([`${manifest.version}\n`, manifest.version]);
  });

  test('runs a TypeScript program that imports the package, and names it when it fails', () => {
    const program = file(
      'own.ts',
      `import { defineXdp, XDP_TX } from 'ringscope';
       export default defineXdp((ctx): number => (ctx.len > 0 ? XDP_TX : 0), { name: 'own' });`,
    );
    const run = [join(dist, 'cli.js'), 'run', '--count', '50', '--queues', '1', '--json'];
    const report = JSON.parse(node(...run, '--xdp', `./${program}`)) as { packets: object };
    expect(report.packets).toMatchObject({ offered: 50, xdpTx: 50 });

    const broken = file(
      'broken.js',
      `import { defineXdp } from 'ringscope';
       export default defineXdp((ctx) => ctx.u8(9999), { name: 'broken' });`,
    );
    const failing = (): string => node(...run, '--xdp', `./${broken}`);
    expect(failing).toThrow(/program broken, packet 1 of [^:]*: touches 1 bytes at offset 9999/);
  });
});

/** Files of the bundle that `name` reaches, and what they import from elsewhere. */
function reached(
  name: string,
  files = new Set<string>(),
): { files: Set<string>; outside: string[] } {
  files.add(name);
  const text = readFileSync(join(dist, name), 'utf8');
  const imports = [
    ...text.matchAll(/^(?:import|export)\b[^'"`;]*?from\s*"([^"]+)"/gm),
    ...text.matchAll(/^import\s*"([^"]+)"/gm),
    ...text.matchAll(/\b(?:import|require)\("([^"]+)"\)/g),
  ].map((match) => match[1]!);
  const outside = imports.filter((to) => !to.startsWith('.'));
  for (const to of imports.filter((path) => path.startsWith('.'))) {
    const path =
      to.includes('chunks/') || name.startsWith('chunks/')
        ? `chunks/${basename(to)}`
        : basename(to);
    if (!files.has(path)) outside.push(...reached(path, files).outside);
  }
  return { files, outside };
}

describe('the library', () => {
  test('the core imports nothing from outside: no Node module, no package', () => {
    const { files, outside } = reached('index.js');
    expect(files.size).toBeGreaterThan(1);
    expect(outside).toEqual([]);
  });

  test('the reader of imports finds those of the Node part', () => {
    expect(reached('node.js').outside).toContain('node:fs/promises');
  });

  test('all entries share one core', () => {
    const script = file(
      'shared.js',
      `import { defineXdp, ProgramFault } from 'ringscope';
       import { run } from 'ringscope/node';
       const bad = defineXdp(() => { throw new Error('no'); }, { name: 'bad' });
       await run({ xdp: bad, count: 1 }).catch((error) => console.log(error instanceof ProgramFault));`,
    );
    expect(node(script)).toBe('true\n');
  });

  test('its types hold for a user, and refuse what is wrong', () => {
    file(
      'user.ts',
      `import { Machine, defineXdp, packet, type RunReport, XDP_DROP } from 'ringscope';
       import { run } from 'ringscope/node';
       const program = defineXdp((ctx) => (ctx.u8(0) === 1 ? XDP_DROP : ctx.len));
       export const verdict: string = packet(program, new Uint8Array(60)).verdict;
       export const report: Promise<RunReport> = run({ xdp: program }).then((o) => o.report);
       export const machines: Machine[] = [];
       // @ts-expect-error a program returns a number
       defineXdp(() => 'drop');`,
    );
    file(
      'user.test.ts',
      `import { expect } from 'vitest';
       import { run } from 'ringscope/vitest';
       const { report } = await run();
       expect(report).toBeConserved();
       expect(report).toHaveVerdicts({ xdpTx: 1 });
       expect(report).not.toHaveLost({ noBuffer: 1 });
       // @ts-expect-error no such outcome
       expect(report).toHaveVerdicts({ xdpDorp: 1 });`,
    );
    const options = [
      '--ignoreConfig',
      '--noEmit',
      '--strict',
      '--target',
      'es2023',
      '--types',
      'node',
    ];
    const tsc = join(ROOT, 'node_modules/typescript/bin/tsc');
    const lib = ['--lib', 'es2023,webworker'];
    node(tsc, ...options, ...lib, '--module', 'nodenext', 'user.ts');
    node(tsc, ...options, '--skipLibCheck', '--module', 'nodenext', 'user.test.ts');
  });

  test('every file that package.json names is there', () => {
    const named = Object.values(manifest.exports).flatMap((entry) =>
      typeof entry === 'string' ? [entry] : Object.values(entry),
    );
    for (const path of [...named, manifest.bin.ringscope]) {
      expect(readFileSync(join(installed, path)).length, path).toBeGreaterThan(0);
    }
    expect(dirname(manifest.bin.ringscope)).toBe('dist');
  });
});
