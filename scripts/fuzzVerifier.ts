/**
 * Fuzz the verifier with programs on its border (`test/oracle/borderProgram.ts`):
 *
 *   npm run fuzz:verifier -- [--from SEED] [--count N] [--kernel] [--ledger FILE]
 *
 * What is accepted runs with every access and every register held against what the verifier knew. With
 * --kernel (root) the running kernel judges as well. The ledger, one line a run, keeps which seeds of
 * which version of the generator were tried and what came of them.
 */
import { appendFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { parseArgs } from 'node:util';
import { borderCase } from '../test/oracle/borderCase.ts';
import { GENERATOR } from '../test/oracle/borderProgram.ts';
import { Soundness } from '../test/oracle/soundness.ts';
import { askKernel } from '../test/oracle/oracle.ts';

const { values } = parseArgs({
  options: {
    from: { type: 'string', default: '1' },
    count: { type: 'string', default: '1000' },
    kernel: { type: 'boolean', default: false },
    ledger: { type: 'string' },
  },
});
const whole = (name: 'from' | 'count', least: number): number => {
  const n = Number(values[name]);
  if (Number.isInteger(n) && n >= least && n < 2 ** 31) return n;
  throw new Error(`--${name}: ${values[name]} is not a whole number from ${least}`);
};
const from = whole('from', 0);
const count = whole('count', 1);
const CHUNK = 500;

const soundness = new Soundness(cpus().length);
const sum = { accepted: 0, compared: 0, kernelAccepted: 0, tooStrict: 0 };
const wrong: number[] = [];
const say = (text: string): void => void process.stdout.write(`${text}\n`);

for (let start = from; start < from + count; start += CHUNK) {
  const seeds = Array.from({ length: Math.min(CHUNK, from + count - start) }, (_, i) => start + i);
  const ours = seeds.map((seed) => ({ seed, ...soundness.judge(seed) }));
  for (const { seed, accepted, violation, compared } of ours) {
    if (accepted) sum.accepted++;
    sum.compared += compared;
    if (violation === null) continue;
    wrong.push(seed);
    say(`seed ${seed}: ${violation}`);
  }
  if (!values.kernel) continue;
  const cases = seeds.map((seed) => borderCase(seed, 1));
  askKernel(cases).answers.forEach(({ errno, log }, i) => {
    const { seed, accepted, message } = ours[i]!;
    const kernel = errno === 0;
    if (kernel) sum.kernelAccepted++;
    if (kernel === accepted) return;
    if (kernel) sum.tooStrict++;
    else wrong.push(seed);
    const said = kernel ? message : log.trimEnd().split('\n').at(-2);
    say(`seed ${seed}: ${kernel ? 'we refuse' : 'the kernel refuses'}: ${said}`);
  });
}

const line = { generator: GENERATOR, from, count, kernel: values.kernel, ...sum, wrong };
say(JSON.stringify(line));
if (values.ledger !== undefined) appendFileSync(values.ledger, `${JSON.stringify(line)}\n`);
if (wrong.length > 0) process.exitCode = 1;
