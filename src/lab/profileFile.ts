/**
 * Cost profiles by name, or out of a file: YAML with `name`, `says`, perhaps `base` (a built-in
 * profile whose entries hold where the file has none), and `entries`, each with its operation,
 * value, unit and source.
 */
import { isMap, isScalar, isSeq, LineCounter, parseDocument } from 'yaml';
import type { YAMLMap } from 'yaml';
import type { CostProfile, ProfileEntry } from '../host/profile.ts';
import { ProfileRefused, profileOf } from '../host/profile.ts';
import { entryAllows, QUANTITY_NAMES } from '../host/quantities.ts';
import { PROFILES } from '../host/profiles.ts';
import { InputError } from './inputError.ts';
import { didYouMean } from './nearest.ts';

const NAMES: readonly string[] = PROFILES.map(({ name }) => name);

/** A file's name has a dot or a slash; a profile's has neither. */
export const isProfileFile = (name: string): boolean => /[./\\]/.test(name);

/** @returns why there is no such profile; null when there is */
export function profileNameRefused(name: string): string | null {
  if (isProfileFile(name) || NAMES.includes(name)) return null;
  return `${name} is not one of ${NAMES.join(', ')}, nor a file${didYouMean(name, NAMES)}`;
}

/** @throws InputError naming file and line */
export async function profileNamed(
  name: string,
  readFile: (option: string, name: string) => Promise<Uint8Array>,
): Promise<CostProfile> {
  const known = PROFILES.find((profile) => profile.name === name);
  if (known !== undefined) return known;
  const text = new TextDecoder().decode(await readFile('--profile', name));
  return parseProfile(name, text);
}

/** @throws InputError naming file and line */
export function parseProfile(file: string, text: string): CostProfile {
  const lines = new LineCounter();
  const doc = parseDocument(text, { lineCounter: lines, prettyErrors: false, logLevel: 'error' });
  const refuse = (offset: number, what: string): never => {
    throw new InputError(`--profile: ${file}:${lines.linePos(offset).line}: ${what}`);
  };
  const wrong = doc.errors[0] ?? doc.warnings[0];
  if (wrong !== undefined) return refuse(wrong.pos[0], wrong.message.split('\n')[0]!);
  const top = doc.contents;
  if (!isMap(top)) return refuse(0, 'expected a profile as "name: …, says: …, entries: […]"');
  refuseOtherKeys(top, ['name', 'says', 'base', 'entries'], refuse);
  const list = top.get('entries', true);
  if (!isSeq(list)) return refuse(offsetOf(top), 'expected entries as a list');
  const entries = list.items.map((item) => {
    if (!isMap(item))
      return refuse(offsetOf(item), 'expected an entry as "op, value, unit, source"');
    return entryOf(item, refuse);
  });
  const base = baseOf(top, refuse);
  const name = textOf(top, 'name', refuse);
  if (NAMES.includes(name))
    return refuse(offsetOf(top.get('name', true)), `name ${name} is a built-in profile's`);
  try {
    return profileOf({
      name,
      says: textOf(top, 'says', refuse),
      ...(base === undefined ? {} : { base }),
      entries,
    });
  } catch (error) {
    if (!(error instanceof ProfileRefused)) throw error;
    return refuse(offsetOf(error.entry < 0 ? list : list.items[error.entry]), error.message);
  }
}

type Refuse = (offset: number, what: string) => never;

function baseOf(top: YAMLMap, refuse: Refuse): CostProfile | undefined {
  if (!top.has('base')) return undefined;
  const name = textOf(top, 'base', refuse);
  const base = PROFILES.find((profile) => profile.name === name);
  return base ?? refuse(offsetOf(top), `base ${name} is not one of ${NAMES.join(', ')}`);
}

function entryOf(item: YAMLMap, refuse: Refuse): ProfileEntry {
  refuseUnquoted(item, refuse);
  refuseOtherKeys(item, ['op', 'value', 'unit', 'source'], refuse);
  const op = textOf(item, 'op', refuse);
  if (!QUANTITY_NAMES.includes(op)) {
    const allowed = QUANTITY_NAMES.join('; ');
    const guess = didYouMean(op, QUANTITY_NAMES);
    return refuse(offsetOf(item), `unknown operation ${op}${guess} (allowed: ${allowed})`);
  }
  const value = item.get('value');
  if (typeof value !== 'number') {
    return refuse(offsetOf(item), `${op}: value is missing or no number${entryAllows(op)}`);
  }
  const refuseOwn: Refuse = (offset, what) => refuse(offset, `${op}: ${what}`);
  if (!item.has('unit')) refuseOwn(offsetOf(item), `unit is missing${entryAllows(op)}`);
  const [unit, source] = [textOf(item, 'unit', refuseOwn), textOf(item, 'source', refuseOwn)];
  return { op, value, unit, source };
}

/** A comma ends a value of YAML: what came after it has become a key. */
function refuseUnquoted(item: YAMLMap, refuse: Refuse): void {
  const op = QUANTITY_NAMES.find((name) => {
    const [before, after] = name.split(', ');
    return after !== undefined && item.get('op') === before && item.has(after);
  });
  if (op !== undefined) refuse(offsetOf(item), `"${op}" needs its quotation marks`);
}

function textOf(map: YAMLMap, key: string, refuse: Refuse): string {
  const value = map.get(key);
  if (typeof value === 'string' && value !== '') return value;
  return refuse(offsetOf(map), `${key} is missing or no text`);
}

function refuseOtherKeys(map: YAMLMap, allowed: readonly string[], refuse: Refuse): void {
  for (const { key } of map.items) {
    const name = isScalar(key) ? String(key.value) : '?';
    if (!allowed.includes(name)) {
      refuse(offsetOf(key), `unknown key ${name} (allowed: ${allowed.join(', ')})`);
    }
  }
}

/** Where a node of the file begins. */
function offsetOf(node: unknown): number {
  const { range } = node as { range?: readonly number[] | null };
  return range?.[0] ?? 0;
}
