/**
 * What a sweep runs: the product of all lists, each point the options of one run, every one of them
 * read and checked before anything starts.
 */
import { RangeRefused } from '../host/errors.ts';
import type { CostProfile } from '../host/profile.ts';
import { NotUnderstood } from '../wire/quantities.ts';
import { trafficPlan } from './arrivals.ts';
import type { OptionSource } from './options.ts';
import { fromFlags, OptionError, otherWaysOf, readOptions } from './options.ts';
import { camel, kebab } from './optionNames.ts';
import type { RunOptions } from './optionSchema.ts';
import { profileNamed, profileNameRefused } from './profileFile.ts';
import type { RunIo } from './run.ts';
import { machineConfig } from './setup.ts';
import { sweepValues } from './sweepValues.ts';

/** An option with several values; they stand as they were typed. */
export interface SweepAxis {
  readonly key: string;
  /** `rx-usecs`, as tables and plots name it. */
  readonly name: string;
  readonly values: readonly string[];
}

/** One combination, by option; runs with different seeds share it. */
export type SweepPoint = Readonly<Record<string, string>>;

export interface SweepRunPlan {
  readonly point: SweepPoint;
  readonly options: RunOptions;
}

export interface SweepPlan {
  readonly axes: readonly SweepAxis[];
  /** Every point with every seed: points in the order of their lists, the last one fastest. */
  readonly runs: readonly SweepRunPlan[];
}

export interface SweepAsked {
  /** A scenario file, where there is one; flags replace what it says. */
  readonly scenario: OptionSource | null;
  /** As typed, by camelCase key, in the order in which they were typed. */
  readonly flags: Readonly<Record<string, unknown>>;
  /** Runs of each point, with this many seeds from `--seed` on. */
  readonly seeds: number;
}

const MOST_RUNS = 100_000;
const LAST_SEED = 0xffffffff;
/** Options of a run that many runs cannot have: they would write over each other. */
export const SINGLE_RUN_KEYS: readonly string[] = [
  'txOut',
  'passOut',
  'mapsOut',
  'show',
  'watch',
  'speed',
  'control',
];
/** Options whose value is a structure, not a list of alternatives. */
const STRUCTURES: readonly string[] = ['nics', 'steering', 'apps', 'at'];

/** @throws OptionError, RangeRefused naming the point at fault; InputError of a profile's file */
export async function planSweep(
  asked: SweepAsked,
  readFile: RunIo['readFile'],
): Promise<SweepPlan> {
  const { scenario, flags, seeds } = asked;
  const lists = listsOf(scenario, flags);
  const profiles = await profilesOf(lists.get('profile'), readFile);
  const axes = [...lists]
    .filter(([, { values }]) => values.length > 1)
    .map(([key, { values }]) => ({ key, name: kebab(key), values: values.map(String) }));
  const total = axes.reduce((n, { values }) => n * values.length, seeds);
  if (total > MOST_RUNS) {
    throw new OptionError(`sweep: ${total} runs are too many (up to ${MOST_RUNS})`);
  }
  if (axes.some(({ key }) => key === 'seed') && seeds > 1) {
    throw new OptionError('--seeds: cannot be set where --seed has a list');
  }
  const offers = new Set<string>();
  const runs = combinations(lists).flatMap((values) => {
    const point = Object.fromEntries(axes.map(({ key }) => [key, String(values[key])]));
    const options = optionsAt(asked, values, axes, { offers, profiles });
    if (options.seed + seeds - 1 > LAST_SEED) {
      throw new OptionError(
        `--seeds: ${seeds} seeds from ${options.seed} on go beyond ${LAST_SEED}`,
      );
    }
    return Array.from({ length: seeds }, (_, i) => ({
      point,
      options: { ...options, seed: options.seed + i },
    }));
  });
  return { axes, runs };
}

interface Alternatives {
  readonly values: readonly unknown[];
}

