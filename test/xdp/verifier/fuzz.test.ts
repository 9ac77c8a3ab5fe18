/**
 * Programs on the border of what is accepted (`borderProgram.ts`): what is accepted runs with every
 * access and every register held against what the verifier knew. RINGSCOPE_RUNS tries more; the
 * ledger keeps what longer runs have tried.
 */
import { readFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { expect, it } from 'vitest';
import { REGS, asm, assemble } from '../../../src/xdp/isa/asm.ts';
import { BORDER_MAPS, Soundness } from '../../oracle/soundness.ts';
import { borderProgram } from '../../oracle/borderProgram.ts';
import { askKernel, oracleAbsent } from '../../oracle/oracle.ts';

const RUNS = Number(process.env.RINGSCOPE_RUNS ?? 1);
const PROGRAMS = 2500 * RUNS;
const absent = oracleAbsent();

it(
  'what is accepted never does what the verifier did not know of',
  { timeout: 60_000 * RUNS },
  () => {
    const soundness = new Soundness();
    let accepted = 0;
    let compared = 0;
    for (let seed = 1; seed <= PROGRAMS; seed++) {
      const judgement = soundness.judge(seed);
      expect(judgement.violation, `seed ${seed}`).toBeNull();
      accepted += Number(judgement.accepted);
      compared += judgement.compared;
    }
    expect(accepted).toBeGreaterThan(PROGRAMS / 4);
    expect(accepted).toBeLessThan((PROGRAMS * 3) / 4);
    expect(compared).toBeGreaterThan(accepted * 100);
  },
);

it.skipIf(absent !== null)(`the kernel accepts the same${absent ? `: ${absent}` : ''}`, () => {
  const soundness = new Soundness(cpus().length);
  const seeds = Array.from({ length: 400 }, (_, i) => 50_000 + i);
  const cases = seeds.map((seed) => ({
    ...{ name: `s${seed}`, insns: borderProgram(seed), maps: BORDER_MAPS, logLevel: 0 },
  }));
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

it('the ledger holds what was tried, and nothing wrong that is not explained', () => {
  const url = new URL('../../vectors/verifier/fuzzLedger.jsonl', import.meta.url);
  const lines = readFileSync(url, 'utf8').trimEnd().split('\n');
  const tried = lines.map((line) => JSON.parse(line) as { count: number; wrong: number[] });
  expect(tried.flatMap(({ wrong }) => wrong)).toEqual([]);
  expect(tried.reduce((sum, { count }) => sum + count, 0)).toBeGreaterThan(20_000);
});
