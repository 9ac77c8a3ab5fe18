/** `ringscope run`: options and files in, tables or JSON out. */
import { writeFile } from 'node:fs/promises';
import { fileReason, importProgram, readBytes } from '../lab/files.ts';
import { InputError } from '../lab/inputError.ts';
import type { RunOptions } from '../lab/optionSchema.ts';
import type { OptionSource } from '../lab/options.ts';
import { fromFlags, readOptions } from '../lab/options.ts';
import type { BuildMachine, RunOutcome } from '../lab/run.ts';
import { runScenario } from '../lab/run.ts';
import { readScenario } from '../lab/scenario.ts';
import { EXIT_FAILED } from './failure.ts';
import { Progress } from './progress.ts';
import { brokenRules, runTables } from './tables.ts';
import type { Terminal } from './terminal.ts';

/** @param flags as typed, by camelCase key @returns the exit code */
export async function runCommand(
  scenario: string | undefined,
  flags: Readonly<Record<string, unknown>>,
  terminal: Terminal,
  build: BuildMachine,
): Promise<number> {
  const options = readOptions([...(await scenarioSources(scenario)), fromFlags(flags)]);
  const { report, captures } = await runShowingProgress(options, terminal, build);
  await writeCapture('--tx-out', options.txOut, captures.txOut);
  await writeCapture('--pass-out', options.passOut, captures.passOut);
  terminal.out(options.json ? `${JSON.stringify(report)}\n` : runTables(report, terminal.colors));
  if (report.conserved) return 0;
  terminal.err(`run failed: ${brokenRules(report).join('; ')}\n`);
  return EXIT_FAILED;
}

async function scenarioSources(name: string | undefined): Promise<OptionSource[]> {
  if (name === undefined) return [];
  const bytes = await readBytes('SCENARIO', name);
  return [readScenario(name, new TextDecoder().decode(bytes))];
}

const nowMs = (): number => performance.now();

async function runShowingProgress(
  options: RunOptions,
  terminal: Terminal,
  build: BuildMachine,
): Promise<RunOutcome> {
  const progress = new Progress(terminal, nowMs);
  const io = {
    readFile: readBytes,
    importProgram,
    nowMs,
    progress: (offered: number, total: number | undefined, virtualNs: number) =>
      progress.update(offered, total, virtualNs),
  };
  try {
    return await runScenario(options, io, build);
  } finally {
    progress.clear();
  }
}

async function writeCapture(
  option: string,
  name: string | undefined,
  bytes: Uint8Array | undefined,
): Promise<void> {
  if (name === undefined || bytes === undefined) return;
  try {
    await writeFile(name, bytes);
  } catch (error) {
    throw new InputError(`${option}: cannot write ${name}: ${fileReason(error)}`);
  }
}
