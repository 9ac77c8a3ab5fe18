/** Our own conformance cases, the suite's where they lie beside the repository, and the scripts that run them. */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { runFolder } from '../../scripts/conformance.ts';
import type { ConformanceCase } from '../../scripts/conformanceCase.ts';
import { parseCase } from '../../scripts/conformanceCase.ts';
import { ENGINES } from '../../scripts/conformanceEngines.ts';
import { kernelRefusal } from '../../scripts/conformanceKernel.ts';
import { askKernel, oracleAbsent } from '../oracle/oracle.ts';

const path = (relative: string): string => fileURLToPath(new URL(relative, import.meta.url));
const OWN = path('../vectors/conformance');
const SUITE = path('../../../shared/conformance');

const failures = (dir: string): string[] =>
  runFolder(dir)
    .filter(({ failure }) => failure !== null)
    .map(({ file, engine, failure }) => `${file} on the ${engine}: ${failure}`);

test('our own cases pass on every engine', () => {
  expect(failures(OWN)).toEqual([]);
  expect(runFolder(OWN).length).toBe(ENGINES.length * readdirSync(OWN).length);
});

test.skipIf(!existsSync(SUITE))('the suite’s cases pass on every engine', () => {
  expect(failures(SUITE)).toEqual([]);
  expect(runFolder(SUITE).length).toBeGreaterThan(200 * ENGINES.length);
});

describe('a case fails when', () => {
  const outcomeOf = (text: string): string | null => {
    const dir = mkdtempSync(join(tmpdir(), 'conformance-'));
    try {
      writeFileSync(join(dir, 'a.data'), text);
      return runFolder(dir)[0]!.failure;
    } finally {
      rmSync(dir, { recursive: true });
    }
  };

  test.each([
    ['r0 is another', '-- asm\nmov %r0, 2\nexit\n-- result\n0x3', 'r0 is 0x2, not 0x3'],
    [
      'only the high half differs',
      '-- asm\nmov %r0, -1\nexit\n-- result\n0xffffffff',
      'not 0xffffffff',
    ],
    [
      'it runs where an error is expected',
      '-- asm\nmov %r0, 2\nexit\n-- error\nx',
      'an error was expected: x',
    ],
    [
      'it faults where a result is expected',
      '-- asm\nldxb %r0, [%r0]\nexit\n-- result\n0',
      'reads 1 bytes at 0x',
    ],
    ['it has no program', '-- result\n0', 'no section asm or raw'],
    ['it has no result', '-- asm\nexit', 'no section result or error'],
    ['a section is not known', '-- asm\nexit\n-- colour\n', 'line 3: unknown section colour'],
    [
      'its assembly is wrong',
      '-- asm\nexit\nmvo %r0, 1\n-- result\n0',
      'line 2, mvo %r0, 1: no instruction mvo',
    ],
    ['its memory is no hex', '-- asm\nexit\n-- mem\n0g\n-- result\n0', 'not bytes in hex'],
  ])('%s', (_, text, reason) => {
    expect(outcomeOf(text)).toContain(reason);
  });
});

describe('the plugin', () => {
  const plugin = (
    args: readonly string[],
    input = '',
  ): { stdout: string; stderr: string; status: number | null } =>
    spawnSync(process.execPath, [path('../../scripts/conformancePlugin.mjs'), ...args], {
      input,
      encoding: 'utf8',
    });
  const ADD_LENGTH = '71 10 00 00 00 00 00 00 0f 20 00 00 00 00 00 00 95 00 00 00 00 00 00 00';

  test('takes the program from standard input, or as an option, and prints r0 in hex', () => {
    for (const args of [['10 20 30'], ['10 20 30', '--jit'], ['--jit', '10 20 30', '--debug']]) {
      expect(plugin(args, ADD_LENGTH)).toMatchObject({ stdout: '13\n', stderr: '', status: 0 });
    }
    expect(plugin(['--program', ADD_LENGTH, '102030'])).toMatchObject({
      stdout: '13\n',
      status: 0,
    });
  });

  test('says on standard error what went wrong', () => {
    expect(plugin([], '95')).toMatchObject({ stdout: '', status: 1 });
    expect(plugin([], '79 00 00 00 00 00 00 00 95 00 00 00 00 00 00 00').stderr).toContain(
      'reads 8 bytes at 0x0',
    );
    expect(plugin(['--fast'], ADD_LENGTH).stderr).toContain('--fast: no such option');
  });
});

describe('what Linux refuses', () => {
  const absent = oracleAbsent();

  /** The packet's bytes and their number in r1 and r2, as a bare program gets them. */
  const withPrologue = ({ insns, memory }: ConformanceCase): ConformanceCase['insns'] => {
    const raw = (
      code: number,
      dst: number,
      src: number,
      off: number,
      imm: number,
    ): ConformanceCase['insns'][0] => ({
      ...{ code, dst, src, off, imm },
    });
    const { length } = memory;
    return [
      ...[
        raw(0xb7, 0, 0, 0, -1),
        raw(0xbf, 6, 1, 0, 0),
        raw(0x61, 1, 6, 0, 0),
        raw(0x61, 2, 6, 4, 0),
      ],
      ...[
        raw(0xbf, 3, 1, 0, 0),
        raw(0x07, 3, 0, 0, length),
        raw(0xbd, 3, 2, 1, 0),
        raw(0x95, 0, 0, 0, 0),
      ],
      ...[raw(0xb7, 2, 0, 0, length), ...insns],
    ];
  };

  test.skipIf(absent !== null || !existsSync(SUITE))(
    'is marked, judged by the running kernel',
    () => {
      const cases = readdirSync(SUITE)
        .filter((name) => name.endsWith('.data'))
        .map((name) => ({ name, ...parseCase(readFileSync(join(SUITE, name), 'utf8')) }));
      const asked = cases.map((one) => ({
        name: one.name,
        insns: one.memory.length === 0 ? one.insns : withPrologue(one),
      }));
      const { answers } = askKernel(asked);
      const refused = answers.filter(({ errno }) => errno !== 0);
      const marked = cases.filter(({ insns }) => kernelRefusal(insns) !== null);
      expect(refused.map(({ name }) => name)).toEqual(marked.map(({ name }) => name));
      for (const [i, { log }] of refused.entries())
        expect(log).toContain(kernelRefusal(marked[i]!.insns));
    },
  );
});
