/** Our verifier beside the running kernel's, over many cases: what differs, and how. */
import { cpus } from 'node:os';
import type { VerifierResult } from '../../src/xdp/verifier/analyse.ts';
import type { OracleAnswer } from './oracle.ts';
import { askKernel } from './oracle.ts';
import type { VerifierCase } from './verifierJudge.ts';
import { comparable, forKernel, ourVerdict } from './verifierJudge.ts';

/** From the gravest to the least. */
export const DIFFERENCES = [
  'crash',
  'wrong',
  'strict',
  'last line',
  'errno',
  'log',
  'by name',
] as const;
type Difference = (typeof DIFFERENCES)[number];

export interface Compared {
  readonly asked: number;
  readonly kernelAccepts: number;
  readonly found: readonly {
    readonly name: string;
    readonly what: Difference;
    readonly text: string;
  }[];
}

/** Longer walks say little that shorter ones do not. */
const MOST_PROCESSED = 20_000;
const STATISTICS = /^(processed|verification time|stack depth)/;

const lastLine = (log: string): string =>
  comparable(log)
    .split('\n')
    .findLast((line) => line.trim() !== '' && !STATISTICS.test(line)) ?? '';

const processed = (log: string): number =>
  Number(/^processed (\d+) insns/m.exec(log.slice(-400))?.[1] ?? 0);

function difference(
  ours: VerifierResult,
  kernel: OracleAnswer,
): readonly [Difference, string] | null {
  const lines = (own: string, other: string): string => `\n  ours   ${own}\n  kernel ${other}`;
  if (ours.errno !== 0 && ours.message.endsWith('is not supported by this verifier'))
    return ['by name', lines(ours.message, lastLine(kernel.log))];
  const last = lines(lastLine(ours.log), lastLine(kernel.log));
  if (kernel.errno !== 0 && ours.errno === 0) return ['wrong', last];
  if (kernel.errno === 0 && ours.errno !== 0) return ['strict', last];
  if (kernel.errno !== 0 && lastLine(ours.log) !== lastLine(kernel.log)) return ['last line', last];
  if (kernel.errno !== ours.errno) return ['errno', lines(`${ours.errno}`, `${kernel.errno}`)];
  const own = comparable(ours.log).split('\n');
  const other = comparable(kernel.log).split('\n');
  const at = other.findIndex((line, i) => line !== own[i]);
  return at < 0 ? null : ['log', lines(own[at] ?? '', other[at]!)];
}

export function compareVerdicts(cases: readonly VerifierCase[]): Compared {
  const { answers } = askKernel(cases.map(forKernel));
  const found: Compared['found'][number][] = [];
  let asked = 0;
  let kernelAccepts = 0;
  answers.forEach((kernel, i) => {
    const one = cases[i]!;
    if (kernel.mapErrno.some((errno) => errno !== 0)) return;
    if (kernel.errno === 28 || processed(kernel.log) > MOST_PROCESSED) return;
    asked++;
    if (kernel.errno === 0) kernelAccepts++;
    try {
      const unlike = difference(ourVerdict(one, cpus().length), kernel);
      if (unlike !== null) found.push({ name: one.name, what: unlike[0], text: unlike[1] });
    } catch (error) {
      const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
      found.push({ name: one.name, what: 'crash', text: `\n  ${text}` });
    }
  });
  return { asked, kernelAccepts, found };
}
