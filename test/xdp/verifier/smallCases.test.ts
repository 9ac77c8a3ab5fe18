/** Hundreds of small programs, area by area: verdict, error number, last words and log as Linux 6.18 gave them. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { smallCases } from '../../oracle/caseText.ts';
import { oracleAbsent } from '../../oracle/oracle.ts';
import type { ShortVectors } from '../../oracle/verifierJudge.ts';
import {
  comparable,
  ourVerdict,
  recordVerdicts,
  shortVerdict,
} from '../../oracle/verifierJudge.ts';

const vectors = JSON.parse(
  readFileSync(new URL('../../vectors/verifier/small.json', import.meta.url), 'utf8'),
) as ShortVectors;
const CASES = smallCases();

describe('small programs', () => {
  it.each(CASES)('$name', (one) => {
    const { errno, log } = ourVerdict(one, vectors.cpus);
    expect(shortVerdict({ errno, log: comparable(log) })).toEqual(vectors.verdicts[one.name]);
  });

  it('none is recorded that is no longer there; about half are refused', () => {
    expect(Object.keys(vectors.verdicts)).toHaveLength(CASES.length);
    const refused = Object.values(vectors.verdicts).filter(({ errno }) => errno !== 0).length;
    expect(refused).toBeGreaterThan(CASES.length * 0.4);
    expect(refused).toBeLessThan(CASES.length * 0.65);
  });

  const absent = oracleAbsent();
  it.skipIf(absent !== null)(`the running kernel agrees${absent ? `: ${absent}` : ''}`, () => {
    const { verdicts } = recordVerdicts(CASES);
    for (const one of CASES)
      expect(verdicts[one.name]!.errno, one.name).toBe(vectors.verdicts[one.name]!.errno);
  });
});
