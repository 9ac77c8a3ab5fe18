/** A worker of `worker.ts`, as its parent sees it. */
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { WorkerOptions } from './worker.ts';

const WORKER: string = fileURLToPath(new URL('./worker.ts', import.meta.url));

export interface WorkerProcess {
  /** @returns ns a packet */
  round(): Promise<number>;
  close(): void;
}

/** Start a worker and wait until it is warm. @throws Error with what it said when it fails */
export async function startWorker(options: WorkerOptions): Promise<WorkerProcess> {
  const child = spawn(process.execPath, ['--import', 'tsx', WORKER, JSON.stringify(options)], {
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
