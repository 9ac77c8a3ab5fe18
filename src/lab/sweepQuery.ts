/**
 * Which points of a sweep are wanted, and in which order: `--where "lost==0 and cpu<60"`,
 * `--best p99`.
 *
 *   any    := all ('or' all)*            or  ||
 *   all    := one ('and' one)*           and &&
 *   one    := 'not' one | '(' any ')' | value ('==' | '!=' | '<' | '<=' | '>' | '>=') value
 *   value  := a number, perhaps with ns us ms s k M G or %, or a name
 *
 * A name is a swept option, a short name of `measures.ts` or a path into the report; what has
 * characters of its own stands in quotes inside brackets. Latencies count in ns.
 */
import type { Measure } from './measures.ts';
import { OptionError } from './options.ts';

/** What a name stands for at one point; NaN where it is no number there. */
export type ValueOf<P> = (point: P) => number;
/** @throws OptionError for a name that means nothing */
export type Naming<P> = (name: string) => ValueOf<P>;

const UNITS: Readonly<Record<string, number>> = {
  '': 1,
  '%': 1,
  ns: 1,
  us: 1e3,
  µs: 1e3,
  ms: 1e6,
  s: 1e9,
  k: 1e3,
  M: 1e6,
  G: 1e9,
  kpps: 1e3,
  Mpps: 1e6,
};

type Compare = (a: number, b: number) => boolean;
const COMPARE: ReadonlyMap<string, Compare> = new Map([
  ['==', (a, b) => a === b],
  ['!=', (a, b) => a !== b],
  ['<', (a, b) => a < b],
  ['<=', (a, b) => a <= b],
  ['>', (a, b) => a > b],
  ['>=', (a, b) => a >= b],
]);

const UNIT =
  '%|(?:' +
  Object.keys(UNITS)
    .filter((unit) => /^[a-zµ]/i.test(unit))
    .join('|') +
  String.raw`)(?![\w])`;
const TOKEN = new RegExp(
  [
    String.raw`\s*(?:(?<symbol>\|\||&&|==|!=|<=|>=|<|>|\(|\)|!)`,
    String.raw`(?<number>\d+(?:\.\d+)?)(?:\s*(?<unit>${UNIT}))?`,
    String.raw`(?<name>[A-Za-z_](?:[\w.-]|\[\d+\]|\["[^"]*"\])*))`,
  ].join('|'),
  'y',
);

interface Token {
  readonly at: number;
  readonly kind: 'symbol' | 'number' | 'name';
  readonly text: string;
  readonly value: number;
}

const WORDS: ReadonlyMap<string, string> = new Map([
  ['and', '&&'],
  ['or', '||'],
  ['not', '!'],
]);

function tokensOf(place: string, text: string): Token[] {
  const tokens: Token[] = [];
  const end = text.trimEnd().length;
  const matcher = new RegExp(TOKEN.source, 'y');
  while (matcher.lastIndex < end) {
    const at = matcher.lastIndex;
    const groups = matcher.exec(text)?.groups;
    if (groups === undefined) {
      const rest = text.slice(at, end).trim();
      const hint = /^=[^=]/.test(rest) ? ' (equal is ==)' : '';
      throw new OptionError(`${place}: cannot read ${JSON.stringify(rest)}${hint}`);
    }
    const { symbol, number, unit = '', name } = groups;
    const word = name === undefined ? undefined : WORDS.get(name);
    if (symbol !== undefined || word !== undefined) {
      tokens.push({ at, kind: 'symbol', text: (symbol ?? word)!, value: 0 });
    } else if (number !== undefined) {
      tokens.push({
        at,
        kind: 'number',
        text: number + unit,
        value: Number(number) * UNITS[unit]!,
      });
    } else tokens.push({ at, kind: 'name', text: name!, value: 0 });
  }
  return tokens;
}

class Parser<P> {
  private readonly place: string;
  private readonly tokens: readonly Token[];
  private readonly naming: Naming<P>;
  private next = 0;

  constructor(place: string, text: string, naming: Naming<P>) {
    this.place = place;
    this.tokens = tokensOf(place, text);
    this.naming = naming;
  }

  whole(): (point: P) => boolean {
    if (this.tokens.length === 0) throw new OptionError(`${this.place}: needs a condition`);
    const found = this.any();
    if (this.next < this.tokens.length) this.refuse('and, or, or the end');
    return found;
  }

  private any(): (point: P) => boolean {
    let left = this.all();
    while (this.takes('||')) {
      const [a, b] = [left, this.all()];
      left = (point) => a(point) || b(point);
    }
    return left;
  }

  private all(): (point: P) => boolean {
    let left = this.one();
    while (this.takes('&&')) {
      const [a, b] = [left, this.one()];
      left = (point) => a(point) && b(point);
    }
    return left;
  }

  private one(): (point: P) => boolean {
    if (this.takes('!')) {
      const inner = this.one();
      return (point) => !inner(point);
    }
    if (this.takes('(')) {
      const inner = this.any();
      if (!this.takes(')')) this.refuse(')');
      return inner;
    }
    const left = this.value();
    const compare = COMPARE.get(this.tokens[this.next]?.text ?? '');
    if (compare === undefined) this.refuse([...COMPARE.keys()].join(' '));
    this.next++;
    const right = this.value();
    return (point) => compare(left(point), right(point));
  }

  private value(): ValueOf<P> {
    const token = this.tokens[this.next];
    if (token === undefined || token.kind === 'symbol') this.refuse('a name or a number');
    this.next++;
    if (token.kind === 'name') return this.naming(token.text);
    const { value } = token;
    return () => value;
  }

  private takes(symbol: string): boolean {
    const token = this.tokens[this.next];
    if (token?.kind !== 'symbol' || token.text !== symbol) return false;
    this.next++;
    return true;
  }

  private refuse(expected: string): never {
    const token = this.tokens[this.next];
    const found = token === undefined ? 'at its end' : `before ${token.text}`;
    throw new OptionError(`${this.place}: expected ${expected} ${found}`);
  }
}

/** @throws OptionError */
export const parseWhere = <P>(
  place: string,
  text: string,
  naming: Naming<P>,
): ((point: P) => boolean) => new Parser(place, text, naming).whole();

/** What to sort by, and which end comes first. */
export interface Order<T> {
  readonly by: T;
  readonly best: Measure['best'];
}

/**
 * `p99`, or `max:napi.packetsPerPoll` where it is not the usual end that is wanted.
 *
 * @param named finds by name what there is to sort by. @throws OptionError
 */
export function parseBest<T extends { readonly best: Measure['best'] }>(
  text: string,
  named: (name: string) => T,
): Order<T> {
  const [, end, name = text] = /^(min|max):(.+)$/.exec(text.trim()) ?? [];
  if (name.trim() === '') throw new OptionError('--best: needs a measure or a swept option');
  const by = named(name.trim());
  return { by, best: end === 'min' || end === 'max' ? end : by.best };
}
