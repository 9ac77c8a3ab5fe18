/** Verdict, error number and full log of every case, as Linux 6.18 gave them. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { oracleAbsent } from '../../oracle/oracle.ts';
import { VERIFIER_CASES } from '../../oracle/verifierCases.ts';
import type { VerifierVectors } from '../../oracle/verifierJudge.ts';
import { comparable, ourVerdict, recordVerdicts } from '../../oracle/verifierJudge.ts';

const vectors = JSON.parse(
  readFileSync(new URL('../../vectors/verifier/cases.json', import.meta.url), 'utf8'),
) as VerifierVectors;

describe('the verifier', () => {
  it.each(VERIFIER_CASES)('$name', (one) => {
    const ours = ourVerdict(one, vectors.cpus);
    const kernel = vectors.verdicts[one.name]!;
    expect(comparable(ours.log)).toBe(kernel.log);
    expect(ours.errno).toBe(kernel.errno);
  });

  const absent = oracleAbsent();
  it.skipIf(absent !== null)(`agrees with the running kernel${absent ? `: ${absent}` : ''}`, () => {
    const { verdicts } = recordVerdicts(VERIFIER_CASES);
    for (const one of VERIFIER_CASES)
      expect(ourVerdict(one).errno, one.name).toBe(verdicts[one.name]!.errno);
  });
});
