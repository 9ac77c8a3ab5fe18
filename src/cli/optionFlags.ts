/** Options of the schema as flags of a command. */
import { Option } from 'commander';
import type { OptionInfo } from '../lab/optionSchema.ts';
import { OptionError } from '../lab/options.ts';

export function optionOf({ flag, value, help, allowed, fallback, group }: OptionInfo): Option {
  const facts = [
    value.includes('|') ? '' : allowed,
    fallback === '' ? '' : `default ${fallback}`,
  ].filter((fact) => fact !== '');
  const tail = facts.length === 0 ? '' : ` (${facts.join('; ')})`;
  const flags = value === '' ? flag : `${flag} <${value}>`;
  const option = new Option(flags, help.replace(/\.$/, tail)).helpGroup(`${group}:`);
  return value === '' ? option : option.argParser(onceGiven(flag));
}

/** Takes a value as it is, once; what looks like the next option is none. */
export const onceGiven =
  (flag: string) =>
  (value: string, before: unknown): string => {
    if (value.startsWith('--')) throw new OptionError(`${flag}: needs a value`);
    if (before !== undefined) throw new OptionError(`${flag}: is given twice`);
    return value;
  };
