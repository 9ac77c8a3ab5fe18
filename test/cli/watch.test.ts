/** `run --watch --control`, and `ringscope map` on the socket of a run, as a user calls them. */
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import pc from 'picocolors';
import { expect, test } from 'vitest';
import { runCommandLine } from '../../src/cli/commands.ts';
import { askRun, isControl } from '../../src/cli/controlClient.ts';
import { buildMachine } from '../../src/machine.ts';

const dir = mkdtempSync(join(tmpdir(), 'ringscope-watch-'));
const FILTER = fileURLToPath(new URL('../../examples/bpf/ddos_filter.o', import.meta.url));

async function ringscope(...args: string[]): Promise<{ code: number; out: string; err: string }> {
  let out = '';
  let err = '';
  const terminal = {
    out: (text: string) => void (out += text),
    err: (text: string) => void (err += text),
    colors: pc.createColors(false),
    live: false,
  };
  const code = await runCommandLine(args, terminal, buildMachine);
  return { code, out, err };
}

const RUN = ['run', '--xdp', FILTER, '--traffic', 'udp size=64 flows=1 rate=100kpps'];

test('maps of a running run are read and written at its socket', async () => {
  const socket = join(dir, 'run.sock');
  const running = ringscope(
    ...RUN,
    '--duration',
    '1000s',
    '--watch',
    '--control',
    socket,
    '--json',
  );
  while (!(await isControl(socket))) await new Promise((resolve) => void setTimeout(resolve, 20));

  const second = await ringscope(...RUN, '--watch', '--control', socket);
  expect(second).toEqual({
    code: 2,
    out: '',
    err: `--control: cannot listen at ${socket}: another run does\n`,
  });
  expect(
    await ringscope('map', 'update', socket, 'blocked4', '00 00 00 00 00:00:00:00', '7'),
  ).toEqual({ code: 0, out: '', err: '' });
  expect((await ringscope('map', 'lookup', socket, 'blocked4', '{"len": 0}')).out).toBe('7\n');
  expect((await ringscope('map', 'dump', socket, '--map', 'blocked4')).out).toBe(
    'blocked4  lpm_trie, 1 element\n  {"len":0,"addr":0}  7\n',
  );
  expect(await ringscope('map', 'lookup', socket, 'blocked4', '0x00')).toEqual({
    code: 2,
    out: '',
    err: `${socket}: map blocked4, key: 0x00 is not 8 bytes in hex (16 digits)\n`,
  });
  expect((await ringscope('map', 'delete', socket, 'blocked4', '{"len":0}')).code).toBe(0);
  await askRun(socket, 'quit');

  const { code, out, err } = await running;
  expect({ code, err }).toEqual({ code: 0, err: '' });
  const { packets } = JSON.parse(out) as { packets: { xdpDrop: number; lost: object } };
  expect(packets.xdpDrop).toBeGreaterThan(0);
  expect(packets.lost).not.toHaveProperty('deviceClosed');
  expect(await isControl(socket)).toBe(false);
});

test('a place that is no socket', async () => {
  const taken = join(dir, 'taken');
  writeFileSync(taken, '');
  const { code, err } = await ringscope(...RUN, '--watch', '--control', taken);
  expect(code).toBe(2);
  expect(err).toMatch(/^--control: cannot listen at .*taken: /);
  expect((await ringscope(...RUN, '--control', taken)).err).toBe('--control: needs --watch\n');
});

test('a maps file takes values by type where an object tells them', async () => {
  const file = join(dir, 'maps.json');
  await ringscope(...RUN, '--count', '1', '--maps-out', file);
  const ten = '{"len":8,"addr":167772160}';
  expect((await ringscope('map', 'update', file, 'blocked4', ten, '7')).err).toMatch(
    /is not 8 bytes in hex \(16 digits\); values by type need --btf/,
  );
  expect(await ringscope('map', 'update', file, 'blocked4', ten, '7', '--btf', FILTER)).toEqual({
    code: 0,
    out: '',
    err: '',
  });
  const at = ['map', 'lookup', file, 'blocked4'];
  expect((await ringscope(...at, '0x080000000a000000')).out).toBe('07 00 00 00\n');
  expect((await ringscope(...at, ten, '--btf', FILTER)).out).toBe('07 00 00 00\n');
  await ringscope('map', 'delete', file, 'blocked4', ten, '--btf', FILTER);
  expect((await ringscope(...at, ten, '--btf', FILTER)).err).toMatch(/has no key/);
});
