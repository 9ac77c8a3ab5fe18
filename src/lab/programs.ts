/** Programs by name: the examples that are always at hand, and what a file's export must be. */
import drop from '../../examples/drop.ts';
import echo from '../../examples/echo.ts';
import l4lb from '../../examples/l4lb.ts';
import pass from '../../examples/pass.ts';
import redirect from '../../examples/redirect.ts';
import type { XdpProgramSpec } from '../xdp/define.ts';
import { InputError } from './inputError.ts';

const EXAMPLES: Readonly<Record<string, XdpProgramSpec>> = {
  drop,
  pass,
  echo,
  redirect,
  l4lb,
};

/** Loads the default export of a program file; see `files.ts`. */
export type ImportProgram = (option: string, name: string) => Promise<unknown>;

/**
 * An example, or whatever the file exports.
 *
 * @param option the option that named it
 * @returns null for `none`
 * @throws InputError when it is no program
 */
export async function programNamed(
  option: string,
  name: string,
  importProgram: ImportProgram,
): Promise<XdpProgramSpec | null> {
  if (name === 'none') return null;
  if (Object.hasOwn(EXAMPLES, name)) return EXAMPLES[name]!;
  if (!/[./\\]/.test(name)) {
    const known = [...Object.keys(EXAMPLES), 'none'].join(', ');
    throw new InputError(`${option}: ${name} is no example (${known}) and no .ts or .js file`);
  }
  const exported = await importProgram(option, name);
  if (isProgram(exported)) return exported;
  throw new InputError(`${option}: ${name} has no default export made by defineXdp`);
}

/** By its form, not its class: the file may have imported another copy of the package. */
function isProgram(exported: unknown): exported is XdpProgramSpec {
  if (typeof exported !== 'object' || exported === null) return false;
  const { type, name, maps, load } = exported as Partial<Record<keyof XdpProgramSpec, unknown>>;
  const named = typeof name === 'string' && typeof maps === 'object' && maps !== null;
  return type === 'xdp' && named && typeof load === 'function';
}
