/** `ringscope prog verify`: would Linux load these programs, and if not, why. */
import type { Colors } from 'picocolors/types';
import { printable } from '../host/errors.ts';
import { readObject } from '../lab/bpfObject.ts';
import type { ProgramVerdict } from '../lab/bpfVerify.ts';
import { verifyObject } from '../lab/bpfVerify.ts';
import { readBytes } from '../lab/files.ts';
import { InputError } from '../lab/inputError.ts';
import { OptionError } from '../lab/options.ts';
import { BPF_PROG_TYPE_XDP } from '../xdp/uapi.ts';
import type { CollectionSpec, ProgramSpec } from '../xdp/loader/spec.ts';
import { explanationLines, logEnd, logLines } from './explanation.ts';
import { EXIT_FAILED, EXIT_OK } from './failure.ts';
import { kernelTypesAt } from './kernelTypesFile.ts';
import type { Terminal } from './terminal.ts';

export interface ProgVerifyFlags {
  readonly program?: string;
  readonly logLevel?: string;
  readonly btf?: string;
  readonly json?: boolean;
}

const MAX_LOG_LEVEL = 7;

/** @returns the exit code: 1 when a program is refused */
export async function progVerifyCommand(
  files: readonly string[],
  flags: ProgVerifyFlags,
  terminal: Terminal,
): Promise<number> {
  const { colors } = terminal;
  const logLevel = logLevelOf(flags.logLevel);
  const options = logLevel === undefined ? {} : { logLevel };
  const kernel = await kernelTypesAt(flags.btf);
  const all: (ProgramVerdict & { readonly file: string })[] = [];
  for (const file of files) {
    const spec = readObject(file, await readBytes('FILE', file), kernel);
    const verdicts = verifyObject(spec, wanted(spec, flags.program), options);
    all.push(...verdicts.map((verdict) => ({ file, ...verdict })));
    if (flags.json) continue;
    if (files.length > 1) terminal.out(`${colors.dim(`${printable(file)}:`)}\n`);
    for (const verdict of verdicts) terminal.out(shown(verdict, logLevel !== undefined, colors));
  }
  if (flags.json) terminal.out(`${JSON.stringify(all)}\n`);
  return all.every(({ accepted }) => accepted) ? EXIT_OK : EXIT_FAILED;
}

function logLevelOf(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const level = Number(text);
  if (text !== '' && Number.isInteger(level) && level >= 0 && level <= MAX_LOG_LEVEL) return level;
  throw new OptionError(
    `--log-level: ${text === '' ? '(empty)' : printable(text)} is not a number from 0 to ${MAX_LOG_LEVEL} ` +
      '(1 paths to a refusal, 2 everything, 4 statistics)',
  );
}

function wanted({ file, programs }: CollectionSpec, name: string | undefined): ProgramSpec[] {
  const all = Object.values(programs);
  const xdp = all.filter(
    (program) =>
      program.type === BPF_PROG_TYPE_XDP && (name === undefined || program.name === name),
  );
  if (xdp.length > 0) return xdp;
  const known = all.map((program) => `${program.name} (${program.section})`).join(', ') || 'none';
  const asked = name === undefined ? '' : ` named ${name}`;
  throw new InputError(`${file}: no XDP program${asked}; the object has ${known}`);
}

/** The verdict in a line, where it was refused, and the log where it was asked for or tells more. */
function shown(verdict: ProgramVerdict, logAsked: boolean, colors: Colors): string {
  const { bold, green, red } = colors;
  const { program, section, accepted, insns, processed, message, slot, source, log } = verdict;
  const mark = accepted ? green('accepted') : red('refused');
  const counts = `${insns} instructions, ${processed} processed`;
  const lines = [`${bold(printable(program))} (${printable(section)})  ${mark}  ${counts}`];
  if (!accepted)
    lines.push(`  ${printable(message)}${slot === null ? '' : `, at instruction ${slot}`}`);
  if (source !== null)
    lines.push(`  ${printable(source.file)}:${source.line}:  ${printable(source.text.trim())}`);
  if (logAsked) lines.push('', ...logLines(log), '');
  else if (!accepted) lines.push('', ...logEnd(log), '');
  if (verdict.explanation !== null)
    lines.push(...explanationLines(verdict.explanation, colors), '');
  return `${lines.join('\n')}\n`;
}
