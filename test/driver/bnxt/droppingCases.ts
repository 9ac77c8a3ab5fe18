/**
 * Random machines whose polls find many packets, most of which are dropped, sent back, redirected
 * or passed up: bursts that run rings out of buffers, rings short enough to be gone round many times,
 * budgets above and below a walk's.
 */
import fc from 'fast-check';
import type { Case } from '../../nic/cases.ts';
import { anyCase, regimeCase } from '../../nic/cases.ts';
import type { ProgramName } from '../../nic/casePrograms.ts';

const pick = <T>(...values: T[]): fc.Arbitrary<T> => fc.constantFrom(...values);

const bursts = fc.record({
  program: pick<ProgramName>(
    ...(['drop', 'drop', 'slow', 'slow', 'mixed', 'echo', 'echo'] as const),
    ...(['pass', 'sieve', 'sieve', 'redirect', 'redirect', 'choosy'] as const),
  ),
  txRing: pick(19, 40, 64, 255, 511),
  rxRing: pick(16, 33, 64, 150, 511),
  rxFrames: pick(1, 15, 60),
  gapNs: pick(10, 30, 60),
  burst: pick(7, 32, 200),
  queues: pick(1, 1, 2, 4),
});

const inBursts = (cases: fc.Arbitrary<Case>): fc.Arbitrary<Case> =>
  fc
    .tuple(
      cases,
      fc.tuple(bursts, bursts),
      pick(7, 8, 9, 20, 64, 64, 256, 300),
      pick<Case['downNs']>(undefined, undefined, [8000, 20_000], [15_000, 15_500]),
    )
    .map(([c, each, budget, downNs]) => ({
      ...c,
      ...(downNs !== undefined && { downNs }),
      budget,
      nics: c.nics.map((n, i) => {
        const { gapNs, burst, ...given } = each[i]!;
        const traffic = { ...n.traffic, gapNs, burst, count: 1500 };
        return { ...n, ...given, traffic };
      }),
    }));

export const droppingCase: fc.Arbitrary<Case> = inBursts(anyCase);

/** Most packets go up to an application, some of them by way of other CPUs. */
export const passingCase: fc.Arbitrary<Case> = fc
  .tuple(inBursts(regimeCase), pick<ProgramName>('pass', 'sieve', 'sieve'))
  .map(([c, program]) => ({
    ...c,
    nics: c.nics.map((n, i) => (i === 0 ? { ...n, program } : n)),
  }));
