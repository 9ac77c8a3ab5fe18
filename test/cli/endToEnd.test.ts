/** The command as a process, on a whole machine. Few cases: each start takes a second. */
import { execFile, spawn } from 'node:child_process';
import { closeSync, existsSync, mkdtempSync, openSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import type { RunReport } from '../../src/lab/report.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const COMMAND = ['--import', 'tsx', 'src/cli/main.ts'];
const SLOW_MS = 60_000;

interface Said {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

const ringscope = (...args: readonly string[]): Promise<Said> =>
  new Promise((resolve) => {
    execFile(process.execPath, [...COMMAND, ...args], { cwd: ROOT }, (error, out, err) => {
      resolve({ code: typeof error?.code === 'number' ? error.code : 0, out, err });
    });
  });

const withoutWall = (json: string): string => json.replace(/"wallMs":\d+/, '');

const programFile = (text: string): string => {
  const name = join(mkdtempSync(join(tmpdir(), 'ringscope-')), 'program.ts');
  const define = join(ROOT, 'src/xdp/define.ts');
  writeFileSync(
    name,
    `import { defineXdp } from '${define}';\nexport default defineXdp(${text});\n`,
  );
  return name;
};

test(
  'a run without arguments but for its length is conserved, and the same every time',
  async () => {
    const first = await ringscope('run', '--count', '20000', '--check', '--json');
    expect([first.code, first.err]).toEqual([0, '']);
    const report = JSON.parse(first.out) as RunReport;
    expect(report).toMatchObject({ conserved: true, packets: { offered: 20_000 } });
    expect(report.pages.leaked).toBe(0);
    expect(report.packets.xdpTx).toBeGreaterThan(0);
    expect(report.packets.xdpPass).toBeGreaterThan(0);
    const second = await ringscope('run', '--count', '20000', '--check', '--json');
    expect(withoutWall(second.out)).toBe(withoutWall(first.out));
  },
  SLOW_MS,
);

test(
  'a program that throws ends the run: exit 1, program and packet in one line',
  async () => {
    const name = programFile(
      `(ctx) => { if (++n === 3) throw new Error('too many'); return 1; }, { name: 'three' }`,
    );
    writeFileSync(name, `let n = 0;\n`, { flag: 'a' });
    const said = await ringscope('run', '--xdp', name, '--count', '10', '--queues', '1');
    expect(said).toEqual({
      code: 1,
      out: '',
      err: expect.stringMatching(/^program three, packet 3 of .*too many\n$/),
    });
  },
  SLOW_MS,
);

test(
  'a program that returns no integer ends the run',
  async () => {
    const name = programFile(`() => 'drop' as unknown as number, { name: 'text' }`);
    const { code, err } = await ringscope('run', '--xdp', name, '--count', '10');
    expect(code).toBe(1);
    expect(err).toMatch(/^program text, packet 1 of .*no integer\n$/);
  },
  SLOW_MS,
);

test(
  'a reader that goes away early is no error',
  async () => {
    const child = spawn(process.execPath, [...COMMAND, 'run', '--help'], { cwd: ROOT });
    child.stdout.destroy();
    let err = '';
    child.stderr.on('data', (chunk) => (err += String(chunk)));
    const code = await new Promise((resolve) => child.on('close', resolve));
    expect([code, err]).toEqual([0, '']);
  },
  SLOW_MS,
);

test.each([
  ['that never loads', 'await new Promise(() => {});', /^ended without a result: .*\n$/],
  ['that ends the process', 'process.exit(0);', /^ended without a result: .*\n$/],
  ['that fails behind our back', 'Promise.reject(new Error("late"));', /^late\n$/],
])(
  'a program %s: exit 1, one line',
  async (_, text, line) => {
    const name = join(mkdtempSync(join(tmpdir(), 'ringscope-')), 'program.mjs');
    const drop = join(ROOT, 'examples/drop.ts');
    writeFileSync(name, `${text}\nexport { default } from '${drop}';\n`);
    const said = await ringscope('run', '--count', '1', '--xdp', name);
    expect(said.code).toBe(1);
    expect(said.err).toMatch(line);
  },
  SLOW_MS,
);

test.skipIf(!existsSync('/dev/full'))(
  'output that finds no room: exit 1, one line',
  async () => {
    const full = openSync('/dev/full', 'w');
    const child = spawn(process.execPath, [...COMMAND, 'run', '--help'], {
      cwd: ROOT,
      stdio: ['ignore', full, 'pipe'],
    });
    let err = '';
    child.stderr!.on('data', (data: Buffer) => void (err += data.toString()));
    const code = await new Promise((resolve) => void child.on('close', resolve));
    closeSync(full);
    expect([code, err]).toEqual([1, 'cannot write to stdout: no space left on device\n']);
  },
  SLOW_MS,
);
