/**
 * Reading the options of a run from command lines and scenario files.
 *
 * Every refusal is one line that begins with the place the value came from.
 */
import type { ZodError } from 'zod';
import { didYouMean } from './nearest.ts';
import { notBuilt } from './optionKinds.ts';
import { camel, kebab } from './optionNames.ts';
import type { RunOptions } from './optionSchema.ts';
import { NIC_KEYS, NOT_BUILT, RUN_KEYS, RUN_SCHEMA } from './optionSchema.ts';

/** Bad usage or bad input, as one line that names what, where and the allowed range. */
export class OptionError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'OptionError';
  }
}

/** Where raw values came from, so that a refusal can point at them. */
export interface OptionSource {
  readonly values: Readonly<Record<string, unknown>>;
  /** `--rx-ring`, or `lab.yaml:3:7: rx-ring`; of an option, or of a place inside one. */
  where(path: readonly PropertyKey[]): string;
}

/** Options as typed on a command line, by camelCase key. */
export const fromFlags = (values: Readonly<Record<string, unknown>>): OptionSource => ({
  values,
  where: ([key]) => `--${kebab(String(key))}`,
});

/**
 * The options that these sources give together; what a later one says replaces an earlier one's.
 *
 * @throws OptionError
 */
export function readOptions(sources: readonly OptionSource[]): RunOptions {
  const merged: Record<string, unknown> = {};
  const origin = new Map<string, OptionSource>();
  for (const source of sources) {
    for (const [name, value] of Object.entries(source.values)) {
      const key = knownKey(name, source);
      merged[key] = value;
      origin.set(key, source);
    }
  }
  const result = RUN_SCHEMA.safeParse(merged);
  if (!result.success) throw refused(result.error, (key) => origin.get(key));
  checkTogether(result.data, (key) => origin.get(key)?.where([key]) ?? `--${kebab(key)}`);
  return result.data;
}

function knownKey(name: string, source: OptionSource): string {
  const key = camel(name);
  if (Object.hasOwn(NOT_BUILT, key)) {
    throw new OptionError(`${source.where([name])}: ${notBuilt('', NOT_BUILT[key]!)}`);
  }
  if (RUN_KEYS.includes(key)) return key;
  const guess = didYouMean(name, RUN_KEYS.map(kebab));
  throw new OptionError(`${source.where([name])}: unknown option${guess}`);
}

function refused(
  error: ZodError,
  originOf: (key: string) => OptionSource | undefined,
): OptionError {
  const issue = error.issues[0]!;
  const key = String(issue.path[0]);
  const unknownKey = issue.code === 'unrecognized_keys' ? issue.keys[0]! : undefined;
  const path = unknownKey === undefined ? issue.path : [...issue.path, unknownKey];
  const where = originOf(key)?.where(path) ?? `--${kebab(key)}`;
  if (unknownKey === undefined) return new OptionError(`${where}: ${issue.message}`);
  const guess = didYouMean(unknownKey, NIC_KEYS.map(kebab));
  return new OptionError(`${where}: unknown option${guess}`);
}

/** What no option can know alone. */
function checkTogether(o: RunOptions, where: (key: keyof RunOptions) => string): void {
  if (o.in !== undefined) {
    for (const key of ['traffic', 'rate', 'size', 'flows', 'pattern'] as const) {
      if (o[key] === undefined) continue;
      throw new OptionError(`${where(key)}: generates traffic, but --in replays a capture`);
    }
  } else if (o.replay !== undefined) {
    throw new OptionError(`${where('replay')}: needs --in CAPTURE`);
  }
  const cpu = o.irqAffinity?.find((id) => id >= o.cpus);
  if (cpu !== undefined) {
    throw new OptionError(`${where('irqAffinity')}: ${cpu} is out of range (0 to ${o.cpus - 1})`);
  }
}
