/**
 * Reading the options of a run from command lines and scenario files.
 *
 * Every refusal is one line that begins with the place the value came from.
 */
import { unreachable } from './peerChecks.ts';
import type { ZodError } from 'zod';
import { ntupleMatch } from '../driver/bnxt/rxnfc.ts';
import { HW_HASH_INDEX_SIZE } from '../nic/hsi/hwrm.ts';
import { alienKey } from './appOptions.ts';
import { didYouMean } from './nearest.ts';
import { checkNapi } from './napiOptions.ts';
import { wrongNicAddress, wrongRoute } from './nicChecks.ts';
import { camel, kebab } from './optionNames.ts';
import type { RunOptions } from './optionSchema.ts';
import { APP_KEYS, NIC_KEYS, RUN_KEYS, RUN_SCHEMA, STEERING_KEYS } from './optionSchema.ts';

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
  where: ([key, ...inside]) => {
    const place = inside.map((step) =>
      typeof step === 'number' ? `[${step}]` : `.${String(step)}`,
    );
    return `--${kebab(String(key))}${place.join('')}`;
  },
});

/** What only the stack does. */
const NEED_STACK = [
  ...(['apps', 'appCpu', 'appCpus', 'rps', 'tcDrop', 'rawDrop'] as const),
  ...(['ipForward', 'rpFilter', 'route', 'neigh'] as const),
];
const OPEN_LOOP = ['traffic', 'rate', 'flows', 'pattern'] as const;
const GENERATED = [...OPEN_LOOP, 'size'] as const;
/** Words of `traffic` that are options as well. */
const WORDS_ALONE = ['rate', 'size', 'flows', 'pattern'] as const;
const OF_CLIENTS = ['think', 'cable', 'clientDelay', 'clientUpdates', 'clientAck'] as const;
const OTHER_WAYS: Readonly<Record<string, readonly string[]>> = {
  rssEqual: ['rssIndir'],
  rssIndir: ['rssEqual'],
  appCpu: ['appCpus'],
  appCpus: ['appCpu'],
  traffic: ['in', 'replay', 'clients', ...OF_CLIENTS],
  in: [...GENERATED, 'clients', ...OF_CLIENTS],
  clients: ['in', 'replay', ...OPEN_LOOP],
};

/**
 * Other ways to say what this option says, and what goes with them: it replaces them in earlier sources.
 *
 * @param values one, or the alternatives of a sweep
 */
export function otherWaysOf(key: string, values: unknown): readonly string[] {
  const others = OTHER_WAYS[key] ?? [];
  if (key !== 'traffic') return others;
  const texts = [values].flat().join(' ');
  return [...others, ...WORDS_ALONE.filter((word) => new RegExp(`\\b${word}=`).test(texts))];
}

/**
 * The options that these sources give together; what a later one says replaces an earlier one's.
 *
 * @throws OptionError
 */
export function readOptions(sources: readonly OptionSource[]): RunOptions {
  const merged: Record<string, unknown> = {};
  const origin = new Map<string, OptionSource>();
  for (const parts of sources.map(unfolded)) {
    const given = parts.flatMap((source) =>
      Object.entries(source.values).map(
        ([name, value]) => ({ key: knownKey(name, source), value, source }) as const,
      ),
    );
    for (const other of given.flatMap(({ key, value }) => otherWaysOf(key, value)))
      delete merged[other];
    for (const { key, value, source } of given) {
      merged[key] = value;
      origin.set(key, source);
    }
  }
  const result = RUN_SCHEMA.safeParse(merged);
  if (!result.success) throw refused(result.error, origin);
  checkTogether(result.data, (path) => placeOf(path, origin));
  return result.data;
}

/** What a source gathers under `steering` are options like others, in a place of their own. */
function unfolded(source: OptionSource): OptionSource[] {
  const { steering, ...values } = source.values;
  if (steering === undefined) return [source];
  if (typeof steering !== 'object' || steering === null || Array.isArray(steering))
    throw new OptionError(`${source.where(['steering'])}: expected options as "name: value"`);
  const unknown = Object.keys(steering).find((name) => !STEERING_KEYS.includes(camel(name)));
  if (unknown !== undefined) {
    const guess = didYouMean(unknown, STEERING_KEYS.map(kebab));
    throw new OptionError(`${source.where(['steering', unknown])}: unknown option${guess}`);
  }
  const inner = (path: readonly PropertyKey[]): string => source.where(['steering', ...path]);
  const outside = new Set(Object.keys(values).map(camel));
  const twice = Object.keys(steering).find((name) => outside.has(camel(name)));
  if (twice !== undefined)
    throw new OptionError(`${inner([twice])}: is given outside of steering as well`);
  return [
    { values, where: (path) => source.where(path) },
    { values: steering as Record<string, unknown>, where: inner },
  ];
}

