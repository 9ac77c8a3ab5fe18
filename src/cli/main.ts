/** The command `ringscope`: sets the process up, runs one command, sets the exit code. */
import { runCommandLine } from './commands.ts';
import { EXIT_FAILED, failureText } from './failure.ts';
import { buildMachine } from '../machine.ts';
import { processTerminal, stopWhenUnwritable } from './terminal.ts';

/** False where the process ends and nobody knows how the command went. */
let decided = false;

function stop(code: number): void {
  decided = true;
  process.exit(code);
}

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
void runCommandLine(process.argv.slice(2), processTerminal(), buildMachine).then((code) => {
  decided = true;
  process.exitCode = code;
});
