/**
 * Ask the running kernel's verifier and ours the same, many times over, and say where they differ:
 *
 *   npm run compare:verifier -- --mutants [--from SEED] [--count N]   cases of test/oracle, changed
 *   npm run compare:verifier -- --calls                              every call with every kind of value
 *
 * Needs root and a C compiler. Verdicts count first, then the last line, then the whole log.
 */
import { parseArgs } from 'node:util';
import { callSweep } from '../test/oracle/callSweep.ts';
import { readCases, smallCases } from '../test/oracle/caseText.ts';
import { DIFFERENCES, compareVerdicts } from '../test/oracle/compareVerdicts.ts';
import { mutant } from '../test/oracle/mutants.ts';
import { VERIFIER_CASES } from '../test/oracle/verifierCases.ts';
import type { VerifierCase } from '../test/oracle/verifierJudge.ts';

const { values } = parseArgs({
  options: {
    mutants: { type: 'boolean', default: false },
    calls: { type: 'boolean', default: false },
    from: { type: 'string', default: '1' },
    count: { type: 'string', default: '1000' },
  },
});
const whole = (name: 'from' | 'count'): number => {
  const n = Number(values[name]);
  if (Number.isInteger(n) && n >= 1 && n < 2 ** 31) return n;
  throw new Error(`--${name}: ${values[name]} is not a whole number from 1`);
};
const CHUNK = 250;
const say = (text: string): void => void process.stdout.write(`${text}\n`);

function* mutants(): Generator<VerifierCase> {
  const stock = [...smallCases(), ...VERIFIER_CASES.filter(({ btf }) => btf === undefined)];
  const from = whole('from');
  const count = whole('count');
  for (let seed = from; seed < from + count; seed++) yield mutant(seed, stock);
}

function* calls(): Generator<VerifierCase> {
  for (const text of callSweep()) yield* readCases('callSweep', text);
}

const sum: Record<string, number> = { asked: 0, kernelAccepts: 0 };
for (const what of DIFFERENCES) sum[what] = 0;

function compare(cases: readonly VerifierCase[]): void {
  const { asked, kernelAccepts, found } = compareVerdicts(cases);
  sum.asked! += asked;
  sum.kernelAccepts! += kernelAccepts;
  for (const { name, what, text } of found) {
    sum[what]!++;
    say(`${what}: ${name}${text}`);
  }
}

if (values.mutants === values.calls) throw new Error('one of --mutants and --calls is needed');
let chunk: VerifierCase[] = [];
for (const one of values.calls ? calls() : mutants()) {
  chunk.push(one);
  if (chunk.length < CHUNK) continue;
  compare(chunk);
  chunk = [];
}
compare(chunk);
say(JSON.stringify(sum));
if (sum.crash! + sum.wrong! > 0) process.exitCode = 1;