function knownKey(name: string, source: OptionSource): string {
  const key = camel(name);
  if (RUN_KEYS.includes(key)) return key;
  const guess = didYouMean(name, RUN_KEYS.map(kebab));
  throw new OptionError(`${source.where([name])}: unknown option${guess}`);
}

const placeOf = (
  path: readonly PropertyKey[],
  origin: ReadonlyMap<string, OptionSource>,
): string => {
  const key = String(path[0]);
  return origin.get(key)?.where(path) ?? `--${kebab(key)}`;
};

function refused(error: ZodError, origin: ReadonlyMap<string, OptionSource>): OptionError {
  // a key that is not known explains one that is missing
  const issue = error.issues.find(({ code }) => code === 'unrecognized_keys') ?? error.issues[0]!;
  if (issue.code !== 'unrecognized_keys') {
    return new OptionError(`${placeOf(issue.path, origin)}: ${issue.message}`);
  }
  const name = issue.keys[0]!;
  const known = issue.path[0] === 'apps' ? APP_KEYS : NIC_KEYS;
  const guess = didYouMean(kebab(name), known.map(kebab));
  return new OptionError(`${placeOf([...issue.path, name], origin)}: unknown option${guess}`);
}

/** What no option can know alone. */
function checkTogether(o: RunOptions, where: (path: readonly PropertyKey[]) => string): void {
  if (o.in !== undefined) {
    for (const key of GENERATED) {
      if (o[key] === undefined) continue;
      throw new OptionError(`${where([key])}: generates traffic, but --in replays a capture`);
    }
  } else if (o.replay !== undefined) {
    throw new OptionError(`${where(['replay'])}: needs --in CAPTURE`);
  }
  checkClients(o, where);
  if (o.passOut !== undefined && !o.stack) {
    throw new OptionError(`${where(['passOut'])}: needs --stack on`);
  }
  if (!o.stack) {
    for (const key of NEED_STACK) {
      const given = o[key];
      if (given === undefined || given === false) continue;
      if (Array.isArray(given) && given.length === 0) continue;
      throw new OptionError(`${where([key])}: needs --stack on`);
    }
    o.nics.forEach((nic, i) => {
      const key = (['rps', 'addr', 'addr6'] as const).find((name) => nic[name] !== undefined);
      if (key !== undefined) throw new OptionError(`${where(['nics', i, key])}: needs --stack on`);
    });
  }
  const wrong = wrongNicAddress(o.nics);
  if (wrong !== null)
    throw new OptionError(`${where(['nics', wrong.nic, wrong.key])}: ${wrong.why}`);
  const astray = wrongRoute(o);
  if (astray !== null) throw new OptionError(`${where([astray.key, astray.index])}: ${astray.why}`);
  if (o.control !== undefined && !o.watch)
    throw new OptionError(`${where(['control'])}: needs --watch`);
  if (o.speed !== 1 && !o.watch) throw new OptionError(`${where(['speed'])}: needs --watch`);
  checkApps(o, where);
  checkNapi(o, (key, why) => {
    throw new OptionError(`${where([key])}: ${why}`);
  });
  checkSteering(o, where);
  const most = Math.max(...o.nics.map((nic) => nic.queues ?? o.queues));
  checkCpus(o, o.irqAffinity, most, () => where(['irqAffinity']));
  checkCpus(o, o.threadCpus, most, () => where(['threadCpus']));
  o.nics.forEach((nic, i) => {
    const queues = nic.queues ?? o.queues;
    checkCpus(o, nic.irqAffinity, queues, () => where(['nics', i, 'irqAffinity']));
  });
}

/** An open loop has no clients, and a closed one no traffic of its own. */
function checkClients(o: RunOptions, where: (path: readonly PropertyKey[]) => string): void {
  if (o.clients === undefined) {
    for (const key of OF_CLIENTS) {
      if (o[key] !== undefined) throw new OptionError(`${where([key])}: needs --clients N`);
    }
    return;
  }
  for (const key of ['in', ...OPEN_LOOP] as const) {
    if (o[key] === undefined) continue;
    throw new OptionError(`${where([key])}: is an open loop, but --clients is a closed one`);
  }
  if (o.watch) throw new OptionError(`${where(['watch'])}: cannot watch --clients`);
  if (o.sample !== undefined)
    throw new OptionError(`${where(['sample'])}: cannot be had with --clients`);
}

