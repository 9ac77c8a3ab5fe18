/** The command `ringscope`: sets the process up, runs one command, sets the exit code. */
import { runCommandLine } from './commands.ts';
import { buildMachine } from '../machine.ts';
import { inlineWholePath } from './engine.ts';
import { processTerminal, stopQuietlyOnEpipe } from './terminal.ts';

inlineWholePath();
stopQuietlyOnEpipe();
process.exitCode = await runCommandLine(process.argv.slice(2), processTerminal(), buildMachine);
