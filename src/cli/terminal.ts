/** The two streams a command talks to, and what it may do there. */
import pc from 'picocolors';
import type { Colors } from 'picocolors/types';

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

/** A reader that has gone (`| head`) is no error: stop quietly. */
export function stopQuietlyOnEpipe(): void {
  for (const stream of [process.stdout, process.stderr]) {
    stream.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EPIPE') process.exit(0);
      throw error;
    });
  }
}
