/** A run as a stream: how far it has come, then what came of it. */
import { Observable } from 'rxjs';
import { buildMachine } from '../machine.ts';
import type { RunOptions } from './optionSchema.ts';
import type { BuildMachine, RunIo, RunOutcome } from './run.ts';
import { runScenario } from './run.ts';

/** Sent with every block of arrivals, a few hundred frames. */
export interface RunProgress {
  readonly kind: 'progress';
  readonly offered: number;
  /** Frames there will be; undefined where time decides. */
  readonly total: number | undefined;
  readonly virtualNs: number;
}

export interface RunDone {
  readonly kind: 'done';
  readonly outcome: RunOutcome;
}

export type RunEvent = RunProgress | RunDone;

/**
 * Each subscription is a run of its own; what `runScenario` throws is the stream's error.
 *
 * Events come from inside the run, which is synchronous: to leave early is to stop listening, not
 * to stop the run.
 */
export const observeRun = (
  options: RunOptions,
  io: Omit<RunIo, 'progress'>,
  build: BuildMachine = buildMachine,
): Observable<RunEvent> =>
  new Observable((subscriber) => {
    const progress = (offered: number, total: number | undefined, virtualNs: number): void =>
      subscriber.next({ kind: 'progress', offered, total, virtualNs });
    runScenario(options, { ...io, progress }, build).then(
      (outcome) => {
        subscriber.next({ kind: 'done', outcome });
        subscriber.complete();
      },
      (error: unknown) => subscriber.error(error),
    );
  });
