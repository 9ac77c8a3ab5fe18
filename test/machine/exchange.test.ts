/** A program exchanged under traffic: the lazy and the eager pace keep the same books. */
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { PATIENCE, books, runTrial, runs, trial } from './fuzzRig.ts';

test(
  'lazy and eager agree on a machine whose program is exchanged while frames arrive',
  PATIENCE,
  () => {
    fc.assert(
      fc.property(trial, fc.constantFrom(1, 20, 100), (machine, exchangeUs) => {
        const of = (eager: boolean): string =>
          books(runTrial({ ...machine, faults: [], exchangeUs, eager }));
        expect(of(false)).toBe(of(true));
      }),
      { numRuns: runs(40) },
    );
  },
);
