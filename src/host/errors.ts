/** Something a user asked for lies outside what is possible; the message names what, and the range. */
export class RangeRefused extends Error {
  constructor(what: string, value: string | number, allowed: string) {
    super(`${what}: ${value} is out of range (${allowed})`);
    this.name = 'RangeRefused';
  }
}

/** One of our own invariants does not hold: a defect in the emulator or in a driver under change. */
export class BugError extends Error {
  constructor(what: string) {
    super(`BUG: ${what}`);
    this.name = 'BugError';
  }
}

/** Stop, in every build, when `condition` is true. */
export function bugOn(condition: boolean, what: string): void {
  if (condition) throw new BugError(what);
}

const DEL = '\x7f';

/** Names out of files may hold anything: what would break a line, or steer a terminal, is written out. */
export const printable = (text: string): string =>
  Array.from(text, (c) =>
    c < ' ' || c === DEL ? `\\x${c.charCodeAt(0).toString(16).padStart(2, '0')}` : c,
  ).join('');

/** What was thrown, in words: programs may throw anything, even what no text can be made of. */
export function thrownText(thrown: unknown): string {
  try {
    return String(thrown);
  } catch {
    return 'something without a text';
  }
}
