/**
 * Ask the running kernel about every case of `verifierCases.ts` and keep its verdicts and logs:
 *
 *   npx tsx test/oracle/recordVerifier.ts        as root, with a C compiler and bpftool
 */
import { writeFileSync } from 'node:fs';
import { VERIFIER_CASES } from './verifierCases.ts';
import { recordVerdicts } from './verifierJudge.ts';

const vectors = recordVerdicts(VERIFIER_CASES);
const file = new URL('../vectors/verifier/cases.json', import.meta.url);
writeFileSync(file, `${JSON.stringify(vectors, null, 1)}\n`);
process.stdout.write(`${VERIFIER_CASES.length} cases, Linux ${vectors.kernel}\n`);
