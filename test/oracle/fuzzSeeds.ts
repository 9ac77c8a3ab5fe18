/** What both halves of the fuzzer's tests do, each with every second seed. */
import { expect } from 'vitest';
import { Soundness } from './soundness.ts';

export const FUZZ_RUNS: number = Number(process.env.RINGSCOPE_RUNS ?? 1);
const PROGRAMS = 10_000 * FUZZ_RUNS;

/** @param first 1 or 2 */
export function fuzzSeeds(first: number): void {
  const soundness = new Soundness();
  let accepted = 0;
  let compared = 0;
  for (let n = 0; n < PROGRAMS; n++) {
    const seed = first + 2 * n;
    const judgement = soundness.judge(seed);
    if (judgement.violation !== null) expect(judgement.violation, `seed ${seed}`).toBeNull();
    accepted += Number(judgement.accepted);
    compared += judgement.compared;
  }
  expect(accepted).toBeGreaterThan(PROGRAMS / 4);
  expect(accepted).toBeLessThan((PROGRAMS * 3) / 4);
  expect(compared).toBeGreaterThan(accepted * 100);
}
