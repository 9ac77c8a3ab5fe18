/**
 * Programs by name: the examples that are always at hand, object files, and what a module exports.
 */
import drop from '../../examples/drop.ts';
import echo from '../../examples/echo.ts';
import l4lb from '../../examples/l4lb.ts';
import pass from '../../examples/pass.ts';
import redirect from '../../examples/redirect.ts';
import redirectIfindex from '../../examples/redirectIfindex.ts';
import router from '../../examples/router.ts';
import type { Btf } from '../xdp/btf/btf.ts';
import type { XdpProgramSpec } from '../xdp/define.ts';
import { dispatchXdp } from '../xdp/dispatcher.ts';
import { objectXdp } from '../xdp/objectProgram.ts';
import type { ProgramChoice } from './bpfObject.ts';
import { chooseProgram, readObject } from './bpfObject.ts';
import { InputError } from './inputError.ts';

const EXAMPLES: Readonly<Record<string, XdpProgramSpec>> = {
  drop,
  pass,
  echo,
  redirect,
  'redirect-ifindex': redirectIfindex,
  router,
  l4lb,
};

/** Which program of an object, and whether it has to pass the verifier, as it does unless said. */
export interface ObjectChoice extends ProgramChoice {
  readonly verify?: boolean;
  /** Of a kernel, for CO-RE. */
  readonly kernelTypes?: Btf | null;
}

/** What names a program of an object, and the options that do. */
const BY_NAME = [
  ['program', '--program'],
  ['section', '--sec'],
] as const;

/** Loads the default export of a program file; see `files.ts`. */
export type ImportProgram = (option: string, name: string) => Promise<unknown>;

/** Where programs come from. */
export interface ProgramIo {
  readonly importProgram: ImportProgram;
  /** @throws InputError */
  readFile(option: string, name: string): Promise<Uint8Array>;
}

/**
 * An example, a program of an object file, or whatever a module exports; several with commas
 * between them run one after the other, as `dispatchXdp` says.
 *
 * @param option the option that named it
 * @param choice which program of an object
 * @returns null for `none`
 * @throws InputError when it is no program; ElfError for a broken object
 */
export async function programNamed(
  option: string,
  names: string,
  io: ProgramIo,
  choice: ObjectChoice = {},
): Promise<XdpProgramSpec | null> {
  const list = names.split(',');
  const [by] = BY_NAME.filter(([key]) => choice[key] !== undefined);
  if (
    by !== undefined &&
    list.every((name) => name === 'none' || Object.hasOwn(EXAMPLES, name.trim()))
  )
    throw new InputError(
      `${by[1]}: ${option} ${names} is no object file whose programs have names`,
    );
  if (names === 'none') return null;
  const programs = await Promise.all(list.map((name) => oneNamed(option, name.trim(), io, choice)));
  if (programs.length === 1) return programs[0]!;
  return dispatchXdp(programs.map((program) => ({ program })));
}

async function oneNamed(
  option: string,
  name: string,
  io: ProgramIo,
  choice: ObjectChoice,
): Promise<XdpProgramSpec> {
  if (Object.hasOwn(EXAMPLES, name)) return EXAMPLES[name]!;
  if (!/[./\\]/.test(name)) {
    const known = [...Object.keys(EXAMPLES), 'none'].join(', ');
    throw new InputError(`${option}: ${name} is no example (${known}) and no .o, .ts or .js file`);
  }
  if (name.endsWith('.o')) return fromObject(name, await io.readFile(option, name), choice);
  const exported = await io.importProgram(option, name);
  if (exported instanceof Uint8Array) return fromObject(name, exported, choice);
  if (isProgram(exported)) return exported;
  throw new InputError(`${option}: ${name} has no default export made by defineXdp`);
}

function fromObject(name: string, bytes: Uint8Array, choice: ObjectChoice): XdpProgramSpec {
  const spec = readObject(name, bytes, choice.kernelTypes);
  const { verify = true } = choice;
  return objectXdp(spec, chooseProgram(spec, choice), { verify });
}

/** By its form, not its class: the file may have imported another copy of the package. */
function isProgram(exported: unknown): exported is XdpProgramSpec {
  if (typeof exported !== 'object' || exported === null) return false;
  const { type, name, maps, load } = exported as Partial<Record<keyof XdpProgramSpec, unknown>>;
  const named = typeof name === 'string' && typeof maps === 'object' && maps !== null;
  return type === 'xdp' && named && typeof load === 'function';
}
