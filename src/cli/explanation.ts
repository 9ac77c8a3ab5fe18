/** The verifier's refusals for people: what it means, how the path got there, what to do. */
import type { Colors } from 'picocolors/types';
import { printable } from '../host/errors.ts';
import type { BranchStep, Explanation, SourceLine } from '../xdp/verifier/explain.ts';
import { wrapped } from './wrap.ts';

/** Branches that are shown; `--json` has more. */
const SHOWN_BRANCHES = 8;
/** Lines of the log's end that are shown unasked. */
const LOG_LINES = 24;
const LABEL = 7;
const WIDTH = 96;

const at = (source: SourceLine | null, slot: number): string =>
  source === null
    ? `instruction ${slot}`
    : `${printable(source.file.replace(/^\.\//, ''))}:${source.line}  ${printable(source.text)}`;

const paragraph = (label: string, text: string): string[] =>
  wrapped(text, WIDTH).map((line, i) => `  ${(i === 0 ? label : '').padEnd(LABEL)}${line}`);

/** A branch as it is shown, and how often in a row. */
interface Turn {
  readonly lines: readonly string[];
  times: number;
}

function turnsOf(steps: readonly BranchStep[]): Turn[] {
  const turns: Turn[] = [];
  for (const { slot, insn, taken, source, next } of steps) {
    const on = next === null || (source?.line === next.line && source.file === next.file);
    const where = on ? '' : `, on at line ${next.line}`;
    const lines = [
      at(source, slot),
      `    ${slot}: ${insn}: ${taken ? 'jumps' : 'falls through'}${where}`,
    ];
    const last = turns.at(-1);
    if (last?.lines.join() === lines.join()) last.times++;
    else turns.push({ lines, times: 1 });
  }
  return turns;
}

const branchesIn = (turns: readonly Turn[]): number =>
  turns.reduce((sum, { times }) => sum + times, 0);

/** The last branches; what a loop repeats is shown once. */
function branchLines(steps: readonly BranchStep[], earlier: number): string[] {
  const turns = turnsOf(steps);
  const shown = turns.slice(-SHOWN_BRANCHES);
  const left = earlier + branchesIn(turns) - branchesIn(shown);
  const lines = left === 0 ? [] : [`(${left} ${left === 1 ? 'branch' : 'branches'} before)`];
  for (const turn of shown) {
    lines.push(...turn.lines);
    if (turn.times > 1) lines.push(`        the same ${turn.times} times`);
  }
  return lines;
}

/** Why, where, how it came there and the cure. */
export function explanationLines(explanation: Explanation, { bold }: Colors): string[] {
  const { why, cure, source, origins, path, earlier } = explanation;
  const lines = paragraph('why', why).map((line, i) => (i === 0 ? bold(line) : line));
  if (source !== null) lines.push(`  ${'line'.padEnd(LABEL)}${at(source, -1)}`);
  for (const { register, slot, insn, source: from, lost, holds } of origins) {
    lines.push(...paragraph(`R${register}`, lost ? 'lost by the call' : holds));
    lines.push(`  ${''.padEnd(LABEL)}${lost ? 'at' : 'from'} ${at(from, slot)}`);
    lines.push(`  ${''.padEnd(LABEL)}    ${slot}: ${insn}`);
  }
  branchLines(path, earlier).forEach((line, i) =>
    lines.push(`  ${(i === 0 ? 'path' : '').padEnd(LABEL)}${line}`),
  );
  if (cure !== '') lines.push(...paragraph('cure', cure));
  return lines;
}

/** The log holds lines of C out of the object: nothing of them steers the terminal. */
export const logLines = (log: string): string[] =>
  log
    .trimEnd()
    .split('\n')
    .map((line) => line.split('\t').map(printable).join('\t'));

/** The log's last lines, and how many are left out. */
export function logEnd(log: string): string[] {
  const lines = logLines(log);
  const left = lines.length - LOG_LINES;
  return left <= 1
    ? lines
    : [`(${left} lines before; --log-level 1 shows all)`, ...lines.slice(left)];
}
