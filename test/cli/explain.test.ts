/** `ringscope explain`, from options, from kept results, and with what it cannot explain. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pc from 'picocolors';
import { afterAll, expect, test } from 'vitest';
import { runCommandLine } from '../../src/cli/commands.ts';
import { buildMachine } from '../../src/machine.ts';

const dir = mkdtempSync(join(tmpdir(), 'ringscope-explain-'));
afterAll(() => rmSync(dir, { recursive: true }));

async function ringscope(...args: string[]): Promise<{ code: number; out: string; err: string }> {
  let [out, err] = ['', ''];
  const code = await runCommandLine(
    args,
    {
      out: (text) => void (out += text),
      err: (text) => void (err += text),
      colors: pc.createColors(false),
      live: false,
    },
    buildMachine,
  );
  return { code, out, err };
}

const TAGGED = ['--xdp', 'drop', '--queues', '1', '--cpus', '1', '--count', '500'];
const VLAN = [...TAGGED, '--traffic', 'udp vlan=7'];

test('what a run shows, and what comes of each cure', async () => {
  const { code, out } = await ringscope('explain', ...VLAN, '--try');
  expect(code).toBe(0);
  expect(out).toContain('  1 100 % of the frames carry a VLAN tag');
  expect(out).toContain('    → --rxvlan off  leaves the tag in the packet');
  expect(out).toMatch(/as it is .*\n  --rxvlan off .*/);
});

test('the first example of the help has something to show, and its first cure helps', async () => {
  const { out: help } = await ringscope('explain', '--help');
  const [, example] = /^Examples:\n +ringscope (explain .*--try)$/m.exec(help)!;
  const { out } = await ringscope(...example!.split(' '), '--json');
  const { findings, tried } = JSON.parse(out) as {
    findings: { kind: string }[];
    tried: { before: { lost: number }; after: { lost: number } }[];
  };
  expect(findings[0]!.kind).toBe('loss');
  expect(tried[0]!.after.lost).toBeLessThan(tried[0]!.before.lost / 10);
});

test('a cure takes the place of the other way to say it', async () => {
  const skewed = ['--rss-indir', '0,0,0,0,1,2,3', '--traffic', 'udp flows=4096 rate=4M'];
  const { code, out } = await ringscope(
    'explain',
    '--count',
    '4000',
    ...skewed,
    '--xdp',
    'drop',
    '--try',
  );
  expect(code).toBe(0);
  expect(out).toContain('  1 eth0-0 got 57.');
  expect(out).toMatch(/\n  --rss-indir 0,1,2,3 .* 1\n/); // interrupt-held alone is left
});

test('a run without findings says so, and how busy its CPUs are', async () => {
  const { out } = await ringscope('explain', ...TAGGED, '--traffic', 'udp rate=4M');
  expect(out).toMatch(/Nothing to mend: of 500 packets none was lost.*CPU 0 is the busiest/);
});

test('a kept result is explained as the run was', async () => {
  const file = join(dir, 'result.json');
  const run = await ringscope('run', ...VLAN, '--json');
  writeFileSync(file, run.out);
  const kept = await ringscope('explain', file);
  expect(kept.code).toBe(0);
  expect(kept.out).toBe((await ringscope('explain', ...VLAN)).out);
  const { findings } = JSON.parse((await ringscope('explain', file, '--json')).out) as {
    findings: { id: string }[];
  };
  expect(findings.map(({ id }) => id)).toContain('vlan-hidden');
});

test('of many runs each finding is told once, with where it is worst', async () => {
  const file = join(dir, 'sweep.jsonl');
  await ringscope('sweep', ...VLAN, '--rxvlan', 'on,off', '--out', file);
  const { out } = await ringscope('explain', file);
  expect(out).toContain('2 runs');
  expect(out).toMatch(/vlan-hidden {2}in 1 of 2 runs; most at --rxvlan on, where:/);
});

test('worst is where that finding cost most, not where most was lost for other reasons', async () => {
  const file = join(dir, 'two.jsonl');
  const line = (budget: string, noBuffer: number, socketFull: number): string =>
    JSON.stringify({
      point: { budget },
      report: {
        packets: { offered: 100, lost: { noBuffer, socketBufferFull: socketFull } },
        findings: [
          { id: 'ring-overflow', kind: 'loss', packets: noBuffer, says: 'Ring.', cures: [] },
          { id: 'socket-full', kind: 'loss', packets: socketFull, says: 'Socket.', cures: [] },
        ],
      },
    });
  writeFileSync(file, `${line('1', 90, 1)}\n${line('8', 5, 50)}\n`);
  const { out } = await ringscope('explain', file);
  expect(out).toContain('ring-overflow  in 2 of 2 runs; most at --budget 1, where:');
  expect(out).toContain('socket-full  in 2 of 2 runs; most at --budget 8, where:');
});

test.each([
  ['not.json', 'nonsense', /not\.json: is not JSON: /],
  ['other.json', '{"a":1}', /other\.json: is no result of run --json, sweep --json or sweep --out/],
  ['old.json', '{"packets":{"offered":1}}', /old\.json: is a result without findings/],
  ['empty.jsonl', '\n', /empty\.jsonl: is empty, not a result/],
  ['cut.jsonl', '{"report":{"findings":[]}}\n{"rep', /cut\.jsonl:2: is not JSON: /],
])('%s is refused in one line', async (name, text, message) => {
  const file = join(dir, name);
  writeFileSync(file, text);
  const { code, out, err } = await ringscope('explain', file);
  expect([code, out]).toEqual([2, '']);
  expect(err).toMatch(message);
  expect(err.trimEnd()).not.toContain('\n');
});

test('options that have no meaning here are refused', async () => {
  const file = join(dir, 'any.json');
  writeFileSync(file, '{}');
  expect((await ringscope('explain', file, '--try')).err).toMatch(/^--try: needs options of a run/);
  expect((await ringscope('explain', file, '--budget', '8')).err).toMatch(
    /is a result, which no option of a run changes/,
  );
  for (const flag of ['--tx-out', '--show', '--control'])
    expect((await ringscope('explain', flag, 'napi')).err).toBe(
      `explain: takes no ${flag}, which run does\n`,
    );
  const { out } = await ringscope('explain', '--help');
  expect(out).not.toMatch(/^ +--watch/m);
  expect(out).toMatch(/--watch, .* are for run;/);
});
