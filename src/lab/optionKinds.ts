/**
 * The kinds of value an option may have: how each is read from text or YAML, and what to say when
 * it cannot be.
 *
 * A kind's refusal never names the option: the schema knows where the value came from (a flag, or
 * a line and column of a scenario) and puts that in front.
 */

/** Why a value was refused; the text follows the option's name. */
export class Refusal extends Error {}

export interface Kind<T> {
  /** Placeholder in help, `N`; empty for a flag that takes no value. */
  readonly value: string;
  /** The allowed range in words; empty where anything goes. */
  readonly allowed: string;
  /** @throws Refusal */
  read(raw: unknown): T;
}

const shown = (raw: unknown): string =>
  typeof raw === 'string' || typeof raw === 'number' ? String(raw) : JSON.stringify(raw);

const bracketed = (allowed: string): string => (allowed === '' ? '' : ` (${allowed})`);

/** Nothing at all (in YAML null), or more than one value. */
function refuseNoneAndMany(raw: unknown, allowed: string): void {
  if (raw === null || (typeof raw === 'string' && raw.trim() === ''))
    throw new Refusal(`needs a value${bracketed(allowed)}`);
  if (Array.isArray(raw)) throw new Refusal('a list of values is for ringscope sweep');
}

/** Text as typed; YAML numbers are taken as their text. */
function asText(raw: unknown, allowed: string): string {
  if (typeof raw === 'number') return String(raw);
  refuseNoneAndMany(raw, allowed);
  if (typeof raw === 'string') return raw.trim();
  throw new Refusal(`${shown(raw)} is not a text${bracketed(allowed)}`);
}

/** NaN for what is no number; underscores may stand between digits. */
function asNumber(raw: unknown, allowed: string): number {
  if (typeof raw === 'number') return raw;
  refuseNoneAndMany(raw, allowed);
  if (typeof raw !== 'string') return NaN;
  const text = raw.trim().replace(/(?<=\d)_(?=\d)/g, '');
  return text.includes('_') ? NaN : Number(text);
}

/** A whole number of `unit` (may be empty) from `min` to `max`. */
export function whole(min: number, max: number, unit: string = ''): Kind<number> {
  const allowed = `${min} to ${max}${unit === '' ? '' : ` ${unit}`}`;
  return {
    value: 'N',
    allowed,
    read(raw) {
      const n = asNumber(raw, allowed);
      if (!Number.isInteger(n))
        throw new Refusal(`${shown(raw)} is not a whole number (${allowed})`);
      if (n < min || n > max) throw new Refusal(`${n} is out of range (${allowed})`);
      return n;
    },
  };
}

const CPU_RANGE = '0 to --cpus less 1';
/** One of the machine's CPUs: how many there are, another option says. */
export const cpu: Kind<number> = {
  value: 'N',
  allowed: CPU_RANGE,
  read(raw) {
    const n = asNumber(raw, CPU_RANGE);
    if (Number.isInteger(n) && n >= 0) return n;
    throw new Refusal(`${shown(raw)} is no number of a CPU (${CPU_RANGE})`);
  },
};

/** A number of `unit` from `min` to `max`, fractions allowed. */
export function between(min: number, max: number, unit: string): Kind<number> {
  const allowed = `${min} to ${max} ${unit}`;
  return {
    value: 'X',
    allowed,
    read(raw) {
      const n = asNumber(raw, allowed);
      if (Number.isNaN(n)) throw new Refusal(`${shown(raw)} is not a number (${allowed})`);
      if (!(n >= min && n <= max)) throw new Refusal(`${n} is out of range (${allowed})`);
      return n;
    },
  };
}

/** One of a few numbers. */
export function oneOf(choices: readonly number[]): Kind<number> {
  const allowed = choices.join(', ');
  return {
    value: 'N',
    allowed,
    read(raw) {
      const n = asNumber(raw, allowed);
      if (choices.includes(n)) return n;
      throw new Refusal(`${shown(raw)} is not one of ${allowed}`);
    },
  };
}

