/** `ringscope run`: options and files in, tables or JSON out. */
import { lastValueFrom, tap } from 'rxjs';
import {
  checkOutputs,
  importProgram,
  readBytes,
  readScenarioFile,
  writeMaps,
  writeCaptures,
} from '../lab/files.ts';
import type { RunEvent } from '../lab/observe.ts';
import { observeRun } from '../lab/observe.ts';
import type { RunOptions } from '../lab/optionSchema.ts';
import { fromFlags, readOptions } from '../lab/options.ts';
import type { BuildMachine, RunOutcome } from '../lab/run.ts';
import { EXIT_FAILED } from './failure.ts';
import { Progress } from './progress.ts';
import { brokenRules, runTables } from './tables.ts';
import type { Terminal } from './terminal.ts';
import { watching } from './watch.ts';

/** @param flags as typed, by camelCase key @returns the exit code */
export async function runCommand(
  scenario: string | undefined,
  flags: Readonly<Record<string, unknown>>,
  terminal: Terminal,
  build: BuildMachine,
): Promise<number> {
  const inFile = scenario === undefined ? [] : [await readScenarioFile(scenario)];
  const options = readOptions([...inFile, fromFlags(flags)]);
  const { txOut, passOut, mapsOut } = options;
  await checkOutputs(
    [
      ['SCENARIO', scenario],
      ['--in', options.in],
      ['--xdp', programFile(options.xdp)],
      ['--xdp-peer', programFile(options.xdpPeer)],
      ['--maps', options.maps],
      ['--profile', programFile(options.profile)],
    ],
    [
      ['--tx-out', txOut],
      ['--pass-out', passOut],
      ['--maps-out', mapsOut],
    ],
  );
  const { report, captures, maps } = await runShowingProgress(options, terminal, build);
  await writeCaptures({ txOut, passOut }, captures);
  if (mapsOut !== undefined) await writeMaps('--maps-out', mapsOut, maps);
  terminal.out(options.json ? `${JSON.stringify(report)}\n` : runTables(report, terminal.colors));
  if (report.conserved) return 0;
  terminal.err(`run failed: ${brokenRules(report).join('; ')}\n`);
  return EXIT_FAILED;
}

/** Examples go by a bare name. */
const programFile = (name: string): string | undefined => (/[./\\]/.test(name) ? name : undefined);

const nowMs = (): number => performance.now();

export async function runShowingProgress(
  options: RunOptions,
  terminal: Terminal,
  build: BuildMachine,
): Promise<RunOutcome> {
  const progress = new Progress(terminal, nowMs);
  const show = (event: RunEvent): void => {
    if (event.kind === 'progress' && !options.watch)
      progress.update(event.offered, event.total, event.virtualNs);
  };
  const drive = watching({ speed: options.speed, control: options.control }, terminal, nowMs);
  const says = (text: string): void => terminal.err(`${text}\n`);
  const readsMaps = options.mapsOut !== undefined;
  const io = { readFile: readBytes, importProgram, nowMs, drive, says, readsMaps };
  try {
    const last = await lastValueFrom(observeRun(options, io, build).pipe(tap(show)));
    if (last.kind === 'done') return last.outcome;
    throw new Error('a run ended without an outcome');
  } finally {
    progress.clear();
  }
}
