/** `ringscope prog verify` as a user calls it. */
import { fileURLToPath } from 'node:url';
import pc from 'picocolors';
import { expect, test } from 'vitest';
import { runCommandLine } from '../../src/cli/commands.ts';
import { logLines } from '../../src/cli/explanation.ts';

import { standIn } from '../lab/standInMachine.ts';

const object = (name: string): string => fileURLToPath(new URL(`../../${name}.o`, import.meta.url));

async function verify(...args: string[]): Promise<{ code: number; out: string; err: string }> {
  let out = '';
  let err = '';
  const terminal = {
    out: (text: string) => void (out += text),
    err: (text: string) => void (err += text),
    colors: pc.createColors(false),
    live: false,
  };
  const code = await runCommandLine(['prog', 'verify', ...args], terminal, standIn());
  return { code, out, err };
}

test('what Linux accepts is accepted, a line a program', async () => {
  expect(await verify(object('examples/bpf/vlan'))).toEqual({
    code: 0,
    out:
      'vlan_pop (xdp)  accepted  49 instructions, 87 processed\n' +
      'vlan_push (xdp)  accepted  48 instructions, 49 processed\n',
    err: '',
  });
});

test('one program of an object is judged alone, whatever its tail calls lead to', async () => {
  const tails = object('examples/bpf/tail_calls');
  const { code, out } = await verify(tails, '--program', 'entry');
  expect(code).toBe(0);
  expect(out).toMatch(/^entry \(xdp\) {2}accepted .*\n$/);
});

test('--json has the fields others rely on', async () => {
  const { code, out } = await verify(
    object('examples/bpf/vlan'),
    '--program',
    'vlan_push',
    '--json',
  );
  expect(code).toBe(0);
  expect(JSON.parse(out)).toMatchObject([
    { program: 'vlan_push', section: 'xdp', accepted: true, insns: 48, processed: 49, message: '' },
  ]);
});

test('a program that Linux refuses is refused with its words and the line of C; exit code 1', async () => {
  const { code, out, err } = await verify(object('test/bpf/refused/no_check'));
  expect([code, err]).toEqual([1, '']);
  expect(out).toMatch(/^no_check \(xdp\) {2}refused {2}\d+ instructions, \d+ processed\n/);
  expect(out).toContain('invalid access to packet, off=23 size=1, R1(id=0,off=23,r=0)');
  expect(out).toMatch(/no_check\.c:9: {2}return data\[23\] == 17 \? XDP_DROP : XDP_PASS;/);
  expect(out).toContain('R1 offset is outside of the packet');
});

test('behind the log: why, where, how the path came there, the cure', async () => {
  const file = object('test/bpf/refused/explained');
  const { out } = await verify(file, '--program', 'packet_after_adjust');
  const said = out.slice(out.indexOf('  why'));
  expect(said).toMatch(
    /^ {2}why {4}R6 pointed into the packet until line \d+ \(if \(bpf_xdp_adjust_head/,
  );
  expect(said).toMatch(/ {2}line {3}explained\.c:\d+ {2}return data\[0\] == 1;/);
  expect(said).toMatch(/ {2}path {3}explained\.c:\d+ {2}if \(data \+ 34 > END\(ctx\)\)/);
  expect(said).toMatch(/ {2}cure {3}After the call load data/);
  const { out: json } = await verify(file, '--program', 'packet_after_adjust', '--json');
  const [verdict] = JSON.parse(json) as [{ explanation: { path: unknown[]; why: string } }];
  expect(verdict.explanation.path).toHaveLength(2);
});

test.each([
  [
    ['--program', 'none'],
    /no XDP program named none; the object has vlan_pop \(xdp\), vlan_push \(xdp\)\n$/,
  ],
  [['--log-level', '8'], /^--log-level: 8 is not a number from 0 to 7/],
])('bad input is one line and exit code 2: %j', async (args, message) => {
  const { code, out, err } = await verify(object('examples/bpf/vlan'), ...args);
  expect([code, out]).toEqual([2, '']);
  expect(err).toMatch(message);
});

test('several objects: each under its name; --json says which', async () => {
  const [first, second] = [object('examples/bpf/vlan'), object('test/bpf/refused/no_check')];
  const { code, out } = await verify(first, second);
  expect(code).toBe(1);
  expect(out).toMatch(/vlan\.o:\nvlan_pop .*\nvlan_push .*\n.*no_check\.o:\nno_check /);
  const { out: json } = await verify(first, second, '--json');
  const files = (JSON.parse(json) as { file: string }[]).map(({ file }) => file);
  expect(files).toEqual([first, first, second]);
});

test('nothing of the object steers the terminal', () => {
  const lines = logLines('; /*\x1b[31mred\x07*/ return 2;\n0: (b7) r0 = 2\t; R0=2\n');
  expect(lines).toEqual(['; /*\\x1b[31mred\\x07*/ return 2;', '0: (b7) r0 = 2\t; R0=2']);
});

test('what a loop repeats is shown once', async () => {
  const file = object('test/bpf/refused/misled');
  const { out } = await verify(file, '--program', 'loop_to_the_end');
  expect(out.match(/if r1 <= r2 goto/g)).toHaveLength(1);
  expect(out).toMatch(/ the same \d+ times\n/);
});