function checkApps(o: RunOptions, where: (path: readonly PropertyKey[]) => string): void {
  const last = o.cpus - 1;
  const onMachine = (cpu: number | undefined, path: readonly PropertyKey[]): void => {
    if (cpu === undefined || cpu <= last) return;
    throw new OptionError(`${where(path)}: ${cpu} is out of range (0 to ${last})`);
  };
  onMachine(o.appCpu, ['appCpu']);
  o.appCpus?.forEach((cpu) => onMachine(cpu, ['appCpus']));
  if (o.appCpus !== undefined && o.appCpu !== undefined)
    throw new OptionError(`${where(['appCpus'])}: not with ${where(['appCpu'])}, which is one CPU`);
  const alone = o.appThreads > 1 ? 'appThreads' : o.appCpus === undefined ? null : 'appCpus';
  if (alone !== null && o.apps.length === 0)
    throw new OptionError(`${where([alone])}: needs --apps`);
  o.rps?.forEach((cpu) => onMachine(cpu, ['rps']));
  o.nics.forEach((nic, i) => nic.rps?.forEach((cpu) => onMachine(cpu, ['nics', i, 'rps'])));
  const ports = new Set<number>();
  o.apps.forEach((app, i) => {
    const { udp } = app;
    onMachine(app.cpu, ['apps', i, 'cpu']);
    app.cpus?.forEach((cpu) => onMachine(cpu, ['apps', i, 'cpus']));
    const alien = alienKey(app);
    if (alien !== null) throw new OptionError(`${where(['apps', i, alien.key])}: ${alien.why}`);
    const out = app.connect === undefined ? null : unreachable(app.connect, o.nics);
    if (out !== null) throw new OptionError(`${where(['apps', i, 'connect'])}: ${out}`);
    if (ports.has(udp)) throw new OptionError(`${where(['apps', i])}: port ${udp} is taken twice`);
    ports.add(udp);
  });
}

/** Rings that the first NIC has. */
function checkSteering(o: RunOptions, where: (path: readonly PropertyKey[]) => string): void {
  const queues = o.nics[0]!.queues ?? o.queues;
  const refuse = (key: string, why: string): never => {
    throw new OptionError(`${where([key])}: ${why}`);
  };
  if (o.rssEqual !== undefined && o.rssIndir !== undefined)
    refuse(
      'rssEqual',
      'fills the indirection table, which --rss-indir gives whole: only one can be',
    );
  if ((o.rssEqual ?? 1) > queues)
    refuse('rssEqual', `${o.rssEqual} is out of range (1 to ${queues} queues)`);
  const ring = o.rssIndir?.find((n) => n >= queues);
  if (ring !== undefined) refuse('rssIndir', `${ring} is out of range (0 to ${queues - 1})`);
  if ((o.rssIndir?.length ?? 0) > HW_HASH_INDEX_SIZE)
    refuse('rssIndir', `${o.rssIndir!.length} entries are too many (1 to ${HW_HASH_INDEX_SIZE})`);
  const rule = o.ntuple?.find(({ dst }) => dst >= queues);
  if (rule !== undefined)
    refuse('ntuple', `action ${rule.dst} is out of range (-1 to ${queues - 1})`);
  const matches = (o.ntuple ?? []).map(ntupleMatch);
  const twice = matches.findIndex((match, i) => matches.indexOf(match) < i);
  if (twice >= 0)
    refuse(
      'ntuple',
      `rule ${twice + 1} matches the same as rule ${matches.indexOf(matches[twice]!) + 1}`,
    );
}

function checkCpus(
  o: RunOptions,
  cpus: readonly number[] | undefined,
  queues: number,
  where: () => string,
): void {
  if (cpus !== undefined && cpus.length > queues) {
    throw new OptionError(`${where()}: ${cpus.length} CPUs are too many (1 to ${queues} queues)`);
  }
  const cpu = cpus?.find((id) => id >= o.cpus);
  if (cpu === undefined) return;
  throw new OptionError(`${where()}: ${cpu} is out of range (0 to ${o.cpus - 1})`);
}
