/** A worker of `worker.ts`, as its parent sees it. */
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { build } from '../scripts/bundle.mjs';
import type { WorkerOptions } from './worker.ts';

const ROOT: string = fileURLToPath(new URL('..', import.meta.url));
/** Not in `dist`, which is published; below `node_modules`, so that packages are found. */
const WORKER = `${ROOT}node_modules/.cache/ringscope/worker.mjs`;

/** What is measured is built as what is published. */
await build({
  ...{ absWorkingDir: ROOT, entryPoints: ['bench/worker.ts'], outfile: WORKER, bundle: true },
  ...{ format: 'esm', platform: 'node', target: 'node20', packages: 'external' },
});

export interface WorkerProcess {
  /** @returns ns a packet */
  round(): Promise<number>;
  close(): void;
}

/** Start a worker and wait until it is warm. @throws Error with what it said when it fails */
export async function startWorker(options: WorkerOptions): Promise<WorkerProcess> {
  const child = spawn(process.execPath, [WORKER, JSON.stringify(options)], {
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  let said = '';
  child.stderr.on('data', (chunk: Buffer) => (said += chunk.toString()));
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const answer = async (): Promise<{ nsPerPacket?: number }> => {
    const { value, done } = await lines.next();
    if (done === true)
      throw new Error(`benchmark ${JSON.stringify(options)} ended: ${said.trim()}`);
    return JSON.parse(value) as { nsPerPacket?: number };
  };
  await answer();
  return {
    round: async () => {
      child.stdin.write('round\n');
      return (await answer()).nsPerPacket!;
    },
    close: () => void child.stdin.end(),
  };
}
