/**
 * Half of the 20,000 programs on the border of what is accepted: what is accepted runs with every
 * access and every register held against what the verifier knew. RINGSCOPE_RUNS tries more.
 */
import { it } from 'vitest';
import { FUZZ_RUNS, fuzzSeeds } from '../../oracle/fuzzSeeds.ts';

it(
  'what is accepted never does what the verifier did not know of: odd seeds',
  { timeout: 300_000 * FUZZ_RUNS },
  () => fuzzSeeds(1),
);
