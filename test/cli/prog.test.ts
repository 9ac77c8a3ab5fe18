/** `ringscope prog run` as a user calls it. */
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import pc from 'picocolors';
import { describe, expect, test } from 'vitest';
import { runCommandLine } from '../../src/cli/commands.ts';
import { standIn } from '../lab/standInMachine.ts';

const dir = mkdtempSync(join(tmpdir(), 'ringscope-prog-'));
const object = (name: string): string => fileURLToPath(new URL(`../../${name}.o`, import.meta.url));

async function ringscope(...args: string[]): Promise<{ code: number; out: string; err: string }> {
  let out = '';
  let err = '';
  const terminal = {
    out: (text: string) => void (out += text),
    err: (text: string) => void (err += text),
    colors: pc.createColors(false),
    live: false,
  };
  const code = await runCommandLine(args, terminal, standIn());
  return { code, out, err };
}

const UNTAGGED = `${'02'.repeat(6)}${'04'.repeat(6)}0800${'45'.repeat(30)}`;
const TAGGED = `${'02'.repeat(6)}${'04'.repeat(6)}8100002a0800${'45'.repeat(30)}`;

describe.each(['jit', 'interp'])('prog run with %s', (engine) => {
  test('--json prints verdict and bytes', async () => {
    const file = object('examples/bpf/vlan');
    const args = ['--program', 'vlan_push', '--data-hex', UNTAGGED, '--engine', engine, '--json'];
    const { code, out, err } = await ringscope('prog', 'run', file, ...args);
    expect([code, err]).toEqual([0, '']);
    expect(JSON.parse(out)).toEqual({
      retval: 2,
      dataOut: TAGGED,
      durationNs: expect.any(Number) as number,
      repeat: 1,
      engine,
      verify: true,
    });
  });

  test('a packet from a file, the result into one', async () => {
    const [packet, result] = [join(dir, `${engine}.in`), join(dir, `${engine}.out`)];
    writeFileSync(packet, Buffer.from(TAGGED, 'hex'));
    const file = object('examples/bpf/vlan');
    const args = ['--data-in', packet, '--data-out', result, '--repeat', '3', '--engine', engine];
    const { code, out } = await ringscope('prog', 'run', file, ...args);
    expect(code).toBe(0);
    expect(out).toMatch(/^ {2}program {2}vlan_pop \(xdp\)\n {2}verdict {2}2 XDP_PASS\n/);
    // three runs on the same packet, each from the start
    expect(readFileSync(result, 'hex')).toBe(UNTAGGED);
  });
});

test('what a program prints is shown', async () => {
  const { out } = await ringscope('prog', 'run', object('test/bpf/printk'), '--data-hex', UNTAGGED);
  expect(out).toContain('printed\n  2 2 1099511627776\n');
});

test('what Linux would refuse does not run, unless it is asked for, and then not outside its packet', async () => {
  const args = [object('test/bpf/refused/no_check'), '--data-hex'];
  const refused = await ringscope('prog', 'run', ...args, UNTAGGED);
  expect([refused.code, refused.out]).toEqual([2, '']);
  expect(refused.err).toContain(
    'program no_check, instruction 1: R1 offset is outside of the packet (EACCES)',
  );
  expect(refused.err).toContain('  line   no_check.c:9  return data[23] == 17');
  expect(refused.err).toMatch(/ {2}cure {3}Compare on every path .* if \(ptr \+ 24 > data_end\)/);
  const off = await ringscope('prog', 'run', ...args, UNTAGGED, '--verify', 'off');
  expect(off.code).toBe(0);
  expect(off.out).toContain('verdict  2 XDP_PASS');
  expect(off.out).toContain('jit, not verified: every access tested');
  const short = await ringscope('prog', 'run', ...args, UNTAGGED.slice(0, 28), '--verify', 'off');
  expect(short.code).toBe(1);
  expect(short.err).toContain('reads 1 bytes');
});

describe('bad input is one line on stderr and exit code 2', () => {
  const vlan = object('examples/bpf/vlan');
  const sections = object('test/objects/sections');
  const text = join(dir, 'text.o');
  writeFileSync(
    text,
    'this is no object at all, and long enough to be asked for a header of 64 bytes',
  );
  test.each<[string[], string]>([
    [[vlan], '--data-in FILE or --data-hex HEX is needed'],
    [[vlan, '--data-hex', '0'], '--data-hex: not an even number of hex digits'],
    [[vlan, '--data-hex', '00'], 'packet: 1 bytes is out of range (14 to 3520 bytes)'],
    [
      [vlan, '--data-hex', '00'.repeat(3521)],
      'packet: 3521 bytes is out of range (14 to 3520 bytes)',
    ],
    [[vlan, '--data-in', 'x', '--data-hex', '00'], '--data-in and --data-hex exclude each other'],
    [
      [vlan, '--data-in', join(dir, 'none')],
      `--data-in: cannot read ${join(dir, 'none')}: no such file`,
    ],
    [[vlan, '--repeat', '0'], '--repeat: 0 is not a whole number from 1 to 1000000000'],
    [[vlan, '--verify', 'of'], '--verify: of is not on or off'],
    [[vlan, '--engine', 'jot'], '--engine: jot is not jit or interp (did you mean jit?)'],
    [
      [vlan, '--program', 'vlan', '--data-hex', UNTAGGED],
      `${vlan}: no program named vlan; the object has vlan_pop (xdp), vlan_push (xdp)`,
    ],
    [
      [vlan, '--sec', 'tc', '--data-hex', UNTAGGED],
      `${vlan}: no program in section tc; the object has vlan_pop (xdp), vlan_push (xdp)`,
    ],
    [
      [sections, '--program', 'on_cpu', '--data-hex', UNTAGGED],
      `${sections}: on_cpu (xdp/cpumap) is for entries of devmaps or cpumaps; BPF_PROG_TEST_RUN refuses it with EINVAL`,
    ],
    [[text, '--data-hex', UNTAGGED], `${text}: ELF header, offset 0x0: not an ELF file`],
  ])('prog run %j', async (args, message) => {
    expect(await ringscope('prog', 'run', ...args)).toEqual({
      code: 2,
      out: '',
      err: `${message}\n`,
    });
  });
});
