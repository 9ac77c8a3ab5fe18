/**
 * Random machines of two NICs that send each other most packets: rings that run full, sent frames
 * that come back to the cache of their pool or, on another CPU or past 128, to its ring.
 */
import fc from 'fast-check';
import type { Case } from '../../nic/cases.ts';
import { anyCase } from '../../nic/cases.ts';
import type { ProgramName } from '../../nic/casePrograms.ts';

const pick = <T>(...values: T[]): fc.Arbitrary<T> => fc.constantFrom(...values);

const side = fc.record({
  program: pick<ProgramName>('redirect', 'redirect', 'redirect', 'mixed', 'slow', 'echo'),
  txRing: pick(19, 40, 64, 255, 511),
  rxRing: pick(16, 33, 64, 150, 511),
  rxFrames: pick(1, 15, 60),
  txFrames: pick(1, 4, 30, 60),
  gapNs: pick(10, 30, 60, 150, 400),
  burst: pick(7, 32, 200),
  queues: pick(1, 1, 2, 4),
});

export const redirectingCase: fc.Arbitrary<Case> = fc
  .tuple(anyCase, fc.tuple(side, side), pick(7, 20, 64, 64, 256))
  .map(([c, sides, budget]) => ({
    ...c,
    budget,
    nics: sides.map(({ gapNs, burst, ...given }, i) => {
      const nic = c.nics[i % c.nics.length]!;
      const traffic = { ...nic.traffic, gapNs, burst, count: 1200 };
      return { ...nic, ...given, traffic };
    }),
  }));