/** By option: those of the scenario first, a flag of the same name in its place. */
function listsOf(
  scenario: OptionSource | null,
  flags: SweepAsked['flags'],
): ReadonlyMap<string, Alternatives> {
  const lists = new Map<string, Alternatives>();
  const sources = [...(scenario === null ? [] : [scenario]), fromFlags(flags)];
  for (const source of sources) {
    const given = Object.entries(source.values);
    for (const [name, raw] of given)
      for (const other of otherWaysOf(camel(name), raw)) lists.delete(other);
    for (const [name, raw] of given) {
      const key = camel(name);
      const place = source.where([name]);
      if (SINGLE_RUN_KEYS.includes(key))
        throw new OptionError(`${place}: is for one run, a sweep has many`);
      const structure = STRUCTURES.includes(key) && typeof raw !== 'string';
      lists.set(key, { values: structure ? [raw] : sweepValues(place, key, raw) });
    }
  }
  return lists;
}

/** What they cost decides what their NICs take; a name that is none is left to be refused with its place. */
async function profilesOf(
  named: Alternatives | undefined,
  readFile: RunIo['readFile'],
): Promise<ReadonlyMap<string, CostProfile>> {
  const profiles = new Map<string, CostProfile>();
  for (const name of (named?.values ?? []).map(String))
    if (profileNameRefused(name) === null) profiles.set(name, await profileNamed(name, readFile));
  return profiles;
}

function combinations(lists: ReadonlyMap<string, Alternatives>): Record<string, unknown>[] {
  let all: Record<string, unknown>[] = [{}];
  for (const [key, { values }] of lists) {
    all = all.flatMap((point) => values.map((value) => ({ ...point, [key]: value })));
  }
  return all;
}

interface PointChecks {
  /** Traffic that was planned already. */
  readonly offers: Set<string>;
  readonly profiles: ReadonlyMap<string, CostProfile>;
}

function optionsAt(
  { scenario, flags }: SweepAsked,
  values: Record<string, unknown>,
  axes: readonly SweepAxis[],
  { offers, profiles }: PointChecks,
): RunOptions {
  const part = (from: OptionSource, mine: (key: string) => boolean): OptionSource => ({
    values: Object.fromEntries(Object.entries(values).filter(([key]) => mine(key))),
    where: (path) => from.where(path),
  });
  const typed = (key: string): boolean => Object.hasOwn(flags, key);
  const inFile = scenario === null ? [] : [part(scenario, (key) => !typed(key))];
  try {
    const options = readOptions([...inFile, part(fromFlags(flags), typed)]);
    machineConfig(options, profiles.get(options.profile));
    checkOffer(options, offers);
    return options;
  } catch (error) {
    const refusal = [OptionError, RangeRefused, NotUnderstood].some((of) => error instanceof of);
    if (!(error instanceof Error) || !refusal || axes.length === 0) throw error;
    const where = axes.map(({ key, name }) => `${name} ${String(values[key])}`).join(', ');
    throw new OptionError(`${error.message} (at ${where})`);
  }
}

/** Plan generated traffic, once for all points that share it. */
function checkOffer(options: RunOptions, offers: Set<string>): void {
  const { traffic, rate, size, flows, pattern, link, nics } = options;
  if (options.in !== undefined || options.clients !== undefined) return;
  const key = JSON.stringify([traffic, rate, size, flows, pattern, link, nics[0]]);
  if (!offers.has(key)) trafficPlan(options);
  offers.add(key);
}

/**
 * The part of all runs that shard `text` does: `2/4` every fourth, from the second on.
 *
 * @throws OptionError
 */
export function shardOf<T>(runs: readonly T[], text: string): readonly T[] {
  const [, part, of] = /^(\d+)\/(\d+)$/.exec(text) ?? [];
  const [index, count] = [Number(part), Number(of)];
  if (!(count >= 1 && index >= 1 && index <= count)) {
    throw new OptionError(`--shard: ${text} is not a part as 2/4, from 1/4 to 4/4`);
  }
  return runs.filter((_, i) => i % count === index - 1);
}
