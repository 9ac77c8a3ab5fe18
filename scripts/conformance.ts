/**
 * npm run --silent conformance -- DIR [--verbose]
 *
 * Runs every `.data` file of a folder on each engine and ends with `N passed, N failed`. A case that
 * Linux would not load as an XDP program is marked; it runs all the same.
 */
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { thrownText } from '../src/host/errors.ts';
import type { ConformanceCase } from './conformanceCase.ts';
import { parseCase } from './conformanceCase.ts';
import type { Engine } from './conformanceEngines.ts';
import { ENGINES, runBare } from './conformanceEngines.ts';
import { kernelRefusal } from './conformanceKernel.ts';

export interface CaseOutcome {
  readonly file: string;
  readonly engine: Engine;
  /** Why it failed, or null. */
  readonly failure: string | null;
  /** Linux's reason to refuse the program, or null. */
  readonly kernelRefuses: string | null;
}

/** @throws Error when the folder cannot be read, or holds no case */
export function runFolder(dir: string): CaseOutcome[] {
  const files = readdirSync(dir)
    .filter((name) => name.endsWith('.data'))
    .toSorted();
  if (files.length === 0) throw new Error(`${dir}: no .data files`);
  return files.flatMap((file) => runFile(join(dir, file), file));
}

function runFile(path: string, file: string): CaseOutcome[] {
  let one: ConformanceCase;
  try {
    one = parseCase(readFileSync(path, 'utf8'));
  } catch (error) {
    const failure = reasonOf(error);
    return ENGINES.map((engine) => ({ file, engine, failure, kernelRefuses: null }));
  }
  const kernelRefuses = kernelRefusal(one.insns);
  return ENGINES.map((engine) => ({
    file,
    engine,
    failure: failureOf(engine, one),
    kernelRefuses,
  }));
}

function failureOf(
  engine: Engine,
  { insns, memory, result, error }: ConformanceCase,
): string | null {
  let r0: bigint;
  try {
    r0 = runBare(engine, insns, memory);
  } catch (thrown) {
    return error === null ? reasonOf(thrown) : null;
  }
  const got = `r0 is 0x${r0.toString(16)}`;
  if (result === null) return `${got}, and an error was expected: ${error}`;
  return r0 === result ? null : `${got}, not 0x${result.toString(16)}`;
}

const reasonOf = (error: unknown): string =>
  error instanceof Error ? error.message : thrownText(error);

function main(args: readonly string[]): number {
  const [dir, ...more] = args.filter((arg) => arg !== '--verbose');
  if (dir === undefined || more.length > 0) {
    console.error('usage: npm run --silent conformance -- DIR [--verbose]');
    return 2;
  }
  let outcomes: CaseOutcome[];
  try {
    outcomes = runFolder(dir);
  } catch (error) {
    console.error(`conformance: ${reasonOf(error)}`);
    return 2;
  }
  for (const { file, engine, failure, kernelRefuses } of outcomes) {
    const mark = kernelRefuses === null ? '' : ` (Linux refuses it: ${kernelRefuses})`;
    if (failure !== null) console.log(`FAIL ${file} on the ${engine}: ${failure}${mark}`);
    else if (args.includes('--verbose')) console.log(`pass ${file} on the ${engine}${mark}`);
  }
  const refused = new Set(outcomes.filter((o) => o.kernelRefuses !== null).map((o) => o.file));
  for (const file of refused) {
    const why = outcomes.find((outcome) => outcome.file === file)!.kernelRefuses!;
    console.log(`Linux refuses ${file}: ${why}`);
  }
  const failed = outcomes.filter(({ failure }) => failure !== null).length;
  console.log(`${outcomes.length - failed} passed, ${failed} failed`);
  return failed === 0 ? 0 : 1;
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  process.exitCode = main(process.argv.slice(2));
}
