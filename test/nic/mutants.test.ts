/** The property is worth something only if it fails for a NIC that is lazy in the wrong way. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { EagerHardware } from '../../src/nic/eager.ts';
import type { Case } from './cases.ts';
import { anyCase, contendedCase } from './cases.ts';
import { FOUND } from './foundCases.ts';
import type { History } from './history.ts';
import { difference, historyOf } from './history.ts';
import type { Mutant } from './mutants.ts';
import { EQUIVALENT, MUTANTS } from './mutants.ts';
import { TIMING_MUTANTS } from './timingMutants.ts';

const SEED = 7;
const CASES: readonly Case[] = [
  ...FOUND,
  ...fc.sample(contendedCase, { seed: SEED, numRuns: 15 }),
  ...fc.sample(anyCase, { seed: SEED, numRuns: 45 }),
];

const eagerHistories: History[] = [];
const eagerHistory = (i: number): History =>
  (eagerHistories[i] ??= historyOf(CASES[i]!, (cpus) => new EagerHardware(cpus)));

/** A mutant may also drive the machine into a state that the machine itself refuses. */
function differs(mutant: Mutant, i: number): boolean {
  const eager = eagerHistory(i);
  try {
    return (
      difference(
        historyOf(CASES[i]!, (cpus) => mutant.make(cpus)),
        eager,
      ) !== null
    );
  } catch {
    return true;
  }
}

describe('a lazy NIC is told from an eager one', () => {
  test.each([...MUTANTS, ...TIMING_MUTANTS])('with $name', { timeout: 120_000 }, (mutant) => {
    const caught = CASES.findIndex((_, i) => differs(mutant, i));
    expect(caught).toBeGreaterThanOrEqual(0);
  });
});

describe('a settle point that nobody can miss', () => {
  test.each(EQUIVALENT)('$name changes no history', { timeout: 120_000 }, (mutant) => {
    for (let i = 0; i < 25; i++) expect(differs(mutant, i)).toBe(false);
  });
});