/** One of a few words. A word of `later` is known, but its feature is not built. */
export function word<T extends string>(
  choices: readonly T[],
  later: Readonly<Record<string, string>> = {},
): Kind<T> {
  const allowed = choices.join(', ');
  return {
    value: choices.length > 1 ? choices.join('|') : 'WORD',
    allowed: choices.length > 1 ? allowed : '',
    read(raw) {
      const text = asText(raw, allowed);
      const found = choices.find((choice) => choice === text);
      if (found !== undefined) return found;
      if (Object.hasOwn(later, text)) throw new Refusal(notBuilt(text, later[text]!));
      throw new Refusal(`${text} is not one of ${allowed}`);
    },
  };
}

export const notBuilt = (what: string, comesWith: string): string =>
  `${what === '' ? '' : `${what} is `}not built yet (comes with ${comesWith})`;

/** Several of a few words, separated by commas, or a YAML list; each once, in the order of `choices`. */
export function words<T extends string>(choices: readonly T[]): Kind<readonly T[]> {
  const one = word(choices);
  return {
    value: choices.join(','),
    allowed: '',
    read(raw) {
      const items = Array.isArray(raw) ? raw : asText(raw, one.allowed).split(',');
      const given = items.map((item: unknown) => one.read(item));
      if (given.length === 0) throw new Refusal('needs at least one word');
      return choices.filter((choice) => given.includes(choice));
    },
  };
}

/** `on` or `off`; in YAML also true and false. */
export const onOff: Kind<boolean> = {
  value: 'on|off',
  allowed: 'on or off',
  read(raw) {
    if (raw === true || raw === 'on') return true;
    if (raw === false || raw === 'off') return false;
    refuseNoneAndMany(raw, 'on or off');
    throw new Refusal(`${shown(raw)} is neither on nor off`);
  },
};

/** A flag that is either given or not. */
export const flag: Kind<boolean> = {
  value: '',
  allowed: '',
  read: (raw) => onOff.read(raw),
};

/** Any text but an empty one. */
export const anyText = (value: string): Kind<string> => ({
  value,
  allowed: '',
  read: (raw) => asText(raw, ''),
});

/** A text that `refused` finds nothing wrong with. */
export const checked = (
  value: string,
  allowed: string,
  refused: (text: string) => string | null,
): Kind<string> => ({
  value,
  allowed,
  read(raw) {
    const text = asText(raw, allowed);
    const why = refused(text);
    if (why !== null) throw new Refusal(why);
    return text;
  },
});

/** A file's name. */
export const file: Kind<string> = anyText('FILE');

/** A parser elsewhere that starts its messages with the place it was told, a colon and a space. */
export type Parser<T> = (place: string, text: string) => T;

const PLACE = 'value';

/** Text that a parser elsewhere judges: kept as typed, once the parser has taken it. */
export function judged(value: string, allowed: string, judge: Parser<unknown>): Kind<string> {
  return {
    value,
    allowed,
    read(raw) {
      const text = asText(raw, allowed);
      refusing(() => judge(PLACE, text));
      return text;
    },
  };
}

/** Text that a parser elsewhere turns into a value. */
export function parsed<T>(value: string, allowed: string, parse: Parser<T>): Kind<T> {
  return { value, allowed, read: (raw) => refusing(() => parse(PLACE, asText(raw, allowed))) };
}

/** Texts that a parser elsewhere turns into values, separated by semicolons, or a YAML list. */
export function several<T>(value: string, parse: Parser<T>): Kind<readonly T[]> {
  return {
    value,
    allowed: '',
    read(raw) {
      const items = Array.isArray(raw) ? raw : asText(raw, '').split(';');
      if (items.length === 0) throw new Refusal('needs at least one');
      return items.map((item: unknown) => refusing(() => parse(PLACE, asText(item, ''))));
    },
  };
}

/** Numbers of a kind, separated by commas, or a YAML list. */
export function numbers(one: Kind<number>): Kind<readonly number[]> {
  return {
    value: 'N,N,…',
    allowed: `each ${one.allowed}`,
    read(raw) {
      const items = Array.isArray(raw) ? raw : asText(raw, one.allowed).split(',');
      if (items.length === 0) throw new Refusal('needs at least one number');
      return items.map((item: unknown) => one.read(item));
    },
  };
}

function refusing<T>(parse: () => T): T {
  try {
    return parse();
  } catch (error) {
    if (error instanceof Refusal || !(error instanceof Error)) throw error;
    throw new Refusal(error.message.replace(`${PLACE}: `, ''));
  }
}
