/** A process that answers each line with one line of JSON, after a first line when it is ready. */
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';

export interface LineServer {
  /** @throws Error with what the process said when it refuses or is gone */
  ask<T>(line: string): Promise<T>;
  close(): void;
}

/** Start it and wait until it is ready. @throws Error with what it said when it is not */
export async function startLineServer(
  command: string,
  args: readonly string[],
): Promise<LineServer> {
  const child = spawn(command, args, { stdio: ['pipe', 'pipe', 'pipe'] });
  let said = '';
  child.stderr.on('data', (chunk: Buffer) => (said += chunk.toString()));
  child.on('error', (error) => (said += error.message));
  child.stdin.on('error', (error) => (said += error.message));
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const answer = async <T>(): Promise<T> => {
    const { value, done } = await lines.next();
    if (done === true) throw new Error(`${command} ${args[0]} ended: ${said.trim()}`);
    const reply = JSON.parse(value) as T & { readonly error?: string };
    if (reply.error !== undefined) throw new Error(reply.error);
    return reply;
  };
  await answer();
  return {
    ask: (line) => {
      child.stdin.write(`${line}\n`);
      return answer();
    },
    close: () => void child.stdin.end(),
  };
}
