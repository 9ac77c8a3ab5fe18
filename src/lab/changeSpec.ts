/**
 * Changes to a running machine, as scenarios, `--at` and the prompt of `run --watch` describe them.
 *
 *   update MAP KEY VALUE [any|noexist|exist]     delete MAP KEY
 *   xdp FILE [program NAME] [sec SECTION]        fault POINT [after N] [every N]
 *
 * each with `dev NAME` behind it for another NIC than the first; with a time in front in `--at`. In a
 * scenario a change may be a mapping with the same words as its keys.
 */
import { FAULT_POINTS } from '../host/faults.ts';
import type { Ps } from '../host/clock.ts';
import { parseDuration } from '../wire/quantities.ts';
import { didYouMean } from './nearest.ts';
import * as kind from './optionKinds.ts';

export type Change =
  | {
      readonly kind: 'update';
      readonly map: string;
      readonly key: unknown;
      readonly value: unknown;
      readonly flags: UpdateFlags;
    }
  | { readonly kind: 'delete'; readonly map: string; readonly key: unknown }
  | {
      readonly kind: 'xdp';
      readonly xdp: string;
      readonly program: string | undefined;
      readonly section: string | undefined;
    }
  | {
      readonly kind: 'fault';
      readonly point: string;
      readonly after: number;
      /** Infinity: once only. */
      readonly every: number;
    };

export interface DeviceChange {
  /** Name of a NIC; the first one when undefined. */
  readonly dev: string | undefined;
  readonly change: Change;
}

export interface TimedChange extends DeviceChange {
  readonly time: Ps;
}

/** Order as in the uapi: BPF_ANY, BPF_NOEXIST, BPF_EXIST. */
export const UPDATE_FLAGS = ['any', 'noexist', 'exist'] as const;
type UpdateFlags = (typeof UPDATE_FLAGS)[number];

type Given = Readonly<Record<string, unknown>>;

export const CHANGE_KINDS = ['update', 'delete', 'xdp', 'fault'] as const;
type ChangeKind = Change['kind'];
/** By kind: the words that stand behind its name without one of their own, and those that may follow. */
const WORDS: Readonly<Record<ChangeKind, readonly (readonly string[])[]>> = {
  update: [
    ['update', 'key', 'value'],
    ['flags', 'dev'],
  ],
  delete: [['delete', 'key'], ['dev']],
  xdp: [['xdp'], ['program', 'sec', 'dev']],
  fault: [['fault'], ['after', 'every']],
};
const PASSAGES = kind.whole(0, 2 ** 31);

/** One change of a scenario or of `--at`. */
export const timedChange: kind.Kind<TimedChange> = {
  value: 'TIME CHANGE',
  allowed: '',
  read(raw) {
    if (typeof raw === 'string') {
      const [time = '', ...words] = splitWords(raw);
      return { time: timeOf(time), ...changeOf(givenOf(words)) };
    }
    if (typeof raw !== 'object' || raw === null || Array.isArray(raw)) {
      throw new kind.Refusal('expected a change as "time: 1ms, update: MAP, key: K, value: V"');
    }
    const { time, ...given } = raw as Given;
    return { time: timeOf(time), ...changeOf(given) };
  },
};

/** A change without a time, as typed at a prompt. @throws Refusal */
export const parseChange = (text: string): DeviceChange => changeOf(givenOf(splitWords(text)));

/** @throws Refusal */
export function timeOf(raw: unknown): Ps {
  if (raw === 0 || raw === '0') return 0;
  return kind.parsed('TIME', '', (place, given) => parseDuration(place, given)).read(raw ?? '');
}

/** Words between blanks; blanks inside brackets and quotes do not count. */
export function splitWords(text: string): string[] {
  const words: string[] = [];
  let word = '';
  let depth = 0;
  let quoted = false;
  for (const char of text) {
    if (char === '"' && !word.endsWith('\\')) quoted = !quoted;
    if (!quoted && (char === '{' || char === '[')) depth++;
    if (!quoted && (char === '}' || char === ']')) depth--;
    if (quoted || depth > 0 || !/\s/.test(char)) word += char;
    else if (word !== '') {
      words.push(word);
      word = '';
    }
  }
  if (quoted || depth !== 0) throw new kind.Refusal('a quote or bracket is not closed');
  return word === '' ? words : [...words, word];
}

/** A command's words as the mapping that they stand for. */
function givenOf([name = '', ...rest]: readonly string[]): Given {
  const [required, optional] = WORDS[kindNamed(name)] as readonly [string[], string[]];
  const given: Record<string, unknown> = {};
  for (const key of required) given[key] = rest.shift();
  if (name === 'update' && rest[0] !== undefined && rest[0] !== 'dev')
    given['flags'] = rest.shift();
  while (rest.length > 0) {
    const key = rest.shift()!;
    if (!optional.includes(key)) {
      const guess = didYouMean(key, optional);
      throw new kind.Refusal(`${name} does not take ${key}${guess}`);
    }
    given[key] = rest.shift();
    if (given[key] === undefined) throw new kind.Refusal(`${key} needs a value`);
  }
  return given;
}

function kindNamed(name: string): ChangeKind {
  const found = CHANGE_KINDS.find((one) => one === name);
  if (found !== undefined) return found;
  const what = name === '' ? 'nothing' : name;
  throw new kind.Refusal(
    `${what} is no change (${CHANGE_KINDS.join(', ')})${didYouMean(name, CHANGE_KINDS)}`,
  );
}

/** @throws Refusal */
function changeOf(given: Given): DeviceChange {
  const named = CHANGE_KINDS.filter((one) => given[one] !== undefined);
  if (named.length !== 1) {
    throw new kind.Refusal(`needs one of ${CHANGE_KINDS.join(', ')}, ${named.length} are given`);
  }
  const what = named[0]!;
  const [required, optional] = WORDS[what] as readonly [string[], string[]];
  const known = [...required, ...optional];
  const odd = Object.keys(given).find((key) => !known.includes(key));
  if (odd !== undefined) throw new kind.Refusal(`${what} does not take ${odd}`);
  const missing = required.find((key) => given[key] === undefined);
  if (missing !== undefined) throw new kind.Refusal(`${what} needs a ${missing}`);
  const text = (key: string): string => kind.anyText('').read(given[key]);
  const maybe = (key: string): string | undefined =>
    given[key] === undefined ? undefined : text(key);
  return { dev: maybe('dev'), change: bodyOf(what, given, text, maybe) };
}

function bodyOf(
  what: ChangeKind,
  { key, value, after, every }: Given,
  text: (key: string) => string,
  maybe: (key: string) => string | undefined,
): Change {
  switch (what) {
    case 'update': {
      const flags = kind.word(UPDATE_FLAGS).read(maybe('flags') ?? 'any');
      return { kind: what, map: text(what), key, value, flags };
    }
    case 'delete':
      return { kind: what, map: text(what), key };
    case 'xdp':
      return { kind: what, xdp: text(what), program: maybe('program'), section: maybe('sec') };
    case 'fault': {
      const point = kind.word(FAULT_POINTS.map(({ name }) => name)).read(text(what));
      return {
        kind: what,
        point,
        after: PASSAGES.read(after ?? 0),
        every: every === undefined ? Infinity : kind.whole(1, 2 ** 31).read(every),
      };
    }
  }
}
