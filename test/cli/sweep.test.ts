/** `ringscope sweep` in this process, on small machines; worker threads are in sweepWorkers.test.ts. */
import { appendFileSync, mkdirSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pc from 'picocolors';
import { describe, expect, test } from 'vitest';
import { runCommandLine } from '../../src/cli/commands.ts';
import { runKeys } from '../../src/cli/sweepFile.ts';
import { run } from '../../src/lab/given.ts';
import { fromFlags, readOptions } from '../../src/lab/options.ts';
import { buildMachine } from '../../src/machine.ts';

const dir = mkdtempSync(join(tmpdir(), 'ringscope-'));

interface Said {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

async function sweep(...args: readonly string[]): Promise<Said> {
  let out = '';
  let err = '';
  const terminal = {
    out: (text: string) => void (out += text),
    err: (text: string) => void (err += text),
    colors: pc.createColors(false),
    live: false,
  };
  const code = await runCommandLine(['sweep', ...args], terminal, buildMachine);
  return { code, out, err };
}

const SMALL = ['--xdp', 'drop', '--traffic', 'udp', '--queues', '1', '--cpus', '1'];
const GRID = [...SMALL, '--budget', '1,64', '--rate', '1M,12M', '--count', '2000'];

interface SweepJson {
  readonly command: string;
  readonly points: readonly {
    readonly point: Record<string, string>;
    readonly measures: Record<string, { mean: number; deviation: number }>;
    readonly runs: readonly { seed: number; report: { packets: object; latencyNs: object } }[];
  }[];
}
const json = ({ out }: Said): SweepJson => JSON.parse(out) as SweepJson;

describe('a sweep', () => {
  test('is a run at each point', async () => {
    const said = await sweep(...GRID, '--json');
    expect([said.code, said.err]).toEqual([0, '']);
    const { points, command } = json(said);
    expect(points.map(({ point }) => point)).toEqual([
      { budget: '1', rate: '1M' },
      { budget: '1', rate: '12M' },
      { budget: '64', rate: '1M' },
      { budget: '64', rate: '12M' },
    ]);
    const { report } = await run({
      xdp: 'drop',
      traffic: 'udp',
      queues: 1,
      cpus: 1,
      count: 2000,
      budget: 1,
      rate: '12M',
    });
    const { wallMs: _, ...same } = report;
    expect(points[1]!.runs).toEqual([{ seed: 1, report: JSON.parse(JSON.stringify(same)) }]);
    expect(command).toBe(`ringscope sweep ${GRID.join(' ')} --json`);
  });

  test('--best sorts, --where keeps, and the table says what is missing', async () => {
    const said = await sweep(...GRID, '--best', 'received', '--where', 'lost==0 and rate > 2M');
    expect(said.code).toBe(0);
    const lines = said.out.split('\n').filter((line) => /^ +\d+ +\d+M/.test(line));
    expect(lines.map((line) => line.trim().split(/ +/)[0])).toEqual(['64']);
    expect(said.out).toContain('1 point of 4 wanted');
    const all = await sweep(...GRID, '--best', 'received', '--top', '1');
    expect(all.out).toContain('3 more: --top 4 shows all');
  });

  test('several seeds give a spread, and Poisson arrivals have one', async () => {
    const poisson = [...SMALL.slice(0, 3), 'udp arrivals=poisson', ...SMALL.slice(4)];
    const said = await sweep(...poisson, '--count', '2000', '--seeds', '3', '--json');
    const [point] = json(said).points;
    expect(point!.runs.map(({ seed }) => seed)).toEqual([1, 2, 3]);
    const { p99, offered } = point!.measures;
    expect(offered!.deviation).toBeGreaterThan(0);
    expect(p99!.mean).toBeGreaterThan(0);
    expect((await sweep(...poisson, '--count', '500', '--seeds', '2')).out).toContain('±');
  });

  test('what --out holds is not run again, and an interrupted line is', async () => {
    const out = join(dir, 'grid.jsonl');
    const first = await sweep(...GRID, '--out', out);
    const bytes = readFileSync(out, 'utf8');
    expect(bytes.trimEnd().split('\n')).toHaveLength(4);
    // a result that no run would give shows that it is taken from the file
    writeFileSync(out, bytes.replace('"offered":2000,', '"offered":4000,'));
    const again = await sweep(...GRID, '--out', out, '--json');
    expect(json(again).points[0]!.runs[0]!.report.packets).toMatchObject({ offered: 4000 });
    writeFileSync(out, bytes.slice(0, -100));
    expect(await sweep(...GRID, '--out', out)).toEqual(first);
    expect(readFileSync(out, 'utf8')).toBe(bytes);
    appendFileSync(out, '{"key":"x"}\n');
    expect(await sweep(...GRID, '--out', out)).toEqual({
      code: 2,
      out: '',
      err: `--out: ${out}:5: is no result of a sweep\n`,
    });
  });

  test('what --out holds is run again when a file behind the program has changed', async () => {
    const folder = mkdtempSync(join(dir, 'program-'));
    mkdirSync(join(folder, 'deep'));
    const write = (name: string, text: string): void => writeFileSync(join(folder, name), text);
    const verdict = (v: number): void => write('deep/verdict.mjs', `export const V = ${v};`);
    write('deep/again.js', "export * from './verdict.mjs';");
    write('prog.js', "import { V } from './deep/again.js';\nexport default V;\n");
    write('other.js', "export default import('./deep/again');\n");
    const keys = async (): Promise<readonly string[]> => {
      const given = [
        { xdp: join(folder, 'prog.js') },
        { xdp: `drop,${join(folder, 'other.js')}` },
        { at: `1ms xdp ${join(folder, 'other.js')}` },
        { xdp: 'drop' },
      ];
      const runs = given.map((flags) => ({ point: {}, options: readOptions([fromFlags(flags)]) }));
      return runKeys(runs, null);
    };
    verdict(1);
    const first = await keys();
    expect(await keys()).toEqual(first);
    verdict(2);
    const changed = await keys();
    expect(changed.map((key, i) => key === first[i])).toEqual([false, false, false, true]);
    verdict(1);
    expect(await keys()).toEqual(first);
  });

  test('shards add up to the whole', async () => {
    const [whole, parts] = [join(dir, 'whole.jsonl'), join(dir, 'parts.jsonl')];
    await sweep(...GRID, '--out', whole);
    await sweep(...GRID, '--out', parts, '--shard', '2/3');
    await sweep(...GRID, '--out', parts, '--shard', '3/3');
    const last = await sweep(...GRID, '--out', parts, '--shard', '1/3');
    expect(last.out).not.toContain('finished');
    const all = await sweep(...GRID, '--out', parts);
    expect(all.code).toBe(0);
    const sorted = (name: string): string[] => readFileSync(name, 'utf8').split('\n').toSorted();
    expect(sorted(parts)).toEqual(sorted(whole));
  });

  test('throughput against weight is fitted where the CPU is the limit', async () => {
    const budgets = [...SMALL, '--budget', '1,2,4', '--rate', '30M', '--count', '20000'];
    const { out } = await sweep(...budgets);
    const [, a, b, points] =
      /a ([\d.]+) ns a packet, b (\d+) ns a poll \((\d+) saturated points/.exec(out) ?? [];
    expect(Number(points)).toBe(3);
    expect(Number(a)).toBeGreaterThan(20);
    expect(Number(b)).toBeGreaterThan(100);
  });
});

test('what runs have to say is said once', async () => {
  const few = [...SMALL, '--rate', '0.001', '--budget', '1,64'];
  const said = await sweep(...few, '--count', '50,60,5');
  expect(said.code).toBe(0);
  expect(said.err).toMatch(
    /^in 2 of 6 runs: only 9 of 50 packets arrived: virtual time .*\nin 2 of 6 runs: only 9 of 60 .*\n$/,
  );
  const many = await sweep(...few, '--count', '50..55');
  expect(many.err.split('\n')).toHaveLength(5);
  expect(many.err).toMatch(/\nand 3 other notes, in single runs' tables\n$/);
});

describe('what a sweep refuses before anything runs', () => {
  test.each([
    [['--budget', '1,2000'], '--budget: 2000 is out of range (1 to 1024) (at budget 2000)'],
    [['--budget', '8..1'], '--budget: 8..1 runs downwards; the smaller end comes first'],
    [['--best', 'p98'], '--best: no measure is called p98 (did you mean p90?)'],
    [['--where', 'lost=0'], '--where: cannot read "=0" (equal is ==)'],
    [
      ['--where', 'bugdet > 3', '--budget', '1,2'],
      '--where: no measure is called bugdet (did you mean budget?)',
    ],
    [['--seeds', '0'], '--seeds: 0 is not a whole number (1 to 1000)'],
    [['--shard', '3/2'], '--shard: 3/2 is not a part as 2/4, from 1/4 to 4/4'],
    [['--tx-out', 'x.pcapng'], '--tx-out: is for one run, a sweep has many'],
    [
      ['--svg', '/etc/passwd'],
      '--svg: cannot write /etc/passwd/received.svg: /etc/passwd is no folder',
    ],
    [['--speed', '2'], '--speed: is for one run, a sweep has many'],
    [
      ['--out', '/nowhere/x.jsonl'],
      '--out: cannot write /nowhere/x.jsonl: there is no folder /nowhere',
    ],
    [['--xdp', './none.ts|drop'], '--xdp: cannot read ./none.ts: no such file'],
    [['--bugdet', '1,2'], 'unknown option --bugdet (did you mean --budget?)'],
    [
      ['--profile', 'xdp-paper-2018', '--tx-frames-irq', '2,8'],
      '--tx-frames-irq: 8 is out of range (2 with --profile xdp-paper-2018, whose NIC gathers no completions) (at tx-frames-irq 8)',
    ],
    [['--chip', 'p4,p6'], '--chip: p6 is not one of p4, p5 (at chip p6)'],
    [
      ['--traffic', 'udp size=64', '--rate', '10M,200M'],
      '--rate: 200 Mpps is more than a 100 Gb/s link carries (up to 148.8 Mpps of these frames, or line) (at rate 200M)',
    ],
    [
      ['--traffic', 'udp size=64', '--rate', '100M', '--link', '100,25'],
      '--rate: 100 Mpps is more than a 25 Gb/s link carries (up to 37.20 Mpps of these frames, or line) (at link 25)',
    ],
  ])('%j', async (args, message) => {
    expect(await sweep('--count', '10', ...args)).toEqual({
      code: 2,
      out: '',
      err: `${message}\n`,
    });
  });
});
