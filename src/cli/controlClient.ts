/** One command to a running `ringscope run --watch --control SOCKET`. */
import { lstat } from 'node:fs/promises';
import { connect } from 'node:net';
import { fileReason } from '../lab/files.ts';
import { InputError } from '../lab/inputError.ts';

/** Where a file's name would stand, is it a socket? */
export const isControl = async (name: string): Promise<boolean> =>
  (await lstat(name).catch(() => null))?.isSocket() === true;

interface Answer {
  readonly ok: boolean;
  readonly text?: string;
  readonly data?: unknown;
  readonly error?: string;
}

/** @throws InputError when nobody answers, or the run refuses */
export async function askRun(path: string, command: string): Promise<Answer> {
  const answer = JSON.parse(await exchange(path, command)) as Answer;
  if (!answer.ok) throw new InputError(`${path}: ${answer.error}`);
  return answer;
}

const exchange = (path: string, command: string): Promise<string> =>
  new Promise((resolve, reject) => {
    let text = '';
    const refuse = (why: string): void => reject(new InputError(`${path}: ${why}`));
    const socket = connect(path, () => void socket.write(`${command.replaceAll('\n', ' ')}\n`));
    socket.setEncoding('utf8');
    socket.on('data', (part: string) => {
      text += part;
      if (!part.includes('\n')) return;
      socket.destroy();
      resolve(text);
    });
    socket.on('error', (error) => refuse(`no run answers: ${fileReason(error)}`));
    socket.on('close', () => refuse('the run has ended'));
  });
