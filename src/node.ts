/**
 * What of the library needs Node: runs whose options name files.
 *
 * As in `ringscope run`, programs, captures and scenarios are read from files, and captures asked
 * for are written to them. Everything of `ringscope` itself is in `ringscope`, not here.
 */
import type { RunGiven } from './lab/given.ts';
import { run as runGiven } from './lab/given.ts';
import { importProgram, readBytes, readScenarioFile, writeCaptures } from './lab/files.ts';
import type { OptionSource } from './lab/options.ts';
import type { RunOutcome } from './lab/run.ts';

export { VerifierError } from './xdp/verifier/verify.ts';
export type { RunGiven } from './lab/given.ts';
export type { RunOutcome } from './lab/run.ts';

const IO = { readFile: readBytes, importProgram, nowMs: (): number => performance.now() };

/**
 * `ringscope run` from code, without its printing.
 *
 * @throws OptionError, InputError, RangeRefused, CaptureError, ProgramFault
 */
export const run = (given: RunGiven = {}): Promise<RunOutcome> => runOn([], given);

/** `ringscope run SCENARIO`; what `given` says replaces what the file says. @throws as `run` */
export const runFile = async (scenario: string, given: RunGiven = {}): Promise<RunOutcome> =>
  runOn([await readScenarioFile(scenario)], given);

async function runOn(under: readonly OptionSource[], given: RunGiven): Promise<RunOutcome> {
  const outcome = await runGiven(given, IO, under);
  const named = (key: 'txOut' | 'passOut'): string | undefined => {
    const name = [...under.map(({ values }) => values), given].findLast(
      (v) => v[key] !== undefined,
    );
    return typeof name?.[key] === 'string' ? name[key] : undefined;
  };
  await writeCaptures({ txOut: named('txOut'), passOut: named('passOut') }, outcome.captures);
  return outcome;
}
