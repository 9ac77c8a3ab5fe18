/**
 * Runs in parallel: a pool of worker threads, each with one machine at a time.
 *
 * Both ends are here: `WorkerPool` hands out jobs, `serveRuns` does them in a thread. What a run
 * finds depends on its options alone, so neither the number of workers nor the order in which they
 * finish can be seen in a report.
 */
import { parentPort, Worker } from 'node:worker_threads';
import { importProgram, readBytes } from './files.ts';
import type { MeasuredReport } from './measures.ts';
import type { RunOptions } from './optionSchema.ts';
import type { BuildMachine } from './run.ts';
import { runScenario } from './run.ts';

interface Job {
  readonly index: number;
  readonly options: RunOptions;
}

/** Errors lose their class on the way between threads. */
interface Answer {
  readonly index: number;
  readonly report?: MeasuredReport;
  readonly failure?: string;
  /** It failed because of what it was given. */
  readonly refused?: boolean;
}

/** A run of a sweep that ended without a report. */
export class RunFailed extends Error {
  /** Of the job that failed. */
  readonly index: number;
  /** Because of what it was given, as a single run with the same options would be refused. */
  readonly refused: boolean;

  constructor(index: number, message: string, refused: boolean = false) {
    super(message);
    this.name = 'RunFailed';
    this.index = index;
    this.refused = refused;
  }
}

/** @throws as `runScenario` */
export async function sweptReport(
  options: RunOptions,
  build: BuildMachine,
): Promise<MeasuredReport> {
  const io = { readFile: readBytes, importProgram, nowMs: () => 0, readsMaps: false };
  const { report } = await runScenario(options, io, build);
  const { wallMs: _, ...same } = report;
  return same;
}

/**
 * In a worker thread: do what the pool sends, until it ends the thread.
 *
 * @param isRefusal tells an error that says what is wrong with the options or files from others
 */
export function serveRuns(build: BuildMachine, isRefusal: (error: unknown) => boolean): void {
  parentPort!.on('message', ({ index, options }: Job) => {
    sweptReport(options, build).then(
      (report) => answer({ index, report }),
      (error: unknown) => {
        const failure = error instanceof Error ? error.message : String(error);
        answer({ index, failure, refused: isRefusal(error) });
      },
    );
  });
}

const answer = (said: Answer): void => parentPort!.postMessage(said);

export class WorkerPool {
  private readonly entry: URL;
  private readonly size: number;
  private readonly workers = new Set<Worker>();
  private stopped = false;

  /** @param entry a module that calls `serveRuns` in a worker thread */
  constructor(entry: URL, size: number) {
    this.entry = entry;
    this.size = size;
  }

  /**
   * Do all jobs, in their order as far as there are workers.
   *
   * @param onDone told as they finish, in any order
   * @returns when all are done, or `stop` was called
   * @throws RunFailed of the first job that fails; the others are stopped
   */
  async run(
    jobs: readonly RunOptions[],
    onDone: (index: number, report: MeasuredReport) => void,
  ): Promise<void> {
    let next = 0;
    const take = (): Job | null => {
      if (this.stopped || next === jobs.length) return null;
      return { index: next, options: jobs[next++]! };
    };
    const threads = Math.min(this.size, jobs.length);
    try {
      await Promise.all(Array.from({ length: threads }, () => this.thread(take, onDone)));
    } finally {
      this.stop();
    }
  }

  /** End what runs; what is finished has been told. */
  stop(): void {
    this.stopped = true;
    for (const worker of this.workers) void worker.terminate();
    this.workers.clear();
  }

  private thread(
    take: () => Job | null,
    onDone: (index: number, report: MeasuredReport) => void,
  ): Promise<void> {
    return new Promise((resolve, reject) => {
      const worker = new Worker(this.entry);
      this.workers.add(worker);
      let job: Job | null = null;
      const giveNext = (): void => {
        job = take();
        if (job !== null) return worker.postMessage(job);
        resolve();
        this.workers.delete(worker);
        void worker.terminate();
      };
      worker.on('message', ({ index, report, failure, refused }: Answer) => {
        if (this.stopped) return;
        if (report === undefined) return reject(new RunFailed(index, failure!, refused));
        onDone(index, report);
        giveNext();
      });
      worker.on('error', (error) => reject(new RunFailed(job?.index ?? 0, error.message)));
      worker.on('exit', () => {
        if (this.stopped || job === null) resolve();
        else reject(new RunFailed(job.index, 'its program ended the process'));
      });
      giveNext();
    });
  }
}
