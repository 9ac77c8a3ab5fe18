/**
 * Programs on the border of what is accepted (`borderProgram.ts`): the kernel's word on them, whether
 * their judge would see anything, and the ledger of what long runs have tried. `fuzzFirst` and
 * `fuzzSecond` run them.
 */
import { readFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { expect, it } from 'vitest';
import { REGS, asm, assemble } from '../../../src/xdp/isa/asm.ts';
import { NOT_INIT_REG, pointerReg } from '../../../src/xdp/verifier/reg.ts';
import { PTR_TO_MEM } from '../../../src/xdp/verifier/regTypes.ts';
import { borderCase } from '../../oracle/borderCase.ts';
import { outside } from '../../oracle/extents.ts';
import { Soundness } from '../../oracle/soundness.ts';
import { askKernel, oracleAbsent } from '../../oracle/oracle.ts';

const absent = oracleAbsent();

it.skipIf(absent !== null)(`the kernel accepts the same${absent ? `: ${absent}` : ''}`, () => {
  const soundness = new Soundness(cpus().length);
  const seeds = Array.from({ length: 400 }, (_, i) => 50_000 + i);
  const cases = seeds.map((seed) => borderCase(seed, 0));
  const differ = askKernel(cases).answers.filter(
    ({ errno }, i) => (errno === 0) !== soundness.judge(seeds[i]!).accepted,
  );
  expect(differ.map(({ name }) => name)).toEqual([]);
});

it('the judge sees an access that nobody compared, and a number that is not as known', () => {
  const [R0, R1, R6, R7, R8] = [REGS[0]!, REGS[1]!, REGS[6]!, REGS[7]!, REGS[8]!];
  const soundness = new Soundness();
  const unchecked = assemble([
    asm.mov(R6, R1),
    asm.load('u32', R7, R6, 0),
    asm.load('u32', R8, R6, 4),
    asm.load('u8', R0, R7, 14),
    asm.exit(),
  ]);
  // accepted by nobody, so it is run as if it had been
  expect(soundness.runAnyway(unchecked)).toMatch(/instruction 3/);
});

it('the judge sees an access that may reach a byte too far, whether or not some packet leads there', () => {
  const [R0, R1] = [REGS[0]!, REGS[1]!];
  const [load] = assemble([asm.load('u32', R0, R1, 3)]);
  const at = (known: Parameters<typeof pointerReg>[1]): string | null =>
    outside(load!, 9, [NOT_INIT_REG, pointerReg(PTR_TO_MEM, known)]);
  expect(at({ memSize: 7 })).toBeNull();
  expect(at({ memSize: 6 })).toBe('instruction 9 may touch bytes 3 to 7 of 0 to 6');
  expect(at({ memSize: 8, off: 1 })).toBeNull();
  expect(at({ memSize: 8, off: 2 })).toMatch(/bytes 5 to 9/);
});

it('the ledger holds what was tried, and nothing wrong that is not explained', () => {
  const url = new URL('../../vectors/verifier/fuzzLedger.jsonl', import.meta.url);
  const lines = readFileSync(url, 'utf8').trimEnd().split('\n');
  const tried = lines.map((line) => JSON.parse(line) as { count: number; wrong: number[] });
  expect(tried.flatMap(({ wrong }) => wrong)).toEqual([]);
  expect(tried.reduce((sum, { count }) => sum + count, 0)).toBeGreaterThan(20_000);
});
