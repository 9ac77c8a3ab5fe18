/** The two streams a command talks to, and what it may do there. */
import pc from 'picocolors';
import type { Colors } from 'picocolors/types';
import { fileReason } from '../lab/files.ts';

export interface Terminal {
  /** What was asked for: tables or JSON. */
  out(text: string): void;
  /** Messages, and progress. */
  err(text: string): void;
  readonly colors: Colors;
  /** Are messages read by a person as they come? Only then is progress shown. */
  readonly live: boolean;
}

/** Colours on a terminal unless NO_COLOR, elsewhere only with FORCE_COLOR. */
export function processTerminal(): Terminal {
  const { env, stdout, stderr } = process;
  const asked = (env['FORCE_COLOR'] ?? '') !== '' && env['FORCE_COLOR'] !== '0';
  const able = stdout.isTTY && env['TERM'] !== 'dumb' && (env['NO_COLOR'] ?? '') === '';
  return {
    out: (text) => void stdout.write(text),
    err: (text) => void stderr.write(text),
    colors: pc.createColors(asked || able),
    live: stderr.isTTY,
  };
}

/**
 * A reader that has gone (`| head`) is no error: stop quietly. Output that cannot be written
 * otherwise (a full disk) is one, said on stderr where that still works.
 *
 * @param stop ends the process with that exit code
 */
export function stopWhenUnwritable(stop: (code: number) => void): void {
  const { stdout, stderr } = process;
  stderr.on('error', (error: NodeJS.ErrnoException) => stop(error.code === 'EPIPE' ? 0 : 1));
  stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') return stop(0);
    stderr.write(`cannot write to stdout: ${fileReason(error)}\n`);
    stop(1);
  });
}
