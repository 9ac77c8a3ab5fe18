/** A sweep in worker threads: the command as one bundle, as it is published. */
import { execFile, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { constants } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const CACHE = join(ROOT, 'node_modules/.cache');
mkdirSync(CACHE, { recursive: true });
/** Below node_modules, so that tsx is found from here. */
const dir = mkdtempSync(join(CACHE, 'ringscope-sweep-'));
const SLOW_MS = 90_000;

const SMALL = [
  '--xdp',
  'drop',
  '--traffic',
  'udp arrivals=poisson',
  '--queues',
  '1',
  '--cpus',
  '1',
];
const GRID = [...SMALL, '--budget', '1,64', '--rate', '1M,12M', '--count', '20000'];

interface Said {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

const command = (...args: readonly string[]): string[] => [join(dir, 'cli.js'), 'sweep', ...args];

const sweep = (...args: readonly string[]): Promise<Said> =>
  new Promise((resolve) => {
    execFile(process.execPath, command(...args), { cwd: ROOT }, (error, out, err) => {
      resolve({ code: typeof error?.code === 'number' ? error.code : 0, out, err });
    });
  });

beforeAll(async () => {
  const build = ['--input-type=module', '-e', BUILD];
  await new Promise<void>((resolve, reject) => {
    execFile(process.execPath, build, { cwd: ROOT }, (error) =>
      error ? reject(error) : resolve(),
    );
  });
}, SLOW_MS);
afterAll(() => rmSync(dir, { recursive: true, force: true }));

const BUILD = `
import { build } from './scripts/bundle.mjs';
await build({
  entryPoints: ['src/cli/main.ts'],
  outfile: ${JSON.stringify(join(dir, 'cli.js'))},
  bundle: true, format: 'esm', target: 'node20', platform: 'node', external: ['tsx', 'tsx/*'],
  legalComments: 'none', logLevel: 'warning',
  banner: { js: "import{createRequire as $r}from'node:module';const require=$r(import.meta.url);" },
});
`;

test(
  'reports are the same, byte for byte, whatever the number of workers',
  async () => {
    const files = [join(dir, 'one.jsonl'), join(dir, 'three.jsonl')];
    const one = await sweep(...GRID, '--workers', '1', '--out', files[0]!);
    const three = await sweep(...GRID, '--workers', '3', '--out', files[1]!);
    // the command that explains names the file
    const renamed = { ...three, out: three.out.replace(files[1]!, files[0]!) };
    expect([one.code, one.err, renamed]).toEqual([0, '', one]);
    const [first, second] = files.map((name) => readFileSync(name, 'utf8'));
    expect(first!.split('\n')).toHaveLength(5);
    expect(second === first).toBe(true);
  },
  SLOW_MS,
);

test(
  'an interrupt keeps what is finished, and the same command goes on',
  async () => {
    const out = join(dir, 'interrupted.jsonl');
    const args = [...SMALL, '--budget', '1..32', '--count', '200k', '--out', out, '--workers', '1'];
    const child = spawn(process.execPath, command(...args), { cwd: ROOT });
    const ended = new Promise<number | null>((resolve) => child.on('exit', resolve));
    let err = '';
    child.stderr.on('data', (data) => (err += String(data)));
    child.stdout.resume();
    while (lines(out) < 2) await new Promise((resolve) => setTimeout(resolve, 50));
    child.kill('SIGINT');
    expect(await ended).toBe(128 + constants.signals.SIGINT);
    const [, done] = /^interrupted: (\d+) of 32 runs finished; the same command/.exec(err) ?? [];
    expect(lines(out)).toBe(Number(done));
    expect(Number(done)).toBeGreaterThanOrEqual(2);
    expect(Number(done)).toBeLessThan(32);
  },
  SLOW_MS,
);

test(
  'a program that fails says at which point',
  async () => {
    const program = join(dir, 'fails.ts');
    const define = join(ROOT, 'src/xdp/define.ts');
    const body = `() => { if (++n > 100) throw new Error('enough'); return 1; }`;
    writeFileSync(
      program,
      `import { defineXdp } from '${define}';\nlet n = 0;\nexport default defineXdp(${body}, { name: 'fails' });\n`,
    );
    const said = await sweep('--xdp', program, '--rx-usecs', '5,6', '--count', '1000');
    expect(said.err).toMatch(/enough.*\(at rx-usecs [56]\)\n$/);
    expect([said.code, said.out]).toEqual([1, '']);
  },
  SLOW_MS,
);

test(
  'what only a run can refuse is still bad input, at its point',
  async () => {
    const object = join(dir, 'empty.o');
    writeFileSync(object, 'no ELF at all');
    const said = await sweep('--xdp', `drop|${object}`, '--count', '10');
    expect(said.err).toMatch(/ELF.*\(at xdp .*empty\.o\)\n$/);
    expect([said.code, said.out]).toEqual([2, '']);
  },
  SLOW_MS,
);

function lines(name: string): number {
  try {
    return readFileSync(name, 'utf8').split('\n').length - 1;
  } catch {
    return 0;
  }
}
