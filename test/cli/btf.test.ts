/** `--btf FILE`: CO-RE against a kernel of the user's. */
import { fileURLToPath } from 'node:url';
import pc from 'picocolors';
import { expect, test } from 'vitest';
import { runCommandLine } from '../../src/cli/commands.ts';
import { buildMachine } from '../../src/machine.ts';

const object = (name: string): string =>
  fileURLToPath(new URL(`../objects/${name}`, import.meta.url));

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

/** Where the verifier stopped: a relocation that finds nothing poisons its instruction. */
async function refusedAt(...btf: string[]): Promise<number> {
  const { out } = await ringscope('prog', 'verify', object('core-19.o'), '--json', ...btf);
  return (JSON.parse(out) as { slot: number }[])[0]!.slot;
}

test('relocations that the built-in types do not resolve are resolved by a file', async () => {
  // the object's first relocation is of a structure that only kernel.c has
  expect(await refusedAt()).toBe(0);
  expect(await refusedAt('--btf', object('kernel.o'))).toBe(28);
});

test('a program that runs into such an instruction is named', async () => {
  const args = [
    'prog',
    'run',
    object('core-19.o'),
    '--verify',
    'off',
    '--data-hex',
    '00'.repeat(60),
  ];
  expect((await ringscope(...args)).err).toBe(
    'program relocations: uses a type or a field that the kernel does not have\n',
  );
});

test.each([
  ['an object without types', object('legacy20.o'), /legacy20\.o: has no section \.BTF\n$/],
  ['no BTF', object('steer.bpf.c'), /offset 0x0: magic 0x2f2f, not BTF \(0xeb9f\)\n$/],
  ['no file', object('none'), /^--btf: cannot read .*none: no such file\n$/],
])('%s', async (_, file, message) => {
  for (const args of [
    ['prog', 'verify', object('core-19.o')],
    ['run', '--xdp', object('counter-19.o'), '--count', '1'],
  ]) {
    const { code, err } = await ringscope(...args, '--btf', file);
    expect([code, err]).toEqual([2, expect.stringMatching(message)]);
  }
});
