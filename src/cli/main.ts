/**
 * The command `ringscope`: sets the process up, runs one command, sets the exit code. The worker
 * threads of a sweep start here too, so that all is one bundle.
 */
import { isMainThread } from 'node:worker_threads';
import { runCommandLine } from './commands.ts';
import { EXIT_FAILED, EXIT_USAGE, exitCodeOf, failureText } from './failure.ts';
import { serveRuns } from '../lab/workers.ts';
import { buildMachine } from '../machine.ts';
import { inlineWholePath } from './engine.ts';
import { processTerminal, stopWhenUnwritable } from './terminal.ts';

/** False where the process ends and nobody knows how the command went. */
let decided = false;

function stop(code: number): void {
  decided = true;
  process.exit(code);
}

/** Run from its source, the module is TypeScript, which a new thread cannot load. */
const workers = import.meta.url.endsWith('.ts') ? null : new URL(import.meta.url);

function main(): void {
  stopWhenUnwritable(stop);
  process.on('uncaughtException', (error) => {
    process.stderr.write(failureText(error, process.env['RINGSCOPE_DEBUG'] === '1'));
    stop(EXIT_FAILED);
  });
  process.on('exit', () => {
    if (decided) return;
    process.stderr.write('ended without a result: a program ended the process, or never loads\n');
    process.exitCode = EXIT_FAILED;
  });
  void runCommandLine(process.argv.slice(2), processTerminal(), buildMachine, workers).then(
    (code) => {
      decided = true;
      process.exitCode = code;
    },
  );
}

if (isMainThread) main();
else {
  inlineWholePath();
  serveRuns(buildMachine, (error) => exitCodeOf(error) === EXIT_USAGE);
}
