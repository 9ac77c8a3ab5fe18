import { mkdtempSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pc from 'picocolors';
import { describe, expect, test } from 'vitest';
import manifest from '../../package.json' with { type: 'json' };
import { runCommandLine } from '../../src/cli/commands.ts';
import type { BuildMachine } from '../../src/lab/run.ts';
import { readCapture } from '../../src/wire/capture.ts';
import { standIn } from '../lab/standInMachine.ts';

const dir = mkdtempSync(join(tmpdir(), 'ringscope-'));
const inDir = (name: string): string => join(dir, name);
const file = (name: string, text: string): string => {
  writeFileSync(inDir(name), text);
  return inDir(name);
};

interface Said {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

async function ringscope(args: readonly string[], build: BuildMachine = standIn()): Promise<Said> {
  let out = '';
  let err = '';
  const terminal = {
    out: (text: string) => void (out += text),
    err: (text: string) => void (err += text),
    colors: pc.createColors(false),
    live: false,
  };
  const code = await runCommandLine(args, terminal, build);
  return { code, out, err };
}

const withoutWall = ({ out }: Said): string => out.replace(/"wallMs":\d+/, '');
const refused = (message: string): Said => ({ code: 2, out: '', err: `${message}\n` });

describe('bad usage is one line on stderr and exit code 2', () => {
  test.each([
    [['run', '--foo'], 'unknown option --foo'],
    [['run', '--flow', '3'], 'unknown option --flow (did you mean --flows?)'],
    [['run', '--rxring=3'], 'unknown option --rxring (did you mean --rx-ring?)'],
    [['run', '--rx-ring', '9000'], '--rx-ring: 9000 is out of range (1 to 8191)'],
    [['run', '--rx-ring'], '--rx-ring: needs a value'],
    [['run', '--busy-poll', '50'], '--busy-poll: needs --apps: applications poll'],
    [['run', '--threaded'], '--threaded: needs a value'],
    [['run', '--json=3'], '--json: takes no value'],
    [['run', '--queues', '--rx-ring', '5'], '--queues: needs a value'],
    [['run', '--queues', '4', '--queues', '5'], '--queues: is given twice'],
    [['run', '--hz', ''], '--hz: needs a value (100, 250, 300, 1000)'],
    [['run', '--seed', '_'], '--seed: _ is not a whole number (0 to 4294967295)'],
    [['run', '--irq-affinity', '0,,1'], '--irq-affinity: needs a value (0 to --cpus less 1)'],
    [['run', '--in', '/dev/zero'], '--in: cannot read /dev/zero: is a device, not a file'],
    [['run', '/dev/zero'], 'SCENARIO: cannot read /dev/zero: is a device, not a file'],
    [['run', '--tx-out', '.'], '--tx-out: cannot write .: is a directory'],
    [['run', '--tx-out', 'none/x'], '--tx-out: cannot write none/x: there is no folder none'],
    [
      ['run', '--tx-out', 'x.pcapng', '--pass-out', './x.pcapng'],
      '--pass-out: cannot write ./x.pcapng: --tx-out names the same file',
    ],
    [['run', 'a.yaml', 'b.yaml'], 'run: takes one SCENARIO at most'],
    [['rnu'], 'unknown command rnu (did you mean run?)'],
    [['trace', '--budget', '1'], 'trace: not built yet'],
    [['--foo'], 'unknown option --foo'],
    [
      ['run', '--xdp', 'drop', '--program', 'x'],
      '--program: --xdp drop is no object file whose programs have names',
    ],
    [
      ['run', '--xdp', 'none', '--sec', 'xdp'],
      '--sec: --xdp none is no object file whose programs have names',
    ],
    [['run', 'none.yaml'], 'SCENARIO: cannot read none.yaml: no such file'],
    [
      ['run', '--ip-forward', 'on'],
      'SCENARIO: cannot read on: no such file (the flag in front of it takes no value)',
    ],
    [['run', '--in', 'none.pcap'], '--in: cannot read none.pcap: no such file'],
    [['run', '--in', '.'], '--in: cannot read .: is a directory'],
    [['run', '--xdp', './none.ts'], '--xdp: cannot read ./none.ts: no such file'],
    [['run', '--xdp', './prog.c'], '--xdp: ./prog.c is not a program (.ts or .js)'],
    [
      ['run', '--xdp', 'dorp'],
      '--xdp: dorp is no example (drop, pass, echo, redirect, redirect-ifindex, router, l4lb, none) and no .o, .ts or .js file',
    ],
  ])('%j', async (args, message) => {
    expect(await ringscope(args)).toEqual(refused(message));
  });

  test('a capture that is none', async () => {
    const name = file('empty.pcap', '');
    expect(await ringscope(['run', '--in', name])).toEqual(
      refused(`${name}: the file is empty, not a capture`),
    );
  });

  test('a program file that exports something else, or breaks', async () => {
    const other = file('other.mjs', 'export default 3;');
    expect(await ringscope(['run', '--xdp', other])).toEqual(
      refused(`--xdp: ${other} has no default export made by defineXdp`),
    );
    const broken = file('broken.mjs', 'throw new Error("no\\nluck");');
    expect(await ringscope(['run', '--xdp', broken])).toEqual(
      refused(`--xdp: ${broken} does not load: no`),
    );
    const mute = file('mute.mjs', 'throw Object.create(null);');
    expect(await ringscope(['run', '--xdp', mute])).toEqual(
      refused(`--xdp: ${mute} does not load: something without a text`),
    );
    const half = file('half.mjs', 'export default { type: "xdp", load: () => null };');
    expect(await ringscope(['run', '--xdp', half])).toEqual(
      refused(`--xdp: ${half} has no default export made by defineXdp`),
    );
    const garbled = file('garbled.ts', 'export default (;');
    const { code, err } = await ringscope(['run', '--xdp', garbled]);
    expect(code).toBe(2);
    expect(err).toMatch(/^--xdp: .*garbled\.ts does not load: .*garbled\.ts:1:16: .*\n$/);
  });

  test('a capture that would be written over the one that is read', async () => {
    const name = file('both.pcap', 'unread');
    const link = inDir('link.pcap');
    symlinkSync(name, link);
    expect(await ringscope(['run', '--in', name, '--pass-out', link])).toEqual(
      refused(`--pass-out: cannot write ${link}: --in names the same file`),
    );
    expect(readFileSync(name, 'utf8')).toBe('unread');
  });

  test('a capture file that cannot be written', async () => {
    const name = inDir('no/such/dir.pcapng');
    expect(await ringscope(['run', '--count', '1', '--tx-out', name])).toEqual(
      refused(`--tx-out: cannot write ${name}: there is no folder ${inDir('no/such')}`),
    );
  });
});

describe('a run that does not add up exits 1, tables and all', () => {
  test('a packet without a fate', async () => {
    const said = await ringscope(['run', '--count', '10'], standIn({ vanish: 1 }));
    expect(said.code).toBe(1);
    expect(said.out).toContain('not conserved: offered = received + lost in the NIC is off by 1');
    expect(said.err).toBe('run failed: offered = received + lost in the NIC is off by 1\n');
  });

  test('a leaked page', async () => {
    const said = await ringscope(['run', '--count', '10', '--json'], standIn({ leaked: 2 }));
    expect(said.code).toBe(1);
    expect(JSON.parse(said.out)).toMatchObject({ conserved: false, pages: { leaked: 2 } });
    expect(said.err).toBe('run failed: 2 pages leaked\n');
  });
});

test('--version is that of package.json', async () => {
  expect(await ringscope(['--version'])).toEqual({
    code: 0,
    out: `${manifest.version}\n`,
    err: '',
  });
});

test('help names every group', async () => {
  const { code, out } = await ringscope(['run', '--help']);
  expect(code).toBe(0);
  for (const group of ['Program', 'Traffic', 'NIC', 'Kernel', 'Machine', 'Output']) {
    expect(out).toContain(`\n${group}:\n`);
  }
  expect(out).toContain('--rx-ring <N>');
});

test('help is wrapped to a terminal, and names what each command takes', async () => {
  for (const command of ['run', 'sweep', 'explain']) {
    const { out } = await ringscope([command, '--help']);
    const [options] = out.split('\nNot built'); // examples stand as they are typed
    const wide = options!.split('\n').filter((line) => /^ {20}/.test(line) && line.length > 80);
    expect(wide).toEqual([]);
  }
  expect((await ringscope(['--help'])).out).toContain('  run [SCENARIO]  ');
  const { out } = await ringscope(['prog', '--help']);
  expect(out).toMatch(/^ {2}run +Run a program on one packet/m);
});

test('without a command the help is shown', async () => {
  const { code, out } = await ringscope([]);
  expect(code).toBe(0);
  expect(out).toContain('Usage: ringscope');
});

test('--json is one document and nothing else', async () => {
  const { code, out, err } = await ringscope(['run', '--count', '1000', '--json', '--seed', '5']);
  expect([code, err]).toEqual([0, '']);
  expect(JSON.parse(out)).toMatchObject({
    version: 1,
    seed: 5,
    conserved: true,
    packets: { offered: 1000 },
    run: { xdp: 'l4lb', xdpPeer: 'pass', nics: 2 },
  });
});

test('--duration stops the offer in virtual time', async () => {
  const args = ['run', '--traffic', 'udp rate=1Mpps', '--duration', '50us', '--json'];
  const { out } = await ringscope(args);
  expect(JSON.parse(out).packets.offered).toBe(50); // at 0, 1, … 49 µs
});

test('what --rate, --size, --flows and --pattern replace is shown', async () => {
  const args = ['run', '--traffic', 'tcp rate=1M size=64', '--rate', '2M', '--flows', '9'];
  const { out } = await ringscope([...args, '--count', '1']);
  expect(out).toContain('\ntcp rate=2M size=64 flows=9\n');
});

test('what goes out can be read back and sent again, as often as --count asks', async () => {
  const sent = inDir('sent.pcapng');
  await ringscope([
    'run',
    '--xdp',
    'echo',
    '--traffic',
    'udp flows=3',
    '--count',
    '5',
    '--tx-out',
    sent,
  ]);
  const capture = readCapture(readFileSync(sent), sent);
  expect(capture.interfaces.map(({ name }) => name)).toEqual(['eth0', 'eth1']);
  expect(capture.frames.map(({ capLen }) => capLen)).toEqual([60, 60, 60, 60, 60]);

  const passed = inDir('passed.pcapng');
  const again = ['run', '--xdp', 'pass', '--in', sent, '--pass-out', passed, '--json'];
  expect(JSON.parse((await ringscope(again)).out).packets.toStack).toBe(5);
  expect(readCapture(readFileSync(passed), passed).frames).toHaveLength(5);
  const { out } = await ringscope([...again, '--count', '12']);
  expect(JSON.parse(out).packets.toStack).toBe(12);
});

test('a program in TypeScript is loaded by its file name', async () => {
  const { code, out } = await ringscope(['run', '--xdp', 'examples/drop.ts', '--count', '1']);
  expect([code, out.split(' ')[0]]).toEqual([0, 'drop']);
});

test('the same command gives the same bytes', async () => {
  const args = ['run', '--count', '5000', '--json'];
  const first = await ringscope(args);
  const second = await ringscope(args);
  expect(withoutWall(first)).toBe(withoutWall(second));
});
