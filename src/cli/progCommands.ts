/** `ringscope prog …`: what one does with an eBPF object file outside any machine. */
import type { Command } from 'commander';
import { Option } from 'commander';
import { EXIT_OK } from './failure.ts';
import { addProgListings } from './objectCommands.ts';
import type { ProgRunFlags } from './progRun.ts';
import { progRunCommand } from './progRun.ts';
import type { ProgVerifyFlags } from './progVerify.ts';
import { progVerifyCommand } from './progVerify.ts';
import type { Terminal } from './terminal.ts';

const BTF_HELP = "a kernel's types for CO-RE: BTF, or an ELF file with it";

/** @param done is told the exit code of the command that ran */
export function addProg(program: Command, terminal: Terminal, done: (code: number) => void): void {
  const prog = program
    .command('prog')
    .helpGroup('Commands:')
    .description('Verify, run and list the programs of an eBPF object file.')
    .usage('COMMAND FILE [options]')
    .helpCommand(false);
  prog
    .command('run')
    .description('Run a program on one packet, as BPF_PROG_TEST_RUN does.')
    .argument('FILE', 'eBPF object (.o)')
    .option('--program <NAME>', 'program by its function (default: the first of type XDP)')
    .option('--sec <SECTION>', 'program by its section')
    .option('--btf <FILE>', BTF_HELP)
    .option('--data-in <FILE>', 'the packet, 14 to 3520 bytes as they are')
    .option('--data-hex <HEX>', 'the packet in hex')
    .option('--data-out <FILE>', 'write the packet as the program left it')
    .option('--repeat <N>', 'run it so often, 1 to 1000000000 (default 1)')
    .addOption(new Option('--engine <ENGINE>', 'jit|interp (default jit)'))
    .option('--verify <on|off>', "off: run what Linux's verifier refuses, every access tested")
    .option('--json', 'one JSON document on stdout and nothing else')
    .action(async (file: string, flags: ProgRunFlags) => {
      await progRunCommand(file, flags, terminal);
      done(EXIT_OK);
    });
  prog
    .command('verify')
    .description('Would Linux load the programs? With its log, and the line of C.')
    .argument('FILE...', 'eBPF objects (.o)')
    .option('--program <NAME>', 'only this one, by its function')
    .option('--btf <FILE>', BTF_HELP)
    .option('--log-level <N>', 'print the log: 1 paths to a refusal, 2 everything, 4 statistics')
    .option('--json', 'one JSON document on stdout and nothing else')
    .action(async (files: string[], flags: ProgVerifyFlags) => {
      done(await progVerifyCommand(files, flags, terminal));
    });
  addProgListings(prog, terminal);
}
