/** From whatever went wrong to one line on stderr and an exit code. */
import pc from 'picocolors';
import { RangeRefused, thrownText } from '../host/errors.ts';
import { InputError } from '../lab/inputError.ts';
import { OptionError } from '../lab/options.ts';
import { CaptureError } from '../wire/capture.ts';
import { ElfError } from '../xdp/elf/objectError.ts';
import { ProgramRefused } from '../xdp/engine.ts';
import { LoadError } from '../xdp/loader/image.ts';
import { MapError } from '../xdp/maps/mapDef.ts';
import { VerifierError } from '../xdp/verifier/verify.ts';
import { explanationLines } from './explanation.ts';

const plain = pc.createColors(false);

export const EXIT_OK = 0;
/** The run, or a check of it, failed. */
export const EXIT_FAILED = 1;
/** Ended by Ctrl-C, as shells count: 128 and SIGINT. */
export const EXIT_INTERRUPTED = 130;
/** Bad usage or bad input. */
export const EXIT_USAGE = 2;

const BAD_INPUT = [
  OptionError,
  InputError,
  RangeRefused,
  CaptureError,
  ElfError,
  LoadError,
  MapError,
  ProgramRefused,
  VerifierError,
] as const;

export const exitCodeOf = (error: unknown): number =>
  BAD_INPUT.some((kind) => error instanceof kind) ? EXIT_USAGE : EXIT_FAILED;

/**
 * One line, never a stack; with RINGSCOPE_DEBUG=1 the stack as well. A program that the verifier
 * refused is worth more: why, how the path came there, and what mends it.
 */
export function failureText(error: unknown, debug: boolean): string {
  if (!(error instanceof Error)) return `ringscope: ${thrownText(error)}\n`;
  if (debug) return `${error.stack ?? error.message}\n`;
  const line = `${error.message.split(/\s*[\r\n]+\s*/).join(' ')}\n`;
  if (!(error instanceof VerifierError)) return line;
  const explained = explanationLines(error.explanation, plain).join('\n');
  return `${line}\n${explained}\n\n  ringscope prog verify FILE prints the log\n`;
}
