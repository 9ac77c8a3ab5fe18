/**
 * Runs described in code: the options of `ringscope run` as an object, in which programs and
 * captures may stand as they are instead of by a file's name.
 */
import { fromFlags, readOptions } from './options.ts';
import type { OptionSource } from './options.ts';
import { InputError } from './inputError.ts';
import type { RunIo, RunOutcome } from './run.ts';
import { runScenario } from './run.ts';
import type { XdpProgramSpec } from '../xdp/define.ts';

/** Option names in camelCase or as on the command line; values as there, or as numbers and booleans. */
export interface RunGiven {
  /** A program, an object file's contents, an example's name, or a file's where there are files. */
  readonly xdp?: XdpProgramSpec | Uint8Array | string;
  readonly xdpPeer?: XdpProgramSpec | Uint8Array | string;
  /** A capture's contents, or its file's name. */
  readonly in?: Uint8Array | string;
  /** True for the capture's contents in the outcome; a name, to write a file as well. */
  readonly txOut?: true | string;
  readonly passOut?: true | string;
  readonly [option: string]: unknown;
}

export type GivenIo = Omit<RunIo, 'progress'>;

/** Where there are no files: what is not given as a value is refused. */
const NO_FILES: GivenIo = {
  readFile: (option, name) => Promise.reject(noFiles(option, name)),
  importProgram: (option, name) => Promise.reject(noFiles(option, name)),
  nowMs: () => 0,
};

const noFiles = (option: string, name: string): InputError =>
  new InputError(`${option}: cannot read ${name}: there are no files here, give its contents`);

/**
 * Run what `given` describes, on top of what `under` says.
 *
 * @throws as `runScenario` and `readOptions`
 */
export async function run(
  given: RunGiven = {},
  io: GivenIo = NO_FILES,
  under: readonly OptionSource[] = [],
): Promise<RunOutcome> {
  const values = new Map<string, unknown>();
  const named = Object.fromEntries(
    Object.entries(given)
      .filter(([, value]) => value !== undefined)
      .map(([key, value]) => [key, standIn(key, value, values)]),
  );
  const options = readOptions([...under, fromFlags(named)]);
  return runScenario(options, {
    ...io,
    readFile: async (option, name) =>
      values.has(name) ? (values.get(name) as Uint8Array) : io.readFile(option, name),
    importProgram: async (option, name) =>
      values.has(name) ? values.get(name) : io.importProgram(option, name),
  });
}

/** Options whose values may stand for what a file would hold. */
const BY_VALUE: readonly string[] = ['xdp', 'xdpPeer', 'in'];
const CAPTURES_OUT: readonly string[] = ['txOut', 'passOut'];

/** A text in place of a value: options are texts, and messages need a name for it. */
function standIn(key: string, value: unknown, values: Map<string, unknown>): unknown {
  const name = `./${key} (given)`;
  if (value === true && CAPTURES_OUT.includes(key)) return name;
  if (typeof value !== 'object' || !BY_VALUE.includes(key)) return value;
  values.set(name, value);
  return name;
}
