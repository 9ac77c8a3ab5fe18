/** The commands and their options, and how usage errors read. */
import { Command, CommanderError } from 'commander';
import { didYouMean } from '../lab/nearest.ts';
import { kebab } from '../lab/optionNames.ts';
import { RUN_OPTIONS } from '../lab/optionSchema.ts';
import { OptionError } from '../lab/options.ts';
import { explainCommand } from './explain.ts';
import { addExplain } from './explainFlags.ts';
import { EXIT_USAGE, exitCodeOf, failureText } from './failure.ts';
import { addMap } from './objectCommands.ts';
import { optionOf } from './optionFlags.ts';
import { addProg } from './progCommands.ts';
import { runCommand } from './run.ts';
import { addSweep, SWEEP_FLAGS } from './sweepFlags.ts';
import { sweepCommand } from './sweep.ts';
import type { BuildMachine } from '../lab/run.ts';
import type { Terminal } from './terminal.ts';
import { addValidate } from './validate.ts';
import { VERSION } from './version.ts';

type Flags = Readonly<Record<string, unknown>>;
type RunAction = (scenario: string | undefined, flags: Flags) => Promise<void>;

/** Commands of the design that are still to come. */
const LATER: readonly (readonly [name: string, help: string])[] = [
  ['trace', 'Print a run step by step.'],
  ['studio', 'Open the study page.'],
];

/**
 * @param workers module of a sweep's worker threads; null where there are none
 * @returns the exit code: 0 success, 1 the run or a check failed, 2 bad usage or bad input, 130 Ctrl-C
 */
export async function runCommandLine(
  args: readonly string[],
  terminal: Terminal,
  build: BuildMachine,
  workers: URL | null = null,
): Promise<number> {
  const debug = process.env['RINGSCOPE_DEBUG'] === '1';
  let exitCode = 0;
  const run = async (scenario: string | undefined, flags: Flags): Promise<void> => {
    exitCode = await runCommand(scenario, flags, terminal, build);
  };
  const program = ringscope(terminal, run);
  addProg(program, terminal, (code) => {
    exitCode = code;
  });
  addMap(program, terminal);
  addValidate(program, terminal, (code) => {
    exitCode = code;
  });
  addExplain(program, async (what, flags) => {
    exitCode = await explainCommand(what, flags, terminal, build);
  });
  addSweep(program, args, async (call) => {
    exitCode = await sweepCommand(call, terminal, build, workers);
  });
  if (args.length === 0) {
    program.outputHelp();
    return 0;
  }
  try {
    await program.parseAsync([...args], { from: 'user' });
    return exitCode;
  } catch (error) {
    if (error instanceof CommanderError) {
      if (error.exitCode === 0) return 0;
      terminal.err(`${usageText(error, args[0] ?? '')}\n`);
      return EXIT_USAGE;
    }
    terminal.err(failureText(error, debug));
    return exitCodeOf(error);
  }
}

function ringscope(terminal: Terminal, run: RunAction): Command {
  const program: Command = new Command('ringscope')
    .description("Linux's bnxt receive path, rebuilt to run anywhere.")
    .version(VERSION)
    .exitOverride()
    .showSuggestionAfterError(false)
    .configureOutput({ writeOut: terminal.out, writeErr: () => {} })
    .helpCommand(false)
    .configureHelp({
      styleTitle: (title) => terminal.colors.bold(title),
      minWidthToWrap: NARROWEST_HELP,
      subcommandTerm: (command) =>
        command.parent === program && ['run', 'sweep', 'explain'].includes(command.name())
          ? `${command.name()} [SCENARIO]`
          : command.name(),
    });
  program.addHelpText('after', AFTER_HELP);
  addRun(program, run);
  for (const [name, help] of LATER) addLater(program, name, help);
  return program;
}

/** Columns beside the longest option of a run in a terminal of 80. */
const NARROWEST_HELP = 30;

const AFTER_HELP = `
Try it:
  ringscope run                                        two 100 Gb/s NICs and a load balancer
  ringscope run --xdp drop --traffic "udp size=64 rate=line"
  ringscope run --xdp my.ts --in trace.pcapng --tx-out sent.pcapng --check
  ringscope sweep --budget 1..256*2 --rate 4M,8M,12M --best p99 --where "lost==0"
  ringscope explain --traffic "udp flows=256 rate=14M" --try
  ringscope run --help                                 every option of a run`;

function addRun(program: Command, action: RunAction): void {
  const run = program
    .command('run')
    .helpGroup('Commands:')
    .description('Run one machine and print what became of every packet.')
    .usage('[SCENARIO] [options]')
    .argument('[SCENARIO]', 'YAML file with options, NICs included; flags replace what it says')
    .action(action);
  for (const info of RUN_OPTIONS) run.addOption(optionOf(info));
}

function addLater(program: Command, name: string, help: string): void {
  program
    .command(name)
    .helpGroup('Not built yet:')
    .description(help)
    .argument('[args...]')
    .allowUnknownOption()
    .action(() => {
      throw new OptionError(`${name}: not built yet`);
    });
}

const plain = (message: string): string => message.replace(/^error: /, '');

/** Commander's messages, in this program's form. */
function usageText({ code, message }: CommanderError, command: string): string {
  const quoted = /'([^']*)'/.exec(message)?.[1] ?? '';
  switch (code) {
    case 'commander.unknownOption': {
      const name = quoted.replace(/^-+/, '').replace(/=.*/s, '');
      const known = [
        ...RUN_OPTIONS.map(({ key }) => kebab(key)),
        ...(command === 'sweep' ? SWEEP_FLAGS : []),
        ...(command === 'explain' ? ['try'] : []),
      ];
      if (known.includes(name)) return `--${name}: takes no value`;
      return `unknown option ${quoted.replace(/=.*/s, '')}${didYouMean(name, known, '--')}`;
    }
    case 'commander.optionMissingArgument':
      return `${quoted.split(' ')[0]}: needs a value`;
    case 'commander.unknownCommand': {
      const known = [
        'run',
        'sweep',
        'explain',
        'prog',
        'map',
        'validate',
        ...LATER.map(([name]) => name),
      ];
      return `unknown command ${quoted === '' ? "''" : quoted}${didYouMean(quoted, known)}`;
    }
    case 'commander.excessArguments':
      return ['run', 'sweep', 'explain'].includes(quoted)
        ? `${quoted}: takes one SCENARIO at most`
        : plain(message);
    case 'commander.help':
      return 'which command? --help lists them';
    default:
      return plain(message);
  }
}
