/**
 * Ask the running kernel about every case of `verifierCases.ts` and of `cases/`, and keep its verdicts
 * and logs; of the latter only a log's end and hash:
 *
 *   npx tsx test/oracle/recordVerifier.ts        as root, with a C compiler and bpftool
 */
import { writeFileSync } from 'node:fs';
import { smallCases } from './caseText.ts';
import { VERIFIER_CASES } from './verifierCases.ts';
import { recordVerdicts, shortVerdict } from './verifierJudge.ts';

const folder = new URL('../vectors/verifier/', import.meta.url);
const keep = (name: string, value: unknown): void =>
  writeFileSync(new URL(name, folder), `${JSON.stringify(value, null, 1)}\n`);

const vectors = recordVerdicts(VERIFIER_CASES);
keep('cases.json', vectors);
const small = recordVerdicts(smallCases());
const verdicts = Object.fromEntries(
  Object.entries(small.verdicts).map(([name, verdict]) => [name, shortVerdict(verdict)]),
);
keep('small.json', { ...small, verdicts });
const count = Object.keys(verdicts).length + VERIFIER_CASES.length;
process.stdout.write(`${count} cases, Linux ${vectors.kernel}\n`);
